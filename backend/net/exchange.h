/* exchange: one try of one request over one slot of the pool.
 * Knows curl's options and codes, and what an acceptable answer looks like (F8 to F27); not when to
 * try again.
 * Ownership: borrows everything for the length of the call.
 * Threads: the slot's taker. */
#ifndef BACKEND_NET_EXCHANGE_H
#define BACKEND_NET_EXCHANGE_H

#include "backend/net/net_internal.h"
#include "backend/net/pool.h"
#include "backend/net/setup.h"

/* Fills both. A CLASS_ONCE with a complete head is ANSWERED whatever becomes of its body (F11), and
 * has grace_ms left when the call is cancelled after its first byte (R5). */
void exchange_run(struct slot *slot, struct call *call, const struct exchange_plan *plan,
                  struct http_response *ret, struct attempt *ret_attempt);

#endif
