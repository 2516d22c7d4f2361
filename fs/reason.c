#include "fs/reason.h"

#include "backend/base/jsonread.h"

static struct str message_of(struct str json, struct arena *arena)
{
    struct str name, message = STR_NONE;
    struct jsonread r;

    jsonread_init(&r, json, arena);
    if (!jsonread_object(&r))
        return message;
    while (jsonread_member(&r, &name)) {
        if (str_eq(name, STR("ErrorMessage")) && !message.p)
            (void)jsonread_string(&r, &message);
        else
            jsonread_skip(&r);
    }
    return jsonread_ok(&r) ? message : STR_NONE;
}

struct str reason_of(const struct event *e, struct arena *arena)
{
    /* Out-of-process apps say only "unhandled exception" in the reason (storage tables 5.4). */
    struct str message = message_of(e->failure_details.text, arena);

    if (message.len > 0)
        return message;
    return e->reason.text.len > 0 ? e->reason.text : e->details.text;
}
