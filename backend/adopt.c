/* A pass becomes the current listing: what it found, and what single readings and our own changes
 * have taught meanwhile (the dirty entries). Of two readings of one row the one with the larger
 * stamp counts; of a row and "not there" the one that began later. */
#include <stdlib.h>

#include "backend/base/grow.h"
#include "backend/catalogue_private.h"
#include "backend/listing_build.h"

#define PORTION 256 /* entries that are looked at before the lock is given up for a moment */

/* What is to be done to a listing, with everything its text lives in. */
struct edit {
    struct row *rows;
    size_t n_rows, cap_rows;
    struct str *gone, *gone_ids; /* keys, and whose they are */
    size_t n_gone, cap_gone, cap_ids;
    struct instance **held;
    size_t n_held, cap_held;
    struct arena arena;
    bool failed; /* no memory */
};

static void edit_fini(struct edit *e)
{
    for (size_t i = 0; i < e->n_held; i++)
        instance_unref(e->held[i]);
    free(e->held);
    free(e->rows);
    free(e->gone);
    free(e->gone_ids);
    arena_fini(&e->arena);
}

/* Room for one more of size bytes; the array's new address, or NULL. */
static void *room(struct edit *e, void *array, size_t n, size_t *cap, size_t size)
{
    void *grown = grow(array, n, cap, size);
    if (!grown)
        e->failed = true;
    return grown;
}

static void edit_put(struct edit *e, const struct row *row)
{
    struct row *rows = room(e, e->rows, e->n_rows, &e->cap_rows, sizeof *rows);
    if (!rows)
        return;
    e->rows = rows;
    e->rows[e->n_rows++] = *row;
}

static struct str edit_copy(struct edit *e, struct str s)
{
    struct str copy = arena_str(&e->arena, s);
    if (!copy.p && s.len)
        e->failed = true;
    return copy;
}

static void edit_drop(struct edit *e, struct str key, struct str id)
{
    struct str *gone = room(e, e->gone, e->n_gone, &e->cap_gone, sizeof *gone);
    if (!gone)
        return;
    e->gone = gone;
    struct str *ids = room(e, e->gone_ids, e->n_gone, &e->cap_ids, sizeof *ids);
    if (!ids)
        return;
    e->gone_ids = ids;
    e->gone[e->n_gone] = edit_copy(e, key);
    e->gone_ids[e->n_gone] = edit_copy(e, id);
    e->n_gone++;
}

static void edit_put_entry(struct edit *e, const struct entry *entry)
{
    struct instance **held = room(e, e->held, e->n_held, &e->cap_held, sizeof(struct instance *));
    if (!held)
        return;
    e->held = held;
    e->held[e->n_held++] = instance_ref(entry->in);
    struct row row = entry->in->row;
    row.slot = entry->slot;
    edit_put(e, &row);
}

/* -- rows of the pass -- */

static bool is_known(struct listing *onto, const struct row *row)
{
    struct row old;
    return row->stamp != TICKS_NONE && listing_find(onto, row->key, &old) &&
           old.stamp == row->stamp;
}

/* A number of its own for a row that is new to the listing, kept findable until it is listed. */
static void number_row_locked(struct catalogue *c, struct listing *onto, struct row *row)
{
    struct row old;
    uintptr_t remembered = (uintptr_t)map_get(&c->slots, row->id);
    if (remembered)
        row->slot = (uint32_t)remembered;
    else if (listing_find(onto, row->key, &old))
        row->slot = 0; /* the merge keeps what it had */
    else
        row->slot = slot_of_locked(c, row->id);
}

static void edit_row_locked(struct edit *e, const struct pass *p, struct listing *onto,
                            struct row *row)
{
    struct catalogue *c = p->shelf->c;
    const struct entry *entry = map_get(&c->entries, row->id);
    if (entry && entry->gone && entry->read > p->begun)
        return;
    if (entry && entry->in && entry->in->row.stamp > row->stamp) {
        edit_put_entry(e, entry);
        return;
    }
    if (is_known(onto, row))
        return;
    if (key_learn_locked(c, row->id, row->key) != OK) {
        e->failed = true;
        return;
    }
    number_row_locked(c, onto, row);
    edit_put(e, row);
}

