#include "backend/listing.h"

#include <stdlib.h>

#include "backend/base/lock.h"
#include "backend/groups.h"
#include "backend/listing_build.h"

/* A cursor is (block << ROW_BITS | row) of the row to look at next. */
#define ROW_BITS 11
#define ROW_MASK ((UINT64_C(1) << ROW_BITS) - 1)
#define SLICE_MS 100 /* how often a wait asks its call */

_Static_assert(BLOCK_ROWS_MAX <= ROW_MASK, "a cursor addresses every row, and the place behind it");

struct listing *listing_new(int64_t as_of_ms)
{
    struct listing *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->refs = 1;
    l->as_of_ms = as_of_ms;
    lock_init(&l->lock, RANK_LISTING);
    cond_init(&l->grown);
    return l;
}

struct listing *listing_ref(struct listing *l)
{
    if (l)
        __atomic_add_fetch(&l->refs, 1, __ATOMIC_RELAXED);
    return l;
}

struct listing *listing_unref(struct listing *l)
{
    if (!l || __atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return NULL;
    for (size_t i = 0; i < l->n_blocks; i++)
        block_unref(l->blocks[i]);
    for (int g = 0; g < GROUPS_KINDS; g++)
        groups_free(l->groups[g]);
    free(l->blocks);
    free(l->why);
    cond_fini(&l->grown);
    lock_fini(&l->lock);
    free(l);
    return NULL;
}

enum listing_state listing_state(struct listing *l)
{
    return __atomic_load_n(&l->state, __ATOMIC_ACQUIRE);
}

/* A complete listing is immutable: everything below reads it without the lock. */
static bool is_complete(struct listing *l)
{
    return listing_state(l) == LISTING_COMPLETE;
}

uint64_t listing_count(struct listing *l)
{
    return __atomic_load_n(&l->rows, __ATOMIC_RELAXED);
}

uint64_t listing_count_status(struct listing *l, enum status s)
{
    return (unsigned)s < STATUS_COUNT ? __atomic_load_n(&l->counts[s], __ATOMIC_RELAXED) : 0;
}

int64_t listing_as_of_ms(struct listing *l)
{
    return __atomic_load_n(&l->as_of_ms, __ATOMIC_RELAXED);
}

void listing_confirm(struct listing *l, int64_t as_of_ms)
{
    __atomic_store_n(&l->as_of_ms, as_of_ms, __ATOMIC_RELAXED);
}

size_t listing_bytes(struct listing *l)
{
    size_t blocks = __atomic_load_n(&l->bytes, __ATOMIC_RELAXED);
    return sizeof *l + blocks;
}

/* -- where a key is -- */

size_t block_of_key(struct block *const *blocks, size_t n, struct str key)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (str_cmp_utf16(block_key(blocks[mid], 0), key) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? lo - 1 : n;
}

/* -- building -- */

static enum err make_room(struct listing *l)
{
    if (l->n_blocks < l->cap)
        return OK;
    size_t cap = l->cap ? l->cap * 2 : 16;
    struct block **blocks = reallocarray(l->blocks, cap, sizeof(struct block *));
    if (!blocks)
        return ERR_NO_MEMORY;
    l->blocks = blocks;
    l->cap = cap;
    return OK;
}

static bool is_in_order(const struct listing *l, const struct block *b)
{
    if (!l->n_blocks)
        return true;
    const struct block *last = l->blocks[l->n_blocks - 1];
    return str_cmp_utf16(block_key(last, block_count(last) - 1), block_key(b, 0)) < 0;
}

static void count_in(struct listing *l, const struct block *b)
{
    const uint32_t *counts = block_status_counts(b);
    for (int s = 0; s < STATUS_COUNT; s++)
        __atomic_store_n(&l->counts[s], l->counts[s] + counts[s], __ATOMIC_RELAXED);
    __atomic_store_n(&l->bytes, l->bytes + block_bytes(b) + sizeof b, __ATOMIC_RELAXED);
    __atomic_store_n(&l->rows, l->rows + block_count(b), __ATOMIC_RELAXED);
}

enum err listing_append(struct listing *l, struct block *b)
{
    if (!block_count(b)) {
        block_unref(b);
        return OK;
    }
    LOCK_SCOPE(&l->lock);
    /* Rows that come twice would be names that come twice (F38). */
    enum err err = is_in_order(l, b) ? make_room(l) : ERR_BROKEN;
    if (err != OK) {
        block_unref(b);
        return err;
    }
    l->blocks[l->n_blocks++] = b;
    count_in(l, b);
    cond_wake_all(&l->grown);
    return OK;
}

static void end(struct listing *l, enum listing_state state)
{
    __atomic_store_n(&l->state, state, __ATOMIC_RELEASE);
    cond_wake_all(&l->grown);
}

void listing_complete(struct listing *l)
{
    LOCK_SCOPE(&l->lock);
    end(l, LISTING_COMPLETE);
}

void listing_fail(struct listing *l, const struct call *call)
{
    LOCK_SCOPE(&l->lock);
    l->err = call->err != OK ? call->err : ERR_BUG;
    l->why = str_dup_c(str_c(call->text));
    end(l, LISTING_FAILED);
}

/* -- reading -- */

bool filter_passes(const struct listing_filter *f, const struct row *row)
{
    switch (f->kind) {
    case FILTER_ALL:
        return true;
    case FILTER_STATUS:
        return row->status == f->status;
    case FILTER_STATUS_TEXT:
        return row->status == STATUS_UNKNOWN && str_eq(row->status_text, f->text);
    case FILTER_NAME:
        return str_eq(row->name, f->text);
    case FILTER_DAY:
        return row->created != TICKS_NONE && day_of(row->created) == f->day;
    }
    return false;
}

/* Can any row of the block pass? Spares a million looks at a view of ten. */
static bool block_may_pass(const struct listing_filter *f, const struct block *b)
{
    if (f->kind == FILTER_STATUS)
        return block_status_counts(b)[f->status] > 0;
    if (f->kind == FILTER_STATUS_TEXT)
        return block_status_counts(b)[STATUS_UNKNOWN] > 0;
    return true;
}

static bool row_passes(const struct listing_filter *f, const struct block *b, size_t i)
{
    struct row row;
    if (f->kind == FILTER_ALL)
        return true;
    if (f->kind == FILTER_STATUS) /* without a look at anything else of a million rows */
        return block_status(b, i) == f->status;
    block_row(b, i, &row);
    return filter_passes(f, &row);
}

/* The first row of b from *i on that passes. */
static bool find_in_block(const struct block *b, const struct listing_filter *f, size_t *i)
{
    size_t n = block_may_pass(f, b) ? block_count(b) : 0;
    while (*i < n && !row_passes(f, b, *i))
        ++*i;
    return *i < n;
}

static enum err failure_locked(struct listing *l, struct call *call)
{
    return call_fail(call, l->err, "%s", l->why && *l->why ? l->why : err_name(l->err));
}

/* Waits until block n is there: *ret = it, or NULL at the end of a complete listing. */
static enum err block_at_locked(struct listing *l, struct call *call, size_t n, struct block **ret)
{
    while (n >= l->n_blocks) {
        if (l->state == LISTING_COMPLETE) {
            *ret = NULL;
            return OK;
        }
        if (l->state == LISTING_FAILED)
            return failure_locked(l, call);
        if (call->local)
            return ERR_WOULD_BLOCK;
        enum err err = call_check(call);
        if (err != OK)
            return err;
        if (cond_wait_until(&l->grown, &l->lock, clock_now_ms() + SLICE_MS))
            call_progress(call);
    }
    *ret = l->blocks[n];
    return OK;
}

static enum err block_at(struct listing *l, struct call *call, size_t n, struct block **ret)
{
    if (is_complete(l)) {
        *ret = n < l->n_blocks ? l->blocks[n] : NULL;
        return OK;
    }
    LOCK_SCOPE(&l->lock);
    return block_at_locked(l, call, n, ret);
}

/* The place of the row at or behind *cursor that passes; NULL at the end. */
static enum err find_next(struct listing *l, struct call *call, const struct listing_filter *f,
                          uint64_t *cursor, struct block **ret, size_t *ret_i)
{
    size_t n = (size_t)(*cursor >> ROW_BITS), i = (size_t)(*cursor & ROW_MASK);
    for (;; n++, i = 0) {
        enum err err = block_at(l, call, n, ret);
        if (err != OK || !*ret)
            return err;
        if (find_in_block(*ret, f, &i)) {
            *cursor = (uint64_t)n << ROW_BITS | (i + 1);
            *ret_i = i;
            return OK;
        }
    }
}

enum err listing_next(struct listing *l, struct call *call, const struct listing_filter *f,
                      uint64_t *cursor, struct row *ret, bool *ret_more)
{
    struct block *b;
    size_t i;
    enum err err = find_next(l, call, f, cursor, &b, &i);
    if (err != OK)
        return err;
    if (b)
        block_row(b, i, ret);
    *ret_more = b;
    return OK;
}

enum err listing_next_id(struct listing *l, struct call *call, const struct listing_filter *f,
                         uint64_t *cursor, struct str *ret_id, uint32_t *ret_slot, bool *ret_more)
{
    struct block *b;
    size_t i;
    enum err err = find_next(l, call, f, cursor, &b, &i);
    if (err != OK)
        return err;
    if (b) {
        *ret_id = block_id(b, i);
        *ret_slot = block_slot(b, i);
    }
    *ret_more = b;
    return OK;
}

static bool find_in_blocks(struct block *const *blocks, size_t n, struct str key, struct row *ret)
{
    size_t at = block_of_key(blocks, n, key);
    if (at == n)
        return false;
    size_t i = block_lower_bound(blocks[at], key);
    if (i == block_count(blocks[at]) || !str_eq(block_key(blocks[at], i), key))
        return false;
    block_row(blocks[at], i, ret);
    return true;
}

bool listing_find(struct listing *l, struct str key, struct row *ret)
{
    if (is_complete(l))
        return find_in_blocks(l->blocks, l->n_blocks, key, ret);
    LOCK_SCOPE(&l->lock);
    return find_in_blocks(l->blocks, l->n_blocks, key, ret);
}

static uint64_t seek_in_blocks(struct block *const *blocks, size_t n, struct str key)
{
    size_t at = block_of_key(blocks, n, key);
    if (at == n)
        return 0; /* before them all */
    size_t i = block_lower_bound(blocks[at], key);
    return (uint64_t)at << ROW_BITS | i;
}

uint64_t listing_seek(struct listing *l, struct str key)
{
    if (is_complete(l))
        return seek_in_blocks(l->blocks, l->n_blocks, key);
    LOCK_SCOPE(&l->lock);
    return seek_in_blocks(l->blocks, l->n_blocks, key);
}

static uint64_t count_between(const struct listing *l, uint64_t a, uint64_t b, uint64_t max)
{
    size_t first = (size_t)(a >> ROW_BITS), last = (size_t)(b >> ROW_BITS);
    uint64_t n = 0;
    for (size_t i = first; i < last && i < l->n_blocks && n < max + (a & ROW_MASK); i++)
        n += block_count(l->blocks[i]);
    n = n + (b & ROW_MASK) - (a & ROW_MASK);
    return n < max ? n : max;
}

uint64_t listing_apart(struct listing *l, uint64_t a, uint64_t b, uint64_t max)
{
    if (b <= a)
        return 0;
    if (is_complete(l))
        return count_between(l, a, b, max);
    LOCK_SCOPE(&l->lock);
    return count_between(l, a, b, max);
}

/* -- groups -- */

/* Counted by the first who asks, without the lock: others may count the same meanwhile. */
static struct groups *groups_get(struct listing *l, enum groups_of of)
{
    struct groups *g = __atomic_load_n(&l->groups[of], __ATOMIC_ACQUIRE);
    if (g)
        return g;
    struct groups *made = groups_new(of, l->blocks, l->n_blocks);
    if (!made)
        return NULL;
    if (__atomic_compare_exchange_n(&l->groups[of], &g, made, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return made;
    groups_free(made);
    return g;
}

static enum err wait_complete(struct listing *l, struct call *call)
{
    if (is_complete(l))
        return OK;
    LOCK_SCOPE(&l->lock);
    struct block *b;
    enum err err;
    do
        err = block_at_locked(l, call, l->n_blocks, &b);
    while (err == OK && b);
    return err;
}

static enum err emit_groups(struct listing *l, struct call *call, enum groups_of of,
                            listing_group emit, void *ctx)
{
    enum err err = wait_complete(l, call);
    if (err != OK)
        return err;
    const struct groups *g = groups_get(l, of);
    if (!g)
        return call_fail(call, ERR_NO_MEMORY, "no memory to count a listing");
    for (size_t i = 0; i < g->count; i++)
        emit(ctx, g->items[i].value, g->items[i].count);
    return OK;
}

enum err listing_statuses(struct listing *l, struct call *call, listing_group emit, void *ctx)
{
    return emit_groups(l, call, GROUPS_STATUS, emit, ctx);
}

enum err listing_names(struct listing *l, struct call *call, listing_group emit, void *ctx)
{
    return emit_groups(l, call, GROUPS_NAME, emit, ctx);
}

enum err listing_days(struct listing *l, struct call *call, listing_group emit, void *ctx)
{
    return emit_groups(l, call, GROUPS_DAY, emit, ctx);
}
