/* verdict: what the end of a sending means: the outcome and its sentence.
 * Knows what each class of request may claim about a write (faults and limits R2, R6).
 * Ownership: borrows everything. Threads: a sending is private. */
#ifndef BACKEND_NET_VERDICT_H
#define BACKEND_NET_VERDICT_H

#include "backend/net/client.h"

/* After a try that is not followed by another. */
MUST_CHECK enum err verdict(struct sending *s);
/* Nothing was sent. paused: because the breaker is open, or was and its probe failed. */
MUST_CHECK enum err verdict_unreachable(struct sending *s, bool paused, const char *why);

#endif
