#include "tests/fs/fakehub.h"

#include <stdlib.h>

#include "backend/base/lock.h"

/* 2026-11-24T09:00:00Z */
static ticks fake_time(int second)
{
    ticks day;

    if (!ticks_parse_day(STR("2026-11-24"), &day))
        abort();
    return day + (9 * 3600 + second) * TICKS_PER_SEC;
}

void fake_set(char **field, const char *text)
{
    free(*field);
    *field = text ? str_dup_c(str_c(text)) : NULL;
}

void fake_cell(struct cell *cell, const char *text)
{
    cell->kind = CELL_TEXT;
    cell->text = str_c(text);
}

void fakehub_touch(struct fakehub *f, struct fake_instance *in)
{
    LOCK_SCOPE(f->lock_);
    f->now += TICKS_PER_SEC;
    in->stamp = f->now;
}

void fakehub_set_status(struct fakehub *f, struct fake_instance *in, enum status status)
{
    {
        LOCK_SCOPE(f->lock_);
        fake_set(&in->status, status_name(status));
        in->updated += TICKS_PER_SEC;
        if (status_is_finished(status))
            in->completed = in->updated;
    }
    fakehub_touch(f, in);
}

struct fake_instance *fakehub_find(struct fakehub *f, const char *id)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->instances[i]->id, id) == 0)
            return f->instances[i];
    return NULL;
}

struct fake_instance *fakehub_add(struct fakehub *f, const char *id, const char *name,
                                  enum status status)
{
    struct fake_instance *in = calloc(1, sizeof(*in));

    fake_set(&in->id, id);
    fake_set(&in->name, name);
    fake_set(&in->version, "");
    fake_set(&in->status, status_name(status));
    in->created = fake_time(0);
    in->updated = fake_time(7);
    in->completed = status_is_finished(status) ? in->updated : TICKS_NONE;
    in->scheduled = TICKS_NONE;
    in->generation = -1;
    {
        LOCK_SCOPE(f->lock_);
        if (f->count == f->cap) {
            f->cap = f->cap ? 2 * f->cap : 64;
            f->instances = realloc(f->instances, f->cap * sizeof(struct fake_instance *));
        }
        f->instances[f->count++] = in;
    }
    fakehub_touch(f, in);
    return in;
}

static void instance_free(struct fake_instance *in)
{
    free(in->id);
    free(in->name);
    free(in->version);
    free(in->status);
    free(in->input);
    free(in->output);
    free(in->custom);
    free(in->tags);
    free(in);
}

static void remove_locked(struct fakehub *f, struct fake_instance *in)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->instances[i] != in)
            continue;
        f->instances[i] = f->instances[--f->count];
        instance_free(in);
        return;
    }
}

void fakehub_remove(struct fakehub *f, const char *id)
{
    LOCK_SCOPE(f->lock_);
    remove_locked(f, fakehub_find(f, id));
}

struct event *fake_event(struct fake_instance *in, enum event_type type, int second)
{
    struct event *e = &in->events[in->n_events++];

    memset(e, 0, sizeof(*e));
    e->type = type;
    e->type_name = str_c(event_type_name(type));
    e->event_id = e->task_id = -1;
    e->time = fake_time(second);
    e->fire_at = TICKS_NONE;
    return e;
}

unsigned fakehub_requests(const struct fakehub *f)
{
    return f->lists + f->gets + f->histories;
}

/* -- the interface -- */

static void fill_row(const struct fake_instance *in, struct row *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->id = ret->key = str_c(in->id);
    ret->name = str_c(in->name);
    ret->version = str_c(in->version);
    ret->status_text = str_c(in->status);
    ret->status = status_parse(ret->status_text);
    ret->created = in->created;
    ret->updated = in->updated;
    ret->completed = in->completed;
    ret->scheduled = in->scheduled;
    ret->stamp = in->stamp;
}

static bool is_listed(const struct fake_instance *in, const struct list_query *q)
{
    bool entity = id_is_entity(str_c(in->id));

    if (entity != (q->what == LIST_ENTITIES))
        return false;
    if (entity && in->custom && strcmp(in->custom, "{}") == 0)
        return false;
    return q->changed_since == TICKS_NONE || in->stamp >= q->changed_since;
}

