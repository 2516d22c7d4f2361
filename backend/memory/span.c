#include <stdlib.h>

#include "backend/memory/memory_internal.h"

/* Many instances at once. What is emitted is copied while the lock is held. */

struct found {
    struct instance **items;
    size_t count;
};

static bool is_in(const struct key_span *span, struct str id)
{
    return str_cmp_utf16(id, span->from) >= 0 && str_cmp_utf16(id, span->through) <= 0 &&
           id_is_entity(id) == id_is_entity(span->from);
}

static int compare(const void *a, const void *b)
{
    const struct instance *const *x = a, *const *y = b;
    return str_cmp_utf16((*x)->row.key, (*y)->row.key);
}

static enum err collect_locked(struct memory *m, const struct key_span *span, struct found *ret)
{
    struct str id;
    void *record;
    ticks now = memory_tick(m);
    ret->items = calloc(map_count(&m->records) + 1, sizeof(struct instance *));
    if (!ret->items)
        return ERR_NO_MEMORY;
    for (size_t i = 0; map_next(&m->records, &i, &id, &record);) {
        if (!is_in(span, id))
            continue;
        struct instance *in = record_instance(record, now);
        if (!in)
            return ERR_NO_MEMORY;
        ret->items[ret->count++] = in;
    }
    qsort(ret->items, ret->count, sizeof *ret->items, compare);
    return OK;
}

enum err memory_span(struct hub *hub, struct call *call, const struct key_span *span,
                     hub_emit_instance emit, void *ctx)
{
    struct memory *m = memory_of(hub);
    struct found found = { 0 };
    lock_take(&m->lock);
    m->counts.table_requests++;
    enum err err = collect_locked(m, span, &found);
    lock_drop(&m->lock);
    if (err != OK)
        err = call_fail(call, err, "out of memory");
    for (size_t i = 0; i < found.count; i++) {
        if (err == OK)
            err = emit(ctx, found.items[i]);
        else
            instance_unref(found.items[i]);
    }
    free(found.items);
    return err;
}

/* *ret NULL: it is longer than is wanted. */
static enum err history_locked(struct memory *m, const struct instance *in, size_t rows_max,
                               struct history **ret, size_t *ret_rows)
{
    const struct record *r = memory_find(m, in->row.id);
    *ret_rows = r ? r->n_events : 0;
    *ret = NULL;
    if (*ret_rows > rows_max)
        return OK;
    *ret = r ? record_history(r, false) : history_new();
    return *ret ? OK : ERR_NO_MEMORY;
}

enum err memory_histories(struct hub *hub, struct call *call, const struct span_histories *wanted,
                          hub_emit_history emit, void *ctx)
{
    struct memory *m = memory_of(hub);
    enum err err = OK;
    for (size_t i = 0; i < wanted->count && err == OK; i++) {
        struct history *h;
        size_t rows;
        lock_take(&m->lock);
        m->counts.table_requests += i == 0;
        (void)memory_tick(m);
        err = history_locked(m, wanted->instances[i], wanted->rows_max, &h, &rows);
        lock_drop(&m->lock);
        if (err != OK)
            return call_fail(call, err, "out of memory");
        if (!h)
            return OK;
        err = emit(ctx, i, h, rows);
    }
    return err;
}
