#include "backend/storage/ranges.h"

#include <stdlib.h>

#define REACH_FIRST 4    /* pages that the first split leaves to the range below; then doubled */
#define REACH_LAST  4096 /* a page is 1000 rows: four million below one split are enough */
#define FIT_MIN     2.0  /* pages that must be left for a split to be worth a request */
#define FULL_MIN    2    /* rows from which a page has a length */
#define GUESSES_MAX 16   /* splits of an open end whose own first page is still under way */

static void range_free(struct range *range)
{
    if (!range)
        return;
    buf_fini(&range->lower);
    buf_fini(&range->upper);
    buf_fini(&range->first);
    buf_fini(&range->last);
    buf_fini(&range->cursor);
    for (size_t i = 0; i < range->count; i++)
        (void)block_unref(range->blocks[i]);
    free(range->blocks);
    free(range);
}

static struct range *range_new(struct str lower, struct str upper)
{
    struct range *range = calloc(1, sizeof(*range));

    if (!range)
        return NULL;
    buf_init(&range->lower, KEY_MAX_BYTES);
    buf_init(&range->upper, KEY_MAX_BYTES);
    buf_init(&range->first, KEY_MAX_BYTES);
    buf_init(&range->last, KEY_MAX_BYTES);
    buf_init(&range->cursor, KEY_MAX_BYTES);
    buf_add(&range->lower, lower);
    buf_add(&range->upper, upper);
    range->reach = REACH_FIRST;
    if (buf_err(&range->lower) == OK && buf_err(&range->upper) == OK)
        return range;
    range_free(range);
    return NULL;
}

enum err ranges_init(struct ranges *r, struct str lower, struct str upper)
{
    *r = (struct ranges){ .made = 1 };
    keyspace_init(&r->space);
    r->head = range_new(lower, upper);
    if (!r->head)
        return ERR_NO_MEMORY;
    r->head->open_end = true;
    return OK;
}

void ranges_fini(struct ranges *r)
{
    while (r->head) {
        struct range *next = r->head->next;

        range_free(r->head);
        r->head = next;
    }
}

static struct str range_from(const struct range *range)
{
    return range->cursor.len ? buf_str(&range->cursor) : buf_str(&range->lower);
}

static struct stretch range_stretch(const struct range *range)
{
    return (struct stretch){ buf_str(&range->first), buf_str(&range->last) };
}

/* -- splitting -- */

/* How many pages the range seems to have left; open ends come first, they hide the most. One that
 * has not shown a page may be split a few times only: against a slow server there is always a newer
 * one under way, and idle fetchers would cut empty space without end. */
static double range_left(const struct ranges *r, const struct range *range)
{
    if (range->done || range->sealed || !range->last.len)
        return 0;
    if (range->open_end)
        return range->started || r->guesses < GUESSES_MAX ? 1e300 : 0;
    if (!range->started)
        return 0; /* its first page will tell */
    return keyspace_fit(&r->space, range_stretch(range), range_from(range), buf_str(&range->upper));
}

static bool is_inside(const struct range *range, struct str key)
{
    return str_cmp_utf16(key, range_from(range)) > 0 &&
           (!range->upper.len || str_cmp_utf16(key, buf_str(&range->upper)) < 0);
}

/* A key that many pages above; fewer, when that is beyond every key. */
static bool split_key(const struct ranges *r, const struct range *range, double left,
                      struct buf *ret)
{
    unsigned n = range->reach;

    if (!range->open_end)
        n = left > 2 * REACH_LAST ? REACH_LAST : (unsigned)(left / 2);
    for (; n; n /= 2) {
        buf_clear(ret);
        if (keyspace_beyond(&r->space, range_stretch(range), range_from(range), n, ret) &&
            buf_err(ret) == OK && is_inside(range, buf_str(ret)))
            return true;
    }
    return false;
}

static bool copy(struct buf *to, const struct buf *from)
{
    buf_clear(to);
    buf_add(to, buf_str(from));
    return buf_err(to) == OK;
}

/* Makes the part from key on a range of its own. */
static enum err range_split(struct ranges *r, struct range *range, struct str key,
                            struct range **ret)
{
    struct range *above = range_new(key, buf_str(&range->upper));

