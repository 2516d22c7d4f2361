#include "backend/storage/tables.h"

#include "backend/base/jsonread.h"
#include "backend/base/log.h"
#include "backend/storage/keys.h"

#define SAME_TOKEN_MAX 3 /* F36 */
#define DAMAGED_MAX    3 /* a page that cannot be read is asked for so often (B29) */
#define TOKEN_MAX      (8 * KIB)

static enum err url_failed(struct call *call, enum err err)
{
    return call_fail(call, err, "the keys of a row do not fit into an address");
}

/* Begins the URL of a row. */
static enum err row_url(struct buf *url, const struct storage *s, struct call *call,
                        struct str table, struct str partition_key, struct str row_key)
{
    enum err err;

    wire_url(url, s, SERVICE_TABLES);
    buf_add_ch(url, '/');
    key_address(url, table, partition_key, row_key);
    err = buf_err(url);
    return err == OK ? OK : url_failed(call, err);
}

enum err tables_get(struct storage *s, struct call *call, struct str table,
                    struct str partition_key, struct str row_key, const char *select,
                    struct http_response *ret)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ };
    enum err err = row_url(&url, s, call, table, partition_key, row_key);

    if (err != OK)
        return err;
    if (select) {
        buf_add_c(&url, "?$select=");
        buf_add_url(&url, str_c(select), ",");
    }
    if ((err = buf_err(&url)) != OK)
        return url_failed(call, err);
    r.url = buf_str(&url);
    return wire_send(s, call, SERVICE_TABLES, &r, ret);
}

/* Sends a write whose answer matters by its status only. */
static enum err send_write(struct storage *s, struct call *call, struct http_request *r,
                           struct str json)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;

    r->class = CLASS_IDEMPOTENT;
    if (r->method != HTTP_DELETE) {
        r->body = json;
        wire_header(r, "Content-Type", STR("application/json"));
        wire_header(r, "Prefer", STR("return-no-content"));
    }
    return wire_send(s, call, SERVICE_TABLES, r, &response);
}

enum err tables_insert(struct storage *s, struct call *call, struct str table, struct str json)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    struct http_request r = { .method = HTTP_POST };
    enum err err;

    wire_url(&url, s, SERVICE_TABLES);
    buf_add_ch(&url, '/');
    buf_add_url(&url, table, "");
    if ((err = buf_err(&url)) != OK)
        return url_failed(call, err);
    r.url = buf_str(&url);
    return send_write(s, call, &r, json);
}

static enum err write_row(struct storage *s, struct call *call, enum http_method method,
                          struct str table, struct str partition_key, struct str row_key,
                          struct str etag, struct str json)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    struct http_request r = { .method = method };
    enum err err = row_url(&url, s, call, table, partition_key, row_key);

    if (err != OK)
        return err;
    r.url = buf_str(&url);
    wire_header(&r, "If-Match", etag.len ? etag : STR("*"));
    return send_write(s, call, &r, json);
}

enum err tables_merge(struct storage *s, struct call *call, struct str table,
                      struct str partition_key, struct str row_key, struct str etag,
                      struct str json)
{
    return write_row(s, call, HTTP_MERGE, table, partition_key, row_key, etag, json);
}

enum err tables_replace(struct storage *s, struct call *call, struct str table,
                        struct str partition_key, struct str row_key, struct str etag,
                        struct str json)
{
    return write_row(s, call, HTTP_PUT, table, partition_key, row_key, etag, json);
}

enum err tables_delete(struct storage *s, struct call *call, struct str table,
                       struct str partition_key, struct str row_key, struct str etag)
{
    return write_row(s, call, HTTP_DELETE, table, partition_key, row_key, etag, STR_NONE);
}

enum err tables_drop(struct storage *s, struct call *call, struct str table, bool *ret_was_there)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_DELETE, .class = CLASS_IDEMPOTENT };
    enum err err;

    wire_url(&url, s, SERVICE_TABLES);
    buf_add_c(&url, "/Tables('");
    buf_add_url(&url, table, "");
    buf_add_c(&url, "')");
    if ((err = buf_err(&url)) != OK)
        return url_failed(call, err);
    r.url = buf_str(&url);
    return wire_deleted(call, wire_send(s, call, SERVICE_TABLES, &r, &response), ret_was_there);
}

/* -- pages -- */

void pages_init(struct pages *p, struct storage *s, const struct table_query *query)
{
    *p = (struct pages){
        .storage = s,
        .query = *query,
        .response = RESPONSE_INIT,
        .next_partition = BUF_INIT(TOKEN_MAX),
        .next_row = BUF_INIT(TOKEN_MAX),
        .token_query = BUF_INIT(3 * 2 * TOKEN_MAX),
        .seen = BUF_INIT(3 * 2 * TOKEN_MAX),
        .seen_for = 1,
    };
}

void pages_fini(struct pages *p)
{
    response_fini(&p->response);
    buf_fini(&p->next_partition);
    buf_fini(&p->next_row);
    buf_fini(&p->token_query);
    buf_fini(&p->seen);
}

static enum err page_url(const struct pages *p, struct call *call, struct buf *url)
{
    enum err err;

