#include <errno.h>

#include "backend/base/log.h"
#include "fs/fuse_follow.h"
#include "fs/fuse_ops.h"

#define BACKGROUND_MAX                                                                             \
    128 /* page-cache reads of many files count against it; the kernel's own is 12 */
#define CONGESTION_AT 96

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    /* READDIRPLUS always: the kernel's own guess is wrong for find (fuse facts E3); entries whose
     * attributes cost something go without a node id. */
    conn->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ |
                              FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    conn->want |= conn->capable & (unsigned)(FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS);
    conn->max_background = BACKGROUND_MAX;
    conn->congestion_threshold = CONGESTION_AT;
}

/* -- names -- */

enum err run_lookup(struct request *r)
{
    struct mount *m = r->mount;
    int64_t negative_ms = 0;

    enum err err =
        forest_lookup(m->forest, &r->call, r->node, request_name(r), &r->reply.attr, &negative_ms);
    if (err == ERR_NOT_FOUND && negative_ms > 0) {
        r->reply.kind = REPLY_ABSENT;
        r->reply.negative_ms = negative_ms;
        return OK;
    }
    if (err)
        return err;
    handles_override(m->handles, &r->reply.attr);
    r->reply.kind = REPLY_ENTRY;
    return OK;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    static const struct op op = { .name = "lookup", .run = run_lookup };
    static const struct op on_detour = { .name = "lookup",
                                         .run = lookup_on_detour,
                                         .patient = true };
    struct request r;

    request_init(&r, req, &op, parent, name);
    if (detours_any(r.mount->detours, r.process_tid))
        r.op = &on_detour;
    atomic_fetch_add_explicit(mount_lookups(r.mount, parent), 1, memory_order_relaxed);
    request_run(&r);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
    struct mount *m = fuse_req_userdata(req);

    forest_forget(m->forest, ino, count);
    fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    struct mount *m = fuse_req_userdata(req);

    for (size_t i = 0; i < count; i++)
        forest_forget(m->forest, forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

/* -- attributes -- */

/* fstat comes without the handle: while a file is open its attributes are those of its newest open.
 */
static enum err open_attr(struct request *r, struct reader *reader)
{
    enum err err = reader->follows ? follow(r, reader) : OK;

    reader_attr(r->mount->handles, reader, &r->reply.attr);
    if (reader->pages == PAGES_NONE)
        r->reply.attr.attr_ms = 0;
    return err;
}

static enum err run_getattr(struct request *r)
{
    struct mount *m = r->mount;

    r->reply.kind = REPLY_ATTR;
    struct reader *reader = handles_newest(m->handles, r->node);
    if (!reader)
        return forest_attr(m->forest, &r->call, r->node, true, &r->reply.attr);
    enum err err = open_attr(r, reader);
    handles_unref(m->handles, reader);
    return err;
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    static const struct op op = { .name = "getattr", .run = run_getattr, .patient = true };
    struct request r;

    (void)fi;
    request_init(&r, req, &op, ino, NULL);
    request_run(&r);
}

/* truncate, touch, chmod of a control file come after the message has gone (cp -p, install): an
 * error would invite a repeat (F65). By then the instance may be in a state that does not offer the
 * file any more, or be gone. */
static enum err run_setattr(struct request *r)
{
    enum node_class class = tree_class(r->node);

    if (class != CLASS_FILE_ACTION && class != CLASS_FILE_MESSAGE)
        return call_fail(&r->call, ERR_FORBIDDEN,
                         "sizes, times, modes and owners cannot be changed here");
    r->reply.kind = REPLY_ATTR;
    enum err err = forest_attr(r->mount->forest, &r->call, r->node, false, &r->reply.attr);
    if (err != ERR_NOT_FOUND)
        return err;
    return forest_attr_sent(r->mount->forest, &r->call, r->node, &r->reply.attr);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                       struct fuse_file_info *fi)
{
    static const struct op op = { .name = "setattr", .run = run_setattr };
    struct request r;

    (void)attr;
    (void)to_set;
    (void)fi;
    request_init(&r, req, &op, ino, NULL);
    request_run(&r);
}

static enum err run_statfs(struct request *r)
{
    r->reply.kind = REPLY_STATFS;
    r->reply.statfs = (struct statvfs){ .f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255 };
    r->reply.statfs.f_files = forest_instance_count(r->mount->forest);
    return OK;
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    static const struct op op = { .name = "statfs", .run = run_statfs };
    struct request r;

    request_init(&r, req, &op, ino, NULL);
    request_run(&r);
}

/* -- what is never offered -- */

static enum err run_refuse(struct request *r)
{
    return call_fail(&r->call, ERR_FORBIDDEN, "%s is not offered in this tree", r->op->name);
}

static void refuse(fuse_req_t req, const struct op *op, fuse_ino_t parent, const char *name)
{
    struct request r;

    request_init(&r, req, op, parent, name);
    request_run(&r);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    static const struct op op = { .name = "mkdir", .run = run_refuse };

    (void)mode;
    refuse(req, &op, parent, name);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
    static const struct op op = { .name = "mknod", .run = run_refuse };

    (void)mode;
    (void)rdev;
    refuse(req, &op, parent, name);
}

static void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
    static const struct op op = { .name = "symlink", .run = run_refuse };

    (void)link;
    refuse(req, &op, parent, name);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
    static const struct op op = { .name = "link", .run = run_refuse };

    (void)ino;
    refuse(req, &op, new_parent, new_name);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                      const char *new_name, unsigned flags)
{
    static const struct op op = { .name = "rename", .run = run_refuse };

    (void)new_parent;
    (void)new_name;
    (void)flags;
    refuse(req, &op, parent, name);
}

/* Nothing waits in a buffer: what was written has been sent. */
static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    (void)ino;
    (void)datasync;
    (void)fi;
    fuse_reply_err(req, 0);
}

/* A lock here would hold nobody off on another machine (F64). */
static void op_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int how)
{
    (void)ino;
    (void)fi;
    (void)how;
    fuse_reply_err(req, EOPNOTSUPP);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
                         struct fuse_file_info *fi)
{
    (void)ino;
    (void)mode;
    (void)offset;
    (void)length;
    (void)fi;
    fuse_reply_err(req, EOPNOTSUPP);
}

/* No access: without default_permissions every check would be a request. No xattr: implementing it
 * costs three requests a name in ls -l (fuse facts I). */
const struct fuse_lowlevel_ops fuse_ops = {
    .init = op_init,
    .lookup = op_lookup,
    .forget = op_forget,
    .forget_multi = op_forget_multi,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .statfs = op_statfs,
    .open = op_open,
    .read = op_read,
    .release = op_release,
    .create = op_create,
    .write = op_write,
    .flush = op_flush,
    .fsync = op_fsync,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .readdirplus = op_readdirplus,
    .releasedir = op_releasedir,
    .fsyncdir = op_fsync,
    .unlink = op_unlink,
    .rmdir = op_rmdir,
    .mkdir = op_mkdir,
    .mknod = op_mknod,
    .symlink = op_symlink,
    .link = op_link,
    .rename = op_rename,
    .poll = op_poll,
    .flock = op_flock,
    .fallocate = op_fallocate,
};
