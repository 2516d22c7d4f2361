#include "backend/storage/rewindplan.h"

#include <stdlib.h>

#include "backend/base/jsonread.h"
#include "backend/base/limits.h"
#include "backend/storage/keys.h"
#include "backend/storage/rewind.h"
#include "backend/storage/tables.h"

#define FILTER_MAX  (16 * KIB)
#define SENTINEL    "sentinel"
#define REWOUND     "Rewound: "
#define ROW_COLUMNS "RowKey,EventType,EventId,TaskScheduledId,InstanceId,Reason,OrchestrationStatus"
#define ROW_FAILED  "OrchestrationStatus eq 'Failed'"
#define TYPE_IS(t)  "EventType eq '" t "'"
/* Failures, and the decisions they belong to: one pass over the partition for all of them. */
#define WANTED                                                                                     \
    ROW_FAILED " or " TYPE_IS("TaskFailed") " or " TYPE_IS(                                        \
        "SubOrchestrationInstanceFailed") " or " TYPE_IS("TaskScheduled") " or " TYPE_IS("SubOrch" \
                                                                                         "estrati" \
                                                                                         "onInsta" \
                                                                                         "nceCrea" \
                                                                                         "ted") " or " TYPE_IS("GenericEvent")

/* What a rewind asks of a history row. */
struct rewind_row {
    struct str row_key, type, reason, instance_id, orchestration_status;
    int64_t event_id, task_id; /* -1 = none */
};

/* The wanted rows of one history. */
struct rows {
    struct rewind_row *p;
    size_t count, cap;
};

static bool type_is(const struct rewind_row *row, const char *type)
{
    return str_eq(row->type, str_c(type));
}

/* p with room for one more of size bytes; NULL without memory, and p is as it was. */
static void *grown(void *p, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return p;
    size_t wanted = *cap ? *cap * 2 : 16;
    void *more = reallocarray(p, wanted, size);
    if (more)
        *cap = wanted;
    return more;
}

static enum err no_memory(struct call *call)
{
    return call_fail(call, ERR_NO_MEMORY, "rewind: out of memory");
}

/* -- reading one history -- */

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

static enum err read_rows(struct jsonread *r, struct arena *arena, struct rows *rows)
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
        struct rewind_row *p = grown(rows->p, rows->count, &rows->cap, sizeof(row));
        if (!p)
            return ERR_NO_MEMORY;
        keep_row(arena, &row);
        rows->p = p;
        rows->p[rows->count++] = row;
    }
    return OK;
}

/* ERR_BROKEN: not a page, nothing was added. */
static enum err read_page(struct str page, struct arena *arena, struct rows *rows)
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

static enum err query_rows(struct rewind_plan *plan, struct storage *s, struct call *call,
                           const struct rewind_node *node, struct rows *rows)
{
    CLEANUP_BUF struct buf filter = BUF_INIT(FILTER_MAX);
    struct table_query query = { .table = str_c(s->history), .select = ROW_COLUMNS };
    struct pages pages;
    enum err err;

    buf_add_c(&filter, "PartitionKey eq ");
    key_literal(&filter, node->in->row.key);
    buf_add_c(&filter, " and ExecutionId eq ");
    key_literal(&filter, node->execution_id);
    buf_add_c(&filter, " and (" WANTED ")");
    if ((err = buf_err(&filter)) != OK)
        return call_fail(call, err, "rewind: a key is too long");
    query.filter = buf_str(&filter);
    pages_init(&pages, s, &query);
    while ((err = pages_next(&pages, call)) == OK && pages_more(&pages)) {
        err = read_page(pages_body(&pages), &plan->arena, rows);
        if (err == ERR_BROKEN)
            err = pages_damaged(&pages, call);
        else if (err != OK)
            err = no_memory(call);
        if (err != OK)
            break;
    }
    pages_fini(&pages);
    return err;
}

/* E: the sentinel's, not that of the row with the greatest key, which may belong to an older,
 * longer run (storage tables 11.2 no. 1). */
static enum err read_sentinel(struct rewind_plan *plan, struct storage *s, struct call *call,
                              struct rewind_node *node)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct arena scratch;
    struct jsonread r;
    struct str name, id = STR_NONE;
    enum err err = tables_get(s, call, str_c(s->history), node->in->row.key, STR(SENTINEL),
                              "ExecutionId", &response);

    if (err == ERR_NOT_FOUND)
        return call_fail(call, ERR_WRONG_STATE, "rewind: " STR_FMT " has no history",
                         STR_ARG(str_slice(node->in->row.id, 0, 300)));
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
    node->execution_id = arena_str(&plan->arena, id);
    arena_fini(&scratch);
    if (!str_eq(node->execution_id, node->in->execution_id))
        return call_fail(call, ERR_BUSY,
                         "rewind: the history of " STR_FMT " belongs to another run than its row",
                         STR_ARG(str_slice(node->in->row.id, 0, 300)));
    return OK;
}

