/* http: one HTTP exchange with a deadline, a cancel flag and the right number of tries.
 * Knows classes of request, connections and bodies; not Azure, tables or hubs.
 * A curl code never leaves this room: it becomes an enum err with a sentence.
 * Ownership: a client owns its connections; a response owns its body and headers until
 * response_fini. Threads: any number may send on one client; a curl handle belongs to one caller
 * between taking and returning it (pool). */
#ifndef BACKEND_NET_HTTP_H
#define BACKEND_NET_HTTP_H

#include "backend/base/buf.h"
#include "backend/base/call.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_MERGE, HTTP_DELETE };
const char *http_method_name(enum http_method m);

/* Faults and limits R2. */
enum http_class {
    CLASS_READ,       /* retried */
    CLASS_IDEMPOTENT, /* retried: delete, conditional merge, blob put */
    CLASS_ONCE, /* repeated only if the server cannot have executed it; else UNKNOWN_OUTCOME */
};

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

/* Adds the headers that must be made anew for each try (date, signature): appends "Name: value"
 * lines to out, each ending in '\n'; may append a query to url_suffix (SAS). r is exactly
 * what goes out: with x-ms-client-request-id among its headers, without Content-Type when no body
 * is sent. *ret_edition tells which credentials it took: a number that the signer counts. */
typedef enum err (*http_sign)(void *ctx, const struct http_request *r, struct buf *out,
                              struct buf *url_suffix, unsigned *ret_edition);
/* Asked after an answer 401 or 403 to a request of that edition: true = there are other credentials
 * by now, try once more. May read a file, no lock is held. */
typedef bool (*http_renew)(void *ctx, const struct http_response *r, unsigned edition);

struct http_settings {
    int connections;  /* at once */
    http_sign sign;   /* may be NULL */
    http_renew renew; /* may be NULL */
    void *ctx;        /* of both */
};

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
