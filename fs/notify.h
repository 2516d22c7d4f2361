/* notify: the one thread that tells the kernel what it must not believe any longer. It lets the
 * kernel keep names and attributes of finished instances for hours.
 * Takes news of the catalogues, and tells in two steps: attributes first, which waits for nobody;
 * then names, where the kernel takes the lock of the directory: one that a request holds on to
 * (notify_enter) is left alone until that is through. Sleeps while there is nothing to tell.
 * What a request was told by an older state than its reply is told of once more: who replies asks
 * notify_since with the moment when it began. Knows nodes and trees; the kernel through functions.
 * Ownership: notify_free after notify_stop; the forest lives longer than the thread.
 * Threads: any; the functions of the kernel are called without any lock, by the one thread, but for
 * attributes: those also by who did what changed them (notify_own). */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include "fs/backlog.h"
#include "fs/forest.h"

#define NOTIFY_TOLD_MS                                                                             \
    (INT64_C(6) * 3600 * 1000) /* how long the kernel may believe what is told                     \
                                */
#define NOTIFY_SETTLE_MS 100   /* a request waits so long for its own effects to be told */
#define NOTIFY_HALT_MS   200   /* the end waits so long for a call that is under way */

struct notify_kernel {
    void (*attributes)(void *ctx, node n); /* must not wait for any request */
    void (*listing)(void *ctx, node dir);  /* attributes and names as listed; the same */
    void (*name)(void *ctx, node dir, struct str name);
    void *ctx;
};

struct notify;

struct notify *notify_new(void);
void notify_free(struct notify *n); /* accepts NULL */
/* False: no thread; then nothing is ever told. */
MUST_CHECK bool notify_start(struct notify *n, const struct notify_kernel *kernel);
/* Whose trees the news are about; before the first. */
void notify_plant(struct notify *n, struct forest *forest);
/* The kernel is not called any more, the call under way ends in time: before nobody reads requests
 * any longer, on whose answer it could wait. */
void notify_halt(struct notify *n);
/* Ends the thread, if it was started. False: it is still in the kernel; nothing may be freed. */
MUST_CHECK bool notify_stop(struct notify *n);

/* As tree_settings.news, ctx is the struct notify: takes note and returns. */
void notify_news(void *ctx, unsigned hub, const struct catalogue_news *news);
/* For the request that did something to the instance of this node, before it is answered: whoever
 * gave the command looks at once, so what the kernel believes of it is void already then. */
void notify_own(struct notify *n, node of);
/* Waits until what was taken before in the lanes up to this one is told, but not for directories
 * in use, and NOTIFY_SETTLE_MS at most. */
void notify_settle(struct notify *n, enum notify_lane lane);

/* -- for requests -- */

typedef uint64_t notify_moment;
notify_moment notify_now(struct notify *n);
/* Were there news since then of the instance that the node belongs to? Sometimes yes for no. */
bool notify_since(struct notify *n, node of, notify_moment then);
void notify_again(struct notify *n, node of); /* tells of that instance once more */

/* A request that may take long and for which the kernel locks this directory. */
void notify_enter(struct notify *n, node dir);
void notify_leave(struct notify *n, node dir);

#endif
