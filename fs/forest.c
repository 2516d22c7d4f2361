#include "fs/forest.h"

#include <stdlib.h>

#include "backend/base/limits.h"
#include "fs/dirs.h"
#include "fs/nodes.h"
#include "fs/progress.h"

struct forest {
    struct forest_settings settings; /* I */
    struct tree *top;                /* I: the only hub, or the root and what it holds itself */
    struct tree_whole whole;         /* I */
    struct plots plots;              /* the hubs, in a mount of all */
};

static bool has_all(const struct forest *f)
{
    return f->settings.tree.catalogue == NULL;
}

/* -- the tree of a node -- */

struct tree *forest_tree(struct forest *f, unsigned number)
{
    return number == 0 ? f->top : plots_tree(&f->plots, number);
}

/* Numbers that nobody was given name no file. */
static enum err tree_at(struct forest *f, struct call *call, node n, struct tree **ret)
{
    *ret = forest_tree(f, node_hub(n));
    return *ret ? OK : call_fail(call, ERR_NOT_FOUND, "there is no such hub");
}

static void each(void *ctx, void (*visit)(void *visit_ctx, struct tree *tree), void *visit_ctx)
{
    struct forest *f = ctx;

    plots_each(&f->plots, visit, visit_ctx);
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
    plots_forget(&f->plots);
    plots_each(&f->plots, drop, NULL);
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
    plots_each(&f->plots, count, &n);
    return n;
}

/* -- beginning and end -- */

struct forest *forest_new(const struct forest_settings *settings)
{
    struct forest *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->settings = *settings;
    plots_init(&f->plots, &settings->hubs, &settings->tree);
    struct tree_settings top = settings->tree;
    if (has_all(f)) {
        f->whole = (struct tree_whole){ .each = each, .forget = forget_all, .ctx = f };
        top.root = &dir_account;
        top.whole = &f->whole;
    }
    f->top = tree_new(&top);
    if (!f->top) {
        plots_fini(&f->plots);
        free(f);
        return NULL;
    }
    return f;
}

void forest_free(struct forest *f)
{
    if (!f)
        return;
    plots_fini(&f->plots);
    tree_free(f->top);
    free(f);
}

enum err forest_discover(struct forest *f, struct call *call)
{
    return has_all(f) ? plots_discover(&f->plots, call, f->settings.tree.ttl_ms) : OK;
}

static enum err lookup_hub(struct forest *f, struct call *call, struct str name, struct attr *ret,
                           int64_t *negative_ms)
{
    unsigned number;
    enum err err = plots_find(&f->plots, call, name, &number);

    *negative_ms = TTL_NEGATIVE_MS;
    return err == OK ? forest_attr(f, call, node_root_of(number), false, ret) : err;
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
    if (err == OK && is_top && plots_list(&f->plots, l) != OK) {
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

enum err forest_hold_again(struct forest *f, node n)
{
    struct tree *t = forest_tree(f, node_hub(n));

    return t ? tree_hold_again(t, n) : ERR_NOT_FOUND;
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

enum err forest_remove(struct forest *f, struct call *call, node hub)
{
    struct progress *progress = f->settings.tree.progress;
    CLEANUP_BUF struct buf what = BUF_INIT(KIB);
    struct running running;
    unsigned number = node_hub(hub);
    enum err err = forest_may_remove(f, call, hub);

    if (err != OK)
        return err;
    if (call->local)
        return ERR_WOULD_BLOCK;
    buf_printf(&what, "delete hub %s", plots_name(&f->plots, number));
    progress_begin(progress, &running, call, buf_str(&what));
    err = hub_remove(plots_hub(&f->plots, number), call);
    progress_end(progress, &running);
    if (err != OK)
        return err;
    plots_gone(&f->plots, number);
    tree_drop_cached(forest_tree(f, number));
    return OK;
}
