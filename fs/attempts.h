/* attempts: which try of the same work a task is. Work is the same when kind, name and input are;
 * a task is a further try when an earlier one failed and nothing followed that failure yet.
 * Ownership: attempts_fini frees, works with it. Threads: private to one thread. */
#ifndef FS_ATTEMPTS_H
#define FS_ATTEMPTS_H

#include "backend/base/map.h"
#include "fs/bars.h"

struct work {
    unsigned last;      /* try that failed last */
    unsigned unretried; /* failures that nothing followed yet */
};

struct attempts {
    struct map by_work; /* struct work */
    struct arena arena;
};

void attempts_init(struct attempts *a);
void attempts_fini(struct attempts *a);

/* Of the decision e. ERR_NO_MEMORY: *ret is NULL, which the others take. */
MUST_CHECK enum err attempts_work(struct attempts *a, enum bar_kind kind, const struct event *e,
                                  struct work **ret);

unsigned work_tried(struct work *w);              /* once more: which try it is, 1 without w */
void work_failed(struct work *w, unsigned which); /* that try */

#endif
