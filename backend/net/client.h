/* client: what a client consists of, and one http_send on its way through it.
 * Knows what there is to know on that way; who does what with it: sending.h, verdict.h.
 * Ownership: http.c makes clients; a sending is on http_send's stack, borrowing everything.
 * Threads: a sending is private; a client is shared by all. */
#ifndef BACKEND_NET_CLIENT_H
#define BACKEND_NET_CLIENT_H

#include <stdatomic.h>

#include "backend/base/digest.h"
#include "backend/net/breaker.h"
#include "backend/net/pool.h"
#include "backend/net/retry.h"
#include "backend/net/target.h"

struct http_client {
    struct http_settings settings; /* I */
    struct tuning tuning;          /* I */
    struct pool pool;
    struct breaker breaker;
    struct retry_budget budget;
    _Atomic uint64_t requests, retries, errors, bytes_in, bytes_out, latency_ms_total; /* A */
};

/* One http_send on its way. */
struct sending {
    struct http_client *client;
    struct call *call;
    const struct http_request *given;
    struct http_request request; /* what is signed and sent: given, and CLIENT_ID_HEADER */
    struct http_response *answer;
    bool require_request_id;
    struct target target;
    char client_id[GUID_LEN + 1];
    struct attempt last;
    unsigned tries;
    unsigned edition;      /* of the credentials that signed the last try */
    bool renewed;          /* credentials, once */
    bool probe;            /* of an open breaker */
    int64_t connecting_ms; /* spent on connections that failed */
    bool out_of_time;      /* the next wait would end beyond the deadline */
    bool maybe_done;       /* an earlier try of a CLASS_IDEMPOTENT may have been executed */
    int64_t throttled_ms;  /* the server's own wish, beyond the deadline; 0 = none */
};

#endif
