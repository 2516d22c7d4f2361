/* setup: one request as options of a curl handle.
 * Knows every option that this room sets but the callbacks, and why; not what becomes of the
 * request. Ownership: the handle borrows the plan; lines are the caller's, to be freed after the
 * exchange, also when false was returned. Threads: the handle's owner. */
#ifndef BACKEND_NET_SETUP_H
#define BACKEND_NET_SETUP_H

#include <curl/curl.h>

#include "backend/net/net_internal.h"

/* One try, as exchange.h is given it. */
struct exchange_plan {
    const struct tuning *tuning;
    const struct http_request *request; /* with CLIENT_ID_HEADER among its headers */
    struct str client_id;               /* its value */
    const char *url;                    /* complete, with what signing appended */
    struct str signed_lines;            /* "Name: value\n" each */
    int64_t connect_ms;                 /* at most, for name, connection and TLS */
};

/* On a handle that was just reset. False: no memory. */
bool setup_request(CURL *easy, const struct exchange_plan *plan, struct curl_slist **lines);

#endif
