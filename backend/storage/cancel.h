/* cancel: stops a start that is scheduled for later, in the table ("hard cancel", storage messages
 * 4.4 no. 4): its message is hidden until then and runs whatever the row's status is, unless the
 * row names another execution. Threads: any. */
#ifndef BACKEND_STORAGE_CANCEL_H
#define BACKEND_STORAGE_CANCEL_H

#include "backend/storage/storage.h"

/* in: Pending, scheduled, read with NEED_CELLS | NEED_PHASE. ERR_BUSY: it changed under our hands
 * three times, or began meanwhile. */
MUST_CHECK enum err storage_cancel(struct hub *hub, struct call *call, const struct instance *in,
                                   bool has_reason, struct str reason);

#endif
