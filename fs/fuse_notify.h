/* fuse_notify: what notify.h says to the kernel, as libfuse says it. Nothing is told before the
 * mount; what the kernel does not know it refuses, which is as good.
 * Threads: the notifier's. */
#ifndef FS_FUSE_NOTIFY_H
#define FS_FUSE_NOTIFY_H

#include "fs/fuse_request.h"

struct notify_kernel fuse_notify_kernel(struct mount *m);

#endif
