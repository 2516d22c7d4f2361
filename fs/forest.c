#include "fs/forest.h"

#include <stdio.h>
#include <stdlib.h>

#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "backend/flight.h"
#include "fs/dirs.h"
#include "fs/folders.h"
#include "fs/nodes.h"
#include "fs/progress.h"

#define HUB_NAME_MIN 3
#define HUB_NAME_MAX 54 /* with "Instances" the table service's 63 */

/* A hub that was found once: its number, and its tree when somebody looked into it. */
struct plot {
    unsigned number;             /* I */
    unsigned caps;               /* L */
    bool listed;                 /* L: by the last discovery */
    struct tree *tree;           /* L: NULL, then fixed */
    struct catalogue *catalogue; /* L: the same */
    char name[HUB_NAME_MAX + 1]; /* I */
};

struct forest {
    struct forest_settings settings; /* I */
    struct tree *top;                /* I: the only hub, or the root and what it holds itself */
    struct tree_whole whole;         /* I */
    struct lock lock;                /* RANK_FOREST */
    struct plot *plots[NODE_HUB_MAX + 1]; /* L: by number; 0 is the top */
    unsigned count;                       /* L: the last number given */
    bool known;                           /* L: a discovery has succeeded */
    bool stale;                           /* L: whatever its age */
    int64_t discovered_ms;                /* L: clock_now_ms() when it began */
    struct flight *discovering;           /* L */
};

static bool has_all(const struct forest *f)
{
    return f->settings.tree.catalogue == NULL;
}

/* -- the tree of a node -- */

struct tree *forest_tree(struct forest *f, unsigned number)
{
    if (number == 0)
        return f->top;
    LOCK_SCOPE(&f->lock);
    return f->plots[number] ? f->plots[number]->tree : NULL;
}

/* Numbers that nobody was given name no file. */
static enum err tree_at(struct forest *f, struct call *call, node n, struct tree **ret)
{
    *ret = forest_tree(f, node_hub(n));
    return *ret ? OK : call_fail(call, ERR_NOT_FOUND, "there is no such hub");
}

static enum err plant(struct forest *f, struct call *call, struct plot *plot)
{
    struct tree_settings settings = f->settings.tree;
    struct catalogue *c =
        f->settings.hubs.plant(f->settings.hubs.ctx, str_c(plot->name), plot->caps);
    struct tree *tree = NULL;

    if (c) {
        settings.catalogue = c;
        settings.prefix = plot->name;
        settings.hub = plot->number;
        tree = tree_new(&settings);
    }
    if (!tree) {
        catalogue_free(c);
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    }
    lock_take(&f->lock);
    bool late = plot->tree; /* somebody else was faster */
    if (!late) {
        plot->tree = tree;
        plot->catalogue = c;
    }
    lock_drop(&f->lock);
    if (late) {
        tree_free(tree);
        catalogue_free(c);
    }
    return OK;
}

static void each(void *ctx, void (*visit)(void *visit_ctx, struct tree *tree), void *visit_ctx)
{
    struct forest *f = ctx;

    lock_take(&f->lock);
    unsigned n = f->count;
    lock_drop(&f->lock);
    for (unsigned i = 1; i <= n; i++) {
        struct tree *t = forest_tree(f, i);

        if (t)
            visit(visit_ctx, t);
    }
}

static void drop(void *ctx, struct tree *tree)
{
    (void)ctx;
    tree_drop_cached(tree);
}

static void forget_all(void *ctx)
{
    forest_drop_cached(ctx);
}

void forest_drop_cached(struct forest *f)
{
    if (!has_all(f)) {
        tree_drop_cached(f->top);
        return;
    }
    lock_take(&f->lock);
    f->stale = true;
    lock_drop(&f->lock);
    each(f, drop, NULL);
}

static void count(void *ctx, struct tree *tree)
{
    *(uint64_t *)ctx += tree_instance_count(tree);
}

uint64_t forest_instance_count(struct forest *f)
{
    uint64_t n = 0;

    if (!has_all(f))
        return tree_instance_count(f->top);
    each(f, count, &n);
    return n;
}

/* -- beginning and end -- */

struct forest *forest_new(const struct forest_settings *settings)
{
    struct forest *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->settings = *settings;
    lock_init(&f->lock, RANK_FOREST);
    struct tree_settings top = settings->tree;
    if (has_all(f)) {
        f->whole = (struct tree_whole){ .each = each, .forget = forget_all, .ctx = f };
        top.root = &dir_account;
        top.whole = &f->whole;
    }
    f->top = tree_new(&top);
    if (!f->top) {
        lock_fini(&f->lock);
        free(f);
        return NULL;
    }
    return f;
}

