#include "fs/bars.h"

#include <stdlib.h>

#include "backend/base/map.h"
#include "fs/reason.h"

/* Work of the same name and input, to tell a second attempt from a first. */
struct tries {
    unsigned last;      /* attempt that failed last */
    unsigned unretried; /* failures that nothing followed yet */
};

struct pause {
    ticks at;
    bool on;
};

struct build {
    const struct history *h;
    struct bars *out;
    size_t max, cap_bars, cap_spans;
    size_t *span_of;      /* of each event that is a decision, + 1; 0 = none */
    struct tries **tries; /* of each decision */
    struct map by_work;   /* struct tries */
    struct map by_id;     /* decision id -> event + 1, only where a rewind was */
    struct map groups;    /* kind and name -> bar + 1 */
    struct pause *pauses;
    size_t n_pauses;
    ticks last;    /* newest readable moment */
    ticks episode; /* its start; TICKS_NONE: none is under way */
    ticks rest;    /* end of the last one */
    ticks end;     /* of the run; TICKS_NONE = not ended */
    bool failing;  /* the episode under way decided to fail */
    bool rewound;
    enum err err;
};

static ticks later(ticks a, ticks b)
{
    return a > b ? a : b;
}

/* -- rows and spans -- */

static bool grow(struct build *b, void **p, size_t *cap, size_t count, size_t size)
{
    size_t more = *cap ? *cap * 2 : 64;
    void *grown;

    if (count < *cap)
        return true;
    grown = reallocarray(*p, more, size);
    if (!grown) {
        b->err = ERR_NO_MEMORY;
        return false;
    }
    *p = grown;
    *cap = more;
    return true;
}

static struct bar *add_bar(struct build *b, enum bar_kind kind, struct str name)
{
    struct bars *out = b->out;
    struct bar *bar;

    if (!grow(b, (void **)&out->bars, &b->cap_bars, out->count, sizeof(*out->bars)))
        return NULL;
    bar = &out->bars[out->count++];
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
    if (!add_bar(b, kind, name))
        return NULL;
    b->err = map_set(&b->groups, buf_str(&key), (void *)(uintptr_t)b->out->count);
    return b->err == OK ? &b->out->bars[b->out->count - 1] : NULL;
}

static struct bar *bar_for(struct build *b, enum bar_kind kind, struct str name)
{
    struct bar *bar = b->out->grouped ? group_bar(b, kind, name) : add_bar(b, kind, name);

    b->out->of_kind[kind]++;
    if (bar)
        bar->count++;
    return bar;
}

/* Returns its number + 1, or 0 without memory. */
static size_t add_span(struct build *b, size_t bar, ticks from, ticks to, enum span_look look)
{
    struct bars *out = b->out;

    if (!grow(b, (void **)&out->spans, &b->cap_spans, out->n_spans, sizeof(*out->spans)))
        return 0;
    out->spans[out->n_spans++] = (struct span){ .from = from, .to = to, .look = look, .bar = bar };
    return out->n_spans;
}

#define STILL_OPEN TICKS_NONE /* as the end of a span, until the end is known */

static void close_span(struct span *s, ticks to)
{
    s->to = later(s->from, to);
}

static ticks time_of(const struct build *b, const struct event *e)
{
    return e->time != TICKS_NONE ? e->time : b->last;
}

/* -- attempts -- */

static struct tries *tries_of(struct build *b, enum bar_kind kind, const struct event *e)
{
    CLEANUP_BUF struct buf key = BUF_INIT(SIZE_MAX);
    struct tries *t;

    buf_add_ch(&key, (char)('a' + kind));
    buf_add(&key, e->name);
    buf_add_ch(&key, '\0');
    /* Inputs in blobs have a name of their own each time. */
    if (e->input.kind == CELL_TEXT)
        buf_add(&key, e->input.text);
    t = map_get(&b->by_work, buf_str(&key));
    if (t || b->err != OK)
        return t;
    t = arena_alloc(&b->out->arena, sizeof(*t));
    b->err = t ? map_set(&b->by_work, buf_str(&key), t) : ERR_NO_MEMORY;
    return b->err == OK ? t : NULL;
}

static unsigned next_attempt(struct tries *t)
{
    if (!t || t->unretried == 0)
        return 1;
    t->unretried--;
    return t->last + 1;
}

static void note_failure(struct tries *t, unsigned attempt)
{
    if (!t)
        return;
    t->last = attempt;
    t->unretried++;
}

/* -- decisions and what they come to -- */

static struct str id_key(const int64_t *id)
{
    return (struct str){ (const char *)id, sizeof(*id) };
}

/* A rewound completion is no completion to history_decision: it names its decision by the id. */
static void remember_id(struct build *b, size_t i)
{
    const int64_t *id = &b->h->events[i].event_id;

    if (b->rewound && b->err == OK)
        b->err = map_set(&b->by_id, id_key(id), (void *)(uintptr_t)(i + 1));
}

/* Orchestrators count from the moment at which their turn began. */
static ticks planned(const struct build *b, const struct event *e)
{
    ticks from = b->episode != TICKS_NONE ? b->episode : time_of(b, e);

    return e->fire_at != TICKS_NONE ? e->fire_at - from : TICKS_NONE;
}

