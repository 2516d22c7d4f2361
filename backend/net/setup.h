/* setup: one request as options of a curl handle.
 * Knows every option that this room sets but the callbacks, and why; not what becomes of the
 * request. Ownership: the handle borrows the plan; lines are the caller's, to be freed after the
 * exchange, also when false was returned. Threads: the handle's owner. */
#ifndef BACKEND_NET_SETUP_H
#define BACKEND_NET_SETUP_H

#include "backend/net/exchange.h"

/* On a handle that was just reset. False: no memory. */
bool setup_request(CURL *easy, const struct exchange_plan *plan, struct curl_slist **lines);

#endif
