/* sending: one http_send on its way through its tries.
 * Knows when to try again; how a try is made is the exchange's business, what the end means the
 * verdict's. Ownership: borrows everything. Threads: a sending is private. */
#ifndef BACKEND_NET_SENDING_H
#define BACKEND_NET_SENDING_H

#include "backend/net/client.h"

/* Makes the tries. client, call, given, answer and require_request_id are set, the others zero. */
MUST_CHECK enum err sending_run(struct sending *s);

#endif
