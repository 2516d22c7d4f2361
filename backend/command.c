#include "backend/command.h"

#define BIT(s) (1u << SITUATION_##s)

#define EVERY    ((1u << SITUATION_COUNT) - 1)
#define FINISHED (BIT(COMPLETED) | BIT(FAILED) | BIT(TERMINATED) | BIT(CANCELED))
/* Those whose worker reads messages: it has begun, or its start is before them in the queue. */
#define LISTENING                                                                                  \
    (BIT(RUNNING) | BIT(SUSPENDED) | BIT(CONTINUED_AS_NEW) | BIT(PENDING_WAITING) |                \
     BIT(PENDING_REWOUND))

/* Mount layout 1 and 4; storage messages 4.2 to 4.8. */
const struct command_def command_defs[CMD_COUNT] = {
    [CMD_EVENT] = { .name = "event",
                    .body = BODY_JSON,
                    .allowed = LISTENING,
                    .busy = BIT(PENDING_SCHEDULED) | BIT(PENDING_RESTARTED),
                    .offered_pending = true },
    /* A scheduled start is cancelled in the table: no message would stop it (4.4 no. 4). */
    [CMD_TERMINATE] = { .name = "terminate",
                        .body = BODY_TEXT,
                        .allowed = LISTENING | BIT(PENDING_SCHEDULED),
                        .busy = BIT(PENDING_RESTARTED),
                        .offered_pending = true },
    [CMD_SUSPEND] = { .name = "suspend",
                      .body = BODY_TEXT,
                      .allowed = LISTENING & ~BIT(SUSPENDED),
                      .busy = BIT(PENDING_SCHEDULED) | BIT(PENDING_RESTARTED),
                      .offered_pending = true },
    [CMD_RESUME] = { .name = "resume", .body = BODY_TEXT, .allowed = BIT(SUSPENDED) },
    /* A rewind that was cut off before its message has left the row Pending: again sends only that.
     */
    [CMD_REWIND] = { .name = "rewind",
                     .body = BODY_TEXT,
                     .allowed = BIT(FAILED) | BIT(PENDING_REWOUND),
                     .hidden_pending = true },
    [CMD_RESTART] = { .name = "restart",
                      .body = BODY_TEXT,
                      .allowed = FINISHED,
                      .hidden_pending = true },
    [CMD_START] = { .name = "start", .body = BODY_JSON, .allowed = EVERY },
    [CMD_SIGNAL] = { .name = "signal", .body = BODY_JSON, .allowed = EVERY },
    [CMD_PURGE] = { .name = "purge",
                    .body = BODY_NONE,
                    .allowed = FINISHED,
                    .busy = EVERY & ~FINISHED },
};

static enum situation situation_of_pending(const struct instance *in)
{
    switch (in->phase) {
    case PHASE_SCHEDULED:
        return SITUATION_PENDING_SCHEDULED;
    case PHASE_RESTARTED:
        return SITUATION_PENDING_RESTARTED;
    case PHASE_REWOUND:
        return SITUATION_PENDING_REWOUND;
    case PHASE_ENDED:
        return SITUATION_FAILED; /* vector 127: the history has ended, the row is stale */
    case PHASE_NONE:
    case PHASE_WAITING:
        break;
    }
    return SITUATION_PENDING_WAITING;
}

/* Of every status but Pending, which says too little. */
static enum situation situation_of_status(enum status status)
{
    switch (status) {
    case STATUS_RUNNING:
        return SITUATION_RUNNING;
    case STATUS_COMPLETED:
        return SITUATION_COMPLETED;
    case STATUS_CONTINUED_AS_NEW:
        return SITUATION_CONTINUED_AS_NEW;
    case STATUS_FAILED:
        return SITUATION_FAILED;
    case STATUS_CANCELED:
        return SITUATION_CANCELED;
    case STATUS_TERMINATED:
        return SITUATION_TERMINATED;
    case STATUS_SUSPENDED:
        return SITUATION_SUSPENDED;
    case STATUS_PENDING:
    case STATUS_UNKNOWN:
    case STATUS_COUNT:
        break;
    }
    return SITUATION_UNKNOWN;
}

enum situation situation_of(const struct instance *in)
{
    return in->row.status == STATUS_PENDING ? situation_of_pending(in)
                                            : situation_of_status(in->row.status);
}

static const char *const situation_names[SITUATION_COUNT] = {
    [SITUATION_RUNNING] = "Running",
    [SITUATION_SUSPENDED] = "Suspended",
    [SITUATION_CONTINUED_AS_NEW] = "ContinuedAsNew",
    [SITUATION_PENDING_WAITING] = "Pending, waiting for its first turn",
    [SITUATION_PENDING_SCHEDULED] = "Pending, scheduled for later",
    [SITUATION_PENDING_RESTARTED] = "Pending, started again and not yet begun",
    [SITUATION_PENDING_REWOUND] = "Pending, rewound and running",
    [SITUATION_COMPLETED] = "Completed",
    [SITUATION_FAILED] = "Failed",
    [SITUATION_TERMINATED] = "Terminated",
    [SITUATION_CANCELED] = "Canceled",
    [SITUATION_UNKNOWN] = "Unknown",
};

const char *situation_name(enum situation s)
{
    return (unsigned)s < SITUATION_COUNT ? situation_names[s] : situation_names[SITUATION_UNKNOWN];
}

static enum err refuse(enum command_kind kind, const struct instance *in, enum situation s,
                       struct call *call, enum err err)
{
    const char *verb = command_defs[kind].name;
    if (s == SITUATION_UNKNOWN)
        return call_fail(call, err, "%s: the instance has the unknown status '%.*s'", verb,
                         (int)(in->row.status_text.len < 100 ? in->row.status_text.len : 100),
                         in->row.status_text.p ? in->row.status_text.p : "");
    if (in->phase == PHASE_ENDED && in->row.status == STATUS_PENDING)
        return call_fail(call, err,
                         "%s: the instance's history has ended, though its row still says Pending",
                         verb);
    return call_fail(call, err, "%s: the instance is %s", verb, situation_name(s));
}

enum err command_check(enum command_kind kind, const struct instance *in, struct call *call)
{
    const struct command_def *def = &command_defs[kind];
    enum situation s = situation_of(in);
    /* A purge looks at the row alone: a stale Pending row may still wake up. */
    if (kind == CMD_PURGE && in->row.status == STATUS_PENDING)
        return refuse(kind, in, s, call, ERR_BUSY);
    if (def->allowed & (1u << s))
        return OK;
    return refuse(kind, in, s, call, def->busy & (1u << s) ? ERR_BUSY : ERR_WRONG_STATE);
}

bool command_offered(enum command_kind kind, enum status status)
{
    if (kind == CMD_START || kind == CMD_SIGNAL)
        return false; /* they address what need not be there */
    if (status == STATUS_PENDING)
        return command_defs[kind].offered_pending;
    return command_defs[kind].allowed & (1u << situation_of_status(status));
}
