#include "backend/storage/purge.h"

#include "backend/base/jsonread.h"
#include "backend/storage/blobs.h"
#include "backend/storage/keys.h"
#include "backend/storage/tables.h"

#define SENTINEL   "sentinel"
#define FILTER_MAX (8 * KIB)
#define KEYS_ONLY  "PartitionKey,RowKey"
/* When the hub is believed to have no payloads, history cells that name one prove the contrary. */
#define KEYS_AND_BLOBS KEYS_ONLY ",InputBlobName,ResultBlobName,ReasonBlobName,DetailsBlobName"

/* Texts one behind the other, each ended by NUL: a history may have two million keys. */
struct names {
    struct buf text;
    size_t count;
};

/* One purge under way. */
struct purge {
    struct storage *s;
    struct call *call;
    const struct instance *in;
    struct names rows; /* RowKeys without the sentinel */
    bool sentinel;
    bool has_payloads; /* a history cell names a blob */
    struct names blobs;
    struct receipt *ret;
};

static enum err names_add(struct names *n, struct call *call, struct str name)
{
    if (name.len && memchr(name.p, 0, name.len))
        return call_fail(call, ERR_BROKEN, "purge: the name of a row or blob holds a NUL");
    buf_add(&n->text, name);
    buf_add_ch(&n->text, '\0');
    enum err err = buf_err(&n->text);
    if (err != OK)
        return call_fail(call, err, "purge: the instance has too many history rows or blobs");
    n->count++;
    return OK;
}

/* The name at *at, which moves behind it; false at the end. */
static bool names_next(const struct names *n, size_t *at, struct str *ret)
{
    if (*at >= n->text.len)
        return false;
    *ret = str_c(n->text.p + *at);
    *at += ret->len + 1;
    return true;
}

/* -- 2: the partition of the history -- */

static void note_payload(struct purge *p, struct jsonread *r)
{
    struct str name;

    p->has_payloads |= jsonread_string(r, &name) && name.len;
}

static enum err read_key(struct purge *p, struct jsonread *r)
{
    struct str name, key = STR_NONE;

    while (jsonread_member(r, &name)) {
        if (str_eq(name, STR("RowKey")))
            (void)jsonread_string(r, &key);
        else if (str_ends(name, STR("BlobName")))
            note_payload(p, r);
        else
            jsonread_skip(r);
    }
    if (str_eq(key, STR(SENTINEL))) {
        p->sentinel = true;
        return OK;
    }
    return key.len ? names_add(&p->rows, p->call, key) : OK;
}

/* *ret_read false: the page is damaged, and nothing was taken from it. */
static enum err read_keys(struct purge *p, struct str page, bool *ret_read)
{
    size_t len = p->rows.text.len, count = p->rows.count;
    struct arena arena;
    struct jsonread r;
    struct str name;
    enum err err = OK;

    arena_init(&arena);
    jsonread_init(&r, page, &arena);
    (void)jsonread_object(&r);
    while (err == OK && jsonread_member(&r, &name)) {
        if (!str_eq(name, STR("value")) || !jsonread_array(&r)) {
            jsonread_skip(&r);
            continue;
        }
        while (err == OK && jsonread_element(&r)) {
            if (jsonread_object(&r))
                err = read_key(p, &r);
            else
                jsonread_skip(&r);
        }
    }
    *ret_read = jsonread_ok(&r);
    if (!*ret_read) {
        p->rows.text.len = len;
        p->rows.count = count;
    }
    arena_fini(&arena);
    return err;
}

static enum err list_history(struct purge *p)
{
    CLEANUP_BUF struct buf filter = BUF_INIT(FILTER_MAX);
    struct table_query query = { .table = str_c(p->s->history),
                                 .select = blobs_none(p->s) ? KEYS_AND_BLOBS : KEYS_ONLY };
    struct pages pages;
    enum err err;

    buf_add_c(&filter, "PartitionKey eq ");
    key_literal(&filter, p->in->row.key);
    if ((err = buf_err(&filter)) != OK)
        return call_fail(p->call, err, "purge: the key is too long");
    query.filter = buf_str(&filter);
    pages_init(&pages, p->s, &query);
    while ((err = pages_next(&pages, p->call)) == OK && pages_more(&pages)) {
        bool read = false;
        err = read_keys(p, pages_body(&pages), &read);
        if (err == OK && !read)
            err = pages_damaged(&pages, p->call);
        if (err != OK)
            break;
    }
    pages_fini(&pages);
    return err;
}

/* -- 3: the blobs -- */

static enum err take_blob(void *ctx, struct str name)
{
    struct purge *p = ctx;

    return names_add(&p->blobs, p->call, name);
}

static enum err list_folder(struct purge *p, struct str folder)
{
    CLEANUP_BUF struct buf prefix = BUF_INIT(KEY_MAX_BYTES);

    /* With its slash, or another instance's blobs would be taken too (vector 105). */
    buf_add(&prefix, folder);
    buf_add_ch(&prefix, '/');
    enum err err = buf_err(&prefix);
    if (err != OK)
        return call_fail(p->call, err, "purge: the id is too long");
    /* Stopping at a slash, since a/ holds the message blobs of a/b (vector 126). */
    return blobs_list(p->s, p->call, CONTAINER_PAYLOADS, buf_str(&prefix), true, take_blob, p);
}

