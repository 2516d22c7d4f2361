/* backlog: news that are still to be told, in lanes of urgency, bounded: when a lane is full
 * everything of all hubs is to be told instead, which costs less than so many news.
 * Knows news and hubs' numbers; not who tells, nor whom.
 * Ownership: backlog_fini.
 * Threads: under its owner's lock. */
#ifndef FS_BACKLOG_H
#define FS_BACKLOG_H

#include "backend/catalogue.h"
#include "fs/nodes.h"

#define BACKLOG_MAX   65536 /* news in a lane */
#define PORTION_ITEMS 64    /* taken at once: then there may be something more urgent */

enum notify_lane {
    LANE_OWN,   /* effects of our own commands: first, whatever else there is to tell */
    LANE_OTHER, /* what refreshes and readings found */
    LANE_ALL,   /* whatever the kernel holds, after everything cached was dropped */
};

struct item {
    unsigned hub;
    struct catalogue_news news;
};

struct items {
    struct item *at;
    size_t first, n, cap; /* from first to n */
};
MUST_CHECK bool items_push(struct items *items,
                           const struct item *item); /* false: full, no memory */
void items_fini(struct items *items);

struct backlog {
    struct items own, other;
    bool all[NODE_HUB_MAX + 1];                       /* everything of this hub */
    unsigned n_all;                                   /* so many hubs */
    uint64_t taken[LANE_ALL + 1], told[LANE_ALL + 1]; /* by lane, to be waited for */
};

struct portion {
    enum notify_lane lane;
    struct item items[PORTION_ITEMS];
    size_t n;
};

void backlog_fini(struct backlog *b);
void backlog_add(struct backlog *b, const struct item *item); /* slot 0: everything of that hub */
/* The next few of the most urgent lane but LANE_ALL; false: there are none. */
bool backlog_take(struct backlog *b, struct portion *ret);
void backlog_told(struct backlog *b, const struct portion *p);
/* A hub of which everything is to be told; false: none. */
bool backlog_take_all(struct backlog *b, unsigned *ret_hub);
void backlog_told_all(struct backlog *b); /* of the hub taken last */

#endif
