/* fetch: pages of one range of keys, one after the other, as blocks.
 * Ownership: embedded; fetch_fini. Threads: private to one; the range belongs to the walk's lock,
 * which is taken here. */
#ifndef BACKEND_STORAGE_FETCH_H
#define BACKEND_STORAGE_FETCH_H

#include "backend/storage/ranges.h"
#include "backend/storage/tables.h"

struct fetch {
    struct storage *storage;
    const struct list_query *query;
    struct lock *lock; /* guards ranges */
    struct ranges *ranges;
    struct range *range; /* the one being fetched; NULL = none */
    struct pages pages;
    struct buf filter, until;
    struct block *last; /* the last one with rows of this range */
    unsigned version;   /* of the range, when the filter was made */
    bool open;          /* pages and filter are valid */
};

void fetch_init(struct fetch *f, struct storage *s, const struct list_query *query,
                struct lock *lock, struct ranges *ranges);
void fetch_fini(struct fetch *f);
void fetch_begin(struct fetch *f, struct range *range);
/* Fetches one page and adds it to the range. *ret_more false: the range is done. */
MUST_CHECK enum err fetch_page(struct fetch *f, struct call *call, bool *ret_more);

#endif
