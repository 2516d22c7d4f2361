/* send: commands as messages: event, terminate, suspend, resume, signal; the others it passes to
 * start.h and rewind.h. Row of hub_ops.
 * Knows which message a command becomes; states were checked by hub_send.
 * Threads: any. Source: storage messages 4.3 to 4.5, 4.8. */
#ifndef BACKEND_STORAGE_SEND_H
#define BACKEND_STORAGE_SEND_H

#include "backend/storage/storage.h"

/* Contract in hub.h. in: read afresh with NEED_CELLS | NEED_PHASE; NULL for START and SIGNAL.
 * A terminate of a start that is scheduled changes the row instead (hard cancel, 4.4 no. 4).
 * ERR_UNKNOWN_OUTCOME: the message may be in the queue; never repeat. */
MUST_CHECK enum err storage_send(struct hub *hub, struct call *call, const struct command *cmd,
                                 const struct instance *in, struct receipt *ret);

#endif
