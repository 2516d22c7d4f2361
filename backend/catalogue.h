/* catalogue: a hub with a memory: every instance's row, details of those that were looked at, one
 * fetch per key however many ask, and the freshness that mount layout 6 promises.
 * It is a concrete object in front of a struct hub and not a second hub: files ask it questions
 * (snapshots, slots, ages) that no provider can answer.
 * Ownership: owns the hub it is given. Everything returned is referenced for the caller.
 * Threads: any. No lock is held while the hub works. A local call (call.h) gets ERR_WOULD_BLOCK
 * instead of a request or a wait. */
#ifndef BACKEND_CATALOGUE_H
#define BACKEND_CATALOGUE_H

#include "backend/hub.h"
#include "backend/listing.h"

struct catalogue_settings {
    int64_t ttl_ms;           /* --cache-ttl */
    size_t cache_max_bytes;   /* details; --max-memory */
    size_t payload_max_bytes; /* --max-payload */
};

struct catalogue;

struct catalogue *catalogue_new(struct hub *hub, const struct catalogue_settings *settings);
void catalogue_free(struct catalogue *c);       /* ends its threads, closes the hub; accepts NULL */
struct hub *catalogue_hub(struct catalogue *c); /* borrowed: name, account, caps */

/* What the catalogue knew of an instance is not, or may not be, so any more: a reading found
 * another row or none, or a command of ours changed it. For who keeps what was asked here. Told at
 * least when something changed; told for nothing costs that one a look. Only of slots that were
 * given out. */
struct catalogue_news {
    uint32_t slot;   /* 0: of all instances (everything cached was dropped) */
    bool gone;       /* the slot will not come back */
    bool own;        /* a command of ours did it, and who gave it will look */
    ticks created;   /* as it was known; TICKS_NONE = not known */
    struct str name; /* of the orchestrator, and the status unless it is one of enum status; */
    struct str status_text; /* both live to the end of the process; empty = not known */
};
/* Called under the catalogue's lock (so what is asked afterwards is the new state), to take note
 * and no more. */
typedef void (*catalogue_watcher)(void *ctx, const struct catalogue_news *news);
void catalogue_watch(struct catalogue *c, catalogue_watcher watcher, void *ctx); /* NULL = nobody */

/* The listing for a directory that is being opened: at most ttl_ms old (an older one is refreshed
 * first; the period stretches when a refresh takes long). The first one may still be loading: names
 * come as pages arrive. What this mount did itself is in it. what: LIST_INSTANCES or LIST_ENTITIES.
 */
MUST_CHECK enum err catalogue_listing(struct catalogue *c, struct call *call, enum list_what what,
                                      struct listing **ret);
/* The listing as it is, without waiting or asking; NULL if none was ever begun. */
struct listing *catalogue_listing_now(struct catalogue *c, enum list_what what);

/* Is it known that the instance went after this listing of it began? For rows of one that loads:
 * a complete one has learned it. */
bool catalogue_is_gone(struct catalogue *c, struct str id);

/* One row, and whose life it shares: */
struct row_hold {
    struct row row;
    int64_t known_ms;        /* when it was so: clock_now_ms() before it was read */
    struct listing *listing; /* one of the two is set */
    struct instance *instance;
};
void row_hold_fini(struct row_hold *h); /* accepts a zeroed one */

/* The row of an id, no older than max_age_ms if the instance is unfinished (a finished one may be
 * TTL_FINISHED_MS old); INT64_MAX = any age, but an id that is in no cache is asked for (one
 * request; "not there" is believed for a second). ERR_NOT_FOUND. */
MUST_CHECK enum err catalogue_row(struct catalogue *c, struct call *call, struct str id,
                                  int64_t max_age_ms, struct row_hold *ret);

/* What the files of one instance are made of. */
enum part {
    PART_CELLS = 1 << 0, /* instance with NEED_CELLS */
    PART_INPUT = 1 << 1, /* text, resolved */
    PART_OUTPUT = 1 << 2,
    PART_CUSTOM = 1 << 3,
    PART_EVENTS = 1 << 4,  /* history without payloads from elsewhere */
    PART_HISTORY = 1 << 5, /* history, payloads resolved */
};
struct details {
    struct instance *instance;            /* row and cells; always set on success */
    struct text *input, *output, *custom; /* NULL = there is none, or not asked for */
    struct history *history;
};
void details_fini(struct details *d); /* accepts a zeroed one */

/* Fetches what is missing, once for all who ask, and keeps it while the row has not changed.
 * max_age_ms as above. A payload whose blob is gone gives the cell as stored if it was a URL, else
 * ERR_NOT_FOUND with the reason "payload blob missing" (B43). */
MUST_CHECK enum err catalogue_details(struct catalogue *c, struct call *call, struct str id,
                                      unsigned parts, int64_t max_age_ms, struct details *ret);

/* hub_send and hub_purge, and what they change is visible here at once. */
MUST_CHECK enum err catalogue_send(struct catalogue *c, struct call *call,
                                   const struct command *cmd, struct receipt *ret);
MUST_CHECK enum err catalogue_purge(struct catalogue *c, struct call *call, struct str id,
                                    struct receipt *ret);

/* .taskhubfs/refresh, SIGHUP: drops everything cached. */
void catalogue_forget(struct catalogue *c);

struct catalogue_stats {
    uint64_t hits, misses; /* of rows and details */
    uint64_t instances;    /* listed */
    uint64_t by_status[STATUS_COUNT];
    bool listed;                          /* a complete listing is there */
    uint64_t read_ahead, read_ahead_used; /* rows and histories, before anybody asked for them */
    size_t listing_bytes, cache_bytes;
    uint64_t refreshes;
};
void catalogue_stats(struct catalogue *c, struct catalogue_stats *ret);

/* A reading of everything that is under way. */
struct catalogue_load {
    int64_t since_ms; /* clock_now_ms() when it began */
    uint64_t done;    /* rows so far */
    uint64_t of;      /* rows that the listing before it had; 0 = there was none */
};
/* False: nothing of that kind is being read. */
bool catalogue_loading(struct catalogue *c, enum list_what what, struct catalogue_load *ret);

#endif
