#include "backend/base/lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A mutex that fails is a mistake of ours, and going on without it would corrupt what it guards. */
static void must(int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "lock: %s: %s\n", what, strerror(error));
    abort();
}

#ifndef NDEBUG

#define HELD_MAX 16

/* Ranks rise strictly, so the last one held is the highest. */
static _Thread_local struct {
    const struct lock *locks[HELD_MAX];
    unsigned n;
} held;

static const char *rank_name(enum lock_rank rank)
{
    switch (rank) {
    case RANK_FOREST:
        return "forest";
    case RANK_HANDLE:
        return "handle";
    case RANK_OPENDIRS:
        return "opendirs";
    case RANK_INODES:
        return "inodes";
    case RANK_POLLED:
        return "polled";
    case RANK_PARK:
        return "park";
    case RANK_WORK:
        return "work";
    case RANK_CATALOGUE:
        return "catalogue";
    case RANK_LISTING:
        return "listing";
    case RANK_NEWS:
        return "news";
    case RANK_HUB:
        return "hub";
    case RANK_POOL:
        return "pool";
    case RANK_INTERN:
        return "intern";
    case RANK_LOG:
        return "log";
    }
    return "unknown";
}

/* Before the mutex is asked for: a wrong order shall be told, not become a deadlock. */
static void held_check(const struct lock *l)
{
    const struct lock *last = held.n ? held.locks[held.n - 1] : NULL;

    if (last && l->rank <= last->rank) {
        fprintf(stderr, "lock: wrong order: takes %s while holding %s\n", rank_name(l->rank),
                rank_name(last->rank));
        abort();
    }
    if (held.n == HELD_MAX) {
        fprintf(stderr, "lock: a thread holds more than %d locks\n", HELD_MAX);
        abort();
    }
}

static void held_add(const struct lock *l)
{
    held.locks[held.n++] = l;
}

static unsigned held_find(const struct lock *l)
{
    unsigned i = held.n;

    while (i > 0 && held.locks[i - 1] != l)
        i--;
    if (i == 0) {
        fprintf(stderr, "lock: %s is not held by this thread\n", rank_name(l->rank));
        abort();
    }
    return i - 1;
}

/* Locks may be dropped in another order than they were taken. */
static void held_remove(const struct lock *l)
{
    unsigned i = held_find(l);

    memmove(&held.locks[i], &held.locks[i + 1], (--held.n - i) * sizeof(held.locks[0]));
}

#else

static void held_check(const struct lock *l)
{
    (void)l;
}

static void held_add(const struct lock *l)
{
    (void)l;
}

static void held_remove(const struct lock *l)
{
    (void)l;
}

#endif

void lock_init(struct lock *l, enum lock_rank rank)
{
    must(pthread_mutex_init(&l->mutex, NULL), "init");
    l->rank = rank;
}

void lock_fini(struct lock *l)
{
    must(pthread_mutex_destroy(&l->mutex), "destroy");
}

void lock_take(struct lock *l)
{
    held_check(l);
    must(pthread_mutex_lock(&l->mutex), "take");
    held_add(l);
}

void lock_drop(struct lock *l)
{
    held_remove(l);
    must(pthread_mutex_unlock(&l->mutex), "drop");
}

void lock_assert_held(const struct lock *l)
{
#ifndef NDEBUG
    (void)held_find(l);
#else
    (void)l;
#endif
}

void cond_init(struct cond *c)
{
    pthread_condattr_t attr;

    must(pthread_condattr_init(&attr), "condattr init");
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), "condattr clock");
    must(pthread_cond_init(&c->cond, &attr), "cond init");
    must(pthread_condattr_destroy(&attr), "condattr destroy");
}

void cond_fini(struct cond *c)
{
    must(pthread_cond_destroy(&c->cond), "cond destroy");
}

/* The wait takes the lock again, so it has to be the innermost: held_check says so. */
void cond_wait(struct cond *c, struct lock *l)
{
    held_remove(l);
    held_check(l);
    must(pthread_cond_wait(&c->cond, &l->mutex), "cond wait");
    held_add(l);
}

bool cond_wait_until(struct cond *c, struct lock *l, int64_t until_ms)
{
    struct timespec until;
    int error;

    if (until_ms == INT64_MAX) {
        cond_wait(c, l);
        return true;
    }
    if (until_ms < 0)
        until_ms = 0;
    until.tv_sec = until_ms / 1000;
    until.tv_nsec = until_ms % 1000 * 1000000;
    held_remove(l);
    held_check(l);
    error = pthread_cond_timedwait(&c->cond, &l->mutex, &until);
    held_add(l);
    if (error == ETIMEDOUT)
        return false;
    must(error, "cond wait");
    return true;
}

void cond_wake_all(struct cond *c)
{
    must(pthread_cond_broadcast(&c->cond), "wake all");
}

void cond_wake_one(struct cond *c)
{
    must(pthread_cond_signal(&c->cond), "wake one");
}
