/* flight: one piece of work under way that others wait for instead of doing it too.
 * Whoever finds none leads: it works with its own call, without the lock, and lands. The others
 * wait and then look again; if the leader gave up for reasons of its own (interrupted, out of time)
 * they find nothing and one of them leads. Ownership: reference count under the owner's lock.
 * Threads: everything under the lock of whoever owns the flight. */
#ifndef BACKEND_FLIGHT_H
#define BACKEND_FLIGHT_H

#include "backend/base/call.h"
#include "backend/base/lock.h"

struct flight;

struct flight *flight_new(void); /* one reference: the leader's; NULL without memory */
/* Waits until it has landed, asking the call every 100 ms; gives the lock up meanwhile.
 * OK: look again. Else the leader's failure with its sentence, or the caller's own end. */
MUST_CHECK enum err flight_wait(struct flight *f, struct lock *held, struct call *call);
/* The same, but no longer than max_ms: *ret_late if it has not landed by then (and OK). */
MUST_CHECK enum err flight_wait_for(struct flight *f, struct lock *held, struct call *call,
                                    int64_t max_ms, bool *ret_late);
/* The outcome for those who wait; gives up the leader's reference. */
void flight_land(struct flight *f, enum err err, const struct call *call);

#endif
