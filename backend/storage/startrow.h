/* startrow: the Instances row of a start: written, recognised again, taken back.
 * Knows its columns and the forms of a large input (storage messages 4.2, storage tables 3.1, 4.3);
 * not the message that follows.
 * Ownership: texts of a struct start_row are borrowed. Threads: any. */
#ifndef BACKEND_STORAGE_STARTROW_H
#define BACKEND_STORAGE_STARTROW_H

#include "backend/storage/messages.h"
#include "backend/storage/wire.h"

#define INPUT_CELL_UTF16 30720 /* units of an input that stay in the cell (storage tables 4.2) */
#define START_ROW_MAX    (512 * KIB) /* a row has 1 MiB at most; ours a cell of 64 KiB and names */

struct start_row {
    struct str key; /* PartitionKey */
    struct str
        input_url; /* of the message's blob: goes into the cell; "" = the message is inline */
    struct str input_blob; /* companion blob of a long input; "" = none */
    ticks updated;         /* LastUpdatedTime */
};

/* Does this input need a companion blob, given that its message is inline? */
bool start_row_needs_blob(const struct message *m);
/* {key}/history--Input-{8 hex}-Input.json.gz, with random digits. */
void start_row_blob_name(struct buf *b, struct str key);

/* The members of the row, as insert and replace take them. */
void start_row_json(struct buf *b, const struct storage *s, const struct message *m,
                    const struct start_row *row);

/* Whether the row is there and names this execution: an insert or replace whose answer was lost has
 * been done after all. */
MUST_CHECK enum err start_row_is_ours(struct storage *s, struct call *call, struct str key,
                                      struct str execution_id, bool *ret);

/* The row as it is, complete and with its types, so that it can be put back: JSON for a replace.
 * ERR_EXISTS: its ETag is not etag any more. */
MUST_CHECK enum err start_row_copy(struct storage *s, struct call *call, struct str key,
                                   struct str etag, struct buf *ret);

/* Takes our row back: deletes it, or puts old ("" = there was none) in its place; only while it
 * names our execution. Asks for the row first, since a write gives no ETag back. */
MUST_CHECK enum err start_row_undo(struct storage *s, struct call *call, struct str key,
                                   struct str execution_id, struct str old);

#endif
