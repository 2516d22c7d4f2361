#include "backend/base/jsonread.h"
#include "fs/dirs.h"
#include "fs/format.h"

/* One exception: FailureDetails, or what in-process apps serialize into Details. */
struct failure {
    struct str type, message, stack, inner; /* inner: JSON of the cause, "" = none */
};

static void read_member(struct jsonread *r, struct str name, struct failure *f)
{
    struct str *text = NULL;

    if (str_eq(name, STR("ErrorType")) || str_eq(name, STR("ClassName")))
        text = &f->type;
    else if (str_eq(name, STR("ErrorMessage")) || str_eq(name, STR("Message")))
        text = &f->message;
    else if (str_eq(name, STR("StackTrace")) || str_eq(name, STR("StackTraceString")))
        text = &f->stack;
    if (text && !text->p)
        (void)jsonread_string(r, text);
    else if (str_eq(name, STR("InnerFailure")) || str_eq(name, STR("InnerException")))
        f->inner = jsonread_peek(r) == JSON_OBJECT ? jsonread_raw(r) : (jsonread_skip(r), STR_NONE);
    else
        jsonread_skip(r);
}

static bool read_failure(struct str json, struct arena *arena, struct failure *ret)
{
    struct jsonread r;
    struct str name;

    memset(ret, 0, sizeof(*ret));
    jsonread_init(&r, json, arena);
    if (!jsonread_object(&r))
        return false;
    while (jsonread_member(&r, &name))
        read_member(&r, name, ret);
    return jsonread_ok(&r) && (ret->type.len > 0 || ret->message.len > 0);
}

static void add_block(struct buf *out, struct str text)
{
    if (text.len == 0)
        return;
    format_readable(out, text);
    if (text.p[text.len - 1] != '\n')
        buf_add_ch(out, '\n');
}

/* Message, stack, and each cause. False, and nothing printed, if json is no failure. */
static bool add_chain(struct buf *out, struct str json)
{
    struct failure f;
    struct arena arena;
    bool any = false;

    arena_init(&arena);
    while (json.len > 0 && read_failure(json, &arena, &f)) {
        if (any)
            buf_add_c(out, "Caused by: ");
        any = true;
        if (f.type.len > 0)
            format_readable(out, f.type);
        if (f.type.len > 0 && f.message.len > 0)
            buf_add_c(out, ": ");
        if (f.message.len > 0)
            add_block(out, f.message);
        else
            buf_add_ch(out, '\n');
        add_block(out, f.stack);
        json = f.inner;
    }
    arena_fini(&arena);
    return any;
}

/* The failure that ended the run; else the stored output. */
static void add_end(struct buf *out, const struct history *h, const struct text *output)
{
    for (size_t i = h ? h->count : 0; i > 0; i--) {
        const struct event *e = &h->events[i - 1];

        if (e->type != EVENT_EXECUTION_COMPLETED && e->type != EVENT_EXECUTION_FAILED)
            continue;
        if (add_chain(out, e->failure_details.text))
            return;
        break;
    }
    add_block(out, text_str(output));
}

static void add_failed_task(struct buf *out, const struct history *h, size_t i)
{
    const struct event *e = &h->events[i];

    buf_add_ch(out, '\n');
    format_escaped(out, instance_event_name(h, i));
    buf_add_ch(out, '\n');
    if (!add_chain(out, e->failure_details.text) && !add_chain(out, e->details.text)) {
        add_block(out, e->reason.text);
        add_block(out, e->details.text);
    }
}

enum err instance_failure_show(const struct view *v, struct buf *out)
{
    const struct history *h = v->details->history;

    add_end(out, h, v->details->output);
    for (size_t i = 0; h && i < h->count; i++)
        if (h->events[i].type == EVENT_TASK_FAILED || h->events[i].type == EVENT_SUB_FAILED)
            add_failed_task(out, h, i);
    return OK;
}
