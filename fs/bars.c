#include "fs/bars.h"

#include <stdlib.h>

#include "fs/bars_build.h"

static bool makes_bar(const struct event *e)
{
    return e->type == EVENT_TASK_SCHEDULED || e->type == EVENT_SUB_CREATED ||
           e->type == EVENT_TIMER_CREATED || e->type == EVENT_RAISED || e->type == EVENT_SENT ||
           (e->type == EVENT_GENERIC && e->event_id >= 0);
}

/* What has to be known before the first event is looked at. */
static void survey(struct build *b)
{
    size_t bars = 1, pauses = 0;

    for (size_t i = 0; b->h && i < b->h->count; i++) {
        const struct event *e = &b->h->events[i];

        bars += makes_bar(e);
        pauses += e->type == EVENT_SUSPENDED || e->type == EVENT_RESUMED;
        b->rewound |= e->type == EVENT_GENERIC && (e->event_id >= 0 || e->task_id >= 0);
    }
    b->out->grouped = bars > b->max;
    b->pauses = calloc(pauses + 1, sizeof(*b->pauses));
    b->span_of = calloc(b->h ? b->h->count + 1 : 1, sizeof(*b->span_of));
    b->work = calloc(b->h ? b->h->count + 1 : 1, sizeof(struct work *));
    if (!b->pauses || !b->span_of || !b->work)
        b->err = ERR_NO_MEMORY;
}

static ticks first_time(const struct build *b, const struct row *row, ticks now)
{
    for (size_t i = 0; b->h && i < b->h->count; i++)
        if (b->h->events[i].time != TICKS_NONE)
            return b->h->events[i].time;
    if (row->created != TICKS_NONE)
        return row->created;
    return row->updated != TICKS_NONE || row_is_finished(row) ? row->updated : now;
}

static void build(struct build *b, const struct row *row, ticks now)
{
    struct bar *run = build_bar(b, BAR_RUN, row->name);

    survey(b);
    if (!run || b->err != OK)
        return;
    b->last = first_time(b, row, now);
    run->count = 1;
    run->from = row->created != TICKS_NONE ? row->created : b->last;
    bars_walk(b);
    if (b->err == OK)
        bars_finish(b, row, now);
}

struct bars *bars_new(const struct history *h, const struct row *row, ticks now, size_t max)
{
    struct bars *out = calloc(1, sizeof(*out));
    struct build b = { .h = h,
                       .out = out,
                       .max = max,
                       .last = TICKS_NONE,
                       .episode = TICKS_NONE,
                       .rest = TICKS_NONE,
                       .end = TICKS_NONE };

    if (!out)
        return NULL;
    arena_init(&out->arena);
    out->begun = TICKS_NONE;
    out->incomplete = h && h->count > 0 && !h->complete;
    attempts_init(&b.attempts);
    map_init(&b.by_id);
    map_init(&b.groups);
    build(&b, row, now);
    attempts_fini(&b.attempts);
    map_fini(&b.by_id);
    map_fini(&b.groups);
    free(b.pauses);
    free(b.span_of);
    free(b.work);
    return b.err == OK ? out : bars_free(out);
}

struct bars *bars_free(struct bars *b)
{
    if (!b)
        return NULL;
    free(b->bars);
    free(b->spans);
    arena_fini(&b->arena);
    free(b);
    return NULL;
}
