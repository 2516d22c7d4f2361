/* ahead: details of many instances, read before they are asked for.
 * Who reads instance after instance in the order of the listing (grep -r, tar, find -size) pays one
 * request each, so after AHEAD_BEGIN of them a window is begun: a span of keys, whole pages of rows
 * or histories, read by a thread of ours into entries, as if each had been asked for by itself.
 * While the reader follows, windows grow and are begun ahead of him; a reader whose instance lies
 * in one that is under way waits for it. A single cat, and walks that look at names, begin nothing.
 * Whatever goes wrong with a window, or takes too long, readers ask by themselves, as without it.
 * Knows streams (somebody who walks; stream.c) and windows (windowplan.c, window.c).
 * Ownership: a part of the catalogue.
 * Threads: everything under the catalogue's lock, but for what window.c does with one window. No
 * timers: what is left over goes when memory is wanted. */
#ifndef BACKEND_AHEAD_H
#define BACKEND_AHEAD_H

#include "backend/base/buf.h"
#include "backend/base/limits.h"
#include "backend/flight.h"
#include "backend/hub.h"
#include "backend/listing.h"
#include "backend/worker.h"

#define AHEAD_BEGIN        3    /* instances in a row that were asked for make a walk */
#define AHEAD_NEAR         128  /* rows of the listing between two of them, at most */
#define AHEAD_LEAP         6    /* more than twice the usual distance and this is a leap */
#define AHEAD_SPARSE       32   /* and on average: a page must be cheaper than single reads */
#define AHEAD_FIRST        16   /* rows of the first window; then GROWTH times as many */
#define AHEAD_GROWTH       8    /* ... */
#define AHEAD_ROWS         960  /* of the listing; new ones may have come, and it is still a page */
#define AHEAD_LONG         2000 /* rows of a history that is left to whoever asks for it */
#define AHEAD_MIX          256  /* rows of histories read for one that is wanted, on average */
#define AHEAD_SIDE         3    /* windows of histories that are begun ahead of the reader */
#define AHEAD_STREAMS      16   /* walks that are told apart */
#define AHEAD_WINDOWS      16   /* under way */
#define AHEAD_THREADS      8
#define AHEAD_MAX_BYTES    (16 * MIB) /* read and not yet used; a quarter of --max-memory at most */
#define AHEAD_IDLE_MS      5000       /* who reads nothing for so long has ended his walk */
#define AHEAD_PAUSE_MS     5000       /* nothing is begun for so long after a window failed */
#define AHEAD_PATIENCE_MS  5000       /* a window without progress is not waited for any longer */
#define AHEAD_BYTES_EACH   4096       /* of an entry, until one was seen */
#define AHEAD_PORTION      32         /* rows that are learned at a time */
#define AHEAD_STREAM_BYTES 4096       /* of a key */

struct catalogue;
struct entry;

/* Order of what happened, finer than milliseconds: a reading that began after a change knows it. */
typedef uint64_t seq;

enum ahead_kind { AHEAD_CELLS, AHEAD_HISTORIES, AHEAD_KINDS };

/* In an entry: who read it ahead, until it is used. */
struct ahead_place {
    struct entry *newer, *older; /* of those that are unused */
    struct ahead_mark {
        uint32_t stream; /* number; 0 = not read ahead, or used */
        uint32_t at;     /* rows of the listing from where the stream began */
        bool seen;       /* by somebody who did not ask for it */
    } marks[AHEAD_KINDS];
    bool long_history; /* AHEAD_LONG: not to be read with others */
};

/* Somebody who walks along the listing. */
struct stream {
    uint32_t number; /* 0 = none */
    enum ahead_kind kind;
    struct shelf *shelf;
    struct buf last;  /* key of what was wanted last */
    struct buf until; /* the last key that windows were begun for; "" = none */
    uint32_t at;      /* rows from where it began to last */
    uint32_t asked;   /* ... to what somebody asked for, and did not only see */
    uint32_t begun;   /* ... to until */
    uint32_t count;   /* instances wanted of span rows */
    uint32_t span;
    uint32_t size; /* rows of the newest window */
    uint32_t stay; /* rows to go before the next window is thought of again */
    int64_t used_ms, window_ms;
    size_t bytes_each, rows_each; /* of what was read */
    enum status status;           /* of all that were wanted so far, unless they are mixed */
    bool mixed;
};

