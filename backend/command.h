/* command: everything that can be asked of an instance, one table row a verb.
 * The table holds which states allow it, so "never purge a running instance" is true for every
 * backend (mount layout 4, 5; faults and limits B28).
 * Ownership: a struct command borrows its text from the caller for the length of the call.
 * Threads: constants and values. */
#ifndef BACKEND_COMMAND_H
#define BACKEND_COMMAND_H

#include "backend/base/call.h"
#include "backend/instance.h"

enum command_kind {
    CMD_EVENT,
    CMD_TERMINATE,
    CMD_SUSPEND,
    CMD_RESUME,
    CMD_REWIND,
    CMD_RESTART,
    CMD_START,
    CMD_SIGNAL,
    CMD_PURGE,
    CMD_COUNT
};

enum body_kind {
    BODY_NONE,
    BODY_JSON, /* one JSON value, unchanged bytes; a lone newline = no data */
    BODY_TEXT, /* a reason or an id; one trailing newline removed */
};

/* The twelve situations in which a verb can meet an instance: statuses, with Pending told apart. */
enum situation {
    SITUATION_RUNNING,
    SITUATION_SUSPENDED,
    SITUATION_CONTINUED_AS_NEW,
    SITUATION_PENDING_WAITING,
    SITUATION_PENDING_SCHEDULED,
    SITUATION_PENDING_RESTARTED,
    SITUATION_PENDING_REWOUND,
    SITUATION_COMPLETED,
    SITUATION_FAILED,
    SITUATION_TERMINATED,
    SITUATION_CANCELED,
    SITUATION_UNKNOWN,
    SITUATION_COUNT
};

struct command_def {
    const char *name; /* the verb as the file is called: "terminate" */
    enum body_kind body;
    unsigned allowed;     /* bit per situation: send */
    unsigned busy;        /* bit per situation: ERR_BUSY; in neither: ERR_WRONG_STATE */
    bool offered_pending; /* the listing (which does not know the phase) shows it for Pending */
    /* Some Pending ones take it: a rewind that was cut off, a history that has ended. Only a
     * reading of the phase tells, so the name is not listed, but writing there asks. */
    bool hidden_pending;
};

extern const struct command_def command_defs[CMD_COUNT];

struct command {
    enum command_kind kind;
    struct str id;   /* the instance; for START and SIGNAL possibly not there yet */
    struct str key;  /* the provider's address of it if known, else "" */
    struct str name; /* EVENT: event; START: orchestrator; SIGNAL: operation */
    bool has_data;   /* EVENT, START, SIGNAL: data is given; TEXT verbs: a reason is given */
    struct str
        data; /* JSON or reason; RESTART: id of the new instance (has_data false: its own choice) */
};

/* What a successful send tells. */
struct receipt {
    char instance_id[1024]; /* START, RESTART: the instance that was started; "" otherwise */
    uint64_t rows, blobs;   /* PURGE: how much was deleted */
    bool gone; /* PURGE: the instance row was deleted by us (false: it was gone already) */
};

enum situation situation_of(const struct instance *in); /* needs NEED_PHASE if Pending */
const char *situation_name(enum situation s);           /* "Pending, scheduled" ... for sentences */

/* OK, ERR_WRONG_STATE or ERR_BUSY with a sentence that names the state. */
MUST_CHECK enum err command_check(enum command_kind kind, const struct instance *in,
                                  struct call *call);

/* Does a directory of an instance of this status list the verb? (mount layout 1) */
bool command_offered(enum command_kind kind, enum status status);

#endif
