#include "backend/history.h"

#include <stdlib.h>

#include "backend/base/jsonread.h"

static const char *const type_names[EVENT_TYPE_COUNT] = {
    [EVENT_EXECUTION_STARTED] = "ExecutionStarted",
    [EVENT_EXECUTION_COMPLETED] = "ExecutionCompleted",
    [EVENT_EXECUTION_FAILED] = "ExecutionFailed",
    [EVENT_EXECUTION_TERMINATED] = "ExecutionTerminated",
    [EVENT_TASK_SCHEDULED] = "TaskScheduled",
    [EVENT_TASK_COMPLETED] = "TaskCompleted",
    [EVENT_TASK_FAILED] = "TaskFailed",
    [EVENT_SUB_CREATED] = "SubOrchestrationInstanceCreated",
    [EVENT_SUB_COMPLETED] = "SubOrchestrationInstanceCompleted",
    [EVENT_SUB_FAILED] = "SubOrchestrationInstanceFailed",
    [EVENT_TIMER_CREATED] = "TimerCreated",
    [EVENT_TIMER_FIRED] = "TimerFired",
    [EVENT_ORCHESTRATOR_STARTED] = "OrchestratorStarted",
    [EVENT_ORCHESTRATOR_COMPLETED] = "OrchestratorCompleted",
    [EVENT_SENT] = "EventSent",
    [EVENT_RAISED] = "EventRaised",
    [EVENT_CONTINUE_AS_NEW] = "ContinueAsNew",
    [EVENT_GENERIC] = "GenericEvent",
    [EVENT_HISTORY_STATE] = "HistoryState",
    [EVENT_SUSPENDED] = "ExecutionSuspended",
    [EVENT_RESUMED] = "ExecutionResumed",
    [EVENT_REWOUND] = "ExecutionRewound",
    [EVENT_UNKNOWN] = "Unknown",
};

const char *event_type_name(enum event_type t)
{
    return (unsigned)t < EVENT_TYPE_COUNT ? type_names[t] : type_names[EVENT_UNKNOWN];
}

enum event_type event_type_parse(struct str name)
{
    for (int t = 0; t < EVENT_UNKNOWN; t++)
        if (str_eq(name, str_c(type_names[t])))
            return (enum event_type)t;
    return EVENT_UNKNOWN;
}

struct history *history_new(void)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->refs = 1;
    arena_init(&h->arena);
    return h;
}

struct history *history_ref(struct history *h)
{
    if (h)
        __atomic_add_fetch(&h->refs, 1, __ATOMIC_RELAXED);
    return h;
}

struct history *history_unref(struct history *h)
{
    if (h && __atomic_sub_fetch(&h->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        free(h->links);
        free(h->events);
        arena_fini(&h->arena);
        free(h);
    }
    return NULL;
}

#define EVENTS_FIRST 16 /* then doubled, so the room follows from the count alone */

static bool history_is_full(const struct history *h)
{
    if (h->count < EVENTS_FIRST)
        return h->count == 0;
    return (h->count & (h->count - 1)) == 0;
}

struct event *history_add(struct history *h)
{
    if (history_is_full(h)) {
        size_t cap = h->count ? h->count * 2 : EVENTS_FIRST;
        struct event *grown = reallocarray(h->events, cap, sizeof *grown);
        if (!grown)
            return NULL;
        h->events = grown;
    }
    struct event *e = &h->events[h->count++];
    *e = (struct event){
        .type = EVENT_UNKNOWN,
        .event_id = -1,
        .task_id = -1,
        .time = TICKS_NONE,
        .fire_at = TICKS_NONE,
    };
    return e;
}

/* -- which completion belongs to which decision (storage tables 5.5) -- */

struct history_links {
    size_t count;
    ptrdiff_t
        other[]; /* of a completion its decision, of a decision its first completion; -1 none */
};

/* The decision's type for both sides of a pair, or EVENT_UNKNOWN for events that are neither. */
static enum event_type family(enum event_type t, bool *ret_is_decision)
{
    *ret_is_decision =
        t == EVENT_TASK_SCHEDULED || t == EVENT_SUB_CREATED || t == EVENT_TIMER_CREATED;
    if (t == EVENT_TASK_SCHEDULED || t == EVENT_TASK_COMPLETED || t == EVENT_TASK_FAILED)
        return EVENT_TASK_SCHEDULED;
    if (t == EVENT_SUB_CREATED || t == EVENT_SUB_COMPLETED || t == EVENT_SUB_FAILED)
        return EVENT_SUB_CREATED;
    if (t == EVENT_TIMER_CREATED || t == EVENT_TIMER_FIRED)
        return EVENT_TIMER_CREATED;
    return EVENT_UNKNOWN;
}

struct decision {
    enum event_type family;
    int64_t id;
    size_t at;
};

static int decision_cmp(const void *pa, const void *pb)
{
    const struct decision *a = pa, *b = pb;
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static size_t collect_decisions(const struct history *h, struct decision *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++) {
        bool is_decision;
        enum event_type f = family(h->events[i].type, &is_decision);
        if (f != EVENT_UNKNOWN && is_decision)
            ret[n++] = (struct decision){ f, h->events[i].event_id, i };
    }
    qsort(ret, n, sizeof *ret, decision_cmp);
    return n;
}

/* The last decision of that id before the completion: after a rewind the same id is scheduled
 * again. Damaged histories may have the decision behind its completion: then the first one there.
 */
static ptrdiff_t find_decision(const struct decision *d, size_t n, const struct decision *want)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (decision_cmp(&d[mid], want) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo > 0 && d[lo - 1].family == want->family && d[lo - 1].id == want->id)
        return (ptrdiff_t)d[lo - 1].at;
    if (lo < n && d[lo].family == want->family && d[lo].id == want->id)
        return (ptrdiff_t)d[lo].at;
    return -1;
}

