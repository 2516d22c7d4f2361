/* When a listing is read: the first time by a thread of its own, so that whoever interrupts his ls
 * does not stop it for the others; later by whoever opens a directory and finds it too old; and for
 * deletions once in a while by another thread, since a pass over all keys takes long. */
#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "backend/catalogue_private.h"

struct shelf *shelf_of_id(struct catalogue *c, struct str id)
{
    return &c->shelves[id_is_entity(id) ? 1 : 0];
}

bool shelf_find_locked(struct catalogue *c, struct str id, struct listing **ret_listing,
                       struct row *ret)
{
    const struct shelf *s = shelf_of_id(c, id);
    struct listing *l = s->current ? s->current : s->next;
    struct row row;
    if (!l || !listing_find(l, key_of_locked(c, id), &row) || !str_eq(row.id, id))
        return false;
    *ret_listing = l;
    *ret = row;
    return true;
}

/* -- the first reading -- */

static void note_pass_locked(struct shelf *s, const struct pass *p)
{
    int64_t took = clock_now_ms() - p->begun_ms;
    if (p->seen > s->seen)
        s->seen = p->seen;
    /* A row may have changed right behind a slow pass, with a stamp far below the largest seen. */
    s->overlap_ms = OVERLAP_MS + took;
    s->took_ms = p->full && hub_can(s->c->hub, CAP_CHANGES) ? 0 : took;
    if (p->full)
        s->swept_ms = p->begun_ms;
}

static struct listing *load_end_locked(struct shelf *s, const struct pass *p, enum err err)
{
    struct listing *next = s->next, *before = s->before;
    s->next = NULL;
    s->load.live = false;
    if (err != OK) {
        listing_fail(next, &s->load.call);
        return next;
    }
    listing_complete(next);
    s->current = next;
    s->before = NULL;
    slots_settled_locked(s->c, next);
    note_pass_locked(s, p);
    s->c->refreshes++;
    return before;
}

static void *load_main(void *arg)
{
    struct shelf *s = arg;
    struct catalogue *c = s->c;
    struct pass p = { .shelf = s, .call = &s->load.call, .seen = TICKS_NONE };
    lock_take(&c->lock);
    CLEANUP(listing_unref) struct listing *next = listing_ref(s->next);
    CLEANUP(listing_unref) struct listing *before = listing_ref(s->before);
    p.begun = s->pass;
    p.begun_ms = listing_as_of_ms(next);
    lock_drop(&c->lock);

    carry_begin(&p.carry, before);
    enum err err = pass_read_all(&p, next);
    /* Readers follow `next` already. It is told before the end, since who begins the next load
     * joins this thread with the lock held: after the end it must not want the lock again. */
    if (err == OK)
        news_between(c, before, next);

    lock_take(&c->lock);
    struct listing *done_with = load_end_locked(s, &p, err);
    lock_drop(&c->lock);
    listing_unref(done_with);
    pass_fini(&p);
    return NULL;
}

static enum err load_begin_locked(struct shelf *s, struct call *call)
{
    struct listing *next = listing_new(clock_now_ms());
    if (!next)
        return call_fail(call, ERR_NO_MEMORY, "no memory for a listing");
    s->next = next;
    s->pass = ++s->c->clock;
    s->renew_fully = false;
    enum err err = worker_start(&s->load, load_main, s, call);
    if (err != OK)
        s->next = listing_unref(next);
    return err;
}

/* Waits until the first names are there, or the end. */
static enum err await_first(struct listing *l, struct call *call)
{
    static const struct listing_filter all = { .kind = FILTER_ALL };
    uint64_t cursor = 0;
    struct row row;
    bool more;
    return listing_next(l, call, &all, &cursor, &row, &more);
}

/* -- renewal by whoever needs it -- */

static enum err read_fully(struct pass *p)
{
    struct shelf *s = p->shelf;
    CLEANUP(listing_unref) struct listing *rebuilt = listing_new(p->begun_ms);
    if (!rebuilt)
        return call_fail(p->call, ERR_NO_MEMORY, "no memory for a listing");
    lock_take(&s->c->lock);
    s->rebuilt = rebuilt; /* lookups find numbers in it that were given a moment ago */
    lock_drop(&s->c->lock);
    carry_begin(&p->carry, p->base);
    enum err err = pass_read_all(p, rebuilt);
    if (err == OK) {
        listing_complete(rebuilt);
        err = pass_adopt(p);
    }
    lock_take(&s->c->lock);
    s->rebuilt = NULL;
    lock_drop(&s->c->lock);
    return err;
}

