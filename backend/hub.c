#include "backend/hub.h"

#include "backend/base/jsonread.h"
#include "backend/base/limits.h"

#define NAME_MAX_BYTES 1024 /* an event, operation or orchestrator; a file name decodes to less */
#define ID_MAX_UTF16   256  /* the framework's own limit (storage messages 4.2) */

/* -- checks of what is to be sent; nothing has been asked yet -- */

static enum err check_name(struct call *call, const char *what, struct str name)
{
    if (!name.len)
        return call_fail(call, ERR_INVALID, "the name of the %s is empty", what);
    if (name.len > NAME_MAX_BYTES)
        return call_fail(call, ERR_TOO_BIG, "the name of the %s has more than %d bytes", what,
                         NAME_MAX_BYTES);
    if (!str_is_utf8(name))
        return call_fail(call, ERR_INVALID, "the name of the %s is not UTF-8", what);
    return OK;
}

/* Also the C1 controls, which .NET's char.IsControl knows: two bytes in UTF-8. */
static bool has_forbidden(struct str id)
{
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.p[i];
        if (c < 0x20 || c == 0x7F || c == '/' || c == '\\' || c == '#' || c == '?')
            return true;
        if (c == 0xC2 && i + 1 < id.len && (unsigned char)id.p[i + 1] < 0xA0)
            return true;
    }
    return false;
}

static enum err check_new_id(struct call *call, struct str id)
{
    if (!id.len)
        return call_fail(call, ERR_INVALID, "the new instance's id is empty");
    if (id.p[0] == '@')
        return call_fail(call, ERR_INVALID,
                         "instance ids must not start with @: those are entities");
    if (!str_is_utf8(id))
        return call_fail(call, ERR_INVALID, "the new instance's id is not UTF-8");
    if (has_forbidden(id))
        return call_fail(call, ERR_INVALID,
                         "instance ids must not contain /, \\, #, ? or control characters");
    if (str_utf16_len(id) > ID_MAX_UTF16)
        return call_fail(call, ERR_INVALID, "instance ids must not exceed %d characters",
                         ID_MAX_UTF16);
    return OK;
}

static enum err check_reason(struct call *call, const struct command *cmd)
{
    if (!cmd->has_data)
        return OK;
    if (cmd->data.len > REASON_MAX_BYTES)
        return call_fail(call, ERR_TOO_BIG, "the reason has more than %u bytes", REASON_MAX_BYTES);
    if (cmd->data.len && memchr(cmd->data.p, 0, cmd->data.len))
        return call_fail(call, ERR_INVALID, "the reason holds a NUL");
    if (!str_is_utf8(cmd->data))
        return call_fail(call, ERR_INVALID, "the reason is not UTF-8");
    return OK;
}

static enum err check_json(struct call *call, const struct command *cmd)
{
    if (!cmd->has_data)
        return OK;
    if (cmd->data.len > JSON_WRITE_MAX_BYTES)
        return call_fail(call, ERR_TOO_BIG, "the JSON value has more than %u bytes",
                         JSON_WRITE_MAX_BYTES);
    if (!json_valid(cmd->data))
        return call_fail(call, ERR_INVALID, "what was written is not one JSON value");
    return OK;
}

static enum err check_start(struct call *call, const struct command *cmd)
{
    enum err err = check_new_id(call, cmd->id);
    if (err == OK)
        err = check_name(call, "orchestrator", cmd->name);
    if (err == OK)
        err = check_json(call, cmd);
    return err;
}

/* The own id may hold anything: it is in use already (gRPC clients check nothing). */
static enum err check_restart(struct call *call, const struct command *cmd)
{
    if (!cmd->has_data || str_eq(cmd->data, cmd->id))
        return OK;
    return check_new_id(call, cmd->data);
}

static bool has_upper_case(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return true;
    return false;
}

static enum err check_signal(struct call *call, const struct command *cmd)
{
    struct str name, key;
    if (!id_split_entity(cmd->id, &name, &key) || !name.len)
        return call_fail(call, ERR_INVALID, "an entity's id is @name@key");
    if (has_upper_case(name))
        return call_fail(call, ERR_INVALID, "an entity's name is in lower case");
    if (!str_is_utf8(cmd->id))
        return call_fail(call, ERR_INVALID, "the entity's id is not UTF-8");
    if (has_forbidden(key))
        return call_fail(call, ERR_INVALID,
                         "entity keys must not contain /, \\, #, ? or control characters");
    enum err err = check_name(call, "operation", cmd->name);
    return err == OK ? check_json(call, cmd) : err;
}

