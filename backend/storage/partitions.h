/* partitions: how many control queues the workers of this hub hash over (storage messages 1.3).
 * A message in a queue that nobody polls is lost for good, so the number is found in the order of
 * that section or not at all: an error, never a guess.
 * Knows where engines write the number down; not what is sent.
 * Ownership: the number is kept in struct storage until it is forgotten.
 * Threads: any; no lock is held while the services are asked. */
#ifndef BACKEND_STORAGE_PARTITIONS_H
#define BACKEND_STORAGE_PARTITIONS_H

#include "backend/base/arena.h"
#include "backend/storage/partition.h"
#include "backend/storage/wire.h"

/* 1 to PARTITIONS_MAX. ERR_INVALID with both numbers or what is missing, and the way out (the
 * option, host.json). */
MUST_CHECK enum err partitions_find(struct storage *s, struct call *call, unsigned *ret);

/* A queue was not there, or the hub is to be discovered anew. */
void partitions_forget(struct storage *s);

/* The queue for an id: partitions_find and the hash. */
MUST_CHECK enum err partitions_queue(struct storage *s, struct call *call, struct str id,
                                     char ret[QUEUE_NAME_MAX]);

/* -- the sources, as functions of what they say (tests) -- */

/* taskhub.json and the queue's metadata: the count, or 0 when it is unreadable, out of range or of
 * another hub (V7, V8). */
unsigned partitions_of_task_hub(struct str json, struct str hub);

/* A set of indexes seen in names like {hub_lc}-control-NN. */
struct partition_set {
    struct str hub;
    uint32_t seen; /* bit per index below PARTITIONS_MAX */
    bool beyond;   /* an index that cannot be */
};
void partition_set_add(struct partition_set *set, struct str queue_name); /* others are ignored */
unsigned partition_set_count(const struct partition_set *set);
/* Exactly 00 to n-1: n; else 0 (V10). */
unsigned partition_set_dense(const struct partition_set *set);

#endif
