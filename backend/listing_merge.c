/* A new listing out of an old one and what changed: the blocks without a change are shared, so a
 * hundred changes in a million rows copy a hundred blocks at most. */
#include <stdlib.h>

#include "backend/listing_build.h"

/* One key's fate; row NULL: it goes. */
struct change {
    struct str key;
    const struct row *row;
    size_t order; /* of equal keys the last one counts */
};

struct merge {
    struct listing *out;
    struct block *open; /* being filled; NULL = none */
    size_t fill;        /* rows at which the open block is closed */
    enum err err;       /* sticky */
};

static int change_cmp(const void *pa, const void *pb)
{
    const struct change *a = pa, *b = pb;
    int c = str_cmp_utf16(a->key, b->key);
    return c ? c : (a->order < b->order ? -1 : a->order > b->order);
}

static size_t drop_doubles(struct change *changes, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && str_eq(changes[i].key, changes[i + 1].key))
            continue;
        changes[kept++] = changes[i];
    }
    return kept;
}

static struct change *sort_changes(const struct row *changed, size_t n_changed,
                                   const struct str *gone, size_t n_gone, size_t *ret_n)
{
    size_t n = n_changed + n_gone;
    struct change *changes = malloc((n + 1) * sizeof *changes);
    if (!changes)
        return NULL;
    for (size_t i = 0; i < n_gone; i++)
        changes[i] = (struct change){ gone[i], NULL, i };
    for (size_t i = 0; i < n_changed; i++)
        changes[n_gone + i] = (struct change){ changed[i].key, &changed[i], n_gone + i };
    qsort(changes, n, sizeof *changes, change_cmp);
    *ret_n = drop_doubles(changes, n);
    return changes;
}

static void close_block(struct merge *m)
{
    if (!m->open)
        return;
    struct block *b = m->open;
    m->open = NULL;
    if (m->err == OK)
        m->err = block_freeze(b);
    if (m->err == OK)
        m->err = listing_append(m->out, b);
    else
        block_unref(b);
}

static void put_row(struct merge *m, const struct row *row)
{
    if (m->err != OK)
        return;
    if (m->open && block_count(m->open) >= m->fill)
        close_block(m);
    if (!m->open)
        m->open = block_new();
    if (m->err == OK)
        m->err = m->open ? block_add(m->open, row) : ERR_NO_MEMORY;
}

/* Prepares for `rows` more: behind what is open if both fit one block, else in blocks of equal
 * size, so that a full block that gets one row more becomes two half full ones. */
static void expect_rows(struct merge *m, size_t rows)
{
    size_t open = m->open ? block_count(m->open) : 0;
    if (open && open + rows > BLOCK_ROWS_MAX) {
        close_block(m);
        open = 0;
    }
    size_t parts = (open + rows + BLOCK_ROWS_MAX - 1) / BLOCK_ROWS_MAX;
    m->fill = parts ? (open + rows + parts - 1) / parts : BLOCK_ROWS_MAX;
}

static void put_changed(struct merge *m, const struct change *c, const struct row *before)
{
    if (!c->row)
        return;
    struct row row = *c->row;
    if (!row.slot && before)
        row.slot = before->slot;
    put_row(m, &row);
}

static size_t count_merged(const struct block *b, const struct change *changes, size_t n)
{
    size_t rows = block_count(b);
    for (size_t c = 0; c < n; c++) {
        size_t i = block_lower_bound(b, changes[c].key);
        bool there = i < block_count(b) && str_eq(block_key(b, i), changes[c].key);
        if (there && !changes[c].row)
            rows--;
        else if (!there && changes[c].row)
            rows++;
    }
    return rows;
}

/* One touched block and the changes that belong to it. */
static void merge_block(struct merge *m, const struct block *b, const struct change *changes,
                        size_t n)
{
    expect_rows(m, count_merged(b, changes, n));
    size_t c = 0;
    for (size_t i = 0; i < block_count(b) && m->err == OK; i++) {
        struct row row;
        block_row(b, i, &row);
        while (c < n && str_cmp_utf16(changes[c].key, row.key) < 0)
            put_changed(m, &changes[c++], NULL);
        if (c < n && str_eq(changes[c].key, row.key))
            put_changed(m, &changes[c++], &row);
        else
            put_row(m, &row);
    }
    while (c < n)
        put_changed(m, &changes[c++], NULL);
}

static void share_block(struct merge *m, struct block *b)
{
    close_block(m);
    if (m->err == OK)
        m->err = listing_append(m->out, block_ref(b));
}

static void merge_all(struct merge *m, const struct listing *old, const struct change *changes,
                      size_t n)
{
    size_t c = 0;
    for (size_t k = 0; k < old->n_blocks && m->err == OK; k++) {
        size_t first = c;
        bool last = k + 1 == old->n_blocks;
        while (c < n &&
               (last || str_cmp_utf16(changes[c].key, block_key(old->blocks[k + 1], 0)) < 0))
            c++;
        if (c > first)
            merge_block(m, old->blocks[k], changes + first, c - first);
        else
            share_block(m, old->blocks[k]);
    }
    if (!old->n_blocks) {
        expect_rows(m, n);
        for (; c < n; c++)
            put_changed(m, &changes[c], NULL);
    }
    close_block(m);
}

struct listing *listing_merge(struct listing *old, const struct row *changed, size_t n_changed,
                              const struct str *gone, size_t n_gone, int64_t as_of_ms)
{
    size_t n;
    struct change *changes = sort_changes(changed, n_changed, gone, n_gone, &n);
    struct merge m = { .out = listing_new(as_of_ms) };
    if (changes && m.out)
        merge_all(&m, old, changes, n);
    else
        m.err = ERR_NO_MEMORY;
    free(changes);
    if (m.err != OK) {
        listing_unref(m.out);
        return NULL;
    }
    listing_complete(m.out);
    return m.out;
}
