/* exchange: one try of one request over one slot of the pool.
 * Knows curl's options and codes, and what an acceptable answer looks like (F8 to F27); not when to
 * try again.
 * Ownership: borrows everything for the length of the call.
 * Threads: the slot's taker. */
#ifndef BACKEND_NET_EXCHANGE_H
#define BACKEND_NET_EXCHANGE_H

#include "backend/net/net_internal.h"
#include "backend/net/pool.h"

struct exchange_plan {
    const struct tuning *tuning;
    const struct http_request *request; /* with CLIENT_ID_HEADER among its headers */
    struct str client_id;               /* its value */
    const char *url;                    /* complete, with what signing appended */
    struct str signed_lines;            /* "Name: value\n" each */
    int64_t connect_ms;                 /* at most, for name, connection and TLS */
};
#define CLIENT_ID_HEADER "x-ms-client-request-id"

/* Of an error answer so much is kept; its status counts even if more comes (B38). */
#define ERROR_BODY_MAX (64 * KIB)

/* Fills both. A CLASS_ONCE with a complete head is ANSWERED whatever becomes of its body (F11), and
 * has grace_ms left when the call is cancelled after its first byte (R5). */
void exchange_run(struct slot *slot, struct call *call, const struct exchange_plan *plan,
                  struct http_response *ret, struct attempt *ret_attempt);

#endif
