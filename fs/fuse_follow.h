/* fuse_follow: an open history grows while the instance does: what was appended is taken in.
 * For reads at its end, fstat and polls.
 * Ownership: the reader's text is replaced, its old one let go. Threads: any. */
#ifndef FS_FUSE_FOLLOW_H
#define FS_FUSE_FOLLOW_H

#include "fs/fuse_request.h"

/* reader: one that follows. A purged instance grows no more: OK. Errors: of forest_follow. */
MUST_CHECK enum err follow(struct request *r, struct reader *reader);

#endif
