#include <stdlib.h>
#include <sys/stat.h>

#include "fs/fuse_attr.h"
#include "fs/fuse_ops.h"

#define DOTS           2    /* "." and ".." come before the lister's entries */
#define SMALL_DIR      1000 /* entries: up to here attributes are always given along (fuse facts E) */
#define BUFFER_MAX     (1024 * 1024)
#define WALK_NAMES_MAX 64 /* entries of an instance's directory: far more than its table has */

static struct lister_handle *lister_of(uint64_t fh)
{
    return (struct lister_handle *)(uintptr_t)fh;
}

/* -- opening: who walks where -- */

struct names {
    struct str at[WALK_NAMES_MAX];
    struct buf text[WALK_NAMES_MAX];
    size_t n;
};

static void names_fini(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        buf_fini(&names->text[i]);
}

/* All entries as they are now: what rm -r will have to unlink before its rmdir counts (R8). Taken
 * at open because the kernel may serve the listing from its cache. */
static enum err collect_names(struct lister *l, struct call *call, struct names *ret)
{
    struct entry e;
    bool more;
    uint64_t at = 0;

    for (ret->n = 0; ret->n < WALK_NAMES_MAX; at = e.next) {
        enum err err = lister_entry(l, call, at, &e, &more);
        if (err || !more)
            return err;
        struct buf *b = &ret->text[ret->n];
        buf_init(b, e.name.len);
        buf_add(b, e.name);
        ret->n++;
        err = buf_err(b);
        if (err)
            return err;
        ret->at[ret->n - 1] = buf_str(b);
    }
    return call_fail(call, ERR_BUG, "an instance's directory has more than %d entries",
                     WALK_NAMES_MAX);
}

static enum err open_walk(struct request *r, struct lister *l, struct walk **ret)
{
    struct walkers *w = r->mount->walkers;
    struct names names;

    switch (tree_class(r->node)) {
    case CLASS_DIR_VIEW:
        return walkers_open_above(w, walkers_process(r->process_tid), r->node, ret);
    case CLASS_DIR_INSTANCE: {
        lister_want(l, false); /* an attribute may cost the content of the file */
        enum err err = collect_names(l, &r->call, &names);
        lister_want(l, true);
        if (!err)
            err = walkers_open_instance(w, walkers_process(r->process_tid), r->node, names.at,
                                        names.n, ret);
        names_fini(&names);
        return err;
    }
    case CLASS_DIR_INSIDE:
    case CLASS_DIR_MESSAGES:
    case CLASS_FILE:
    case CLASS_FILE_ACTION:
    case CLASS_FILE_MESSAGE:
        break;
    }
    *ret = NULL;
    return OK;
}

static enum err run_opendir(struct request *r)
{
    struct mount *m = r->mount;
    struct lister *l = NULL;
    struct walk *walk = NULL;
    struct lister_handle *h;

    enum err err = forest_opendir(m->forest, &r->call, r->node, &l);
    if (!r->call.local) /* what a refresh has found is in what is looked up next */
        notify_settle(m->notify, LANE_OTHER);
    if (!err)
        err = open_walk(r, l, &walk);
    if (!err)
        err = handles_open_lister(m->handles, &r->call, r->node, l, walk, &h);
    if (err) {
        walkers_close(m->walkers, walk);
        lister_free(l);
        return err;
    }
    h->lookups_seen = atomic_load_explicit(mount_lookups(m, r->node), memory_order_relaxed);
    h->opened = r->began;
    r->fi.fh = (uintptr_t)h;
    /* The names in an instance's directory follow from its row, and the kernel drops its copy when
     * the directory's mtime, the row's, changes or we tell it; those inside list nothing. */
    enum node_class class = tree_class(r->node);
    r->fi.cache_readdir = r->fi.keep_cache =
        class == CLASS_DIR_INSTANCE || class == CLASS_DIR_INSIDE;
    r->reply.kind = REPLY_OPEN;
    r->reply.opened = true;
    return OK;
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    static const struct op op = { .name = "opendir", .run = run_opendir, .patient = true };
    struct request r;

    request_init(&r, req, &op, ino, NULL);
    r.fi = *fi;
    request_run(&r);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct mount *m = fuse_req_userdata(req);
    struct lister_handle *h = lister_of(fi->fh);

    (void)ino;
    walkers_close(m->walkers, h->walk);
    handles_close(m->handles, &h->h);
    fuse_reply_err(req, 0);
}

/* -- listing -- */

/* One reply that is being filled. */
struct page {
    struct request *r;
    struct lister_handle *h;
    bool plus;   /* entries with attributes */
    bool full;   /* ... and with node ids, so that the kernel keeps them */
    size_t used; /* bytes of the reply's buffer */
};

/* An entry without a node id costs neither the kernel nor us an inode; its type is told. */
static void entry_bare(struct fuse_entry_param *ret, const struct attr *a)
{
    *ret = (struct fuse_entry_param){ .attr = { .st_ino = a->node, .st_mode = a->mode } };
}

