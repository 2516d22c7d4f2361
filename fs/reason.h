/* reason: why an activity, a sub-orchestration or an orchestrator failed, in one sentence.
 * Knows the shapes of FailureDetails (storage tables 5.4); not where the sentence is shown.
 * Ownership: text is the event's or lies in the arena. Threads: any. */
#ifndef FS_REASON_H
#define FS_REASON_H

#include "backend/history.h"

/* The message of FailureDetails, else the reason, else the details as stored; "" = none. */
struct str reason_of(const struct event *e, struct arena *arena);

#endif
