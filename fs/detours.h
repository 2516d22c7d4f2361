/* detours: how the removal of a directory is carried out while the kernel holds no lock.
 * During RMDIR the kernel keeps the directory above locked: no other removal from it goes on, no
 * name that is not cached can be looked up in it, and nobody lists it. A purge takes several round
 * trips, so it is not done there. The first RMDIR is answered with ESTALE, which no program sees:
 * the kernel lets go of the lock and begins the system call anew, once, and asks on the way for
 * each directory on the path (LOOKUP) whatever it had cached. The lookup that finds the directory
 * above carries the purge; when RMDIR comes again, the outcome is waiting
 * (docs/why/purge-detour.md). A path without a directory to ask for (rmdir of a name in the working
 * directory) comes back without that lookup: then the second RMDIR does the work, as if there had
 * been no detour. Knows threads, nodes and outcomes; neither FUSE nor purges. Ownership:
 * detours_new/detours_free. A detour keeps one hold of the node that is removed; it goes back to
 * the caller of detours_return, or to let_go if the thread never returned. Threads: any; a detour
 * belongs to one thread of one process, and that is in one system call. */
#ifndef FS_DETOURS_H
#define FS_DETOURS_H

#include "backend/base/call.h"
#include "fs/tree.h"

#define DETOURS_MAX 512 /* at once: as many as can be worked on; beyond it RMDIR does the work */
/* The kernel is back within microseconds. A lookup later than this is somebody else's who got the
 * number of a thread that was killed, and must not purge: RMDIR does the work, if it comes. */
#define DETOUR_CARRY_MS 2000
#define DETOUR_LOST_MS  60000 /* a thread that has not returned by then was killed */

struct detours;

struct detours *detours_new(void (*let_go)(void *ctx, node n), void *ctx);
void detours_free(struct detours *d); /* accepts NULL; lets nothing go: the nodes go, too */

/* RMDIR for the first time: true: send the thread round; the caller's hold of dir->node is taken
 * over. False: no detour (not known who asks, too many, or somebody was sent round for this
 * directory before and did not return: then ESTALE may be no invitation there): do the work now. */
MUST_CHECK bool detours_begin(struct detours *d, int tid, node above, struct str name,
                              const struct attr *dir);

bool detours_any(struct detours *d, int tid); /* is this thread on one? Cheap if nobody is. */
/* A lookup of this thread found that node: is it the directory above, and the work not begun? */
bool detours_awaits(struct detours *d, int tid, node found);
/* The same, and now the caller does the work on *ret and says detours_done. */
MUST_CHECK bool detours_take(struct detours *d, int tid, node found, node *ret);
void detours_done(struct detours *d, int tid, enum err err, const struct call *why);
/* Is this what the thread has removed, but was not told yet? To it the directory is still there, or
 * the kernel would not send RMDIR again. */
bool detours_shows(struct detours *d, int tid, node above, struct str name, struct attr *ret);

enum detour_return {
    DETOUR_NONE,   /* was on none: RMDIR comes for the first time */
    DETOUR_UNDONE, /* no lookup carried the work: do it now */
    DETOUR_DONE,   /* the outcome: OK, or the error with its sentence in call */
};
/* RMDIR comes again: the detour is over. But for DETOUR_NONE the hold of *ret_held is the
 * caller's. */
enum detour_return detours_return(struct detours *d, int tid, node above, struct str name,
                                  struct call *call, enum err *ret, node *ret_held);

#endif
