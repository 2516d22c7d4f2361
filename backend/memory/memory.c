#include "backend/memory/memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "backend/base/digest.h"
#include "backend/base/limits.h"
#include "backend/memory/memory_internal.h"

ticks memory_tick(struct memory *m)
{
    ticks now = clock_wall();
    if (m->simulate)
        simulate(m, now);
    return now;
}

static void memory_close(struct hub *hub)
{
    struct memory *m = memory_of(hub);
    size_t i = 0;
    struct str key;
    void *r;
    while (map_next(&m->records, &i, &key, &r))
        record_free(r);
    map_fini(&m->records);
    lock_fini(&m->lock);
    free(m);
}

static int compare(const void *a, const void *b)
{
    const struct record *const *x = a, *const *y = b;
    return str_cmp_utf16(text_str((*x)->id), text_str((*y)->id));
}

static bool lists(const struct record *r, const struct list_query *q)
{
    bool entity = id_is_entity(text_str(r->id));
    if (entity != (q->what == LIST_ENTITIES))
        return false;
    if (entity) {
        struct arena arena;
        struct entity_state s;
        arena_init(&arena);
        entity_state_read_status(&s, text_str(r->custom_status), &arena);
        bool empty = s.empty;
        arena_fini(&arena);
        if (empty)
            return false;
    }
    return q->changed_since == TICKS_NONE || r->stamp >= q->changed_since;
}

/* Copies what matches into blocks while the lock is held; they are emitted after it. */
static enum err collect(struct memory *m, const struct list_query *q, struct block ***ret,
                        size_t *ret_n)
{
    size_t n = 0, n_blocks = 0, i = 0;
    struct str key;
    void *value;
    struct record **sorted = calloc(map_count(&m->records) + 1, sizeof(*sorted));
    struct block **blocks = calloc(map_count(&m->records) / PAGE_ROWS + 2, sizeof(*blocks));
    enum err err = sorted && blocks ? OK : ERR_NO_MEMORY;
    while (!err && map_next(&m->records, &i, &key, &value))
        if (lists(value, q))
            sorted[n++] = value;
    if (!err)
        qsort(sorted, n, sizeof(*sorted), compare);
    for (i = 0; !err && i < n; i++) {
        struct row row;
        if (i % PAGE_ROWS == 0 && !(blocks[n_blocks++] = block_new()))
            err = ERR_NO_MEMORY;
        record_row(sorted[i], &row);
        if (!err)
            err = block_add(blocks[n_blocks - 1], &row);
    }
    for (i = 0; !err && i < n_blocks; i++)
        err = block_freeze(blocks[i]);
    free(sorted);
    *ret = blocks;
    *ret_n = blocks ? n_blocks : 0;
    return err;
}

static enum err memory_list(struct hub *hub, struct call *call, const struct list_query *query,
                            hub_emit emit, void *ctx)
{
    struct memory *m = memory_of(hub);
    struct block **blocks;
    size_t n;
    lock_take(&m->lock);
    memory_tick(m);
    m->counts.table_requests++;
    enum err err = collect(m, query, &blocks, &n);
    lock_drop(&m->lock);
    if (err)
        err = call_fail(call, err, "out of memory while listing");
    for (size_t i = 0; i < n; i++) {
        if (!err)
            err = emit(ctx, blocks[i]);
        else
            block_unref(blocks[i]);
    }
    free(blocks);
    return err;
}

static enum err memory_get(struct hub *hub, struct call *call, struct str id, struct str key,
                           unsigned needs, struct instance **ret)
{
    struct memory *m = memory_of(hub);
    LOCK_SCOPE(&m->lock);
    ticks now = memory_tick(m);
    m->counts.table_requests++;
    struct record *r = memory_find(m, id);
    if (!r)
        return call_fail(call, ERR_NOT_FOUND, "no instance '" STR_FMT "'", STR_ARG(id));
    *ret = record_instance(r, now);
    return *ret ? OK : call_fail(call, ERR_NO_MEMORY, "out of memory");
}

