#include "backend/memory/record.h"

#include <stdlib.h>

#include "backend/base/digest.h"
#include "backend/base/jsonw.h"
#include "backend/base/limits.h"

struct record *record_new(struct str id, struct str name, ticks now)
{
    struct record *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    char guid[33];
    guid_new_plain(guid);
    record_set(&r->id, id);
    record_set(&r->name, name);
    record_set(&r->execution_id, str_c(guid));
    r->status = STATUS_PENDING;
    r->created = r->updated = now;
    r->completed = r->scheduled = r->due = TICKS_NONE;
    return r;
}

static void free_events(struct record *r)
{
    for (size_t i = 0; i < r->n_events; i++) {
        text_unref(r->events[i].name);
        text_unref(r->events[i].body);
        text_unref(r->events[i].extra);
    }
    r->n_events = 0;
}

void record_free(struct record *r)
{
    if (!r)
        return;
    free_events(r);
    free(r->events);
    struct text *const all[] = { r->id,    r->name,   r->version,       r->execution_id,
                                 r->input, r->output, r->custom_status, r->parent };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        text_unref(all[i]);
    free(r);
}

void record_set(struct text **member, struct str value)
{
    struct text *new = value.len ? text_new(value) : NULL;
    text_unref(*member);
    *member = new;
}

void record_forget_run(struct record *r)
{
    char guid[33];
    guid_new_plain(guid);
    free_events(r);
    record_set(&r->execution_id, str_c(guid));
    record_set(&r->output, STR_NONE);
    record_set(&r->custom_status, STR_NONE);
    r->completed = TICKS_NONE;
    r->next_decision = 0;
    r->begun = r->rewound = false;
}

static bool is_decision(enum event_type t)
{
    return t == EVENT_TASK_SCHEDULED || t == EVENT_SUB_CREATED || t == EVENT_TIMER_CREATED ||
           t == EVENT_EXECUTION_COMPLETED;
}

int64_t record_event(struct record *r, enum event_type type, ticks now, struct str name,
                     struct str body, struct str extra, int64_t task_id)
{
    if (r->n_events == r->cap_events) {
        size_t cap = r->cap_events ? r->cap_events * 2 : 8;
        struct past *events = realloc(r->events, cap * sizeof(*events));
        if (!events)
            return -1;
        r->events = events;
        r->cap_events = cap;
    }
    struct past *e = &r->events[r->n_events++];
    *e = (struct past){ .type = type,
                        .time = now,
                        .fire_at = TICKS_NONE,
                        .event_id = is_decision(type) ? r->next_decision++ : -1,
                        .task_id = task_id };
    record_set(&e->name, name);
    record_set(&e->body, body);
    record_set(&e->extra, extra);
    return e->event_id;
}

void record_episode(struct record *r, ticks now)
{
    record_event(r, EVENT_ORCHESTRATOR_STARTED, now, STR_NONE, STR_NONE, STR_NONE, -1);
}

void record_episode_end(struct record *r, ticks now)
{
    record_event(r, EVENT_ORCHESTRATOR_COMPLETED, now, STR_NONE, STR_NONE, STR_NONE, -1);
    r->updated = now;
}

void record_finish(struct record *r, enum status status, struct str output, ticks now)
{
    record_event(r, EVENT_EXECUTION_COMPLETED, now, STR_NONE, output, str_c(status_name(status)),
                 -1);
    record_set(&r->output, output);
    r->status = status;
    r->completed = now;
    r->rewound = r->restarted = false;
    r->due = TICKS_NONE;
}

void record_row(const struct record *r, struct row *ret)
{
    *ret = (struct row){ .id = text_str(r->id),
                         .key = text_str(r->id),
                         .name = text_str(r->name),
                         .version = text_str(r->version),
                         .status_text = str_c(status_name(r->status)),
                         .status = r->status,
                         .created = r->created,
                         .updated = r->updated,
                         .completed = r->completed,
                         .scheduled = r->scheduled,
                         .stamp = r->stamp };
}

static enum phase phase_of(const struct record *r, ticks now)
{
    if (r->status != STATUS_PENDING)
        return PHASE_NONE;
    if (r->rewound)
        return PHASE_REWOUND;
    if (r->restarted)
        return PHASE_RESTARTED;
    return r->scheduled != TICKS_NONE && r->scheduled > now ? PHASE_SCHEDULED : PHASE_WAITING;
}

static void put_cell(struct instance *in, struct cell *ret, const struct record *r,
                     const struct text *value, const char *what)
{
    if (!value)
        return;
    if (value->len <= RECORD_INLINE_BYTES) {
        *ret = (struct cell){ .kind = CELL_TEXT, .text = arena_str(&in->arena, text_str(value)) };
        return;
    }
    CLEANUP_BUF struct buf b = BUF_INIT(4096);
    buf_printf(&b, "%s:" STR_FMT, what, STR_ARG(text_str(r->id)));
    *ret = (struct cell){ .kind = CELL_REF, .ref = arena_str(&in->arena, buf_str(&b)) };
}

struct instance *record_instance(const struct record *r, ticks now)
{
    struct instance *in = instance_new();
    if (!in)
        return NULL;
    record_row(r, &in->row);
    struct str *const texts[] = { &in->row.id, &in->row.name, &in->row.version };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(&in->arena, *texts[i]);
    in->row.key = in->row.id;
    in->execution_id = arena_str(&in->arena, text_str(r->execution_id));
    in->task_hub = STR("Demo");
    in->generation = r->generation;
    in->phase = phase_of(r, now);
    in->needs = NEED_CELLS | NEED_PHASE;
    put_cell(in, &in->input, r, r->input, "input");
    put_cell(in, &in->output, r, r->output, "output");
    put_cell(in, &in->custom_status, r, r->custom_status, "custom");
    return in;
}

