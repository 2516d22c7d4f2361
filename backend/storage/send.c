#include "backend/storage/send.h"

#include "backend/base/limits.h"
#include "backend/storage/cancel.h"
#include "backend/storage/deliver.h"
#include "backend/storage/rewind.h"
#include "backend/storage/start.h"

#define SIGNAL_MAX (MESSAGE_JSON_MAX / 2) /* a request, which becomes a JSON string itself */

static struct message message_to(enum message_kind kind, struct str id)
{
    return (struct message){
        .kind = kind, .instance_id = id, .generation = -1, .scheduled = TICKS_NONE
    };
}

static enum err send_event(struct storage *s, struct call *call, const struct command *cmd)
{
    struct message m = message_to(MESSAGE_EVENT, cmd->id);

    deliver_stamp(s, &m);
    m.name = cmd->name;
    /* "No data" is the text null, which the parser of every language understands (4.3). */
    m.has_text = true;
    m.text = cmd->has_data ? str_trim(cmd->data) : STR("null");
    return deliver(s, call, &m);
}

static enum err send_reason(struct storage *s, struct call *call, const struct command *cmd,
                            enum message_kind kind)
{
    struct message m = message_to(kind, cmd->id);

    deliver_stamp(s, &m);
    m.has_text = cmd->has_data;
    m.text = cmd->data;
    return deliver(s, call, &m);
}

/* The framework lower-cases an entity's name, never its key; another spelling is another entity. */
static void entity_instance_id(struct buf *b, struct str id)
{
    struct str name, key;

    if (!id_split_entity(id, &name, &key)) {
        buf_add(b, id);
        return;
    }
    buf_add_ch(b, '@');
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        buf_add_ch(b, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
    buf_add_ch(b, '@');
    buf_add(b, key);
}

static enum err send_signal(struct storage *s, struct call *call, const struct command *cmd)
{
    CLEANUP_BUF struct buf id = BUF_INIT(KIB * 4);
    CLEANUP_BUF struct buf name = BUF_INIT(64);
    CLEANUP_BUF struct buf request = BUF_INIT(SIGNAL_MAX);
    struct signal signal = { .operation = cmd->name,
                             .has_input = cmd->has_data,
                             .input = str_trim(cmd->data),
                             .due = TICKS_NONE };

    entity_instance_id(&id, cmd->id);
    signal_event_name(&name, TICKS_NONE);
    guid_new(signal.id);
    signal_json(&request, &signal);
    if (buf_err(&id) != OK || buf_err(&name) != OK || buf_err(&request) != OK)
        return call_fail(call, ERR_TOO_BIG, "the signal cannot be built");
    struct message m = message_to(MESSAGE_EVENT, buf_str(&id));
    deliver_stamp(s, &m);
    m.name = buf_str(&name);
    m.has_text = true;
    m.text = buf_str(&request);
    return deliver(s, call, &m);
}

static enum err send_terminate(struct hub *hub, struct call *call, const struct command *cmd,
                               const struct instance *in)
{
    if (situation_of(in) == SITUATION_PENDING_SCHEDULED)
        return storage_cancel(hub, call, in, cmd->has_data, cmd->data);
    return send_reason(storage_of(hub), call, cmd, MESSAGE_TERMINATE);
}

enum err storage_send(struct hub *hub, struct call *call, const struct command *cmd,
                      const struct instance *in, struct receipt *ret)
{
    struct storage *s = storage_of(hub);

    switch (cmd->kind) {
    case CMD_EVENT:
        return send_event(s, call, cmd);
    case CMD_TERMINATE:
        return send_terminate(hub, call, cmd, in);
    case CMD_SUSPEND:
        return send_reason(s, call, cmd, MESSAGE_SUSPEND);
    case CMD_RESUME:
        return send_reason(s, call, cmd, MESSAGE_RESUME);
    case CMD_REWIND:
        return storage_rewind(hub, call, cmd, in);
    case CMD_RESTART:
        return storage_restart(hub, call, cmd, in, ret);
    case CMD_START:
        return storage_start(hub, call, cmd, ret);
    case CMD_SIGNAL:
        return send_signal(s, call, cmd);
    case CMD_PURGE:
    case CMD_COUNT:
        break;
    }
    return call_fail(call, ERR_BUG, "a command that no message stands for");
}
