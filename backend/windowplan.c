/* Which rows of the listing become a walk's next window, and how many. */
#include <stdlib.h>

#include "backend/catalogue_private.h"

static bool is_known(const struct entry *e)
{
    return e && e->in && !e->gone && e->read > e->changed;
}

/* So that it will not be asked for again before the reader has come by. */
static bool is_fresh(const struct catalogue *c, const struct entry *e, int64_t now_ms)
{
    int64_t life = row_is_finished(&e->in->row) ? TTL_FINISHED_MS : c->settings.ttl_ms;
    return now_ms - e->read_ms <= life / 2;
}

/* Rows of the listing that become a window. */
struct gathering {
    struct catalogue *c;
    struct stream *s;
    struct window *w;
    uint32_t at, size;  /* of the next row; rows to look at */
    uint32_t rows;      /* looked at */
    uint32_t through;   /* of these up to the last that is wanted */
    bool must;          /* the first one is waited for, whatever is known of it */
    bool short_of_rows; /* histories wait until the rows are known */
    int64_t now_ms;
};

static bool want_row_locked(struct gathering *g, const struct row *row)
{
    const struct entry *e = map_get(&g->c->entries, row->id);
    if (g->must && g->rows == 0)
        return true;
    return !(is_known(e) && is_fresh(g->c, e, g->now_ms)) &&
           !window_of_locked(g->c, g->s->shelf, row->key, AHEAD_CELLS, UINT64_MAX);
}

static void add_instance(struct gathering *g, struct instance *in)
{
    struct window *w = g->w;
    w->ats[w->count] = g->at;
    w->instances[w->count++] = instance_ref(in);
}

/* *ret_end: no further with this window. */
static bool want_history_locked(struct gathering *g, const struct row *row, bool *ret_end)
{
    struct entry *e = map_get(&g->c->entries, row->id);
    bool known = is_known(e);
    g->short_of_rows = !known;
    *ret_end = !known || (e->ahead.long_history && g->w->count);
    if (*ret_end || e->history || e->ahead.long_history ||
        (g->w->only && row->status != g->w->status) ||
        window_of_locked(g->c, g->s->shelf, row->key, AHEAD_HISTORIES, UINT64_MAX))
        return false;
    add_instance(g, e->in);
    return true;
}

/* One row; false: enough. */
static bool look_at_locked(struct gathering *g, const struct row *row)
{
    bool end = false;
    bool wanted =
        g->s->kind == AHEAD_CELLS ? want_row_locked(g, row) : want_history_locked(g, row, &end);
    if (end)
        return false;
    if (wanted && !g->through) {
        (void)ahead_set(&g->w->from, row->key);
        g->w->at = g->at;
    }
    g->rows++;
    g->at++;
    if (wanted) {
        (void)ahead_set(&g->w->through, row->key);
        g->through = g->rows;
    }
    (void)ahead_set(&g->s->until, row->key);
    g->s->begun = g->at - 1;
    return g->rows < g->size;
}

static void gather_locked(struct gathering *g, struct listing *l, struct str start)
{
    static const struct listing_filter all = { .kind = FILTER_ALL };
    uint64_t cursor = listing_seek(l, start);
    struct call local;
    struct row row;
    bool more;
    call_init_local(&local);
    while (listing_next(l, &local, &all, &cursor, &row, &more) == OK && more) {
        if (!g->must && g->rows == 0 && str_eq(row.key, start))
            continue; /* windows were begun up to it, included */
        if (!look_at_locked(g, &row))
            break;
    }
}

uint32_t window_size_max(const struct stream *s)
{
    if (s->kind == AHEAD_CELLS || s->rows_each <= 1)
        return AHEAD_ROWS;
    return s->rows_each < AHEAD_ROWS ? (uint32_t)(AHEAD_ROWS / s->rows_each) : 1;
}

/* Larger as long as a window is used up well before what it holds of the unfinished ones is too old
 * to be used. */
static uint32_t size_next(const struct catalogue *c, const struct stream *s, int64_t now_ms)
{
    uint32_t size = AHEAD_FIRST;
    if (s->size && now_ms - s->window_ms <= c->settings.ttl_ms / 2)
        size = s->size * AHEAD_GROWTH;
    else if (s->size / 2 > size)
        size = s->size / 2;
    return size < window_size_max(s) ? size : window_size_max(s);
}

static bool make_lists(struct window *w, uint32_t size)
{
    if (w->kind == AHEAD_CELLS)
        return true;
    w->instances = calloc(size, sizeof(struct instance *));
    w->ats = calloc(size, sizeof *w->ats);
    return w->instances && w->ats;
}

/* The service answers others, but not these requests. */
static bool is_any_late_locked(struct catalogue *c)
{
    for (const struct window *w = c->ahead.windows; w; w = w->next)
        if (w->late)
            return true;
    return false;
}

static bool may_begin_locked(struct catalogue *c, const struct stream *s, int64_t now_ms)
{
    const struct ahead *a = &c->ahead;
    return !a->ended && a->n_windows < AHEAD_WINDOWS && now_ms >= a->paused_until_ms &&
           !is_any_late_locked(c) && stream_pays(s);
}

/* Room for a window of the size that is due, or less; NULL: none. */
static struct window *open_window_locked(struct catalogue *c, struct stream *s, int64_t now_ms,
                                         uint32_t *ret_size)
{
    size_t each = s->bytes_each ? s->bytes_each : AHEAD_BYTES_EACH;
    uint32_t size = size_next(c, s, now_ms);
    size_t room = ahead_room_locked(c, each, size);
    if (room < size)
        size = (uint32_t)room;
    struct window *w = size ? window_new(c, s) : NULL;
    if (!w || !make_lists(w, size)) {
        window_free(w);
        return NULL;
    }
    w->only = stream_is_sparse(s) && !s->mixed;
    w->status = s->status;
    *ret_size = size;
    return w;
}

void ahead_begin_locked(struct catalogue *c, struct stream *s, struct listing *l, bool must)
{
    int64_t now_ms = clock_now_ms();
    CLEANUP_BUF struct buf start = BUF_INIT(AHEAD_STREAM_BYTES);
    struct gathering g = { .c = c, .s = s, .must = must, .now_ms = now_ms };
    uint32_t begun = s->begun;
    if (!may_begin_locked(c, s, now_ms) || !ahead_set(&start, buf_str(must ? &s->last : &s->until)))
        return;
    g.at = must ? s->at : begun + 1;
    g.w = open_window_locked(c, s, now_ms, &g.size);
    if (!g.w)
        return;
    gather_locked(&g, l, buf_str(&start));
    /* Little is known yet: more of it in a moment, in one go. */
    bool wait = !must && g.short_of_rows && g.rows < g.size;
    if (wait) {
        s->begun = begun;
        (void)ahead_set(&s->until, buf_str(&start));
    }
    if (wait || !g.through) {
        window_free(g.w);
        return;
    }
    size_t each = s->bytes_each ? s->bytes_each : AHEAD_BYTES_EACH;
    g.w->bytes_wanted = each * (s->kind == AHEAD_CELLS ? g.through : g.w->count);
    s->size = g.size;
    s->window_ms = now_ms;
    (void)window_begin_locked(g.w); /* without a thread, readers ask by themselves */
}
