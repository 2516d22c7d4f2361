/* history: the events of an instance's current execution, in order.
 * Knows events and which completion belongs to which decision; not rows, files or pictures.
 * Ownership: immutable, shared by reference count; owns its arena.
 * Threads: any, after it was built by one. Format: storage tables 5. */
#ifndef BACKEND_HISTORY_H
#define BACKEND_HISTORY_H

#include "backend/instance.h"

/* The framework's numbers (storage tables 5.3). */
enum event_type {
    EVENT_EXECUTION_STARTED = 0,
    EVENT_EXECUTION_COMPLETED = 1,
    EVENT_EXECUTION_FAILED = 2,
    EVENT_EXECUTION_TERMINATED = 3,
    EVENT_TASK_SCHEDULED = 4,
    EVENT_TASK_COMPLETED = 5,
    EVENT_TASK_FAILED = 6,
    EVENT_SUB_CREATED = 7,
    EVENT_SUB_COMPLETED = 8,
    EVENT_SUB_FAILED = 9,
    EVENT_TIMER_CREATED = 10,
    EVENT_TIMER_FIRED = 11,
    EVENT_ORCHESTRATOR_STARTED = 12,
    EVENT_ORCHESTRATOR_COMPLETED = 13,
    EVENT_SENT = 14,
    EVENT_RAISED = 15,
    EVENT_CONTINUE_AS_NEW = 16,
    EVENT_GENERIC = 17,
    EVENT_HISTORY_STATE = 18,
    EVENT_SUSPENDED = 19,
    EVENT_RESUMED = 20,
    EVENT_REWOUND = 21,
    EVENT_UNKNOWN = 22, /* type_name keeps the text */
    EVENT_TYPE_COUNT
};

const char *event_type_name(enum event_type t); /* "ExecutionStarted" ... */
enum event_type event_type_parse(struct str name);

struct event {
    enum event_type type;
    struct str type_name; /* as stored */
    int64_t event_id;     /* -1 for incoming events */
    int64_t task_id;      /* TaskScheduledId or TimerId; -1 = none */
    ticks time;           /* _Timestamp; TICKS_NONE = unreadable */
    ticks fire_at;        /* timers; TICKS_NONE = none */
    struct str name, version;
    struct str instance_id;          /* child or target, unescaped */
    struct str parent;               /* ParentInstance JSON; the text null is "" */
    struct str orchestration_status; /* of ExecutionCompleted */
    struct str data;                 /* of GenericEvent */
    struct cell input, result, reason, details, failure_details, tags;
    /* The row as stored, a JSON object, with payloads that were resolved put in place of their
     * cells and without the provider's key columns: what history.jsonl prints. */
    struct str json;
};

struct history_links;

struct history {
    int refs; /* A */
    struct arena arena;
    struct event *events;
    size_t count;
    struct str execution_id;
    bool complete; /* false: a checkpoint is under way or died (IsCheckpointComplete) */
    bool resolved; /* payloads that lay elsewhere were fetched */
    struct history_links *links; /* by history_link */
};

struct history *history_new(void);
struct history *history_ref(struct history *h);
struct history *history_unref(struct history *h);
DEFINE_CLEANUP(struct history, history_unref)
/* Appends a zeroed event (ids -1, times none); NULL without memory. Pointers given before may move.
 */
struct event *history_add(struct history *h);

/* Index of the decision that events[i] completes (task, sub-orchestration, timer), or -1. Linear
 * work over the whole history is done once: history_link fills what history_decision answers. */
MUST_CHECK enum err history_link(struct history *h);
ptrdiff_t history_decision(const struct history *h, size_t i);
/* Of a decision; first wins; -1 = open. */
ptrdiff_t history_completion(const struct history *h, size_t i);

/* The parent's instance id from the ExecutionStarted event ("" = none); text in the arena. */
struct str history_parent(const struct history *h, struct arena *arena);

#endif
