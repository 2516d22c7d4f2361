#include "backend/storage/events.h"

#include <stdlib.h>

#include "backend/base/jsonw.h"
#include "backend/base/limits.h"

#define NAME(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

enum name {
    EV_TYPE,
    EV_ID,
    EV_TIME,
    EV_EXECUTION,
    EV_TASK,
    EV_TIMER,
    EV_FIRE_AT,
    EV_NAME,
    EV_VERSION,
    EV_INSTANCE,
    EV_PARENT,
    EV_STATUS,
    EV_DATA,
    EV_CELLS, /* pairs of a cell and its companion */
    EV_COUNT = EV_CELLS + 2 * EVENT_CELLS
};

static const struct str names[EV_COUNT] = {
    [EV_TYPE] = NAME("EventType"),
    [EV_ID] = NAME("EventId"),
    [EV_TIME] = NAME("_Timestamp"),
    [EV_EXECUTION] = NAME("ExecutionId"),
    [EV_TASK] = NAME("TaskScheduledId"),
    [EV_TIMER] = NAME("TimerId"),
    [EV_FIRE_AT] = NAME("FireAt"),
    [EV_NAME] = NAME("Name"),
    [EV_VERSION] = NAME("Version"),
    [EV_INSTANCE] = NAME("InstanceId"),
    [EV_PARENT] = NAME("ParentInstance"),
    [EV_STATUS] = NAME("OrchestrationStatus"),
    [EV_DATA] = NAME("Data"),
    [EV_CELLS + 0] = NAME("Input"),
    [EV_CELLS + 1] = NAME("InputBlobName"),
    [EV_CELLS + 2] = NAME("Result"),
    [EV_CELLS + 3] = NAME("ResultBlobName"),
    [EV_CELLS + 4] = NAME("Reason"),
    [EV_CELLS + 5] = NAME("ReasonBlobName"),
    [EV_CELLS + 6] = NAME("Details"),
    [EV_CELLS + 7] = NAME("DetailsBlobName"),
    [EV_CELLS + 8] = NAME("FailureDetails"),
    [EV_CELLS + 9] = NAME("FailureDetailsBlobName"),
    [EV_CELLS + 10] = NAME("Tags"),
    [EV_CELLS + 11] = NAME("TagsBlobName"),
};

struct cell *event_cell(struct event *ev, unsigned i, struct str *ret_column)
{
    struct cell *const cells[EVENT_CELLS] = { &ev->input,   &ev->result,          &ev->reason,
                                              &ev->details, &ev->failure_details, &ev->tags };

    *ret_column = names[EV_CELLS + 2 * i];
    return cells[i];
}

enum err events_init(struct events *e)
{
    *e = (struct events){ .history = history_new(), .checkpoint_complete = true };
    return e->history ? OK : ERR_NO_MEMORY;
}

void events_fini(struct events *e)
{
    e->history = history_unref(e->history);
    free(e->rows);
    *e = (struct events){ 0 };
}

/* -- gathering -- */

static enum err rows_grow(struct events *e)
{
    size_t cap = e->cap ? e->cap * 2 : 64;
    struct event_row *rows;

    if (e->count < e->cap)
        return OK;
    if (e->count >= EVENTS_MAX)
        return ERR_TOO_BIG;
    rows = reallocarray(e->rows, cap, sizeof(*rows));
    if (!rows)
        return ERR_NO_MEMORY;
    e->rows = rows;
    e->cap = cap;
    return OK;
}

static bool is_key_column(struct str name)
{
    return str_eq(name, STR("PartitionKey")) || str_eq(name, STR("RowKey")) ||
           str_eq(name, STR("Timestamp"));
}

static void add_member(struct buf *b, struct str name, struct str json)
{
    buf_add_ch(b, b->len > 1 ? ',' : '{');
    json_quote(b, name);
    buf_add_ch(b, ':');
    buf_add(b, json);
}

static void end_object(struct buf *b)
{
    buf_add_c(b, b->len ? "}" : "{}");
}

/* One row of a page: what the order and the rule need, and its other columns with their exact
 * bytes. */
struct scan {
    struct str partition_key, row_key, execution_id;
    bool complete; /* IsCheckpointComplete */
    struct buf json;
};

