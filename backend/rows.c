/* One instance's row: from the listing, from what was read of it alone, or by asking. */
#include "backend/base/limits.h"
#include "backend/catalogue_private.h"

/* What the caches say of an id, and how old that is. */
struct sight {
    struct entry *e;         /* NULL = none */
    struct listing *listing; /* has the row; NULL = it does not, or not since we changed it */
    struct row listed;
    seq pass; /* of the listing */
    int64_t as_of_ms;
    bool missing; /* a complete listing that is younger than the entry lacks it */
};

enum look { LOOK_FOUND, LOOK_ABSENT, LOOK_ASK };

/* What is asked of the row. */
struct question {
    struct str id;
    int64_t asked_ms, max_age_ms;
    bool whole;               /* the instance with its cells, a row will not do */
    const struct call *walks; /* it may be one of many that this call asks for; NULL = no */
};

static void see_locked(struct catalogue *c, struct str id, struct sight *ret)
{
    const struct shelf *s = shelf_of_id(c, id);
    *ret = (struct sight){ .e = entry_find_locked(c, id), .pass = s->pass };
    seq changed = ret->e ? ret->e->changed : 0;
    if (shelf_find_locked(c, id, &ret->listing, &ret->listed)) {
        if (s->pass < changed)
            ret->listing = NULL;
        else
            ret->as_of_ms = listing_as_of_ms(ret->listing);
    } else {
        ret->missing = s->current && ret->e && s->pass > ret->e->read;
    }
}

static bool young_enough(const struct question *q, const struct row *row, int64_t known_ms)
{
    int64_t limit = q->max_age_ms;
    if (row_is_finished(row) && limit < TTL_FINISHED_MS)
        limit = TTL_FINISHED_MS;
    return q->asked_ms - known_ms <= limit;
}

/* We sent a message since it was read: its age no longer tells how true it is. */
static bool is_touched(const struct question *q, const struct entry *e, seq known)
{
    return e && e->touched > known && q->max_age_ms != INT64_MAX;
}

static enum look look_at_listing(const struct question *q, const struct sight *s,
                                 struct row_hold *ret)
{
    if (!s->listing || q->whole || is_touched(q, s->e, s->pass) ||
        !young_enough(q, &s->listed, s->as_of_ms))
        return LOOK_ASK;
    *ret = (struct row_hold){ .row = s->listed,
                              .known_ms = s->as_of_ms,
                              .listing = listing_ref(s->listing) };
    return LOOK_FOUND;
}

static enum look look_at_instance(struct catalogue *c, const struct question *q,
                                  const struct sight *s, struct row_hold *ret)
{
    struct entry *e = s->e;
    seq known = e->read;
    int64_t known_ms = e->read_ms;
    if (s->listing && s->listed.stamp > e->in->row.stamp)
        return look_at_listing(q, s, ret);
    if (s->listing && s->listed.stamp == e->in->row.stamp && s->as_of_ms > known_ms) {
        known = s->pass > known ? s->pass : known; /* confirmed since */
        known_ms = s->as_of_ms;
    }
    if (s->missing || is_touched(q, e, known) || !young_enough(q, &e->in->row, known_ms))
        return LOOK_ASK;
    *ret = (struct row_hold){ .row = e->in->row,
                              .known_ms = known_ms,
                              .instance = instance_ref(e->in) };
    ret->row.slot = e->slot;
    if (q->walks)
        ahead_hit_locked(c, q->walks, e, AHEAD_CELLS);
    return LOOK_FOUND;
}

static enum look look_locked(struct catalogue *c, const struct question *q, struct row_hold *ret)
{
    struct sight s;
    see_locked(c, q->id, &s);
    bool known = s.e && s.e->read > s.e->changed;
    if (known && s.e->gone) {
        if (q->asked_ms - s.e->read_ms <= TTL_NEGATIVE_MS)
            return LOOK_ABSENT;
        return s.pass > s.e->read ? look_at_listing(q, &s, ret) : LOOK_ASK;
    }
    return known && s.e->in ? look_at_instance(c, q, &s, ret) : look_at_listing(q, &s, ret);
}

/* -- asking -- */

enum err entry_lead_locked(struct catalogue *c, struct entry *e, enum flying what,
                           struct call *call, struct flight **ret_mine)
{
    *ret_mine = NULL;
    e->pins++;
    enum err err = OK;
    if (e->flights[what])
        err = flight_wait(e->flights[what], &c->lock, call);
    else if (!(*ret_mine = e->flights[what] = flight_new()))
        err = call_fail(call, ERR_NO_MEMORY, "no memory for a request");
    e->pins--;
    return err;
}

