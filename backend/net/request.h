/* request: an HTTP request and its answer as values, and the callbacks that sign and renew.
 * Knows classes of request, headers and bodies; not connections, nor when a try is made again.
 * Ownership: a request borrows everything; a response owns body and headers until response_fini.
 * Threads: values of one caller; the callbacks are called by any. */
#ifndef BACKEND_NET_REQUEST_H
#define BACKEND_NET_REQUEST_H

#include "backend/base/buf.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_MERGE, HTTP_DELETE };
const char *http_method_name(enum http_method m);

/* Faults and limits R2. */
enum http_class {
    CLASS_READ,       /* retried */
    CLASS_IDEMPOTENT, /* retried: delete, conditional merge, blob put */
    CLASS_ONCE, /* repeated only if the server cannot have executed it; else UNKNOWN_OUTCOME */
};

#define CLIENT_ID_HEADER "x-ms-client-request-id"

#define HTTP_HEADERS 12
struct http_header {
    const char *name; /* constant, or of the request's own life */
    struct str value;
};

struct http_request {
    enum http_method method;
    enum http_class class;
    struct str url; /* complete, encoded; without a SAS */
    /* name NULL ends; "Content-Type" among them for a body. The last place stays free: each try
     * adds a fresh x-ms-client-request-id (F27). */
    struct http_header headers[HTTP_HEADERS];
    struct str body; /* sent with Content-Length when method is PUT, POST or MERGE */
    size_t max_body; /* bytes of the answer's body accepted; above it ERR_TOO_BIG */
};

struct http_response {
    int status;
    struct buf body;
    struct buf headers; /* "name: value\n" lines, names in lower case */
    unsigned tries;
};
#define RESPONSE_INIT                                                                              \
    {                                                                                              \
        0, BUF_INIT(0), BUF_INIT(0), 0                                                             \
    }
void response_fini(struct http_response *r);
#define CLEANUP_RESPONSE __attribute__((cleanup(response_fini)))
/* Value of a header, name in lower case; false when absent. */
bool response_header(const struct http_response *r, const char *name, struct str *ret);

bool http_is_clean(struct str s); /* no control character: fit for a request line or a log */

/* Adds the headers that must be made anew for each try (date, signature): appends "Name: value"
 * lines to out, each ending in '\n'; may append a query to url_suffix (SAS). r is exactly
 * what goes out: with x-ms-client-request-id among its headers, without Content-Type when no body
 * is sent. *ret_edition tells which credentials it took: a number that the signer counts. */
typedef enum err (*http_sign)(void *ctx, const struct http_request *r, struct buf *out,
                              struct buf *url_suffix, unsigned *ret_edition);
/* Asked after an answer 401 or 403 to a request of that edition: true = there are other credentials
 * by now, try once more. May read a file, no lock is held. */
typedef bool (*http_renew)(void *ctx, const struct http_response *r, unsigned edition);

/* What a client is made with. */
struct http_settings {
    int connections;  /* at once */
    http_sign sign;   /* may be NULL */
    http_renew renew; /* may be NULL */
    void *ctx;        /* of both */
};

#endif
