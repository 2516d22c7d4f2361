/* rewindrows: the rows of an instance's history that a rewind looks at: failures, the decisions
 * they belong to, the end of the run, and what an earlier rewind left (storage tables 11.2).
 * Knows the history table; not which of the rows a rewind marks. Reads only.
 * Ownership: texts go to the caller's arena; rewind_rows_fini frees the array. Threads: any.
 * Errors: as tables.h; the sentence names the instance. in: its row, read afresh. */
#ifndef BACKEND_STORAGE_REWINDROWS_H
#define BACKEND_STORAGE_REWINDROWS_H

#include "backend/storage/wire.h"

#define REWOUND "Rewound: " /* how the Reason of a marked row begins */

struct rewind_row {
    struct str row_key, type, reason, instance_id, orchestration_status;
    int64_t event_id, task_id; /* -1 = none */
};

struct rewind_rows {
    struct rewind_row *p; /* in the order of their keys */
    size_t count, cap;
};

bool rewind_row_is(const struct rewind_row *row, const char *type);

/* The execution: the sentinel's, not that of the row with the greatest key, which may belong to an
 * older, longer run. ERR_WRONG_STATE: no history. ERR_BUSY: it is not that of the instance's row.
 */
MUST_CHECK enum err rewind_execution(struct storage *s, struct call *call,
                                     const struct instance *in, struct arena *texts,
                                     struct str *ret);
MUST_CHECK enum err rewind_rows_read(struct rewind_rows *rows, struct storage *s, struct call *call,
                                     const struct instance *in, struct str execution_id,
                                     struct arena *texts);
void rewind_rows_fini(struct rewind_rows *rows);
/* The row's ETag, and a last look: ERR_BUSY: it is not any longer what was read. */
MUST_CHECK enum err rewind_row_etag(struct storage *s, struct call *call, const struct instance *in,
                                    const struct rewind_row *row, struct arena *texts,
                                    struct str *ret);

#endif