/* Puts an entry in if it fits. */
static bool page_put(struct page *p, const char *name, const struct fuse_entry_param *e,
                     uint64_t next)
{
    char *at = p->r->reply.buffer + p->used;
    size_t room = p->r->size - p->used;
    size_t need = p->plus ? fuse_add_direntry_plus(p->r->req, at, room, name, e, (off_t)next)
                          : fuse_add_direntry(p->r->req, at, room, name, &e->attr, (off_t)next);

    if (need > room)
        return false;
    p->used += need;
    return true;
}

static bool put_dot(struct page *p, uint64_t offset)
{
    struct attr a = { .node = p->h->h.node, .mode = S_IFDIR | 0755 };
    struct fuse_entry_param e;

    entry_bare(&e, &a);
    return page_put(p, offset == 0 ? "." : "..", &e, offset + 1);
}

/* Does the kernel get the node of this entry, too? Then it is held, as after a lookup. */
static bool hold_entry(struct page *p, struct entry *entry)
{
    struct mount *m = p->r->mount;

    if (!p->plus || !(p->full || entry->due) || !entry->complete || !entry->attr.size_exact ||
        notify_since(m->notify, entry->attr.node, p->h->opened) ||
        forest_hold(m->forest, &entry->attr, entry->id))
        return false;
    handles_override(m->handles, &entry->attr);
    return true;
}

static bool put_entry(struct page *p, struct entry *entry)
{
    struct fuse_entry_param e;
    node n = entry->attr.node;

    bool held = hold_entry(p, entry);
    if (held)
        entry_from_attr(&e, &entry->attr);
    else
        entry_bare(&e, &entry->attr);
    if (page_put(p, entry->name.p, &e, entry->next + DOTS))
        return true;
    if (held)
        forest_forget(p->r->mount->forest, n, 1);
    return false;
}

/* Only the first entry of a reply is waited for: then names go out as pages of the listing arrive.
 * An error shows when it is the first thing left to tell (R3). */
static enum err next_entry(struct page *p, uint64_t offset, struct entry *ret, bool *more)
{
    bool was_local = p->r->call.local;

    p->r->call.local = was_local || p->used > 0;
    enum err err = lister_entry(p->h->lister, &p->r->call, offset - DOTS, ret, more);
    p->r->call.local = was_local;
    return err;
}

static enum err fill(struct page *p)
{
    uint64_t offset = p->r->offset;
    struct entry entry;
    bool more = true;

    for (; offset < DOTS; offset++)
        if (!put_dot(p, offset))
            return OK;
    for (;;) {
        enum err err = next_entry(p, offset, &entry, &more);
        if (err)
            return p->used > 0 ? OK : err;
        if (!more || !put_entry(p, &entry))
            return OK;
        offset = entry.next + DOTS;
    }
}

/* A reader who looks up what it was given wants attributes; once seen, it gets them to the end. */
static bool wants_attributes(struct mount *m, struct lister_handle *h)
{
    unsigned now = atomic_load_explicit(mount_lookups(m, h->h.node), memory_order_relaxed);

    if (now != h->lookups_seen)
        h->wants_attributes = true;
    return h->wants_attributes || lister_count(h->lister) <= SMALL_DIR;
}

/* The reply owns its bytes: the directory may be closed before the write of the reply returns. */
static enum err make_room(struct request *r)
{
    if (r->size > BUFFER_MAX)
        r->size = BUFFER_MAX;
    r->reply.buffer = malloc(r->size);
    if (!r->reply.buffer)
        return call_fail(&r->call, ERR_NO_MEMORY, "no memory for a listing");
    return OK;
}

static enum err list(struct request *r, bool plus)
{
    struct lister_handle *h = lister_of(r->fi.fh);
    struct page p = { .r = r, .h = h, .plus = plus };

    enum err err = make_room(r);
    if (err)
        return err;
    p.full = plus && wants_attributes(r->mount, h);
    lister_want(h->lister, p.full);
    err = fill(&p);
    if (err)
        return err;
    h->lookups_seen =
        atomic_load_explicit(mount_lookups(r->mount, h->h.node), memory_order_relaxed);
    r->reply.kind = REPLY_BYTES;
    r->reply.used = p.used;
    return OK;
}

static enum err run_readdir(struct request *r)
{
    return list(r, false);
}

static enum err run_readdirplus(struct request *r)
{
    return list(r, true);
}

static void begin_list(fuse_req_t req, const struct op *op, fuse_ino_t ino, size_t size, off_t off,
                       const struct fuse_file_info *fi)
{
    struct request r;

    request_init(&r, req, op, ino, NULL);
    r.fi = *fi;
    r.size = size;
    r.offset = (uint64_t)off;
    request_run(&r);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    static const struct op op = { .name = "readdir", .run = run_readdir, .patient = true };

    begin_list(req, &op, ino, size, off, fi);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    static const struct op op = { .name = "readdir", .run = run_readdirplus, .patient = true };

    begin_list(req, &op, ino, size, off, fi);
}
