/* call: one operation on its way through the rooms: its deadline, its cancel flag, and the sentence
 * that says why it failed.
 * Knows time and text; not what is being done.
 * Ownership: on the stack of whoever begins the operation (or in its request); passed down by
 * pointer, never kept beyond the return.
 * Threads: one thread works with it; call_cancel may come from any other. */
#ifndef BACKEND_BASE_CALL_H
#define BACKEND_BASE_CALL_H

#include <stdatomic.h>

#include "backend/base/err.h"
#include "backend/base/str.h"

#define CALL_TEXT_MAX 768 /* a sentence, a URL path and 200 characters of the server's words */

struct call {
    int64_t deadline_ms;   /* clock_now_ms() value; INT64_MAX = none */
    int64_t patience_ms;   /* what call_progress adds from now on; 0 = the deadline is fixed */
    atomic_bool cancelled; /* A */
    bool local;            /* answer from memory, or ERR_WOULD_BLOCK at once */
    bool glance;           /* a local one for what happens to be at hand: nobody asked for it */
    /* A: steps, for who watches a long operation; of 0 = not known */
    atomic_uint_fast64_t done, of;
    enum err err;        /* last failure, OK if none */
    int http_status;     /* of the answer that failed the call; 0 = none */
    char code[64];       /* x-ms-error-code or the like; "" = none */
    char request_id[64]; /* x-ms-request-id of that answer; "" = none */
    char text[CALL_TEXT_MAX];
};

void call_init(struct call *c, int64_t timeout_ms);
void call_init_local(struct call *c); /* local, no deadline */

/* Records the sentence and returns err: return call_fail(call, ERR_DENIED, "GET %s: ...", table);
 * The first sentence of a failure is kept by rooms that pass an error on: they return it unchanged.
 * Control characters are replaced by '?' (the text may quote a server). */
MUST_CHECK enum err call_fail(struct call *c, enum err err, const char *fmt, ...) PRINTF_LIKE(3, 4);

void call_cancel(struct call *c);
bool call_cancelled(const struct call *c);
int64_t call_left_ms(const struct call *c);   /* never negative */
void call_progress(struct call *c);           /* something arrived: patience starts anew */
void call_steps(struct call *c, uint64_t of); /* so many steps are ahead, none is done */
void call_step(struct call *c, uint64_t n);   /* n more are done; progress, too */

/* OK, ERR_CANCELLED or ERR_TIMEOUT (with a sentence). Waits of any length ask this every 100 ms. */
MUST_CHECK enum err call_check(struct call *c);

#endif
