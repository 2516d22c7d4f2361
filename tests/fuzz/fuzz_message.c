/* Any bytes as the text of a queue message, and as what we put into one: reading never fails in any
 * other way than "opaque", and what we write we can read. */
#include "backend/base/digest.h"
#include "backend/base/limits.h"
#include "backend/storage/messages.h"
#include "tests/fuzz/fuzz.h"

static void read_text(struct str text, struct arena *arena)
{
    struct message_seen seen;

    message_read(text, arena, &seen);
    if (seen.opaque) {
        MUST_HOLD(!seen.json.len && !seen.instance_id.len && !seen.blob_name.len);
        MUST_HOLD(!seen.event_type.len);
    } else {
        MUST_HOLD(str_starts(seen.json, STR("{")));
    }
}

static void write_and_read(struct str text, struct arena *arena)
{
    CLEANUP_BUF struct buf json = BUF_INIT(16 * MIB), base64 = BUF_INIT(32 * MIB);
    struct message m = { .kind = MESSAGE_EVENT,
                         .instance_id = text,
                         .name = text,
                         .has_text = true,
                         .text = text,
                         .generation = -1,
                         .scheduled = TICKS_NONE };
    struct message_seen seen;

    guid_new(m.activity_id);
    message_json(&json, &m);
    MUST_HOLD(buf_err(&json) == OK);
    base64_encode(&base64, buf_str(&json));
    message_read(buf_str(&base64), arena, &seen);
    MUST_HOLD(!seen.opaque);
    MUST_HOLD(str_eq(seen.json, buf_str(&json)));
    MUST_HOLD(str_eq(seen.event_type, STR("EventRaised")));
    if (str_is_utf8(text))
        MUST_HOLD(str_eq(seen.instance_id, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;

    arena_init(&arena);
    read_text(fuzz_str(data, size), &arena);
    if (size < 64 * KIB)
        write_and_read(fuzz_str(data, size), &arena);
    arena_fini(&arena);
    return 0;
}
