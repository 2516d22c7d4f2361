/* bars_build: bars while they grow. bars.c prepares, bars_walk.c adds event by event, bars_finish.c
 * ends what is open and gives every bar its spans in one piece; until then they lie as they were
 * found, each with its bar's number.
 * Ownership: bars_new's, for its call. Threads: private to one thread.
 * Errors: the first one stays in err, and bars_new gives up. */
#ifndef FS_BARS_BUILD_H
#define FS_BARS_BUILD_H

#include "fs/attempts.h"

#define STILL_OPEN TICKS_NONE /* as the end of a span, until the end is known */

struct pause {
    ticks at;
    bool on;
};

struct build {
    const struct history *h; /* NULL = none */
    struct bars *out;        /* its first bar is the orchestrator's */
    size_t max, cap_bars, cap_spans;
    size_t *span_of;    /* of each event that is a decision, + 1; 0 = none */
    struct work **work; /* of each decision */
    struct attempts attempts;
    struct map by_id;  /* decision id -> event + 1, only where a rewind was */
    struct map groups; /* kind and name -> bar + 1 */
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

static inline ticks later(ticks a, ticks b)
{
    return a > b ? a : b;
}

/* -- bars_build.c; NULL or 0 without memory -- */

struct bar *build_bar(struct build *b, enum bar_kind kind, struct str name);
/* Counted; where bars are grouped, the one that stands for all of a kind and name. */
struct bar *build_counted(struct build *b, enum bar_kind kind, struct str name);
/* Returns its number + 1. */
size_t build_span(struct build *b, size_t bar, ticks from, ticks to, enum span_look look);
void close_span(struct span *s, ticks to);     /* not before it began */
void build_episode(struct build *b, ticks to); /* the one under way, which ends then */

/* -- the steps -- */

void bars_walk(struct build *b);
void bars_finish(struct build *b, const struct row *row, ticks now);

#endif
