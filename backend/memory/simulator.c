/* The app that plays in the demo: a table of scripts, one row an orchestrator. A script is a list
 * of steps; a step says what happens and how long after the one before. */
#include <stdio.h>

#include "backend/base/jsonread.h"
#include "backend/base/jsonw.h"
#include "backend/memory/memory_internal.h"

#define MS            (TICKS_PER_SEC / 1000)
#define FIRST_TURN_MS 700 /* a worker polls its queue now and then */
#define OBEY_MS       300

enum act {
    ACT_TASK,      /* an activity is scheduled */
    ACT_TASK_DONE, /* and ends with .text */
    ACT_TASK_FAIL,
    ACT_WAIT,     /* waits for the event named .text; its data is the output */
    ACT_FAN,      /* schedules .n activities */
    ACT_FAN_DONE, /* one of them ends */
    ACT_TURN,     /* starts over as a new generation (ContinueAsNew) */
    ACT_STATUS,   /* sets the custom status to .text */
    ACT_END,      /* Completed with .text, or the input when NULL */
    ACT_FAIL,     /* Failed with .text */
    ACT_STOP
};

struct step {
    enum act act;
    int after_ms;
    const char *text;
    int n;
};

struct script {
    const char *name;
    struct step steps[24];
};

static const char stack[] =
    "{\"ErrorType\":\"System.InvalidOperationException\",\"ErrorMessage\":\"ERR-17: no stock for "
    "A1\","
    "\"StackTrace\":\"   at Shop.ReserveStock(Order order) in /app/Stock.cs:line 42\\n   at "
    "Shop.Run(TaskContext context) in /app/Shop.cs:line 7\",\"InnerFailure\":{\"ErrorType\":"
    "\"System.TimeoutException\",\"ErrorMessage\":\"warehouse did not answer\",\"StackTrace\":\"   "
    "at "
    "Warehouse.Ask(String sku) in /app/Warehouse.cs:line "
    "9\",\"InnerFailure\":null,\"IsNonRetriable\":false},"
    "\"IsNonRetriable\":false}";

static const struct script scripts[] = {
    { .name = "ApprovalFlow",
      .steps = { { ACT_TASK, 0, "AskManager", 0 },
                 { ACT_TASK_DONE, 800, "\"asked\"", 0 },
                 { ACT_STATUS, 0, "{\"waitingFor\":\"Approve\"}", 0 },
                 { ACT_WAIT, 0, "Approve", 0 } } },
    { .name = "EternalLoop",
      .steps = { { ACT_STATUS, 0, "{\"state\":\"polling\"}", 0 },
                 { ACT_TASK, 0, "Poll", 0 },
                 { ACT_TASK_DONE, 2000, "\"nothing new\"", 0 },
                 { ACT_TURN, 3000, NULL, 0 } } },
    { .name = "FanOut",
      .steps = { { ACT_FAN, 0, "ResizePicture", 6 },
                 { ACT_FAN_DONE, 4000, NULL, 0 },
                 { ACT_FAN_DONE, 4000, NULL, 1 },
                 { ACT_FAN_DONE, 4000, NULL, 2 },
                 { ACT_FAN_DONE, 4000, NULL, 3 },
                 { ACT_FAN_DONE, 4000, NULL, 4 },
                 { ACT_FAN_DONE, 4000, NULL, 5 },
                 { ACT_END, 500, "{\"pictures\":6}", 0 } } },
    { .name = "FailingFlow",
      .steps = { { ACT_TASK, 0, "ReserveStock", 0 },
                 { ACT_TASK_FAIL, 600, "ERR-17: no stock for A1", 0 },
                 { ACT_FAIL, 100, "ERR-17: no stock for A1", 0 } } },
    { .name = "OrderFlow", /* also for every other name */
      .steps = { { ACT_TASK, 0, "ReserveStock", 0 },
                 { ACT_TASK_DONE, 900, "{\"reserved\":true}", 0 },
                 { ACT_TASK, 0, "Charge", 0 },
                 { ACT_TASK_DONE, 900, "{\"paid\":true}", 0 },
                 { ACT_END, 100, "{\"ok\":true}", 0 } } },
};

