/* catalogue_private: the inside of the catalogue, for the files that make it up: catalogue.c (the
 * entry points), entries.c (what was read of single instances), slots.c (numbers), shelf.c (when a
 * listing is read), pass.c (reading it), adopt.c (a pass becomes a listing), rows.c and details.c
 * (one instance), ahead.c, stream.c, windowplan.c and window.c (many, before they are asked for),
 * news.c (who is told of changes).
 * Ownership: see catalogue.h.
 * Threads: every field marked L is under catalogue.lock; *_locked functions are called with it. */
#ifndef BACKEND_CATALOGUE_PRIVATE_H
#define BACKEND_CATALOGUE_PRIVATE_H

#include "backend/ahead.h"
#include "backend/base/lock.h"
#include "backend/base/map.h"
#include "backend/catalogue.h"
#include "backend/flight.h"
#include "backend/worker.h"

#define SWEEP_MS    60000  /* mount layout 6: deletions elsewhere are noticed once a minute */
#define OVERLAP_MS  120000 /* storage tables 10: stamps of different rows are not ordered */
#define STRETCH     10     /* mount layout 6: a tenth of the time at most */
#define REREADS_MAX 16     /* own changes that are read one by one; for more a pass is cheaper */

enum flying { FLY_ROW, FLY_INPUT, FLY_OUTPUT, FLY_CUSTOM, FLY_HISTORY, FLY_PURGE, FLY_KINDS };

/* What was read of one instance, or that it was not there. All L. */
struct entry {
    struct entry *newer, *older; /* order of last use */
    struct entry *next_dirty;
    struct instance *in; /* as last read, with cells; NULL = never, or gone */
    bool gone;           /* as last read */
    seq read;            /* when that reading began; 0 = never */
    int64_t read_ms;     /* the same on the clock */
    seq changed;         /* when we last changed its row: older readings are void */
    seq touched;         /* when we last sent it a message: older readings have no age */
    bool dirty;          /* the listing may not know this yet; stands in its shelf's list */
    uint32_t slot;       /* 0 = not given yet */
    struct text *input, *output, *custom; /* payloads from elsewhere, of in->row.stamp */
    struct history *history;              /* of in->row.stamp */
    bool resolved;                        /* the history's payloads too */
    struct flight *flights[FLY_KINDS];
    unsigned pins;            /* threads that hold on to it */
    struct ahead_place ahead; /* what of it was read ahead */
    size_t bytes;             /* counted in catalogue.bytes */
    size_t id_len;
    char id[];
};

/* The listing of one kind, and how fresh it is. All L but the first two. */
struct shelf {
    struct catalogue *c;     /* I */
    enum list_what what;     /* I */
    struct listing *current; /* complete; NULL = none yet, or forgotten */
    struct listing *next;    /* loading; readers follow it. Only while there is no current one */
    struct listing *rebuilt; /* being built beside the current one; not shown */
    struct listing *before;  /* forgotten, kept until the next is complete: it knows slots */
    seq pass;                /* when the newest pass in `current` (or `next`) began */
    int64_t took_ms;         /* how long a refresh takes */
    ticks seen;              /* largest stamp of any pass */
    int64_t overlap_ms;      /* how far before that the next pass begins */
    struct flight *renewal;  /* whoever leads it may replace `current` */
    struct worker load, sweep;
    int64_t swept_ms, sweep_took_ms;
    struct entry *dirty, *dirty_last; /* a queue */
    size_t n_dirty;                   /* A: changed under the lock */
    bool renew_fully;                 /* something was lost: a pass over everything */
};

struct catalogue {
    struct hub *hub;                    /* I */
    struct catalogue_settings settings; /* I */
    int64_t sweep_ms;                   /* I: SWEEP_MS */
    struct lock lock;
    struct shelf shelves[2];       /* LIST_INSTANCES, LIST_ENTITIES */
    struct map entries;            /* L: id -> struct entry */
    struct entry *newest, *oldest; /* L */
    size_t bytes;                  /* L: of all entries */
    struct map slots;   /* L: id -> number, of ids that no listing has, or has with a dead number */
    uint32_t last_slot; /* L */
    struct map keys;    /* L: id -> struct text, of ids that differ from their key */
    seq clock;          /* L */
    seq lost;           /* L: the last change or message of ours that no entry tells of any more */
    struct ahead ahead; /* L */
    uint64_t hits, misses, refreshes; /* L */
    catalogue_watcher watcher;        /* L; NULL = nobody */
    void *watcher_ctx;                /* L */
};

struct shelf *shelf_of_id(struct catalogue *c, struct str id);

/* -- entries.c -- */
struct entry *entry_find_locked(struct catalogue *c, struct str id); /* NULL; counts as use */
/* Found or new; NULL: memory. */
struct entry *entry_make_locked(struct catalogue *c, struct str id);
struct str entry_id(const struct entry *e);
/* What a reading gave that began at `read`; takes the reference. NULL = not there. */
void entry_learn_locked(struct catalogue *c, struct entry *e, struct instance *in, seq read,
                        int64_t read_ms);
