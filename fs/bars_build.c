#include "fs/bars_build.h"

#include "backend/base/grow.h"

struct bar *build_bar(struct build *b, enum bar_kind kind, struct str name)
{
    struct bars *out = b->out;
    struct bar *bars = grow(out->bars, out->count, &b->cap_bars, sizeof(*bars)), *bar;

    if (!bars) {
        b->err = ERR_NO_MEMORY;
        return NULL;
    }
    out->bars = bars;
    bar = &bars[out->count++];
    *bar = (struct bar){ .kind = kind,
                         .name = name,
                         .attempt = 1,
                         .from = TICKS_NONE,
                         .to = TICKS_NONE,
                         .planned = TICKS_NONE };
    return bar;
}

/* The bar that stands for all of a kind and name; with too many names, for a whole kind. */
static struct bar *group_bar(struct build *b, enum bar_kind kind, struct str name)
{
    CLEANUP_BUF struct buf key = BUF_INIT(SIZE_MAX);
    uintptr_t at;

    buf_add_ch(&key, (char)('a' + kind));
    if (b->out->count + BAR_KINDS < b->max)
        buf_add(&key, name);
    else
        name = STR("others");
    at = (uintptr_t)map_get(&b->groups, buf_str(&key));
    if (at > 0)
        return &b->out->bars[at - 1];
    if (!build_bar(b, kind, name))
        return NULL;
    b->err = map_set(&b->groups, buf_str(&key), (void *)(uintptr_t)b->out->count);
    return b->err == OK ? &b->out->bars[b->out->count - 1] : NULL;
}

struct bar *build_counted(struct build *b, enum bar_kind kind, struct str name)
{
    struct bar *bar = b->out->grouped ? group_bar(b, kind, name) : build_bar(b, kind, name);

    b->out->of_kind[kind]++;
    if (bar)
        bar->count++;
    return bar;
}

size_t build_span(struct build *b, size_t bar, ticks from, ticks to, enum span_look look)
{
    struct bars *out = b->out;
    struct span *spans = grow(out->spans, out->n_spans, &b->cap_spans, sizeof(*spans));

    if (!spans) {
        b->err = ERR_NO_MEMORY;
        return 0;
    }
    out->spans = spans;
    spans[out->n_spans++] = (struct span){ .from = from, .to = to, .look = look, .bar = bar };
    return out->n_spans;
}

void close_span(struct span *s, ticks to)
{
    s->to = later(s->from, to);
}

void build_episode(struct build *b, ticks to)
{
    size_t span = build_span(b, 0, b->episode, later(b->episode, to), SPAN_RUNNING);

    if (span > 0)
        b->out->spans[span - 1].failed = b->failing;
    b->rest = later(b->episode, to);
    b->episode = TICKS_NONE;
}
