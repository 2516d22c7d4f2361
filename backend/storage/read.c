#include "backend/base/limits.h"
#include "backend/storage/events.h"
#include "backend/storage/keys.h"
#include "backend/storage/payload.h"
#include "backend/storage/rows.h"
#include "backend/storage/tables.h"

/* One instance: its row, what a Pending one waits for, its history, its payloads. */

#define ROW_TRIES 3 /* a row that cannot be read is asked for so often (B29) */

static struct cell_place place_of(const struct storage *s)
{
    return (struct cell_place){ .account = str_c(s->account.name),
                                .hub_lower = str_c(s->hub_lower) };
}

static enum err no_memory(struct call *call)
{
    return call_fail(call, ERR_NO_MEMORY, "no memory for an instance");
}

/* -- the row -- */

static enum err row_get_once(struct storage *s, struct call *call, struct str key, unsigned needs,
                             struct instance **ret)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct cell_place place = place_of(s);
    struct str etag = STR_NONE;
    enum err err;

    err = tables_get(s, call, str_c(s->instances), key, STR_NONE, needs ? NULL : ROWS_SELECT_ONE,
                     &response);
    if (err != OK)
        return err;
    (void)response_header(&response, "etag", &etag);
    return rows_instance(buf_str(&response.body), &place, etag, needs ? NEED_CELLS : NEED_ROW, ret);
}

static enum err row_get(struct storage *s, struct call *call, struct str key, unsigned needs,
                        struct instance **ret)
{
    enum err err = ERR_BROKEN;

    for (int i = 0; i < ROW_TRIES && err == ERR_BROKEN; i++) {
        call->http_status = 0;
        err = row_get_once(s, call, key, needs, ret);
        if (err == ERR_BROKEN && call->http_status)
            return err; /* refused, not unreadable */
    }
    if (err == ERR_BROKEN)
        return call_fail(call, err, "table %s: a row is not what the service calls JSON",
                         s->instances);
    return err == ERR_NO_MEMORY ? no_memory(call) : err;
}

/* A key longer than the service stores is none that it has. */
static bool is_key_refused(const struct call *call, enum err err)
{
    struct str code = str_c(call->code);

    return err == ERR_BROKEN && call->http_status == 400 &&
           (str_eq(code, STR("KeyValueTooLarge")) || str_eq(code, STR("PropertyValueTooLarge")) ||
            str_eq(code, STR("OutOfRangeInput")));
}

/* -- what a Pending instance waits for (storage tables 5.6) -- */

/* ExecutionId of the sentinel; *ret_there false: the instance has no history at all. */
static enum err sentinel_get(struct storage *s, struct call *call, struct str key, struct buf *ret,
                             bool *ret_there)
{
    static const struct str names[] = { { "ExecutionId", 11 } };
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct column execution;
    struct arena arena;
    struct jsonread r;
    enum err err =
        tables_get(s, call, str_c(s->history), key, STR("sentinel"), "ExecutionId", &response);

    *ret_there = err == OK;
    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        return OK;
    }
    if (err != OK)
        return err;
    arena_init(&arena);
    jsonread_init(&r, buf_str(&response.body), &arena);
    if (columns_read(&r, names, &execution, 1))
        buf_add(ret, column_str(&execution));
    else
        err = call_fail(call, ERR_BROKEN, "table %s: a sentinel is not what the service calls JSON",
                        s->history);
    arena_fini(&arena);
    return err == OK ? buf_err(ret) : err;
}

/* Has the execution an ExecutionCompleted that no rewind took back (vectors 72, 127)? */
static enum err history_has_ended(struct storage *s, struct call *call, struct str key,
                                  struct str execution, bool *ret)
{
    CLEANUP_BUF struct buf filter = BUF_INIT(4 * KEY_MAX_BYTES);
    struct table_query query = { .table = str_c(s->history), .select = "RowKey" };
    struct pages p;
    enum err err;

    buf_add_c(&filter, "PartitionKey eq ");
    key_literal(&filter, key);
    buf_add_c(&filter, " and ExecutionId eq ");
    key_literal(&filter, execution);
    buf_add_c(&filter, " and EventType eq 'ExecutionCompleted'");
    if (buf_err(&filter) != OK)
        return call_fail(call, buf_err(&filter), "an instance id is too long to be asked for");
    query.filter = buf_str(&filter);
    *ret = false;
    pages_init(&p, s, &query);
    while (!*ret && (err = pages_next(&p, call)) == OK && pages_more(&p))
        *ret = !pages_is_empty(&p);
    pages_fini(&p);
    return *ret ? OK : err;
}

static enum err phase_read(struct storage *s, struct call *call, struct instance *in)
{
    CLEANUP_BUF struct buf execution = BUF_INIT(KEY_MAX_BYTES);
    bool there, ended = false;
    enum err err;

