/* progress: operations that may take long, while they are under way: what .taskhubfs/progress
 * shows. Knows calls and sentences; not what is being done. Ownership: progress_new/progress_free.
 * A struct running lies on the stack of whoever does the work, and so does its call; both are in
 * the list from progress_begin to progress_end. Threads: any. */
#ifndef FS_PROGRESS_H
#define FS_PROGRESS_H

#include "backend/base/call.h"
#include "backend/base/clock.h"

#define PROGRESS_WHAT_MAX 512 /* bytes of a sentence; a path in it may be cut */

struct progress;

struct running {
    struct running *prev, *next; /* L */
    ticks since;
    const struct call *call; /* its steps (call_steps) are what was done */
    char what[PROGRESS_WHAT_MAX];
};

struct progress *progress_new(void);
void progress_free(struct progress *p); /* accepts NULL */

/* p may be NULL: nobody watches. Tabs and controls of `what` become '?'. */
void progress_begin(struct progress *p, struct running *r, const struct call *call,
                    struct str what);
void progress_end(struct progress *p, struct running *r);

/* since, TAB, what, TAB, done, TAB, of (empty when it is not known): a line each, oldest first. */
void progress_print(struct progress *p, struct buf *out);
/* The same line for something that is not in any list. */
void progress_print_line(struct buf *out, ticks since, struct str what, uint64_t done, uint64_t of);

#endif