static void begin_task(struct build *b, size_t i, enum bar_kind kind)
{
    const struct event *e = &b->h->events[i];
    struct tries *tries = kind == BAR_TIMER ? NULL : tries_of(b, kind, e);
    struct bar *bar = bar_for(b, kind, e->name);

    if (!bar)
        return;
    b->tries[i] = tries;
    if (!b->out->grouped) {
        bar->target = e->instance_id;
        bar->planned = planned(b, e);
        bar->attempt = next_attempt(tries);
    }
    b->span_of[i] = add_span(b, (size_t)(bar - b->out->bars), time_of(b, e), STILL_OPEN,
                             kind == BAR_TIMER ? SPAN_WAITING : SPAN_RUNNING);
    remember_id(b, i);
}

static void fail_span(struct build *b, size_t span, const struct event *e, struct tries *tries)
{
    struct bar *bar = &b->out->bars[b->out->spans[span].bar];

    b->out->spans[span].failed = true;
    bar->failed++;
    if (b->out->grouped)
        return;
    bar->note = reason_of(e, &b->out->arena);
    note_failure(tries, bar->attempt);
}

static void end_task(struct build *b, size_t i, bool failed)
{
    const struct event *e = &b->h->events[i];
    ptrdiff_t decision = history_decision(b->h, i);
    size_t span = decision >= 0 ? b->span_of[decision] : 0;

    if (span == 0 || b->out->spans[span - 1].to != STILL_OPEN)
        return; /* a second completion: the first counts */
    close_span(&b->out->spans[span - 1], time_of(b, e));
    if (failed)
        fail_span(b, span - 1, e, decision >= 0 ? b->tries[decision] : NULL);
}

static void on_task(struct build *b, size_t i)
{
    begin_task(b, i, BAR_ACTIVITY);
}

static void on_sub(struct build *b, size_t i)
{
    begin_task(b, i, BAR_SUB);
}

static void on_timer(struct build *b, size_t i)
{
    begin_task(b, i, BAR_TIMER);
}

static void on_completed(struct build *b, size_t i)
{
    end_task(b, i, false);
}

static void on_failed(struct build *b, size_t i)
{
    end_task(b, i, true);
}

static void on_fired(struct build *b, size_t i)
{
    const struct event *e = &b->h->events[i];
    ptrdiff_t decision = history_decision(b->h, i);
    size_t span = decision >= 0 ? b->span_of[decision] : 0;
    ticks due = e->fire_at, woken = b->episode != TICKS_NONE ? b->episode : time_of(b, e);

    if (span == 0 || b->out->spans[span - 1].to != STILL_OPEN)
        return;
    close_span(&b->out->spans[span - 1], due != TICKS_NONE && due < woken ? due : woken);
}

/* -- events -- */

static void add_point(struct build *b, const struct event *e, enum bar_kind kind, ticks from)
{
    struct bar *bar = bar_for(b, kind, e->name);
    ticks at = time_of(b, e);
    size_t span;

    if (!bar)
        return;
    if (!b->out->grouped)
        bar->target = e->instance_id;
    span = add_span(b, (size_t)(bar - b->out->bars), from < at ? from : at, at, SPAN_WAITING);
    (void)span;
}

static void on_raised(struct build *b, size_t i)
{
    const struct event *e = &b->h->events[i];

    add_point(b, e, BAR_EVENT, b->rest != TICKS_NONE ? b->rest : time_of(b, e));
}

static void on_sent(struct build *b, size_t i)
{
    add_point(b, &b->h->events[i], BAR_SENT, time_of(b, &b->h->events[i]));
}

/* -- the orchestrator -- */

static void on_started(struct build *b, size_t i)
{
    const struct event *e = &b->h->events[i];
    struct bar *run = &b->out->bars[0];

    if (e->name.len > 0)
        run->name = e->name;
    if (e->time != TICKS_NONE)
        run->from = e->time;
}

static void on_episode(struct build *b, size_t i)
{
    b->episode = time_of(b, &b->h->events[i]);
    if (b->out->begun == TICKS_NONE)
        b->out->begun = b->episode;
    b->failing = false;
}

static void end_episode(struct build *b, ticks at)
{
    size_t span = add_span(b, 0, b->episode, later(b->episode, at), SPAN_RUNNING);

    if (span > 0)
        b->out->spans[span - 1].failed = b->failing;
    b->rest = later(b->episode, at);
    b->episode = TICKS_NONE;
}

static void on_episode_end(struct build *b, size_t i)
{
    if (b->episode != TICKS_NONE)
        end_episode(b, time_of(b, &b->h->events[i]));
}

static void on_end(struct build *b, size_t i)
{
    const struct event *e = &b->h->events[i];
    struct bar *run = &b->out->bars[0];
    enum status status = status_parse(e->orchestration_status);

    b->end = time_of(b, e);
    if (e->type == EVENT_EXECUTION_FAILED || status == STATUS_FAILED) {
        b->failing = true;
        run->state = BAR_FAILED;
        run->note = reason_of(e, &b->out->arena);
        if (run->note.len == 0)
            run->note = e->result.text;
    } else if (status == STATUS_TERMINATED || status == STATUS_CANCELED) {
        run->state = BAR_DROPPED;
        run->note = e->result.text;
    }
}