enum err history_link(struct history *h)
{
    struct history_links *links = malloc(sizeof *links + h->count * sizeof links->other[0]);
    struct decision *decisions = malloc((h->count + 1) * sizeof *decisions);
    if (!links || !decisions) {
        free(links);
        free(decisions);
        return ERR_NO_MEMORY;
    }
    links->count = h->count;
    for (size_t i = 0; i < h->count; i++)
        links->other[i] = -1;

    size_t n = collect_decisions(h, decisions);
    for (size_t i = 0; i < h->count; i++) {
        bool is_decision;
        struct decision want = { family(h->events[i].type, &is_decision), h->events[i].task_id, i };
        if (want.family == EVENT_UNKNOWN || is_decision)
            continue;
        ptrdiff_t at = find_decision(decisions, n, &want);
        links->other[i] = at;
        if (at >= 0 && links->other[at] < 0)
            links->other[at] = (ptrdiff_t)i;
    }
    free(decisions);
    free(h->links);
    h->links = links;
    return OK;
}

static ptrdiff_t linked(const struct history *h, size_t i, bool want_decision)
{
    if (i >= h->count || !h->links || i >= h->links->count)
        return -1;
    bool is_decision;
    if (family(h->events[i].type, &is_decision) == EVENT_UNKNOWN || is_decision == want_decision)
        return -1;
    return h->links->other[i];
}

ptrdiff_t history_decision(const struct history *h, size_t i)
{
    return linked(h, i, true);
}

ptrdiff_t history_completion(const struct history *h, size_t i)
{
    return linked(h, i, false);
}

/* -- the parent -- */

static struct str read_instance_id(struct jsonread *r)
{
    struct str id = STR_NONE, name;
    if (!jsonread_object(r)) {
        jsonread_skip(r);
        return id;
    }
    while (jsonread_member(r, &name)) {
        if (!id.p && str_eq(name, STR("InstanceId")))
            (void)jsonread_string(r, &id);
        else
            jsonread_skip(r);
    }
    return id;
}

static struct str parse_parent(struct str json, struct arena *arena)
{
    struct jsonread r;
    jsonread_init(&r, json, arena);
    struct str id = STR_NONE, name;
    if (!jsonread_object(&r))
        return STR_NONE;
    while (jsonread_member(&r, &name)) {
        if (!id.p && str_eq(name, STR("OrchestrationInstance")))
            id = read_instance_id(&r);
        else
            jsonread_skip(&r);
    }
    return jsonread_ok(&r) ? id : STR_NONE;
}

struct str history_parent(const struct history *h, struct arena *arena)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->events[i].type == EVENT_EXECUTION_STARTED)
            return h->events[i].parent.len ? parse_parent(h->events[i].parent, arena) : STR_NONE;
    return STR_NONE;
}
