#include <stdlib.h>

#include "backend/base/clock.h"
#include "backend/base/lock.h"
#include "backend/base/log.h"
#include "fs/callers.h"

struct jobs {
    struct job *first, *last;
};

struct group {
    struct jobs held; /* beyond what the group may have under way */
    unsigned active;  /* queued and running */
};

struct callers {
    struct lock lock;
    struct cond work;
    struct cond ended;
    struct jobs queued, urgent, running; /* L */
    unsigned threads, idle;              /* L */
    unsigned extra;                      /* L: threads for urgent jobs */
    bool ending;                         /* L */
    struct group groups[CALLERS_GROUPS]; /* L */
};

static void jobs_append(struct jobs *l, struct job *job)
{
    job->prev = l->last;
    job->next = NULL;
    *(job->prev ? &job->prev->next : &l->first) = job;
    l->last = job;
}

static void jobs_remove(struct jobs *l, struct job *job)
{
    *(job->prev ? &job->prev->next : &l->first) = job->next;
    *(job->next ? &job->next->prev : &l->last) = job->prev;
    job->prev = job->next = NULL;
}

struct callers *callers_new(void)
{
    struct callers *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    lock_init(&c->lock, RANK_WORK);
    cond_init(&c->work);
    cond_init(&c->ended);
    return c;
}

void callers_free(struct callers *c)
{
    if (!c)
        return;
    cond_fini(&c->work);
    cond_fini(&c->ended);
    lock_fini(&c->lock);
    free(c);
}

static void queue_locked(struct callers *c, struct job *job)
{
    job->place = JOB_QUEUED;
    job->counted = true;
    c->groups[job->group].active++;
    jobs_append(&c->queued, job);
}

/* A job of the group is over, or not the group's any more: one that was held may begin. */
static void uncount_locked(struct callers *c, struct job *job)
{
    struct group *g = &c->groups[job->group];

    if (!job->counted)
        return;
    job->counted = false;
    g->active--;
    job = g->held.first;
    if (!job)
        return;
    jobs_remove(&g->held, job);
    queue_locked(c, job);
    cond_wake_one(&c->work);
}

static struct job *take_locked(struct callers *c)
{
    struct jobs *from = c->urgent.first ? &c->urgent : &c->queued;
    struct job *job = from->first;

    if (!job)
        return NULL;
    jobs_remove(from, job);
    job->place = JOB_RUNNING;
    jobs_append(&c->running, job);
    return job;
}

/* The lock is held before and after, not while the job works or answers. */
static void run_locked(struct callers *c, struct job *job)
{
    lock_drop(&c->lock);
    job->work(job);
    lock_take(&c->lock);
    jobs_remove(&c->running, job);
    job->place = JOB_OUTSIDE;
    uncount_locked(c, job);
    lock_drop(&c->lock);
    job->end(job);
    lock_take(&c->lock);
}

static bool wait_for_work_locked(struct callers *c)
{
    int64_t until = clock_now_ms() + CALLERS_IDLE_MS;
    bool in_time = true;

    c->idle++;
    while (in_time && !c->urgent.first && !c->queued.first && !c->ending)
        in_time = cond_wait_until(&c->work, &c->lock, until);
    c->idle--;
    return c->urgent.first || c->queued.first;
}

static void *caller_main(void *arg)
{
    struct callers *c = arg;
    struct job *job;

    lock_take(&c->lock);
    do {
        while ((job = take_locked(c)))
            run_locked(c, job);
    } while (wait_for_work_locked(c));
    c->threads--;
    cond_wake_all(&c->ended);
    lock_drop(&c->lock);
    return NULL;
}

/* Ends with the last urgent job: it exists only because every other thread is taken. */
static void *extra_main(void *arg)
{
    struct callers *c = arg;

    lock_take(&c->lock);
    while (c->urgent.first)
        run_locked(c, take_locked(c));
    c->extra--;
    cond_wake_all(&c->ended);
    lock_drop(&c->lock);
    return NULL;
}

static bool start(void *(*body)(void *), struct callers *c)
{
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attr, body, c);
    pthread_attr_destroy(&attr);
    return !failed;
}

static bool enough_threads_locked(struct callers *c)
{
    size_t waiting = 0;

    for (const struct job *j = c->queued.first; j && waiting < c->idle; j = j->next)
        waiting++;
    if (waiting < c->idle || c->threads >= CALLERS_ALL)
        return true;
    c->threads++;
    if (start(caller_main, c))
        return true;
    c->threads--;
    log_warning("a thread could not be started; %u go on", c->threads);
    return c->threads > 0;
}

enum err callers_submit(struct callers *c, struct job *job)
{
    struct group *g = &c->groups[job->group];

    LOCK_SCOPE(&c->lock);
    if (c->ending)
        return ERR_CANCELLED;
    if (g->active >= CALLERS_MAX) {
        job->place = JOB_HELD;
        jobs_append(&g->held, job);
        return OK;
    }
    if (!enough_threads_locked(c))
        return call_fail(job->call, ERR_TOO_MANY, "no thread can be started");
    queue_locked(c, job);
    cond_wake_one(&c->work);
    return OK;
}

void callers_hurry(struct callers *c, struct job *job)
{
    LOCK_SCOPE(&c->lock);
    if (job->place != JOB_QUEUED && job->place != JOB_HELD)
        return;
    jobs_remove(job->place == JOB_HELD ? &c->groups[job->group].held : &c->queued, job);
    uncount_locked(c, job);
    job->place = JOB_URGENT;
    jobs_append(&c->urgent, job);
    if (c->idle) {
        cond_wake_all(&c->work);
        return;
    }
    if (c->extra)
        return;
    c->extra++;
    if (!start(extra_main, c))
        c->extra--; /* the next thread that is free takes it */
}

static void cancel_all_locked(struct callers *c)
{
    for (struct job *j = c->running.first; j; j = j->next)
        call_cancel(j->call);
    for (struct job *j = c->queued.first; j; j = j->next)
        call_cancel(j->call);
    for (size_t i = 0; i < CALLERS_GROUPS; i++)
        for (struct job *j = c->groups[i].held.first; j; j = j->next)
            call_cancel(j->call);
}

static bool wait_end_locked(struct callers *c, int64_t until)
{
    bool in_time = true;

    while (in_time && c->threads + c->extra > 0)
        in_time = cond_wait_until(&c->ended, &c->lock, until);
    return c->threads + c->extra == 0;
}

bool callers_stop(struct callers *c, int64_t finish_ms, int64_t total_ms)
{
    int64_t now = clock_now_ms();

    LOCK_SCOPE(&c->lock);
    c->ending = true;
    cond_wake_all(&c->work);
    if (wait_end_locked(c, now + finish_ms))
        return true;
    cancel_all_locked(c);
    return wait_end_locked(c, now + total_ms);
}