void forest_free(struct forest *f)
{
    if (!f)
        return;
    for (unsigned i = 1; i <= f->count; i++) {
        tree_free(f->plots[i]->tree);
        catalogue_free(f->plots[i]->catalogue);
        free(f->plots[i]);
    }
    tree_free(f->top);
    lock_fini(&f->lock);
    free(f);
}

/* -- which hubs there are -- */

static struct plot *find_locked(struct forest *f, struct str name)
{
    for (unsigned i = 1; i <= f->count; i++)
        if (str_eq(str_c(f->plots[i]->name), name))
            return f->plots[i];
    return NULL;
}

static struct plot *find_or_add_locked(struct forest *f, struct call *call, struct str name)
{
    struct plot *p = find_locked(f, name);

    if (p)
        return p;
    if (f->count == NODE_HUB_MAX || name.len > HUB_NAME_MAX) {
        call->err = call_fail(call, ERR_TOO_MANY,
                              "a mount has room for %u hubs; mount the one that "
                              "is wanted: ACCOUNT/HUB",
                              NODE_HUB_MAX);
        return NULL;
    }
    p = calloc(1, sizeof(*p));
    if (!p) {
        call->err = call_fail(call, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    p->number = ++f->count;
    snprintf(p->name, sizeof(p->name), STR_FMT, STR_ARG(name));
    f->plots[p->number] = p;
    return p;
}

/* What a discovery found, until it is complete (R3). */
static enum err on_found(void *ctx, struct str hub, unsigned caps)
{
    struct folders *found = ctx;

    folders_add(found, hub, caps);
    return found->err;
}

static enum err adopt_locked(struct forest *f, struct call *call, const struct folders *found)
{
    for (unsigned i = 1; i <= f->count; i++)
        f->plots[i]->listed = false;
    for (size_t i = 0; i < found->count; i++) {
        struct plot *p = find_or_add_locked(f, call, found->items[i].name);

        if (!p)
            return call->err;
        p->caps = (unsigned)found->items[i].count;
        p->listed = true;
    }
    f->known = true;
    f->stale = false;
    return OK;
}

/* Is the account out of reach, rather than unwilling? */
static bool is_out_of_reach(enum err err)
{
    return err == ERR_UNREACHABLE || err == ERR_TIMEOUT || err == ERR_PAUSED ||
           err == ERR_THROTTLED || err == ERR_BROKEN;
}

/* With the lock before and after, not while the account is asked. */
static enum err discover_locked(struct forest *f, struct call *call)
{
    const struct forest_hubs *hubs = &f->settings.hubs;
    struct flight *mine = flight_new();
    int64_t begun_ms = clock_now_ms();
    struct folders found;

    if (!mine)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    f->discovering = mine;
    lock_drop(&f->lock);
    folders_init(&found);
    enum err err = hubs->discover(hubs->ctx, call, on_found, &found);
    lock_take(&f->lock);
    if (err == OK) {
        err = adopt_locked(f, call, &found);
    } else if (f->known && is_out_of_reach(err)) {
        log_warning("hubs of the account: %s; those of the last discovery are shown", call->text);
        err = OK;
    }
    if (err == OK)
        f->discovered_ms = begun_ms;
    f->discovering = NULL;
    flight_land(mine, err, call);
    folders_fini(&found);
    return err;
}

static bool is_current_locked(const struct forest *f, int64_t max_age_ms)
{
    return f->known && !f->stale && clock_now_ms() - f->discovered_ms <= max_age_ms;
}

static enum err discover(struct forest *f, struct call *call, int64_t max_age_ms)
{
    enum err err = OK;

    LOCK_SCOPE(&f->lock);
    while (err == OK && !is_current_locked(f, max_age_ms)) {
        if (call->local)
            return ERR_WOULD_BLOCK;
        if (!f->discovering)
            return discover_locked(f, call);
        err = flight_wait(f->discovering, &f->lock, call);
    }
    return err;
}

enum err forest_discover(struct forest *f, struct call *call)
{
    return has_all(f) ? discover(f, call, f->settings.tree.ttl_ms) : OK;
}

/* -- looking up a hub -- */

/* What a table can be called (B14): nobody is asked for anything else. */
static bool is_hub_name(struct str name)
{
    if (name.len < HUB_NAME_MIN || name.len > HUB_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i] | 0x20;
        bool letter = c >= 'a' && c <= 'z';

        if (!letter && (i == 0 || name.p[i] < '0' || name.p[i] > '9'))
            return false;
    }
    return true;
}

static struct plot *find_listed(struct forest *f, struct str name)
{
    LOCK_SCOPE(&f->lock);
    struct plot *p = find_locked(f, name);
    return p && p->listed ? p : NULL;
}

/* Only a deletion has to do with it, so only a mount that may delete looks for it. */
static enum err find_leftovers(struct forest *f, struct call *call, struct str name,
                               struct plot **ret)
{
    const struct forest_hubs *hubs = &f->settings.hubs;
    unsigned caps = 0;

