/* purge: deletes a finished instance: history, payload blobs, its row last, so that a crash at any
 * point leaves something that the next purge finds (storage tables 8.4). Row of hub_ops.
 * Requests: history keys, blobs (unless the hub has no container), the row again, one transaction
 * for 100 history rows, one for each blob, the row.
 * Threads: any; may be repeated after any failure. */
#ifndef BACKEND_STORAGE_PURGE_H
#define BACKEND_STORAGE_PURGE_H

#include "backend/base/limits.h"
#include "backend/storage/storage.h"

#define PURGE_KEYS_MAX_BYTES                                                                       \
    (64u * MIB) /* of row keys or blob names; L18 is 34 MiB of row keys                            \
                 */

/* Contract in hub.h. ERR_BUSY: not finished, or changed meanwhile. */
MUST_CHECK enum err storage_purge(struct hub *hub, struct call *call, const struct instance *in,
                                  struct receipt *ret);

#endif
