#include "backend/storage/startrow.h"

#include "backend/base/jsonread.h"
#include "backend/base/jsonw.h"
#include "backend/storage/keys.h"
#include "backend/storage/tables.h"

#define ACCEPT_TYPED "application/json;odata=minimalmetadata"

bool start_row_needs_blob(const struct message *m)
{
    return m->has_text && str_utf16_len(m->text) > INPUT_CELL_UTF16;
}

void start_row_blob_name(struct buf *b, struct str key)
{
    unsigned char random[4];

    random_bytes(random, sizeof(random));
    buf_add(b, key);
    buf_printf(b, "/history--Input-%02X%02X%02X%02X-Input.json.gz", random[0], random[1], random[2],
               random[3]);
}

static void put_str(struct jsonw *w, const char *name, struct str s)
{
    jsonw_name(w, name);
    jsonw_str(w, s);
}

/* type_name: the column with @odata.type behind it. */
static void put_time(struct jsonw *w, const char *name, const char *type_name, ticks t)
{
    CLEANUP_BUF struct buf text = BUF_INIT(64);

    ticks_print(&text, t);
    put_str(w, name, buf_str(&text));
    put_str(w, type_name, STR("Edm.DateTime"));
}

static void put_input(struct jsonw *w, const struct message *m, const struct start_row *row)
{
    if (!m->has_text)
        return; /* an absent cell is "no input" */
    if (row->input_url.len) {
        put_str(w, "Input", row->input_url);
    } else if (row->input_blob.len) {
        put_str(w, "Input", STR(""));
        put_str(w, "InputBlobName", row->input_blob);
    } else {
        put_str(w, "Input", m->text);
    }
}

void start_row_json(struct buf *b, const struct storage *s, const struct message *m,
                    const struct start_row *row)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_object(&w);
    put_str(&w, "PartitionKey", row->key);
    put_str(&w, "RowKey", STR(""));
    put_input(&w, m, row);
    put_time(&w, "CreatedTime", "CreatedTime@odata.type", m->time);
    put_str(&w, "Name", m->name);
    put_str(&w, "Version", m->version);
    put_str(&w, "RuntimeStatus", STR("Pending"));
    put_time(&w, "LastUpdatedTime", "LastUpdatedTime@odata.type", row->updated);
    put_str(&w, "TaskHubName", str_c(s->hub.name));
    if (m->scheduled != TICKS_NONE)
        put_time(&w, "ScheduledStartTime", "ScheduledStartTime@odata.type", m->scheduled);
    /* Old workers take a start whose row lacks these two for a duplicate (D#650, D#708). */
    put_str(&w, "ExecutionId", m->execution_id);
    if (m->generation >= 0) {
        jsonw_name(&w, "Generation");
        jsonw_i64(&w, m->generation);
    }
    put_str(&w, "Tags", STR("null"));
    jsonw_object_end(&w);
}

static bool names_execution(struct str row, struct str execution_id)
{
    struct arena arena;
    struct jsonread r;
    struct str name, value = STR_NONE;

    arena_init(&arena);
    jsonread_init(&r, row, &arena);
    (void)jsonread_object(&r);
    while (jsonread_member(&r, &name)) {
        if (str_eq(name, STR("ExecutionId")))
            (void)jsonread_string(&r, &value);
        else
            jsonread_skip(&r);
    }
    bool same = jsonread_ok(&r) && str_eq(value, execution_id);
    arena_fini(&arena);
    return same;
}

enum err start_row_is_ours(struct storage *s, struct call *call, struct str key,
                           struct str execution_id, bool *ret)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    enum err err = tables_get(s, call, str_c(s->instances), key, STR(""), "ExecutionId", &response);

    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        *ret = false;
        return OK;
    }
    if (err == OK)
        *ret = names_execution(buf_str(&response.body), execution_id);
    return err;
}

/* What the service adds, and would refuse or ignore when it comes back. */
static bool is_added(struct str name)
{
    return str_starts(name, STR("odata.")) || str_eq(name, STR("Timestamp")) ||
           str_starts(name, STR("Timestamp@"));
}

static bool copy_members(struct str row, struct buf *ret)
{
    struct arena arena;
    struct jsonread r;
    struct str name;
    bool first = true;

    arena_init(&arena);
    jsonread_init(&r, row, &arena);
    (void)jsonread_object(&r);
    buf_add_ch(ret, '{');
    while (jsonread_member(&r, &name)) {
        struct str value = jsonread_raw(&r);
        if (is_added(name) || str_eq(value, STR("null")))
            continue;
        if (!first)
            buf_add_ch(ret, ',');
        first = false;
        json_quote(ret, name);
        buf_add_ch(ret, ':');
        buf_add(ret, value);
    }
    buf_add_ch(ret, '}');
    bool good = jsonread_ok(&r);
    arena_fini(&arena);
    return good;
}

enum err start_row_copy(struct storage *s, struct call *call, struct str key, struct str etag,
                        struct buf *ret)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ };
    struct str now = STR_NONE;

    wire_url(&url, s, SERVICE_TABLES);
    buf_add_ch(&url, '/');
    key_address(&url, str_c(s->instances), key, STR(""));
    enum err err = buf_err(&url);
    if (err != OK)
        return call_fail(call, err, "the key of a row does not fit into an address");
    r.url = buf_str(&url);
    wire_header(&r, "Accept", STR(ACCEPT_TYPED));
    err = wire_send(s, call, SERVICE_TABLES, &r, &response);
    if (err != OK)
        return err;
    if (response_header(&response, "etag", &now) && etag.len && !str_eq(now, etag))
        return call_fail(call, ERR_EXISTS, "the instance changed meanwhile");
    if (!copy_members(buf_str(&response.body), ret) || buf_err(ret) != OK)
        return call_fail(call, ERR_BROKEN, "the instance's row cannot be read");
    return OK;
}

enum err start_row_undo(struct storage *s, struct call *call, struct str key,
                        struct str execution_id, struct str old)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct str table = str_c(s->instances), etag = STR_NONE;
    enum err err = tables_get(s, call, table, key, STR(""), "ExecutionId", &response);

    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        return OK;
    }
    if (err != OK)
        return err;
    if (!names_execution(buf_str(&response.body), execution_id))
        return OK; /* somebody else's by now */
    if (!response_header(&response, "etag", &etag) || !etag.len)
        return call_fail(call, ERR_BROKEN, "the row came without an ETag");
    return old.len ? tables_replace(s, call, table, key, STR(""), etag, old)
                   : tables_delete(s, call, table, key, STR(""), etag);
}