    if (!hubs->remove || !hubs->leftovers)
        return call_fail(call, ERR_NOT_FOUND, "the account has no such hub");
    if (call->local)
        return ERR_WOULD_BLOCK;
    enum err err = hubs->leftovers(hubs->ctx, call, name, &caps);
    if (err != OK)
        return err;
    LOCK_SCOPE(&f->lock);
    *ret = find_or_add_locked(f, call, name);
    if (!*ret)
        return call->err;
    (*ret)->caps = caps;
    return OK;
}

static enum err find_hub(struct forest *f, struct call *call, struct str name, struct plot **ret)
{
    if (!is_hub_name(name))
        return call_fail(call, ERR_NOT_FOUND, "a hub cannot be called so");
    *ret = find_listed(f, name);
    if (*ret)
        return OK;
    enum err err = discover(f, call, TTL_NEGATIVE_MS);
    if (err != OK)
        return err;
    *ret = find_listed(f, name);
    return *ret ? OK : find_leftovers(f, call, name, ret);
}

static enum err lookup_hub(struct forest *f, struct call *call, struct str name, struct attr *ret,
                           int64_t *negative_ms)
{
    struct plot *p = NULL;
    enum err err = find_hub(f, call, name, &p);

    *negative_ms = TTL_NEGATIVE_MS;
    if (err == OK && !forest_tree(f, p->number))
        err = plant(f, call, p);
    return err == OK ? forest_attr(f, call, node_root_of(p->number), false, ret) : err;
}

enum err forest_lookup(struct forest *f, struct call *call, node parent, struct str name,
                       struct attr *ret, int64_t *negative_ms)
{
    struct tree *t;
    enum err err = tree_at(f, call, parent, &t);

    *negative_ms = 0;
    if (err == OK)
        err = tree_lookup(t, call, parent, name, ret, negative_ms);
    if (err == ERR_NOT_FOUND && has_all(f) && parent == NODE_ROOT)
        err = lookup_hub(f, call, name, ret, negative_ms);
    return err;
}

/* -- the root of all -- */

static enum err add_hubs(struct forest *f, struct lister *l)
{
    LOCK_SCOPE(&f->lock);
    for (unsigned i = 1; i <= f->count; i++) {
        enum err err = OK;

        if (f->plots[i]->listed)
            err = lister_add(l, str_c(f->plots[i]->name), node_root_of(i));
        if (err != OK)
            return err;
    }
    return OK;
}

enum err forest_opendir(struct forest *f, struct call *call, node dir, struct lister **ret)
{
    struct lister *l = NULL;
    struct tree *t;
    enum err err = tree_at(f, call, dir, &t);
    bool is_top = has_all(f) && dir == NODE_ROOT;

    if (err == OK && is_top)
        err = forest_discover(f, call);
    if (err == OK)
        err = tree_opendir(t, call, dir, &l);
    if (err == OK && is_top && add_hubs(f, l) != OK) {
        lister_free(l);
        err = call_fail(call, ERR_NO_MEMORY, "out of memory");
    }
    if (err == OK)
        *ret = l;
    return err;
}

/* -- what a tree does -- */

void forest_forget(struct forest *f, node n, uint64_t count)
{
    struct tree *t = forest_tree(f, node_hub(n));

    if (t)
        tree_forget(t, n, count);
}

enum err forest_hold(struct forest *f, const struct attr *a, struct str id)
{
    struct tree *t = forest_tree(f, node_hub(a->node));

    return t ? tree_hold(t, a, id) : ERR_NOT_FOUND;
}

enum err forest_attr(struct forest *f, struct call *call, node n, bool exact, struct attr *ret)
{
    struct tree *t;
    enum err err = tree_at(f, call, n, &t);

    return err == OK ? tree_attr(t, call, n, exact, ret) : err;
}

enum err forest_attr_sent(struct forest *f, struct call *call, node n, struct attr *ret)
{
    struct tree *t;
    enum err err = tree_at(f, call, n, &t);

    if (err == OK)
        tree_attr_sent(t, n, ret);
    return err;
}

enum err forest_read(struct forest *f, struct call *call, node file, struct content *ret)
{
    struct tree *t;
    enum err err = tree_at(f, call, file, &t);

