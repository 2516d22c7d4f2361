/* errmap: the one translation from err to errno (faults and limits R6), with the sentence that the
 * manual's ERRORS section prints for it.
 * Threads: constants. */
#ifndef FS_ERRMAP_H
#define FS_ERRMAP_H

#include "backend/base/err.h"

struct errmap_row {
    enum err err;
    int errno_value;
    const char *errno_name; /* "ENOENT" */
    const char *meaning;    /* one sentence for the manual */
};

extern const struct errmap_row errmap[ERR_COUNT]; /* indexed by enum err */

int errmap_errno(enum err err); /* positive; 0 for OK */

#endif
