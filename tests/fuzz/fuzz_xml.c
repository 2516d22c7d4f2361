/* Any bytes as an XML answer: what is accepted is one tree, whose elements end innermost first. */
#include "backend/base/limits.h"
#include "backend/storage/xml.h"
#include "tests/fuzz/fuzz.h"

struct seen {
    size_t elements;
    bool ended; /* the root was last */
};

static enum err look(void *ctx, struct str path, struct str text)
{
    struct seen *seen = ctx;
    size_t depth = 1;

    MUST_HOLD(path.len > 0);
    MUST_HOLD(!seen->ended);
    MUST_HOLD(str_is_utf8(path));
    for (size_t i = 0; i < path.len; i++)
        depth += path.p[i] == '/';
    MUST_HOLD(depth <= JSON_DEPTH_MAX);
    seen->ended = depth == 1;
    seen->elements++;
    (void)text;
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = { 0 };
    struct call call;

    call_init(&call, 1000);
    enum err err = xml_read(&call, fuzz_str(data, size), look, &seen);
    MUST_HOLD(err == OK || err == ERR_BROKEN);
    MUST_HOLD(err == OK ? seen.ended && seen.elements > 0 : call.text[0] != '\0');
    return 0;
}
