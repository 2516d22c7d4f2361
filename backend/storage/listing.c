#include "backend/storage/keys.h"
#include "backend/storage/rows.h"
#include "backend/storage/tables.h"

/* Every instance (or entity, or key) of the hub, page by page, each parsed straight into a block.
 */

#define FILTER_MAX 1024 /* three comparisons of short literals */

/* Entities are the keys from '@' up to 'A': a range, so that the service need not look at them. */
static void add_key_filter(struct buf *b, enum list_what what)
{
    if (what == LIST_ENTITIES)
        buf_add_c(b, "PartitionKey ge '@' and PartitionKey lt 'A'");
    else
        buf_add_c(b, "(PartitionKey lt '@' or PartitionKey ge 'A')");
}

static void add_time_filter(struct buf *b, ticks since)
{
    if (since == TICKS_NONE)
        return;
    buf_add_c(b, " and Timestamp ge ");
    key_literal_time(b, since);
}

struct walk {
    struct storage *storage;
    const struct list_query *query;
    struct pages pages;
    struct block *last; /* the last block with rows */
    hub_emit emit;
    void *ctx;
};

static enum err page_failed(struct walk *w, struct call *call, enum err err)
{
    if (err == ERR_BROKEN)
        return pages_damaged(&w->pages, call);
    if (err == ERR_DAMAGED)
        return call_fail(call, ERR_BROKEN, "table %s: pages are not in the order of their keys",
                         w->storage->instances);
    if (err == ERR_TOO_BIG)
        return call_fail(call, ERR_BROKEN, "table %s: a page has more rows than were asked for",
                         w->storage->instances);
    return call_fail(call, err, "no memory for a listing");
}

static enum err page_emit(struct walk *w, struct call *call)
{
    struct block *block = NULL;
    enum err err = rows_block(pages_body(&w->pages), w->query->what, w->last, &block);

    if (err != OK)
        return page_failed(w, call, err);
    if (!block_count(block)) {
        (void)block_unref(block);
        return OK;
    }
    (void)block_unref(w->last);
    w->last = block_ref(block);
    return w->emit(w->ctx, block);
}

enum err storage_list(struct hub *hub, struct call *call, const struct list_query *query,
                      hub_emit emit, void *ctx)
{
    CLEANUP_BUF struct buf filter = BUF_INIT(FILTER_MAX);
    struct walk w = { .storage = storage_of(hub), .query = query, .emit = emit, .ctx = ctx };
    struct table_query table_query = { .table = str_c(w.storage->instances),
                                       .select = rows_select(query->what) };
    enum err err;

    add_key_filter(&filter, query->what);
    add_time_filter(&filter, query->changed_since);
    if ((err = buf_err(&filter)) != OK)
        return call_fail(call, err, "no memory for a listing");
    table_query.filter = buf_str(&filter);
    pages_init(&w.pages, w.storage, &table_query);
    while ((err = pages_next(&w.pages, call)) == OK && pages_more(&w.pages))
        if ((err = page_emit(&w, call)) != OK)
            break;
    pages_fini(&w.pages);
    (void)block_unref(w.last);
    return err;
}
