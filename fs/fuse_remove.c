#include "fs/fuse_ops.h"

/* -- inside an instance's directory: nothing goes, but a walker may go on (R8) -- */

static enum err check_above(struct request *r, int process)
{
    if (r->mount->options->allow_tree_delete)
        return OK;
    return walkers_above(r->mount->walkers, &r->call, process);
}

static enum err pretend_removal(struct request *r)
{
    struct mount *m = r->mount;
    int process = walkers_process(r->process_tid);

    if (tree_class(r->node) != CLASS_DIR_INSTANCE)
        return call_fail(&r->call, ERR_FORBIDDEN, "entries cannot be removed here");
    if (!walkers_walks(m->walkers, process, r->node))
        return call_fail(&r->call, ERR_FORBIDDEN,
                         "a single file of an instance cannot be removed; rm -r of the instance's "
                         "directory purges a finished one");
    enum err err = forest_unlink_check(m->forest, &r->call, r->node, request_name(r));
    if (!err)
        err = check_above(r, process);
    if (err)
        return err;
    walkers_unlinked(m->walkers, process, r->node, request_name(r));
    return OK;
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    static const struct op op = { .name = "unlink", .run = pretend_removal };
    struct request r;

    request_init(&r, req, &op, parent, name);
    request_run(&r);
}

/* -- directories -- */

static enum err purge(struct request *r, node dir)
{
    struct mount *m = r->mount;
    int process = walkers_process(r->process_tid);

    enum err err = check_above(r, process);
    if (!err)
        err = walkers_complete(m->walkers, &r->call, process, dir);
    if (err)
        return err;
    err = forest_purge(m->forest, &r->call, dir);
    if (err == OK)
        notify_own(m->notify, dir); /* in the other views, too, before the caller looks */
    return err;
}

/* A recursive delete that was refused inside the hub must not end with the hub itself. */
static enum err remove_hub(struct request *r, node hub)
{
    struct mount *m = r->mount;

    enum err err = forest_may_remove(m->forest, &r->call, hub);
    if (!err)
        err = walkers_above(m->walkers, &r->call, walkers_process(r->process_tid));
    return err ? err : forest_remove(m->forest, &r->call, hub);
}

static enum err remove_dir(struct request *r, node dir)
{
    switch (tree_class(dir)) {
    case CLASS_DIR_INSTANCE:
        return purge(r, dir);
    case CLASS_DIR_INSIDE:
        return pretend_removal(r);
    case CLASS_DIR_VIEW:
        if (forest_is_hub(dir))
            return remove_hub(r, dir);
        __attribute__((fallthrough));
    case CLASS_DIR_MESSAGES:
        /* After EPERM some programs go on with the children (fuse facts C). */
        return call_fail(&r->call, ERR_BUSY, "this directory is part of the tree itself");
    case CLASS_FILE:
    case CLASS_FILE_ACTION:
    case CLASS_FILE_MESSAGE:
        break;
    }
    return call_fail(&r->call, ERR_FORBIDDEN, "this is no directory");
}

static enum err run_rmdir(struct request *r)
{
    struct mount *m = r->mount;
    struct attr attr;
    int64_t negative_ms;

    enum err err =
        forest_lookup(m->forest, &r->call, r->node, request_name(r), &attr, &negative_ms);
    if (err)
        return err;
    err = remove_dir(r, attr.node);
    forest_forget(m->forest, attr.node, 1);
    return err;
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    static const struct op op = { .name = "rmdir", .run = run_rmdir, .patient = true };
    struct mount *m = fuse_req_userdata(req);
    struct request r;

    request_init(&r, req, &op, parent, name);
    notify_enter(m->notify, parent); /* locked until the reply, and a purge waits for the news */
    request_run(&r);
    notify_leave(m->notify, parent);
}
