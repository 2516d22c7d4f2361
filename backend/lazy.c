#include "backend/lazy.h"

#include <stdio.h>
#include <stdlib.h>

#include "backend/base/lock.h"
#include "backend/flight.h"

/* A hub that was opened. It is closed when nobody uses it any more and it is not current. */
struct opened {
    struct hub *hub;
    unsigned users; /* L; the lazy hub itself is one while it is current */
};

struct lazy {
    struct hub hub;                /* first */
    struct hub_ops ops;            /* I: with the caps and the scheme of the hub behind */
    struct lazy_settings settings; /* I */
    struct lock lock;              /* RANK_HUB */
    struct opened *current;        /* L: NULL = not opened yet */
    struct flight *opening;        /* L */
    struct hub_stats past;         /* L: of hubs that were let go; figures only grow */
};

static struct lazy *lazy_of(struct hub *hub)
{
    return (struct lazy *)hub;
}

/* -- opening, using, letting go -- */

static void add_stats(struct hub_stats *sum, const struct hub_stats *s)
{
    sum->table_requests += s->table_requests;
    sum->queue_requests += s->queue_requests;
    sum->blob_requests += s->blob_requests;
    sum->bytes_in += s->bytes_in;
    sum->bytes_out += s->bytes_out;
    sum->retries += s->retries;
    sum->errors += s->errors;
    sum->latency_ms_total += s->latency_ms_total;
}

static void end(struct lazy *l, struct opened *o)
{
    struct hub_stats stats;

    hub_stats(o->hub, &stats);
    lock_take(&l->lock);
    add_stats(&l->past, &stats);
    lock_drop(&l->lock);
    hub_close(o->hub);
    free(o);
}

static void give_back(struct lazy *l, struct opened *o)
{
    lock_take(&l->lock);
    bool last = --o->users == 0;
    lock_drop(&l->lock);
    if (last)
        end(l, o);
}

static void let_go(struct lazy *l)
{
    lock_take(&l->lock);
    struct opened *o = l->current;
    l->current = NULL;
    lock_drop(&l->lock);
    if (o)
        give_back(l, o);
}

/* With the lock before and after, not while it opens. */
static enum err open_locked(struct lazy *l, struct call *call)
{
    struct opened *o = calloc(1, sizeof(*o));
    struct flight *mine = flight_new();
    enum err err;

    if (!o || !mine) {
        free(o);
        free(mine);
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    }
    l->opening = mine;
    lock_drop(&l->lock);
    err = l->settings.open(l->settings.ctx, call, l->hub.name, &o->hub);
    lock_take(&l->lock);
    if (err == OK) {
        o->users = 1;
        l->current = o;
    } else {
        free(o);
    }
    l->opening = NULL;
    flight_land(mine, err, call);
    return err;
}

static enum err use(struct lazy *l, struct call *call, struct opened **ret)
{
    enum err err = OK;

    LOCK_SCOPE(&l->lock);
    while (err == OK && !l->current) {
        if (call->local)
            return ERR_WOULD_BLOCK;
        err = l->opening ? flight_wait(l->opening, &l->lock, call) : open_locked(l, call);
    }
    if (err != OK)
        return err;
    l->current->users++;
    *ret = l->current;
    return OK;
}

/* -- the rows of hub_ops: each opens, passes on and gives back -- */

static void lazy_close(struct hub *hub)
{
    struct lazy *l = lazy_of(hub);

    let_go(l);
    lock_fini(&l->lock);
    free(l);
}

static enum err lazy_list(struct hub *hub, struct call *call, const struct list_query *query,
                          hub_emit emit, void *ctx)
{
    struct opened *o;
    enum err err = use(lazy_of(hub), call, &o);

    if (err != OK)
        return err;
    err = hub_list(o->hub, call, query, emit, ctx);
    give_back(lazy_of(hub), o);
    return err;
}

static enum err lazy_get(struct hub *hub, struct call *call, struct str id, struct str key,
                         unsigned needs, struct instance **ret)
{
    struct opened *o;
    enum err err = use(lazy_of(hub), call, &o);

    if (err != OK)
        return err;
    err = hub_get(o->hub, call, id, key, needs, ret);
    give_back(lazy_of(hub), o);
    return err;
}

static enum err lazy_history(struct hub *hub, struct call *call, const struct instance *in,
                             bool resolve, struct history **ret)
{
    struct opened *o;
    enum err err = use(lazy_of(hub), call, &o);

    if (err != OK)
        return err;
    err = hub_history(o->hub, call, in, resolve, ret);
    give_back(lazy_of(hub), o);
    return err;
}

