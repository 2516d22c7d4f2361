#include <stdlib.h>

#include "backend/catalogue_private.h"

#define ENTRY_BYTES (sizeof(struct entry) + 64) /* and its place in the map */

struct str entry_id(const struct entry *e)
{
    return (struct str){ e->id, e->id_len };
}

bool same_version(const struct instance *a, const struct instance *b)
{
    return a && b && a->row.stamp != TICKS_NONE && a->row.stamp == b->row.stamp &&
           str_eq(a->execution_id, b->execution_id);
}

/* -- order of use -- */

static void unlink_locked(struct catalogue *c, struct entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void push_locked(struct catalogue *c, struct entry *e)
{
    e->older = c->newest;
    e->newer = NULL;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

struct entry *entry_find_locked(struct catalogue *c, struct str id)
{
    struct entry *e = map_get(&c->entries, id);
    if (e && e != c->newest) {
        unlink_locked(c, e);
        push_locked(c, e);
    }
    return e;
}

struct entry *entry_make_locked(struct catalogue *c, struct str id)
{
    struct entry *e = entry_find_locked(c, id);
    if (e)
        return e;
    e = calloc(1, sizeof *e + id.len + 1);
    if (!e)
        return NULL;
    if (id.len)
        memcpy(e->id, id.p, id.len);
    e->id_len = id.len;
    if (map_set(&c->entries, id, e) != OK) {
        free(e);
        return NULL;
    }
    push_locked(c, e);
    entry_weigh_locked(c, e);
    return e;
}

/* -- content -- */

static void drop_parts(struct entry *e)
{
    e->input = text_unref(e->input);
    e->output = text_unref(e->output);
    e->custom = text_unref(e->custom);
    e->history = history_unref(e->history);
    e->resolved = false;
}

static size_t text_bytes(const struct text *t)
{
    return t ? sizeof *t + t->len : 0;
}

void entry_weigh_locked(struct catalogue *c, struct entry *e)
{
    size_t bytes = ENTRY_BYTES + 2 * e->id_len;
    if (e->in)
        bytes += sizeof *e->in + e->in->arena.total;
    bytes += text_bytes(e->input) + text_bytes(e->output) + text_bytes(e->custom);
    if (e->history)
        bytes += sizeof *e->history + e->history->arena.total +
                 e->history->count * 2 * sizeof *e->history->events;
    c->bytes += bytes - e->bytes;
    if (ahead_is_unused(e))
        c->ahead.bytes += bytes - e->bytes;
    e->bytes = bytes;
}

void entry_set_dirty_locked(struct catalogue *c, struct entry *e)
{
    struct shelf *s = shelf_of_id(c, entry_id(e));
    if (e->dirty || (!s->current && !s->next))
        return; /* no listing: nothing that could lack it */
    e->dirty = true;
    *(s->dirty ? &s->dirty_last->next_dirty : &s->dirty) = e;
    s->dirty_last = e;
    __atomic_store_n(&s->n_dirty, s->n_dirty + 1, __ATOMIC_RELEASE);
}

struct entry *entry_next_dirty_locked(struct shelf *s)
{
    struct entry *e = s->dirty;
    if (!e)
        return NULL;
    s->dirty = e->next_dirty;
    __atomic_store_n(&s->n_dirty, s->n_dirty - 1, __ATOMIC_RELEASE);
    e->next_dirty = NULL;
    e->dirty = false;
    return e;
}

/* Does the listing say the same already? */
static bool is_listed_locked(struct catalogue *c, const struct entry *e)
{
    struct row row;
    struct listing *l;
    bool listed = shelf_find_locked(c, entry_id(e), &l, &row);
    if (!e->in)
        return !listed;
    return listed && row.stamp == e->in->row.stamp && row.stamp != TICKS_NONE;
}

void entry_learn_locked(struct catalogue *c, struct entry *e, struct instance *in, seq read,
                        int64_t read_ms)
{
    if (read < e->read) {
        instance_unref(in); /* a younger reading was faster */
        return;
    }
    news_read_locked(c, e, in);
    if (!same_version(e->in, in))
        drop_parts(e);
    instance_unref(e->in);
    e->in = in;
    e->gone = !in;
    e->read = read;
    e->read_ms = read_ms;
    bool listed = is_listed_locked(c, e);
    if (in) {
        if (!str_eq(in->row.key, in->row.id) && key_learn_locked(c, in->row.id, in->row.key) != OK)
            listed = true; /* without memory for its key it stays out of the listing */
        if (!e->slot)
            e->slot = slot_of_locked(c, entry_id(e));
    } else {
        slot_retire_locked(c, entry_id(e));
        e->slot = 0;
    }
    if (!listed)
        entry_set_dirty_locked(c, e);
    entry_weigh_locked(c, e);
}

/* -- budget -- */

bool entry_is_held(const struct entry *e)
{
    if (e->pins)
        return true;
    for (int f = 0; f < FLY_KINDS; f++)
        if (e->flights[f])
            return true;
    return false;
}

static void entry_free(struct entry *e)
{
    drop_parts(e);
    instance_unref(e->in);
    free(e);
}

static void remove_locked(struct catalogue *c, struct entry *e)
{
    unlink_locked(c, e);
    ahead_leave_locked(c, e);
    (void)map_del(&c->entries, entry_id(e));
    c->bytes -= e->bytes;
    if (e->changed > c->lost)
        c->lost = e->changed;
    if (e->touched > c->lost)
        c->lost = e->touched;
    entry_free(e);
}

/* All caches together keep to the limit (L13); a full listing must not starve the details. */
size_t entries_budget_locked(struct catalogue *c)
{
    size_t max = c->settings.cache_max_bytes, listings = 0;
    for (int i = 0; i < 2; i++)
        if (c->shelves[i].current)
            listings += listing_bytes(c->shelves[i].current);
    return listings < max - max / 8 ? max - listings : max / 8;
}

void entry_drop_locked(struct catalogue *c, struct entry *e)
{
    if (!e->dirty) {
        remove_locked(c, e);
        return;
    }
    drop_parts(e); /* the listing still has to learn what the rest says */
    ahead_leave_locked(c, e);
    entry_weigh_locked(c, e);
}

static void trim_to_locked(struct catalogue *c, size_t max)
{
    for (struct entry *e = c->oldest, *newer; e && c->bytes > max; e = newer) {
        newer = e->newer;
        if (!entry_is_held(e) && e != c->newest) /* that is what somebody is about to look at */
            entry_drop_locked(c, e);
    }
}

static void clean_locked(struct shelf *s)
{
    while (entry_next_dirty_locked(s))
        ;
}

void entries_trim_locked(struct catalogue *c)
{
    size_t max = entries_budget_locked(c);
    if (c->bytes <= max)
        return;
    trim_to_locked(c, max);
    if (c->bytes <= max || (!c->shelves[0].dirty && !c->shelves[1].dirty))
        return;
    /* So many changes and nobody has opened a listing since: who does will read it anew. */
    for (int i = 0; i < 2; i++) {
        c->shelves[i].renew_fully = c->shelves[i].renew_fully || c->shelves[i].dirty;
        clean_locked(&c->shelves[i]);
    }
    trim_to_locked(c, max);
}

void entries_forget_locked(struct catalogue *c)
{
    clean_locked(&c->shelves[0]);
    clean_locked(&c->shelves[1]);
    seq now = ++c->clock;
    c->lost = now; /* what is being read now began before */
    for (struct entry *e = c->oldest, *newer; e; e = newer) {
        newer = e->newer;
        if (!entry_is_held(e)) {
            remove_locked(c, e);
            continue;
        }
        e->changed = now;
        drop_parts(e);
        entry_weigh_locked(c, e);
    }
}

void entries_free(struct catalogue *c)
{
    for (struct entry *e = c->oldest, *newer; e; e = newer) {
        newer = e->newer;
        entry_free(e);
    }
    map_fini(&c->entries);
}
