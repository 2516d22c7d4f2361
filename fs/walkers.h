/* walkers: which process has which directory open: how the unlinks of rm -r are told from a plain
 * rm, and a delete of named instances from one that began above them (mount layout 5, faults and
 * limits R8, fuse facts C). Knows processes, nodes and names; neither FUSE nor the tree. Ownership:
 * walkers_new/walkers_free; a walk given by walkers_open ends with walkers_close. Threads: any.
 * walkers_above may wait (up to WALKERS_PATIENCE_MS), nothing else does. */
#ifndef FS_WALKERS_H
#define FS_WALKERS_H

#include "backend/base/call.h"
#include "fs/tree.h"

#define WALKERS_PATIENCE_MS 100  /* a release on its way arrives within this */
#define WALKERS_MEMORY_MS   1000 /* a directory closed so long ago still counts as walked */
#define WALKERS_CLOSED_MAX                                                                         \
    4096 /* closed walks remembered at once; beyond it the oldest go first                         \
          */

struct walkers;
struct walk;

struct walkers *walkers_new(void);
void walkers_free(struct walkers *w); /* accepts NULL */

/* The process (thread group) of a thread; 0 for 0 and below (a foreign pid namespace). */
int walkers_process(int tid);

/* A view directory, or one inside which nothing is removed, was opened. ERR_NO_MEMORY. */
MUST_CHECK enum err walkers_open_above(struct walkers *w, int process, node dir, struct walk **ret);
/* An instance's directory was opened; names are its entries, copied. */
MUST_CHECK enum err walkers_open_instance(struct walkers *w, int process, node dir,
                                          const struct str *names, size_t n, struct walk **ret);
void walkers_close(struct walkers *w, struct walk *walk); /* accepts NULL */

/* Has the process this instance's directory open now? */
bool walkers_walks(struct walkers *w, int process, node dir);
/* Has it any view directory open, a moment from now at the latest? Waits for a release on its way
 * (ERR_WOULD_BLOCK for a local call). OK = none open; ERR_FORBIDDEN with a sentence. */
MUST_CHECK enum err walkers_above(struct walkers *w, struct call *call, int process);

/* The process unlinked this entry of the instance's directory. */
void walkers_unlinked(struct walkers *w, int process, node dir, struct str name);
/* May the process remove it? ERR_NOT_EMPTY with a sentence that names an entry it left out: of a
 * directory that it has open or closed within the last second. */
MUST_CHECK enum err walkers_complete(struct walkers *w, struct call *call, int process, node dir);

#endif
