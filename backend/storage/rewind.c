#include "backend/storage/rewind.h"

#include <stdio.h>

#include "backend/base/jsonread.h"
#include "backend/base/jsonw.h"
#include "backend/base/limits.h"
#include "backend/storage/deliver.h"
#include "backend/storage/rewindplan.h"
#include "backend/storage/tables.h"

#define EDIT_MAX (8 * KIB) /* a mark is a short text */

/* One rewind under way, and how far it came. */
struct rewind {
    struct storage *s;
    struct call *call;
    struct rewind_plan plan;
    size_t marked;  /* history rows changed */
    size_t pending; /* instance rows set to Pending */
};

/* Says in the error how far it came, since what was written stays. */
static enum err half_done(struct rewind *rw, enum err err, const char *rest)
{
    char why[CALL_TEXT_MAX];

    if (!rw->marked && !rw->pending)
        return err;
    snprintf(why, sizeof(why), "%s", rw->call->text);
    return call_fail(rw->call, err, "%.400s; half done (%zu history rows, %zu instance rows): %s",
                     why, rw->marked, rw->pending, rest);
}

/* -- history -- */

static bool is_marked(struct str body, const struct rewind_edit *edit)
{
    struct arena arena;
    struct jsonread r;
    struct str name, reason = STR_NONE;

    arena_init(&arena);
    jsonread_init(&r, body, &arena);
    (void)jsonread_object(&r);
    while (jsonread_member(&r, &name)) {
        if (str_eq(name, STR("Reason")))
            (void)jsonread_string(&r, &reason);
        else
            jsonread_skip(&r);
    }
    bool same = jsonread_ok(&r) && str_eq(reason, edit->reason);
    arena_fini(&arena);
    return same;
}

/* A merge whose answer was lost and that was repeated below is refused although it was done. */
static enum err settle_edit(struct rewind *rw, const struct rewind_node *node,
                            const struct rewind_edit *edit)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;

    wire_forgive(rw->call);
    enum err err = tables_get(rw->s, rw->call, str_c(rw->s->history), node->in->row.key,
                              edit->row_key, "Reason", &response);
    if (err != OK)
        return err;
    if (is_marked(buf_str(&response.body), edit))
        return OK;
    return call_fail(rw->call, ERR_BUSY,
                     "rewind: somebody else changed the history of " STR_FMT " meanwhile",
                     STR_ARG(str_slice(node->in->row.id, 0, 300)));
}

static enum err write_edit(struct rewind *rw, const struct rewind_node *node,
                           const struct rewind_edit *edit)
{
    CLEANUP_BUF struct buf json = BUF_INIT(EDIT_MAX);
    struct jsonw w;

    jsonw_init(&w, &json);
    jsonw_object(&w);
    if (!edit->keep_type) {
        jsonw_name(&w, "EventType");
        jsonw_str(&w, STR("GenericEvent"));
    }
    jsonw_name(&w, "Reason");
    jsonw_str(&w, edit->reason);
    jsonw_object_end(&w);
    enum err err = buf_err(&json);
    if (err != OK)
        return call_fail(rw->call, err, "rewind: a mark cannot be built");
    err = tables_merge(rw->s, rw->call, str_c(rw->s->history), node->in->row.key, edit->row_key,
                       edit->etag, buf_str(&json));
    if (err == ERR_BUSY)
        err = settle_edit(rw, node, edit);
    call_progress(rw->call);
    return err;
}

static enum err mark_histories(struct rewind *rw)
{
    enum err err = OK;

    /* Children before parents: a parent whose failures are gone must not wait for a child whose
     * are still there. */
    for (size_t i = rw->plan.count; i-- > 0 && err == OK;) {
        const struct rewind_node *node = &rw->plan.nodes[i];
        for (size_t k = 0; k < node->count && err == OK; k++) {
            err = write_edit(rw, node, &node->edits[k]);
            if (err == OK)
                rw->marked++;
        }
    }
    return err == OK ? OK : half_done(rw, err, "rewind again to go on");
}

/* -- rows -- */

