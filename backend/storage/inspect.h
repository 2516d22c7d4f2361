/* inspect: the queues of a hub, who works on them, and whether anybody does.
 * Knows how owners are shown; how they are found is owners.h's.
 * Lines of five columns, separated by tabs: queue, approximate messages (hidden and scheduled ones
 * included), owner, state, time of the last renewal; what is not known is empty.
 *   myhub-control-00  one a partition: state free, owned, draining or handover (owner is then
 *                     "from > to"); with the table manager the last renewal
 *   myhub-workitems   activities: every worker takes from it
 *   myhub-applease    owner: lease id of the app; state of the lease, or "none"
 *   worker            state alive or none: does anybody hold the app lease or a partition?
 * Threads: any. Source: storage messages 6; mount layout 7. */
#ifndef BACKEND_STORAGE_INSPECT_H
#define BACKEND_STORAGE_INSPECT_H

#include "backend/storage/storage.h"

/* The row of hub_ops. A list of queues, one request a queue, and those of owners_read. */
MUST_CHECK enum err storage_inspect(struct hub *hub, struct call *call, struct buf *ret);

#endif
