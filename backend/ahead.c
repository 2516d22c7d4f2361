/* Who walks, and which windows are begun for them. */
#include "backend/ahead.h"

#include "backend/catalogue_private.h"

void ahead_init(struct ahead *a)
{
    for (int i = 0; i < AHEAD_STREAMS; i++) {
        buf_init(&a->streams[i].last, AHEAD_STREAM_BYTES);
        buf_init(&a->streams[i].until, AHEAD_STREAM_BYTES);
    }
}

void ahead_fini(struct ahead *a)
{
    for (int i = 0; i < AHEAD_STREAMS; i++) {
        buf_fini(&a->streams[i].last);
        buf_fini(&a->streams[i].until);
    }
}

static bool set(struct buf *b, struct str s)
{
    buf_clear(b);
    buf_add(b, s);
    return buf_err(b) == OK;
}

/* -- what is read and not yet used -- */

bool ahead_is_unused(const struct entry *e)
{
    return e->ahead.marks[AHEAD_CELLS].stream || e->ahead.marks[AHEAD_HISTORIES].stream;
}

static void unlink_locked(struct ahead *a, struct entry *e)
{
    struct ahead_place *p = &e->ahead;
    *(p->newer ? &p->newer->ahead.older : &a->newest) = p->older;
    *(p->older ? &p->older->ahead.newer : &a->oldest) = p->newer;
    p->newer = p->older = NULL;
    a->bytes -= e->bytes;
}

static void link_locked(struct ahead *a, struct entry *e)
{
    e->ahead.older = a->newest;
    *(a->newest ? &a->newest->ahead.newer : &a->oldest) = e;
    a->newest = e;
    a->bytes += e->bytes;
}

void ahead_leave_locked(struct catalogue *c, struct entry *e)
{
    if (!ahead_is_unused(e))
        return;
    unlink_locked(&c->ahead, e);
    for (int k = 0; k < AHEAD_KINDS; k++)
        e->ahead.marks[k].stream = 0;
}

void ahead_mark_locked(struct catalogue *c, struct entry *e, enum ahead_kind kind, uint32_t stream,
                       uint32_t at)
{
    if (!ahead_is_unused(e))
        link_locked(&c->ahead, e);
    e->ahead.marks[kind] = (struct ahead_mark){ stream, at, false };
    c->ahead.read++;
}

struct stream *ahead_stream_locked(struct catalogue *c, uint32_t number)
{
    for (int i = 0; i < AHEAD_STREAMS; i++)
        if (number && c->ahead.streams[i].number == number)
            return &c->ahead.streams[i];
    return NULL;
}

size_t ahead_share_locked(struct catalogue *c)
{
    size_t share = entries_budget_locked(c) / 4;
    return share < AHEAD_MAX_BYTES ? share : AHEAD_MAX_BYTES;
}

static bool is_walking(const struct stream *s, int64_t now_ms)
{
    return s->number && now_ms - s->used_ms <= AHEAD_IDLE_MS;
}

/* Will its reader still come by? */
static bool is_awaited_locked(struct catalogue *c, const struct entry *e, int64_t now_ms)
{
    for (int k = 0; k < AHEAD_KINDS; k++) {
        const struct stream *s = ahead_stream_locked(c, e->ahead.marks[k].stream);
        if (s && is_walking(s, now_ms) && e->ahead.marks[k].at > s->at)
            return true;
    }
    return false;
}

/* How many more of that size there is room for. What nobody comes for gives way, the oldest first.
 */
static size_t room_locked(struct catalogue *c, size_t each, size_t wanted)
{
    struct ahead *a = &c->ahead;
    size_t share = ahead_share_locked(c), taken = 0;
    int64_t now_ms = clock_now_ms();
    for (const struct window *w = a->windows; w; w = w->next)
        taken += w->bytes_wanted;
    for (struct entry *e = a->oldest, *newer; e && a->bytes + taken + each * wanted > share;
         e = newer) {
        newer = e->ahead.newer;
        if (!is_awaited_locked(c, e, now_ms) && !entry_is_held(e))
            entry_drop_locked(c, e);
    }
    return a->bytes + taken < share ? (share - a->bytes - taken) / each : 0;
}