void entry_set_dirty_locked(struct catalogue *c, struct entry *e);
/* The longest waiting, clean now; or NULL. */
struct entry *entry_next_dirty_locked(struct shelf *s);
/* Counts its bytes anew after something was put in. */
void entry_weigh_locked(struct catalogue *c, struct entry *e);
void entries_trim_locked(struct catalogue *c); /* down to the budget */
size_t entries_budget_locked(struct catalogue *c);
/* Gives up what was read of it; what a listing still has to learn stays. Not one that is held. */
void entry_drop_locked(struct catalogue *c, struct entry *e);
bool entry_is_held(const struct entry *e); /* threads work on it */
void entries_forget_locked(struct catalogue *c);
void entries_free(struct catalogue *c);
/* The same row, unchanged? Then what was fetched for one is good for the other. */
bool same_version(const struct instance *a, const struct instance *b);

/* -- slots.c -- */
uint32_t slot_of_locked(struct catalogue *c, struct str id);    /* its number, perhaps a new one */
uint32_t slot_known_locked(struct catalogue *c, struct str id); /* 0: it has none */
void slot_retire_locked(struct catalogue *c, struct str id);  /* gone: the next life has another */
void slot_settled_locked(struct catalogue *c, struct str id); /* the listing has it now */
void slots_settled_locked(struct catalogue *c, struct listing *l); /* ... for whatever l has */
struct str key_of_locked(struct catalogue *c, struct str id); /* as far as we know, else the id */
MUST_CHECK enum err key_learn_locked(struct catalogue *c, struct str id, struct str key);
/* Gives every row of a block its number; carry walks the listing that had them before. */
struct carry {
    struct listing *from; /* complete, or NULL */
    uint64_t cursor;
    struct row row;
    bool more;
};
void carry_begin(struct carry *carry, struct listing *from);
void carry_step(struct carry *carry);
MUST_CHECK enum err slots_give_locked(struct catalogue *c, struct carry *carry, struct block *b);

/* -- shelf.c -- */
/* The current row of a listed id; false: not listed. */
bool shelf_find_locked(struct catalogue *c, struct str id, struct listing **ret_listing,
                       struct row *ret);
MUST_CHECK enum err shelf_open(struct shelf *s, struct call *call, struct listing **ret);
void shelf_forget_locked(struct shelf *s);
void shelf_end(struct shelf *s); /* ends its threads; without the lock */
void shelf_fini(struct shelf *s);

/* -- news.c -- */
/* Before a reading replaces what an entry says; in NULL = it is not there. */
void news_read_locked(struct catalogue *c, const struct entry *e, const struct instance *in);
/* By a command of ours; before what is known of it is replaced. */
void news_changed_locked(struct catalogue *c, struct str id, bool gone);
void news_slot_locked(struct catalogue *c, uint32_t slot);
void news_row_locked(struct catalogue *c, const struct row *row, bool gone);
void news_all_locked(struct catalogue *c);
/* What differs between two complete listings; old may be NULL. Takes the lock itself. */
void news_between(struct catalogue *c, struct listing *old, struct listing *now);

/* -- pass.c: one reading of many rows; gathered by one thread -- */
struct pass {
    struct shelf *shelf;
    struct call *call;
    seq begun;
    int64_t begun_ms;
    struct listing *base; /* the current listing when it began; NULL = none */
    struct listing *full; /* a pass over everything: the listing it builds */
    struct carry carry;
    struct block **blocks; /* a pass over changes: ascending */
    size_t n_blocks, cap_blocks;
    bool reads_rows;  /* its rows are the truth of when it began; false: keys only, or nothing */
    struct row *gone; /* rows of base that the keys no longer have */
    size_t n_gone, cap_gone;
    ticks seen; /* largest stamp */
};
void pass_begin(struct pass *p, struct shelf *s, struct call *call); /* takes the lock itself */
void pass_fini(struct pass *p);
MUST_CHECK enum err pass_read_all(struct pass *p, struct listing *into);
MUST_CHECK enum err pass_read_changes(struct pass *p, ticks since);
MUST_CHECK enum err pass_read_keys(struct pass *p);

/* -- adopt.c -- */
/* Makes the shelf's current listing out of what the pass found and of what is dirty. The caller
 * leads the renewal. */
MUST_CHECK enum err pass_adopt(struct pass *p);

/* -- rows.c -- */
/* The instance itself, with cells, as fresh as catalogue_row promises; *ret_asked: it took a
 * request. */
MUST_CHECK enum err instance_fetch(struct catalogue *c, struct call *call, struct str id,
                                   int64_t max_age_ms, struct instance **ret, bool *ret_asked);
/* What was read ahead is looked for, too: catalogue.h's catalogue_details only. */
MUST_CHECK enum err instance_fetch_walking(struct catalogue *c, struct call *call, struct str id,
                                           int64_t max_age_ms, struct instance **ret,
                                           bool *ret_asked);
/* Leads the work named, or waits for who does; then *ret_mine is NULL and OK means: look again. */
MUST_CHECK enum err entry_lead_locked(struct catalogue *c, struct entry *e, enum flying what,
                                      struct call *call, struct flight **ret_mine);
void entry_land_locked(struct catalogue *c, struct entry *e, enum flying what, struct flight *mine,
                       enum err err, const struct call *call);
void count_use_locked(struct catalogue *c, bool asked);

/* -- details.c -- */
/* A history, read without its payloads after the row `in` was; takes the reference. False: the
 * entry has moved on, or has one. */
bool entry_learn_history_locked(struct catalogue *c, struct entry *e, const struct instance *in,
                                struct history *h);

#endif
