/* Any bytes as an instance id, a stored key and the text of a cell: escaping survives the way back,
 * and what is taken for a blob's name can be nothing but one (B42). */
#include <string.h>

#include "backend/base/limits.h"
#include "backend/storage/cells.h"
#include "backend/storage/keys.h"
#include "tests/fuzz/fuzz.h"

static const struct cell_place place = { { "acct", 4 }, { "myhub", 5 } };

static void check_name(struct str text)
{
    struct arena arena;
    struct str name;

    arena_init(&arena);
    if (cell_blob_path(&place, text, &arena, &name)) {
        MUST_HOLD(cell_is_blob_name(name));
        MUST_HOLD(!str_starts(name, STR("/")));
        MUST_HOLD(!str_starts(name, STR("../")));
        MUST_HOLD(!str_has(name, STR("/../")));
        MUST_HOLD(memchr(name.p, 0, name.len) == NULL);
        MUST_HOLD(name.len <= text.len);
    }
    arena_fini(&arena);
}

static void check_key(struct str id)
{
    struct buf key = BUF_INIT(MIB), again = BUF_INIT(MIB);

    key_escape(&key, id);
    MUST_HOLD(buf_err(&key) == OK);
    MUST_HOLD(key.len <= 3 * id.len);
    MUST_HOLD(key_unescape(&again, buf_str(&key)));
    MUST_HOLD(str_eq(buf_str(&again), id));
    for (size_t i = 0; i < key.len; i++)
        MUST_HOLD((unsigned char)key.p[i] >= 0x20 && !strchr("/\\#?\x7f", key.p[i]));
    buf_clear(&again);
    (void)key_unescape(&again, id); /* any key may be stored */
    MUST_HOLD(buf_err(&again) == OK);
    buf_fini(&key);
    buf_fini(&again);
}

static void check_bounds(struct str prefix)
{
    struct buf lower = BUF_INIT(MIB), upper = BUF_INIT(MIB);

    if (key_prefix_bounds(prefix, &lower, &upper) && upper.len && str_is_utf8(prefix))
        MUST_HOLD(str_cmp_utf16(buf_str(&lower), buf_str(&upper)) < 0);
    buf_fini(&lower);
    buf_fini(&upper);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_str(data, size);

    if (size > 64 * KIB)
        return 0;
    check_name(text);
    check_key(text);
    check_bounds(text);
    return 0;
}
