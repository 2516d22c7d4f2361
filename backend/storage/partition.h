/* partition: which control queue a message for an instance belongs in.
 * Knows the hash and how queues are called; not how many partitions a hub has (partitions.h).
 * Source: storage messages 1.1 and 2.
 * Ownership: none. Threads: any. */
#ifndef BACKEND_STORAGE_PARTITION_H
#define BACKEND_STORAGE_PARTITION_H

#include "backend/base/buf.h"

#define PARTITIONS_MAX 16
#define QUEUE_NAME_MAX 80 /* a hub's name has 45 characters, the service accepts 63 in all */

uint32_t partition_hash(struct str id);               /* FNV-1a over the UTF-8 of the raw id */
unsigned partition_of(struct str id, unsigned count); /* count at least 1 */

/* {hub_lc}-control-NN, terminated. hub in any case; longer ones are cut at the end of ret. */
void partition_queue(char ret[QUEUE_NAME_MAX], struct str hub, unsigned index);
/* {hub_lc}-{suffix}: "workitems", "control-" for listing, "largemessages", "leases". */
void partition_resource(char ret[QUEUE_NAME_MAX], struct str hub, const char *suffix);
/* The index in {hub_lc}-control-NN, exactly so; false for any other name. */
bool partition_parse_queue(struct str name, struct str hub, unsigned *ret);

#endif
