/* callers: a bounded pool of threads that run the operations which need the network, so that the
 * threads which answer the kernel never wait (c-models 2.6; fuse facts G). Jobs come in groups, a
 * hub each; of one group only so many are worked on at once.
 * Knows jobs and their calls; not what they do.
 * Ownership: a job belongs to the pool from submit until its end function is called, which may free
 * it. Threads: any may submit. Threads are started when there is work and end when there is none,
 * so an idle mount has no timer (L22). */
#ifndef FS_CALLERS_H
#define FS_CALLERS_H

#include "backend/base/call.h"

#define CALLERS_MAX 64  /* jobs of a group at once: four times the connections of one service */
#define CALLERS_ALL 512 /* threads: eight hubs that do not answer leave some for the others */
#define CALLERS_GROUPS                                                                             \
    1024 /* a hub each (nodes.h): one that is slow keeps no other waiting (F67) */
#define CALLERS_IDLE_MS 10000 /* a thread without work waits so long for some */

struct job {
    void (*work)(struct job *job); /* may take long; the call says how long and whether to go on */
    void (*end)(struct job *job);  /* answers; the job is not the pool's any more */
    struct call *call;
    unsigned group;          /* below CALLERS_GROUPS */
    struct job *prev, *next; /* private, as the rest */
    enum { JOB_OUTSIDE, JOB_HELD, JOB_QUEUED, JOB_URGENT, JOB_RUNNING } place;
    bool counted; /* among its group's */
};

struct callers;

struct callers *callers_new(void);
/* After callers_stop said that nothing runs. Accepts NULL. */
void callers_free(struct callers *c);

/* ERR_CANCELLED: the pool is ending; ERR_TOO_MANY: not one thread can be started. */
MUST_CHECK enum err callers_submit(struct callers *c, struct job *job);
/* The job's call was cancelled: if it still waits for a thread it gets one beyond the bound at
 * once, to say so (R5). Nothing happens if it is running or over. */
void callers_hurry(struct callers *c, struct job *job);

/* No more jobs. Gives those that run finish_ms to end by themselves, then cancels them and gives
 * them the rest of total_ms. True: nothing runs any more. */
bool callers_stop(struct callers *c, int64_t finish_ms, int64_t total_ms);

#endif