static const struct script *script_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
        if (str_eq(str_c(scripts[i].name), name))
            return &scripts[i];
    return &scripts[ARRAY_LEN(scripts) - 1];
}

void simulate_start(struct record *r, ticks now)
{
    r->script = script_of(text_str(r->name));
    r->step = 0;
    r->due = now + FIRST_TURN_MS * MS;
}

static void begin(struct record *r, ticks now)
{
    if (r->restarted)
        record_forget_run(r);
    r->begun = true;
    r->restarted = false;
    r->status = STATUS_RUNNING;
    record_episode(r, now);
    record_event(r, EVENT_EXECUTION_STARTED, r->created, text_str(r->name), text_str(r->input),
                 STR_NONE, -1);
}

/* The last scheduled task without a completion, or the n-th of a fan-out. */
static int64_t open_task(const struct record *r, int nth)
{
    for (size_t i = 0; i < r->n_events; i++)
        if (r->events[i].type == EVENT_TASK_SCHEDULED) {
            bool done = false;
            for (size_t j = i + 1; j < r->n_events && !done; j++)
                done = (r->events[j].type == EVENT_TASK_COMPLETED ||
                        r->events[j].type == EVENT_TASK_FAILED) &&
                       r->events[j].task_id == r->events[i].event_id;
            if (!done && nth-- <= 0)
                return r->events[i].event_id;
        }
    return 0;
}

static void turn_again(struct record *r, ticks now)
{
    record_forget_run(r);
    r->created = now;
    begin(r, now);
    record_episode_end(r, now);
    r->step = 0;
    r->due = now;
}

/* Each act is one function; the table below maps. A new episode begins for what a worker would be
 * woken by. */
static void act_task(struct record *r, const struct step *s, ticks now)
{
    record_event(r, EVENT_TASK_SCHEDULED, now, str_c(s->text), STR_NONE, STR_NONE, -1);
    record_episode_end(r, now);
}

static void act_task_done(struct record *r, const struct step *s, ticks now)
{
    record_episode(r, now);
    record_event(r, EVENT_TASK_COMPLETED, now, STR_NONE, str_c(s->text), STR_NONE, open_task(r, 0));
}

static void act_task_fail(struct record *r, const struct step *s, ticks now)
{
    record_episode(r, now);
    record_event(r, EVENT_TASK_FAILED, now, STR_NONE, str_c(s->text), str_c(stack),
                 open_task(r, 0));
}

/* An event that came before it was waited for, or during a suspension, is kept until it is. */
static const struct past *event_raised(const struct record *r, struct str event)
{
    for (size_t i = 0; i < r->n_events; i++)
        if (r->events[i].type == EVENT_RAISED && str_eq_nocase(text_str(r->events[i].name), event))
            return &r->events[i];
    return NULL;
}

static bool waits(const struct record *r)
{
    return r->script && r->due == TICKS_NONE && r->step > 0 &&
           r->script->steps[r->step - 1].act == ACT_WAIT && r->status == STATUS_RUNNING;
}

static void go_on_with_event(struct record *r, ticks now)
{
    const struct past *event;

    if (!waits(r) || !(event = event_raised(r, str_c(r->script->steps[r->step - 1].text))))
        return;
    CLEANUP(text_unref) struct text *data = text_ref(event->body);
    record_finish(r, STATUS_COMPLETED, text_str(data), now);
}

static void act_wait(struct record *r, const struct step *s, ticks now)
{
    (void)s;
    r->due = TICKS_NONE;
    go_on_with_event(r, now);
    record_episode_end(r, now);
}