static int by_id(const void *a, const void *b)
{
    const struct fake_instance *x = *(struct fake_instance *const *)a;
    const struct fake_instance *y = *(struct fake_instance *const *)b;

    return str_cmp_utf16(str_c(x->id), str_c(y->id));
}

static enum err flush(struct block **block, hub_emit emit, void *ctx)
{
    struct block *b = *block;
    enum err err;

    *block = NULL;
    if (!b)
        return OK;
    err = block_freeze(b);
    if (err == OK)
        return emit(ctx, b);
    block_unref(b);
    return err;
}

static enum err fake_list(struct hub *hub, struct call *call, const struct list_query *query,
                          hub_emit emit, void *ctx)
{
    struct fakehub *f = (struct fakehub *)hub;
    struct block *blocks[256] = { 0 };
    size_t n = 0;
    enum err err = OK;

    {
        LOCK_SCOPE(f->lock_);
        f->lists++;
        qsort(f->instances, f->count, sizeof(f->instances[0]), by_id);
        for (size_t i = 0; err == OK && i < f->count; i++) {
            struct row row;

            if (!is_listed(f->instances[i], query))
                continue;
            fill_row(f->instances[i], &row);
            if (blocks[n] && block_count(blocks[n]) == 1000)
                n++;
            if (!blocks[n])
                blocks[n] = block_new();
            err = block_add(blocks[n], &row);
        }
    }
    for (size_t i = 0; err == OK && i <= n; i++)
        err = flush(&blocks[i], emit, ctx);
    for (size_t i = 0; i <= n; i++)
        block_unref(blocks[i]);
    return err;
}

static void copy_cell(struct instance *in, struct cell *cell, const char *text)
{
    if (!text)
        return;
    cell->kind = CELL_TEXT;
    cell->text = arena_str(&in->arena, str_c(text));
}

static enum err fake_get(struct hub *hub, struct call *call, struct str id, struct str key,
                         unsigned needs, struct instance **ret)
{
    struct fakehub *f = (struct fakehub *)hub;
    const struct fake_instance *from = NULL;
    struct instance *in;

    LOCK_SCOPE(f->lock_);
    f->gets++;
    for (size_t i = 0; i < f->count; i++)
        if (str_eq(str_c(f->instances[i]->id), id))
            from = f->instances[i];
    if (!from)
        return call_fail(call, ERR_NOT_FOUND, "there is no such instance");
    in = instance_new();
    fill_row(from, &in->row);
    in->row.id = in->row.key = arena_str(&in->arena, in->row.id);
    in->row.name = arena_str(&in->arena, in->row.name);
    in->row.version = arena_str(&in->arena, in->row.version);
    in->row.status_text = arena_str(&in->arena, in->row.status_text);
    in->execution_id = STR("0d1f5f6f0a7b4a1e9d1c2b3a4f5e6d7c");
    in->generation = from->generation;
    if (in->row.status == STATUS_PENDING)
        in->phase = from->phase ? from->phase : PHASE_WAITING;
    in->needs = NEED_CELLS | NEED_PHASE;
    copy_cell(in, &in->input, from->input);
    copy_cell(in, &in->output, from->output);
    copy_cell(in, &in->custom_status, from->custom);
    if (from->tags)
        in->tags = arena_str(&in->arena, str_c(from->tags));
    *ret = in;
    return OK;
}

static enum err fake_history(struct hub *hub, struct call *call, const struct instance *in,
                             bool resolve, struct history **ret)
{
    struct fakehub *f = (struct fakehub *)hub;
    struct history *h = history_new();

    {
        LOCK_SCOPE(f->lock_);
        f->histories++;
        for (size_t i = 0; i < f->count; i++) {
            const struct fake_instance *from = f->instances[i];

            if (!str_eq(str_c(from->id), in->row.id))
                continue;
            for (size_t e = 0; e < from->n_events; e++)
                *history_add(h) = from->events[e];
        }
    }
    h->complete = true;
    h->resolved = resolve;
    *ret = h;
    return OK;
}

