#include "backend/storage/rewindplan.h"

#include <stdlib.h>

#include "backend/base/grow.h"
#include "backend/base/limits.h"
#include "backend/storage/rewind.h"
#include "backend/storage/rewindrows.h"

static enum err no_memory(struct call *call)
{
    return call_fail(call, ERR_NO_MEMORY, "rewind: out of memory");
}

static enum err add_edit(struct rewind_plan *plan, struct storage *s, struct call *call,
                         struct rewind_node *node, const struct rewind_row *row, bool keep_type)
{
    CLEANUP_BUF struct buf reason = BUF_INIT(4 * KIB);
    struct rewind_edit edit = { .row_key = row->row_key, .keep_type = keep_type };
    enum err err = rewind_row_etag(s, call, node->in, row, &plan->arena, &edit.etag);

    if (err != OK)
        return err;
    if (++plan->edits > REWIND_EDITS_MAX)
        return call_fail(call, ERR_TOO_BIG, "rewind: more than %d history rows would change",
                         REWIND_EDITS_MAX);
    buf_add_c(&reason, REWOUND);
    buf_add(&reason, row->type);
    struct rewind_edit *edits = grow(node->edits, node->count, &node->cap, sizeof(edit));
    if (!edits || buf_err(&reason) != OK)
        return no_memory(call);
    node->edits = edits;
    edit.reason = arena_str(&plan->arena, buf_str(&reason));
    node->edits[node->count++] = edit;
    return OK;
}

/* The first decision with that id; one that an earlier rewind has marked counts as well. */
static const struct rewind_row *find_decision(const struct rewind_rows *rows, const char *type,
                                              int64_t id)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct rewind_row *row = &rows->p[i];
        if (row->event_id != id || id < 0)
            continue;
        if (rewind_row_is(row, type))
            return row;
        if (rewind_row_is(row, "GenericEvent") && str_starts(row->reason, STR(REWOUND)) &&
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
        nodes = grow(plan->nodes, plan->count, &plan->cap, sizeof(*nodes));
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
                          const struct rewind_rows *rows, const struct rewind_row *failed)
{
    const struct rewind_row *scheduled = find_decision(rows, "TaskScheduled", failed->task_id);

    if (!scheduled)
        return missing(call, &plan->nodes[at], failed);
    if (rewind_row_is(scheduled, "GenericEvent"))
        return OK; /* marked by a rewind that was cut off before the failure itself */
    return add_edit(plan, s, call, &plan->nodes[at], scheduled, false);
}

static enum err plan_child(struct rewind_plan *plan, struct storage *s, struct call *call,
                           size_t at, const struct rewind_rows *rows,
                           const struct rewind_row *failed)
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
                                     size_t at, const struct rewind_rows *rows)
{
    enum err err = OK;

    for (size_t i = 0; i < rows->count && err == OK; i++) {
        const struct rewind_row *row = &rows->p[i];
        if (rewind_row_is(row, "SubOrchestrationInstanceCreated") && row->instance_id.len &&
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
    return rewind_row_is(row, "GenericEvent") && str_eq(row->reason, STR(REWOUND "GenericEvent"));
}

static enum err plan_failures(struct rewind_plan *plan, struct storage *s, struct call *call,
                              size_t at, const struct rewind_rows *rows)
{
    enum err err = OK;

    for (size_t i = 0; i < rows->count && err == OK; i++) {
        const struct rewind_row *row = &rows->p[i];
        bool task = rewind_row_is(row, "TaskFailed");
        bool child = rewind_row_is(row, "SubOrchestrationInstanceFailed");
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
    struct rewind_rows rows = { 0 };
    struct rewind_node *node = &plan->nodes[at]; /* moves when children are added */
    enum err err = rewind_execution(s, call, node->in, &plan->arena, &node->execution_id);

    if (err == OK)
        err = rewind_rows_read(&rows, s, call, node->in, node->execution_id, &plan->arena);
    if (err == OK && !node->rewound)
        err = plan_failures(plan, s, call, at, &rows);
    if (err == OK)
        err = plan_marked_children(plan, s, call, at, &rows);
    rewind_rows_fini(&rows);
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
