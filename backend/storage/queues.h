/* queues: the queue service: put, peek, count, list, and deleting a whole queue. Nothing here takes
 * a single message away or hides it. Knows queue names and texts; not what a message says.
 * Ownership: what callbacks get is borrowed for their duration.
 * Threads: any. Source: storage messages 3.8, 6.4; faults and limits R2. */
#ifndef BACKEND_STORAGE_QUEUES_H
#define BACKEND_STORAGE_QUEUES_H

#include "backend/storage/wire.h"

#define QUEUE_PEEK_MAX 32 /* messages in one peek, the service's own maximum */

/* Puts one message (the JSON, encoded here) that never expires, visible after delay_s seconds. Sent
 * at most once (CLASS_ONCE). ERR_NOT_FOUND: no such queue; ERR_UNKNOWN_OUTCOME: it may be there;
 * any other error: it is not. */
MUST_CHECK enum err queues_put(struct storage *s, struct call *call, const char *queue,
                               struct str json, int64_t delay_s);

/* The texts of up to QUEUE_PEEK_MAX visible messages, oldest first. *ret_count: how many. */
typedef enum err (*queues_peeked)(void *ctx, struct str text);
MUST_CHECK enum err queues_peek(struct storage *s, struct call *call, const char *queue,
                                queues_peeked emit, void *ctx, size_t *ret_count);

struct queue_metadata {
    int64_t messages;   /* approximate, hidden ones included; -1 = not told */
    char task_hub[512]; /* value of durabletask_taskhub; "" = none, or longer than any */
};
/* ERR_NOT_FOUND: no such queue. */
MUST_CHECK enum err queues_metadata(struct storage *s, struct call *call, const char *queue,
                                    struct queue_metadata *ret);

/* Names that begin with prefix, ascending, over all pages. */
typedef enum err (*queues_emit)(void *ctx, struct str name);
MUST_CHECK enum err queues_list(struct storage *s, struct call *call, const char *prefix,
                                queues_emit emit, void *ctx);

/* Deletes a queue with all its messages. One that is not there, or already being deleted, is
 * success. *ret_was_there may be NULL. */
MUST_CHECK enum err queues_delete(struct storage *s, struct call *call, const char *queue,
                                  bool *ret_was_there);

#endif