static void act_fan(struct record *r, const struct step *s, ticks now)
{
    for (int i = 0; i < s->n; i++) {
        char input[64];
        snprintf(input, sizeof(input), "{\"picture\":%d}", i);
        record_event(r, EVENT_TASK_SCHEDULED, now, str_c(s->text), str_c(input), STR_NONE, -1);
    }
    record_episode_end(r, now);
}

static void act_fan_done(struct record *r, const struct step *s, ticks now)
{
    char status[64];
    record_episode(r, now);
    record_event(r, EVENT_TASK_COMPLETED, now, STR_NONE, STR("\"resized\""), STR_NONE,
                 open_task(r, 0));
    record_episode_end(r, now);
    snprintf(status, sizeof(status), "{\"done\":%d,\"of\":6}", s->n + 1);
    record_set(&r->custom_status, str_c(status));
}

static void act_turn(struct record *r, const struct step *s, ticks now)
{
    turn_again(r, now);
}

static void act_status(struct record *r, const struct step *s, ticks now)
{
    record_set(&r->custom_status, str_c(s->text));
    r->updated = now;
}

static void act_end(struct record *r, const struct step *s, ticks now)
{
    record_finish(r, STATUS_COMPLETED, s->text ? str_c(s->text) : text_str(r->input), now);
    record_episode_end(r, now);
}

static void act_fail(struct record *r, const struct step *s, ticks now)
{
    record_finish(r, STATUS_FAILED, str_c(s->text), now);
    record_episode_end(r, now);
}

typedef void (*act_fn)(struct record *r, const struct step *s, ticks now);
static const act_fn acts[] = {
    [ACT_TASK] = act_task,
    [ACT_TASK_DONE] = act_task_done,
    [ACT_TASK_FAIL] = act_task_fail,
    [ACT_WAIT] = act_wait,
    [ACT_FAN] = act_fan,
    [ACT_FAN_DONE] = act_fan_done,
    [ACT_TURN] = act_turn,
    [ACT_STATUS] = act_status,
    [ACT_END] = act_end,
    [ACT_FAIL] = act_fail,
};

static void run_step(struct memory *m, struct record *r)
{
    ticks now = r->due;
    if (!r->begun)
        begin(r, now);
    const struct step *s = &r->script->steps[r->step++];
    const struct step *next = s + 1;
    r->due = now + (int64_t)next->after_ms * MS;
    acts[s->act](r, s, now);
    memory_touch(m, r);
}

/* At most this many steps a record in one go: a demo that nobody looked at for a week catches up by
 * skipping, not by living through every round. */
#define STEPS_AT_ONCE 64

void simulate(struct memory *m, ticks now)
{
    size_t i = 0;
    struct str key;
    void *value;
    while (map_next(&m->records, &i, &key, &value)) {
        struct record *r = value;
        if (r->due != TICKS_NONE && now - r->due > 3600 * TICKS_PER_SEC)
            r->due = now - 60 * TICKS_PER_SEC;
        for (int n = 0; n < STEPS_AT_ONCE && r->script && r->due != TICKS_NONE && r->due <= now &&
                        r->status != STATUS_SUSPENDED && !status_is_finished(r->status);
             n++)
            run_step(m, r);
    }
}

static void obey_event(struct record *r, const struct command *cmd, ticks now)
{
    struct str data = cmd->has_data ? cmd->data : STR("null");
    record_episode(r, now);
    record_event(r, EVENT_RAISED, now, cmd->name, data, STR_NONE, -1);
    go_on_with_event(r, now);
    record_episode_end(r, now);
}

static void obey_terminate(struct record *r, const struct command *cmd, ticks now)
{
    record_episode(r, now);
    record_event(r, EVENT_EXECUTION_TERMINATED, now, STR_NONE, cmd->data, STR_NONE, -1);
    record_finish(r, STATUS_TERMINATED, cmd->data, now);
    record_episode_end(r, now);
}

