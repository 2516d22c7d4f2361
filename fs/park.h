/* park: reads that block until an instance is finished, and polls for news, held without a thread
 * each. One poller thread, which exists only while something is parked, asks once a second for each
 * distinct node (mount layout 1: at most 2 s late; L22: no timer without open waits).
 * Knows nodes and who waits; not what is waited for, nor how to answer.
 * Ownership: a ticket belongs to the park from park_add until it is woken or taken back.
 * Threads: any. wake is called without a lock; exactly one of wake and a successful park_remove
 * happens to a ticket. */
#ifndef FS_PARK_H
#define FS_PARK_H

#include "backend/base/call.h"
#include "backend/base/text.h"
#include "fs/tree.h"

#define PARK_PERIOD_MS  1000
#define PARK_MAX_AGE_MS 900 /* of the row that is asked for: under one period */
#define PARK_ASKERS     8   /* threads that ask, while there are so many distinct nodes */

struct ticket {
    node node;
    uint64_t
        known; /* what is news to it is another number: the answers of ask are compared to it */
    /* why: the call that failed, when err is not OK. */
    void (*wake)(struct ticket *t, enum err err, struct text *text, const struct call *why);
    struct ticket *prev, *next; /* private */
    bool parked;                /* private */
};

struct park_ops {
    /* ERR_BUSY: go on waiting. Anything else wakes everyone who waits for the node, except that
     * failures of the network are borne until grace_ms have passed without an answer. known: of the
     * tickets; 0 when they do not agree. */
    enum err (*ask)(void *ctx, struct call *call, node n, uint64_t known, struct text **ret);
    void *ctx;
    int64_t grace_ms;
};

struct park;

struct park *park_new(const struct park_ops *ops);
void park_free(struct park *p); /* after park_stop; accepts NULL */

MUST_CHECK enum err park_add(struct park *p, struct call *call, struct ticket *t);
bool park_remove(struct park *p, struct ticket *t); /* true: it is the caller's again */
size_t park_count(struct park *p);

/* Wakes everyone with ERR_CANCELLED and ends the poller; nothing can be added any more. */
void park_stop(struct park *p);

#endif
