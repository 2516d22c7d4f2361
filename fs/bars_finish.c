#include "fs/bars_build.h"

#include <stdlib.h>

/* When everything that is still open ends. */
static ticks end_of(struct build *b, const struct row *row, ticks now)
{
    if (b->end != TICKS_NONE)
        return later(b->end, b->rest);
    if (row_is_finished(row))
        return later(b->last, row->completed != TICKS_NONE ? row->completed : row->updated);
    b->out->open = true;
    return later(b->last, now);
}

static int pause_cmp(const void *pa, const void *pb)
{
    const struct pause *a = pa, *b = pb;

    return a->at < b->at ? -1 : a->at > b->at;
}

/* In the order of their moments: the history has them as the queue gave them. */
static void add_pauses(struct build *b, ticks end)
{
    ticks since = TICKS_NONE;

    qsort(b->pauses, b->n_pauses, sizeof(*b->pauses), pause_cmp);
    for (size_t i = 0; i <= b->n_pauses; i++) {
        bool on = i < b->n_pauses && b->pauses[i].on;
        ticks at = i < b->n_pauses ? b->pauses[i].at : end;

        if (since != TICKS_NONE && !on) {
            (void)build_span(b, 0, since, later(since, at), SPAN_SUSPENDED);
            since = TICKS_NONE;
        } else if (since == TICKS_NONE && on) {
            since = at;
        }
    }
}

/* An instance that rests with nothing under way can only be waiting for an event. */
static void add_awaited(struct build *b)
{
    struct bar *bar;

    if (!b->out->open || b->rest == TICKS_NONE || b->episode != TICKS_NONE)
        return;
    for (size_t i = 0; i < b->out->n_spans; i++)
        if (b->out->spans[i].to == STILL_OPEN)
            return;
    bar = build_bar(b, BAR_EVENT, STR_NONE);
    if (!bar)
        return;
    bar->count = 1;
    (void)build_span(b, b->out->count - 1, b->rest, STILL_OPEN, SPAN_WAITING);
}

static void settle_span(struct bars *out, struct span *s, ticks end)
{
    struct bar *bar = &out->bars[s->bar];
    bool open = s->to == STILL_OPEN;

    if (open)
        close_span(s, end);
    if (s->bar == 0)
        return;
    if (open)
        bar->state = out->open ? BAR_OPEN : BAR_DROPPED;
    else if (bar->state == BAR_REWOUND || (out->grouped && !s->failed))
        return;
    else if (bar->state != BAR_OPEN)
        bar->state = s->failed ? BAR_FAILED : BAR_DONE;
}

static void measure(struct bars *out, ticks end)
{
    out->bars[0].to = later(out->bars[0].from, end);
    for (size_t i = 0; i < out->n_spans; i++) {
        const struct span *s = &out->spans[i];
        struct bar *bar = &out->bars[s->bar];

        if (bar->from == TICKS_NONE || s->from < bar->from)
            bar->from = s->from;
        bar->to = later(bar->to, s->to);
        bar->n_spans++;
    }
    out->from = out->bars[0].from;
    out->to = out->bars[0].to;
    for (size_t i = 0; i < out->count; i++) {
        if (out->bars[i].from < out->from)
            out->from = out->bars[i].from;
        out->to = later(out->to, out->bars[i].to);
    }
}

/* Each bar gets its spans in one piece. */
static void distribute(struct build *b)
{
    struct bars *out = b->out;
    struct span *sorted = calloc(out->n_spans + 1, sizeof(*sorted));
    size_t *next = calloc(out->count + 1, sizeof(*next));

    if (sorted && next) {
        for (size_t i = 0; i + 1 < out->count; i++)
            next[i + 1] = next[i] + out->bars[i].n_spans;
        for (size_t i = 0; i < out->count; i++)
            out->bars[i].spans = sorted + next[i];
        for (size_t i = 0; i < out->n_spans; i++)
            sorted[next[out->spans[i].bar]++] = out->spans[i];
        free(out->spans);
        out->spans = sorted;
    } else {
        free(sorted);
        b->err = ERR_NO_MEMORY;
    }
    free(next);
}

void bars_finish(struct build *b, const struct row *row, ticks now)
{
    ticks end = end_of(b, row, now);

    add_awaited(b);
    if (b->episode != TICKS_NONE)
        build_episode(b, end);
    add_pauses(b, end);
    for (size_t i = 0; i < b->out->n_spans; i++)
        settle_span(b->out, &b->out->spans[i], end);
    if (b->out->open)
        b->out->bars[0].state = BAR_OPEN;
    else if (row->status == STATUS_TERMINATED || row->status == STATUS_CANCELED)
        b->out->bars[0].state = BAR_DROPPED;
    measure(b->out, end);
    if (b->err == OK)
        distribute(b);
}
