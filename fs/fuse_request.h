/* fuse_request: one operation of the kernel on its way: first run with a local call in the thread
 * that read it; if that would block, run again from the start in the callers' pool with a real
 * call, which an interrupt cancels. Replies happen in one place, failures are recorded there once.
 * Knows libfuse's requests; not what an operation does.
 * Ownership: a request lives on the worker's stack, or, handed over, in memory of its own until it
 * replied.
 * Threads: one at a time works with a request; the interrupt function may come from any other. */
#ifndef FS_FUSE_REQUEST_H
#define FS_FUSE_REQUEST_H

#include <fuse_lowlevel.h>

#include "fs/callers.h"
#include "fs/detours.h"
#include "fs/forest.h"
#include "fs/handle.h"
#include "fs/notify.h"
#include "fs/options.h"
#include "fs/park.h"

#define LOOKUP_COUNTERS 4096 /* shared by all directories; a collision only misleads a guess */

/* What every operation needs; one a mount. */
struct mount {
    struct forest *forest;                /* I */
    struct failures *failures;            /* I */
    struct handles *handles;              /* I */
    struct walkers *walkers;              /* I */
    struct detours *detours;              /* I */
    struct callers *callers;              /* I */
    struct park *park;                    /* I */
    struct polled *polled;                /* I */
    struct notify *notify;                /* I */
    struct fuse_session *session;         /* I */
    const struct options *options;        /* I */
    atomic_uint lookups[LOOKUP_COUNTERS]; /* A: seen in the directory with this hash */
};

enum reply_kind {
    REPLY_DONE,    /* nothing to tell but success */
    REPLY_ENTRY,   /* attr */
    REPLY_ABSENT,  /* a name that is not there, to be believed for negative_ms */
    REPLY_ATTR,    /* attr */
    REPLY_OPEN,    /* fi */
    REPLY_CREATE,  /* attr, fi */
    REPLY_TEXT,    /* the slice of text at offset, at most size bytes */
    REPLY_BYTES,   /* used bytes of buffer */
    REPLY_WRITTEN, /* size */
    REPLY_STATFS,  /* statfs */
    REPLY_POLL,    /* events */
    REPLY_DETOUR,  /* not now: come again by way of the directories above (detours.h) */
    REPLY_LATER    /* the request is to be parked (only handed-over ones) */
};

struct reply {
    enum reply_kind kind;
    struct attr attr;
    int64_t negative_ms;
    bool opened;       /* OPEN, CREATE: fi.fh holds a handle that was made for it */
    struct text *text; /* a reference */
    char *buffer;      /* freed after the reply */
    size_t used;
    struct statvfs statfs;
    unsigned events; /* of poll(2) */
};

struct request;

struct op {
    const char *name;                   /* as .taskhubfs/errors calls it */
    enum err (*run)(struct request *r); /* from the start each time; fills r->reply on OK */
    void (*drop)(struct request *r);    /* undoes what the first run left; NULL = nothing */
    bool patient;                       /* the limit is on time without progress (L6) */
};

struct request {
    fuse_req_t req;
    struct mount *mount;
    const struct op *op;
    struct call call;
    int process_tid; /* of the caller, as the kernel tells it; 0 = not visible here */
    uint32_t uid;
    node node;
    notify_moment began;
    const char *name; /* of a child; NULL = none. Copied when handed over */
    struct str data;  /* WRITE, before it was gathered; not there after handing over */
    size_t size;
    uint64_t offset;
    struct fuse_file_info fi;
    struct fuse_pollhandle *ph; /* POLL: to be told later; NULL = only now. Never handed over */
    bool came_back;             /* RMDIR: it has been on a detour, or cannot go on one */
    bool gathered; /* WRITE, FLUSH: the bytes are in the handle, what is left is to send */
    struct reply reply;
    struct job job;       /* when handed over */
    struct ticket ticket; /* when parked */
    bool handed_over;
    enum err outcome; /* of the run in the pool */
};

/* Begins an operation: fill what it needs in r, then request_run. */
void request_init(struct request *r, fuse_req_t req, const struct op *op, node n, const char *name);
void request_run(struct request *r);

static inline struct str request_name(const struct request *r)
{
    return str_c(r->name);
}

/* The counter of lookups in a directory. */
atomic_uint *mount_lookups(struct mount *m, node dir);

#endif