/* -- deciding -- */

/* The row's ETag, and a last look that it is still what the query saw. */
static enum err fetch_etag(struct rewind_plan *plan, struct storage *s, struct call *call,
                           const struct rewind_node *node, const struct rewind_row *row,
                           struct str *ret)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct arena scratch;
    struct jsonread r;
    struct rewind_row now;
    struct str etag;
    enum err err = tables_get(s, call, str_c(s->history), node->in->row.key, row->row_key,
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
                         STR_ARG(str_slice(node->in->row.id, 0, 300)));
    *ret = arena_str(&plan->arena, etag);
    return OK;
}

static enum err add_edit(struct rewind_plan *plan, struct storage *s, struct call *call,
                         struct rewind_node *node, const struct rewind_row *row, bool keep_type)
{
    CLEANUP_BUF struct buf reason = BUF_INIT(4 * KIB);
    struct rewind_edit edit = { .row_key = row->row_key, .keep_type = keep_type };
    enum err err = fetch_etag(plan, s, call, node, row, &edit.etag);

    if (err != OK)
        return err;
    if (++plan->edits > REWIND_EDITS_MAX)
        return call_fail(call, ERR_TOO_BIG, "rewind: more than %d history rows would change",
                         REWIND_EDITS_MAX);
    buf_add_c(&reason, REWOUND);
    buf_add(&reason, row->type);
    struct rewind_edit *edits = grown(node->edits, node->count, &node->cap, sizeof(edit));
    if (!edits || buf_err(&reason) != OK)
        return no_memory(call);
    node->edits = edits;
    edit.reason = arena_str(&plan->arena, buf_str(&reason));
    node->edits[node->count++] = edit;
    return OK;
}

/* The first decision with that id; one that an earlier rewind has marked counts as well. */
static const struct rewind_row *find_decision(const struct rows *rows, const char *type, int64_t id)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct rewind_row *row = &rows->p[i];
        if (row->event_id != id || id < 0)
            continue;
        if (type_is(row, type))
            return row;
        if (type_is(row, "GenericEvent") && str_starts(row->reason, STR(REWOUND)) &&
            str_eq(str_slice(row->reason, strlen(REWOUND), row->reason.len), str_c(type)))
            return row;
    }
    return NULL;
}

static enum err missing(struct call *call, const struct rewind_node *node,
                        const struct rewind_row *row)
{
    return call_fail(call, ERR_WRONG_STATE,
                     "rewind: the history of " STR_FMT
                     " does not hold what failed in its row " STR_FMT,
                     STR_ARG(str_slice(node->in->row.id, 0, 300)), STR_ARG(row->row_key));
}

static bool is_in_plan(const struct rewind_plan *plan, struct str id)
{
    for (size_t i = 0; i < plan->count; i++)
        if (str_eq(plan->nodes[i].in->row.id, id))
            return true;
    return false;
}

/* Takes the reference. */
static enum err add_node(struct rewind_plan *plan, struct call *call, struct instance *in)
{
    struct rewind_node *nodes = plan->nodes;

    if (plan->count < REWIND_TREE_MAX)
        nodes = grown(plan->nodes, plan->count, &plan->cap, sizeof(*nodes));
    if (!nodes || plan->count >= REWIND_TREE_MAX) {
        instance_unref(in);
        return nodes ? call_fail(call, ERR_TOO_BIG, "rewind: more than %d instances would change",
                                 REWIND_TREE_MAX)
                     : no_memory(call);
    }
    plan->nodes = nodes;
    plan->nodes[plan->count++] =
        (struct rewind_node){ .in = in, .rewound = situation_of(in) == SITUATION_PENDING_REWOUND };
    return OK;
}

static enum err child_gone(struct call *call, struct str id, const char *what)
{
    return call_fail(call, ERR_WRONG_STATE,
                     "rewind: the failed sub-orchestration " STR_FMT " is %s",
                     STR_ARG(str_slice(id, 0, 300)), what);
}

/* A child of nodes[parent]; one that fails twice is one child. failed: its failure stands in the
 * parent's history, so that it must be there and Failed. */
static enum err add_child(struct rewind_plan *plan, struct storage *s, struct call *call,
                          size_t parent, struct str id, bool failed)
{
    CLEANUP(instance_unref) struct instance *in = NULL;

    if (is_in_plan(plan, id)) {
        plan->nodes[parent].has_children = true;
        return OK;
    }
    enum err err = storage_get(&s->hub, call, id, STR(""), NEED_CELLS | NEED_PHASE, &in);
    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        return failed ? child_gone(call, id, "not there any more") : OK;
    }
    if (err != OK)
        return err;
    call_progress(call);
    enum situation now = situation_of(in);
    if (now != SITUATION_FAILED && now != SITUATION_PENDING_REWOUND)
        return failed ? child_gone(call, id, situation_name(now)) : OK;
    plan->nodes[parent].has_children = true;
    return add_node(plan, call, instance_ref(in));
}

