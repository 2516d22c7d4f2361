/* Any bytes as what a user writes, in any number of writes: the answer must not depend on how they
 * were split, and must be the one of json_valid, which is written quite differently. */
#include "backend/base/jsoncheck.h"
#include "backend/base/jsonread.h"
#include "tests/fuzz/fuzz.h"

static void feed_split(struct jsoncheck *c, struct str text, unsigned seed)
{
    jsoncheck_init(c);
    for (size_t i = 0; i < text.len;) {
        seed = seed * 1103515245u + 12345u;
        struct str part = str_slice(text, i, i + seed / 65536 % 9); /* of 0 bytes too */
        enum jsoncheck_state before = c->state;
        enum jsoncheck_state state = jsoncheck_feed(c, part);
        MUST_HOLD(state == c->state);
        MUST_HOLD(before != JSONCHECK_BAD || state == JSONCHECK_BAD);
        MUST_HOLD(before != JSONCHECK_COMPLETE || state >= JSONCHECK_COMPLETE);
        MUST_HOLD(part.len || state == before);
        i += part.len;
    }
}

/* It is bad because of exactly that byte: all before it could still become a value. */
static void check_bad_place(struct str text, const struct jsoncheck *c)
{
    struct jsoncheck again;
    MUST_HOLD(c->bad_at < text.len && c->reason && c->bytes == c->bad_at);
    jsoncheck_init(&again);
    MUST_HOLD(jsoncheck_feed(&again, str_slice(text, 0, c->bad_at)) != JSONCHECK_BAD);
    MUST_HOLD(jsoncheck_feed(&again, str_slice(text, c->bad_at, c->bad_at + 1)) == JSONCHECK_BAD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jsoncheck whole, split;
    struct str text = fuzz_str(data, size);
    jsoncheck_init(&whole);
    enum jsoncheck_state state = jsoncheck_feed(&whole, text);
    MUST_HOLD(json_valid(text) == (state == JSONCHECK_COMPLETE || state == JSONCHECK_NUMBER));
    for (unsigned seed = 0; seed < 4; seed++) {
        feed_split(&split, text, seed + (unsigned)size);
        MUST_HOLD(split.state == state && split.bytes == whole.bytes);
        MUST_HOLD(split.bad_at == whole.bad_at && split.reason == whole.reason);
    }
    if (state == JSONCHECK_BAD)
        check_bad_place(text, &whole);
    else
        MUST_HOLD(whole.bytes == size && !whole.reason);
    return 0;
}
