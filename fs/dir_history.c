#include "backend/base/jsonread.h"
#include "backend/base/jsonw.h"
#include "backend/base/map.h"
#include "fs/dirs.h"
#include "fs/format.h"
#include "fs/names.h"
#include "fs/reason.h"

/* -- history: five columns (mount layout 3.3) -- */

/* What the user wants to know of an event of this type. */
enum detail {
    DETAIL_ANY, /* whatever there is: types that we do not know */
    DETAIL_INPUT,
    DETAIL_RESULT,
    DETAIL_REASON,
    DETAIL_FAILURE,
    DETAIL_FIRE_AT,
    DETAIL_CHILD,
    DETAIL_DATA,
};

enum task_id { TASK_NONE, TASK_OWN /* a decision: its event id */, TASK_OF /* a completion */ };

struct event_look {
    bool hidden; /* left out here, present in history.jsonl */
    enum detail detail;
    enum task_id task;
};

static const struct event_look looks[EVENT_TYPE_COUNT] = {
    [EVENT_EXECUTION_STARTED] = { .detail = DETAIL_INPUT },
    [EVENT_EXECUTION_COMPLETED] = { .detail = DETAIL_RESULT },
    [EVENT_EXECUTION_FAILED] = { .detail = DETAIL_FAILURE },
    [EVENT_EXECUTION_TERMINATED] = { .detail = DETAIL_INPUT },
    [EVENT_TASK_SCHEDULED] = { .detail = DETAIL_INPUT, .task = TASK_OWN },
    [EVENT_TASK_COMPLETED] = { .detail = DETAIL_RESULT, .task = TASK_OF },
    [EVENT_TASK_FAILED] = { .detail = DETAIL_FAILURE, .task = TASK_OF },
    [EVENT_SUB_CREATED] = { .detail = DETAIL_CHILD, .task = TASK_OWN },
    [EVENT_SUB_COMPLETED] = { .detail = DETAIL_RESULT, .task = TASK_OF },
    [EVENT_SUB_FAILED] = { .detail = DETAIL_FAILURE, .task = TASK_OF },
    [EVENT_TIMER_CREATED] = { .detail = DETAIL_FIRE_AT, .task = TASK_OWN },
    [EVENT_TIMER_FIRED] = { .detail = DETAIL_FIRE_AT, .task = TASK_OF },
    [EVENT_ORCHESTRATOR_STARTED] = { .hidden = true },
    [EVENT_ORCHESTRATOR_COMPLETED] = { .hidden = true },
    [EVENT_SENT] = { .detail = DETAIL_INPUT, .task = TASK_OWN },
    [EVENT_RAISED] = { .detail = DETAIL_INPUT },
    [EVENT_CONTINUE_AS_NEW] = { .detail = DETAIL_RESULT },
    [EVENT_GENERIC] = { .detail = DETAIL_DATA,
                        .task = TASK_OF }, /* a rewound completion keeps its task */
    [EVENT_HISTORY_STATE] = { .detail = DETAIL_ANY },
    [EVENT_SUSPENDED] = { .detail = DETAIL_REASON },
    [EVENT_RESUMED] = { .detail = DETAIL_REASON },
    [EVENT_REWOUND] = { .detail = DETAIL_REASON },
    [EVENT_UNKNOWN] = { .detail = DETAIL_ANY },
};

static void add_time_detail(struct buf *out, ticks t)
{
    if (t == TICKS_NONE)
        return;
    buf_add_ch(out, '"');
    ticks_print(out, t);
    buf_add_ch(out, '"');
}

static void add_failure(struct buf *out, const struct event *e)
{
    struct arena arena;

    arena_init(&arena);
    format_json_column(out, reason_of(e, &arena));
    arena_fini(&arena);
}

static struct str first_text(const struct event *e)
{
    const struct str all[] = { e->input.text, e->result.text,  e->reason.text,
                               e->data,       e->details.text, e->failure_details.text };

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].len > 0)
            return all[i];
    return STR_NONE;
}

