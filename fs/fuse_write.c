#include <fcntl.h>

#include "fs/fuse_ops.h"

static struct writer *writer_of(uint64_t fh)
{
    struct handle *h = (struct handle *)(uintptr_t)fh;

    return h->kind == HANDLE_WRITER ? (struct writer *)h : NULL;
}

/* -- opening -- */

/* A direct write may come in pieces of any size, and is never what is meant (F64). */
static enum err check_flags(struct request *r)
{
    if (r->fi.flags & O_DIRECT)
        return call_fail(&r->call, ERR_INVALID, "a control file cannot be opened with O_DIRECT");
    return OK;
}

static enum err attach_writer(struct request *r, node file, struct target *target)
{
    struct writer *w;
    bool append = (r->fi.flags & O_APPEND) != 0;

    enum err err = handles_open_writer(r->mount->handles, &r->call, file, target, append,
                                       walkers_process(r->process_tid), &w);
    if (err)
        return err;
    r->fi.fh = (uintptr_t)w;
    r->fi.direct_io = 1;
    r->reply.opened = true;
    return OK;
}

enum err open_writer(struct request *r)
{
    struct target target = { 0 };

    enum err err = forest_target(r->mount->forest, &r->call, r->node, &target);
    if (!err)
        err = check_flags(r);
    if (!err)
        err = attach_writer(r, r->node, &target);
    target_fini(&target);
    r->reply.kind = REPLY_OPEN;
    return err;
}

static enum err run_create(struct request *r)
{
    struct mount *m = r->mount;
    struct target target = { 0 };

    enum err err = check_flags(r);
    if (err)
        return err;
    err = forest_create(m->forest, &r->call, r->node, request_name(r), &target, &r->reply.attr);
    if (err) {
        target_fini(&target);
        return err;
    }
    err = attach_writer(r, r->reply.attr.node, &target);
    target_fini(&target);
    if (err)
        forest_forget(m->forest, r->reply.attr.node, 1);
    r->reply.kind = REPLY_CREATE;
    return err;
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
               struct fuse_file_info *fi)
{
    static const struct op op = { .name = "create", .run = run_create };
    struct request r;

    (void)mode;
    request_init(&r, req, &op, parent, name);
    r.fi = *fi;
    request_run(&r);
}

/* -- sending -- */

/* The gather is in the state of sending, so nobody else touches its bytes. */
static enum err send(struct request *r, struct writer *w)
{
    struct receipt receipt;
    struct str value;
    bool has_data = gather_value(&w->gather, &value);

    /* A local call could only answer ERR_WOULD_BLOCK, after copying the value once more. */
    if (r->call.local && !w->target.is_store)
        return ERR_WOULD_BLOCK;
    enum err err = forest_act(r->mount->forest, &r->call, &w->target, has_data,
                              has_data ? value : STR_NONE, &receipt);
    if (err == ERR_WOULD_BLOCK)
        return err;
    /* Before the caller looks. */
    if (w->target.is_store)
        notify_settle(r->mount->notify, LANE_ALL);
    else
        notify_own(r->mount->notify, w->target.node);
    LOCK_SCOPE(&w->lock);
    gather_outcome(&w->gather, err, call_cancelled(&r->call));
    return err;
}

/* The value was complete but will not be sent: the same bytes may be written again. */
static void drop_gathered(struct request *r)
{
    struct writer *w = writer_of(r->fi.fh);

    if (!w || !r->gathered)
        return;
    LOCK_SCOPE(&w->lock);
    gather_outcome(&w->gather, ERR_CANCELLED, true);
}

/* Given back at the release, as what was sent is kept for a repeat. The kernel lets one write at a
 * time at a file, so charged needs no lock. */
static enum err charge(struct request *r, struct writer *w)
{
    enum err err = handles_charge(r->mount->handles, &r->call, r->data.len);

    if (!err)
        w->charged += r->data.len;
    return err;
}

static enum err gather(struct request *r, struct writer *w, enum gather_step *step)
{
    enum err err = charge(r, w);

    if (err)
        return err;
    LOCK_SCOPE(&w->lock);
    return gather_write(&w->gather, &r->call, r->offset, r->data, step);
}

static enum err run_write(struct request *r)
{
    struct writer *w = writer_of(r->fi.fh);
    enum gather_step step = GATHER_COMMIT;

    if (!w)
        return call_fail(&r->call, ERR_INVALID, "the file is not open for writing");
    r->reply.kind = REPLY_WRITTEN;
    if (!r->gathered) {
        enum err err = gather(r, w, &step);
        if (err)
            return err;
        r->gathered = true;
    }
    return step == GATHER_COMMIT ? send(r, w) : OK;
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
              struct fuse_file_info *fi)
{
    static const struct op op = { .name = "write", .run = run_write, .drop = drop_gathered };
    struct request r;

    request_init(&r, req, &op, ino, NULL);
    r.fi = *fi;
    r.data = (struct str){ buf, size };
    r.size = size;
    r.offset = (uint64_t)off;
    request_run(&r);
}

/* What is pending when no more can come: a bare number is sent, an unfinished value refused. */
static enum err settle(struct request *r, struct writer *w)
{
    enum gather_step step = GATHER_COMMIT;

    if (!r->gathered) {
        lock_take(&w->lock);
        enum err err = gather_flush(&w->gather, &r->call, &step);
        lock_drop(&w->lock);
        if (err || step == GATHER_KEEP)
            return err;
        r->gathered = true;
    }
    return send(r, w);
}

/* A descriptor is closed by every child that inherited it, whether it wrote or not: { echo '[';
 * sleep 1; echo ']'; } > file. So only the process that opened the file ends the value, or anybody
 * once that one is through; what is left after all is settled at the release. */
static bool ends_value(struct request *r, struct writer *w)
{
    bool is_opener = walkers_process(r->process_tid) == w->opener;

    LOCK_SCOPE(&w->lock);
    bool ends = is_opener || w->opener_closed;
    if (is_opener && w->gather.data.len > 0)
        w->opener_closed = true;
    return ends;
}

static enum err run_flush(struct request *r)
{
    struct writer *w = writer_of(r->fi.fh);

    if (!w || (!r->gathered && !ends_value(r, w)))
        return OK;
    return settle(r, w);
}

void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    static const struct op op = { .name = "flush", .run = run_flush, .drop = drop_gathered };
    struct request r;

    request_init(&r, req, &op, ino, NULL);
    r.fi = *fi;
    request_run(&r);
}

static void close_writer_of(struct request *r)
{
    handles_close(r->mount->handles, (struct handle *)(uintptr_t)r->fi.fh);
}

/* Nobody hears an error any more, but it is recorded. */
static enum err run_release(struct request *r)
{
    struct writer *w = writer_of(r->fi.fh);
    bool told = w->opener_closed && !r->gathered; /* its flush was answered */

    enum err err = told ? OK : settle(r, w);
    if (err != ERR_WOULD_BLOCK)
        close_writer_of(r);
    return err;
}

void release_writer(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    static const struct op op = { .name = "release", .run = run_release, .drop = close_writer_of };
    struct request r;

    request_init(&r, req, &op, ino, NULL);
    r.fi = *fi;
    request_run(&r);
}
