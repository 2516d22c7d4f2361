#include "backend/groups.h"

#include <stdlib.h>

#include "backend/base/grow.h"
#include "backend/base/map.h"
#include "backend/intern.h"

/* Counts by text; numbers of intern.h are counted in an array first, or a million rows would be
 * hashed for a few dozen names. */
struct tally {
    struct groups *g;
    struct map index; /* text -> position + 1 in g->items */
    size_t cap;
    uint64_t *by_number; /* INTERN_MAX of them */
    bool failed;         /* no memory */
};

static struct group *tally_new_group(struct tally *t, struct str value)
{
    struct groups *g = t->g;
    struct group *items = grow(g->items, g->count, &t->cap, sizeof *items);
    if (!items)
        return NULL;
    g->items = items;
    if (map_set(&t->index, value, (void *)(uintptr_t)(g->count + 1)) != OK)
        return NULL;
    struct group *made = &g->items[g->count++];
    *made = (struct group){ value, 0 };
    return made;
}

static void tally_add(struct tally *t, struct str value, uint64_t n)
{
    uintptr_t at = (uintptr_t)map_get(&t->index, value);
    struct group *found = at ? &t->g->items[at - 1] : tally_new_group(t, value);
    if (found)
        found->count += n;
    else
        t->failed = true;
}

static void tally_unknown_statuses(struct tally *t, const struct block *b)
{
    if (!block_status_counts(b)[STATUS_UNKNOWN])
        return;
    for (size_t i = 0; i < block_count(b); i++) {
        if (block_status(b, i) != STATUS_UNKNOWN)
            continue;
        struct row row;
        block_row(b, i, &row);
        tally_add(t, row.status_text, 1);
    }
}

static void tally_statuses(struct tally *t, const struct block *b)
{
    for (int s = 0; s < STATUS_UNKNOWN; s++)
        if (block_status_counts(b)[s])
            tally_add(t, str_c(status_name((enum status)s)), block_status_counts(b)[s]);
    tally_unknown_statuses(t, b);
}

static void tally_names(struct tally *t, const struct block *b)
{
    for (size_t i = 0; i < block_count(b); i++) {
        uint32_t n = block_name(b, i);
        if (n) {
            t->by_number[n]++;
            continue;
        }
        struct row row;
        block_row(b, i, &row);
        tally_add(t, row.name, 1);
    }
}

static void tally_numbers(struct tally *t)
{
    for (uint32_t n = 1; n < INTERN_MAX; n++)
        if (t->by_number[n])
            tally_add(t, intern_str(n), t->by_number[n]);
}

ticks day_of(ticks t)
{
    ticks into = t % TICKS_PER_DAY;
    return t - (into < 0 ? into + TICKS_PER_DAY : into);
}

/* Days are counted under their eight bytes and get their text at the end. */
static void tally_days(struct tally *t, const struct block *b)
{
    ticks last = TICKS_NONE;
    uint64_t n = 0;
    for (size_t i = 0; i < block_count(b); i++) {
        ticks created = block_created(b, i);
        if (created == TICKS_NONE)
            continue;
        ticks day = day_of(created);
        if (n && day != last) {
            tally_add(t, arena_str(&t->g->arena, (struct str){ (char *)&last, sizeof last }), n);
            n = 0;
        }
        last = day;
        n++;
    }
    if (n)
        tally_add(t, arena_str(&t->g->arena, (struct str){ (char *)&last, sizeof last }), n);
}

static void name_days(struct tally *t)
{
    for (size_t i = 0; i < t->g->count; i++) {
        struct group *g = &t->g->items[i];
        if (g->value.len != sizeof(ticks)) { /* its copy failed */
            t->failed = true;
            return;
        }
        ticks day;
        memcpy(&day, g->value.p, sizeof day);
        CLEANUP_BUF struct buf text = BUF_INIT(64);
        ticks_print_day(&text, day);
        g->value = arena_str(&t->g->arena, buf_str(&text));
        if (!g->value.p)
            t->failed = true;
    }
}

static int group_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct group *)a)->value, ((const struct group *)b)->value);
}

static void tally_block(struct tally *t, enum groups_of of, const struct block *b)
{
    switch (of) {
    case GROUPS_STATUS:
        tally_statuses(t, b);
        break;
    case GROUPS_NAME:
        tally_names(t, b);
        break;
    case GROUPS_DAY:
    case GROUPS_KINDS:
        tally_days(t, b);
        break;
    }
}

struct groups *groups_new(enum groups_of of, struct block *const *blocks, size_t n_blocks)
{
    struct tally t = { .g = calloc(1, sizeof *t.g),
                       .by_number = calloc(INTERN_MAX, sizeof *t.by_number) };
    if (!t.g || !t.by_number) {
        free(t.g);
        free(t.by_number);
        return NULL;
    }
    map_init(&t.index);
    arena_init(&t.g->arena);
    for (size_t i = 0; i < n_blocks; i++)
        tally_block(&t, of, blocks[i]);
    if (of == GROUPS_NAME)
        tally_numbers(&t);
    if (of == GROUPS_DAY)
        name_days(&t);
    map_fini(&t.index);
    free(t.by_number);
    if (t.failed) {
        groups_free(t.g);
        return NULL;
    }
    if (t.g->count)
        qsort(t.g->items, t.g->count, sizeof *t.g->items, group_cmp);
    return t.g;
}

void groups_free(struct groups *g)
{
    if (!g)
        return;
    free(g->items);
    arena_fini(&g->arena);
    free(g);
}