static enum err check_body(struct call *call, const struct command *cmd)
{
    switch (cmd->kind) {
    case CMD_EVENT: {
        enum err err = check_name(call, "event", cmd->name);
        return err == OK ? check_json(call, cmd) : err;
    }
    case CMD_TERMINATE:
    case CMD_SUSPEND:
    case CMD_RESUME:
    case CMD_REWIND:
        return check_reason(call, cmd);
    case CMD_RESTART:
        return check_restart(call, cmd);
    case CMD_START:
        return check_start(call, cmd);
    case CMD_SIGNAL:
        return check_signal(call, cmd);
    case CMD_PURGE:
    case CMD_COUNT:
        break;
    }
    return call_fail(call, ERR_BUG, "a command that cannot be sent: %d", (int)cmd->kind);
}

static bool addresses_instance(enum command_kind kind)
{
    return kind != CMD_START && kind != CMD_SIGNAL;
}

static enum err check_command(struct hub *hub, struct call *call, const struct command *cmd)
{
    static const unsigned cap_needed[CMD_COUNT] = {
        [CMD_REWIND] = CAP_REWIND, [CMD_RESTART] = CAP_RESTART, [CMD_SIGNAL] = CAP_ENTITIES
    };
    if ((unsigned)cmd->kind >= CMD_COUNT)
        return call_fail(call, ERR_BUG, "no such command: %d", (int)cmd->kind);
    unsigned cap = cap_needed[cmd->kind];
    if ((hub->ops->caps & cap) != cap)
        return call_fail(call, ERR_UNSUPPORTED, "%s: the %s backend cannot do that",
                         command_defs[cmd->kind].name, hub->ops->scheme);
    if (addresses_instance(cmd->kind) && id_is_entity(cmd->id))
        return call_fail(call, ERR_INVALID, "%s: entities take signals only",
                         command_defs[cmd->kind].name);
    return check_body(call, cmd);
}

/* -- entry points -- */

void hub_close(struct hub *hub)
{
    if (hub)
        hub->ops->close(hub);
}

bool hub_can(const struct hub *hub, enum hub_cap cap)
{
    return (hub->ops->caps & (unsigned)cap) == (unsigned)cap;
}

enum err hub_list(struct hub *hub, struct call *call, const struct list_query *query, hub_emit emit,
                  void *ctx)
{
    if (query->what == LIST_ENTITIES && !hub_can(hub, CAP_ENTITIES))
        return call_fail(call, ERR_UNSUPPORTED, "the %s backend knows no entities",
                         hub->ops->scheme);
    if (query->changed_since != TICKS_NONE && !hub_can(hub, CAP_CHANGES))
        return call_fail(call, ERR_UNSUPPORTED, "the %s backend cannot list changes",
                         hub->ops->scheme);
    enum err err = call_check(call);
    return err == OK ? hub->ops->list(hub, call, query, emit, ctx) : err;
}

enum err hub_get(struct hub *hub, struct call *call, struct str id, struct str key, unsigned needs,
                 struct instance **ret)
{
    enum err err = call_check(call);
    if (err != OK)
        return err;
    struct instance *in = NULL;
    err = hub->ops->get(hub, call, id, key, needs, &in);
    if (err != OK)
        return err;
    if (!in)
        return call_fail(call, ERR_BUG, "get: an answer without an instance");
    *ret = in;
    return OK;
}

enum err hub_history(struct hub *hub, struct call *call, const struct instance *in, bool resolve,
                     struct history **ret)
{
    struct history *h = NULL;
    enum err err = call_check(call);
    if (err == OK)
        err = hub->ops->history(hub, call, in, resolve, &h);
    if (err != OK)
        return err;
    /* Here it still has one owner; shared, nothing may change. */
    if (!h->links && history_link(h) != OK) {
        history_unref(h);
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    }
    *ret = h;
    return OK;
}

