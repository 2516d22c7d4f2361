/* retry: whether a request may be sent again, when, and how often all together.
 * Knows classes (faults and limits R2), statuses and L9; sends nothing and never sleeps.
 * Ownership: a budget is embedded in its client.
 * Threads: functions are pure; a budget may be used by any thread (one atomic number). */
#ifndef BACKEND_NET_RETRY_H
#define BACKEND_NET_RETRY_H

#include "backend/base/clock.h"
#include "backend/net/net_internal.h"

/* What a complete answer says about repeating. */
enum answer_kind {
    ANSWER_FINAL,     /* take it as it is */
    ANSWER_BUSY,      /* 429, 503 ServerBusy: not executed; any class may repeat (F29) */
    ANSWER_UNCERTAIN, /* 500 OperationTimedOut, 502, 504, another 503: executed or not (F31) */
};
enum answer_kind retry_answer_kind(const struct http_response *r);

/* May a request of this class be sent again after a try that ended so? r is looked at when the try
 * was answered. */
bool retry_allowed(enum http_class class, const struct attempt *a, const struct http_response *r);

/* Full jitter: between 0 and first * 2^(tries - 1), at most last. tries: so many were made, at
 * least 1; random: any number. */
int64_t retry_backoff_ms(const struct tuning *t, unsigned tries, uint32_t random);

/* Retry-After in seconds or as a date (F30). False when absent or invalid: it is ignored (B48). A
 * date in the past is 0. */
bool retry_after_ms(const struct http_response *r, ticks now, int64_t *ret);

/* L9: retries <= 10% of requests + 10, and never more than RETRY_SAVED at a stretch, so that a long
 * quiet time does not pay for a storm. */
#define RETRY_SAVED 100u
struct retry_budget {
    _Atomic unsigned hundredths; /* A: 100 buy one retry */
};
void retry_budget_init(struct retry_budget *b, const struct tuning *t);
void retry_budget_earn(struct retry_budget *b, const struct tuning *t); /* once a request */
bool retry_budget_spend(struct retry_budget *b);                        /* false: none left */

#endif
