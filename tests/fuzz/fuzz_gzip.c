/* Any bytes as a stored payload, and any bytes packed, then damaged in one place. */
#include "backend/base/digest.h"
#include "backend/base/limits.h"
#include "tests/fuzz/fuzz.h"

#define UNPACKED_MAX (1 * MIB)

static void unpack_any(struct str data)
{
    CLEANUP_BUF struct buf b = BUF_INIT(UNPACKED_MAX);
    enum err err = gzip_unpack(&b, data);
    MUST_HOLD(err == OK || err == ERR_DAMAGED || err == ERR_TOO_BIG);
    MUST_HOLD(err == OK || b.len == 0);
    if (!str_starts(data, STR("\x1f\x8b")) && data.len <= UNPACKED_MAX)
        MUST_HOLD(err == OK && str_eq(buf_str(&b), data));
}

static void unpack_packed(struct str packed, struct str data)
{
    CLEANUP_BUF struct buf b = BUF_INIT(data.len);
    MUST_HOLD(gzip_unpack(&b, packed) == OK);
    MUST_HOLD(str_eq(buf_str(&b), data));
    if (!data.len)
        return;
    CLEANUP_BUF struct buf small = BUF_INIT(data.len - 1);
    MUST_HOLD(gzip_unpack(&small, packed) == ERR_TOO_BIG);
}

/* A changed byte may hit what does not matter (a time), but never gives other content. */
static void unpack_damaged(struct buf *packed, struct str data)
{
    CLEANUP_BUF struct buf b = BUF_INIT(UNPACKED_MAX + data.len);
    size_t place = 2 + data.len * 31 % (packed->len - 2);
    packed->p[place] ^= (char)(1 + data.len % 255);
    if (gzip_unpack(&b, buf_str(packed)) == OK)
        MUST_HOLD(str_eq(buf_str(&b), data));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = fuzz_str(data, size);
    CLEANUP_BUF struct buf packed = BUF_INIT(2 * size + 1024);
    unpack_any(bytes);
    MUST_HOLD(gzip_pack(&packed, bytes) == OK);
    unpack_packed(buf_str(&packed), bytes);
    unpack_damaged(&packed, bytes);
    return 0;
}
