/* Who keeps what the catalogue said (the kernel does, for hours) is told when it is no longer so.
 */
#include "backend/catalogue_private.h"
#include "backend/intern.h"
#include "backend/listing_build.h"

void catalogue_watch(struct catalogue *c, catalogue_watcher watcher, void *ctx)
{
    LOCK_SCOPE(&c->lock);
    c->watcher = watcher;
    c->watcher_ctx = ctx;
}

/* The news outlive the row, an interned text outlives everything. */
static struct str kept(struct str s)
{
    return intern_str(intern(s));
}

static void tell_locked(struct catalogue *c, struct catalogue_news news, const struct row *was)
{
    if (!c->watcher || !news.slot)
        return; /* without a number nobody can have been told of it */
    news.created = was ? was->created : TICKS_NONE;
    if (was)
        news.name = kept(was->name);
    if (was && was->status == STATUS_UNKNOWN)
        news.status_text = kept(was->status_text);
    c->watcher(c->watcher_ctx, &news);
}

void news_slot_locked(struct catalogue *c, uint32_t slot)
{
    tell_locked(c, (struct catalogue_news){ .slot = slot }, NULL);
}

void news_row_locked(struct catalogue *c, const struct row *row, bool gone)
{
    tell_locked(c, (struct catalogue_news){ .slot = row->slot, .gone = gone }, row);
}

void news_all_locked(struct catalogue *c)
{
    static const struct catalogue_news all = { .created = TICKS_NONE };
    if (c->watcher)
        c->watcher(c->watcher_ctx, &all);
}

static bool is_same_row(ticks a, ticks b)
{
    return a == b && a != TICKS_NONE;
}

/* What somebody may have been told of it: the younger of the two accounts. */
static const struct row *last_known_locked(struct catalogue *c, struct str id,
                                           const struct entry *e, struct row *listed)
{
    struct listing *l;
    bool is_listed = shelf_find_locked(c, id, &l, listed);
    if (e && e->in && (!is_listed || e->in->row.stamp >= listed->stamp))
        return &e->in->row;
    return is_listed ? listed : NULL;
}

void news_read_locked(struct catalogue *c, const struct entry *e, const struct instance *in)
{
    struct row listed;
    const struct row *was = last_known_locked(c, entry_id(e), e, &listed);
    if (in && was && is_same_row(was->stamp, in->row.stamp))
        return;
    uint32_t slot = e->slot ? e->slot : slot_known_locked(c, entry_id(e));
    tell_locked(c, (struct catalogue_news){ .slot = slot, .gone = !in }, was);
}

void news_changed_locked(struct catalogue *c, struct str id, bool gone)
{
    struct row listed;
    const struct entry *e = map_get(&c->entries, id);
    const struct row *was = last_known_locked(c, id, e, &listed);
    uint32_t slot = e && e->slot ? e->slot : slot_known_locked(c, id);
    tell_locked(c, (struct catalogue_news){ .slot = slot, .gone = gone, .own = true }, was);
}

/* -- two listings -- */

struct place {
    const struct listing *l;
    size_t block, row;
};

static struct block *block_at(const struct place *p)
{
    return p->block < p->l->n_blocks ? p->l->blocks[p->block] : NULL;
}

static void step(struct place *p)
{
    if (++p->row == block_count(block_at(p)))
        *p = (struct place){ p->l, p->block + 1, 0 };
}

static void skip_shared(struct place *old, struct place *now)
{
    while (!old->row && !now->row && block_at(old) && block_at(old) == block_at(now)) {
        old->block++;
        now->block++;
    }
}

static void tell_old(struct catalogue *c, const struct place *old, bool gone)
{
    struct row row;
    block_row(block_at(old), old->row, &row);
    LOCK_SCOPE(&c->lock);
    news_row_locked(c, &row, gone);
}

static void compare(struct catalogue *c, const struct place *old, const struct place *now)
{
    const struct block *a = block_at(old), *b = block_at(now);
    bool same_slot = block_slot(a, old->row) == block_slot(b, now->row);
    if (!same_slot || !is_same_row(block_stamp(a, old->row), block_stamp(b, now->row)))
        tell_old(c, old, !same_slot);
}

/* Only what the old one has can have been told. */
void news_between(struct catalogue *c, struct listing *old, struct listing *now)
{
    if (!old)
        return;
    struct place a = { old, 0, 0 }, b = { now, 0, 0 };
    for (;;) {
        skip_shared(&a, &b);
        if (!block_at(&a))
            return;
        int cmp = block_at(&b) ? str_cmp_utf16(block_key(block_at(&a), a.row),
                                               block_key(block_at(&b), b.row))
                               : -1;
        if (cmp < 0)
            tell_old(c, &a, true);
        else if (cmp == 0)
            compare(c, &a, &b);
        if (cmp <= 0)
            step(&a);
        if (cmp >= 0)
            step(&b);
    }
}