static void edit_blocks(struct edit *e, const struct pass *p, struct listing *onto)
{
    for (size_t k = 0; k < p->n_blocks; k++) {
        LOCK_SCOPE(&p->shelf->c->lock); /* block by block: readers get their turn */
        for (size_t i = 0; i < block_count(p->blocks[k]); i++) {
            struct row row;
            block_row(p->blocks[k], i, &row);
            edit_row_locked(e, p, onto, &row);
        }
    }
}

/* A key that the sweep missed counts only if nobody has seen the row since. */
static void edit_gone(struct edit *e, const struct pass *p, struct listing *onto)
{
    for (size_t i = 0; i < p->n_gone; i++) {
        LOCK_SCOPE(&p->shelf->c->lock);
        struct row now;
        const struct entry *entry = map_get(&p->shelf->c->entries, p->gone[i].id);
        if (entry && entry->in && entry->read > p->begun)
            continue;
        if (listing_find(onto, p->gone[i].key, &now) && now.stamp == p->gone[i].stamp)
            edit_drop(e, p->gone[i].key, p->gone[i].id);
    }
}

/* -- dirty entries -- */

static bool find_in_pass(const struct pass *p, struct str key)
{
    size_t at = block_of_key(p->blocks, p->n_blocks, key);
    if (at == p->n_blocks)
        return false;
    size_t i = block_lower_bound(p->blocks[at], key);
    return i < block_count(p->blocks[at]) && str_eq(block_key(p->blocks[at], i), key);
}

/* Deleted and empty entities have a row and are not listed (storage tables 9.4). */
static bool is_unlisted(const struct instance *in)
{
    if (!id_is_entity(in->row.id))
        return false;
    struct arena arena;
    struct entity_state state;
    arena_init(&arena);
    struct str custom = in->custom_status.kind == CELL_TEXT ? in->custom_status.text : STR_NONE;
    entity_state_read_status(&state, custom, &arena);
    bool empty = state.empty && in->custom_status.kind != CELL_REF;
    arena_fini(&arena);
    return empty;
}

static void edit_present(struct edit *e, const struct pass *p, struct listing *onto,
                         const struct entry *entry)
{
    const struct row *row = &entry->in->row;
    struct row old;
    if (find_in_pass(p, row->key))
        return; /* compared there */
    bool there = listing_find(onto, row->key, &old);
    if (there && row->stamp != TICKS_NONE && old.stamp >= row->stamp)
        return;
    if (!there && p->full && entry->read < p->begun)
        return; /* everything was read since, and it was not there */
    edit_put_entry(e, entry);
}

static void edit_absent_locked(struct edit *e, const struct pass *p, struct listing *onto,
                               const struct entry *entry)
{
    struct str key = entry->in ? entry->in->row.key : key_of_locked(p->shelf->c, entry_id(entry));
    struct row old;
    if (p->reads_rows && entry->read < p->begun && (p->full || find_in_pass(p, key)))
        return; /* read since: what the pass says counts */
    if (listing_find(onto, key, &old))
        edit_drop(e, key, entry_id(entry));
}

/* False: what we changed is not known yet, it stays dirty. */
static bool edit_dirty_locked(struct edit *e, const struct pass *p, struct listing *onto,
                              const struct entry *entry)
{
    if (entry->changed > entry->read)
        return p->reads_rows && p->begun > entry->changed;
    if (entry->in && !is_unlisted(entry->in))
        edit_present(e, p, onto, entry);
    else
        edit_absent_locked(e, p, onto, entry);
    return true;
}

