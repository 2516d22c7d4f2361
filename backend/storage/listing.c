#include <pthread.h>

#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "backend/storage/fetch.h"

/* Every instance (or entity, or key) of the hub. The caller's thread fetches the first page; if
 * there are more, fetchers take ranges of keys, and the caller's thread emits what they bring, in
 * order. */

#define POLL_MS 100 /* how often a wait looks at the call */

struct walk;

struct fetcher {
    struct walk *walk;
    pthread_t thread;
    struct call call; /* T, but for its cancel flag */
    struct fetch fetch;
};

struct walk {
    struct storage *storage;
    const struct list_query *query;
    struct call *call; /* T: the caller's */
    hub_emit emit;
    void *ctx;
    struct block *last; /* T: the last block emitted */
    struct lock lock;
    struct cond changed;    /* pages came, ranges can be split, an end */
    struct ranges ranges;   /* L */
    int64_t deadline_ms;    /* L: the caller's, which progress moves */
    uint64_t pages;         /* L: that came */
    struct fetcher *failed; /* L: the first that failed; its call says why */
    bool stop;              /* L */
    struct fetcher fetchers[CONNECTIONS_MAX];
    int running; /* T */
};

/* -- fetchers -- */

/* A range to fetch from; NULL at the end. */
static struct range *range_wait(struct fetcher *f, enum err *ret)
{
    struct walk *w = f->walk;
    struct range *range = NULL;

    LOCK_SCOPE(&w->lock);
    for (;;) {
        *ret = OK;
        if (w->stop || ranges_done(&w->ranges))
            return NULL;
        *ret = ranges_take(&w->ranges, &range);
        if (*ret != OK)
            *ret = call_fail(&f->call, *ret, "no memory for a listing");
        if (*ret != OK || range)
            return range;
        cond_wait(&w->changed, &w->lock);
    }
}

/* After each page; true: go on. */
static bool page_came(struct fetcher *f)
{
    struct walk *w = f->walk;

    LOCK_SCOPE(&w->lock);
    w->pages++;
    f->call.deadline_ms = w->deadline_ms;
    cond_wake_all(&w->changed);
    return !w->stop;
}

static void fetcher_failed(struct fetcher *f)
{
    struct walk *w = f->walk;

    LOCK_SCOPE(&w->lock);
    if (!w->failed && !w->stop)
        w->failed = f;
    w->stop = true;
    cond_wake_all(&w->changed);
}

static void *fetcher_run(void *arg)
{
    struct fetcher *f = arg;
    struct range *range;
    enum err err;

    while ((range = range_wait(f, &err))) {
        bool more = true;

        fetch_begin(&f->fetch, range);
        while (more && (err = fetch_page(&f->fetch, &f->call, &more)) == OK)
            if (!page_came(f))
                return NULL;
        if (err != OK)
            break;
    }
    if (err != OK)
        fetcher_failed(f);
    return NULL;
}

static void fetchers_start(struct walk *w)
{
    int wanted =
        w->storage->connections < CONNECTIONS_MAX ? w->storage->connections : CONNECTIONS_MAX;

    for (; w->running < wanted; w->running++) {
        struct fetcher *f = &w->fetchers[w->running];

        f->walk = w;
        call_init(&f->call, 0);
        f->call.deadline_ms = w->deadline_ms;
        fetch_init(&f->fetch, w->storage, w->query, &w->lock, &w->ranges);
        if (pthread_create(&f->thread, NULL, fetcher_run, f) != 0) {
            fetch_fini(&f->fetch);
            log_debug("listing: %d of %d fetchers", w->running, wanted);
            return;
        }
    }
}

static void fetchers_end(struct walk *w)
{
    {
        LOCK_SCOPE(&w->lock);
        w->stop = true;
        cond_wake_all(&w->changed);
    }
    for (int i = 0; i < w->running; i++)
        call_cancel(&w->fetchers[i].call);
    for (int i = 0; i < w->running; i++) {
        (void)pthread_join(w->fetchers[i].thread, NULL);
        fetch_fini(&w->fetchers[i].fetch);
    }
}

/* -- the caller's thread -- */

static enum err emit_block(struct walk *w, struct block *block)
{
    size_t n = w->last ? block_count(w->last) : 0;

