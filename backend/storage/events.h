/* events: rows of the History table as a history.
 * Knows keys, columns and the reader's rule (storage tables 5.1 to 5.6); fetches nothing.
 * Rows are gathered page by page, then those of the current execution become events: the sentinel
 * says which that is, and stands last.
 * Ownership: everything lies in the history's arena. Threads: private until it is done.
 * Errors: ERR_BROKEN without a sentence: not what the service calls a page. */
#ifndef BACKEND_STORAGE_EVENTS_H
#define BACKEND_STORAGE_EVENTS_H

#include "backend/history.h"
#include "backend/storage/cells.h"

#define EVENTS_MAX 2000000u /* L18: rows of one partition, older executions included */

struct event_row {
    struct str row_key;
    struct str execution_id;
    struct str json; /* without PartitionKey, RowKey and Timestamp */
};

struct events {
    struct history *history;
    struct event_row *rows;
    size_t count, cap;
    struct event_row sentinel; /* row_key "" = there is none */
    bool checkpoint_complete;  /* the sentinel's IsCheckpointComplete; absent counts as true */
    bool unsorted;
};

MUST_CHECK enum err events_init(struct events *e);
void events_fini(struct events *e);

/* Adds the rows of one page; nothing of a page that is ERR_BROKEN. ERR_TOO_BIG above EVENTS_MAX. */
MUST_CHECK enum err events_page(struct events *e, struct str page);

/* The same for a page with the rows of several instances: owner says whose row of this key it is;
 * NULL: nobody's, it is left out. The page must be readable (events_is_page): what was added before
 * an error stays. */
typedef enum err (*events_owner)(void *ctx, struct str partition_key, struct events **ret);
MUST_CHECK enum err events_share(struct str page, events_owner owner, void *ctx);
bool events_is_page(struct str page);

/* Which execution the rows belong to now: the sentinel's, else that of the first row; "" = no rows.
 */
struct str events_execution(const struct events *e);

/* Drops all rows if they are of an earlier run, which this one has not yet begun to overwrite
 * (vectors 73, 88); the history will be empty. */
void events_settle(struct events *e, const struct instance *in);

/* Turns the rows of that execution into events and gives the history away; events_fini still has to
 * be called. Unknown event types are kept (vector 93). */
MUST_CHECK enum err events_finish(struct events *e, struct history **ret);

/* The cells of an event that may lie elsewhere, with the column's name, in no particular order. */
#define EVENT_CELLS 6
struct cell *event_cell(struct event *ev, unsigned i, struct str *ret_column);

/* Rewrites ev->json: the column holds payload now and has no companion. */
MUST_CHECK enum err events_resolved(struct history *h, struct event *ev, struct str column,
                                    struct str payload);

#endif
