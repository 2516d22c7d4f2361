#include "backend/storage/cancel.h"

#include "backend/base/digest.h"
#include "backend/base/jsonw.h"
#include "backend/storage/tables.h"

#define CANCEL_TRIES 3          /* F39 */
#define ROW_MAX      (64 * KIB) /* the reason has at most REASON_MAX_BYTES */

static void put_time(struct jsonw *w, const char *name, const char *type_name, struct str time)
{
    jsonw_name(w, name);
    jsonw_str(w, time);
    jsonw_name(w, type_name);
    jsonw_str(w, STR("Edm.DateTime"));
}

static void cancelled_row(struct buf *b, bool has_reason, struct str reason, struct str execution)
{
    CLEANUP_BUF struct buf now = BUF_INIT(64);
    struct jsonw w;

    ticks_print(&now, clock_wall());
    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_name(&w, "RuntimeStatus");
    jsonw_str(&w, STR("Terminated"));
    put_time(&w, "LastUpdatedTime", "LastUpdatedTime@odata.type", buf_str(&now));
    put_time(&w, "CompletedTime", "CompletedTime@odata.type", buf_str(&now));
    if (has_reason) {
        jsonw_name(&w, "Output");
        jsonw_str(&w, reason);
    }
    jsonw_name(&w, "ExecutionId");
    jsonw_str(&w, execution);
    jsonw_object_end(&w);
}

/* After a refused merge: ours after all (its answer was lost), still scheduled, or something else.
 */
static enum err look_again(struct hub *hub, struct call *call, struct instance **in,
                           struct str execution, bool *ret_done)
{
    struct instance *fresh = NULL;

    wire_forgive(call);
    enum err err =
        storage_get(hub, call, (*in)->row.id, (*in)->row.key, NEED_CELLS | NEED_PHASE, &fresh);
    if (err != OK)
        return err;
    instance_unref(*in);
    *in = fresh;
    *ret_done = str_eq(fresh->execution_id, execution);
    if (!*ret_done && situation_of(fresh) != SITUATION_PENDING_SCHEDULED)
        return call_fail(call, ERR_BUSY, "terminate: the instance changed meanwhile, it is %s now",
                         situation_name(situation_of(fresh)));
    return OK;
}

static enum err cancel(struct storage *s, struct call *call, struct instance **in, struct str json,
                       struct str execution)
{
    enum err err = OK;

    for (int i = 0; i < CANCEL_TRIES; i++) {
        bool done = false;
        err =
            tables_merge(s, call, str_c(s->instances), (*in)->row.key, STR(""), (*in)->etag, json);
        if (err != ERR_BUSY)
            return err;
        err = look_again(&s->hub, call, in, execution, &done);
        if (err != OK || done)
            return err;
    }
    return call_fail(call, ERR_BUSY, "terminate: the instance's row keeps changing");
}

enum err storage_cancel(struct hub *hub, struct call *call, const struct instance *in,
                        bool has_reason, struct str reason)
{
    CLEANUP_BUF struct buf json = BUF_INIT(ROW_MAX);
    CLEANUP(instance_unref) struct instance *current = instance_ref((struct instance *)in);
    char execution[32 + 1];

    guid_new_plain(execution);
    cancelled_row(&json, has_reason, reason, str_c(execution));
    enum err err = buf_err(&json);
    if (err != OK)
        return call_fail(call, err, "terminate: the row cannot be built");
    return cancel(storage_of(hub), call, &current, buf_str(&json), str_c(execution));
}
