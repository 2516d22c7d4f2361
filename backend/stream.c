/* Who walks, told from what is missed one after the other. */
#include "backend/catalogue_private.h"

bool stream_is_walking(const struct stream *s, int64_t now_ms)
{
    return s->number && now_ms - s->used_ms <= AHEAD_IDLE_MS;
}

static uint32_t gaps(const struct stream *s)
{
    return s->count > 1 ? s->count - 1 : 1;
}

bool stream_is_sparse(const struct stream *s)
{
    return s->span > 2 * gaps(s);
}

bool stream_pays(const struct stream *s)
{
    if (s->count < AHEAD_BEGIN || s->span > gaps(s) * AHEAD_SPARSE)
        return false;
    return s->kind == AHEAD_CELLS || s->rows_each * s->span <= (size_t)gaps(s) * AHEAD_MIX;
}

/* What was long ago says little. */
void stream_count(struct stream *s, uint32_t rows)
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
    if (!ahead_set(&s->last, key))
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

struct stream *stream_follow_locked(struct catalogue *c, struct listing *l, struct shelf *shelf,
                                    enum ahead_kind kind, struct str key, uint32_t *ret_rows)
{
    int64_t now_ms = clock_now_ms();
    uint64_t at = listing_seek(l, key);
    struct stream *found = NULL;
    *ret_rows = AHEAD_NEAR + 1;
    for (int i = 0; i < AHEAD_STREAMS; i++) {
        struct stream *s = &c->ahead.streams[i];
        if (s->kind != kind || s->shelf != shelf || !stream_is_walking(s, now_ms))
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

void stream_note_status(struct stream *s, struct listing *l, struct str key)
{
    struct row row;
    bool listed = listing_find(l, key, &row);
    if (s->count <= 1 && listed)
        s->status = row.status;
    s->mixed = s->mixed || !listed || row.status != s->status;
}
