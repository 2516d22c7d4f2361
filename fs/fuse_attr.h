/* fuse_attr: attributes of the tree in the shapes that the kernel takes.
 * Threads: any. */
#ifndef FS_FUSE_ATTR_H
#define FS_FUSE_ATTR_H

#include <fuse_lowlevel.h>

#include "fs/tree.h"

double timeout_from_ms(int64_t ms); /* seconds, clamped */
void stat_from_attr(struct stat *ret, const struct attr *a);
/* A size that is a guess is believed for no time, whatever the attributes say (fuse facts A). */
void entry_from_attr(struct fuse_entry_param *ret, const struct attr *a);

#endif
