/* fake_hub: a hub in a few arrays that counts what it is asked and can be told to wait or to fail.
 * For tests of the catalogue: it knows nothing of tables, and its clock of stamps is a counter.
 * Ownership: fake_hub_new; hub_close (by the catalogue) frees it.
 * Threads: any. */
#ifndef TESTS_BACKEND_FAKE_HUB_H
#define TESTS_BACKEND_FAKE_HUB_H

#include "backend/base/lock.h"
#include "backend/hub.h"

#define FAKE_STEP TICKS_PER_SEC /* between two stamps */

struct fake_row {
    char id[64], key[64], name[64];
    enum status status;
    ticks created, stamp;
    char custom[64];
    char output_ref[64]; /* "" = output is inline */
    bool there;
};

struct fake_hub {
    struct hub hub;
    struct lock lock;
    struct cond changed;
    struct fake_row *rows; /* ascending by key */
    size_t count, cap, page;
    ticks now;
    /* what was asked */
    unsigned gets, lists, changes, keys, histories, payloads, sends, purges, forgets;
    unsigned spans, span_rows, many_histories; /* requests; rows sent by spans; requests */
    unsigned waiting;                          /* calls that stand at the gate */
    unsigned rows_sent;                        /* by lists */
    ticks last_since;
    /* what to do */
    bool gate;          /* requests wait until it opens (or their call ends) */
    bool gate_many;     /* ... those for many instances do */
    unsigned gate_page; /* lists wait before this page (1 = the second); 0 = never */
    enum err fail;      /* every request fails like this */
    enum err fail_many; /* spans and histories of many do */
    size_t long_rows;   /* of the history of ids that begin with long- */
    char last_from[64], last_through[64]; /* of a span */
    enum err fail_payload, fail_send;
    bool payload_missing;
};

struct fake_hub *fake_hub_new(unsigned caps);
/* Inserts or changes; a new stamp each time. key NULL = id. */
void fake_put(struct fake_hub *f, const char *id, const char *key, enum status status);
void fake_set_name(struct fake_hub *f, const char *id, const char *name);
void fake_set_custom(struct fake_hub *f, const char *id, const char *custom);
void fake_set_output_ref(struct fake_hub *f, const char *id, const char *ref);
void fake_del(struct fake_hub *f, const char *id);
void fake_gate(struct fake_hub *f, bool closed);
void fake_wait_for(struct fake_hub *f, unsigned waiting); /* until so many stand at the gate */
unsigned fake_asked(struct fake_hub *f, const unsigned *counter);
void fake_fail(struct fake_hub *f, enum err err);

#endif