/* -- streams -- */

static uint32_t gaps(const struct stream *s)
{
    return s->count > 1 ? s->count - 1 : 1;
}

static bool is_sparse(const struct stream *s)
{
    return s->span > 2 * gaps(s);
}

/* Is reading everything cheaper than what is wanted one by one? */
static bool pays(const struct stream *s)
{
    if (s->count < AHEAD_BEGIN || s->span > gaps(s) * AHEAD_SPARSE)
        return false;
    return s->kind == AHEAD_CELLS || s->rows_each * s->span <= (size_t)gaps(s) * AHEAD_MIX;
}

/* What was long ago says little. */
static void count_wanted(struct stream *s, uint32_t rows)
{
    if (s->count > 64) {
        s->count /= 2;
        s->span /= 2;
    }
    s->count++;
    s->span += rows;
    s->at += rows;
}

static struct stream *stream_new_locked(struct catalogue *c, struct shelf *shelf,
                                        enum ahead_kind kind, struct str key)
{
    struct ahead *a = &c->ahead;
    struct stream *s = &a->streams[0];
    for (int i = 1; i < AHEAD_STREAMS && s->number; i++)
        if (!a->streams[i].number || a->streams[i].used_ms < s->used_ms)
            s = &a->streams[i];
    struct buf last = s->last, until = s->until;
    *s = (struct stream){ .kind = kind, .shelf = shelf, .last = last, .until = until };
    buf_clear(&s->until);
    if (!set(&s->last, key))
        return NULL;
    if (++a->last_stream == 0)
        a->last_stream = 1;
    s->number = a->last_stream;
    return s;
}

/* Far from where a walk was that has hardly begun: it may be another one's. */
static bool is_leap(const struct stream *s, uint32_t rows)
{
    return !s->until.len && rows > 2 * s->span / gaps(s) + AHEAD_LEAP;
}

/* A stream of its own that may turn out to be the other's continuation (NULL = nobody's). */
static struct stream *stream_branch_locked(struct catalogue *c, struct shelf *shelf,
                                           enum ahead_kind kind, struct str key,
                                           const struct stream *other, uint32_t *ret_rows)
{
    struct stream was = { 0 };
    if (other)
        was = *other;
    else
        *ret_rows = 0;
    struct stream *s = stream_new_locked(c, shelf, kind, key);
    if (s) {
        s->count = was.count;
        s->span = was.span;
        s->status = was.status;
        s->mixed = was.mixed;
    }
    return s;
}

/* The stream that comes from closest before the key, or a new one; NULL: it has been there, which
 * tells nothing. *ret_rows: from its last. */
static struct stream *stream_of_locked(struct catalogue *c, struct listing *l, struct shelf *shelf,
                                       enum ahead_kind kind, struct str key, uint32_t *ret_rows)
{
    int64_t now_ms = clock_now_ms();
    uint64_t at = listing_seek(l, key);
    struct stream *found = NULL;
    *ret_rows = AHEAD_NEAR + 1;
    for (int i = 0; i < AHEAD_STREAMS; i++) {
        struct stream *s = &c->ahead.streams[i];
        if (s->kind != kind || s->shelf != shelf || !is_walking(s, now_ms))
            continue;
        if (str_eq(key, buf_str(&s->last)))
            return NULL;
        uint64_t last = listing_seek(l, buf_str(&s->last));
        uint32_t rows = (uint32_t)listing_apart(l, last, at, AHEAD_NEAR + 1);
        if (rows && rows < *ret_rows) {
            found = s;
            *ret_rows = rows;
        }
    }
    if (found && !is_leap(found, *ret_rows))
        return found;
    return stream_branch_locked(c, shelf, kind, key, found, ret_rows);
}

