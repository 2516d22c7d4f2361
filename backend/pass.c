#include <stdlib.h>

#include "backend/catalogue_private.h"

void pass_begin(struct pass *p, struct shelf *s, struct call *call)
{
    *p = (struct pass){ .shelf = s, .call = call, .seen = TICKS_NONE };
    LOCK_SCOPE(&s->c->lock);
    p->begun = ++s->c->clock;
    p->begun_ms = clock_now_ms();
    p->base = listing_ref(s->current);
}

void pass_fini(struct pass *p)
{
    for (size_t i = 0; i < p->n_blocks; i++)
        block_unref(p->blocks[i]);
    free(p->blocks);
    free(p->gone);
    listing_unref(p->base);
    listing_unref(p->full);
}

static void note_stamps(struct pass *p, const struct block *b)
{
    for (size_t i = 0; i < block_count(b); i++)
        if (block_stamp(b, i) > p->seen) /* TICKS_NONE is the smallest of all */
            p->seen = block_stamp(b, i);
}

static enum err list(struct pass *p, enum list_what what, ticks since, hub_emit emit)
{
    struct list_query query = { .what = what, .changed_since = since };
    enum err err = hub_list(p->shelf->c->hub, p->call, &query, emit, p);
    if (err != OK && p->call->err != err) /* whoever follows the listing is owed a sentence */
        return call_fail(p->call, err, "the listing failed: %s", err_name(err));
    return err;
}

/* -- everything: into a listing, as pages arrive -- */

static enum err take_page(struct pass *p, struct block *b)
{
    struct catalogue *c = p->shelf->c;
    LOCK_SCOPE(&c->lock);
    enum err err = slots_give_locked(c, &p->carry, b);
    if (err != OK) {
        block_unref(b);
        return err;
    }
    return listing_append(p->full, b);
}

static enum err all_emit(void *ctx, struct block *b)
{
    struct pass *p = ctx;
    note_stamps(p, b);
    call_progress(p->call);
    enum err err = take_page(p, b);
    if (err == ERR_BROKEN)
        return call_fail(p->call, err, "the listing is not in order: a row came twice");
    return err == OK ? OK : call_fail(p->call, err, "no memory for the listing");
}

enum err pass_read_all(struct pass *p, struct listing *into)
{
    p->full = listing_ref(into);
    p->reads_rows = true;
    return list(p, p->shelf->what, TICKS_NONE, all_emit);
}

/* -- changes: kept as they come -- */

static enum err changes_emit(void *ctx, struct block *b)
{
    struct pass *p = ctx;
    if (p->n_blocks == p->cap_blocks) {
        size_t cap = p->cap_blocks ? p->cap_blocks * 2 : 16;
        struct block **blocks = reallocarray(p->blocks, cap, sizeof(struct block *));
        if (!blocks) {
            block_unref(b);
            return call_fail(p->call, ERR_NO_MEMORY, "no memory for the changed rows");
        }
        p->blocks = blocks;
        p->cap_blocks = cap;
    }
    note_stamps(p, b);
    call_progress(p->call);
    if (block_count(b))
        p->blocks[p->n_blocks++] = b;
    else
        block_unref(b);
    return OK;
}

enum err pass_read_changes(struct pass *p, ticks since)
{
    p->reads_rows = true;
    return list(p, p->shelf->what, since, changes_emit);
}

/* -- keys: only what base has and they have not is of interest -- */

static enum err note_gone(struct pass *p, const struct row *row)
{
    if (p->n_gone == p->cap_gone) {
        size_t cap = p->cap_gone ? p->cap_gone * 2 : 64;
        struct row *gone = reallocarray(p->gone, cap, sizeof *gone);
        if (!gone)
            return call_fail(p->call, ERR_NO_MEMORY, "no memory for the deleted rows");
        p->gone = gone;
        p->cap_gone = cap;
    }
    p->gone[p->n_gone++] = *row;
    return OK;
}

/* All rows of base before the key are gone; the one with the key is not. */
static enum err pass_by(struct pass *p, struct str key)
{
    while (p->carry.more) {
        int cmp = str_cmp_utf16(p->carry.row.key, key);
        if (cmp > 0)
            break;
        enum err err = cmp < 0 ? note_gone(p, &p->carry.row) : OK;
        if (err != OK)
            return err;
        carry_step(&p->carry);
    }
    return OK;
}

static enum err keys_emit(void *ctx, struct block *b)
{
    struct pass *p = ctx;
    enum err err = OK;
    for (size_t i = 0; i < block_count(b) && err == OK; i++)
        err = pass_by(p, block_key(b, i));
    block_unref(b);
    call_progress(p->call);
    return err;
}

enum err pass_read_keys(struct pass *p)
{
    carry_begin(&p->carry, p->base);
    /* Entities that became empty are left out of lists of changes, so theirs is a list of rows. */
    enum list_what what = p->shelf->what == LIST_ENTITIES ? LIST_ENTITIES : LIST_KEYS;
    enum err err = list(p, what, TICKS_NONE, keys_emit);
    while (err == OK && p->carry.more) {
        err = note_gone(p, &p->carry.row);
        carry_step(&p->carry);
    }
    return err;
}
