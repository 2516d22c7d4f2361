/* kinds: every row of the tables, numbered: the kind in a node. Made once by walking from the root.
 * A number carries its class, so that a node tells its class without any table.
 * Knows rows and who is in whom; not instances.
 * Ownership: embedded; nothing to free.
 * Threads: fixed after kinds_init. */
#ifndef FS_KINDS_H
#define FS_KINDS_H

#include "fs/filedef.h"

#define KIND_ROW_BITS 9                     /* of the 12 of a node; the other 3 are the class */
#define KINDS_MAX     (1u << KIND_ROW_BITS) /* rows in all tables: a few dozen */

struct kind {
    const struct dir_def *dir;   /* the directory, or the one that a file or message is in */
    const struct file_def *file; /* NULL: a directory or a message */
    bool is_message;
    unsigned short number;             /* class and row */
    unsigned short parent[VIEW_COUNT]; /* kind of the parent directory, by view */
};

struct kinds {
    struct kind rows[KINDS_MAX];
    unsigned count;
};

/* ERR_TOO_BIG: more rows than KINDS_MAX. */
MUST_CHECK enum err kinds_init(struct kinds *k, const struct dir_def *root);
const struct kind *kinds_get(const struct kinds *k, unsigned number); /* NULL: none */
const struct kind *kinds_of_dir(const struct kinds *k, const struct dir_def *dir);
const struct kind *kinds_of_file(const struct kinds *k, const struct dir_def *dir,
                                 const struct file_def *file);
const struct kind *kinds_of_message(const struct kinds *k, const struct dir_def *dir);
enum node_class kind_class(unsigned number);
/* The view that nodes in a directory of this view have. */
unsigned kinds_view_below(const struct kind *dir, unsigned view);

#endif
