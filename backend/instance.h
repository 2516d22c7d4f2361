/* instance: what a hub knows of one orchestration instance (or entity), as value types.
 * Knows statuses, moments and cells; not tables, queues or files.
 * Ownership: a struct row borrows its text from whoever gave it; a struct instance is immutable,
 * shared by reference count, and owns everything it points to.
 * Threads: any; nothing changes after creation. */
#ifndef BACKEND_INSTANCE_H
#define BACKEND_INSTANCE_H

#include "backend/base/arena.h"
#include "backend/base/clock.h"
#include "backend/base/text.h"

/* Storage tables 3.4; the numbers are the framework's. */
enum status {
    STATUS_RUNNING = 0,
    STATUS_COMPLETED = 1,
    STATUS_CONTINUED_AS_NEW = 2,
    STATUS_FAILED = 3,
    STATUS_CANCELED = 4,
    STATUS_TERMINATED = 5,
    STATUS_PENDING = 6,
    STATUS_SUSPENDED = 7,
    STATUS_UNKNOWN = 8, /* any other text, which row.status_text keeps */
    STATUS_COUNT
};

const char *status_name(enum status s);    /* "Running" ...; "Unknown" */
enum status status_parse(struct str text); /* exact, case-sensitive */
bool status_is_finished(enum status s);    /* Completed, Failed, Canceled, Terminated */

/* What a Pending instance is waiting for (storage messages 4.4, 4.7; storage tables 5.6, 11). */
enum phase {
    PHASE_NONE,      /* not Pending, or not asked (NEED_PHASE) */
    PHASE_WAITING,   /* its first turn */
    PHASE_SCHEDULED, /* a start time that is still to come */
    PHASE_RESTARTED, /* started again under a used id, not begun */
    PHASE_REWOUND,   /* rewound and running */
    PHASE_ENDED      /* the history has ended, the row is stale (vector 127) */
};

/* One line of the listing. Text lives as long as the block, instance or record it came from. */
struct row {
    struct str id;          /* as the user knows it: unescaped, may hold any byte */
    struct str key;         /* the provider's own address of it (PartitionKey); sort key */
    struct str name;        /* orchestrator */
    struct str version;     /* "" = none */
    struct str status_text; /* as stored */
    enum status status;
    ticks created, updated, completed, scheduled; /* TICKS_NONE = absent */
    ticks stamp;   /* changes with every write to the row (server's Timestamp) */
    uint32_t slot; /* given by the catalogue: one number per instance and mount; 0 = none yet */
};

bool row_is_finished(const struct row *r);
/* CompletedTime as a result: only of a finished instance (storage tables 3.3 no. 1). */
ticks row_completed(const struct row *r);
bool id_is_entity(struct str id); /* begins with '@' */
/* Splits @name@key at the second '@' (storage tables 9.1); false: not a valid entity id. */
bool id_split_entity(struct str id, struct str *ret_name, struct str *ret_key);

/* A payload cell: absent, there, or kept elsewhere. */
struct cell {
    enum { CELL_NONE, CELL_TEXT, CELL_REF } kind;
    struct str
        text; /* TEXT: the payload. REF: the cell as stored, to be shown if the blob is missing */
    struct str ref; /* REF: the provider's name of the payload (blob name in the container) */
};

/* What a caller of get wants to be filled in. A provider may give more. */
enum need {
    NEED_ROW = 0,
    NEED_CELLS = 1 << 0, /* input, output, custom status as cells; execution id, tags, generation */
    NEED_PHASE = 1 << 1, /* tell Pending instances apart (one more request for these only) */
};

struct instance {
    int refs; /* A */
    struct row row;
    struct str execution_id; /* "" = unknown */
    struct str etag;         /* opaque, for conditional writes; "" = none */
    struct str tags;         /* JSON object text, "" = none (the text null is none) */
    struct str task_hub;
    int64_t generation; /* -1 = absent */
    enum phase phase;
    unsigned needs;                           /* which of enum need are filled */
    struct cell input, output, custom_status; /* custom_status: the text null is CELL_NONE */
    struct arena arena;                       /* owns every text above */
};

struct instance *instance_new(void); /* empty, one reference, statuses unknown, times none */
struct instance *instance_ref(struct instance *in);   /* accepts NULL */
struct instance *instance_unref(struct instance *in); /* accepts NULL and returns NULL */
DEFINE_CLEANUP(struct instance, instance_unref)

/* The state of an entity (storage tables 9.3, 9.4). */
struct entity_state {
    bool exists;
    bool empty; /* does not exist, not locked, nothing queued: not listed */
    bool has_state;
    struct str state;     /* JSON text as stored, or raw if it is not JSON */
    struct str locked_by; /* "" = not locked */
    int64_t queue_size;
};
/* input: the decoded payload of the input cell ("" = none); custom: the custom status text. Text is
 * decoded into the arena or borrowed from the arguments. */
void entity_state_read(struct entity_state *ret, struct str input, struct str custom,
                       struct arena *arena);
/* The same from the custom status alone, which a listing can afford (existence and emptiness). */
void entity_state_read_status(struct entity_state *ret, struct str custom, struct arena *arena);

#endif