/* Where the body of an event goes, by type. */
enum body_member { BODY_INPUT, BODY_RESULT, BODY_REASON, BODY_DATA };

static enum body_member body_member(enum event_type t)
{
    static const enum body_member members[EVENT_TYPE_COUNT] = {
        [EVENT_EXECUTION_COMPLETED] = BODY_RESULT,
        [EVENT_TASK_COMPLETED] = BODY_RESULT,
        [EVENT_SUB_COMPLETED] = BODY_RESULT,
        [EVENT_TASK_FAILED] = BODY_REASON,
        [EVENT_SUB_FAILED] = BODY_REASON,
        [EVENT_SUSPENDED] = BODY_REASON,
        [EVENT_RESUMED] = BODY_REASON,
        [EVENT_GENERIC] = BODY_DATA,
    };
    return members[t];
}

static void write_str(struct jsonw *w, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    jsonw_name(w, name);
    jsonw_str(w, value);
}

static void write_time(struct jsonw *w, const char *name, ticks t)
{
    if (t == TICKS_NONE)
        return;
    CLEANUP_BUF struct buf b = BUF_INIT(64);
    ticks_print(&b, t);
    jsonw_name(w, name);
    jsonw_str(w, buf_str(&b));
}

/* The event as its row would be stored (storage tables 5.2, 5.3). */
static void write_json(struct buf *out, const struct record *r, const struct event *e)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    write_str(&w, "ExecutionId", text_str(r->execution_id));
    write_str(&w, "EventType", e->type_name);
    jsonw_name(&w, "EventId");
    jsonw_i64(&w, e->event_id);
    write_time(&w, "_Timestamp", e->time);
    write_str(&w, "Name", e->name);
    if (e->task_id >= 0) {
        jsonw_name(&w, e->type == EVENT_TIMER_FIRED ? "TimerId" : "TaskScheduledId");
        jsonw_i64(&w, e->task_id);
    }
    write_time(&w, "FireAt", e->fire_at);
    write_str(&w, "InstanceId", e->instance_id);
    write_str(&w, "ParentInstance", e->parent);
    write_str(&w, "OrchestrationStatus", e->orchestration_status);
    write_str(&w, "Input", e->input.text);
    write_str(&w, "Result", e->result.text);
    write_str(&w, "Reason", e->reason.text);
    write_str(&w, "FailureDetails", e->failure_details.text);
    write_str(&w, "Data", e->data);
    jsonw_object_end(&w);
}

static struct str parent_json(const struct record *r, struct arena *arena)
{
    if (!r->parent)
        return STR_NONE;
    CLEANUP_BUF struct buf b = BUF_INIT(8192);
    struct jsonw w;
    jsonw_init(&w, &b);
    jsonw_object(&w);
    write_str(&w, "Name", text_str(r->name));
    jsonw_name(&w, "OrchestrationInstance");
    jsonw_object(&w);
    write_str(&w, "InstanceId", text_str(r->parent));
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    return arena_str(arena, buf_str(&b));
}

static void put_extra(struct event *e, const struct record *r, struct arena *arena,
                      struct str extra)
{
    if (e->type == EVENT_EXECUTION_COMPLETED)
        e->orchestration_status = extra;
    else if (e->type == EVENT_SUB_CREATED)
        e->instance_id = extra;
    else if (e->type == EVENT_TASK_FAILED && extra.len)
        e->failure_details = (struct cell){ .kind = CELL_TEXT, .text = extra };
    else if (e->type == EVENT_EXECUTION_STARTED)
        e->parent = parent_json(r, arena);
}

static void put_body(struct event *e, struct str body)
{
    enum body_member m = body_member(e->type);
    if (m == BODY_DATA)
        e->data = body;
    else if (body.len)
        *(m == BODY_INPUT    ? &e->input
          : m == BODY_RESULT ? &e->result
                             : &e->reason) = (struct cell){ .kind = CELL_TEXT, .text = body };
}

static bool add_event(struct history *h, const struct record *r, const struct past *p)
{
    struct event *e = history_add(h);
    if (!e)
        return false;
    e->type = p->type;
    e->type_name = str_c(event_type_name(p->type));
    e->event_id = p->event_id;
    e->task_id = p->task_id;
    e->time = p->time;
    e->fire_at = p->fire_at;
    e->name = arena_str(&h->arena, text_str(p->name));
    put_body(e, arena_str(&h->arena, text_str(p->body)));
    put_extra(e, r, &h->arena, arena_str(&h->arena, text_str(p->extra)));
    CLEANUP_BUF struct buf b = BUF_INIT(PAYLOAD_MAX_BYTES);
    write_json(&b, r, e);
    e->json = arena_str(&h->arena, buf_str(&b));
    return true;
}

struct history *record_history(const struct record *r, bool resolve)
{
    struct history *h = history_new();
    if (!h)
        return NULL;
    h->complete = true;
    h->resolved = resolve;
    h->execution_id = arena_str(&h->arena, text_str(r->execution_id));
    for (size_t i = 0; i < r->n_events; i++)
        if (!add_event(h, r, &r->events[i]))
            return history_unref(h);
    return h;
}
