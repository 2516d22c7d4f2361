#include "tests/backend/fake_hub.h"

#include <stdio.h>
#include <stdlib.h>

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
}

static size_t lower_bound(const struct fake_hub *f, const char *key)
{
    size_t i = 0;
    while (i < f->count && str_cmp_utf16(str_c(f->rows[i].key), str_c(key)) < 0)
        i++;
    return i;
}

static struct fake_row *find(struct fake_hub *f, struct str id)
{
    for (size_t i = 0; i < f->count; i++)
        if (str_eq(str_c(f->rows[i].id), id))
            return &f->rows[i];
    return NULL;
}

static struct fake_row *insert(struct fake_hub *f, const char *id, const char *key)
{
    if (f->count == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 64;
        f->rows = realloc(f->rows, f->cap * sizeof *f->rows);
    }
    /* Appending in order is the usual case. */
    size_t i = f->count && str_cmp_utf16(str_c(f->rows[f->count - 1].key), str_c(key)) < 0
                   ? f->count
                   : lower_bound(f, key);
    memmove(&f->rows[i + 1], &f->rows[i], (f->count - i) * sizeof *f->rows);
    f->count++;
    struct fake_row *r = &f->rows[i];
    memset(r, 0, sizeof *r);
    copy(r->id, sizeof r->id, id);
    copy(r->key, sizeof r->key, key);
    copy(r->name, sizeof r->name, "Flow");
    r->created = f->now;
    return r;
}

static void put_locked(struct fake_hub *f, const char *id, const char *key, enum status status)
{
    struct fake_row *r = find(f, str_c(id));
    if (!r)
        r = insert(f, id, key ? key : id);
    r->status = status;
    f->now += FAKE_STEP;
    r->stamp = f->now;
}

void fake_put(struct fake_hub *f, const char *id, const char *key, enum status status)
{
    LOCK_SCOPE(&f->lock);
    put_locked(f, id, key, status);
}

#define SETTER(fn, field)                                                                          \
    void fn(struct fake_hub *f, const char *id, const char *text)                                  \
    {                                                                                              \
        LOCK_SCOPE(&f->lock);                                                                      \
        struct fake_row *r = find(f, str_c(id));                                                   \
        copy(r->field, sizeof r->field, text);                                                     \
        f->now += FAKE_STEP;                                                                       \
        r->stamp = f->now;                                                                         \
    }

SETTER(fake_set_name, name)
SETTER(fake_set_custom, custom)
SETTER(fake_set_output_ref, output_ref)

static void del_locked(struct fake_hub *f, struct str id)
{
    struct fake_row *r = find(f, id);
    if (!r)
        return;
    size_t i = (size_t)(r - f->rows);
    memmove(r, r + 1, (f->count - i - 1) * sizeof *r);
    f->count--;
}

void fake_del(struct fake_hub *f, const char *id)
{
    LOCK_SCOPE(&f->lock);
    del_locked(f, str_c(id));
}

void fake_gate(struct fake_hub *f, bool closed)
{
    LOCK_SCOPE(&f->lock);
    f->gate = closed;
    cond_wake_all(&f->changed);
}

void fake_wait_for(struct fake_hub *f, unsigned waiting)
{
    LOCK_SCOPE(&f->lock);
    while (f->waiting < waiting)
        cond_wait(&f->changed, &f->lock);
}

unsigned fake_asked(struct fake_hub *f, const unsigned *counter)
{
    LOCK_SCOPE(&f->lock);
    return *counter;
}

void fake_fail(struct fake_hub *f, enum err err)
{
    LOCK_SCOPE(&f->lock);
    f->fail = err;
}

/* -- the hub -- */

static enum err pass_locked(struct fake_hub *f, struct call *call, const bool *gate)
{
    enum err err = OK;
    f->waiting++;
    cond_wake_all(&f->changed);
    while (*gate && (err = call_check(call)) == OK)
        (void)cond_wait_until(&f->changed, &f->lock, clock_now_ms() + 10);
    f->waiting--;
    if (err == OK && f->fail != OK)
        err = call_fail(call, f->fail, "the fake hub was told to fail");
    return err;
}

static enum err pass_gate_locked(struct fake_hub *f, struct call *call)
{
    return pass_locked(f, call, &f->gate);
}

static enum err pass_gates_of_many_locked(struct fake_hub *f, struct call *call)
{
    enum err err = pass_gate_locked(f, call);
    if (err == OK)
        err = pass_locked(f, call, &f->gate_many);
    if (err == OK && f->fail_many != OK)
        err = call_fail(call, f->fail_many, "the fake hub was told to fail");
    return err;
}

static void fill(const struct fake_row *r, bool keys_only, struct row *ret)
{
    *ret = (struct row){ .id = str_c(r->id),
                         .key = str_c(r->key),
                         .status = STATUS_UNKNOWN,
                         .created = TICKS_NONE,
                         .updated = TICKS_NONE,
                         .completed = TICKS_NONE,
                         .scheduled = TICKS_NONE,
                         .stamp = TICKS_NONE };
    if (keys_only)
        return;
    ret->name = str_c(r->name);
    ret->status = r->status;
    ret->status_text = str_c(status_name(r->status));
    ret->created = r->created;
    ret->updated = ret->stamp = r->stamp;
}

