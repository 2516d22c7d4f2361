/* listing: every instance of a hub at one moment: blocks in key order.
 * While it loads it grows at the end, so that readers take names as pages arrive; complete, it
 * never changes. A refresh makes a new listing that shares the blocks in which nothing changed.
 * Knows blocks and slots; not when to load.
 * Ownership: reference count; a row's text lives as long as the listing.
 * Threads: one thread builds; any number read. Positions (block, row) stay valid. */
#ifndef BACKEND_LISTING_H
#define BACKEND_LISTING_H

#include "backend/base/call.h"
#include "backend/block.h"

struct listing;

enum listing_state { LISTING_LOADING, LISTING_COMPLETE, LISTING_FAILED };

struct listing *listing_ref(struct listing *l);
struct listing *listing_unref(struct listing *l);
DEFINE_CLEANUP(struct listing, listing_unref)

enum listing_state listing_state(struct listing *l);
/* Rows known so far. Exact when complete. */
uint64_t listing_count(struct listing *l);
uint64_t listing_count_status(struct listing *l, enum status s); /* UNKNOWN: all unknown texts */
/* When the data of a complete listing was current: clock_now_ms() before its first request. */
int64_t listing_as_of_ms(struct listing *l);

/* A cursor is one number: 0 = before the first row; stable for the life of the listing, so it
 * serves as the offset of readdir. Reads the row at or behind *cursor that passes the filter and
 * moves *cursor behind it. At the end of a complete listing: *ret_more false. While it loads the
 * call waits (ERR_WOULD_BLOCK for a local one); if loading failed: that error, with its sentence
 * (R3). */
struct listing_filter {
    enum { FILTER_ALL, FILTER_STATUS, FILTER_STATUS_TEXT, FILTER_NAME, FILTER_DAY } kind;
    enum status status;
    struct str text; /* STATUS_TEXT: the unknown status; NAME: the orchestrator */
    ticks day;       /* DAY: first tick of the UTC day of CreatedTime */
};
bool filter_passes(const struct listing_filter *f, const struct row *row);
MUST_CHECK enum err listing_next(struct listing *l, struct call *call,
                                 const struct listing_filter *f, uint64_t *cursor, struct row *ret,
                                 bool *ret_more);

/* The same for who wants no more than the name: without the rest of the row. */
MUST_CHECK enum err listing_next_id(struct listing *l, struct call *call,
                                    const struct listing_filter *f, uint64_t *cursor,
                                    struct str *ret_id, uint32_t *ret_slot, bool *ret_more);

/* Binary search; false while loading also for a row that has not arrived. */
bool listing_find(struct listing *l, struct str key, struct row *ret);

/* The cursor before the first row with that key or a greater one, of those that are there. */
uint64_t listing_seek(struct listing *l, struct str key);
/* How many rows lie between two cursors; at most max; 0 if b is not behind a. */
uint64_t listing_apart(struct listing *l, uint64_t a, uint64_t b, uint64_t max);

/* Distinct values of a complete listing, for the view directories, with their counts; emitted in
 * ascending order. Waits for completion as listing_next does. */
typedef void (*listing_group)(void *ctx, struct str value, uint64_t count);
MUST_CHECK enum err listing_statuses(struct listing *l, struct call *call, listing_group emit,
                                     void *ctx);
MUST_CHECK enum err listing_names(struct listing *l, struct call *call, listing_group emit,
                                  void *ctx);
MUST_CHECK enum err listing_days(struct listing *l, struct call *call, listing_group emit,
                                 void *ctx);

/* -- for the catalogue, which builds listings -- */

struct listing *listing_new(int64_t as_of_ms); /* loading, empty */
/* Appends a frozen block (takes the reference); slots must be set. Wakes readers. */
MUST_CHECK enum err listing_append(struct listing *l, struct block *b);
void listing_complete(struct listing *l);
void listing_fail(struct listing *l, const struct call *call); /* keeps error and sentence */

/* A new complete listing: old, with changed rows put in (by key) and the keys in gone taken out.
 * Rows keep the slots they had; changed rows bring theirs. Blocks without a change are shared. */
struct listing *listing_merge(struct listing *old, const struct row *changed, size_t n_changed,
                              const struct str *gone, size_t n_gone, int64_t as_of_ms);
size_t listing_bytes(struct listing *l);

#endif