static void add_detail(struct buf *out, const struct event *e)
{
    switch (looks[e->type].detail) {
    case DETAIL_INPUT:
        format_json_column(out, e->input.text);
        break;
    case DETAIL_RESULT:
        if (e->result.text.len > 0)
            format_json_column(out, e->result.text);
        else
            add_failure(out, e);
        break;
    case DETAIL_REASON:
        format_json_column(out, e->reason.text);
        break;
    case DETAIL_FAILURE:
        add_failure(out, e);
        break;
    case DETAIL_FIRE_AT:
        add_time_detail(out, e->fire_at);
        break;
    case DETAIL_CHILD:
        if (e->instance_id.len > 0)
            json_quote(out, e->instance_id);
        break;
    case DETAIL_DATA:
        /* Without data it is a rewound event, and its reason says which. */
        format_json_column(out, e->data.len > 0          ? e->data
                                : e->reason.text.len > 0 ? e->reason.text
                                                         : first_text(e));
        break;
    case DETAIL_ANY:
        format_json_column(out, first_text(e));
        break;
    }
}

struct str instance_event_name(const struct history *h, size_t i)
{
    ptrdiff_t decision = h->events[i].name.len > 0 ? -1 : history_decision(h, i);

    return decision >= 0 ? h->events[decision].name : h->events[i].name;
}

static int64_t task_of(const struct event *e)
{
    if (looks[e->type].task == TASK_NONE)
        return -1;
    return looks[e->type].task == TASK_OWN ? e->event_id : e->task_id;
}

static void add_event(struct buf *out, const struct history *h, size_t i)
{
    const struct event *e = &h->events[i];

    if (e->time != TICKS_NONE)
        ticks_print(out, e->time);
    buf_add_ch(out, '\t');
    format_escaped(out, e->type_name.len > 0 ? e->type_name : str_c(event_type_name(e->type)));
    buf_add_ch(out, '\t');
    format_escaped(out, instance_event_name(h, i));
    buf_add_ch(out, '\t');
    if (task_of(e) >= 0)
        buf_printf(out, "%lld", (long long)task_of(e));
    buf_add_ch(out, '\t');
    add_detail(out, e);
    buf_add_ch(out, '\n');
}

enum err instance_history_show(const struct view *v, struct buf *out)
{
    const struct history *h = v->details->history;

    for (size_t i = 0; h && i < h->count; i++)
        if (!looks[h->events[i].type].hidden)
            add_event(out, h, i);
    return OK;
}

/* -- history.jsonl, history.json: as stored -- */

enum err instance_history_jsonl_show(const struct view *v, struct buf *out)
{
    const struct history *h = v->details->history;

    for (size_t i = 0; h && i < h->count; i++) {
        format_json_line(out, h->events[i].json);
        buf_add_ch(out, '\n');
    }
    return OK;
}

enum err instance_history_json_show(const struct view *v, struct buf *out)
{
    const struct history *h = v->details->history;

    buf_add_ch(out, '[');
    for (size_t i = 0; h && i < h->count; i++) {
        buf_add_c(out, i ? ",\n" : "\n");
        format_json_line(out, h->events[i].json);
    }
    buf_add_c(out, "\n]\n");
    return OK;
}

/* -- parent, children -- */

static void add_name(struct buf *out, struct str id)
{
    char name[NAME_MAX_BYTES + 1];
    size_t len = name_from_id(name, id);

    buf_add(out, (struct str){ name, len });
    buf_add_ch(out, '\n');
}

enum err instance_parent_show(const struct view *v, struct buf *out)
{
    struct arena arena;
    struct str id;

    if (!v->details->history)
        return OK;
    arena_init(&arena);
    id = history_parent(v->details->history, &arena);
    if (id.len > 0)
        add_name(out, id);
    arena_fini(&arena);
    return OK;
}

enum err instance_children_show(const struct view *v, struct buf *out)
{
    const struct history *h = v->details->history;
    enum err err = OK;
    struct map seen;

    map_init(&seen);
    for (size_t i = 0; err == OK && h && i < h->count; i++) {
        const struct event *e = &h->events[i];

        if (e->type != EVENT_SUB_CREATED || e->instance_id.len == 0 ||
            map_get(&seen, e->instance_id))
            continue;
        add_name(out, e->instance_id);
        err = map_set(&seen, e->instance_id, h->events);
    }
    map_fini(&seen);
    return err;
}