static void note_status(struct stream *s, struct listing *l, struct str key)
{
    struct row row;
    bool listed = listing_find(l, key, &row);
    if (s->count <= 1 && listed)
        s->status = row.status;
    s->mixed = s->mixed || !listed || row.status != s->status;
}

/* -- windows -- */

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

static bool add_instance(struct gathering *g, struct instance *in)
{
    struct window *w = g->w;
    w->ats[w->count] = g->at;
    w->instances[w->count++] = instance_ref(in);
    return true;
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
    return add_instance(g, e->in);
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
        (void)set(&g->w->from, row->key);
        g->w->at = g->at;
    }
    g->rows++;
    g->at++;
    if (wanted) {
        (void)set(&g->w->through, row->key);
        g->through = g->rows;
    }
    (void)set(&g->s->until, row->key);
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

static uint32_t size_max(const struct stream *s)
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
    return size < size_max(s) ? size : size_max(s);
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
           !is_any_late_locked(c) && pays(s);
}

/* From the one that was missed (must), or on from where the windows end. */
static void begin_locked(struct catalogue *c, struct stream *s, struct listing *l, bool must)
{
    int64_t now_ms = clock_now_ms();
    if (!may_begin_locked(c, s, now_ms))
        return;
    size_t each = s->bytes_each ? s->bytes_each : AHEAD_BYTES_EACH;
    uint32_t size = size_next(c, s, now_ms);
    size_t room = room_locked(c, each, size);
    if (room < size)
        size = (uint32_t)room;
    struct window *w = size ? window_new(c, s) : NULL;
    if (!w || !make_lists(w, size)) {
        window_free(w);
        return;
    }
    w->only = is_sparse(s) && !s->mixed;
    w->status = s->status;
    CLEANUP_BUF struct buf start = BUF_INIT(AHEAD_STREAM_BYTES);
    buf_add(&start, buf_str(must ? &s->last : &s->until));
    struct gathering g = { .c = c,
                           .s = s,
                           .w = w,
                           .at = must ? s->at : s->begun + 1,
                           .size = size,
                           .must = must,
                           .now_ms = now_ms };
    gather_locked(&g, l, buf_str(&start));
    /* Little is known yet: more of it in a moment, in one go. */
    bool wait = !must && g.short_of_rows && g.rows < size;
    if (wait) {
        s->begun = must ? s->at : g.at - g.rows - 1;
        (void)set(&s->until, buf_str(&start));
    }
    if (!g.through || wait) {
        window_free(w);
        return;
    }
    w->bytes_wanted = each * (w->kind == AHEAD_CELLS ? g.through : w->count);
    s->size = size;
    s->window_ms = now_ms;
    (void)window_begin_locked(w);
}

static uint32_t count_windows_locked(struct catalogue *c, const struct stream *s)
{
    uint32_t n = 0;
    for (const struct window *w = c->ahead.windows; w; w = w->next)
        n += w->stream == s->number;
    return n;
}

/* Rows that the windows must be ahead of the reader. */
static uint32_t lead(const struct stream *s)
{
    if (s->kind == AHEAD_HISTORIES && s->size >= size_max(s))
        return AHEAD_SIDE * s->size;
    return s->size / 2;
}

static struct listing *listing_locked(const struct shelf *shelf)
{
    return shelf->current ? shelf->current : shelf->next;
}

/* Who lists a directory sees the sizes that are at hand, and tar needs no more. But names alone
 * must not draw one window after the other: after a while somebody has to ask for something. */
static bool is_asked_for(const struct stream *s)
{
    return s->at - s->asked <= (s->kind == AHEAD_HISTORIES ? AHEAD_SIDE + 1 : 1) * s->size;
}

