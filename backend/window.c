/* A span that is read ahead: by a thread of ours, portion by portion into entries. */
#include <stdlib.h>

#include "backend/base/log.h"
#include "backend/catalogue_private.h"

struct window *window_new(struct catalogue *c, const struct stream *s)
{
    struct window *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->c = c;
    w->stream = s->number;
    w->kind = s->kind;
    w->shelf = s->shelf;
    buf_init(&w->from, AHEAD_STREAM_BYTES);
    buf_init(&w->through, AHEAD_STREAM_BYTES);
    return w;
}

void window_free(struct window *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        instance_unref(w->instances[i]);
    free(w->instances);
    free(w->ats);
    buf_fini(&w->from);
    buf_fini(&w->through);
    free(w);
}

/* -- those who wait -- */

static void wake_locked(struct window *w)
{
    struct call nothing;
    if (!w->flight)
        return;
    call_init_local(&nothing);
    flight_land(w->flight, OK, &nothing); /* what failed is not theirs: they ask by themselves */
    w->flight = NULL;
}

static bool is_ahead_of(const struct window *w, struct str key)
{
    int cmp = str_cmp_utf16(key, buf_str(&w->from));
    return (w->moved ? cmp > 0 : cmp >= 0) && str_cmp_utf16(key, buf_str(&w->through)) <= 0;
}

struct window *window_of_locked(struct catalogue *c, const struct shelf *shelf, struct str key,
                                enum ahead_kind kind, seq before)
{
    for (struct window *w = c->ahead.windows; w; w = w->next)
        if (w->kind == kind && w->shelf == shelf && w->begun < before && is_ahead_of(w, key))
            return w;
    return NULL;
}

static void move_locked(struct window *w, struct str key, size_t came)
{
    (void)ahead_set(&w->from, key);
    w->moved = true;
    w->late = false;
    /* What has come is counted where it lies; at the end nothing is kept for the window any more.
     */
    bool all = str_cmp_utf16(key, buf_str(&w->through)) >= 0;
    w->bytes_wanted = all || came > w->bytes_wanted ? 0 : w->bytes_wanted - came;
    wake_locked(w);
}

/* -- learning -- */

static bool has_room_locked(struct window *w)
{
    size_t share = ahead_share_locked(w->c);
    w->stopped = w->c->ahead.bytes > share + share / 4; /* rows are longer than they were */
    return !w->stopped;
}

static void learn_row_locked(struct window *w, struct instance *in)
{
    struct catalogue *c = w->c;
    struct entry *e = map_get(&c->entries, in->row.id);
    uint32_t at = w->at++;
    bool wanted = !w->only || in->row.status == w->status;
    /* A command of ours that nobody remembers may have been for this one. */
    if (!e && wanted && w->begun > c->lost)
        e = entry_make_locked(c, in->row.id);
    if (!e || !wanted || e->read > w->begun) {
        instance_unref(in);
        return;
    }
    entry_learn_locked(c, e, in, w->begun, w->begun_ms);
    ahead_mark_locked(c, e, AHEAD_CELLS, w->stream, at);
    w->learned++;
    w->bytes += e->bytes;
}

static enum err learn_portion(struct window *w)
{
    if (!w->in_portion)
        return OK;
    struct instance *last = instance_ref(w->portion[w->in_portion - 1]);
    LOCK_SCOPE(&w->c->lock);
    size_t before = w->bytes;
    for (size_t i = 0; i < w->in_portion; i++)
        learn_row_locked(w, w->portion[i]);
    w->in_portion = 0;
    move_locked(w, last->row.key, w->bytes - before);
    instance_unref(last);
    entries_trim_locked(w->c);
    return has_room_locked(w) ? OK : ERR_TOO_BIG;
}

static enum err emit_row(void *ctx, struct instance *in)
{
    struct window *w = ctx;
    w->portion[w->in_portion++] = in;
    w->rows++;
    return w->in_portion < AHEAD_PORTION ? OK : learn_portion(w);
}

static enum err emit_history(void *ctx, size_t i, struct history *h, size_t rows)
{
    struct window *w = ctx;
    struct catalogue *c = w->c;
    const struct instance *in = w->instances[i];
    LOCK_SCOPE(&c->lock);
    struct entry *e = map_get(&c->entries, in->row.id);
    size_t before = e ? e->bytes : 0, came = 0;
    w->rows += rows;
    if (!e || e->changed > w->begun || c->lost > w->begun) /* of before a refresh, perhaps */
        history_unref(h);
    else if (entry_learn_history_locked(c, e, in, h)) {
        ahead_mark_locked(c, e, AHEAD_HISTORIES, w->stream, w->ats[i]);
        came = e->bytes - before;
    }
    w->bytes += came;
    w->learned++;
    w->at = w->ats[i] + 1;
    move_locked(w, in->row.key, came);
    entries_trim_locked(c);
    return has_room_locked(w) ? OK : ERR_TOO_BIG;
}

/* -- reading -- */

