/* What was read ahead and waits to be used, and those who use it. */
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

bool ahead_set(struct buf *b, struct str s)
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

/* Will its reader still come by? */
static bool is_awaited_locked(struct catalogue *c, const struct entry *e, int64_t now_ms)
{
    for (int k = 0; k < AHEAD_KINDS; k++) {
        const struct stream *s = ahead_stream_locked(c, e->ahead.marks[k].stream);
        if (s && stream_is_walking(s, now_ms) && e->ahead.marks[k].at > s->at)
            return true;
    }
    return false;
}

/* The oldest first. */
size_t ahead_room_locked(struct catalogue *c, size_t each, size_t wanted)
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
    if (s->kind == AHEAD_HISTORIES && s->size >= window_size_max(s))
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
    ahead_begin_locked(c, s, l, false);
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
    if (mark.at > s->at && ahead_set(&s->last, e->in->row.key)) {
        stream_count(s, mark.at - s->at);
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
    struct stream *s = stream_follow_locked(c, l, shelf, kind, key, &rows);
    if (!s || !ahead_set(&s->last, key))
        return;
    stream_count(s, rows);
    s->asked = s->at;
    s->used_ms = clock_now_ms();
    stream_note_status(s, l, key);
    if (alone || (s->until.len && str_cmp_utf16(key, buf_str(&s->until)) <= 0) ||
        window_of_locked(c, shelf, key, kind, UINT64_MAX))
        return;
    if (stream_pays(s))
        ahead_begin_locked(c, s, l, true);
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
