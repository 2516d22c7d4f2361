/* remove: deletes a task hub completely, if nobody needs it any more (storage messages 5.3).
 * What is there is listed, never computed from a count. Refused while an instance is unfinished or
 * a worker holds the app lease or a partition. Queues go first, so that no new work begins; the
 * container with the app lease goes last, so that what an interruption left can be told from a hub
 * that never was, and the deletion can be repeated until nothing is left.
 * Names that only begin alike belong to other hubs and are never touched.
 * Ownership: none. Threads: any. */
#ifndef BACKEND_STORAGE_REMOVE_H
#define BACKEND_STORAGE_REMOVE_H

#include "backend/storage/storage.h"

/* The row of hub_ops. ERR_BUSY with a sentence that says what is in the way, or what is left when
 * it failed half-way. What is gone already, or going, is success. */
MUST_CHECK enum err storage_remove(struct hub *hub, struct call *call);

/* The account has no hub of this name: does it have anything that a deletion would still delete?
 * Then names and tables of s are set. ERR_NOT_FOUND: nothing; the call keeps the sentence it had.
 */
MUST_CHECK enum err remove_find_leftovers(struct storage *s, struct call *call, struct str hub);

#endif
