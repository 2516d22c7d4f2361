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

static enum err purge_now(struct request *r, node dir)
{
    enum err err = forest_purge(r->mount->forest, &r->call, dir);

    if (err == OK)
        notify_own(r->mount->notify, dir); /* in the other views, too, before the caller looks */
    return err;
}

/* What needs no request is done or refused at once; else the kernel must let go of its lock. */
static enum err purge(struct request *r, const struct attr *dir)
{
    struct mount *m = r->mount;
    int process = walkers_process(r->process_tid);

    enum err err = check_above(r, process);
    if (!err)
        err = walkers_complete(m->walkers, &r->call, process, dir->node);
    if (err)
        return err;
    if (r->came_back)
        return purge_now(r, dir->node);
    err = r->call.local ? purge_now(r, dir->node) : ERR_WOULD_BLOCK;
    if (err != ERR_WOULD_BLOCK)
        return err;
    if (detours_begin(m->detours, r->process_tid, r->node, request_name(r), dir)) {
        r->reply.kind = REPLY_DETOUR;
        return OK;
    }
    r->came_back = true;
    return purge_now(r, dir->node);
}

/* The directory above may look otherwise now: show that, or what was found before. */
static void look_again(struct request *r)
{
    struct reply before = r->reply;
    node extra = before.attr.node;
    enum err err = run_lookup(r);

    if (err != OK || r->reply.kind != REPLY_ENTRY || r->reply.attr.node != before.attr.node) {
        extra = err == OK && r->reply.kind == REPLY_ENTRY ? r->reply.attr.node : 0;
        r->reply = before;
    }
    if (extra)
        forest_forget(r->mount->forest, extra, 1);
}

static void carry(struct request *r)
{
    struct detours *d = r->mount->detours;
    node dir;

    if (!detours_take(d, r->process_tid, r->reply.attr.node, &dir))
        return;
    enum err err = purge_now(r, dir);
    detours_done(d, r->process_tid, err, &r->call);
    look_again(r);
}

enum err lookup_on_detour(struct request *r)
{
    struct mount *m = r->mount;

    if (detours_shows(m->detours, r->process_tid, r->node, request_name(r), &r->reply.attr)) {
        r->reply.kind = REPLY_ENTRY;
        return forest_hold_again(m->forest, r->reply.attr.node);
    }
    enum err err = run_lookup(r);
    if (err != OK || r->reply.kind != REPLY_ENTRY ||
        !detours_awaits(m->detours, r->process_tid, r->reply.attr.node))
        return err;
    if (r->call.local) {
        forest_forget(m->forest, r->reply.attr.node, 1);
        return ERR_WOULD_BLOCK;
    }
    carry(r);
    return OK;
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

static enum err remove_dir(struct request *r, const struct attr *dir)
{
    switch (tree_class(dir->node)) {
    case CLASS_DIR_INSTANCE:
        return purge(r, dir);
    case CLASS_DIR_INSIDE:
        return pretend_removal(r);
    case CLASS_DIR_VIEW:
        if (forest_is_hub(dir->node))
            return remove_hub(r, dir->node);
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

/* True: this thread comes back from its detour with the outcome. */
static bool has_returned(struct request *r, enum err *ret)
{
    struct mount *m = r->mount;
    node held;
    enum detour_return back =
        detours_return(m->detours, r->process_tid, r->node, request_name(r), &r->call, ret, &held);

    if (back == DETOUR_NONE)
        return false;
    forest_forget(m->forest, held, 1);
    r->came_back = true;
    return back == DETOUR_DONE;
}

static enum err run_rmdir(struct request *r)
{
    struct mount *m = r->mount;
    struct attr attr;
    int64_t negative_ms;
    enum err err;

    if (!r->came_back && has_returned(r, &err))
        return err;
    err = forest_lookup(m->forest, &r->call, r->node, request_name(r), &attr, &negative_ms);
    if (err)
        return err;
    err = remove_dir(r, &attr);
    if (r->reply.kind != REPLY_DETOUR) /* that keeps the node */
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