static bool matches(const struct fake_row *r, const struct list_query *q)
{
    bool entity = id_is_entity(str_c(r->id));
    if (entity != (q->what == LIST_ENTITIES))
        return false;
    if (entity && !strcmp(r->custom, "{}"))
        return false;
    return q->changed_since == TICKS_NONE || r->stamp >= q->changed_since;
}

/* Continues behind a key, as the service does: rows may come and go between two pages. */
static struct block *page_locked(struct fake_hub *f, const struct list_query *q, char after[64],
                                 bool *ret_more)
{
    struct block *b = block_new();
    size_t i = after[0] ? lower_bound(f, after) : 0;
    if (after[0] && i < f->count && !strcmp(f->rows[i].key, after))
        i++;
    for (; i < f->count && block_count(b) < f->page; i++) {
        struct row row;
        if (!matches(&f->rows[i], q))
            continue;
        fill(&f->rows[i], q->what == LIST_KEYS, &row);
        if (block_add(b, &row) != OK)
            abort();
        f->rows_sent++;
        copy(after, 64, f->rows[i].key);
    }
    *ret_more = i < f->count;
    if (block_freeze(b) != OK)
        abort();
    return b;
}

static enum err fake_list(struct hub *hub, struct call *call, const struct list_query *q,
                          hub_emit emit, void *ctx)
{
    struct fake_hub *f = (struct fake_hub *)hub;
    lock_take(&f->lock);
    (*(q->what == LIST_KEYS             ? &f->keys
       : q->changed_since != TICKS_NONE ? &f->changes
                                        : &f->lists))++;
    f->last_since = q->changed_since;
    enum err err = f->gate_page ? OK : pass_gate_locked(f, call);
    char after[64] = "";
    bool more = true;
    for (unsigned page = 0; err == OK && more; page++) {
        if (f->gate_page && page == f->gate_page)
            err = pass_gate_locked(f, call);
        if (err != OK)
            break;
        struct block *b = page_locked(f, q, after, &more);
        lock_drop(&f->lock);
        err = emit(ctx, b);
        lock_take(&f->lock);
    }
    lock_drop(&f->lock);
    return err;
}

static struct instance *make(const struct fake_row *r)
{
    struct instance *in = instance_new();
    uint32_t slot = in->row.slot;
    fill(r, false, &in->row);
    in->row.slot = slot;
    in->row.id = arena_str(&in->arena, in->row.id);
    in->row.key = arena_str(&in->arena, in->row.key);
    in->row.name = arena_str(&in->arena, in->row.name);
    in->execution_id = STR("e1");
    in->needs = NEED_CELLS | NEED_PHASE;
    in->input = (struct cell){ CELL_TEXT, STR("{\"in\":1}"), STR_NONE };
    if (r->output_ref[0]) {
        in->output.kind = CELL_REF;
        in->output.ref = arena_str(&in->arena, str_c(r->output_ref));
        if (str_starts(in->output.ref, STR("url-")))
            in->output.text = STR("https://account/container/blob");
    } else {
        in->output = (struct cell){ CELL_TEXT, STR("\"out\""), STR_NONE };
    }
    if (r->custom[0])
        in->custom_status =
            (struct cell){ CELL_TEXT, arena_str(&in->arena, str_c(r->custom)), STR_NONE };
    in->phase = r->status == STATUS_PENDING ? PHASE_WAITING : PHASE_NONE;
    return in;
}

static enum err fake_get(struct hub *hub, struct call *call, struct str id, struct str key,
                         unsigned needs, struct instance **ret)
{
    struct fake_hub *f = (struct fake_hub *)hub;
    LOCK_SCOPE(&f->lock);
    f->gets++;
    enum err err = pass_gate_locked(f, call);
    if (err != OK)
        return err;
    const struct fake_row *r = find(f, id);
    if (!r || (key.len && !str_eq(key, str_c(r->key))))
        return call_fail(call, ERR_NOT_FOUND, "no such row");
    *ret = make(r);
    return OK;
}

static struct history *make_history(const struct instance *in, bool resolve)
{
    struct history *h = history_new();
    struct event *e = history_add(h);
    e->type = EVENT_EXECUTION_STARTED;
    if (in->output.kind == CELL_REF && !resolve) {
        e = history_add(h);
        e->result = in->output;
    }
    return h;
}

static enum err fake_history(struct hub *hub, struct call *call, const struct instance *in,
                             bool resolve, struct history **ret)
{
    struct fake_hub *f = (struct fake_hub *)hub;
    LOCK_SCOPE(&f->lock);
    f->histories++;
    enum err err = pass_gate_locked(f, call);
    if (err != OK)
        return err;
    *ret = make_history(in, resolve);
    return OK;
}