static enum err list_blobs(struct purge *p)
{
    if (p->has_payloads)
        blobs_forget(p->s);
    if (blobs_none(p->s))
        return OK;
    /* History blobs lie under the key, message blobs under the raw id. */
    enum err err = list_folder(p, p->in->row.key);
    if (err == OK && !str_eq(p->in->row.key, p->in->row.id) && !blobs_none(p->s))
        err = list_folder(p, p->in->row.id);
    return err;
}

/* -- 4: the row again -- */

static enum err look_again(struct purge *p, bool *ret_there)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct str etag;
    enum err err = tables_get(p->s, p->call, str_c(p->s->instances), p->in->row.key, STR(""),
                              KEYS_ONLY, &response);

    *ret_there = err == OK;
    if (err == ERR_NOT_FOUND) {
        wire_forgive(p->call);
        return OK;
    }
    if (err != OK)
        return err;
    if (!response_header(&response, "etag", &etag) || !str_eq(etag, p->in->etag))
        return call_fail(p->call, ERR_BUSY,
                         "purge: the instance changed meanwhile, nothing was deleted");
    return OK;
}

/* -- 5: history rows -- */

/* One of them is gone, so the service refused the whole transaction: singly. */
static enum err delete_singly(struct purge *p, const struct table_key *rows, size_t n)
{
    enum err err = OK;

    for (size_t i = 0; i < n && err == OK; i++) {
        err = tables_delete(p->s, p->call, str_c(p->s->history), p->in->row.key, rows[i].row_key,
                            STR("*"));
        if (err == OK)
            p->ret->rows++;
        if (err == ERR_NOT_FOUND) {
            wire_forgive(p->call);
            err = OK;
        }
        call_step(p->call, 1);
    }
    return err;
}

static enum err delete_rows(struct purge *p, const struct table_key *rows, size_t n)
{
    enum err err =
        tables_delete_batch(p->s, p->call, str_c(p->s->history), p->in->row.key, rows, n);

    if (err == ERR_NOT_FOUND) {
        wire_forgive(p->call);
        return delete_singly(p, rows, n);
    }
    if (err != OK)
        return err;
    p->ret->rows += n;
    call_step(p->call, n);
    return OK;
}

static enum err delete_history(struct purge *p)
{
    struct table_key batch[BATCH_ROWS];
    size_t at = 0, n = 0;
    struct str key;
    enum err err = OK;

    while (err == OK && names_next(&p->rows, &at, &key)) {
        batch[n++] = (struct table_key){ .row_key = key, .etag = STR("*") };
        if (n == BATCH_ROWS) {
            err = delete_rows(p, batch, n);
            n = 0;
        }
    }
    /* The sentinel goes last: as long as it is there the rest can be told to be a history. */
    if (err == OK && p->sentinel)
        batch[n++] = (struct table_key){ .row_key = STR(SENTINEL), .etag = STR("*") };
    return err == OK && n ? delete_rows(p, batch, n) : err;
}

/* -- 6 and 7 -- */

static enum err delete_blobs(struct purge *p)
{
    size_t at = 0;
    struct str name;
    enum err err = OK;

    while (err == OK && names_next(&p->blobs, &at, &name)) {
        bool was_there = false;
        err = blobs_delete(p->s, p->call, name, &was_there);
        if (err == OK)
            p->ret->blobs += was_there;
        call_step(p->call, 1);
    }
    return err;
}

static enum err delete_row(struct purge *p)
{
    enum err err =
        tables_delete(p->s, p->call, str_c(p->s->instances), p->in->row.key, STR(""), p->in->etag);

    p->ret->gone = err == OK;
    if (err == ERR_NOT_FOUND) {
        wire_forgive(p->call);
        return OK;
    }
    if (err == ERR_BUSY)
        return call_fail(p->call, ERR_BUSY,
                         "purge: the instance was started again meanwhile, its row stays");
    return err;
}

static enum err run(struct purge *p)
{
    bool there = false;
    enum err err = list_history(p);

    if (err == OK)
        err = list_blobs(p);
    if (err == OK)
        err = look_again(p, &there);
    /* Somebody else has purged it, and the id may be in use again at any moment. */
    if (err != OK || !there)
        return err;
    call_steps(p->call, p->rows.count + p->sentinel + p->blobs.count + 1);
    err = delete_history(p);
    if (err == OK)
        err = delete_blobs(p);
    return err == OK ? delete_row(p) : err;
}

enum err storage_purge(struct hub *hub, struct call *call, const struct instance *in,
                       struct receipt *ret)
{
    struct purge p = { .s = storage_of(hub),
                       .call = call,
                       .in = in,
                       .rows.text = BUF_INIT(PURGE_KEYS_MAX_BYTES),
                       .blobs.text = BUF_INIT(PURGE_KEYS_MAX_BYTES),
                       .ret = ret };

    if (!row_is_finished(&in->row))
        return call_fail(call, ERR_BUSY, "purge: the instance is not finished");
    if (!in->etag.len)
        return call_fail(call, ERR_BUG, "purge: the row came without an ETag");
    enum err err = run(&p);
    buf_fini(&p.rows.text);
    buf_fini(&p.blobs.text);
    return err;
}
