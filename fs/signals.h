/* signals: one thread that waits for SIGTERM, SIGINT and SIGHUP; every other thread has them
 * blocked, so that none of them is interrupted at a bad moment. Ownership: embedded. Threads: the
 * functions given are called by the signal thread. */
#ifndef FS_SIGNALS_H
#define FS_SIGNALS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "backend/base/attr.h"

#define SIGNALS_NUDGE_MS 50 /* how often end is called until signals_stop */

struct signals {
    void (*end)(void *ctx); /* TERM, INT: again and again, as the main thread may just miss one */
    void (*reload)(void *ctx); /* HUP */
    void *ctx;
    pthread_t thread;
    atomic_bool ended;    /* A: TERM or INT came */
    atomic_bool stopping; /* A */
    bool started;
};

/* Before any other thread begins, as these inherit what is blocked. */
void signals_block(void);
MUST_CHECK bool signals_start(struct signals *s); /* fill the functions first */
void signals_stop(struct signals *s);             /* accepts one that was not started */

/* Interrupts a system call of that thread (SIGUSR1, which does nothing else). */
void signals_nudge(pthread_t thread);

#endif
