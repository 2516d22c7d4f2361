#include "backend/storage/fetch.h"

#include "backend/storage/rows.h"

#define FILTER_MAX (3 * KEY_MAX_BYTES) /* two keys and short literals */

void fetch_init(struct fetch *f, struct storage *s, const struct list_query *query,
                struct lock *lock, struct ranges *ranges)
{
    *f = (struct fetch){ .storage = s, .query = query, .lock = lock, .ranges = ranges };
    buf_init(&f->filter, FILTER_MAX);
    buf_init(&f->until, KEY_MAX_BYTES);
}

static void fetch_close(struct fetch *f)
{
    if (f->open)
        pages_fini(&f->pages);
    f->open = false;
}

void fetch_fini(struct fetch *f)
{
    fetch_close(f);
    f->last = block_unref(f->last);
    buf_fini(&f->filter);
    buf_fini(&f->until);
}

void fetch_begin(struct fetch *f, struct range *range)
{
    fetch_close(f);
    f->last = block_unref(f->last);
    f->range = range;
}

/* Bounds, then what lies between them and is not wanted. */
static void filter_make(struct fetch *f)
{
    const struct range *range = f->range;
    struct str upper = buf_str(&range->upper);
    struct str from = range->cursor.len ? buf_str(&range->cursor) : buf_str(&range->lower);

    buf_clear(&f->filter);
    if (range->cursor.len)
        key_term(&f->filter, "PartitionKey", "gt", from);
    else if (from.len)
        key_term(&f->filter, "PartitionKey", "ge", from);
    if (upper.len)
        key_term(&f->filter, "PartitionKey", "lt", upper);
    if (f->query->what != LIST_ENTITIES)
        key_term_no_entities(&f->filter, from, upper);
    if (f->query->changed_since != TICKS_NONE) {
        buf_printf(&f->filter, "%sTimestamp ge ", f->filter.len ? " and " : "");
        key_literal_time(&f->filter, f->query->changed_since);
    }
    f->version = range->version;
}

/* Asks anew behind the last key when the range lost its upper part, so that none of it is sent. */
static enum err fetch_open(struct fetch *f, struct call *call)
{
    struct table_query query = { .table = str_c(f->storage->instances),
                                 .select = rows_select(f->query->what) };

    {
        LOCK_SCOPE(f->lock);
        if (f->open && f->version == f->range->version)
            return OK;
        fetch_close(f);
        filter_make(f);
    }
    if (buf_err(&f->filter) != OK)
        return call_fail(call, buf_err(&f->filter), "no room for the filter of a listing");
    query.filter = buf_str(&f->filter);
    pages_init(&f->pages, f->storage, &query);
    f->open = true;
    return OK;
}

static enum err page_failed(struct fetch *f, struct call *call, enum err err)
{
    const char *table = f->storage->instances;

    if (err == ERR_BROKEN)
        return pages_damaged(&f->pages, call);
    if (err == ERR_DAMAGED)
        return call_fail(call, ERR_BROKEN, "table %s: pages are not in the order of their keys",
                         table);
    if (err == ERR_TOO_BIG)
        return call_fail(call, ERR_BROKEN, "table %s: a page has more rows than were asked for",
                         table);
    return call_fail(call, err, "no memory for a listing");
}

/* From here to add_page the range is not split: what is read is judged by this bound. */
static void seal(struct fetch *f)
{
    LOCK_SCOPE(f->lock);
    f->range->sealed = true;
    buf_clear(&f->until);
    buf_add(&f->until, buf_str(&f->range->upper));
}

static void unseal(struct fetch *f)
{
    LOCK_SCOPE(f->lock);
    f->range->sealed = false;
}

static enum err add_page(struct fetch *f, struct call *call, struct block *block, bool more)
{
    enum err err;

    if (block && block_count(block)) {
        (void)block_unref(f->last);
        f->last = block_ref(block);
    }
    {
        LOCK_SCOPE(f->lock);
        err = ranges_add(f->ranges, f->range, block, more);
    }
    return err == OK ? OK : call_fail(call, err, "no memory for a listing");
}

enum err fetch_page(struct fetch *f, struct call *call, bool *ret_more)
{
    struct rows_wanted wanted = { .what = f->query->what, .previous = f->last };
    struct block *block = NULL;
    bool past = false;
    enum err err = fetch_open(f, call);

    *ret_more = true;
    if (err == OK)
        err = pages_next(&f->pages, call);
    if (err != OK)
        return err;
    if (!pages_more(&f->pages)) {
        *ret_more = false;
        return add_page(f, call, NULL, false);
    }
    seal(f);
    wanted.until = buf_str(&f->until);
    err = rows_block(pages_body(&f->pages), &wanted, &block, &past);
    if (err != OK) {
        unseal(f);
        return page_failed(f, call, err);
    }
    *ret_more = pages_has_next(&f->pages) && !past;
    return add_page(f, call, block, *ret_more);
}