static enum err renew(struct shelf *s, struct call *call)
{
    struct pass p;
    pass_begin(&p, s, call);
    lock_take(&s->c->lock);
    bool demanded = s->renew_fully; /* may be demanded again while we read */
    s->renew_fully = false;
    bool fully = demanded || s->seen == TICKS_NONE || !hub_can(s->c->hub, CAP_CHANGES);
    ticks since = fully ? TICKS_NONE : s->seen - s->overlap_ms * (TICKS_PER_SEC / 1000);
    lock_drop(&s->c->lock);

    enum err err = fully ? read_fully(&p) : pass_read_changes(&p, since);
    if (err == OK && !fully)
        err = pass_adopt(&p);
    lock_take(&s->c->lock);
    if (err == OK) {
        note_pass_locked(s, &p);
        s->c->refreshes++;
    } else if (demanded) {
        s->renew_fully = true;
    }
    lock_drop(&s->c->lock);
    pass_fini(&p);
    return err;
}

/* Own changes that nobody has read since; more than REREADS_MAX: one more than that. */
static size_t unread_locked(struct shelf *s, struct text *ret[REREADS_MAX])
{
    size_t n = 0;
    for (const struct entry *e = s->dirty; e && n <= REREADS_MAX; e = e->next_dirty) {
        if (e->changed <= e->read)
            continue;
        if (n < REREADS_MAX)
            ret[n] = text_new(entry_id(e));
        n++;
    }
    return n;
}

static enum err reread(struct catalogue *c, struct call *call, struct str id)
{
    CLEANUP(instance_unref) struct instance *in = NULL;
    bool asked;
    enum err err = instance_fetch(c, call, id, INT64_MAX, &in, &asked);
    return err == ERR_NOT_FOUND ? OK : err; /* that is an answer too, and learned */
}

/* Puts what is dirty into the listing without reading it all again. */
static enum err settle(struct shelf *s, struct call *call)
{
    struct text *ids[REREADS_MAX] = { NULL };
    lock_take(&s->c->lock);
    size_t n = unread_locked(s, ids);
    lock_drop(&s->c->lock);
    enum err err = OK;
    for (size_t i = 0; i < REREADS_MAX; i++) {
        if (ids[i] && err == OK && n <= REREADS_MAX)
            err = reread(s->c, call, text_str(ids[i]));
        text_unref(ids[i]);
    }
    if (n > REREADS_MAX)
        return renew(s, call);
    if (err != OK)
        return err;
    struct pass p = { .shelf = s, .call = call, .seen = TICKS_NONE };
    return pass_adopt(&p);
}

/* -- deletions made elsewhere -- */

static void sweep_adopt(struct pass *p)
{
    struct shelf *s = p->shelf;
    struct flight *mine = NULL;
    enum err err = OK;
    lock_take(&s->c->lock);
    while (s->renewal && err == OK)
        err = flight_wait(s->renewal, &s->c->lock, p->call);
    if (!s->renewal && (mine = flight_new()))
        s->renewal = mine;
    lock_drop(&s->c->lock);
    if (!mine)
        return; /* the next sweep finds the same */
    err = pass_adopt(p);
    lock_take(&s->c->lock);
    s->renewal = NULL;
    flight_land(mine, err, p->call);
    lock_drop(&s->c->lock);
}

static void *sweep_main(void *arg)
{
    struct shelf *s = arg;
    struct pass p;
    pass_begin(&p, s, &s->sweep.call);
    enum err err = p.base ? pass_read_keys(&p) : OK;
    int64_t took = clock_now_ms() - p.begun_ms;
    if (err == OK && p.n_gone)
        sweep_adopt(&p);
    if (err != OK)
        log_debug("looking for deleted instances: %s: %s", err_name(err), p.call->text);
    lock_take(&s->c->lock);
    s->sweep_took_ms = took;
    s->sweep.live = false;
    lock_drop(&s->c->lock);
    pass_fini(&p);
    return NULL;
}