static void go_on_locked(struct catalogue *c, struct stream *s)
{
    struct listing *l = listing_locked(s->shelf);
    if (!l || !is_asked_for(s) || !s->until.len || s->at < s->stay || s->begun > s->at + lead(s) ||
        count_windows_locked(c, s) > AHEAD_SIDE)
        return;
    s->stay = s->at + s->size / 8; /* what cannot be begun now is not thought of at every look */
    begin_locked(c, s, l, false);
}

/* -- readers -- */

/* What was seen stays: the one who asks for it comes in a moment, if ever. */
static void note_use_locked(struct catalogue *c, struct entry *e, enum ahead_kind kind, bool seen)
{
    struct ahead_mark *mark = &e->ahead.marks[kind];
    c->ahead.used += !mark->seen;
    mark->seen = true;
    if (seen)
        return;
    if (!e->ahead.marks[kind ^ 1].stream)
        unlink_locked(&c->ahead, e);
    mark->stream = 0;
}

void ahead_hit_locked(struct catalogue *c, const struct call *call, struct entry *e,
                      enum ahead_kind kind)
{
    struct ahead_mark mark = e->ahead.marks[kind];
    if (!mark.stream)
        return;
    struct stream *s = ahead_stream_locked(c, mark.stream);
    note_use_locked(c, e, kind, call->glance);
    if (!s)
        return;
    if (!call->glance) {
        s->used_ms = clock_now_ms();
        if (mark.at > s->asked)
            s->asked = mark.at;
    }
    if (mark.at > s->at && set(&s->last, e->in->row.key)) {
        count_wanted(s, mark.at - s->at);
        go_on_locked(c, s);
    }
}

static void miss_locked(struct catalogue *c, struct shelf *shelf, struct str key,
                        enum ahead_kind kind, bool alone)
{
    struct listing *l = listing_locked(shelf);
    uint32_t rows;
    if (!l)
        return;
    struct stream *s = stream_of_locked(c, l, shelf, kind, key, &rows);
    if (!s || !set(&s->last, key))
        return;
    count_wanted(s, rows);
    s->asked = s->at;
    s->used_ms = clock_now_ms();
    note_status(s, l, key);
    if (alone || (s->until.len && str_cmp_utf16(key, buf_str(&s->until)) <= 0) ||
        window_of_locked(c, shelf, key, kind, UINT64_MAX))
        return;
    if (pays(s))
        begin_locked(c, s, l, true);
    else
        s->rows_each -= s->rows_each / 8; /* one long history does not end it for good */
}

/* Half of what is left is for asking by himself. */
static int64_t patience_ms(const struct call *call)
{
    int64_t half = call_left_ms(call) / 2;
    return half < AHEAD_PATIENCE_MS ? half : AHEAD_PATIENCE_MS;
}

enum err ahead_await_locked(struct catalogue *c, struct call *call, struct str id,
                            enum ahead_kind kind, struct ahead_wait *wait, bool *ret_again)
{
    struct shelf *shelf = shelf_of_id(c, id);
    struct str key = key_of_locked(c, id);
    *ret_again = false;
    if (!hub_can(c->hub, CAP_SPANS))
        return OK;
    if (!wait->since) {
        const struct entry *e = map_get(&c->entries, id);
        miss_locked(c, shelf, key, kind, kind == AHEAD_HISTORIES && e && e->ahead.long_history);
        wait->since = c->clock + 1;
    }
    struct window *w = window_of_locked(c, shelf, key, kind, wait->since);
    if (!w || w->late || (!w->flight && !(w->flight = flight_new())))
        return OK;
    struct flight *f = w->flight;
    bool late;
    enum err err = flight_wait_for(f, &c->lock, call, patience_ms(call), &late);
    *ret_again = true;
    if (late && (w = window_of_locked(c, shelf, key, kind, wait->since)) && w->flight == f)
        w->late = true; /* the look again finds that, and so does whoever else comes by */
    return err;
}