/* What becomes dirty meanwhile, or stays it, queues behind and is not waited for. */
static void edit_dirty(struct edit *e, const struct pass *p, struct listing *onto)
{
    struct shelf *s = p->shelf;
    lock_take(&s->c->lock);
    size_t left = s->n_dirty;
    for (struct entry *entry; left && (entry = entry_next_dirty_locked(s)); left--) {
        if (!edit_dirty_locked(e, p, onto, entry))
            entry_set_dirty_locked(s->c, entry);
        if (left % PORTION == 0) { /* readers get their turn */
            lock_drop(&s->c->lock);
            lock_take(&s->c->lock);
        }
    }
    lock_drop(&s->c->lock);
}

/* -- the swap -- */

static struct listing *build(const struct pass *p, struct listing *onto, const struct edit *e)
{
    int64_t as_of = p->reads_rows ? p->begun_ms : listing_as_of_ms(onto);
    if (!e->n_rows && !e->n_gone)
        return listing_ref(onto);
    return listing_merge(onto, e->rows, e->n_rows, e->gone, e->n_gone, as_of);
}

static void settle_slots_locked(struct pass *p, struct listing *built, const struct edit *e)
{
    struct catalogue *c = p->shelf->c;
    if (p->full)
        slots_settled_locked(c, built);
    for (size_t i = 0; i < e->n_rows; i++)
        slot_settled_locked(c, e->rows[i].id);
    for (size_t i = 0; i < e->n_gone; i++) {
        struct entry *entry = map_get(&c->entries, e->gone_ids[i]);
        if (entry && entry->in && entry->read > p->begun)
            continue;
        slot_settled_locked(c, e->gone_ids[i]); /* the next life gets its number when it begins */
        if (entry)
            entry->slot = 0;
    }
}

/* Gives what the shelf had, for release without the lock; or `built`, if all was forgotten. */
static struct listing *swap_locked(struct pass *p, struct listing *expected, struct listing *built,
                                   const struct edit *e)
{
    struct shelf *s = p->shelf;
    if (s->current != expected || s->next)
        return built; /* forgotten meanwhile; whoever loads now brings the next one */
    s->current = built;
    if (p->reads_rows) {
        s->pass = p->begun;
        listing_confirm(built, p->begun_ms);
    }
    settle_slots_locked(p, built, e);
    return expected;
}

/* Now that the new state is what whoever asks gets. */
static void tell(struct pass *p, struct listing *old, struct listing *built, const struct edit *e)
{
    struct catalogue *c = p->shelf->c;
    struct row row;
    if (p->full)
        news_between(c, p->base, p->full);
    for (size_t i = 0; i < e->n_rows; i++) {
        LOCK_SCOPE(&c->lock);
        if (listing_find(built, e->rows[i].key, &row))
            news_row_locked(c, &row, false);
    }
    for (size_t i = 0; i < e->n_gone; i++) {
        LOCK_SCOPE(&c->lock);
        if (old && listing_find(old, e->gone[i], &row))
            news_row_locked(c, &row, true);
    }
}

enum err pass_adopt(struct pass *p)
{
    struct shelf *s = p->shelf;
    struct edit e = { 0 };
    arena_init(&e.arena);
    CLEANUP(listing_unref)
    struct listing *expected = NULL, *onto = NULL, *built = NULL, *old = NULL;
    lock_take(&s->c->lock);
    expected = listing_ref(p->full ? p->base : s->current);
    onto = listing_ref(p->full ? p->full : s->current);
    lock_drop(&s->c->lock);
    if (!onto)
        return OK; /* forgotten meanwhile: the next who opens reads everything */

    edit_blocks(&e, p, onto);
    edit_gone(&e, p, onto);
    edit_dirty(&e, p, onto);

    built = e.failed ? NULL : build(p, onto, &e);
    lock_take(&s->c->lock);
    if (built)
        old = swap_locked(p, expected, listing_ref(built), &e);
    else
        s->renew_fully = true; /* what was dirty has been taken from its list */
    lock_drop(&s->c->lock);
    if (built)
        tell(p, expected, built, &e);
    edit_fini(&e);
    return built ? OK : call_fail(p->call, ERR_NO_MEMORY, "no memory to renew the listing");
}
