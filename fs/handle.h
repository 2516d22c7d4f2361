/* handle: what is open: files with the bytes they had at open, control files with what was written
 * to them so far, directories with their frozen listing. Holds the limits of L14. Knows content and
 * listings; not how they were made, and nothing of FUSE. Ownership: a handle is closed by
 * handles_close; a reader may be referenced beyond that. Threads: any. Fields marked L are guarded
 * by the table's lock, W by the writer's own. */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include <stdatomic.h>

#include "backend/base/lock.h"
#include "fs/gather.h"
#include "fs/tree.h"
#include "fs/walkers.h"

enum handle_kind { HANDLE_READER, HANDLE_WRITER, HANDLE_LISTER };

struct handle {
    enum handle_kind kind;      /* I */
    node node;                  /* I */
    struct handle *prev, *next; /* L: of all that are open */
};

/* What the kernel may do with pages of the file. */
enum reader_pages {
    PAGES_NONE,  /* direct_io: the bytes are of a moment, or another version is open */
    PAGES_FRESH, /* forget what is cached */
    PAGES_KEEP,  /* the same version as at the previous open */
};

struct reader {
    struct handle h;
    int refs;                  /* L */
    enum reader_pages pages;   /* I */
    bool waits, follows;       /* I */
    uint64_t version;          /* I */
    struct attr attr;          /* L: as of the open; its size grows with text */
    struct text *text;         /* L: NULL until the awaited instance is finished */
    struct reader *older;      /* L: of the same node, opened before */
    atomic_uint_fast64_t seen; /* A: end of the farthest read, for polls (fuse_poll.c) */
    atomic_uint_fast64_t
        taken;               /* A: tree_moved before its bytes were last asked for; 0 = unknown */
    atomic_bool troubled;    /* A: a poll was woken because the hub cannot be asked */
    struct watcher *watcher; /* of the poll that waits; fuse_poll's lock */
};

struct writer {
    struct handle h;
    struct lock lock;     /* of the gather; never held while sending */
    struct gather gather; /* W */
    struct target target; /* I */
    size_t charged;       /* W: bytes of the budget */
    int opener;         /* I: process; its close counts, those of children that inherited do not */
    bool opener_closed; /* W: a descriptor, after something was written */
};

struct lister_handle {
    struct handle h;
    struct lister *lister; /* one request at a time: the kernel holds the file position's lock */
    struct walk *walk;     /* I */
    unsigned lookups_seen; /* as lister: counter of lookups in this directory at the last reply */
    uint64_t opened;       /* I: moment (notify.h) before which its listing was */
    bool wants_attributes; /* as lister: the reader has shown that it looks entries up */
};

struct handles;

struct handles *handles_new(void);
void handles_free(struct handles *hs); /* accepts NULL; everything was closed */

/* ERR_TOO_MANY with a sentence (L14), ERR_NO_MEMORY. On success content's text, target's buffers
 * and the lister are taken over; on failure they stay the caller's. attr gets the exact size. */
MUST_CHECK enum err handles_open_reader(struct handles *hs, struct call *call,
                                        const struct attr *attr, struct content *content,
                                        struct reader **ret);
MUST_CHECK enum err handles_open_writer(struct handles *hs, struct call *call, node file,
                                        struct target *target, bool append, int opener,
                                        struct writer **ret);
MUST_CHECK enum err handles_open_lister(struct handles *hs, struct call *call, node dir,
                                        struct lister *lister, struct walk *walk,
                                        struct lister_handle **ret);
/* The lister's walk is not closed here: that is the caller's, who knows the walkers. */
void handles_close(struct handles *hs, struct handle *h);
/* At the end: the kernel releases nothing any more once the mount is gone. before is called for
 * each. */
void handles_close_all(struct handles *hs, void (*before)(void *ctx, struct handle *h), void *ctx);

/* The newest open of a file: its attributes are what stat answers while it is open (R4). NULL when
 * none has bytes. Ends with handles_unref. */
struct reader *handles_newest(struct handles *hs, node file);
void handles_unref(struct handles *hs, struct reader *r);
/* Puts the open file's size, if there is one, into attributes that are about to be told. */
void handles_override(struct handles *hs, struct attr *attr);

struct text *reader_text(struct handles *hs, struct reader *r); /* a reference; may be NULL */
/* The same, for the kernel's READ. */
struct text *reader_read(struct handles *hs, struct reader *r);
void reader_attr(struct handles *hs, struct reader *r, struct attr *ret);
/* Replaces the bytes with ones that begin with them; nothing happens if others came first.
 * ERR_TOO_MANY: the reader keeps what it had. */
MUST_CHECK enum err reader_replace(struct handles *hs, struct call *call, struct reader *r,
                                   const struct text *old, struct text *text);

/* Room for what is being written, from the same budget as frozen bytes. */
MUST_CHECK enum err handles_charge(struct handles *hs, struct call *call, size_t bytes);
void handles_discharge(struct handles *hs, size_t bytes);

size_t handles_count(struct handles *hs);
size_t handles_frozen(struct handles *hs); /* bytes */

#endif
