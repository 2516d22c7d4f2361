/* forest: the trees of a mount: one hub, or every hub of an account side by side.
 * In front of struct tree, which is about one hub: the hub in a node's number (nodes.h) says which
 * tree an operation is for. With one hub its tree is the mount, and nothing here is in the way.
 * With all hubs of an account the root lists the hubs that a discovery found (plots.h) and a
 * .taskhubfs/ of the mount; a hub's tree is made when its name is looked up, its first request when
 * something in it is (lazy.h), so that listing the root opens no hub.
 * Ownership: forest_free frees the trees; what the settings point to stays the caller's.
 * Threads: any; no lock of its own. Local calls as in tree.h. */
#ifndef FS_FOREST_H
#define FS_FOREST_H

#include "fs/plots.h"
#include "fs/tree.h"

struct forest;

struct forest_settings {
    struct tree_settings tree; /* of every tree; its catalogue is the only hub's, NULL = all hubs */
    struct forest_hubs hubs;
};

struct forest *forest_new(const struct forest_settings *settings);
void forest_free(struct forest *f); /* accepts NULL */

/* Finds the hubs, if the last discovery is older than --cache-ttl. When the account cannot be
 * reached what was found before is good enough (F68); the first time it is an error. */
MUST_CHECK enum err forest_discover(struct forest *f, struct call *call);
void forest_drop_cached(struct forest *f);        /* SIGHUP */
uint64_t forest_instance_count(struct forest *f); /* as listed now, for statfs */
/* By its number in nodes; NULL: there is none (yet). Lives as long as the forest. */
struct tree *forest_tree(struct forest *f, unsigned hub);

/* As the functions of tree.h that are called alike. */
MUST_CHECK enum err forest_lookup(struct forest *f, struct call *call, node parent, struct str name,
                                  struct attr *ret, int64_t *negative_ms);
void forest_forget(struct forest *f, node n, uint64_t count);
MUST_CHECK enum err forest_hold(struct forest *f, const struct attr *a, struct str id);
MUST_CHECK enum err forest_hold_again(struct forest *f, node n);
MUST_CHECK enum err forest_attr(struct forest *f, struct call *call, node n, bool exact,
                                struct attr *ret);
MUST_CHECK enum err forest_attr_sent(struct forest *f, struct call *call, node n, struct attr *ret);
MUST_CHECK enum err forest_opendir(struct forest *f, struct call *call, node dir,
                                   struct lister **ret);
MUST_CHECK enum err forest_read(struct forest *f, struct call *call, node file,
                                struct content *ret);
MUST_CHECK enum err forest_follow(struct forest *f, struct call *call, node file, struct text *old,
                                  struct text **ret);
MUST_CHECK enum err forest_moved(struct forest *f, struct call *call, node file, int64_t max_age_ms,
                                 uint64_t *ret_number, bool *ret_finished);
bool forest_waits(struct forest *f, node file);
MUST_CHECK enum err forest_waited(struct forest *f, struct call *call, node file,
                                  int64_t max_age_ms, struct text **ret);
MUST_CHECK enum err forest_target(struct forest *f, struct call *call, node file,
                                  struct target *ret);
MUST_CHECK enum err forest_create(struct forest *f, struct call *call, node dir, struct str name,
                                  struct target *ret, struct attr *ret_attr);
MUST_CHECK enum err forest_act(struct forest *f, struct call *call, const struct target *target,
                               bool has_data, struct str data, struct receipt *ret);
MUST_CHECK enum err forest_unlink_check(struct forest *f, struct call *call, node dir,
                                        struct str name);
MUST_CHECK enum err forest_purge(struct forest *f, struct call *call, node dir);
void forest_path(struct forest *f, node n, struct str child, struct buf *ret);

/* -- deleting a hub -- */

bool forest_is_hub(node n); /* the directory of a hub, in a mount of all */
/* ERR_FORBIDDEN without the option, ERR_READ_ONLY, and what hub_remove says. */
MUST_CHECK enum err forest_may_remove(struct forest *f, struct call *call, node hub);
MUST_CHECK enum err forest_remove(struct forest *f, struct call *call, node hub);

#endif