    in->needs |= NEED_PHASE;
    if (in->row.status != STATUS_PENDING)
        return OK;
    if (in->row.scheduled != TICKS_NONE && in->row.scheduled > clock_wall()) {
        in->phase = PHASE_SCHEDULED;
        return OK;
    }
    if ((err = sentinel_get(s, call, in->row.key, &execution, &there)) != OK)
        return err;
    if (!there) {
        in->phase = PHASE_WAITING;
    } else if (!str_eq(in->execution_id, buf_str(&execution))) {
        in->phase = PHASE_RESTARTED;
    } else {
        if ((err = history_has_ended(s, call, in->row.key, in->execution_id, &ended)) != OK)
            return err;
        in->phase = ended ? PHASE_ENDED : PHASE_REWOUND;
    }
    return OK;
}

enum err storage_get(struct hub *hub, struct call *call, struct str id, struct str key,
                     unsigned needs, struct instance **ret)
{
    struct storage *s = storage_of(hub);
    CLEANUP_BUF struct buf made = BUF_INIT(KEY_MAX_BYTES);
    CLEANUP(instance_unref) struct instance *in = NULL;
    enum err err;

    if (!key.len) {
        key_escape(&made, id);
        if (buf_err(&made) == ERR_NO_MEMORY)
            return call_fail(call, ERR_NO_MEMORY, "no memory for a table key");
        if (buf_err(&made) != OK)
            return call_fail(call, ERR_NOT_FOUND, "no table key is as long as this instance id");
        key = buf_str(&made);
    }
    if ((err = row_get(s, call, key, needs, &in)) != OK)
        return is_key_refused(call, err) ? ERR_NOT_FOUND : err;
    if ((needs & NEED_PHASE) && (err = phase_read(s, call, in)) != OK)
        return err;
    *ret = in;
    in = NULL;
    return OK;
}

/* -- the history -- */

static enum err history_rows(struct storage *s, struct call *call, struct str key,
                             struct events *events)
{
    CLEANUP_BUF struct buf filter = BUF_INIT(4 * KEY_MAX_BYTES);
    struct table_query query = { .table = str_c(s->history) };
    struct pages p;
    enum err err;

    buf_add_c(&filter, "PartitionKey eq ");
    key_literal(&filter, key);
    if (buf_err(&filter) != OK)
        return call_fail(call, buf_err(&filter), "an instance id is too long to be asked for");
    query.filter = buf_str(&filter);
    pages_init(&p, s, &query);
    while ((err = pages_next(&p, call)) == OK && pages_more(&p)) {
        err = events_page(events, pages_body(&p));
        if (err == ERR_BROKEN)
            err = pages_damaged(&p, call);
        else if (err == ERR_TOO_BIG)
            err = call_fail(call, err, "a history has more than %u events", EVENTS_MAX);
        else if (err != OK)
            err = no_memory(call);
        if (err != OK)
            break;
    }
    pages_fini(&p);
    return err;
}

/* One cell whose payload lies elsewhere. A payload that is gone leaves the cell as it is. */
static enum err cell_resolve(struct storage *s, struct call *call, struct history *h,
                             struct event *ev, unsigned i)
{
    CLEANUP(text_unref) struct text *text = NULL;
    struct str column;
    struct cell *cell = event_cell(ev, i, &column);
    struct str payload;
    enum err err;

    if (cell->kind != CELL_REF)
        return OK;
    err = payload_get(s, call, cell->ref, &text);
    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        return OK;
    }
    if (err != OK)
        return err;
    payload = arena_str(&h->arena, text_str(text));
    if (!payload.p || events_resolved(h, ev, column, payload) != OK)
        return no_memory(call);
    *cell = (struct cell){ .kind = CELL_TEXT, .text = payload };
    return OK;
}

static enum err history_resolve(struct storage *s, struct call *call, struct history *h)
{
    enum err err = OK;

    for (size_t i = 0; i < h->count && err == OK; i++)
        for (unsigned c = 0; c < EVENT_CELLS && err == OK; c++)
            err = cell_resolve(s, call, h, &h->events[i], c);
    h->resolved = err == OK;
    return err;
}

enum err storage_history(struct hub *hub, struct call *call, const struct instance *in,
                         bool resolve, struct history **ret)
{
    struct storage *s = storage_of(hub);
    CLEANUP(history_unref) struct history *h = NULL;
    struct events events;
    enum err err;

    if (events_init(&events) != OK)
        return no_memory(call);
    err = history_rows(s, call, in->row.key, &events);
    if (err == OK)
        events_settle(&events, in);
    if (err == OK && (err = events_finish(&events, &h)) != OK)
        err = no_memory(call);
    events_fini(&events);
    if (err == OK && resolve)
        err = history_resolve(s, call, h);
    if (err != OK)
        return err;
    *ret = h;
    h = NULL;
    return OK;
}

enum err storage_payload(struct hub *hub, struct call *call, struct str ref, struct text **ret)
{
    return payload_get(storage_of(hub), call, ref, ret);
}
