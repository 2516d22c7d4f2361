/* err: the closed set of outcomes that a backend function can have.
 * Knows hubs, not errno: HTTP statuses, curl codes and JSON failures have none. fs/errmap.c holds
 * the one translation to errno (faults and limits, R6).
 * Ownership: none. Threads: constants. */
#ifndef BACKEND_BASE_ERR_H
#define BACKEND_BASE_ERR_H

#include "backend/base/attr.h"

enum err {
    OK = 0,
    ERR_NOT_FOUND,       /* instance, hub, table, blob is not there (or gone meanwhile) */
    ERR_EXISTS,          /* start with an id in use */
    ERR_WRONG_STATE,     /* the instance's state forbids the verb */
    ERR_FORBIDDEN,       /* an option that would allow it was not given, or never offered here */
    ERR_READ_ONLY,       /* the mount is read-only */
    ERR_BUSY,            /* not finished; begun again and not yet running; changed meanwhile */
    ERR_NOT_EMPTY,       /* rmdir by a walker that left an entry out */
    ERR_INVALID,         /* text or JSON that cannot be accepted */
    ERR_TOO_BIG,         /* above a limit of limits.h */
    ERR_BAD_NAME,        /* a name or bytes that cannot be represented */
    ERR_DENIED,          /* known to the server, but without the right */
    ERR_KEY_REJECTED,    /* signature, key or token refused */
    ERR_KEY_EXPIRED,     /* token expired and not renewable */
    ERR_UNSUPPORTED,     /* this backend cannot do that */
    ERR_THROTTLED,       /* the server asked for patience beyond the deadline; not executed */
    ERR_TIMEOUT,         /* deadline passed; nothing but reads was under way */
    ERR_UNKNOWN_OUTCOME, /* a write left us and no complete answer came back */
    ERR_UNREACHABLE,     /* could not connect: nothing was sent */
    ERR_PAUSED,          /* circuit breaker open: nothing was sent */
    ERR_CANCELLED,       /* the caller was interrupted */
    ERR_WOULD_BLOCK,     /* a local call (call.h) that would need the network */
    ERR_TOO_MANY,        /* open handles, frozen bytes, threads: a limit of this process */
    ERR_NO_MEMORY,
    ERR_DAMAGED, /* stored data is broken (gzip, base64, JSON of a payload reference) */
    ERR_BROKEN,  /* the peer said something we do not understand */
    ERR_BUG,     /* our own mistake */
    ERR_COUNT    /* how many there are; never returned */
};

/* The name without its prefix in lower case with dashes ("not-found"), for logs and tests. */
const char *err_name(enum err err);

#endif
