#include "fs/fuse_poll.h"

#include <poll.h>
#include <stdlib.h>

#include "fs/fuse_follow.h"
#include "fs/fuse_ops.h"

#define READABLE (POLLIN | POLLRDNORM)
#define ANY_FILE (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM)

struct polled {
    struct lock lock;
};

/* A poll that waits for news of an open file. */
struct watcher {
    struct ticket ticket;
    struct polled *polled;
    struct fuse_pollhandle *ph;
    struct reader *reader; /* L: NULL = closed, or polled anew since it was taken out of the park */
};

struct polled *polled_new(void)
{
    struct polled *p = calloc(1, sizeof(*p));

    if (p)
        lock_init(&p->lock, RANK_POLLED);
    return p;
}

void polled_free(struct polled *p)
{
    if (!p)
        return;
    lock_fini(&p->lock);
    free(p);
}

static void watcher_free(struct watcher *w)
{
    fuse_pollhandle_destroy(w->ph);
    free(w);
}

/* -- waiting -- */

/* Something is new, or can never be told: the kernel asks again in either case. */
static void wake(struct ticket *t, enum err err, struct text *text, const struct call *why)
{
    struct watcher *w = (struct watcher *)((char *)t - offsetof(struct watcher, ticket));

    (void)text, (void)why;
    lock_take(&w->polled->lock);
    if (w->reader) {
        w->reader->watcher = NULL;
        if (err != OK)
            atomic_store(&w->reader->troubled, true);
    }
    lock_drop(&w->polled->lock);
    (void)fuse_lowlevel_notify_poll(w->ph);
    watcher_free(w);
}

/* Takes the reader's watcher away from it. The caller frees what is returned; one that is being
 * woken just now frees itself. */
static struct watcher *detach_locked(struct mount *m, struct reader *reader)
{
    struct watcher *w = reader->watcher;

    reader->watcher = NULL;
    if (!w)
        return NULL;
    w->reader = NULL;
    return park_remove(m->park, &w->ticket) ? w : NULL;
}

void poll_forget(struct mount *m, struct reader *reader)
{
    lock_take(&m->polled->lock);
    struct watcher *old = detach_locked(m, reader);
    lock_drop(&m->polled->lock);
    if (old)
        watcher_free(old);
}

static enum err watch(struct request *r, struct reader *reader)
{
    struct mount *m = r->mount;
    struct watcher *w = malloc(sizeof(*w));

    if (!w)
        return call_fail(&r->call, ERR_NO_MEMORY, "no memory for one more poll");
    *w = (struct watcher){
        .ticket = { .node = r->node, .known = atomic_load(&reader->taken), .wake = wake },
        .polled = m->polled,
        .ph = r->ph,
        .reader = reader,
    };
    lock_take(&m->polled->lock);
    struct watcher *old = detach_locked(m, reader);
    enum err err = park_add(m->park, &r->call, &w->ticket);
    if (err == OK)
        reader->watcher = w;
    lock_drop(&m->polled->lock);
    if (old)
        watcher_free(old);
    if (err == OK)
        r->ph = NULL; /* the watcher's */
    else
        free(w);
    return err;
}

/* -- is there news? -- */

void poll_was_read(struct reader *reader, uint64_t end)
{
    uint64_t before = atomic_load(&reader->seen);

    while (end > before && !atomic_compare_exchange_weak(&reader->seen, &before, end))
        continue;
}

static bool has_unread(struct mount *m, struct reader *reader)
{
    CLEANUP(text_unref) struct text *text = reader_text(m->handles, reader);

    return text_str(text).len > atomic_load(&reader->seen);
}

/* ERR_BUSY: not finished. */
static enum err look_at_end(struct request *r, struct reader *reader)
{
    struct mount *m = r->mount;
    CLEANUP(text_unref) struct text *text = reader_text(m->handles, reader);

    if (text)
        return OK;
    enum err err = forest_waited(m->forest, &r->call, r->node, PARK_MAX_AGE_MS, &text);
    return err == OK ? reader_replace(m->handles, &r->call, reader, NULL, text) : err;
}

/* ERR_BUSY: there is nothing but what was read, and the instance is not finished. */
static enum err look_at_growth(struct request *r, struct reader *reader)
{
    uint64_t number;
    bool finished;

    if (has_unread(r->mount, reader))
        return OK;
    enum err err = forest_moved(r->mount->forest, &r->call, r->node,
                                r->call.local ? INT64_MAX : PARK_MAX_AGE_MS, &number, &finished);
    if (err != OK)
        return err;
    err = follow(r, reader);
    /* Something is new, and what it is the read finds out. */
    if (err == ERR_WOULD_BLOCK && r->ph && (finished || number != atomic_load(&reader->taken)))
        return OK;
    if (err != OK)
        return err;
    return finished || has_unread(r->mount, reader) ? OK : ERR_BUSY;
}

/* What cannot be told from memory is left to the park. */
static enum err look_or_watch(struct request *r, struct reader *reader, bool *ret_news)
{
    enum err err = reader->waits ? look_at_end(r, reader) : look_at_growth(r, reader);

    if (err == ERR_WOULD_BLOCK && !r->ph)
        return err;
    if (err == ERR_WOULD_BLOCK)
        err = atomic_exchange(&reader->troubled, false) ? OK : ERR_BUSY;
    *ret_news = err != ERR_BUSY;
    if (err == ERR_BUSY && r->ph)
        return watch(r, reader);
    return err == ERR_BUSY || err == ERR_NOT_FOUND ? OK : err;
}

static enum err run_poll(struct request *r)
{
    struct reader *reader = (struct reader *)(uintptr_t)r->fi.fh; /* NOLINT: ours, handed back */
    bool news = true;

    r->reply.kind = REPLY_POLL;
    r->reply.events = ANY_FILE;
    if (reader->h.kind != HANDLE_READER || (!reader->waits && !reader->follows))
        return OK;
    enum err err = look_or_watch(r, reader, &news);
    r->reply.events = news ? READABLE : 0;
    return err;
}

void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
    static const struct op op = { .name = "poll", .run = run_poll };
    struct request r;

    request_init(&r, req, &op, ino, NULL);
    r.fi = *fi;
    r.ph = ph;
    request_run(&r);
    if (r.ph)
        fuse_pollhandle_destroy(r.ph);
}

/* -- asking for all who wait -- */

enum err poll_ask(void *ctx, struct call *call, node n, uint64_t known, struct text **ret)
{
    struct mount *m = ctx;
    struct content content = { 0 };
    bool finished;
    uint64_t now = 0;

    if (forest_waits(m->forest, n))
        return forest_waited(m->forest, call, n, PARK_MAX_AGE_MS, ret);
    enum err err = forest_moved(m->forest, call, n, PARK_MAX_AGE_MS, &now, &finished);
    if (err != OK)
        return err;
    if (now == known && !finished)
        return ERR_BUSY;
    /* So that the poll which comes next finds it in memory. */
    err = forest_read(m->forest, call, n, &content);
    content_fini(&content);
    return err;
}
