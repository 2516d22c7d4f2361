/* bars: an instance's history as what is drawn: a bar for the orchestrator and one for each
 * activity, sub-orchestration, timer, external event and sent event.
 * Knows which part of a bar was running and which waiting; not how either looks.
 * Ownership: bars_free frees; names are borrowed from history and row, which have to live longer.
 * Threads: private to one thread. Errors: NULL = no memory.
 *
 * What the history does not say outright (storage tables 5):
 * - an activity or sub-orchestration runs from the moment it was scheduled;
 * - TimerFired carries the moment the timer was made: a timer ends when it was due, or when the
 *   orchestrator was woken for it, whatever came first;
 * - nobody records since when an event was awaited: it waits since the orchestrator last came to
 *   rest, and is a point when it arrived before that;
 * - a rewind leaves GenericEvent rows where failures stood (11.2). */
#ifndef FS_BARS_H
#define FS_BARS_H

#include "backend/history.h"

#define BARS_MAX 5000 /* L18: above it bars of the same kind and name become one */

enum bar_kind { BAR_RUN, BAR_ACTIVITY, BAR_SUB, BAR_TIMER, BAR_EVENT, BAR_SENT, BAR_KINDS };

enum bar_state {
    BAR_DONE,
    BAR_FAILED,
    BAR_OPEN,    /* not finished: ends now */
    BAR_DROPPED, /* the instance ended first, or was terminated */
    BAR_REWOUND, /* failed; a rewind took that back */
};

enum span_look { SPAN_WAITING, SPAN_SUSPENDED, SPAN_RUNNING };

/* Between two spans the orchestrator waits; other bars are blank there. */
struct span {
    ticks from, to; /* to >= from */
    enum span_look look;
    bool failed; /* it ended in a failure */
    size_t bar;
};

struct bar {
    enum bar_kind kind;
    enum bar_state state;
    struct str name;   /* orchestrator, activity, event; a timer has none */
    struct str target; /* id of the child, or of who gets a sent event */
    struct str note;   /* why it failed; "" = not told */
    unsigned attempt;  /* 1; more when the same work failed before */
    size_t count;      /* how many it stands for: 1 unless grouped */
    size_t failed;     /* of these */
    ticks from, to;
    ticks planned; /* how long a timer was meant to run, TICKS_NONE = unknown, or grouped */
    const struct span *spans; /* in the order of their beginnings, unless grouped */
    size_t n_spans;
};

struct bars {
    struct bar *bars; /* the first is the orchestrator; then as they began */
    size_t count;
    struct span *spans;
    size_t n_spans;
    ticks from, to; /* all of it */
    ticks begun;    /* first turn; TICKS_NONE = has not begun */
    bool open;      /* grows: to is the moment that was passed as now */
    bool grouped;
    bool incomplete; /* a checkpoint is under way: the last events may be missing */
    size_t of_kind[BAR_KINDS];
    struct arena arena;
};

/* now: where unfinished bars end, unless an event is younger. history may be NULL or empty. */
struct bars *bars_new(const struct history *h, const struct row *row, ticks now, size_t max);
struct bars *bars_free(struct bars *b); /* accepts NULL and returns it */
DEFINE_CLEANUP(struct bars, bars_free)

#endif