enum err hub_span(struct hub *hub, struct call *call, const struct key_span *span,
                  hub_emit_instance emit, void *ctx)
{
    if (!hub->ops->span || !hub_can(hub, CAP_SPANS))
        return call_fail(call, ERR_UNSUPPORTED, "the %s backend reads one instance at a time",
                         hub->ops->scheme);
    enum err err = call_check(call);
    return err == OK ? hub->ops->span(hub, call, span, emit, ctx) : err;
}

struct linking {
    struct call *call;
    hub_emit_history emit;
    void *ctx;
};

static enum err link_and_emit(void *ctx, size_t i, struct history *h, size_t rows)
{
    const struct linking *l = ctx;
    if (!h->links && history_link(h) != OK) {
        history_unref(h);
        return call_fail(l->call, ERR_NO_MEMORY, "out of memory");
    }
    return l->emit(l->ctx, i, h, rows);
}

enum err hub_histories(struct hub *hub, struct call *call, const struct span_histories *wanted,
                       hub_emit_history emit, void *ctx)
{
    struct linking linking = { call, emit, ctx };
    if (!hub->ops->histories || !hub_can(hub, CAP_SPANS))
        return call_fail(call, ERR_UNSUPPORTED, "the %s backend reads one history at a time",
                         hub->ops->scheme);
    enum err err = wanted->count ? call_check(call) : OK;
    return err == OK && wanted->count
               ? hub->ops->histories(hub, call, wanted, link_and_emit, &linking)
               : err;
}

enum err hub_payload(struct hub *hub, struct call *call, struct str ref, struct text **ret)
{
    if (!ref.len)
        return call_fail(call, ERR_NOT_FOUND, "the payload has no name");
    enum err err = call_check(call);
    return err == OK ? hub->ops->payload(hub, call, ref, ret) : err;
}

/* Those that change rows themselves need all of the row; for the others its state is enough. */
static unsigned needs_of(enum command_kind kind)
{
    bool cells = kind == CMD_TERMINATE || kind == CMD_REWIND || kind == CMD_RESTART;
    return NEED_PHASE | (cells ? (unsigned)NEED_CELLS : 0);
}

enum err hub_send(struct hub *hub, struct call *call, const struct command *cmd,
                  struct receipt *ret)
{
    struct receipt ignored;
    if (!ret)
        ret = &ignored;
    *ret = (struct receipt){ 0 };
    enum err err = check_command(hub, call, cmd);
    if (err == OK)
        err = call_check(call);
    if (err != OK)
        return err;

    CLEANUP(instance_unref) struct instance *in = NULL;
    if (addresses_instance(cmd->kind)) {
        err = hub_get(hub, call, cmd->id, cmd->key, needs_of(cmd->kind), &in);
        if (err == OK)
            err = command_check(cmd->kind, in, call);
        if (err != OK)
            return err;
    }
    return hub->ops->send(hub, call, cmd, in, ret);
}

enum err hub_purge(struct hub *hub, struct call *call, struct str id, struct str key,
                   struct receipt *ret)
{
    struct receipt ignored;
    if (!ret)
        ret = &ignored;
    *ret = (struct receipt){ 0 };
    CLEANUP(instance_unref) struct instance *in = NULL;
    enum err err = hub_get(hub, call, id, key, NEED_ROW, &in);
    if (err == OK)
        err = command_check(CMD_PURGE, in, call);
    return err == OK ? hub->ops->purge(hub, call, in, ret) : err;
}

enum err hub_inspect(struct hub *hub, struct call *call, struct buf *ret)
{
    if (!hub->ops->inspect || !hub_can(hub, CAP_INSPECT))
        return call_fail(call, ERR_UNSUPPORTED, "the %s backend has no queues to show",
                         hub->ops->scheme);
    return hub->ops->inspect(hub, call, ret);
}

enum err hub_remove(struct hub *hub, struct call *call)
{
    if (!hub->ops->remove || !hub_can(hub, CAP_REMOVE))
        return call_fail(call, ERR_UNSUPPORTED, "the %s backend cannot delete a hub",
                         hub->ops->scheme);
    return hub->ops->remove(hub, call);
}

void hub_stats(struct hub *hub, struct hub_stats *ret)
{
    *ret = (struct hub_stats){ 0 };
    if (hub->ops->stats)
        hub->ops->stats(hub, ret);
}

void hub_forget(struct hub *hub)
{
    if (hub->ops->forget)
        hub->ops->forget(hub);
}