    if (n && str_cmp_utf16(block_key(block, 0), block_key(w->last, n - 1)) <= 0) {
        (void)block_unref(block);
        return call_fail(w->call, ERR_BROKEN, "table %s: ranges of keys overlap",
                         w->storage->instances);
    }
    (void)block_unref(w->last);
    w->last = block_ref(block);
    return w->emit(w->ctx, block);
}

static enum err emit_ready(struct walk *w, bool *ret_end)
{
    struct block *block;
    enum err err = OK;

    do {
        {
            LOCK_SCOPE(&w->lock);
            block = ranges_next(&w->ranges, ret_end);
        }
        if (block)
            err = emit_block(w, block);
    } while (block && err == OK);
    return err;
}

static enum err take_failure(struct call *to, const struct call *from)
{
    to->http_status = from->http_status;
    memcpy(to->code, from->code, sizeof(to->code));
    memcpy(to->request_id, from->request_id, sizeof(to->request_id));
    return call_fail(to, from->err, "%s", from->text);
}

/* Waits for the next page, at most POLL_MS. */
static enum err wait_pages(struct walk *w, uint64_t *seen)
{
    struct fetcher *failed;

    {
        LOCK_SCOPE(&w->lock);
        if (w->pages == *seen && !w->failed)
            (void)cond_wait_until(&w->changed, &w->lock, clock_now_ms() + POLL_MS);
        if (w->pages != *seen)
            call_progress(w->call);
        *seen = w->pages;
        w->deadline_ms = w->call->deadline_ms;
        failed = w->failed;
    }
    return failed ? take_failure(w->call, &failed->call) : call_check(w->call);
}

/* Emits what the fetchers bring, until all is there. */
static enum err walk_together(struct walk *w)
{
    uint64_t seen = 0;
    bool end = false;
    enum err err;

    do {
        err = wait_pages(w, &seen);
        if (err == OK)
            err = emit_ready(w, &end);
    } while (err == OK && !end);
    return err;
}

/* One after the other. *ret_split: what is left can be shared out among fetchers. */
static enum err walk_alone(struct walk *w, bool may_split, bool *ret_split)
{
    struct fetch fetch;
    struct range *range;
    bool more = true, end;
    enum err err = ranges_take(&w->ranges, &range);

    fetch_init(&fetch, w->storage, w->query, &w->lock, &w->ranges);
    if (err == OK)
        fetch_begin(&fetch, range);
    *ret_split = false;
    while (err == OK && more && !*ret_split) {
        err = fetch_page(&fetch, w->call, &more);
        *ret_split = err == OK && more && may_split && range->cursor.len;
        if (*ret_split)
            range->taken = false;
        if (err == OK)
            err = emit_ready(w, &end);
    }
    fetch_fini(&fetch);
    return err;
}

static enum err walk_run(struct walk *w)
{
    /* What changed is little, however long the server looks for it; its keys tell no density. */
    bool may_split = w->query->changed_since == TICKS_NONE && w->storage->connections > 1;
    bool split;
    enum err err = walk_alone(w, may_split, &split);

    if (err != OK || !split)
        return err;
    w->deadline_ms = w->call->deadline_ms;
    fetchers_start(w);
    err = w->running ? walk_together(w) : walk_alone(w, false, &split);
    fetchers_end(w);
    return err;
}

enum err storage_list(struct hub *hub, struct call *call, const struct list_query *query,
                      hub_emit emit, void *ctx)
{
    bool entities = query->what == LIST_ENTITIES;
    struct walk w = {
        .storage = storage_of(hub), .query = query, .call = call, .emit = emit, .ctx = ctx
    };
    enum err err;

    if (ranges_init(&w.ranges, entities ? STR("@") : STR_NONE, entities ? STR("A") : STR_NONE) !=
        OK)
        return call_fail(call, ERR_NO_MEMORY, "no memory for a listing");
    lock_init(&w.lock, RANK_HUB);
    cond_init(&w.changed);
    err = walk_run(&w);
    cond_fini(&w.changed);
    lock_fini(&w.lock);
    (void)block_unref(w.last);
    ranges_fini(&w.ranges);
    return err;
}
