/* rewind: makes a failed instance run on: marks the failures in its history and in that of its
 * failed sub-orchestrations, sets the rows to Pending, wakes the leaves (storage messages 4.7,
 * "careful client"; storage tables 11.2). Everything is read before anything is written, every
 * write is conditional, children come before parents; interrupted, it can be repeated. Threads:
 * any. */
#ifndef BACKEND_STORAGE_REWIND_H
#define BACKEND_STORAGE_REWIND_H

#include "backend/storage/storage.h"

#define REWIND_TREE_MAX  1000   /* instances in one rewind; engines recurse without a limit */
#define REWIND_EDITS_MAX 100000 /* history rows changed in one rewind */

/* CMD_REWIND. in: read afresh with NEED_CELLS | NEED_PHASE, Failed (or rewound and never woken:
 * then only the wake-up is sent). ERR_WRONG_STATE: a sub-orchestration is gone or did not fail;
 * nothing was written. ERR_BUSY: someone else changed a row; the sentence says what was done so
 * far. */
MUST_CHECK enum err storage_rewind(struct hub *hub, struct call *call, const struct command *cmd,
                                   const struct instance *in);

#endif