void entry_land_locked(struct catalogue *c, struct entry *e, enum flying what, struct flight *mine,
                       enum err err, const struct call *call)
{
    e->flights[what] = NULL;
    flight_land(mine, err, call);
    entries_trim_locked(c);
}

/* Reads as the leader; the lock is given up meanwhile. */
static enum err read_row_locked(struct catalogue *c, struct call *call, struct entry *e,
                                struct flight *mine)
{
    struct str key = text_str(map_get(&c->keys, entry_id(e))); /* kept as long as the catalogue */
    seq begun = ++c->clock;
    int64_t begun_ms = clock_now_ms();
    struct instance *in = NULL;
    lock_drop(&c->lock);
    /* The whole row: one request either way, and the files read next are made of it. */
    enum err err = hub_get(c->hub, call, entry_id(e), key, NEED_CELLS, &in);
    lock_take(&c->lock);
    if (err == OK || err == ERR_NOT_FOUND) {
        entry_learn_locked(c, e, err == OK ? in : NULL, begun, begun_ms);
        err = OK;
    }
    entry_land_locked(c, e, FLY_ROW, mine, err, call);
    return err;
}

/* Reads an instance afresh, or waits for who does so. OK: look again. */
static enum err fetch_row_locked(struct catalogue *c, struct call *call, struct str id)
{
    struct flight *mine;
    struct entry *e = entry_make_locked(c, id);
    if (!e)
        return call_fail(call, ERR_NO_MEMORY, "no memory for an instance");
    enum err err = entry_lead_locked(c, e, FLY_ROW, call, &mine);
    return err == OK && mine ? read_row_locked(c, call, e, mine) : err;
}

void count_use_locked(struct catalogue *c, bool asked)
{
    *(asked ? &c->misses : &c->hits) += 1;
}

/* Between a reading and the look at it the lock is kept: the entry cannot go. */
static enum err answer(struct catalogue *c, struct call *call, const struct question *q,
                       struct row_hold *ret, bool *ret_asked)
{
    struct ahead_wait wait = { 0 };
    LOCK_SCOPE(&c->lock);
    *ret_asked = false;
    for (;;) {
        enum look look = look_locked(c, q, ret);
        if (look == LOOK_FOUND)
            return OK;
        if (look == LOOK_ABSENT)
            return call_fail(call, ERR_NOT_FOUND, "there is no such instance");
        if (call->local)
            return ERR_WOULD_BLOCK;
        *ret_asked = true;
        bool again = false;
        enum err err = OK;
        if (q->walks)
            err = ahead_await_locked(c, call, q->id, AHEAD_CELLS, &wait, &again);
        if (err == OK && !again)
            err = fetch_row_locked(c, call, q->id);
        if (err != OK)
            return err;
    }
}

static enum err fetch(struct catalogue *c, struct call *call, const struct question *q,
                      struct instance **ret, bool *ret_asked)
{
    struct row_hold hold = { 0 };
    enum err err = answer(c, call, q, &hold, ret_asked);
    if (err == OK)
        *ret = hold.instance;
    return err;
}

enum err instance_fetch(struct catalogue *c, struct call *call, struct str id, int64_t max_age_ms,
                        struct instance **ret, bool *ret_asked)
{
    struct question q = { id, clock_now_ms(), max_age_ms, .whole = true };
    return fetch(c, call, &q, ret, ret_asked);
}

enum err instance_fetch_walking(struct catalogue *c, struct call *call, struct str id,
                                int64_t max_age_ms, struct instance **ret, bool *ret_asked)
{
    struct question q = { id, clock_now_ms(), max_age_ms, .whole = true, .walks = call };
    return fetch(c, call, &q, ret, ret_asked);
}

enum err catalogue_row(struct catalogue *c, struct call *call, struct str id, int64_t max_age_ms,
                       struct row_hold *ret)
{
    struct question q = { id, clock_now_ms(), max_age_ms, .whole = false };
    struct row_hold hold = { 0 };
    bool asked;
    enum err err = answer(c, call, &q, &hold, &asked);
    if (err == ERR_WOULD_BLOCK)
        return err;
    lock_take(&c->lock);
    count_use_locked(c, asked);
    lock_drop(&c->lock);
    if (err == OK)
        *ret = hold;
    return err;
}

void row_hold_fini(struct row_hold *h)
{
    h->listing = listing_unref(h->listing);
    h->instance = instance_unref(h->instance);
}