/* A span being read. */
struct window {
    struct window *next; /* L */
    struct catalogue *c; /* I */
    uint32_t stream;     /* I */
    enum ahead_kind kind;
    struct shelf *shelf;                     /* I */
    struct buf from, through;                /* keys; L: from moves up as rows come */
    bool moved;                              /* L: from was read, what is behind it not yet */
    bool taken;                              /* L: a thread has it */
    bool late;                               /* L: nothing came of it for AHEAD_PATIENCE_MS */
    seq begun;                               /* I */
    int64_t begun_ms;                        /* I */
    uint32_t at;                             /* T: of the next row */
    bool only;                               /* I: of one status, the others are dropped */
    enum status status;                      /* I */
    size_t bytes_wanted;                     /* L: room that is kept for what is to come */
    struct flight *flight;                   /* L: for those who wait; NULL = nobody does */
    size_t count;                            /* I: of instances */
    struct instance **instances;             /* I: whose histories */
    uint32_t *ats;                           /* I: their places */
    struct instance *portion[AHEAD_PORTION]; /* T: rows that were not learned yet */
    size_t in_portion;
    struct call *call;           /* T */
    size_t learned, bytes, rows; /* T: what came */
    bool stopped;                /* T: for want of room */
};

struct ahead {
    struct stream streams[AHEAD_STREAMS];
    uint32_t last_stream;
    struct window *windows; /* the oldest first */
    unsigned n_windows;
    struct ahead_worker {
        struct worker worker;
        struct catalogue *c;
    } workers[AHEAD_THREADS];
    struct entry *newest, *oldest; /* unused */
    size_t bytes;                  /* of these */
    int64_t paused_until_ms;
    bool ended;
    uint64_t read, used; /* for stats */
};

void ahead_init(struct ahead *a);
void ahead_fini(struct ahead *a);
void ahead_end(struct catalogue *c); /* ends its threads; without the lock */

/* -- ahead.c: for who reads details -- */

/* One reader's wait for one thing. */
struct ahead_wait {
    seq since; /* 0 = has not asked yet */
};
/* Something is not there. *ret_again: it was being read with others, perhaps because of this very
 * look: look again. Else it has to be asked for. Errors are the call's own. */
MUST_CHECK enum err ahead_await_locked(struct catalogue *c, struct call *call, struct str id,
                                       enum ahead_kind kind, struct ahead_wait *wait,
                                       bool *ret_again);
/* Something is there. */
void ahead_hit_locked(struct catalogue *c, const struct call *call, struct entry *e,
                      enum ahead_kind kind);

/* -- for entries.c -- */
bool ahead_is_unused(const struct entry *e);
/* It is no longer something that waits to be used. */
void ahead_leave_locked(struct catalogue *c, struct entry *e);

/* -- for window.c -- */
void ahead_mark_locked(struct catalogue *c, struct entry *e, enum ahead_kind kind, uint32_t stream,
                       uint32_t at);
struct stream *ahead_stream_locked(struct catalogue *c, uint32_t number); /* NULL: forgotten */
size_t ahead_share_locked(struct catalogue *c); /* bytes that may be unused */

/* How many more of that size there is room for. What nobody comes for any more gives way. */
size_t ahead_room_locked(struct catalogue *c, size_t each, size_t wanted);
bool ahead_set(struct buf *b, struct str s); /* false: no memory */

/* -- stream.c -- */
bool stream_is_walking(const struct stream *s, int64_t now_ms);
bool stream_is_sparse(const struct stream *s); /* every second row or less is wanted */
/* Is reading everything cheaper than what is wanted one by one? */
bool stream_pays(const struct stream *s);
void stream_count(struct stream *s,
                  uint32_t rows); /* one more is wanted, so many rows further on */
void stream_note_status(struct stream *s, struct listing *l, struct str key);
/* The stream that comes from closest before the key, or a new one; NULL: it has been there, which
 * tells nothing. *ret_rows: from its last. */
struct stream *stream_follow_locked(struct catalogue *c, struct listing *l, struct shelf *shelf,
                                    enum ahead_kind kind, struct str key, uint32_t *ret_rows);

/* -- windowplan.c -- */
/* Begins the next window if there is reason and room: from the row that was missed (must), or on
 * from where the windows end. */
void ahead_begin_locked(struct catalogue *c, struct stream *s, struct listing *l, bool must);
uint32_t window_size_max(const struct stream *s); /* rows of the listing that fill a page */

/* -- window.c -- */
struct window *window_new(struct catalogue *c, const struct stream *s);
void window_free(struct window *w); /* also of one that was never begun */
/* Takes over the window: a thread reads it. False: there is no thread, and it is freed. */
bool window_begin_locked(struct window *w);
/* One of that kind that is under way, begun before `before`, and still to read that key; or NULL.
 */
struct window *window_of_locked(struct catalogue *c, const struct shelf *shelf, struct str key,
                                enum ahead_kind kind, seq before);

#endif