static enum err memory_history(struct hub *hub, struct call *call, const struct instance *in,
                               bool resolve, struct history **ret)
{
    struct memory *m = memory_of(hub);
    LOCK_SCOPE(&m->lock);
    memory_tick(m);
    m->counts.table_requests++;
    struct record *r = memory_find(m, in->row.id);
    if (!r)
        return call_fail(call, ERR_NOT_FOUND, "no instance '" STR_FMT "'", STR_ARG(in->row.id));
    *ret = record_history(r, resolve);
    return *ret ? OK : call_fail(call, ERR_NO_MEMORY, "out of memory");
}

static enum err memory_payload(struct hub *hub, struct call *call, struct str ref,
                               struct text **ret)
{
    struct memory *m = memory_of(hub);
    struct str id = ref, what = str_cut(&id, ':');
    LOCK_SCOPE(&m->lock);
    m->counts.blob_requests++;
    struct record *r = memory_find(m, id);
    struct text *t = !r                            ? NULL
                     : str_eq(what, STR("input"))  ? r->input
                     : str_eq(what, STR("output")) ? r->output
                                                   : r->custom_status;
    if (!t)
        return call_fail(call, ERR_NOT_FOUND, "payload missing");
    *ret = text_ref(t);
    return OK;
}

static enum err start(struct memory *m, struct call *call, struct str id, struct str name,
                      struct str input, struct str version, ticks now)
{
    if (memory_find(m, id))
        return call_fail(call, ERR_EXISTS, "the id '" STR_FMT "' is in use", STR_ARG(id));
    struct record *r = memory_add(m, record_new(id, name, now));
    if (!r)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    record_set(&r->input, input);
    record_set(&r->version, version);
    if (m->simulate)
        simulate_start(r, now);
    return OK;
}

/* The same id again: the row is replaced, the events of the old run are gone at the first turn. */
static void start_again(struct memory *m, struct record *r, ticks now)
{
    record_forget_run(r);
    r->status = STATUS_PENDING;
    r->restarted = true;
    r->generation++;
    r->created = r->updated = now;
    r->scheduled = TICKS_NONE;
    if (m->simulate)
        simulate_start(r, now);
    memory_touch(m, r);
}

static enum err restart(struct memory *m, struct call *call, const struct command *cmd,
                        struct receipt *ret, ticks now)
{
    struct record *r = memory_find(m, cmd->id);
    if (!r)
        return call_fail(call, ERR_NOT_FOUND, "no instance '" STR_FMT "'", STR_ARG(cmd->id));
    char guid[33];
    guid_new_plain(guid);
    struct str id = cmd->has_data ? cmd->data : str_c(guid);
    if (str_eq(id, cmd->id))
        start_again(m, r, now);
    else {
        enum err err =
            start(m, call, id, text_str(r->name), text_str(r->input), text_str(r->version), now);
        if (err)
            return err;
    }
    snprintf(ret->instance_id, sizeof(ret->instance_id), STR_FMT, STR_ARG(id));
    return OK;
}

static enum err command(struct memory *m, struct call *call, const struct command *cmd, ticks now)
{
    struct record *r = memory_find(m, cmd->id);
    if (!r && cmd->kind == CMD_SIGNAL)
        r = memory_add(m, record_new(cmd->id, cmd->id, now));
    if (!r)
        return call_fail(call, ERR_NOT_FOUND, "no instance '" STR_FMT "'", STR_ARG(cmd->id));
    if (m->simulate)
        simulate_command(m, r, cmd, now);
    else if (cmd->kind != CMD_SIGNAL)
        record_event(r, EVENT_RAISED, now, cmd->name, cmd->data, STR_NONE, -1);
    memory_touch(m, r);
    return OK;
}

