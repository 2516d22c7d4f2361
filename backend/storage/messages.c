#include "backend/storage/messages.h"

#include "backend/base/jsonread.h"
#include "backend/base/jsonw.h"
#include "backend/base/limits.h"

#define TYPE_ENVELOPE "DurableTask.AzureStorage.MessageData"
#define TYPE_MESSAGE  "DurableTask.Core.TaskMessage"
#define TYPE_INSTANCE "DurableTask.Core.OrchestrationInstance"
#define TYPE_HISTORY  "DurableTask.Core.History."
#define NO_GUID       "00000000-0000-0000-0000-000000000000"

/* A moment of the framework that was never set; it prints without a zone (storage messages 3.2). */
#define NO_TIME "0001-01-01T00:00:00"

struct event_def {
    const char *name;  /* without Event */
    const char *class; /* of History */
    int number;        /* EventType */
};

static const struct event_def event_defs[] = {
    [MESSAGE_START] = { "ExecutionStarted", TYPE_HISTORY "ExecutionStartedEvent", 0 },
    [MESSAGE_EVENT] = { "EventRaised", TYPE_HISTORY "EventRaisedEvent", 15 },
    [MESSAGE_TERMINATE] = { "ExecutionTerminated", TYPE_HISTORY "ExecutionTerminatedEvent", 3 },
    [MESSAGE_SUSPEND] = { "ExecutionSuspended", TYPE_HISTORY "ExecutionSuspendedEvent", 19 },
    [MESSAGE_RESUME] = { "ExecutionResumed", TYPE_HISTORY "ExecutionResumedEvent", 20 },
    [MESSAGE_GENERIC] = { "GenericEvent", TYPE_HISTORY "GenericEvent", 17 },
};

const char *message_event_name(enum message_kind kind)
{
    return event_defs[kind].name;
}

static void put_str(struct jsonw *w, const char *name, struct str s)
{
    jsonw_name(w, name);
    jsonw_str(w, s);
}

static void put_i64(struct jsonw *w, const char *name, int64_t v)
{
    jsonw_name(w, name);
    jsonw_i64(w, v);
}

static void put_null(struct jsonw *w, const char *name)
{
    jsonw_name(w, name);
    jsonw_null(w);
}

static void put_text(struct jsonw *w, const char *name, const struct message *m)
{
    if (m->has_text)
        put_str(w, name, m->text);
    else
        put_null(w, name);
}

static void put_time(struct jsonw *w, const char *name, ticks t)
{
    CLEANUP_BUF struct buf text = BUF_INIT(64);

    ticks_print_short(&text, t);
    put_str(w, name, buf_str(&text));
}

static void put_instance(struct jsonw *w, const struct message *m)
{
    jsonw_name(w, "OrchestrationInstance");
    jsonw_object(w);
    put_str(w, "$type", STR(TYPE_INSTANCE));
    put_str(w, "InstanceId", m->instance_id);
    /* Only a start names its execution: everything else is for whichever runs (3.4). */
    if (m->kind == MESSAGE_START)
        put_str(w, "ExecutionId", m->execution_id);
    else
        put_null(w, "ExecutionId");
    jsonw_object_end(w);
}

static void put_start(struct jsonw *w, const struct message *m)
{
    put_null(w, "ParentInstance");
    put_str(w, "Name", m->name);
    put_str(w, "Version", m->version);
    put_text(w, "Input", m);
    put_null(w, "Tags");
    put_null(w, "Correlation");
    put_null(w, "ParentTraceContext");
    if (m->scheduled == TICKS_NONE)
        put_null(w, "ScheduledStartTime");
    else
        put_time(w, "ScheduledStartTime", m->scheduled);
    if (m->generation < 0)
        put_null(w, "Generation");
    else
        put_i64(w, "Generation", m->generation);
}