static int64_t at_least(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void sweep_if_due_locked(struct shelf *s)
{
    int64_t now = clock_now_ms();
    int64_t period = at_least(s->c->sweep_ms, STRETCH * s->sweep_took_ms);
    if (s->sweep.live || !hub_can(s->c->hub, CAP_CHANGES) || now - s->swept_ms < period)
        return; /* without CAP_CHANGES every renewal sees everything */
    s->swept_ms = now;
    struct call call;
    call_init_local(&call);
    if (worker_start(&s->sweep, sweep_main, s, &call) != OK)
        log_debug("%s", call.text); /* the next opened directory tries again */
}

/* -- opening -- */

enum step { STEP_READY, STEP_FOLLOW, STEP_LOAD, STEP_RENEW, STEP_SETTLE };

static enum step step_locked(const struct shelf *s, int64_t asked_ms, bool settled)
{
    if (!s->current)
        return s->next ? STEP_FOLLOW : STEP_LOAD;
    int64_t period = at_least(s->c->settings.ttl_ms, STRETCH * s->took_ms);
    if (s->renew_fully || asked_ms - listing_as_of_ms(s->current) > period)
        return STEP_RENEW;
    return s->dirty && !settled ? STEP_SETTLE : STEP_READY;
}

/* Leads the renewal, or waits for who does: then *ret_done is false. */
static enum err renew_once(struct shelf *s, struct call *call, enum step step, bool *ret_done)
{
    struct flight *mine = NULL;
    lock_take(&s->c->lock);
    *ret_done = false;
    enum err err = OK;
    if (s->renewal)
        err = flight_wait(s->renewal, &s->c->lock, call);
    else if ((mine = flight_new()))
        s->renewal = mine;
    else
        err = call_fail(call, ERR_NO_MEMORY, "no memory to renew the listing");
    lock_drop(&s->c->lock);
    if (!mine)
        return err;

    err = step == STEP_RENEW ? renew(s, call) : settle(s, call);
    lock_take(&s->c->lock);
    s->renewal = NULL;
    flight_land(mine, err, call);
    entries_trim_locked(s->c);
    lock_drop(&s->c->lock);
    *ret_done = err == OK;
    return err;
}

/* One look under the lock: READY gives the listing, FOLLOW one that loads, begun here if need be
 * (it may fail before we look again, and then that is our error, not a reason to begin another). */
static enum step look(struct shelf *s, struct call *call, int64_t asked_ms, bool settled,
                      struct listing **ret, enum err *ret_err)
{
    LOCK_SCOPE(&s->c->lock);
    enum step step = step_locked(s, asked_ms, settled);
    *ret_err = OK;
    if (step == STEP_LOAD && !call->local) {
        *ret_err = load_begin_locked(s, call);
        step = STEP_FOLLOW;
    }
    if (step == STEP_FOLLOW)
        *ret = listing_ref(s->next);
    else if (step == STEP_READY) {
        *ret = listing_ref(s->current);
        if (!call->local)
            sweep_if_due_locked(s);
    }
    return step;
}

enum err shelf_open(struct shelf *s, struct call *call, struct listing **ret)
{
    int64_t asked_ms = clock_now_ms();
    bool settled = false, done;
    for (;;) {
        struct listing *l = NULL;
        enum err err;
        enum step step = look(s, call, asked_ms, settled, &l, &err);
        if (step == STEP_FOLLOW && err == OK)
            err = await_first(l, call);
        if (err == OK && l) {
            *ret = l;
            return OK;
        }
        listing_unref(l);
        if (err == OK && call->local)
            return ERR_WOULD_BLOCK;
        if (err == OK && (step == STEP_RENEW || step == STEP_SETTLE)) {
            err = renew_once(s, call, step, &done);
            settled = settled || done;
        }
        if (err != OK)
            return err;
    }
}

/* -- the end -- */

void shelf_forget_locked(struct shelf *s)
{
    if (s->sweep.live)
        call_cancel(&s->sweep.call);
    if (s->next) /* whoever reads along reads on; whoever opens it when complete wants a new one */
        s->renew_fully = true;
    if (!s->current)
        return;
    listing_unref(s->before);
    s->before = s->current;
    s->current = NULL;
    s->seen = TICKS_NONE;
}

void shelf_end(struct shelf *s)
{
    worker_end(&s->load);
    worker_end(&s->sweep);
}

void shelf_fini(struct shelf *s)
{
    s->current = listing_unref(s->current);
    s->next = listing_unref(s->next);
    s->before = listing_unref(s->before);
}
