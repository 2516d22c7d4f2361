/* fakehub: a scripted hub for the tests of fs/: instances are put in by hand, commands are
 * remembered, and every request is counted.
 * Ownership: the catalogue that gets the hub closes it; strings given to it are copied.
 * Threads: any; one lock. */
#ifndef TESTS_FS_FAKEHUB_H
#define TESTS_FS_FAKEHUB_H

#include "backend/hub.h"

#define FAKE_EVENTS_MAX 64

struct fake_instance {
    char *id, *name, *version, *status;
    char *input, *output, *custom, *tags; /* NULL = none */
    ticks created, updated, completed, scheduled, stamp;
    int64_t generation;
    enum phase phase;                     /* while Pending; PHASE_NONE = waits for its first turn */
    struct event events[FAKE_EVENTS_MAX]; /* text is constant */
    size_t n_events;
};

struct fakehub {
    struct hub hub;
    struct lock *lock_;
    struct fake_instance **instances;
    size_t count, cap;
    ticks now; /* of the next stamp */
    unsigned lists, gets, histories, sends, purges;
    enum err fail_send; /* what the next send answers */
    struct {
        enum command_kind kind;
        char id[512], name[512], data[4096];
        bool has_data;
    } last;
};

struct fakehub *fakehub_new(void);
/* Created at 2026-11-24T09:00:00Z, updated seven seconds later. */
struct fake_instance *fakehub_add(struct fakehub *f, const char *id, const char *name,
                                  enum status status);
struct fake_instance *fakehub_find(struct fakehub *f, const char *id);
void fakehub_remove(struct fakehub *f, const char *id);
void fake_set(char **field, const char *text);
void fakehub_touch(struct fakehub *f, struct fake_instance *in); /* its row was written */
/* Moves an instance on; a finished one gets its CompletedTime. */
void fakehub_set_status(struct fakehub *f, struct fake_instance *in, enum status status);
/* Appends an event at `second` of 2026-11-24T09:00; fill the rest in. */
struct event *fake_event(struct fake_instance *in, enum event_type type, int second);
void fake_cell(struct cell *cell, const char *text);
unsigned fakehub_requests(const struct fakehub *f); /* all that only read */

#endif