    if (!above)
        return ERR_NO_MEMORY;
    buf_clear(&range->upper);
    buf_add(&range->upper, key);
    if (!copy(&above->first, &range->first) || !copy(&above->last, &range->last) ||
        buf_err(&range->upper) != OK) {
        range_free(above);
        return ERR_NO_MEMORY;
    }
    r->guesses += range->open_end && !range->started;
    above->open_end = range->open_end;
    above->reach = range->reach < REACH_LAST ? range->reach * 2 : REACH_LAST;
    above->next = range->next;
    range->next = above;
    range->open_end = false;
    range->version++;
    r->made++;
    *ret = above;
    return OK;
}

static enum err split_longest(struct ranges *r, struct range **ret)
{
    CLEANUP_BUF struct buf key = BUF_INIT(KEY_MAX_BYTES), candidate = BUF_INIT(KEY_MAX_BYTES);
    struct range *longest = NULL;
    double most = FIT_MIN;

    for (struct range *range = r->head; range; range = range->next) {
        double left = range_left(r, range);

        if (left >= most && split_key(r, range, left, &candidate)) {
            most = left;
            longest = range;
            if (!copy(&key, &candidate))
                return ERR_NO_MEMORY;
        }
    }
    *ret = NULL;
    return longest ? range_split(r, longest, buf_str(&key), ret) : OK;
}

enum err ranges_take(struct ranges *r, struct range **ret)
{
    enum err err;

    *ret = NULL;
    for (struct range *range = r->head; range; range = range->next)
        if (!range->taken && !range->done) {
            *ret = range;
            break;
        }
    if (!*ret && (err = split_longest(r, ret)) != OK)
        return err;
    if (*ret)
        (*ret)->taken = true;
    return OK;
}

bool ranges_done(const struct ranges *r)
{
    for (const struct range *range = r->head; range; range = range->next)
        if (!range->done)
            return false;
    return true;
}

/* -- pages -- */

static enum err blocks_push(struct range *range, struct block *block)
{
    if (range->count == range->cap) {
        size_t cap = range->cap ? range->cap * 2 : 8;
        struct block **blocks = reallocarray(range->blocks, cap, sizeof(struct block *));

        if (!blocks)
            return ERR_NO_MEMORY;
        range->blocks = blocks;
        range->cap = cap;
    }
    range->blocks[range->count++] = block;
    return OK;
}

static bool set(struct buf *b, struct str s)
{
    buf_clear(b);
    buf_add(b, s);
    return buf_err(b) == OK;
}

/* Both ends and the middle show which characters stand where; a page has a thousand keys. */
static bool note_page(struct ranges *r, struct range *range, const struct block *block)
{
    size_t n = block_count(block);

    for (size_t i = 0; i<n; i += n> 64 ? n / 64 : 1)
        keyspace_learn(&r->space, block_key(block, i));
    keyspace_learn(&r->space, block_key(block, n - 1));
    keyspace_settle(&r->space);
    if (n >= FULL_MIN &&
        (!set(&range->first, block_key(block, 0)) || !set(&range->last, block_key(block, n - 1))))
        return false;
    return set(&range->cursor, block_key(block, n - 1));
}

enum err ranges_add(struct ranges *r, struct range *range, struct block *block, bool more)
{
    enum err err = OK;

    range->sealed = false;
    range->started = true;
    range->done = !more;
    if (!block || !block_count(block)) {
        (void)block_unref(block);
        return OK;
    }
    if (!note_page(r, range, block))
        err = ERR_NO_MEMORY;
    if (err == OK)
        err = blocks_push(range, block);
    if (err != OK)
        (void)block_unref(block);
    return err;
}

struct block *ranges_next(struct ranges *r, bool *ret_end)
{
    struct block *block;

    *ret_end = false;
    while (r->head && r->head->done && !r->head->count) {
        struct range *next = r->head->next;

        range_free(r->head);
        r->head = next;
    }
    if (!r->head) {
        *ret_end = true;
        return NULL;
    }
    if (!r->head->count)
        return NULL;
    block = r->head->blocks[0];
    memmove(r->head->blocks, r->head->blocks + 1, --r->head->count * sizeof(struct block *));
    return block;
}