static void on_pause(struct build *b, size_t i)
{
    const struct event *e = &b->h->events[i];

    b->pauses[b->n_pauses++] = (struct pause){ time_of(b, e), e->type == EVENT_SUSPENDED };
}

/* -- what a rewind left (storage tables 11.2) -- */

static void rewound_decision(struct build *b, size_t i)
{
    const struct event *e = &b->h->events[i];

    begin_task(b, i, e->instance_id.len > 0 ? BAR_SUB : BAR_ACTIVITY);
    if (b->err == OK && !b->out->grouped)
        b->out->bars[b->out->count - 1].state = BAR_REWOUND;
}

/* The bar ends here in a failure; that of a child goes on: it is the child that runs again, and
 * this history does not know when. */
static void rewound_failure(struct build *b, size_t i)
{
    const struct event *e = &b->h->events[i];
    size_t decision = (size_t)(uintptr_t)map_get(&b->by_id, id_key(&e->task_id));
    size_t span = decision > 0 ? b->span_of[decision - 1] : 0;
    struct span *s = span > 0 ? &b->out->spans[span - 1] : NULL;

    if (!s || s->to != STILL_OPEN)
        return;
    close_span(s, time_of(b, e));
    fail_span(b, span - 1, e, b->tries[decision - 1]);
    if (b->h->events[decision - 1].type != EVENT_GENERIC)
        b->span_of[decision - 1] = add_span(b, s->bar, s->to, STILL_OPEN, SPAN_WAITING);
}

static void on_generic(struct build *b, size_t i)
{
    const struct event *e = &b->h->events[i];

    if (e->event_id >= 0 && e->orchestration_status.len > 0)
        b->failing = true; /* the end that was taken back */
    else if (e->event_id >= 0 && e->name.len > 0)
        rewound_decision(b, i);
    else if (e->task_id >= 0)
        rewound_failure(b, i);
}

/* -- all of it -- */

static void (*const handlers[EVENT_TYPE_COUNT])(struct build *b, size_t i) = {
    [EVENT_EXECUTION_STARTED] = on_started,
    [EVENT_EXECUTION_COMPLETED] = on_end,
    [EVENT_EXECUTION_FAILED] = on_end,
    [EVENT_TASK_SCHEDULED] = on_task,
    [EVENT_TASK_COMPLETED] = on_completed,
    [EVENT_TASK_FAILED] = on_failed,
    [EVENT_SUB_CREATED] = on_sub,
    [EVENT_SUB_COMPLETED] = on_completed,
    [EVENT_SUB_FAILED] = on_failed,
    [EVENT_TIMER_CREATED] = on_timer,
    [EVENT_TIMER_FIRED] = on_fired,
    [EVENT_ORCHESTRATOR_STARTED] = on_episode,
    [EVENT_ORCHESTRATOR_COMPLETED] = on_episode_end,
    [EVENT_SENT] = on_sent,
    [EVENT_RAISED] = on_raised,
    [EVENT_GENERIC] = on_generic,
    [EVENT_SUSPENDED] = on_pause,
    [EVENT_RESUMED] = on_pause,
};

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
    b->tries = calloc(b->h ? b->h->count + 1 : 1, sizeof(struct tries *));
    if (!b->pauses || !b->span_of || !b->tries)
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

static void walk(struct build *b)
{
    for (size_t i = 0; b->h && b->err == OK && i < b->h->count; i++) {
        const struct event *e = &b->h->events[i];

        if (e->time != TICKS_NONE)
            b->last = later(b->last, e->time);
        if (handlers[e->type])
            handlers[e->type](b, i);
    }
}

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
            (void)add_span(b, 0, since, later(since, at), SPAN_SUSPENDED);
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
    bar = add_bar(b, BAR_EVENT, STR_NONE);
    if (!bar)
        return;
    bar->count = 1;
    (void)add_span(b, b->out->count - 1, b->rest, STILL_OPEN, SPAN_WAITING);
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

static void finish(struct build *b, const struct row *row, ticks now)
{
    ticks end = end_of(b, row, now);

    add_awaited(b);
    if (b->episode != TICKS_NONE)
        end_episode(b, end);
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

static void build(struct build *b, const struct row *row, ticks now)
{
    struct bar *run = add_bar(b, BAR_RUN, row->name);

    survey(b);
    if (!run || b->err != OK)
        return;
    b->last = first_time(b, row, now);
    run->count = 1;
    run->from = row->created != TICKS_NONE ? row->created : b->last;
    walk(b);
    if (b->err == OK)
        finish(b, row, now);
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
    map_init(&b.by_work);
    map_init(&b.by_id);
    map_init(&b.groups);
    build(&b, row, now);
    map_fini(&b.by_work);
    map_fini(&b.by_id);
    map_fini(&b.groups);
    free(b.pauses);
    free(b.span_of);
    free(b.tries);
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
