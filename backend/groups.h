/* groups: the distinct statuses, names or days of a complete listing, with their counts: what the
 * view directories list.
 * Knows blocks; not listings or directories.
 * Ownership: groups_free; a value lives as long as the groups and the blocks they were made of.
 * Threads: built by one, then anyone may read. */
#ifndef BACKEND_GROUPS_H
#define BACKEND_GROUPS_H

#include "backend/block.h"

struct group {
    struct str value; /* status text, orchestrator name, or YYYY-MM-DD */
    uint64_t count;
};

struct groups {
    struct group *items; /* ascending by str_cmp */
    size_t count;
    struct arena arena;
};

enum groups_of { GROUPS_STATUS, GROUPS_NAME, GROUPS_DAY, GROUPS_KINDS };

/* Rows without a CreatedTime belong to no day. NULL without memory. */
struct groups *groups_new(enum groups_of of, struct block *const *blocks, size_t n_blocks);
void groups_free(struct groups *g); /* accepts NULL */

/* The UTC day of a moment as its first tick. */
ticks day_of(ticks t);

#endif
