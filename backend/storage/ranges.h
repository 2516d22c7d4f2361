/* ranges: the keys of one listing, cut into ranges that are fetched at the same time and emitted in
 * order. It begins as one range; whoever is idle takes the upper part of the range that promises to
 * be longest. Nothing is assumed about how ids are distributed; what the pages show is believed.
 * Knows keys and blocks; no requests, no threads.
 * Ownership: ranges own their bounds and the blocks that were not taken yet.
 * Threads: none of its own; the owner's lock guards it. */
#ifndef BACKEND_STORAGE_RANGES_H
#define BACKEND_STORAGE_RANGES_H

#include "backend/hub.h"
#include "backend/storage/keys.h"
#include "backend/storage/keyspace.h"

struct range {
    struct range *next;      /* the next higher keys */
    struct buf lower, upper; /* key >= lower (if it has one), key < upper (if it has one) */
    struct buf first, last;  /* of the newest full page; before the first one those of its parent */
    struct buf cursor;       /* the last key seen; empty before the first row */
    bool open_end;           /* nobody knows how far the keys go up to upper */
    bool sealed;             /* its page is being read: do not split now */
    bool started, done, taken;
    unsigned version;      /* changes when upper does */
    unsigned reach;        /* stretches that the next split of an open end leaves below */
    struct block **blocks; /* read, not yet emitted */
    size_t count, cap;
};

struct ranges {
    struct range *head;
    struct keyspace space;
    size_t made;      /* ranges ever made */
    unsigned guesses; /* splits of an open end that had not shown a page */
};

/* One range; lower and upper may be empty. */
MUST_CHECK enum err ranges_init(struct ranges *r, struct str lower, struct str upper);
void ranges_fini(struct ranges *r);

/* The next range to fetch from, marked as taken: one that nobody has, or the upper part of another.
 * *ret NULL: nothing to do now; ranges_done says whether ever. */
MUST_CHECK enum err ranges_take(struct ranges *r, struct range **ret);
bool ranges_done(const struct ranges *r); /* every range is fetched */

/* A page of the range was read; takes the block (which may be NULL or empty). more false: the range
 * is fetched, and may be gone when this returns. */
MUST_CHECK enum err ranges_add(struct ranges *r, struct range *range, struct block *block,
                               bool more);

/* The next block in key order, if it is there; its reference goes to the caller. *ret_end: all was
 * taken. NULL and not at the end: wait. */
struct block *ranges_next(struct ranges *r, bool *ret_end);

#endif