static void put_event(struct jsonw *w, const struct message *m)
{
    const struct event_def *def = &event_defs[m->kind];

    jsonw_object(w);
    put_str(w, "$type", str_c(def->class)); /* must be the first member (3.4) */
    if (m->kind == MESSAGE_START)
        put_instance(w, m);
    if (m->kind == MESSAGE_GENERIC)
        put_text(w, "Data", m);
    put_i64(w, "EventType", def->number);
    switch (m->kind) {
    case MESSAGE_START:
        put_start(w, m);
        break;
    case MESSAGE_EVENT:
        put_str(w, "Name", m->name);
        put_text(w, "Input", m);
        put_null(w, "ParentTraceContext");
        break;
    case MESSAGE_TERMINATE:
        put_text(w, "Input", m);
        break;
    case MESSAGE_SUSPEND:
    case MESSAGE_RESUME:
        put_text(w, "Reason", m);
        break;
    case MESSAGE_GENERIC:
        break;
    }
    put_i64(w, "EventId", -1);
    jsonw_name(w, "IsPlayed");
    jsonw_bool(w, false);
    put_time(w, "Timestamp", m->time);
    jsonw_object_end(w);
}

static void put_task_message(struct jsonw *w, const struct message *m)
{
    jsonw_object(w);
    put_str(w, "$type", STR(TYPE_MESSAGE));
    jsonw_name(w, "Event");
    put_event(w, m);
    put_i64(w, "SequenceNumber", 0);
    put_instance(w, m);
    put_null(w, "OrchestrationExecutionContext");
    jsonw_object_end(w);
}

void message_json(struct buf *b, const struct message *m)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_object(&w);
    put_str(&w, "$type", STR(TYPE_ENVELOPE));
    put_str(&w, "ActivityId", str_c(m->activity_id));
    jsonw_name(&w, "TaskMessage");
    put_task_message(&w, m);
    put_null(&w, "CompressedBlobName");
    put_i64(&w, "SequenceNumber", m->sequence);
    /* Without it a worker throws on an EventRaised, and the instance hangs there (3.4). */
    jsonw_name(&w, "Sender");
    jsonw_object(&w);
    put_str(&w, "InstanceId", STR(""));
    put_str(&w, "ExecutionId", STR(""));
    jsonw_object_end(&w);
    put_null(&w, "SerializableTraceContext");
    jsonw_object_end(&w);
}

void message_wrapper_json(struct buf *b, struct str blob_name)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_object(&w);
    put_str(&w, "$type", STR(TYPE_ENVELOPE));
    put_str(&w, "ActivityId", STR(NO_GUID));
    put_null(&w, "TaskMessage");
    put_str(&w, "CompressedBlobName", blob_name);
    put_i64(&w, "SequenceNumber", 0);
    put_null(&w, "Sender");
    put_null(&w, "SerializableTraceContext");
    jsonw_object_end(&w);
}

bool message_is_large(struct str json)
{
    return json.len > MESSAGE_INLINE_MAX;
}

void message_blob_name(struct buf *b, const struct message *m)
{
    buf_add(b, m->instance_id);
    buf_add_c(b, "/message-");
    for (const char *c = m->activity_id; *c; c++)
        if (*c != '-')
            buf_add_ch(b, *c);
    buf_printf(b, "-%s.json.gz", message_event_name(m->kind));
}

void message_queue_body(struct buf *b, struct str json)
{
    buf_add_c(b, "<QueueMessage><MessageText>");
    base64_encode(b, json);
    buf_add_c(b, "</MessageText></QueueMessage>");
}

bool message_delay_s(ticks now, ticks due, int64_t *ret)
{
    int64_t s = due > now ? (due - now) / TICKS_PER_SEC : 0;

    if (s > MESSAGE_DELAY_MAX_S)
        return false;
    *ret = s;
    return true;
}

void signal_json(struct buf *b, const struct signal *s)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_object(&w);
    put_str(&w, "op", s->operation);
    jsonw_name(&w, "signal");
    jsonw_bool(&w, true);
    if (s->has_input)
        put_str(&w, "input", s->input);
    put_str(&w, "id", str_c(s->id));
    if (s->due != TICKS_NONE)
        put_time(&w, "due", s->due);
    put_str(&w, "Timestamp", STR(NO_TIME));
    put_str(&w, "Predecessor", STR(NO_TIME));
    jsonw_object_end(&w);
}

ticks signal_delivery(ticks now, ticks due)
{
    return due - now > 6 * TICKS_PER_DAY ? now + 3 * TICKS_PER_DAY : due;
}

void signal_event_name(struct buf *b, ticks delivery)
{
    buf_add_c(b, "op");
    if (delivery == TICKS_NONE)
        return;
    buf_add_ch(b, '@');
    ticks_print(b, delivery);
}

