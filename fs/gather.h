/* gather: collects what is written to one control file and decides when it commits: in the write(2)
 * that completes the value, so that the write's error is the answer (faults and limits R1,
 * B16-B27). Knows bytes and when they are complete; not what they do, and nothing of handles.
 * Ownership: embedded; gather_fini frees.
 * Threads: none of its own; the lock of the handle guards it. */
#ifndef FS_GATHER_H
#define FS_GATHER_H

#include "backend/base/buf.h"
#include "backend/base/call.h"
#include "backend/base/jsoncheck.h"
#include "backend/command.h"

enum gather_state {
    GATHER_COLLECTING, /* nothing sent yet */
    GATHER_SENDING,    /* a commit is under way */
    GATHER_SENT,       /* over, whatever its outcome was */
    GATHER_REFUSED     /* what was written can never be accepted, and the writer was told */
};

struct gather {
    enum body_kind body;
    bool append; /* O_APPEND: the kernel's offsets say nothing, as the file stays empty */
    enum gather_state state;
    struct buf data; /* so far; after the commit still what was sent */
    struct jsoncheck check;
    uint64_t next;    /* where the next write has to begin */
    uint64_t last_at; /* the write that committed: its offset ... */
    size_t last_from; /* ... and where its bytes begin in data */
    enum err outcome; /* SENT: of the commit; REFUSED: of the write */
    bool repeats;     /* SENT: the writer heard EINTR and may come again with the same bytes */
    struct jsoncheck check_before; /* to undo a write that was cancelled before anything was sent */
};

void gather_init(struct gather *g, enum body_kind body, bool append);
void gather_fini(struct gather *g); /* accepts a zeroed one */

enum gather_step {
    GATHER_KEEP,  /* accepted; nothing to do */
    GATHER_COMMIT /* complete: send gather_value, then call gather_outcome */
};

/* Takes one write. ERR_INVALID, ERR_TOO_BIG, ERR_BAD_NAME: refused, nothing to send. A repeated
 * write after an interrupt gets the outcome of the first. ERR_BUSY: a commit is under way. */
MUST_CHECK enum err gather_write(struct gather *g, struct call *call, uint64_t offset,
                                 struct str bytes, enum gather_step *ret);
/* A descriptor was closed, not necessarily the last one. Commits a complete bare number;
 * ERR_INVALID for an unfinished value. */
MUST_CHECK enum err gather_flush(struct gather *g, struct call *call, enum gather_step *ret);

/* What to send; false: a lone newline, no data. Valid until gather_outcome. */
bool gather_value(const struct gather *g, struct str *ret);

/* How the commit ended. ERR_CANCELLED (nothing was sent) undoes the write, so that the same bytes
 * can be written again; anything else is final. interrupted: the writer hears EINTR whatever err
 * is. */
void gather_outcome(struct gather *g, enum err err, bool interrupted);

#endif
