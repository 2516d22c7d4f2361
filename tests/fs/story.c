#include "tests/fs/story.h"

#include <stdlib.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

ticks at(double seconds)
{
    ticks t = 0;

    must(ticks_parse(STR("2026-11-24T09:00:00Z"), &t));
    return t + (ticks)(seconds * TICKS_PER_SEC);
}

void story_init(struct story *s)
{
    *s = (struct story){ .h = history_new() };
    must(s->h);
    s->h->complete = true;
    s->row = (struct row){ .id = STR("flow-1"),
                           .name = STR("Flow"),
                           .status = STATUS_RUNNING,
                           .status_text = STR("Running"),
                           .created = at(0),
                           .updated = at(0),
                           .completed = TICKS_NONE,
                           .scheduled = TICKS_NONE };
}

void story_fini(struct story *s)
{
    s->h = history_unref(s->h);
}

int story_setup(void **state)
{
    story_init(*state);
    return 0;
}

int story_teardown(void **state)
{
    story_fini(*state);
    return 0;
}

struct event *told(struct story *s, enum event_type type, double seconds)
{
    struct event *e = history_add(s->h);

    must(e);
    e->type = type;
    e->type_name = str_c(event_type_name(type));
    e->time = at(seconds);
    return e;
}

void turn(struct story *s, double seconds)
{
    (void)told(s, EVENT_ORCHESTRATOR_STARTED, seconds);
}

void rest(struct story *s, double seconds)
{
    (void)told(s, EVENT_ORCHESTRATOR_COMPLETED, seconds);
}

void begins(struct story *s, double seconds)
{
    turn(s, seconds);
    told(s, EVENT_EXECUTION_STARTED, 0)->name = STR("Flow");
}

int64_t decides(struct story *s, enum event_type type, double seconds, const char *name)
{
    struct event *e = told(s, type, seconds);

    e->event_id = s->next_id++;
    e->name = str_c(name);
    return e->event_id;
}

void comes(struct story *s, enum event_type type, double seconds, int64_t id)
{
    told(s, type, seconds)->task_id = id;
}

void fails(struct story *s, enum event_type type, double seconds, int64_t id, const char *reason)
{
    struct event *e = told(s, type, seconds);

    e->task_id = id;
    e->reason = (struct cell){ .kind = CELL_TEXT, .text = str_c(reason) };
}

int64_t sets_timer(struct story *s, double seconds, double due)
{
    int64_t id = decides(s, EVENT_TIMER_CREATED, seconds, NULL);

    s->h->events[s->h->count - 1].fire_at = at(due);
    return id;
}

void ends(struct story *s, double seconds, const char *status)
{
    struct event *e = told(s, EVENT_EXECUTION_COMPLETED, seconds);

    e->event_id = s->next_id++;
    e->orchestration_status = str_c(status);
    rest(s, seconds);
    s->row.status_text = str_c(status);
    s->row.status = status_parse(s->row.status_text);
    s->row.completed = at(seconds);
}

struct bars *story_bars(struct story *s, double now, size_t max)
{
    must(history_link(s->h) == OK);
    return bars_new(s->h, &s->row, at(now), max);
}

#define EVIL "<b>&\"'\x01\x1b[31m\n\r\t\x7f\xff\xef\xbf\xbf]]>-->%%:;#{}"

void tells_evil(struct story *s)
{
    struct event *e;

    begins(s, 0);
    s->h->events[s->h->count - 1].name = STR(EVIL);
    s->row.id = STR(EVIL);
    s->row.status_text = STR(EVIL);
    s->row.status = STATUS_UNKNOWN;
    decides(s, EVENT_TASK_SCHEDULED, 0, EVIL);
    decides(s, EVENT_SUB_CREATED, 0, EVIL);
    s->h->events[s->h->count - 1].instance_id = STR(EVIL);
    e = told(s, EVENT_SENT, 0);
    e->name = e->instance_id = STR(EVIL);
    rest(s, 0);
    turn(s, 4);
    told(s, EVENT_RAISED, 3)->name = STR(EVIL);
    fails(s, EVENT_TASK_FAILED, 3, 0, EVIL);
    rest(s, 4);
}

void tells_tasks(struct story *s, int n)
{
    static const char *const names[] = { "Resize", "Upload",
                                         "注文処理アクティビティとても長い名前" };

    begins(s, 0);
    for (int i = 0; i < n; i++)
        decides(s, EVENT_TASK_SCHEDULED, 0, names[i % 3]);
    rest(s, 0);
    for (int i = 0; i < n; i++) {
        turn(s, i + 1);
        if (i % 50 == 7)
            fails(s, EVENT_TASK_FAILED, i + 1, i, "no");
        else
            comes(s, EVENT_TASK_COMPLETED, i + 1, i);
        rest(s, i + 1);
    }
    ends(s, n + 1, "Completed");
}
