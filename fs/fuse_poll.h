/* fuse_poll: poll(2), select, epoll on files that are worth waiting for: `wait`, readable when the
 * instance is finished or gone, and the history of an unfinished one, readable when there is more
 * than was read, or when no more can come. All others are always readable and writable, as files
 * are. A poll that has to wait is a ticket in the park, one per open file; it costs no thread. What
 * decides is the farthest byte that was read, as the kernel does not tell the file's position.
 * Ownership: polled_free after park_stop; the mount outlives it.
 * Threads: any; a lock inside (RANK_POLLED), under which tickets are parked and taken back. */
#ifndef FS_FUSE_POLL_H
#define FS_FUSE_POLL_H

#include "fs/fuse_request.h"

struct polled *polled_new(void);
void polled_free(struct polled *p); /* accepts NULL */

/* park_ops.ask, ctx is the struct mount: for reads that wait and polls alike. */
MUST_CHECK enum err poll_ask(void *ctx, struct call *call, node n, uint64_t known,
                             struct text **ret);

/* A reader was read up to there; it is being closed. */
void poll_was_read(struct reader *reader, uint64_t end);
void poll_forget(struct mount *m, struct reader *reader);

#endif
