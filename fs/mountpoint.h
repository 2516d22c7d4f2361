/* mountpoint: is this directory fit to be mounted on, and how to unmount it (faults F45, F46).
 * Knows directories and the table of mounts; nothing of hubs.
 * Ownership: what is returned by mountpoint_prepare is freed by the caller.
 * Threads: called while starting. */
#ifndef FS_MOUNTPOINT_H
#define FS_MOUNTPOINT_H

#include "backend/base/buf.h"

#define MOUNT_TYPE "fuse.taskhubfs" /* in /proc/self/mounts */

/* The absolute path of an empty directory, after detaching a dead mount of ours that is in the way.
 * NULL (exit status 14): *why says what is wrong and what to do. */
char *mountpoint_prepare(const char *path, struct buf *why);

/* Only a mount of ours; not one that is in use. False: *why says why. */
bool mountpoint_unmount(const char *path, struct buf *why);

#endif