    wire_url(url, p->storage, SERVICE_TABLES);
    buf_add_ch(url, '/');
    buf_add_url(url, p->query.table, "");
    buf_printf(url, "()?$top=%d", p->query.top ? p->query.top : PAGE_ROWS);
    if (p->query.select) {
        buf_add_c(url, "&$select=");
        buf_add_url(url, str_c(p->query.select), ",");
    }
    if (p->query.filter.len) {
        buf_add_c(url, "&$filter=");
        buf_add_url(url, p->query.filter, "'()@");
    }
    buf_add(url, buf_str(&p->token_query));
    err = buf_err(url);
    return err == OK ? OK
                     : call_fail(call, err, "a query of table " STR_FMT " is too long",
                                 STR_ARG(p->query.table));
}

static enum err page_fetch(struct pages *p, struct call *call)
{
    CLEANUP_BUF struct buf url = BUF_INIT(2 * WIRE_URL_MAX);
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ };
    enum err err = page_url(p, call, &url);

    response_fini(&p->response);
    p->response = (struct http_response)RESPONSE_INIT;
    if (err != OK)
        return err;
    r.url = buf_str(&url);
    err = wire_send(p->storage, call, SERVICE_TABLES, &r, &p->response);
    if (err == OK)
        call_progress(call);
    return err;
}

static void token_take(struct pages *p)
{
    struct str partition = STR_NONE, row = STR_NONE;

    p->has_next = response_header(&p->response, "x-ms-continuation-nextpartitionkey", &partition);
    p->has_row = response_header(&p->response, "x-ms-continuation-nextrowkey", &row);
    buf_clear(&p->next_partition);
    buf_clear(&p->next_row);
    buf_add(&p->next_partition, partition);
    buf_add(&p->next_row, row);
}

/* Makes the token that came the one to ask with. A circle of any length is seen because an older
 * token, renewed at growing distances, must come again in it. */
static enum err token_advance(struct pages *p, struct call *call)
{
    buf_clear(&p->token_query);
    buf_add_c(&p->token_query, "&NextPartitionKey=");
    buf_add_url(&p->token_query, buf_str(&p->next_partition), "");
    if (p->has_row) {
        buf_add_c(&p->token_query, "&NextRowKey=");
        buf_add_url(&p->token_query, buf_str(&p->next_row), "");
    }
    if (buf_err(&p->token_query) != OK || buf_err(&p->next_partition) != OK ||
        buf_err(&p->next_row) != OK)
        return call_fail(call, ERR_BROKEN, "table " STR_FMT ": a continuation token is too long",
                         STR_ARG(p->query.table));
    if (p->seen.len && str_eq(buf_str(&p->seen), buf_str(&p->token_query))) {
        if (++p->repeats >= SAME_TOKEN_MAX)
            return call_fail(call, ERR_BROKEN,
                             "table " STR_FMT ": the listing goes round in circles (the same "
                             "continuation token %d times)",
                             STR_ARG(p->query.table), SAME_TOKEN_MAX + 1);
    } else if (++p->steps >= p->seen_for) {
        buf_clear(&p->seen);
        buf_add(&p->seen, buf_str(&p->token_query));
        p->steps = 0;
        p->seen_for *= 2;
        p->repeats = 0;
    }
    return OK;
}

/* {"value":[]}: told from the first bytes. */
bool pages_is_empty(const struct pages *p)
{
    struct arena arena;
    struct jsonread r;
    struct str name;
    bool empty = false;

    arena_init(&arena);
    jsonread_init(&r, pages_body(p), &arena);
    if (jsonread_object(&r) && jsonread_member(&r, &name) && str_eq(name, STR("value")) &&
        jsonread_array(&r))
        empty = !jsonread_element(&r) && jsonread_ok(&r);
    arena_fini(&arena);
    return empty;
}

enum err pages_next(struct pages *p, struct call *call)
{
    enum err err = OK;

    if (p->end)
        return OK;
    if (p->again) {
        p->again = false;
    } else if (p->started && !p->has_next) {
        p->end = true;
        return OK;
    } else {
        p->damaged = 0;
        p->reread = false;
        if (p->started && (err = token_advance(p, call)) != OK)
            return err;
        p->started = true;
    }
    if ((err = page_fetch(p, call)) != OK)
        return err;
    token_take(p);
    /* A token leads to something; an emulator that does not know the token says "nothing, the end".
     */
    if (!p->has_next && p->token_query.len && !p->reread && pages_is_empty(p)) {
        p->reread = true;
        if ((err = page_fetch(p, call)) != OK)
            return err;
        token_take(p);
        if (!p->has_next && pages_is_empty(p))
            log_info("table " STR_FMT ": the last page is empty, twice", STR_ARG(p->query.table));
    }
    return OK;
}

bool pages_more(const struct pages *p)
{
    return !p->end;
}

bool pages_has_next(const struct pages *p)
{
    return p->has_next;
}

struct str pages_body(const struct pages *p)
{
    return buf_str(&p->response.body);
}

enum err pages_damaged(struct pages *p, struct call *call)
{
    if (++p->damaged >= DAMAGED_MAX)
        return call_fail(call, ERR_BROKEN,
                         "table " STR_FMT ": a page is not what the service calls JSON, %d times",
                         STR_ARG(p->query.table), DAMAGED_MAX);
    p->again = true;
    return OK;
}
