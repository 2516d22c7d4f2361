/* memory_internal: the memory hub's inside, shared by its files: the hub (memory.c, span.c), what
 * it holds (records.c), the app that plays (simulator.c) and the first instances (seed.c).
 * Ownership: the hub owns its records. Threads: everything here under memory->lock. */
#ifndef BACKEND_MEMORY_MEMORY_INTERNAL_H
#define BACKEND_MEMORY_MEMORY_INTERNAL_H

#include "backend/base/lock.h"
#include "backend/base/map.h"
#include "backend/hub.h"
#include "backend/memory/record.h"

struct memory {
    struct hub hub; /* first */
    struct lock lock;
    struct map records;      /* L: id -> struct record */
    ticks last_stamp;        /* L: stamps rise with every change */
    bool simulate;           /* I */
    struct hub_stats counts; /* L: requests, as a storage provider would count them */
};

static inline struct memory *memory_of(struct hub *hub)
{
    return (struct memory *)hub;
}

/* records.c */
struct record *memory_find(struct memory *m, struct str id);
/* Adds a record (takes it over); NULL and freed when memory is short. */
struct record *memory_add(struct memory *m, struct record *r);
void memory_remove(struct memory *m, struct record *r);
ticks memory_tick(struct memory *m); /* time passes when somebody looks; it is returned */
void memory_touch(struct memory *m, struct record *r); /* a new stamp */

/* span.c: many at once; contracts in hub.h. */
MUST_CHECK enum err memory_span(struct hub *hub, struct call *call, const struct key_span *span,
                                hub_emit_instance emit, void *ctx);
MUST_CHECK enum err memory_histories(struct hub *hub, struct call *call,
                                     const struct span_histories *wanted, hub_emit_history emit,
                                     void *ctx);

/* simulator.c: lets everything happen that is due by now. No thread: called before each operation,
 * so that an idle demo costs nothing. */
void simulate(struct memory *m, ticks now);
/* Chooses how an orchestrator of this name behaves, and when its first turn is. */
void simulate_start(struct record *r, ticks now);
/* A command arrived (already checked against the command table). */
void simulate_command(struct memory *m, struct record *r, const struct command *cmd, ticks now);

void seed_demo(struct memory *m, ticks now);

#endif
