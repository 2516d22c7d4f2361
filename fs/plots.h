/* plots: the hubs of an account, as the last discovery found them, each with a number, and the
 * trees of those that somebody looked into. A hub that goes and comes back is the same directory,
 * unless this mount deleted it: then it gets another number, since to the kernel a directory that
 * was removed is dead, and stays so for as long as anybody has it open.
 * Knows names and trees; not what the mount does with them.
 * Ownership: plots_fini frees the trees and the catalogues that plant made. Threads: any; one lock,
 * never held while the account is asked. Errors: as of discover and leftovers; local calls get
 * ERR_WOULD_BLOCK where one of these would be needed. */
#ifndef FS_PLOTS_H
#define FS_PLOTS_H

#include "backend/base/lock.h"
#include "fs/nodes.h"
#include "fs/tree.h"

/* One hub that was found. Anything but OK ends the discovery with that error. */
typedef enum err (*forest_found)(void *ctx, struct str hub, unsigned caps);

/* How hubs are found and opened; only for a mount of all. */
struct forest_hubs {
    MUST_CHECK enum err (*discover)(void *ctx, struct call *call, forest_found emit,
                                    void *emit_ctx);
    /* The catalogue of a hub, without a request; NULL without memory. */
    struct catalogue *(*plant)(void *ctx, struct str hub, unsigned caps);
    /* No such hub was found: is there something left of one that a deletion can finish?
     * ERR_NOT_FOUND. NULL = is not asked. */
    MUST_CHECK enum err (*leftovers)(void *ctx, struct call *call, struct str hub,
                                     unsigned *ret_caps);
    bool remove; /* --allow-delete-hub */
    void *ctx;
};

struct flight;

struct plots {
    struct forest_hubs hubs;           /* I */
    struct tree_settings tree;         /* I: of every tree, but for hub, prefix and catalogue */
    struct lock lock;                  /* RANK_FOREST */
    struct plot *at[NODE_HUB_MAX + 1]; /* L: by number, from 1 */
    unsigned count;                    /* L: the last number given */
    bool known;                        /* L: a discovery has succeeded */
    bool stale;                        /* L: whatever its age */
    int64_t discovered_ms;             /* L: clock_now_ms() when it began */
    struct flight *discovering;        /* L */
};

void plots_init(struct plots *all, const struct forest_hubs *hubs,
                const struct tree_settings *tree);
void plots_fini(struct plots *all);

/* Asks the account if the last discovery is older than that. Out of reach: what was found before is
 * good enough (F68); the first time it is an error. */
MUST_CHECK enum err plots_discover(struct plots *all, struct call *call, int64_t max_age_ms);
void plots_forget(struct plots *all); /* the next discovery asks, whatever its age */

/* The hub of that name, with its tree. One that no discovery found is looked for once more, and
 * then, if this mount may delete, what a deletion has left of it. ERR_NOT_FOUND; ERR_TOO_MANY. */
MUST_CHECK enum err plots_find(struct plots *all, struct call *call, struct str name,
                               unsigned *ret_number);
/* Those of the last discovery, as entries of the root. */
MUST_CHECK enum err plots_list(struct plots *all, struct lister *l);

/* Of a number; NULL: nobody looked into it, or there is no such number. Lives as long as plots. */
struct tree *plots_tree(struct plots *all, unsigned number);
void plots_each(struct plots *all, void (*visit)(void *ctx, struct tree *tree), void *ctx);

/* Of a hub that has a tree. */
const char *plots_name(struct plots *all, unsigned number);
struct hub *plots_hub(struct plots *all, unsigned number);
void plots_gone(struct plots *all, unsigned number); /* it was deleted, by us */

#endif
