/* net_internal: the words that the files of this room share: the figures a client works with, and
 * how one try ended.
 * Knows limits (faults and limits, section 4); not sockets. No other room includes this.
 * Ownership: values. Threads: a tuning is fixed before its client is used; attempts are private. */
#ifndef BACKEND_NET_NET_INTERNAL_H
#define BACKEND_NET_NET_INTERNAL_H

#include "backend/base/call.h"
#include "backend/net/request.h"

#define SLICE_MS 100 /* R5: every wait looks at the cancel flag and the deadline this often */

/* All times in ms unless named otherwise. Everyone but a test uses tuning_default. */
struct tuning {
    int64_t connect_ms;        /* L7: for all connecting within one send */
    int64_t backoff_first_ms;  /* L9 */
    int64_t backoff_last_ms;   /* L9 */
    unsigned tries;            /* L9 */
    unsigned budget_free;      /* L9: retries in hand at the start */
    unsigned budget_percent;   /* L9: what each request adds */
    long slow_bytes_per_s;     /* L8 */
    long slow_s;               /* L8, seconds */
    int breaker_failures;      /* L10: at most BREAKER_FAILURES; more: never by count */
    int64_t breaker_window_ms; /* L10 */
    int64_t breaker_probe_ms;  /* L10: also all the time a probe has for connecting */
    int64_t grace_ms;          /* R5: left to an interrupted CLASS_ONCE */
};
extern const struct tuning tuning_default;

struct http_client;
/* http_client_new with other figures; copies them. */
struct http_client *http_client_new_tuned(const struct http_settings *settings,
                                          const struct tuning *tuning);

/* How one try ended. "Sent" below: at least one byte of the request left this process. */
enum try_end {
    TRY_ANSWERED,    /* status, headers and as much of the body as the class needs */
    TRY_UNREACHABLE, /* no connection: nothing sent; another try may help */
    TRY_REFUSED,     /* no connection: certificate or proxy says no; another try will not help */
    TRY_UNSENT,      /* the connection broke before a byte was sent (F7) */
    TRY_LOST,        /* sent, and no complete answer came back */
    TRY_SLOW,        /* sent, and slower than L8 */
    TRY_BROKEN,      /* sent, and the answer is not one we accept */
    TRY_TOO_BIG,     /* the answer's body is above max_body */
    TRY_CANCELLED,   /* the caller was interrupted */
    TRY_DEADLINE,    /* the deadline passed */
    TRY_NO_MEMORY,
};

struct attempt {
    enum try_end end;
    bool sent;          /* see above */
    bool connected;     /* a connection stood: the breaker closes */
    bool timed_out;     /* UNREACHABLE: all the time for connecting was used up */
    int64_t connect_ms; /* UNREACHABLE: how long it took to find out */
    int64_t took_ms;    /* ANSWERED: the whole exchange */
    uint64_t bytes_in, bytes_out;
    char words[384]; /* why, in curl's words or ours; no secret, no query */
};

#endif