static void scan_member(struct scan *s, struct jsonread *r, struct str name)
{
    if (str_eq(name, STR("RowKey"))) {
        (void)jsonread_string(r, &s->row_key);
        return;
    }
    if (str_eq(name, STR("PartitionKey"))) {
        (void)jsonread_string(r, &s->partition_key);
        return;
    }
    if (is_key_column(name)) {
        jsonread_skip(r);
        return;
    }
    struct jsonread again = *r;
    add_member(&s->json, name, jsonread_raw(r));
    if (str_eq(name, STR("ExecutionId")))
        (void)jsonread_string(&again, &s->execution_id);
    else if (str_eq(name, STR("IsCheckpointComplete")))
        (void)jsonread_bool(&again, &s->complete);
}

static enum err scan_row(struct scan *s, struct jsonread *r)
{
    struct str name;

    buf_clear(&s->json);
    s->partition_key = s->row_key = s->execution_id = STR_NONE;
    s->complete = true;
    if (!jsonread_object(r))
        return columns_broken(r);
    while (jsonread_member(r, &name))
        scan_member(s, r, name);
    end_object(&s->json);
    return jsonread_ok(r) ? buf_err(&s->json) : columns_broken(r);
}

static enum err row_keep(struct events *e, const struct scan *s)
{
    struct arena *arena = &e->history->arena;
    struct event_row row = { .row_key = arena_str(arena, s->row_key),
                             .execution_id = arena_str(arena, s->execution_id) };
    enum err err;

    if (!row.row_key.p || !row.execution_id.p)
        return ERR_NO_MEMORY;
    if (str_eq(row.row_key, STR("sentinel"))) {
        e->sentinel = row;
        e->checkpoint_complete = s->complete;
        return OK;
    }
    row.json = arena_str(arena, buf_str(&s->json));
    if (!row.json.p)
        return ERR_NO_MEMORY;
    if ((err = rows_grow(e)) != OK)
        return err;
    if (e->count && str_cmp(e->rows[e->count - 1].row_key, row.row_key) >= 0)
        e->unsorted = true;
    e->rows[e->count++] = row;
    return OK;
}

static enum err page_scan(struct jsonread *r, struct scan *s, events_owner owner, void *ctx)
{
    struct events *e;
    enum err err;

    if (!columns_page(r))
        return columns_broken(r);
    while (jsonread_element(r)) {
        if ((err = scan_row(s, r)) != OK || (err = owner(ctx, s->partition_key, &e)) != OK)
            return err;
        if (e && (err = row_keep(e, s)) != OK)
            return err;
    }
    return columns_page_end(r) ? OK : columns_broken(r);
}

enum err events_share(struct str page, events_owner owner, void *ctx)
{
    struct scan scan = { .json = BUF_INIT(PAGE_MAX_BYTES) };
    struct arena arena;
    struct jsonread r;
    enum err err;

    arena_init(&arena);
    jsonread_init(&r, page, &arena);
    err = page_scan(&r, &scan, owner, ctx);
    buf_fini(&scan.json);
    arena_fini(&arena);
    return err;
}

static enum err only_one(void *ctx, struct str partition_key, struct events **ret)
{
    *ret = ctx;
    return OK;
}

enum err events_page(struct events *e, struct str page)
{
    size_t before = e->count;
    enum err err = events_share(page, only_one, e);

    if (err != OK)
        e->count = before;
    return err;
}

bool events_is_page(struct str page)
{
    struct jsonread r;

    jsonread_init(&r, page, NULL);
    if (!columns_page(&r))
        return false;
    while (jsonread_element(&r))
        jsonread_skip(&r);
    return columns_page_end(&r);
}

/* -- from rows to events -- */

static int compare_rows(const void *x, const void *y)
{
    const struct event_row *a = x, *b = y;

    return str_cmp(a->row_key, b->row_key);
}

/* Rows that came twice are one; rows that came out of order are put in order (B45). */
static void rows_sort(struct events *e)
{
    size_t n = 0;

    if (!e->unsorted)
        return;
    qsort(e->rows, e->count, sizeof(*e->rows), compare_rows);
    for (size_t i = 0; i < e->count; i++)
        if (!n || !str_eq(e->rows[n - 1].row_key, e->rows[i].row_key))
            e->rows[n++] = e->rows[i];
    e->count = n;
    e->unsorted = false;
}

