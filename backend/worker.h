/* worker: a thread of the catalogue's that reads something for whoever waits, and the call it works
 * with. It exists only while there is something to read.
 * Knows threads and calls; not what is read.
 * Ownership: embedded, zeroed at first; worker_end before it goes.
 * Threads: L fields under the lock of whoever owns it; worker_start is called with that lock held.
 */
#ifndef BACKEND_WORKER_H
#define BACKEND_WORKER_H

#include <pthread.h>

#include "backend/base/call.h"

struct worker {
    pthread_t thread; /* L */
    bool started;     /* L: to be joined */
    bool live; /* L: at work; run sets it to false, under the lock, and does not take it again */
    struct call call; /* the thread's, but for its cancel flag */
};

/* One that is not live. Its call may take CALL_TIMEOUT_MS without progress (L6). ERR_TOO_MANY:
 * there are no threads. */
MUST_CHECK enum err worker_start(struct worker *w, void *(*run)(void *), void *arg,
                                 struct call *call);
/* Cancels its call and waits for its end; without the lock. */
void worker_end(struct worker *w);

#endif
