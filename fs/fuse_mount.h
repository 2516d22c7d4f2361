/* fuse_mount: one mounted file system: mounting, the loop that serves it, unmounting.
 * Knows libfuse's session and the mount's options; not what the operations do.
 * Ownership: fuse_mount_free unmounts and frees.
 * Threads: the loop's workers; fuse_mount_end may come from the signal thread. */
#ifndef FS_FUSE_MOUNT_H
#define FS_FUSE_MOUNT_H

#include "backend/base/buf.h"
#include "fs/fuse_request.h"

#define FUSE_WORKERS 10 /* they never wait, so few are enough (fuse facts G) */

struct fuse_mount {
    struct fuse_session *session; /* I while looping */
    struct lock lock;             /* so that the session outlives an end that is under way */
    pthread_t loop_thread;        /* L */
    bool looping;                 /* L */
    bool mounted;
};

void fuse_mount_init(struct fuse_mount *fm); /* before a signal may come */

/* Mounts on an empty directory. source is what /proc/mounts shows ("hub@account"). On failure *why
 * says what is wrong and what to do; *ret_exit the exit status (1 usage, 2 system). */
MUST_CHECK bool fuse_mount_open(struct fuse_mount *fm, struct mount *m, const char *source,
                                const char *mountpoint, struct buf *why, int *ret_exit);

/* Serves until the mount is gone or fuse_mount_end. 0, or the exit status. */
int fuse_mount_loop(struct fuse_mount *fm);

/* Makes the loop return; to be repeated, as its thread may just miss one. */
void fuse_mount_end(struct fuse_mount *fm);

void fuse_mount_close(struct fuse_mount *fm); /* unmounts, even while files are open */

#endif
