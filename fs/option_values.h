/* option_values: what an option is set to: text to number, unit and range, into struct options.
 * Knows one option at a time (what goes together: option_conflicts.h).
 * Ownership: texts are borrowed and outlive the options. Threads: private, as the options. */
#ifndef FS_OPTION_VALUES_H
#define FS_OPTION_VALUES_H

#include "fs/options.h"

/* text: NULL for an option without a value. False: *why holds the sentence. */
MUST_CHECK bool option_set(struct options *o, const struct option_row *row, const char *text,
                           struct buf *why);

#endif
