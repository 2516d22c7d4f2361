/* messages: the queue messages of the framework, written exactly as its own client writes them, and
 * read as far as a peek needs it.
 * Knows the JSON of MessageData and its events, base64 and the threshold for blobs (storage
 * messages 3, 4.8); not queues, requests or states: every function is pure but for the clock of
 * numbers. Ownership: a struct message borrows its text; what is read lives in the arena given.
 * Threads: any; message_clock_* may be called from all at once. */
#ifndef BACKEND_STORAGE_MESSAGES_H
#define BACKEND_STORAGE_MESSAGES_H

#include <stdatomic.h>

#include "backend/base/arena.h"
#include "backend/base/clock.h"
#include "backend/base/digest.h"

#define MESSAGE_INLINE_MAX                                                                         \
    46080u /* bytes of JSON that stay in the queue (storage messages 3.7)                          \
            */
#define MESSAGE_JSON_MAX    (96u * 1024 * 1024) /* L2 as a JSON string: every byte may become six */
#define MESSAGE_DELAY_MAX_S 604800 /* the service hides a message for seven days at most */
#define MESSAGE_TEXT_MAX    65536u /* bytes of text in one queue message, the service's own limit */

enum message_kind {
    MESSAGE_START,     /* ExecutionStarted */
    MESSAGE_EVENT,     /* EventRaised, entity signals too */
    MESSAGE_TERMINATE, /* ExecutionTerminated */
    MESSAGE_SUSPEND,   /* ExecutionSuspended */
    MESSAGE_RESUME,    /* ExecutionResumed */
    MESSAGE_GENERIC,   /* GenericEvent: wakes a rewound instance */
};

/* What one message says. Nothing in it is checked here. */
struct message {
    enum message_kind kind;
    struct str instance_id;         /* raw, not the escaped key */
    char activity_id[GUID_LEN + 1]; /* with dashes, lower case; names the blob */
    int64_t sequence;               /* 0 for starts, else of a message_clock (3.5) */
    ticks time;                     /* Timestamp of the event */
    struct str name;                /* START: orchestrator; EVENT: event */
    bool has_text;                  /* false: the member below is null */
    struct str text;                /* Input, Reason or Data */
    struct str execution_id;        /* START */
    struct str version;             /* START */
    int64_t generation;             /* START; -1 = null */
    ticks scheduled;                /* START: TICKS_NONE = at once */
};

const char *message_event_name(enum message_kind kind); /* "EventRaised" ...: type, blob name */

/* The envelope, vectors E1 to E13: CompressedBlobName null. b needs a maximum of MESSAGE_JSON_MAX.
 */
void message_json(struct buf *b, const struct message *m);
bool message_is_large(struct str json);                         /* above MESSAGE_INLINE_MAX */
void message_blob_name(struct buf *b, const struct message *m); /* in {hub}-largemessages, raw */
/* What goes to the queue instead of a message kept in that blob (E14). */
void message_wrapper_json(struct buf *b, struct str blob_name);
/* The body of Put Message: base64 in XML. */
void message_queue_body(struct buf *b, struct str json);

/* Whole seconds from now to due, never negative. False: beyond what the service can hide. */
bool message_delay_s(ticks now, ticks due, int64_t *ret);

/* The request inside an entity signal (classic form, storage messages 4.8): Input of an
 * EventRaised. */
struct signal {
    struct str operation;
    bool has_input;
    struct str input; /* JSON text */
    char id[GUID_LEN + 1];
    ticks due; /* TICKS_NONE = at once */
};
void signal_json(struct buf *b, const struct signal *s);
/* When the queue is to deliver it: due, or now + 3 days when that is more than 6 days away. */
ticks signal_delivery(ticks now, ticks due);
void signal_event_name(struct buf *b, ticks delivery); /* op, or op@ and the time, seven digits */

/* Numbers for messages: sequence numbers begin at unix seconds * 1,000,000 of the first message and
 * rise by one; times are the wall clock, but strictly rising by at least a tick, since an
 * EventRaised is proved by its time (storage messages 3.5, 4.3). Zeroed, it is ready for use. */
struct message_clock {
    _Atomic int64_t sequence; /* A: the last one given; 0 = none yet */
    _Atomic int64_t time;     /* A: the last one given */
};
int64_t message_clock_sequence(struct message_clock *c, ticks now);
ticks message_clock_time(struct message_clock *c, ticks now);

/* A message as someone else queued it. */
struct message_seen {
    bool opaque;            /* neither JSON nor base64 of JSON (B41); the rest is empty */
    struct str json;        /* the decoded envelope */
    struct str instance_id; /* "" = it names none; of a wrapper: what its blob's name begins with */
    struct str event_type;  /* short: "EventRaised"; "" = unknown */
    struct str blob_name;   /* of a wrapper; "" = inline */
};
/* text: after XML unescaping, base64 or plain, blanks around allowed (3.6; V18 to V20). Never fails
 * but for memory, which counts as opaque. */
void message_read(struct str text, struct arena *arena, struct message_seen *ret);
/* Name, Input and the like of ExecutionStarted are read by the cells' reader, which knows blobs. */

#endif
