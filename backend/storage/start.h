/* start: new runs: the row first, the message second, so that success means that a worker will run
 * it (storage messages 4.2, 4.6). Knows the Instances row of a start and how to take it back; ids
 * were checked by hub_send. Threads: any. */
#ifndef BACKEND_STORAGE_START_H
#define BACKEND_STORAGE_START_H

#include "backend/storage/storage.h"

/* CMD_START. ERR_EXISTS: the id is in use, finished or not. ERR_UNKNOWN_OUTCOME: row kept. */
MUST_CHECK enum err storage_start(struct hub *hub, struct call *call, const struct command *cmd,
                                  struct receipt *ret);

/* CMD_RESTART of in (read with NEED_CELLS), under another id or its own. Its own: ERR_BUSY while a
 * message for it waits in its queue (the restart trap of 4.2), ERR_EXISTS if it changed meanwhile.
 */
MUST_CHECK enum err storage_restart(struct hub *hub, struct call *call, const struct command *cmd,
                                    const struct instance *in, struct receipt *ret);

#endif
