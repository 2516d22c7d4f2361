/* lock: mutexes with a rank, so that debug builds find a wrong order at the first run.
 * Lock order, outermost first, is the order of enum lock_rank; docs/architecture.md says what each
 * guards. A thread may take a lock only of a rank greater than all it holds.
 * No lock is held across a network call, a reply or a kernel notification.
 * Threads: any. */
#ifndef BACKEND_BASE_LOCK_H
#define BACKEND_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum lock_rank {
    RANK_HANDLE,    /* fs/handle: one open file */
    RANK_OPENDIRS,  /* fs/walkers: who walks which directory; fs/detours: who removes one */
    RANK_FOREST,    /* fs/forest: which hubs there are */
    RANK_INODES,    /* fs/inode */
    RANK_POLLED,    /* fs/fuse_poll: who polls which open file */
    RANK_PARK,      /* fs/park */
    RANK_WORK,      /* fs/callers: queue of calls */
    RANK_CATALOGUE, /* backend/catalogue */
    RANK_LISTING,   /* backend/listing: a listing that grows */
    RANK_NEWS,      /* fs/notify: what the kernel is to be told */
    RANK_HUB,       /* inside a provider */
    RANK_POOL,      /* backend/net/pool */
    RANK_INTERN,    /* backend/intern; fs/hubs: connection string and key */
    RANK_LOG,       /* log, failures */
};

struct lock {
    pthread_mutex_t mutex;
    enum lock_rank rank;
};

struct cond {
    pthread_cond_t cond; /* monotonic clock */
};

void lock_init(struct lock *l, enum lock_rank rank);
void lock_fini(struct lock *l);
void lock_take(struct lock *l);
void lock_drop(struct lock *l);
void lock_assert_held(const struct lock *l); /* debug builds only */

void cond_init(struct cond *c);
void cond_fini(struct cond *c);
void cond_wait(struct cond *c, struct lock *l);
/* Clock_now_ms(); false = time out. */
bool cond_wait_until(struct cond *c, struct lock *l, int64_t until_ms);
void cond_wake_all(struct cond *c);
void cond_wake_one(struct cond *c);

static inline void lock_scope_end(struct lock **l)
{
    if (*l)
        lock_drop(*l);
}

/* Holds the lock to the end of the block. */
#define LOCK_SCOPE_NAME_(line) lock_scope_##line
#define LOCK_SCOPE_NAME(line)  LOCK_SCOPE_NAME_(line)
#define LOCK_SCOPE(l)                                                                              \
    __attribute__((cleanup(lock_scope_end), unused)) struct lock *LOCK_SCOPE_NAME(__LINE__) =      \
        (lock_take(l), (l))

#endif
