/* deliver: brings one message to the control queue of its instance, through a blob if it is large,
 * and cleans up when it certainly did not arrive.
 * Knows messages, partitions, queues and blobs; not states and rows.
 * Ownership: a parcel borrows the message's text; parcel_fini frees what was made of it.
 * Threads: any. Source: storage messages 3.7, 4.1. */
#ifndef BACKEND_STORAGE_DELIVER_H
#define BACKEND_STORAGE_DELIVER_H

#include "backend/storage/messages.h"
#include "backend/storage/partitions.h"

/* For taking back what a failed operation had begun: its own call may be over. */
#define UNDO_TIMEOUT_MS 1000

struct parcel {
    char queue[QUEUE_NAME_MAX];
    struct buf json;      /* the message */
    struct buf blob_name; /* "" = inline */
    struct buf wrapper;   /* what goes to the queue instead */
    int64_t delay_s;
    bool stored; /* the blob was put */
};

void parcel_fini(struct parcel *p); /* accepts a zeroed one */
#define CLEANUP_PARCEL __attribute__((cleanup(parcel_fini)))

/* Fills in what every message needs: ids, time, number (0 for a start). */
void deliver_stamp(struct storage *s, struct message *m);

/* Makes the text and finds the queue. Nothing is written. */
MUST_CHECK enum err parcel_pack(struct storage *s, struct call *call, const struct message *m,
                                struct parcel *ret);
/* Puts the blob of a large one; no request for others. */
MUST_CHECK enum err parcel_store(struct storage *s, struct call *call, struct parcel *p);
/* Puts it into the queue, once. A queue that is not there is ERR_BROKEN, and the partition count is
 * forgotten. ERR_UNKNOWN_OUTCOME: it may have arrived. */
MUST_CHECK enum err parcel_post(struct storage *s, struct call *call, const struct parcel *p);
/* The blob again, after the message certainly did not arrive; failures are only logged. */
void parcel_unstore(struct storage *s, struct parcel *p);

/* Is it certain after this error that the message is not in the queue? */
bool deliver_failed_for_certain(enum err err);

/* All of it for a message that needs nothing else: pack, store, post, and unstore if need be. */
MUST_CHECK enum err deliver(struct storage *s, struct call *call, const struct message *m);

#endif
