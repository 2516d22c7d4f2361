/* breaker: remembers that a service cannot be reached, so that callers hear it at once (L10, F19).
 * Knows counts and moments that it is told; no clock, no socket. It has no timer (L22): while open,
 * it lets one caller through every probe_ms, and that caller is the probe. Ownership: embedded in
 * its client. Threads: any. */
#ifndef BACKEND_NET_BREAKER_H
#define BACKEND_NET_BREAKER_H

#include "backend/base/limits.h"
#include "backend/base/lock.h"
#include "backend/net/net_internal.h"

struct breaker {
    struct lock lock;
    const struct tuning *tuning;        /* I */
    int64_t failures[BREAKER_FAILURES]; /* L: moments, a ring */
    unsigned next;                      /* L: place of the coming one */
    int count;                          /* L: how many since the last success, capped */
    bool open;                          /* L */
    int64_t opened_ms, probed_ms;       /* L */
    char reason[256];                   /* L: of the last failure */
};

enum breaker_way {
    BREAKER_GO,    /* closed */
    BREAKER_PROBE, /* open, but this caller may try, once and shortly */
    BREAKER_STOP,  /* open */
};

void breaker_init(struct breaker *b, const struct tuning *tuning); /* tuning outlives it */
void breaker_fini(struct breaker *b);

/* now_ms is clock_now_ms(). With BREAKER_STOP the last failure's words are copied to reason. */
enum breaker_way breaker_ask(struct breaker *b, int64_t now_ms, char *reason, size_t size);
void breaker_connected(struct breaker *b);
/* whole: the failure took all the time there is for connecting, which no five others could have
 * fitted into: it opens by itself (black holes, F4). */
void breaker_failed(struct breaker *b, int64_t now_ms, bool whole, const char *reason);

#endif