    return err == OK ? tree_read(t, call, file, ret) : err;
}

enum err forest_follow(struct forest *f, struct call *call, node file, struct text *old,
                       struct text **ret)
{
    struct tree *t;
    enum err err = tree_at(f, call, file, &t);

    return err == OK ? tree_follow(t, call, file, old, ret) : err;
}

enum err forest_moved(struct forest *f, struct call *call, node file, int64_t max_age_ms,
                      uint64_t *ret_number, bool *ret_finished)
{
    struct tree *t;
    enum err err = tree_at(f, call, file, &t);

    return err == OK ? tree_moved(t, call, file, max_age_ms, ret_number, ret_finished) : err;
}

bool forest_waits(struct forest *f, node file)
{
    struct call call;
    struct tree *t;

    call_init_local(&call);
    return tree_at(f, &call, file, &t) == OK && tree_waits(t, file);
}

enum err forest_waited(struct forest *f, struct call *call, node file, int64_t max_age_ms,
                       struct text **ret)
{
    struct tree *t;
    enum err err = tree_at(f, call, file, &t);

    return err == OK ? tree_waited(t, call, file, max_age_ms, ret) : err;
}

enum err forest_target(struct forest *f, struct call *call, node file, struct target *ret)
{
    struct tree *t;
    enum err err = tree_at(f, call, file, &t);

    return err == OK ? tree_target(t, call, file, ret) : err;
}

enum err forest_create(struct forest *f, struct call *call, node dir, struct str name,
                       struct target *ret, struct attr *ret_attr)
{
    struct tree *t;
    enum err err = tree_at(f, call, dir, &t);

    return err == OK ? tree_create(t, call, dir, name, ret, ret_attr) : err;
}

enum err forest_act(struct forest *f, struct call *call, const struct target *target, bool has_data,
                    struct str data, struct receipt *ret)
{
    struct tree *t;
    enum err err = tree_at(f, call, target->node, &t);

    return err == OK ? tree_act(t, call, target, has_data, data, ret) : err;
}

enum err forest_unlink_check(struct forest *f, struct call *call, node dir, struct str name)
{
    struct tree *t;
    enum err err = tree_at(f, call, dir, &t);

    return err == OK ? tree_unlink_check(t, call, dir, name) : err;
}

enum err forest_purge(struct forest *f, struct call *call, node dir)
{
    struct tree *t;
    enum err err = tree_at(f, call, dir, &t);

    return err == OK ? tree_purge(t, call, dir) : err;
}

void forest_path(struct forest *f, node n, struct str child, struct buf *ret)
{
    struct tree *t = forest_tree(f, node_hub(n));

    if (t)
        tree_path(t, n, child, ret);
}

/* -- deleting a hub -- */

bool forest_is_hub(node n)
{
    return node_hub(n) != 0 && node_is_root(n);
}

enum err forest_may_remove(struct forest *f, struct call *call, node hub)
{
    struct tree *t;
    enum err err = tree_at(f, call, hub, &t);

    if (err != OK)
        return err;
    if (!forest_is_hub(hub))
        return call_fail(call, ERR_BUG, "this is not the directory of a hub");
    if (f->settings.tree.read_only)
        return call_fail(call, ERR_READ_ONLY, "this mount is read-only");
    if (!f->settings.hubs.remove)
        return call_fail(call, ERR_FORBIDDEN,
                         "this would delete the task hub; --allow-delete-hub was not given");
    return OK;
}

static void removed(struct forest *f, unsigned number)
{
    lock_take(&f->lock);
    f->plots[number]->listed = false;
    struct tree *t = f->plots[number]->tree;
    lock_drop(&f->lock);
    tree_drop_cached(t);
}

enum err forest_remove(struct forest *f, struct call *call, node hub)
{
    struct progress *progress = f->settings.tree.progress;
    CLEANUP_BUF struct buf what = BUF_INIT(KIB);
    struct running running;
    enum err err = forest_may_remove(f, call, hub);

    if (err != OK)
        return err;
    if (call->local)
        return ERR_WOULD_BLOCK;
    lock_take(&f->lock);
    const struct plot *p = f->plots[node_hub(hub)];
    struct catalogue *c = p->catalogue;
    lock_drop(&f->lock);
    buf_printf(&what, "delete hub %s", p->name);
    progress_begin(progress, &running, call, buf_str(&what));
    err = hub_remove(catalogue_hub(c), call);
    progress_end(progress, &running);
    if (err == OK)
        removed(f, node_hub(hub));
    return err;
}
