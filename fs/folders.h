/* folders: the names of directories that are groups of instances (a status, an orchestrator, a day,
 * an entity), and numbers for them.
 * Knows names; not what they group.
 * Ownership: a struct folders owns its texts until folders_fini.
 * Threads: private to one thread while it grows; then anyone may read. */
#ifndef FS_FOLDERS_H
#define FS_FOLDERS_H

#include "backend/base/arena.h"
#include "backend/base/err.h"

struct folder {
    struct str name; /* as the data spell it, not as a file name */
    uint64_t count;  /* of entries in it */
};

struct folders {
    struct arena arena;
    struct folder *items;
    size_t count, cap;
    enum err err; /* sticky */
};

void folders_init(struct folders *g);
void folders_fini(struct folders *g);
void folders_add(struct folders *g, struct str name, uint64_t count); /* copies; fails sticky */
/* The shape of listing_group, ctx is the struct folders. */
void folders_emit(void *ctx, struct str name, uint64_t count);
const struct folder *folders_find(const struct folders *g, struct str name);

/* A number of 48 bits (of which nodes.h takes those it has room for) for a text, the same whenever
 * it is asked: no table, nothing to free. Two texts may share it; nodes.h finds another one for the
 * second. */
uint64_t folder_number(struct str text);

#endif
