/* lister: bounds of open directories; the functions themselves are in tree.h.
 * Ownership, threads: tree.h; one thread at a time uses a lister. */
#ifndef FS_LISTER_H
#define FS_LISTER_H

#define LISTER_FIXED_MAX                                                                           \
    48 /* entries from tables in one directory; the biggest has about fifteen */

#endif
