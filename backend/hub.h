/* hub: a task hub behind one interface: what providers implement and everyone else calls.
 * Callers use the checked entry points hub_*(), never the table. A provider is one folder with one
 * struct hub_ops and one row in registry.c; the table grows when hubs learn something, never
 * because a file is added.
 * Ownership: hub_close frees. What functions return is the caller's; what callbacks get is borrowed
 * for the duration of the callback unless it says otherwise.
 * Threads: every function may be called from any number of threads at once.
 * Errors: every function passes on what it meets, with a sentence in the call; the outcomes a
 * caller is expected to handle are named. */
#ifndef BACKEND_HUB_H
#define BACKEND_HUB_H

#include "backend/base/call.h"
#include "backend/block.h"
#include "backend/command.h"
#include "backend/history.h"
#include "backend/instance.h"

enum hub_cap {
    CAP_REWIND = 1 << 0,
    CAP_RESTART = 1 << 1,
    CAP_ENTITIES = 1 << 2,
    CAP_CHANGES = 1 << 3, /* list can answer "changed since" */
    CAP_INSPECT = 1 << 4,
    CAP_REMOVE = 1 << 5,
    CAP_SPANS = 1 << 6, /* many instances, or their histories, at once */
};

enum list_what {
    LIST_INSTANCES, /* ids that do not begin with '@' */
    LIST_ENTITIES,  /* ids that do; deleted and empty ones left out */
    LIST_KEYS,      /* instances, but only id and key are filled (to find deletions) */
};

struct list_query {
    enum list_what what;
    ticks changed_since; /* only rows whose stamp is not older; TICKS_NONE = all */
};

/* Takes over a frozen block (its reference). Blocks come in ascending key order and do not overlap.
 * Anything but OK ends the listing with that error. */
typedef enum err (*hub_emit)(void *ctx, struct block *block);

/* The keys from one to another, both in it. Spans that begin at an entity hold entities, the others
 * none. */
struct key_span {
    struct str from, through;
};
/* Takes over the reference. Anything but OK ends the reading with that error. */
typedef enum err (*hub_emit_instance)(void *ctx, struct instance *in);

/* Instances whose keys ascend, as get gave them. */
struct span_histories {
    struct instance *const *instances;
    size_t count;
    size_t rows_max; /* of one history; the reading ends, with OK, at one that is longer */
};
/* The history of instances[i], each once and in order; takes over the reference. rows: as many as
 * it took to read. */
typedef enum err (*hub_emit_history)(void *ctx, size_t i, struct history *history, size_t rows);

/* Requests and cache-independent figures, by service; all grow only. */
struct hub_stats {
    uint64_t table_requests, queue_requests, blob_requests;
    uint64_t bytes_in, bytes_out;
    uint64_t retries, errors;
    uint64_t latency_ms_total; /* sum over answered requests */
};

struct hub;

struct hub_ops {
    const char *scheme; /* "azure", "demo" */
    unsigned caps;      /* enum hub_cap */

    /* Frees everything. No call is under way. */
    void (*close)(struct hub *hub);
    /* Every row that matches, as blocks, hiding pages and tokens. Complete or an error (R3). */
    enum err (*list)(struct hub *hub, struct call *call, const struct list_query *query,
                     hub_emit emit, void *ctx);
    /* One instance, fresh from the source. key may be "": then it is made from the id.
     * ERR_NOT_FOUND. */
    enum err (*get)(struct hub *hub, struct call *call, struct str id, struct str key,
                    unsigned needs, struct instance **ret);
    /* The events of the current execution; with resolve, payloads kept elsewhere are fetched.
     * An instance that has not begun has an empty history. */
    enum err (*history)(struct hub *hub, struct call *call, const struct instance *in, bool resolve,
                        struct history **ret);
    /* Every instance of a span with its cells, in the order of keys, as get would give each (but
     * for its etag). May be NULL. */
    enum err (*span)(struct hub *hub, struct call *call, const struct key_span *span,
                     hub_emit_instance emit, void *ctx);
    /* The histories of many, as history without resolve gives each. May be NULL. */
    enum err (*histories)(struct hub *hub, struct call *call, const struct span_histories *wanted,
                          hub_emit_history emit, void *ctx);
    /* The payload that a CELL_REF names. ERR_NOT_FOUND: it is gone (old generations). */
    enum err (*payload)(struct hub *hub, struct call *call, struct str ref, struct text **ret);
    /* Sends one command, whose state was checked on `in` just now (NULL for START and SIGNAL, and
     * for those the provider decides itself). ERR_UNKNOWN_OUTCOME: never repeat. */
    enum err (*send)(struct hub *hub, struct call *call, const struct command *cmd,
                     const struct instance *in, struct receipt *ret);
    /* Deletes a finished instance completely, its row last. ERR_BUSY: changed meanwhile. */
    enum err (*purge)(struct hub *hub, struct call *call, const struct instance *in,
                      struct receipt *ret);
    /* Text lines about queues and partition owners (mount layout 7: queues). May be NULL. */
    enum err (*inspect)(struct hub *hub, struct call *call, struct buf *ret);
    /* Deletes the hub itself. May be NULL. */
    enum err (*remove)(struct hub *hub, struct call *call);
    void (*stats)(struct hub *hub, struct hub_stats *ret);
    /* SIGHUP, refresh: forget what was discovered (partition count), read credentials again. May be
     * NULL. */
    void (*forget)(struct hub *hub);
};

/* Embedded first in a provider's own struct. */
struct hub {
    const struct hub_ops *ops;
    char name[128];    /* as the tables spell it */
    char account[128]; /* where it lives, for fsname and messages; no secret */
};

void hub_close(struct hub *hub); /* accepts NULL */
bool hub_can(const struct hub *hub, enum hub_cap cap);
MUST_CHECK enum err hub_list(struct hub *hub, struct call *call, const struct list_query *query,
                             hub_emit emit, void *ctx);
MUST_CHECK enum err hub_get(struct hub *hub, struct call *call, struct str id, struct str key,
                            unsigned needs, struct instance **ret);
MUST_CHECK enum err hub_history(struct hub *hub, struct call *call, const struct instance *in,
                                bool resolve, struct history **ret);
MUST_CHECK enum err hub_span(struct hub *hub, struct call *call, const struct key_span *span,
                             hub_emit_instance emit, void *ctx);
MUST_CHECK enum err hub_histories(struct hub *hub, struct call *call,
                                  const struct span_histories *wanted, hub_emit_history emit,
                                  void *ctx);
MUST_CHECK enum err hub_payload(struct hub *hub, struct call *call, struct str ref,
                                struct text **ret);

/* Validates the command (name, body, limits, ids that the framework refuses: ERR_INVALID), reads
 * the instance afresh, checks its state against the command table, and sends. Nothing was sent
 * unless it returns OK or ERR_UNKNOWN_OUTCOME. ret may be NULL. */
MUST_CHECK enum err hub_send(struct hub *hub, struct call *call, const struct command *cmd,
                             struct receipt *ret);
/* Reads afresh, refuses what is not finished (ERR_BUSY), purges. */
MUST_CHECK enum err hub_purge(struct hub *hub, struct call *call, struct str id, struct str key,
                              struct receipt *ret);
MUST_CHECK enum err hub_inspect(struct hub *hub, struct call *call, struct buf *ret);
MUST_CHECK enum err hub_remove(struct hub *hub, struct call *call);
void hub_stats(struct hub *hub, struct hub_stats *ret);
void hub_forget(struct hub *hub);

#endif
