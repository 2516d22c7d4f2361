#include "backend/storage/rewindrows.h"

#include <stdlib.h>

#include "backend/base/grow.h"
#include "backend/base/jsonread.h"
#include "backend/base/limits.h"
#include "backend/storage/keys.h"
#include "backend/storage/tables.h"

#define FILTER_MAX  (16 * KIB)
#define SENTINEL    "sentinel"
#define ROW_COLUMNS "RowKey,EventType,EventId,TaskScheduledId,InstanceId,Reason,OrchestrationStatus"
/* Failures, and the decisions they belong to: one pass over the partition for all of them. */
static const char wanted[] = "OrchestrationStatus eq 'Failed'"
                             " or EventType eq 'TaskFailed'"
                             " or EventType eq 'SubOrchestrationInstanceFailed'"
                             " or EventType eq 'TaskScheduled'"
                             " or EventType eq 'SubOrchestrationInstanceCreated'"
                             " or EventType eq 'GenericEvent'";

bool rewind_row_is(const struct rewind_row *row, const char *type)
{
    return str_eq(row->type, str_c(type));
}

static void read_row(struct jsonread *r, struct rewind_row *row)
{
    struct str name;

    *row = (struct rewind_row){ .event_id = -1, .task_id = -1 };
    while (jsonread_member(r, &name)) {
        if (str_eq(name, STR("RowKey")))
            (void)jsonread_string(r, &row->row_key);
        else if (str_eq(name, STR("EventType")))
            (void)jsonread_string(r, &row->type);
        else if (str_eq(name, STR("Reason")))
            (void)jsonread_string(r, &row->reason);
        else if (str_eq(name, STR("InstanceId")))
            (void)jsonread_string(r, &row->instance_id);
        else if (str_eq(name, STR("OrchestrationStatus")))
            (void)jsonread_string(r, &row->orchestration_status);
        else if (str_eq(name, STR("EventId")))
            (void)jsonread_i64(r, &row->event_id);
        else if (str_eq(name, STR("TaskScheduledId")))
            (void)jsonread_i64(r, &row->task_id);
        else
            jsonread_skip(r);
    }
}

/* The page goes, so texts are copied. */
static void keep_row(struct arena *arena, struct rewind_row *row)
{
    row->row_key = arena_str(arena, row->row_key);
    row->type = arena_str(arena, row->type);
    row->reason = arena_str(arena, row->reason);
    row->instance_id = arena_str(arena, row->instance_id);
    row->orchestration_status = arena_str(arena, row->orchestration_status);
}

static enum err read_rows(struct jsonread *r, struct arena *arena, struct rewind_rows *rows)
{
    while (jsonread_element(r)) {
        struct rewind_row row;
        if (!jsonread_object(r)) {
            jsonread_skip(r);
            continue;
        }
        read_row(r, &row);
        if (!row.row_key.len || str_eq(row.row_key, STR(SENTINEL)))
            continue;
        struct rewind_row *p = grow(rows->p, rows->count, &rows->cap, sizeof(row));
        if (!p)
            return ERR_NO_MEMORY;
        keep_row(arena, &row);
        rows->p = p;
        rows->p[rows->count++] = row;
    }
    return OK;
}

/* ERR_BROKEN: not a page, nothing was added. */
static enum err read_page(struct str page, struct arena *arena, struct rewind_rows *rows)
{
    size_t before = rows->count;
    struct arena scratch;
    struct jsonread r;
    struct str name;
    enum err err = OK;

    arena_init(&scratch);
    jsonread_init(&r, page, &scratch);
    (void)jsonread_object(&r);
    while (err == OK && jsonread_member(&r, &name)) {
        if (str_eq(name, STR("value")) && jsonread_array(&r))
            err = read_rows(&r, arena, rows);
        else
            jsonread_skip(&r);
    }
    if (err == OK && !jsonread_ok(&r))
        err = ERR_BROKEN;
    if (err != OK)
        rows->count = before;
    arena_fini(&scratch);
    return err;
}

