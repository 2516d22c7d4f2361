#include "fs/bars_build.h"
#include "fs/reason.h"

static ticks time_of(const struct build *b, const struct event *e)
{
    return e->time != TICKS_NONE ? e->time : b->last;
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
    struct bar *bar = build_counted(b, kind, e->name);
    struct work *work = NULL;

    if (bar && kind != BAR_TIMER)
        b->err = attempts_work(&b->attempts, kind, e, &work);
    if (!bar || b->err != OK)
        return;
    b->work[i] = work;
    if (!b->out->grouped) {
        bar->target = e->instance_id;
        bar->planned = planned(b, e);
        bar->attempt = work_tried(work);
    }
    b->span_of[i] = build_span(b, (size_t)(bar - b->out->bars), time_of(b, e), STILL_OPEN,
                               kind == BAR_TIMER ? SPAN_WAITING : SPAN_RUNNING);
    remember_id(b, i);
}

static void fail_span(struct build *b, size_t span, const struct event *e, struct work *work)
{
    struct bar *bar = &b->out->bars[b->out->spans[span].bar];

    b->out->spans[span].failed = true;
    bar->failed++;
    if (b->out->grouped)
        return;
    bar->note = reason_of(e, &b->out->arena);
    work_failed(work, bar->attempt);
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
        fail_span(b, span - 1, e, decision >= 0 ? b->work[decision] : NULL);
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
    struct bar *bar = build_counted(b, kind, e->name);
    ticks at = time_of(b, e);
    size_t span;

    if (!bar)
        return;
    if (!b->out->grouped)
        bar->target = e->instance_id;
    span = build_span(b, (size_t)(bar - b->out->bars), from < at ? from : at, at, SPAN_WAITING);
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

static void on_episode_end(struct build *b, size_t i)
{
    if (b->episode != TICKS_NONE)
        build_episode(b, time_of(b, &b->h->events[i]));
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
    fail_span(b, span - 1, e, b->work[decision - 1]);
    if (b->h->events[decision - 1].type != EVENT_GENERIC)
        b->span_of[decision - 1] = build_span(b, s->bar, s->to, STILL_OPEN, SPAN_WAITING);
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

void bars_walk(struct build *b)
{
    for (size_t i = 0; b->h && b->err == OK && i < b->h->count; i++) {
        const struct event *e = &b->h->events[i];

        if (e->time != TICKS_NONE)
            b->last = later(b->last, e->time);
        if (handlers[e->type])
            handlers[e->type](b, i);
    }
}