static enum err read_rows(struct window *w)
{
    const struct key_span span = { buf_str(&w->from), buf_str(&w->through) };
    CLEANUP_BUF struct buf from = BUF_INIT(AHEAD_STREAM_BYTES);
    buf_add(&from, span.from); /* the window's own moves */
    if (buf_err(&from) != OK)
        return call_fail(w->call, buf_err(&from), "no memory for a key");
    enum err err = hub_span(w->c->hub, w->call, &(struct key_span){ buf_str(&from), span.through },
                            emit_row, w);
    if (err == OK)
        return learn_portion(w);
    while (w->in_portion)
        instance_unref(w->portion[--w->in_portion]);
    return err;
}

static enum err read_histories(struct window *w)
{
    const struct span_histories wanted = { w->instances, w->count, AHEAD_LONG };
    enum err err = hub_histories(w->c->hub, w->call, &wanted, emit_history, w);
    if (err != OK || w->learned == w->count)
        return err;
    /* It ended at one that is too long. */
    w->stopped = true;
    LOCK_SCOPE(&w->c->lock);
    struct entry *e = map_get(&w->c->entries, w->instances[w->learned]->row.id);
    if (e)
        e->ahead.long_history = true;
    return OK;
}

/* -- the end -- */

static size_t average(size_t sum, size_t n)
{
    return n ? (sum + n - 1) / n : 0;
}

/* How long rows are, and where the walk's next window has to begin. */
static void teach_locked(struct window *w, struct stream *s)
{
    if (w->learned)
        s->bytes_each = average(w->bytes, w->learned);
    if (w->kind == AHEAD_HISTORIES && (w->rows || w->stopped))
        s->rows_each = w->learned ? average(w->rows, w->learned) : AHEAD_LONG;
    if (w->stopped && str_cmp_utf16(buf_str(&s->until), buf_str(&w->through)) >= 0) {
        buf_clear(&s->until);
        if (w->moved)
            buf_add(&s->until, buf_str(&w->from));
        s->begun = w->moved ? w->at - 1 : s->at;
    }
}

static void unlist_locked(struct window *w)
{
    struct window **at = &w->c->ahead.windows;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    w->c->ahead.n_windows--;
}

static void end_locked(struct window *w, enum err err)
{
    struct ahead *a = &w->c->ahead;
    struct stream *s = ahead_stream_locked(w->c, w->stream);
    unlist_locked(w);
    wake_locked(w);
    if (s)
        teach_locked(w, s);
    if (err != OK && !w->stopped) {
        a->paused_until_ms = clock_now_ms() + AHEAD_PAUSE_MS;
        if (s)
            s->number = 0;
    }
}

static void run(struct window *w)
{
    enum err err = w->kind == AHEAD_CELLS ? read_rows(w) : read_histories(w);
    if (err != OK && !w->stopped)
        log_debug("reading ahead: %s: %s", err_name(err), w->call->text);
    lock_take(&w->c->lock);
    end_locked(w, err);
    lock_drop(&w->c->lock);
    window_free(w);
}

static struct window *next_locked(struct catalogue *c)
{
    struct window *w = c->ahead.windows;
    while (w && w->taken)
        w = w->next;
    if (w)
        w->taken = true;
    return w;
}

static void *work(void *arg)
{
    struct ahead_worker *me = arg;
    struct catalogue *c = me->c;
    for (;;) {
        struct window *w;
        {
            LOCK_SCOPE(&c->lock);
            w = c->ahead.ended ? NULL : next_locked(c);
            me->worker.live = w;
        }
        if (!w)
            return NULL;
        w->call = &me->worker.call;
        call_progress(w->call);
        run(w);
    }
}

/* One more thread, if one is needed. */
static bool hire_locked(struct catalogue *c)
{
    bool any = false;
    for (int i = 0; i < AHEAD_THREADS; i++) {
        struct ahead_worker *a = &c->ahead.workers[i];
        struct call call;
        if (a->worker.live) {
            any = true;
            continue;
        }
        call_init_local(&call);
        a->c = c;
        if (worker_start(&a->worker, work, a, &call) == OK)
            return true;
        log_debug("reading ahead: %s", call.text);
        return any;
    }
    return true;
}

bool window_begin_locked(struct window *w)
{
    struct ahead *a = &w->c->ahead;
    struct window **last = &a->windows;
    w->begun = ++w->c->clock;
    w->begun_ms = clock_now_ms();
    while (*last)
        last = &(*last)->next;
    *last = w;
    a->n_windows++;
    if (hire_locked(w->c))
        return true;
    unlist_locked(w);
    window_free(w);
    return false;
}

void ahead_end(struct catalogue *c)
{
    lock_take(&c->lock);
    c->ahead.ended = true;
    lock_drop(&c->lock);
    for (int i = 0; i < AHEAD_THREADS; i++)
        worker_end(&c->ahead.workers[i].worker);
    while (c->ahead.windows) {
        struct window *w = c->ahead.windows;
        c->ahead.windows = w->next;
        wake_locked(w);
        window_free(w);
    }
}
