/* listing_build: the inside of a listing, for the two files that make one.
 * Threads: see listing.h. A complete listing is immutable and read without its lock. */
#ifndef BACKEND_LISTING_BUILD_H
#define BACKEND_LISTING_BUILD_H

#include "backend/base/lock.h"
#include "backend/groups.h"
#include "backend/listing.h"

struct listing {
    int refs;         /* A */
    int64_t as_of_ms; /* A: may become younger when nothing had changed */
    struct lock lock; /* I */
    struct cond grown;
    enum listing_state state; /* A, written under the lock */
    struct block **blocks;    /* L while loading: ascending, none empty, none overlapping */
    size_t n_blocks, cap;     /* L while loading */
    uint64_t rows, counts[STATUS_COUNT]; /* A, written under the lock */
    size_t bytes;                        /* A */
    enum err err;                        /* L: why it failed */
    char *why;                           /* L */
    struct groups *groups[GROUPS_KINDS]; /* A, made when first asked for */
};

/* The listing was read again and found unchanged. */
void listing_confirm(struct listing *l, int64_t as_of_ms);

/* Position of the only block that can hold the key: the last whose first key is not greater; n if
 * the key is before them all. */
size_t block_of_key(struct block *const *blocks, size_t n, struct str key);

#endif
