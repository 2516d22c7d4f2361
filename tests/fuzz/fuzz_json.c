/* Any bytes as a configuration file: parsing it ends, in a tree that can be walked or in none. */
#include "backend/base/json.h"
#include "tests/fuzz/fuzz.h"

static void ask(const struct json *j)
{
    struct str text;
    int64_t number;
    bool truth;
    int kinds = json_get_str(j, &text) + json_get_bool(j, &truth) + json_is_object(j);
    MUST_HOLD(kinds <= 1);
    if (json_get_i64(j, &number))
        MUST_HOLD(!json_get_bool(j, &truth) && !json_is_object(j));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json_free) struct json *j = json_parse(fuzz_str(data, size));
    ask(j);
    for (const struct json *m = json_first(j); m; m = json_next(m)) {
        struct str name = json_name(m);
        MUST_HOLD(name.p && json_member(j, name.p) && json_member_nocase(j, name.p));
        ask(m);
        ask(json_path(j, name.p, "a", NULL));
    }
    return 0;
}