struct str events_execution(const struct events *e)
{
    if (e->sentinel.row_key.len)
        return e->sentinel.execution_id;
    return e->count ? e->rows[0].execution_id : STR_NONE;
}

void events_settle(struct events *e, const struct instance *in)
{
    if (in->row.status != STATUS_PENDING || str_eq(in->execution_id, events_execution(e)))
        return;
    e->count = 0;
    e->sentinel = (struct event_row){ 0 };
    e->checkpoint_complete = true;
}

static void event_fill(struct event *ev, const struct column *c)
{
    ev->type_name = column_str(&c[EV_TYPE]);
    ev->type = event_type_parse(ev->type_name);
    ev->event_id = column_i64(&c[EV_ID], -1);
    ev->task_id = column_i64(&c[EV_TASK], column_i64(&c[EV_TIMER], -1));
    ev->time = column_time(&c[EV_TIME]);
    ev->fire_at = column_time(&c[EV_FIRE_AT]);
    ev->name = column_str(&c[EV_NAME]);
    ev->version = column_str(&c[EV_VERSION]);
    ev->instance_id = column_str(&c[EV_INSTANCE]);
    ev->parent = column_str_not_null(&c[EV_PARENT]);
    ev->orchestration_status = column_str(&c[EV_STATUS]);
    ev->data = column_str(&c[EV_DATA]);
    for (unsigned i = 0; i < EVENT_CELLS; i++) {
        struct str column;
        struct cell *cell = event_cell(ev, i, &column);

        cell_of_history(cell, &c[EV_CELLS + 2 * i], &c[EV_CELLS + 2 * i + 1]);
        /* Json columns say null by a text (storage tables 5.4); payloads keep it as their JSON. */
        if ((cell == &ev->failure_details || cell == &ev->tags) && cell->kind == CELL_TEXT &&
            str_eq(cell->text, STR("null")))
            *cell = (struct cell){ .kind = CELL_NONE };
    }
}

static enum err event_add(struct history *h, const struct event_row *row)
{
    struct event *ev = history_add(h);
    struct column columns[EV_COUNT];
    struct jsonread r;

    if (!ev)
        return ERR_NO_MEMORY;
    jsonread_init(&r, row->json, &h->arena);
    if (!columns_read(&r, names, columns, EV_COUNT))
        return r.no_memory ? ERR_NO_MEMORY : ERR_BUG; /* it was read before */
    event_fill(ev, columns);
    ev->json = row->json;
    return OK;
}

enum err events_finish(struct events *e, struct history **ret)
{
    struct history *h = e->history;
    enum err err;

    rows_sort(e);
    h->execution_id = events_execution(e);
    h->complete = e->checkpoint_complete;
    for (size_t i = 0; i < e->count && str_eq(e->rows[i].execution_id, h->execution_id); i++)
        if ((err = event_add(h, &e->rows[i])) != OK)
            return err;
    e->history = NULL;
    *ret = h;
    return OK;
}

/* -- payloads put in place -- */

static bool is_companion(struct str name, struct str column)
{
    struct str tail = STR("BlobName");

    return name.len == column.len + tail.len && str_starts(name, column) && str_ends(name, tail);
}

enum err events_resolved(struct history *h, struct event *ev, struct str column, struct str payload)
{
    /* Both are bounded by the limit that the payload has already passed. */
    struct buf out = BUF_INIT(SIZE_MAX / 2), quoted = BUF_INIT(SIZE_MAX / 2);
    bool placed = false;
    struct arena arena;
    struct jsonread r;
    struct str name, json;
    enum err err;

    json_quote(&quoted, payload);
    arena_init(&arena);
    jsonread_init(&r, ev->json, &arena);
    (void)jsonread_object(&r);
    while (jsonread_member(&r, &name)) {
        json = jsonread_raw(&r);
        if (!str_eq(name, column) && !is_companion(name, column)) {
            add_member(&out, name, json);
        } else if (!placed) {
            add_member(&out, column, buf_str(&quoted));
            placed = true;
        }
    }
    end_object(&out);
    arena_fini(&arena);
    err = buf_err(&quoted) != OK ? buf_err(&quoted) : buf_err(&out);
    if (err == OK) {
        json = arena_str(&h->arena, buf_str(&out));
        if (json.p)
            ev->json = json;
        else
            err = ERR_NO_MEMORY;
    }
    buf_fini(&quoted);
    buf_fini(&out);
    return err;
}
