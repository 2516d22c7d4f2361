/* record: one instance of the memory hub, with its events, changed in place under the hub's lock.
 * Knows what an instance is made of; not who changes it, nor when.
 * Ownership: record_new/record_free; texts are references of the record's own.
 * Threads: guarded by the hub's lock (RANK_HUB). */
#ifndef BACKEND_MEMORY_RECORD_H
#define BACKEND_MEMORY_RECORD_H

#include "backend/history.h"

/* An event, as the record keeps it. Which member a type uses is said by past_types in record.c. */
struct past {
    enum event_type type;
    ticks time, fire_at;
    int64_t event_id, task_id; /* -1 = none */
    struct text *name, *body, *extra;
};

struct record {
    struct text *id, *name, *version, *execution_id;
    struct text *input, *output, *custom_status;
    struct text *parent; /* id of the parent instance; NULL = top level */
    enum status status;
    ticks created, updated, completed, scheduled, stamp;
    int64_t generation;
    bool begun;     /* the current execution has had its first turn */
    bool restarted; /* Pending over the history of an older run */
    bool rewound;
    struct past *events;
    size_t n_events, cap_events;
    int64_t next_decision; /* EventId of the next decision */
    /* The simulator's: */
    const struct script *script;
    int step;
    ticks due; /* of the next step; TICKS_NONE = waits for a command */
};

struct record *record_new(struct str id, struct str name,
                          ticks now);                    /* Pending; NULL without memory */
void record_free(struct record *r);                      /* accepts NULL */
void record_set(struct text **member, struct str value); /* "" = NULL */
void record_forget_run(
    struct record *r); /* events, output, custom status, completion: for a restart */

/* Appends an event; decisions (tasks, children, timers, completion) get the next EventId, which is
 * returned; -1 otherwise. Memory running out drops the event (a demo). */
int64_t record_event(struct record *r, enum event_type type, ticks now, struct str name,
                     struct str body, struct str extra, int64_t task_id);
void record_episode(struct record *r, ticks now);     /* OrchestratorStarted */
void record_episode_end(struct record *r, ticks now); /* OrchestratorCompleted; sets updated */
void record_finish(struct record *r, enum status status, struct str output, ticks now);

/* As the hub's value types. The row borrows from the record. */
void record_row(const struct record *r, struct row *ret);
struct instance *record_instance(const struct record *r, ticks now); /* NULL without memory */
struct history *record_history(const struct record *r, bool resolve);

/* A payload above this many bytes is kept "elsewhere": its cell is a reference, as in storage. */
#define RECORD_INLINE_BYTES 61440

#endif