int64_t message_clock_sequence(struct message_clock *c, ticks now)
{
    int64_t last = atomic_load(&c->sequence);
    int64_t mine;

    do {
        mine = (last ? last : now / TICKS_PER_SEC * 1000000) + 1;
    } while (!atomic_compare_exchange_weak(&c->sequence, &last, mine));
    return mine;
}

ticks message_clock_time(struct message_clock *c, ticks now)
{
    int64_t last = atomic_load(&c->time);
    int64_t mine;

    do {
        mine = now > last ? now : last + 1;
    } while (!atomic_compare_exchange_weak(&c->time, &last, mine));
    return mine;
}

/* -- reading -- */

static void read_instance(struct jsonread *r, struct message_seen *ret)
{
    struct str name;

    if (!jsonread_object(r)) {
        jsonread_skip(r);
        return;
    }
    while (jsonread_member(r, &name)) {
        if (str_eq_nocase(name, STR("InstanceId")))
            (void)jsonread_string(r, &ret->instance_id);
        else
            jsonread_skip(r);
    }
}

/* DurableTask.Core.History.EventRaisedEvent, DurableTask.Core -> EventRaised */
static struct str short_type(struct str type)
{
    struct str rest = type;
    struct str class = str_cut(&rest, ',');

    if (!str_starts(class, STR(TYPE_HISTORY)))
        return STR_NONE;
    class = str_slice(class, strlen(TYPE_HISTORY), class.len);
    if (str_eq(class, STR("GenericEvent")))
        return class;
    return str_ends(class, STR("Event")) ? str_slice(class, 0, class.len - 5) : class;
}

static void read_event(struct jsonread *r, struct message_seen *ret)
{
    struct str name, type;

    if (!jsonread_object(r)) {
        jsonread_skip(r);
        return;
    }
    while (jsonread_member(r, &name)) {
        if (!str_eq(name, STR("$type")))
            jsonread_skip(r);
        else if (jsonread_string(r, &type))
            ret->event_type = short_type(type);
    }
}

static void read_task_message(struct jsonread *r, struct message_seen *ret)
{
    struct str name;

    if (!jsonread_object(r)) {
        jsonread_skip(r);
        return;
    }
    while (jsonread_member(r, &name)) {
        if (str_eq_nocase(name, STR("Event")))
            read_event(r, ret);
        else if (str_eq_nocase(name, STR("OrchestrationInstance")))
            read_instance(r, ret);
        else
            jsonread_skip(r);
    }
}

/* The id may hold slashes itself, so the last part counts. */
static struct str folder_of(struct str blob_name)
{
    size_t n = blob_name.len;

    while (n > 0 && blob_name.p[n - 1] != '/')
        n--;
    return str_slice(blob_name, 0, n > 0 ? n - 1 : 0);
}

static bool read_envelope(struct str json, struct arena *arena, struct message_seen *ret)
{
    struct jsonread r;
    struct str name;

    jsonread_init(&r, json, arena);
    if (!jsonread_object(&r))
        return false;
    while (jsonread_member(&r, &name)) {
        if (str_eq_nocase(name, STR("TaskMessage")))
            read_task_message(&r, ret);
        else if (str_eq_nocase(name, STR("CompressedBlobName")))
            (void)jsonread_string(&r, &ret->blob_name);
        else
            jsonread_skip(&r);
    }
    if (!jsonread_ok(&r)) /* text behind the value is ignored by the framework too (3.4) */
        return false;
    if (!ret->instance_id.len && ret->blob_name.len)
        ret->instance_id = folder_of(ret->blob_name);
    return true;
}

/* {NULL, 0}: not base64. */
static struct str decode_base64(struct str text, struct arena *arena)
{
    CLEANUP_BUF struct buf plain = BUF_INIT(text.len + 4);

    if (base64_decode(&plain, text) != OK || buf_err(&plain) != OK)
        return STR_NONE;
    return arena_str(arena, buf_str(&plain));
}

void message_read(struct str text, struct arena *arena, struct message_seen *ret)
{
    struct message_seen seen = { 0 };
    struct str trimmed = str_trim(text);

    if (!str_starts(trimmed, STR("{")))
        trimmed = str_trim(decode_base64(trimmed, arena));
    seen.json = trimmed;
    if (!str_starts(trimmed, STR("{")) || !read_envelope(trimmed, arena, &seen))
        seen = (struct message_seen){ .opaque = true };
    *ret = seen;
}
