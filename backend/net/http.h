/* http: one HTTP exchange with a deadline, a cancel flag and the right number of tries.
 * Knows connections and tries; not Azure, tables or hubs. What is sent and answered: request.h.
 * A curl code never leaves this room: it becomes an enum err with a sentence.
 * Ownership: a client owns its connections.
 * Threads: any number may send on one client; a curl handle belongs to one caller between taking
 * and returning it (pool). */
#ifndef BACKEND_NET_HTTP_H
#define BACKEND_NET_HTTP_H

#include "backend/base/call.h"
#include "backend/net/request.h"

struct http_stats {
    uint64_t requests; /* tries that left us */
    uint64_t retries, errors, bytes_in, bytes_out, latency_ms_total;
};

struct http_client;
struct http_client *http_client_new(const struct http_settings *settings); /* NULL without memory */
void http_client_free(struct http_client *c); /* no request under way; accepts NULL */
void http_client_stats(struct http_client *c, struct http_stats *ret);
void http_client_drop_connections(struct http_client *c); /* SIGHUP, clock jump */

/* Returns OK for every complete HTTP answer, whatever its status, except those that R2 lets us
 * repeat (429, 503, 500 OperationTimedOut, 502, 504 by class) until tries, budget or deadline end:
 * then also OK with that last status, or ERR_THROTTLED when the wait asked for is beyond the
 * deadline, or, when the deadline leaves no time for our own wait, ERR_TIMEOUT for reads and
 * idempotent writes (F29). An answer without x-ms-request-id is ERR_BROKEN ("not an Azure Storage
 * answer", F24) if require_request_id. Redirects are never followed: ERR_BROKEN (F25).
 * ERR_UNREACHABLE, ERR_TIMEOUT, ERR_CANCELLED, ERR_TOO_BIG, ERR_BROKEN, ERR_PAUSED, ERR_INVALID
 * (URL or header), ERR_WOULD_BLOCK (local call), and what sign returns; for CLASS_ONCE
 * ERR_UNKNOWN_OUTCOME once a byte has left and no complete head came, and for an answer that leaves
 * it open (500 OperationTimedOut, 502, 504, a 503 that is not ServerBusy, F31). The call's
 * http_status, code and request_id are those of the last answer of status 300 or above. ret is
 * RESPONSE_INIT or one used before; body and headers are complete only with OK (a CLASS_ONCE and an
 * error status may come with less of the body, F11). The process ignores SIGPIPE. */
MUST_CHECK enum err http_send(struct http_client *c, struct call *call,
                              const struct http_request *r, bool require_request_id,
                              struct http_response *ret);

#endif
