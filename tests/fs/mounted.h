/* mounted: a tree over a fake hub, and the tools of a shell for it: path, ls, cat.
 * Ownership: mounted_new/mounted_free. Texts come in the fixture's own buffer, until the next call.
 * Threads: one. */
#ifndef TESTS_FS_MOUNTED_H
#define TESTS_FS_MOUNTED_H

#include "fs/tree.h"
#include "tests/fs/fakehub.h"

struct mounted {
    struct fakehub *hub;
    struct catalogue *catalogue;
    struct failures *failures;
    struct tree_settings settings;
    struct tree *tree;
    struct call call; /* of the last step */
    struct buf out;
};

/* With a time to live so long that nothing grows old by itself. */
struct mounted *mounted_new(void);
void mounted_free(struct mounted *m);
/* Makes the tree anew after a change of m->settings. */
void mounted_again(struct mounted *m);
void mounted_refresh(struct mounted *m); /* .taskhubfs/refresh */

/* Looks a path up; every directory on the way is forgotten again, the last one stays held. */
enum err mounted_path(struct mounted *m, const char *path, struct attr *ret);
node mounted_node(struct mounted *m, const char *path); /* must be there */
/* Names in a directory, each with a blank behind it; directories with a slash. */
const char *mounted_ls(struct mounted *m, const char *path);
const char *mounted_cat(struct mounted *m, const char *path);
enum err mounted_read(struct mounted *m, const char *path, struct content *ret);
/* echo -n text > path */
enum err mounted_write(struct mounted *m, const char *path, const char *text);

#endif
