/* rows: rows of the Instances table as blocks and instances.
 * Knows the columns of storage tables 3.1; fetches nothing.
 * Ownership: what is returned owns its text. Threads: any.
 * Errors: ERR_BROKEN without a sentence: the text is not what the service calls a page or a row. */
#ifndef BACKEND_STORAGE_ROWS_H
#define BACKEND_STORAGE_ROWS_H

#include "backend/hub.h"
#include "backend/storage/cells.h"

/* $select for the listings and for a row without its cells. */
#define ROWS_SELECT                                                                                \
    "PartitionKey,Timestamp,Name,Version,RuntimeStatus,CreatedTime,LastUpdatedTime,CompletedTime," \
    "ScheduledStartTime"
#define ROWS_SELECT_ENTITIES ROWS_SELECT ",CustomStatus"
#define ROWS_SELECT_KEYS     "PartitionKey"
#define ROWS_SELECT_ONE      ROWS_SELECT ",ExecutionId,Generation,TaskHubName"

const char *rows_select(enum list_what what);

/* What a page is read for. */
struct rows_wanted {
    enum list_what what;
    struct str until;             /* rows from this key on are left out; "" = none */
    const struct block *previous; /* the block before; its rows are left out (F38); may be NULL */
};

/* One page as a frozen block, which may be empty: of entities those that exist, are locked or have
 * operations waiting. *ret_past: rows from until on were left out. ERR_DAMAGED: a row belongs
 * before the end of previous but was not there, so that pages are out of order and rows may be
 * missing. */
MUST_CHECK enum err rows_block(struct str page, const struct rows_wanted *wanted,
                               struct block **ret, bool *ret_past);

/* One row (a point read's body) as an instance; phase is left open. etag: the header's. needs: what
 * was selected, NEED_CELLS or NEED_ROW. */
MUST_CHECK enum err rows_instance(struct str json, const struct cell_place *place, struct str etag,
                                  unsigned needs, struct instance **ret);

/* A page of whole rows as instances, in its order, into ret, which has room for max; nothing of a
 * page that cannot be read. ERR_TOO_BIG: more than max. */
MUST_CHECK enum err rows_instances(struct str page, const struct cell_place *place,
                                   struct instance **ret, size_t max, size_t *ret_n);

#endif