static enum err lazy_span(struct hub *hub, struct call *call, const struct key_span *span,
                          hub_emit_instance emit, void *ctx)
{
    struct opened *o;
    enum err err = use(lazy_of(hub), call, &o);

    if (err != OK)
        return err;
    err = hub_span(o->hub, call, span, emit, ctx);
    give_back(lazy_of(hub), o);
    return err;
}

static enum err lazy_histories(struct hub *hub, struct call *call,
                               const struct span_histories *wanted, hub_emit_history emit,
                               void *ctx)
{
    struct opened *o;
    enum err err = use(lazy_of(hub), call, &o);

    if (err != OK)
        return err;
    err = hub_histories(o->hub, call, wanted, emit, ctx);
    give_back(lazy_of(hub), o);
    return err;
}

static enum err lazy_payload(struct hub *hub, struct call *call, struct str ref, struct text **ret)
{
    struct opened *o;
    enum err err = use(lazy_of(hub), call, &o);

    if (err != OK)
        return err;
    err = hub_payload(o->hub, call, ref, ret);
    give_back(lazy_of(hub), o);
    return err;
}

/* These two were checked on the way in, with what was read for the check: straight to the table. */
static enum err lazy_send(struct hub *hub, struct call *call, const struct command *cmd,
                          const struct instance *in, struct receipt *ret)
{
    struct opened *o;
    enum err err = use(lazy_of(hub), call, &o);

    if (err != OK)
        return err;
    err = o->hub->ops->send(o->hub, call, cmd, in, ret);
    give_back(lazy_of(hub), o);
    return err;
}

static enum err lazy_purge(struct hub *hub, struct call *call, const struct instance *in,
                           struct receipt *ret)
{
    struct opened *o;
    enum err err = use(lazy_of(hub), call, &o);

    if (err != OK)
        return err;
    err = o->hub->ops->purge(o->hub, call, in, ret);
    give_back(lazy_of(hub), o);
    return err;
}

static enum err lazy_inspect(struct hub *hub, struct call *call, struct buf *ret)
{
    struct opened *o;
    enum err err = use(lazy_of(hub), call, &o);

    if (err != OK)
        return err;
    err = hub_inspect(o->hub, call, ret);
    give_back(lazy_of(hub), o);
    return err;
}

static enum err lazy_remove(struct hub *hub, struct call *call)
{
    struct opened *o;
    enum err err = use(lazy_of(hub), call, &o);

    if (err != OK)
        return err;
    err = hub_remove(o->hub, call);
    give_back(lazy_of(hub), o);
    if (err == OK)
        let_go(lazy_of(hub));
    return err;
}

static void lazy_stats(struct hub *hub, struct hub_stats *ret)
{
    struct lazy *l = lazy_of(hub);

    lock_take(&l->lock);
    struct opened *o = l->current;
    struct hub_stats now;
    *ret = l->past;
    if (o)
        o->users++;
    lock_drop(&l->lock);
    if (!o)
        return;
    hub_stats(o->hub, &now);
    add_stats(ret, &now);
    give_back(l, o);
}

/* Whatever was discovered may be another hub by now. */
static void lazy_forget(struct hub *hub)
{
    let_go(lazy_of(hub));
}

static const struct hub_ops lazy_ops = {
    .close = lazy_close,
    .list = lazy_list,
    .get = lazy_get,
    .history = lazy_history,
    .span = lazy_span,
    .histories = lazy_histories,
    .payload = lazy_payload,
    .send = lazy_send,
    .purge = lazy_purge,
    .inspect = lazy_inspect,
    .remove = lazy_remove,
    .stats = lazy_stats,
    .forget = lazy_forget,
};

struct hub *lazy_new(struct str hub, const struct lazy_settings *settings)
{
    struct lazy *l = calloc(1, sizeof(*l));

    if (!l || hub.len >= sizeof(l->hub.name)) {
        free(l);
        return NULL;
    }
    l->settings = *settings;
    l->ops = lazy_ops;
    l->ops.scheme = settings->scheme;
    l->ops.caps = settings->caps;
    l->hub.ops = &l->ops;
    snprintf(l->hub.name, sizeof(l->hub.name), STR_FMT, STR_ARG(hub));
    snprintf(l->hub.account, sizeof(l->hub.account), "%s", settings->account);
    lock_init(&l->lock, RANK_HUB);
    return &l->hub;
}
