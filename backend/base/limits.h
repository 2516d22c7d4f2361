/* limits: how much of anything we accept (faults and limits, section 4). Each has its number there,
 * a unit and a reason. Threads: constants. */
#ifndef BACKEND_BASE_LIMITS_H
#define BACKEND_BASE_LIMITS_H

#define KIB 1024u
#define MIB (1024u * 1024u)

#define PAYLOAD_MAX_BYTES      (64 * MIB)  /* L1: one payload, inflated; --max-payload */
#define JSON_WRITE_MAX_BYTES   (16 * MIB)  /* L2: one JSON value written by a user */
#define REASON_MAX_BYTES       4096u       /* L3: one reason */
#define HTTP_HEADERS_MAX_BYTES (64 * KIB)  /* L4 */
#define PAGE_MAX_BYTES         (8 * MIB)   /* L5: one page of a table */
#define CALL_TIMEOUT_MS        30000       /* L6: one file operation; --timeout */
#define CONNECT_TIMEOUT_MS     10000       /* L7: connect and TLS */
#define SLOW_BYTES_PER_S       1024        /* L8: slower than this ... */
#define SLOW_SECONDS           15          /* L8: ... for so long is a failure */
#define TRIES_MAX              5           /* L9 */
#define BACKOFF_FIRST_MS       100         /* L9 */
#define BACKOFF_LAST_MS        10000       /* L9 */
#define RETRY_BUDGET_PERCENT   10          /* L9: retries per requests ... */
#define RETRY_BUDGET_FREE      10          /* L9: ... and so many on top */
#define BREAKER_FAILURES       5           /* L10: connect failures ... */
#define BREAKER_WINDOW_MS      10000       /* L10: ... within this open the breaker */
#define BREAKER_PROBE_MS       2000        /* L10 */
#define JSON_DEPTH_MAX         512         /* L11: also XML */
#define CONNECTIONS_MAX        16          /* L12: per service; --connections */
#define CACHE_MAX_BYTES        (512 * MIB) /* L13: caches in all; --max-memory */
#define HANDLES_MAX            65536       /* L14 */
#define FROZEN_MAX_BYTES       (256 * MIB) /* L14: content of open files */
#define TTL_LIST_MS            5000        /* L15: --cache-ttl */
#define TTL_FINISHED_MS        60000       /* L15: a finished row */
#define TTL_NEGATIVE_MS        1000        /* L15: "not there" */
#define DNS_CACHE_S            60          /* L15 */
#define LOG_LINE_MAX           1024        /* L19 */
#define LOG_FOLD_MS            10000       /* L19: equal lines within this are folded ... */
#define LOG_FOLD_LINES         100         /* L19: ... so many at a time */
#define FAILURES_MAX           200         /* L20: lines of .taskhubfs/errors */
#define SHUTDOWN_MS            2000        /* L21 */
#define PAGE_ROWS              1000        /* the table service's own maximum */
#define BATCH_ROWS             100         /* the table service's own maximum in one transaction */

#endif
