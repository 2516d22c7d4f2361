#include <fcntl.h>

#include "fs/fuse_follow.h"
#include "fs/fuse_ops.h"
#include "fs/fuse_poll.h"

static struct handle *handle_of(uint64_t fh)
{
    return (struct handle *)(uintptr_t)fh;
}

static bool is_for_writing(const struct request *r)
{
    return (r->fi.flags & O_ACCMODE) != O_RDONLY;
}

/* What a read gives is decided here, once: content and size stay as they are at this moment (R4).
 */
static enum err open_reader(struct request *r)
{
    struct mount *m = r->mount;
    struct content content = { 0 };
    struct reader *reader;

    enum err err = forest_read(m->forest, &r->call, r->node, &content);
    if (err)
        return err;
    err = handles_open_reader(m->handles, &r->call, &content.attr, &content, &reader);
    content_fini(&content);
    if (err)
        return err;
    r->reply.kind = REPLY_OPEN;
    r->reply.opened = true;
    r->fi.fh = (uintptr_t)reader;
    r->fi.direct_io = reader->pages == PAGES_NONE;
    r->fi.keep_cache = reader->pages == PAGES_KEEP;
    r->fi.noflush = 1;
    /* The size that became true just now must reach fstat and the page cache. The attribute-only
     * form is the one that is safe in a handler (fuse facts F2). */
    if (reader->pages != PAGES_KEEP)
        fuse_lowlevel_notify_inval_inode(m->session, r->node, -1, 0);
    return OK;
}

static enum err run_open(struct request *r)
{
    return is_for_writing(r) ? open_writer(r) : open_reader(r);
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    static const struct op op = { .name = "open", .run = run_open, .patient = true };
    struct request r;

    request_init(&r, req, &op, ino, NULL);
    r.fi = *fi;
    request_run(&r);
}

/* Asks at once; the park asks from then on. */
static enum err await(struct request *r, struct reader *reader)
{
    struct mount *m = r->mount;
    struct text *text = NULL;

    enum err err = forest_waited(m->forest, &r->call, r->node, PARK_MAX_AGE_MS, &text);
    if (err == ERR_BUSY && r->call.local)
        return ERR_WOULD_BLOCK; /* only a request with memory of its own can be parked */
    if (err == ERR_BUSY) {
        r->reply.kind = REPLY_LATER;
        return OK;
    }
    if (err)
        return err;
    err = reader_replace(m->handles, &r->call, reader, NULL, text);
    r->reply.text = text;
    return err;
}

static enum err run_read(struct request *r)
{
    struct reader *reader = (struct reader *)handle_of(r->fi.fh);

    r->reply.kind = REPLY_TEXT;
    if (reader->h.kind != HANDLE_READER)
        return OK; /* a control file open for both reads as empty */
    struct text *text = reader_read(r->mount->handles, reader);
    if (!text && reader->waits)
        return await(r, reader);
    if (reader->follows && r->offset >= text_str(text).len) {
        text_unref(text);
        enum err err = follow(r, reader);
        if (err)
            return err;
        text = reader_text(r->mount->handles, reader);
    }
    if (reader->follows) {
        uint64_t end = r->offset + r->size, len = text_str(text).len;
        poll_was_read(reader, end < len ? end : len);
    }
    r->reply.text = text;
    return OK;
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    static const struct op op = { .name = "read", .run = run_read, .patient = true };
    struct request r;

    request_init(&r, req, &op, ino, NULL);
    r.fi = *fi;
    r.size = size;
    r.offset = (uint64_t)off;
    request_run(&r);
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct mount *m = fuse_req_userdata(req);
    struct handle *h = handle_of(fi->fh);

    if (h->kind == HANDLE_WRITER) {
        release_writer(req, ino, fi);
        return;
    }
    if (h->kind == HANDLE_READER)
        poll_forget(m, (struct reader *)h);
    handles_close(m->handles, h);
    fuse_reply_err(req, 0);
}