static enum err plan_task(struct rewind_plan *plan, struct storage *s, struct call *call, size_t at,
                          const struct rows *rows, const struct rewind_row *failed)
{
    const struct rewind_row *scheduled = find_decision(rows, "TaskScheduled", failed->task_id);

    if (!scheduled)
        return missing(call, &plan->nodes[at], failed);
    if (type_is(scheduled, "GenericEvent"))
        return OK; /* marked by a rewind that was cut off before the failure itself */
    return add_edit(plan, s, call, &plan->nodes[at], scheduled, false);
}

static enum err plan_child(struct rewind_plan *plan, struct storage *s, struct call *call,
                           size_t at, const struct rows *rows, const struct rewind_row *failed)
{
    const struct rewind_row *created =
        find_decision(rows, "SubOrchestrationInstanceCreated", failed->task_id);

    if (!created || !created->instance_id.len)
        return missing(call, &plan->nodes[at], failed);
    enum err err = add_edit(plan, s, call, &plan->nodes[at], created, true);
    return err == OK ? add_child(plan, s, call, at, created->instance_id, true) : err;
}

/* Children that a rewind which was cut off had taken in already: their failure is marked, so only
 * the mark at their creation tells. Those that have ended or run since are left alone. */
static enum err plan_marked_children(struct rewind_plan *plan, struct storage *s, struct call *call,
                                     size_t at, const struct rows *rows)
{
    enum err err = OK;

    for (size_t i = 0; i < rows->count && err == OK; i++) {
        const struct rewind_row *row = &rows->p[i];
        if (type_is(row, "SubOrchestrationInstanceCreated") && row->instance_id.len &&
            str_starts(row->reason, STR(REWOUND)))
            err = add_child(plan, s, call, at, row->instance_id, false);
    }
    return err;
}

static bool ends_the_run(const struct rewind_row *row)
{
    return str_eq(row->orchestration_status, STR("Failed"));
}

/* By an earlier rewind, which found it again: its OrchestrationStatus stays (vector 124). */
static bool is_marked_twice(const struct rewind_row *row)
{
    return type_is(row, "GenericEvent") && str_eq(row->reason, STR(REWOUND "GenericEvent"));
}

static enum err plan_failures(struct rewind_plan *plan, struct storage *s, struct call *call,
                              size_t at, const struct rows *rows)
{
    enum err err = OK;

    for (size_t i = 0; i < rows->count && err == OK; i++) {
        const struct rewind_row *row = &rows->p[i];
        bool task = type_is(row, "TaskFailed");
        bool child = type_is(row, "SubOrchestrationInstanceFailed");
        if (task)
            err = plan_task(plan, s, call, at, rows, row);
        else if (child)
            err = plan_child(plan, s, call, at, rows, row);
        if (err == OK && (task || child))
            err = add_edit(plan, s, call, &plan->nodes[at], row, false);
    }
    /* The end of the run goes last: until then the instance can be recognised as failed. */
    for (size_t i = 0; i < rows->count && err == OK; i++)
        if (ends_the_run(&rows->p[i]) && !is_marked_twice(&rows->p[i]))
            err = add_edit(plan, s, call, &plan->nodes[at], &rows->p[i], false);
    return err;
}

static enum err plan_node(struct rewind_plan *plan, struct storage *s, struct call *call, size_t at)
{
    struct rows rows = { 0 };
    enum err err = read_sentinel(plan, s, call, &plan->nodes[at]);

    if (err == OK)
        err = query_rows(plan, s, call, &plan->nodes[at], &rows);
    if (err == OK && !plan->nodes[at].rewound)
        err = plan_failures(plan, s, call, at, &rows);
    if (err == OK)
        err = plan_marked_children(plan, s, call, at, &rows);
    free(rows.p);
    return err;
}

enum err rewind_plan_read(struct rewind_plan *plan, struct storage *s, struct call *call,
                          const struct instance *root)
{
    *plan = (struct rewind_plan){ .count = 0 };
    arena_init(&plan->arena);
    enum err err = add_node(plan, call, instance_ref((struct instance *)root));
    /* Children are appended while this walks. */
    for (size_t i = 0; i < plan->count && err == OK; i++)
        err = plan_node(plan, s, call, i);
    return err;
}

void rewind_plan_fini(struct rewind_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        instance_unref(plan->nodes[i].in);
        free(plan->nodes[i].edits);
    }
    free(plan->nodes);
    arena_fini(&plan->arena);
    *plan = (struct rewind_plan){ .count = 0 };
}