static enum err fake_payload(struct hub *hub, struct call *call, struct str ref, struct text **ret)
{
    return call_fail(call, ERR_NOT_FOUND, "payload blob missing");
}

static void keep(char *to, size_t size, struct str from)
{
    size_t n = from.len < size - 1 ? from.len : size - 1;

    if (n > 0)
        memcpy(to, from.p, n);
    to[n] = '\0';
}

static enum err fake_send(struct hub *hub, struct call *call, const struct command *cmd,
                          const struct instance *in, struct receipt *ret)
{
    struct fakehub *f = (struct fakehub *)hub;
    char id[512];

    {
        LOCK_SCOPE(f->lock_);
        f->sends++;
        f->last.kind = cmd->kind;
        keep(f->last.id, sizeof(f->last.id), cmd->id);
        keep(f->last.name, sizeof(f->last.name), cmd->name);
        keep(f->last.data, sizeof(f->last.data), cmd->data);
        f->last.has_data = cmd->has_data;
        if (f->fail_send == ERR_UNKNOWN_OUTCOME && cmd->kind == CMD_RESTART)
            keep(ret->instance_id, sizeof(ret->instance_id), STR("perhaps"));
        if (f->fail_send != OK)
            return call_fail(call, f->fail_send, "the fake was told to fail");
    }
    if (cmd->kind != CMD_START && cmd->kind != CMD_RESTART)
        return OK;
    keep(id, sizeof(id),
         cmd->kind == CMD_START ? cmd->id
         : cmd->has_data        ? cmd->data
                                : STR("generated"));
    keep(ret->instance_id, sizeof(ret->instance_id), str_c(id));
    if (cmd->kind == CMD_START && fakehub_find(f, id))
        return call_fail(call, ERR_EXISTS, "in use");
    fakehub_add(f, id, f->last.name, STATUS_PENDING);
    return OK;
}

static enum err fake_purge(struct hub *hub, struct call *call, const struct instance *in,
                           struct receipt *ret)
{
    struct fakehub *f = (struct fakehub *)hub;

    LOCK_SCOPE(f->lock_);
    f->purges++;
    for (size_t i = 0; i < f->count; i++) {
        if (!str_eq(str_c(f->instances[i]->id), in->row.id))
            continue;
        remove_locked(f, f->instances[i]);
        ret->gone = true;
        return OK;
    }
    return OK;
}

static enum err fake_inspect(struct hub *hub, struct call *call, struct buf *ret)
{
    buf_add_c(ret, "hub-control-00\t0\tworker\n");
    return OK;
}

static void fake_stats(struct hub *hub, struct hub_stats *ret)
{
    struct fakehub *f = (struct fakehub *)hub;

    ret->table_requests = fakehub_requests(f);
    ret->queue_requests = f->sends;
    ret->latency_ms_total = 10 * (uint64_t)ret->table_requests;
}

static void fake_close(struct hub *hub)
{
    struct fakehub *f = (struct fakehub *)hub;

    for (size_t i = 0; i < f->count; i++)
        instance_free(f->instances[i]);
    free(f->instances);
    lock_fini(f->lock_);
    free(f->lock_);
    free(f);
}

static const struct hub_ops fake_ops = {
    .scheme = "fake",
    .caps = CAP_REWIND | CAP_RESTART | CAP_ENTITIES | CAP_CHANGES | CAP_INSPECT,
    .close = fake_close,
    .list = fake_list,
    .get = fake_get,
    .history = fake_history,
    .payload = fake_payload,
    .send = fake_send,
    .purge = fake_purge,
    .inspect = fake_inspect,
    .stats = fake_stats,
};

struct fakehub *fakehub_new(void)
{
    struct fakehub *f = calloc(1, sizeof(*f));

    f->hub.ops = &fake_ops;
    keep(f->hub.name, sizeof(f->hub.name), STR("FakeHub"));
    f->lock_ = calloc(1, sizeof(*f->lock_));
    lock_init(f->lock_, RANK_HUB);
    f->now = fake_time(60);
    return f;
}
