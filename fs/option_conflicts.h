/* option_conflicts: which options contradict each other, or are of use only with another.
 * Knows options that are valid one by one. Ownership: none. Threads: any. */
#ifndef FS_OPTION_CONFLICTS_H
#define FS_OPTION_CONFLICTS_H

#include "fs/options.h"

/* False: *why holds the sentence. */
MUST_CHECK bool options_agree(const struct options *o, struct buf *why);

#endif
