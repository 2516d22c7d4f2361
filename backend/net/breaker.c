#include "backend/net/breaker.h"

#include <stdio.h>

void breaker_init(struct breaker *b, const struct tuning *tuning)
{
    *b = (struct breaker){ .tuning = tuning };
    lock_init(&b->lock, RANK_POOL);
}

void breaker_fini(struct breaker *b)
{
    lock_fini(&b->lock);
}

enum breaker_way breaker_ask(struct breaker *b, int64_t now_ms, char *reason, size_t size)
{
    LOCK_SCOPE(&b->lock);
    if (!b->open)
        return BREAKER_GO;
    /* Measured from the last probe's start: one that hangs in a black hole must not keep the next
     * from finding the network back. */
    if (now_ms - b->probed_ms >= b->tuning->breaker_probe_ms) {
        b->probed_ms = now_ms;
        return BREAKER_PROBE;
    }
    snprintf(reason, size, "%s", b->reason);
    return BREAKER_STOP;
}

void breaker_connected(struct breaker *b)
{
    LOCK_SCOPE(&b->lock);
    b->open = false;
    b->count = 0;
}

static bool full_locked(const struct breaker *b, int64_t now_ms)
{
    int limit = b->tuning->breaker_failures;
    if (b->count < limit)
        return false;
    unsigned oldest = (b->next + BREAKER_FAILURES - (unsigned)limit) % BREAKER_FAILURES;
    return now_ms - b->failures[oldest] <= b->tuning->breaker_window_ms;
}

void breaker_failed(struct breaker *b, int64_t now_ms, bool whole, const char *reason)
{
    LOCK_SCOPE(&b->lock);
    snprintf(b->reason, sizeof(b->reason), "%s", reason);
    b->failures[b->next] = now_ms;
    b->next = (b->next + 1) % BREAKER_FAILURES;
    if (b->count < BREAKER_FAILURES)
        b->count++;
    if (b->open || !(whole || full_locked(b, now_ms)))
        return;
    b->open = true;
    b->opened_ms = b->probed_ms = now_ms;
}