static void pending_row(struct buf *b)
{
    CLEANUP_BUF struct buf now = BUF_INIT(64);
    struct jsonw w;

    ticks_print(&now, clock_wall());
    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_name(&w, "RuntimeStatus");
    jsonw_str(&w, STR("Pending"));
    jsonw_name(&w, "LastUpdatedTime");
    jsonw_str(&w, buf_str(&now));
    jsonw_name(&w, "LastUpdatedTime@odata.type");
    jsonw_str(&w, STR("Edm.DateTime"));
    jsonw_object_end(&w);
}

/* Refused: rewound by us after all, or changed by somebody else. */
static enum err settle_row(struct rewind *rw, const struct rewind_node *node)
{
    CLEANUP(instance_unref) struct instance *now = NULL;

    wire_forgive(rw->call);
    enum err err = storage_get(&rw->s->hub, rw->call, node->in->row.id, node->in->row.key,
                               NEED_CELLS | NEED_PHASE, &now);
    if (err != OK)
        return err;
    if (situation_of(now) == SITUATION_PENDING_REWOUND &&
        str_eq(now->execution_id, node->execution_id))
        return OK;
    return call_fail(rw->call, ERR_BUSY, "rewind: somebody else changed " STR_FMT " meanwhile",
                     STR_ARG(str_slice(node->in->row.id, 0, 300)));
}

static enum err write_row(struct rewind *rw, const struct rewind_node *node)
{
    CLEANUP_BUF struct buf json = BUF_INIT(EDIT_MAX);

    pending_row(&json);
    enum err err = buf_err(&json);
    if (err != OK)
        return call_fail(rw->call, err, "rewind: the row cannot be built");
    err = tables_merge(rw->s, rw->call, str_c(rw->s->instances), node->in->row.key, STR(""),
                       node->in->etag, buf_str(&json));
    if (err == ERR_BUSY)
        err = settle_row(rw, node);
    call_progress(rw->call);
    return err;
}

static enum err set_pending(struct rewind *rw)
{
    enum err err = OK;

    for (size_t i = rw->plan.count; i-- > 0 && err == OK;) {
        if (rw->plan.nodes[i].rewound)
            continue;
        err = write_row(rw, &rw->plan.nodes[i]);
        if (err == OK)
            rw->pending++;
    }
    return err == OK ? OK : half_done(rw, err, "rewind again to go on");
}

/* -- waking -- */

static enum err wake(struct rewind *rw, const struct rewind_node *node, const struct command *cmd)
{
    struct message m = { .kind = MESSAGE_GENERIC,
                         .instance_id = node->in->row.id,
                         .generation = -1,
                         .scheduled = TICKS_NONE,
                         .has_text = cmd->has_data,
                         .text = cmd->data };

    deliver_stamp(rw->s, &m);
    enum err err = deliver(rw->s, rw->call, &m);
    call_progress(rw->call);
    return err;
}

/* Every instance without failed sub-orchestrations; the others are woken by those. */
static enum err wake_leaves(struct rewind *rw, const struct command *cmd)
{
    enum err err = OK;

    for (size_t i = rw->plan.count; i-- > 0 && err == OK;)
        if (!rw->plan.nodes[i].has_children)
            err = wake(rw, &rw->plan.nodes[i], cmd);
    if (err == OK)
        return OK;
    return half_done(rw, err,
                     err == ERR_UNKNOWN_OUTCOME
                         ? "rewound; if it stays Pending it was not woken: rewind again"
                         : "rewound, not yet woken; rewind again to wake it");
}

enum err storage_rewind(struct hub *hub, struct call *call, const struct command *cmd,
                        const struct instance *in)
{
    struct rewind rw = { .s = storage_of(hub), .call = call };
    unsigned partitions;
    /* Found out first: a rewind that could not be followed by its message would hang. */
    enum err err = partitions_find(rw.s, call, &partitions);

    if (err != OK)
        return err;
    err = rewind_plan_read(&rw.plan, rw.s, call, in);
    if (err == OK)
        err = mark_histories(&rw);
    if (err == OK)
        err = set_pending(&rw);
    if (err == OK)
        err = wake_leaves(&rw, cmd);
    rewind_plan_fini(&rw.plan);
    return err;
}
