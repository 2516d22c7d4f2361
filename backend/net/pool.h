/* pool: the connections of one client: curl handles, each of one caller at a time.
 * A slot is a multi handle with one easy handle, because only curl_multi_poll can be left in the
 * middle of a transfer. Connection, DNS cache and TLS sessions live in the slot; it holds at most
 * one connection, so a pool of n never has more than n (L12). Knows handles and two clocks; not
 * requests. Ownership: the pool owns its slots; between pool_take and pool_put a slot is the
 * caller's. Threads: any. No lock is held while curl works. */
#ifndef BACKEND_NET_POOL_H
#define BACKEND_NET_POOL_H

#include <curl/curl.h>

#include "backend/base/call.h"
#include "backend/base/clock.h"
#include "backend/base/lock.h"

struct slot {
    CURLM *multi;        /* of the taker; NULL = not opened */
    CURL *easy;          /* likewise */
    unsigned generation; /* L: the pool's when it was opened */
    struct slot *next;   /* L: among the free ones */
};

struct pool {
    struct lock lock;
    struct cond freed;
    struct slot *slots;  /* I */
    int count;           /* I */
    struct slot *free;   /* L: the last one used first, its connection is the warmest */
    unsigned generation; /* L: slots of an older one reconnect */
    bool clocks_known;   /* L */
    int64_t skew_ms;     /* L: wall clock less monotonic clock, as last seen */
};

MUST_CHECK enum err pool_init(struct pool *p, int connections); /* ERR_NO_MEMORY */
void pool_fini(struct pool *p);                                 /* all slots are back */

/* Waits for a slot, in slices, as long as the call lasts: ERR_TIMEOUT, ERR_CANCELLED,
 * ERR_NO_MEMORY. The slot comes with open handles and without old connections. */
MUST_CHECK enum err pool_take(struct pool *p, struct call *call, struct slot **ret);
void pool_put(struct pool *p, struct slot *s);

void pool_drop_connections(struct pool *p); /* each slot, when it is taken next */

/* pool_take calls this: when the clocks have moved apart by more than CLOCK_JUMP_MS since last time
 * the machine slept (F20), and every connection is dropped. */
#define CLOCK_JUMP_MS 60000
void pool_note_clocks(struct pool *p, int64_t now_ms, ticks wall);

#endif