/* Row by row, as pages come: the lock is given up for emit. */
static enum err fake_span(struct hub *hub, struct call *call, const struct key_span *span,
                          hub_emit_instance emit, void *ctx)
{
    struct fake_hub *f = (struct fake_hub *)hub;
    char from[64], through[64];
    snprintf(from, sizeof from, STR_FMT, STR_ARG(span->from));
    snprintf(through, sizeof through, STR_FMT, STR_ARG(span->through));
    lock_take(&f->lock);
    f->spans++;
    copy(f->last_from, sizeof from, from);
    copy(f->last_through, sizeof through, through);
    enum err err = pass_gates_of_many_locked(f, call);
    for (size_t i = lower_bound(f, from);
         err == OK && i < f->count && str_cmp_utf16(str_c(f->rows[i].key), str_c(through)) <= 0;
         i++) {
        if (id_is_entity(str_c(f->rows[i].id)) != id_is_entity(str_c(from)))
            continue;
        struct instance *in = make(&f->rows[i]);
        f->span_rows++;
        lock_drop(&f->lock);
        err = emit(ctx, in);
        lock_take(&f->lock);
    }
    lock_drop(&f->lock);
    return err;
}

static enum err fake_histories(struct hub *hub, struct call *call,
                               const struct span_histories *wanted, hub_emit_history emit,
                               void *ctx)
{
    struct fake_hub *f = (struct fake_hub *)hub;
    lock_take(&f->lock);
    f->many_histories++;
    enum err err = pass_gates_of_many_locked(f, call);
    lock_drop(&f->lock);
    for (size_t i = 0; i < wanted->count && err == OK; i++) {
        const struct instance *in = wanted->instances[i];
        size_t rows = str_starts(in->row.id, STR("long-")) ? f->long_rows : 10;
        if (rows > wanted->rows_max)
            break;
        err = emit(ctx, i, make_history(in, false), rows);
    }
    return err;
}

static enum err fake_payload(struct hub *hub, struct call *call, struct str ref, struct text **ret)
{
    struct fake_hub *f = (struct fake_hub *)hub;
    LOCK_SCOPE(&f->lock);
    f->payloads++;
    enum err err = pass_gate_locked(f, call);
    if (err == OK && f->payload_missing)
        err = call_fail(call, ERR_NOT_FOUND, "404");
    if (err != OK)
        return err;
    *ret = text_new(ref);
    return OK;
}

static enum err fake_send(struct hub *hub, struct call *call, const struct command *cmd,
                          const struct instance *in, struct receipt *ret)
{
    struct fake_hub *f = (struct fake_hub *)hub;
    LOCK_SCOPE(&f->lock);
    f->sends++;
    if (f->fail_send != OK)
        return call_fail(call, f->fail_send, "the fake hub was told to fail");
    char id[64];
    snprintf(id, sizeof id, STR_FMT, STR_ARG(cmd->kind == CMD_RESTART ? cmd->data : cmd->id));
    if (cmd->kind == CMD_START || cmd->kind == CMD_RESTART) {
        put_locked(f, id, NULL, STATUS_PENDING);
        copy(ret->instance_id, sizeof ret->instance_id, id);
    }
    if (cmd->kind == CMD_TERMINATE)
        put_locked(f, id, NULL, STATUS_TERMINATED);
    return OK;
}

static enum err fake_purge(struct hub *hub, struct call *call, const struct instance *in,
                           struct receipt *ret)
{
    struct fake_hub *f = (struct fake_hub *)hub;
    LOCK_SCOPE(&f->lock);
    f->purges++;
    del_locked(f, in->row.id);
    ret->gone = true;
    ret->rows = 1;
    return OK;
}

static void fake_forget(struct hub *hub)
{
    struct fake_hub *f = (struct fake_hub *)hub;
    LOCK_SCOPE(&f->lock);
    f->forgets++;
}

static void fake_close(struct hub *hub)
{
    struct fake_hub *f = (struct fake_hub *)hub;
    cond_fini(&f->changed);
    lock_fini(&f->lock);
    free((void *)f->hub.ops);
    free(f->rows);
    free(f);
}

struct fake_hub *fake_hub_new(unsigned caps)
{
    struct hub_ops *ops = calloc(1, sizeof *ops);
    struct fake_hub *f = calloc(1, sizeof *f);
    if (!ops || !f)
        abort();
    *ops = (struct hub_ops){ .scheme = "fake",
                             .caps = caps,
                             .close = fake_close,
                             .list = fake_list,
                             .get = fake_get,
                             .history = fake_history,
                             .span = fake_span,
                             .histories = fake_histories,
                             .payload = fake_payload,
                             .send = fake_send,
                             .purge = fake_purge,
                             .forget = fake_forget };
    f->hub.ops = ops;
    f->page = 100;
    f->now = 1000 * TICKS_PER_DAY;
    lock_init(&f->lock, RANK_HUB);
    cond_init(&f->changed);
    return f;
}