static enum err memory_send(struct hub *hub, struct call *call, const struct command *cmd,
                            const struct instance *in, struct receipt *ret)
{
    struct memory *m = memory_of(hub);
    struct command plain = *cmd;
    if (command_defs[cmd->kind].body == BODY_JSON) /* blanks around a value are not part of it */
        plain.data = str_trim(cmd->data);
    cmd = &plain;
    LOCK_SCOPE(&m->lock);
    ticks now = memory_tick(m);
    m->counts.queue_requests++;
    if (cmd->kind == CMD_RESTART)
        return restart(m, call, cmd, ret, now);
    if (cmd->kind != CMD_START)
        return command(m, call, cmd, now);
    enum err err =
        start(m, call, cmd->id, cmd->name, cmd->has_data ? cmd->data : STR_NONE, STR_NONE, now);
    if (!err)
        snprintf(ret->instance_id, sizeof(ret->instance_id), STR_FMT, STR_ARG(cmd->id));
    return err;
}

static enum err memory_purge(struct hub *hub, struct call *call, const struct instance *in,
                             struct receipt *ret)
{
    struct memory *m = memory_of(hub);
    LOCK_SCOPE(&m->lock);
    m->counts.table_requests++;
    struct record *r = memory_find(m, in->row.id);
    if (!r)
        return OK;
    if (r->stamp != in->row.stamp)
        return call_fail(call, ERR_BUSY, "'" STR_FMT "' was changed meanwhile",
                         STR_ARG(in->row.id));
    ret->rows = r->n_events;
    ret->gone = true;
    memory_remove(m, r);
    return OK;
}

static void memory_stats(struct hub *hub, struct hub_stats *ret)
{
    struct memory *m = memory_of(hub);
    LOCK_SCOPE(&m->lock);
    *ret = m->counts;
}

/* One queue for everything that the app that plays has still to do; it is always there. */
static enum err memory_inspect(struct hub *hub, struct call *call, struct buf *ret)
{
    struct memory *m = memory_of(hub);
    uint64_t waiting = 0;
    struct str id;
    void *value;

    (void)call;
    LOCK_SCOPE(&m->lock);
    memory_tick(m);
    for (size_t i = 0; map_next(&m->records, &i, &id, &value);)
        waiting += ((const struct record *)value)->due != TICKS_NONE;
    buf_printf(ret, "demo-control-00\t%llu\t%s\t%s\t\n", (unsigned long long)waiting,
               m->simulate ? "demo" : "", m->simulate ? "owned" : "free");
    buf_printf(ret, "worker\t\t\t%s\t\n", m->simulate ? "alive" : "none");
    return OK;
}

static const struct hub_ops memory_ops = {
    .scheme = "demo",
    .caps = CAP_REWIND | CAP_RESTART | CAP_ENTITIES | CAP_CHANGES | CAP_INSPECT | CAP_SPANS,
    .close = memory_close,
    .list = memory_list,
    .get = memory_get,
    .history = memory_history,
    .span = memory_span,
    .histories = memory_histories,
    .payload = memory_payload,
    .send = memory_send,
    .purge = memory_purge,
    .inspect = memory_inspect,
    .stats = memory_stats,
};

static struct memory *memory_new(void)
{
    struct memory *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->hub.ops = &memory_ops;
    snprintf(m->hub.name, sizeof(m->hub.name), "%s", MEMORY_HUB);
    snprintf(m->hub.account, sizeof(m->hub.account), "%s", MEMORY_ACCOUNT);
    lock_init(&m->lock, RANK_HUB);
    map_init(&m->records);
    return m;
}

enum err memory_open_empty(struct call *call, struct hub **ret)
{
    struct memory *m = memory_new();
    if (!m)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    *ret = &m->hub;
    return OK;
}

enum err memory_open(const struct config *config, const struct hub_settings *settings,
                     struct call *call, struct hub **ret)
{
    struct memory *m = memory_new();
    if (!m)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    lock_take(&m->lock);
    seed_demo(m, clock_wall());
    m->simulate = true;
    lock_drop(&m->lock);
    *ret = &m->hub;
    return OK;
}

enum err memory_discover(const struct config *config, const struct hub_settings *settings,
                         struct call *call, registry_emit emit, void *ctx)
{
    const struct registry_hub hub = { STR(MEMORY_HUB), MEMORY_ACCOUNT, memory_ops.caps };

    return emit(ctx, &hub);
}