static void obey_switch(struct record *r, const struct command *cmd, ticks now)
{
    bool suspend = cmd->kind == CMD_SUSPEND;
    record_episode(r, now);
    record_event(r, suspend ? EVENT_SUSPENDED : EVENT_RESUMED, now, STR_NONE, cmd->data, STR_NONE,
                 -1);
    r->status = suspend ? STATUS_SUSPENDED : STATUS_RUNNING;
    if (cmd->has_data)
        record_set(&r->output, cmd->data);
    go_on_with_event(r, now);
    record_episode_end(r, now);
    if (!suspend && r->due != TICKS_NONE)
        r->due = now;
}

/* A rewound run tries its failed task again, and this time the stock is there. */
static void obey_rewind(struct record *r, const struct command *cmd, ticks now)
{
    static const struct script again = { .name = "again",
                                         .steps = {
                                             { ACT_TASK, 0, "ReserveStock", 0 },
                                             { ACT_TASK_DONE, 800, "{\"reserved\":true}", 0 },
                                             { ACT_END, 100, "{\"ok\":true}", 0 } } };
    for (size_t i = 0; i < r->n_events; i++) {
        enum event_type t = r->events[i].type;
        if (t == EVENT_TASK_FAILED || t == EVENT_EXECUTION_COMPLETED)
            r->events[i].type = EVENT_GENERIC;
    }
    record_episode(r, now);
    record_event(r, EVENT_GENERIC, now, STR_NONE, cmd->data, STR_NONE, -1);
    r->status = STATUS_PENDING;
    r->rewound = true;
    r->script = &again;
    r->step = 0;
    r->due = now + 1500 * MS;
}

static int64_t counter_of(const struct record *r)
{
    struct arena arena;
    struct entity_state s;
    int64_t n = 0;
    arena_init(&arena);
    entity_state_read(&s, text_str(r->input), text_str(r->custom_status), &arena);
    if (s.has_state)
        (void)str_to_i64(s.state, &n);
    arena_fini(&arena);
    return n;
}

/* Entities of the demo count: add adds its input (or 1), reset begins anew, delete ends it. */
static void obey_signal(struct record *r, const struct command *cmd, ticks now)
{
    int64_t n = counter_of(r), by = 1;
    bool gone = str_eq_nocase(cmd->name, STR("delete"));
    if (cmd->has_data)
        (void)str_to_i64(cmd->data, &by);
    n = str_eq_nocase(cmd->name, STR("reset")) ? 0
        : str_eq_nocase(cmd->name, STR("add")) ? n + by
                                               : n;
    char input[96];
    if (gone)
        snprintf(input, sizeof(input), "{\"sorter\":{}}");
    else
        snprintf(input, sizeof(input), "{\"state\":\"%lld\",\"sorter\":{}}", (long long)n);
    record_set(&r->input, str_c(input));
    record_set(&r->custom_status, gone ? STR("{}") : STR("{\"entityExists\":true}"));
    r->status = STATUS_RUNNING;
    r->begun = true;
    r->created = r->updated = now;
}

void simulate_command(struct memory *m, struct record *r, const struct command *cmd, ticks now)
{
    (void)m;
    if (!r->begun && cmd->kind != CMD_SIGNAL && cmd->kind != CMD_TERMINATE)
        begin(r, now); /* start and message in one batch: the first turn comes first */
    switch (cmd->kind) {
    case CMD_EVENT:
        obey_event(r, cmd, now);
        break;
    case CMD_TERMINATE:
        obey_terminate(r, cmd, now);
        break;
    case CMD_SUSPEND:
    case CMD_RESUME:
        obey_switch(r, cmd, now);
        break;
    case CMD_REWIND:
        obey_rewind(r, cmd, now);
        break;
    case CMD_SIGNAL:
        obey_signal(r, cmd, now);
        break;
    case CMD_RESTART:
    case CMD_START:
    case CMD_PURGE:
    case CMD_COUNT:
        break; /* the hub's own work */
    }
}