enum err rewind_rows_read(struct rewind_rows *rows, struct storage *s, struct call *call,
                          const struct instance *in, struct str execution_id, struct arena *texts)
{
    CLEANUP_BUF struct buf filter = BUF_INIT(FILTER_MAX);
    struct table_query query = { .table = str_c(s->history), .select = ROW_COLUMNS };
    struct pages pages;
    enum err err;

    buf_add_c(&filter, "PartitionKey eq ");
    key_literal(&filter, in->row.key);
    buf_add_c(&filter, " and ExecutionId eq ");
    key_literal(&filter, execution_id);
    buf_add_c(&filter, " and (");
    buf_add_c(&filter, wanted);
    buf_add_ch(&filter, ')');
    if ((err = buf_err(&filter)) != OK)
        return call_fail(call, err, "rewind: a key is too long");
    query.filter = buf_str(&filter);
    pages_init(&pages, s, &query);
    while ((err = pages_next(&pages, call)) == OK && pages_more(&pages)) {
        err = read_page(pages_body(&pages), texts, rows);
        if (err == ERR_BROKEN)
            err = pages_damaged(&pages, call);
        else if (err != OK)
            err = call_fail(call, ERR_NO_MEMORY, "rewind: out of memory");
        if (err != OK)
            break;
    }
    pages_fini(&pages);
    return err;
}

void rewind_rows_fini(struct rewind_rows *rows)
{
    free(rows->p);
    *rows = (struct rewind_rows){ .count = 0 };
}

enum err rewind_execution(struct storage *s, struct call *call, const struct instance *in,
                          struct arena *texts, struct str *ret)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct arena scratch;
    struct jsonread r;
    struct str name, id = STR_NONE;
    enum err err = tables_get(s, call, str_c(s->history), in->row.key, STR(SENTINEL), "ExecutionId",
                              &response);

    if (err == ERR_NOT_FOUND)
        return call_fail(call, ERR_WRONG_STATE, "rewind: " STR_FMT " has no history",
                         STR_ARG(str_slice(in->row.id, 0, 300)));
    if (err != OK)
        return err;
    arena_init(&scratch);
    jsonread_init(&r, buf_str(&response.body), &scratch);
    (void)jsonread_object(&r);
    while (jsonread_member(&r, &name)) {
        if (str_eq(name, STR("ExecutionId")))
            (void)jsonread_string(&r, &id);
        else
            jsonread_skip(&r);
    }
    *ret = arena_str(texts, id);
    arena_fini(&scratch);
    if (!str_eq(*ret, in->execution_id))
        return call_fail(call, ERR_BUSY,
                         "rewind: the history of " STR_FMT " belongs to another run than its row",
                         STR_ARG(str_slice(in->row.id, 0, 300)));
    return OK;
}

enum err rewind_row_etag(struct storage *s, struct call *call, const struct instance *in,
                         const struct rewind_row *row, struct arena *texts, struct str *ret)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct arena scratch;
    struct jsonread r;
    struct rewind_row now;
    struct str etag;
    enum err err = tables_get(s, call, str_c(s->history), in->row.key, row->row_key,
                              "EventType,Reason", &response);

    if (err != OK)
        return err;
    call_progress(call);
    arena_init(&scratch);
    jsonread_init(&r, buf_str(&response.body), &scratch);
    (void)jsonread_object(&r);
    read_row(&r, &now);
    bool same = jsonread_ok(&r) && str_eq(now.type, row->type);
    arena_fini(&scratch);
    if (!same || !response_header(&response, "etag", &etag))
        return call_fail(call, ERR_BUSY, "rewind: the history of " STR_FMT " is changing",
                         STR_ARG(str_slice(in->row.id, 0, 300)));
    *ret = arena_str(texts, etag);
    return OK;
}
