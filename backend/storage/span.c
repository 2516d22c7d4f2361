#include "backend/base/limits.h"
#include "backend/storage/events.h"
#include "backend/storage/keys.h"
#include "backend/storage/rows.h"
#include "backend/storage/tables.h"

/* Many instances in one query: a range of PartitionKeys of either table. Pages are followed to the
 * end of the range, so what is not there when it ends was not there (R3). */

#define FILTER_MAX (3 * KEY_MAX_BYTES) /* two keys and short literals */

static enum err no_memory(struct call *call)
{
    return call_fail(call, ERR_NO_MEMORY, "no memory for many instances");
}

static enum err too_long(struct call *call, const struct buf *filter)
{
    return call_fail(call, buf_err(filter), "instance ids are too long to be asked for");
}

static void add_bounds(struct buf *filter, struct str from, struct str through)
{
    key_term(filter, "PartitionKey", "ge", from);
    key_term(filter, "PartitionKey", "le", through);
}

static bool is_within(struct str key, struct str from, struct str through)
{
    return str_cmp_utf16(key, from) >= 0 && str_cmp_utf16(key, through) <= 0;
}

/* -- rows -- */

static bool is_wanted(const struct key_span *span, const struct row *row)
{
    return is_within(row->key, span->from, span->through) &&
           id_is_entity(row->key) == id_is_entity(span->from);
}

static enum err emit_page(struct storage *s, const struct key_span *span, struct str page,
                          hub_emit_instance emit, void *ctx)
{
    const struct cell_place place = { str_c(s->account.name), str_c(s->hub_lower) };
    struct instance *rows[BLOCK_ROWS_MAX];
    size_t n, i = 0;
    enum err err = rows_instances(page, &place, rows, BLOCK_ROWS_MAX, &n);

    if (err != OK)
        return err;
    for (; i < n && err == OK; i++) {
        if (is_wanted(span, &rows[i]->row))
            err = emit(ctx, rows[i]);
        else
            (void)instance_unref(rows[i]);
    }
    for (; i < n; i++)
        (void)instance_unref(rows[i]);
    return err;
}

/* What the reading of a page says is of the page; what emit says is passed on. */
struct relay {
    hub_emit_instance emit;
    void *ctx;
    bool ended; /* by emit */
};

static enum err relay_emit(void *ctx, struct instance *in)
{
    struct relay *r = ctx;
    enum err err = r->emit(r->ctx, in);

    r->ended = err != OK;
    return err;
}

static enum err page_failed(struct storage *s, struct call *call, struct pages *p, enum err err)
{
    if (err == ERR_BROKEN)
        return pages_damaged(p, call);
    if (err == ERR_TOO_BIG)
        return call_fail(call, ERR_BROKEN, "table %s: a page has more rows than were asked for",
                         s->instances);
    return no_memory(call);
}

enum err storage_span(struct hub *hub, struct call *call, const struct key_span *span,
                      hub_emit_instance emit, void *ctx)
{
    struct storage *s = storage_of(hub);
    CLEANUP_BUF struct buf filter = BUF_INIT(FILTER_MAX);
    struct table_query query = { .table = str_c(s->instances) };
    struct relay relay = { emit, ctx, false };
    struct pages p;
    enum err err;

    add_bounds(&filter, span->from, span->through);
    if (!id_is_entity(span->from))
        key_term_no_entities(&filter, span->from, span->through);
    if (buf_err(&filter) != OK)
        return too_long(call, &filter);
    query.filter = buf_str(&filter);
    pages_init(&p, s, &query);
    while ((err = pages_next(&p, call)) == OK && pages_more(&p)) {
        err = emit_page(s, span, pages_body(&p), relay_emit, &relay);
        if (err != OK && !relay.ended)
            err = page_failed(s, call, &p, err);
        if (err != OK)
            break;
        call_progress(call);
    }
    pages_fini(&p);
    return err;
}

/* -- histories -- */

/* Rows come by ascending PartitionKey: one history is gathered at a time. */
struct gathering {
    struct storage *storage;
    struct call *call;
    const struct span_histories *wanted;
    hub_emit_history emit;
    void *ctx;
    struct events events; /* of wanted->instances[at] */
    size_t at, rows;
    bool stopped; /* at one that is too long */
    bool told;    /* what failed has its sentence, or is emit's */
};

static struct str key_at(const struct gathering *g, size_t i)
{
    return g->wanted->instances[i]->row.key;
}

/* The rows of the one at hand are complete. */
static enum err emit_one(struct gathering *g)
{
    struct history *h = NULL;
    size_t rows = g->rows, at = g->at++;
    enum err err;

    events_settle(&g->events, g->wanted->instances[at]);
    err = events_finish(&g->events, &h);
    events_fini(&g->events);
    g->rows = 0;
    if (err == OK && (err = g->emit(g->ctx, at, h, rows)) != OK)
        g->told = true;
    if (err == OK && g->at < g->wanted->count)
        err = events_init(&g->events);
    return err;
}

static enum err owner_of(void *ctx, struct str key, struct events **ret)
{
    struct gathering *g = ctx;
    enum err err = OK;
    int cmp = 1;

    *ret = NULL;
    while (err == OK && !g->stopped && g->at < g->wanted->count &&
           (cmp = str_cmp_utf16(key, key_at(g, g->at))) > 0)
        err = emit_one(g);
    if (err != OK || g->stopped || g->at == g->wanted->count)
        return err;
    if (cmp < 0) {
        /* Of an instance that nobody wants, unless it comes too late. */
        return g->at && str_cmp_utf16(key, key_at(g, g->at - 1)) <= 0 ? ERR_DAMAGED : OK;
    }
    g->stopped = ++g->rows > g->wanted->rows_max;
    if (!g->stopped)
        *ret = &g->events;
    return OK;
}

static enum err gather_failed(struct gathering *g, enum err err)
{
    if (g->told)
        return err;
    if (err == ERR_DAMAGED)
        return call_fail(g->call, ERR_BROKEN, "table %s: pages are not in the order of their keys",
                         g->storage->history);
    return no_memory(g->call); /* the pages can be read, that was looked at before */
}

static enum err gather(struct gathering *g, struct pages *p)
{
    enum err err;

    while ((err = pages_next(p, g->call)) == OK && pages_more(p)) {
        if (!events_is_page(pages_body(p)))
            err = pages_damaged(p, g->call);
        else if ((err = events_share(pages_body(p), owner_of, g)) != OK)
            err = gather_failed(g, err);
        if (err != OK || g->stopped)
            return err;
        call_progress(g->call);
    }
    while (err == OK && g->at < g->wanted->count)
        if ((err = emit_one(g)) != OK)
            err = gather_failed(g, err);
    return err;
}

enum err storage_histories(struct hub *hub, struct call *call, const struct span_histories *wanted,
                           hub_emit_history emit, void *ctx)
{
    struct storage *s = storage_of(hub);
    CLEANUP_BUF struct buf filter = BUF_INIT(FILTER_MAX);
    struct table_query query = { .table = str_c(s->history) };
    struct gathering g = { s, call, wanted, emit, ctx, .stopped = false };
    struct pages p;
    enum err err;

    add_bounds(&filter, key_at(&g, 0), key_at(&g, wanted->count - 1));
    if (buf_err(&filter) != OK)
        return too_long(call, &filter);
    query.filter = buf_str(&filter);
    if (events_init(&g.events) != OK)
        return no_memory(call);
    pages_init(&p, s, &query);
    err = gather(&g, &p);
    pages_fini(&p);
    events_fini(&g.events);
    return err;
}
