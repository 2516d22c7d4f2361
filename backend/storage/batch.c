#include <stdio.h>

#include "backend/base/digest.h"
#include "backend/storage/access.h"
#include "backend/storage/keys.h"
#include "backend/storage/refusal.h"
#include "backend/storage/tables.h"

/* A transaction of deletes. The part names must begin batch_ and changeset_, inner addresses must
 * be absolute and lines end in CRLF (Azurite facts 5.4). */

#define BATCH_BODY_MAX (1 * MIB) /* BATCH_ROWS operations of the longest keys */

struct batch {
    char id[32 + 1];
    struct buf body;
};

static void add_delete(struct batch *b, const struct storage *s, struct str table,
                       struct str partition_key, const struct table_key *row)
{
    buf_printf(&b->body,
               "--changeset_%s\r\nContent-Type: application/http\r\n"
               "Content-Transfer-Encoding: binary\r\n\r\nDELETE ",
               b->id);
    wire_url(&b->body, s, SERVICE_TABLES);
    buf_add_ch(&b->body, '/');
    key_address(&b->body, table, partition_key, row->row_key);
    buf_add_c(&b->body, " HTTP/1.1\r\nAccept: application/json;odata=nometadata\r\nIf-Match: ");
    buf_add(&b->body, row->etag.len ? row->etag : STR("*"));
    buf_add_c(&b->body, "\r\n\r\n");
}

static enum err batch_write(struct batch *b, const struct storage *s, struct str table,
                            struct str partition_key, const struct table_key *rows, size_t n)
{
    guid_new_plain(b->id);
    buf_printf(&b->body,
               "--batch_%s\r\nContent-Type: multipart/mixed; boundary=changeset_%s\r\n\r\n", b->id,
               b->id);
    for (size_t i = 0; i < n; i++)
        add_delete(b, s, table, partition_key, &rows[i]);
    buf_printf(&b->body, "--changeset_%s--\r\n--batch_%s--\r\n", b->id, b->id);
    return buf_err(&b->body);
}

/* Cuts the next inner answer out of *rest: its status, and everything up to the one after it. The
 * status line is searched for, since one answer of the emulator has a stray line before it. */
static bool next_answer(struct str *rest, int *ret_status, struct str *ret_part)
{
    static const char mark[] = "HTTP/1.1 ";
    const char *at = rest->len ? memmem(rest->p, rest->len, mark, sizeof(mark) - 1) : NULL;
    const char *after;
    uint64_t status;

    if (!at)
        return false;
    *rest = str_slice(*rest, (size_t)(at - rest->p) + sizeof(mark) - 1, rest->len);
    if (!str_to_u64(str_slice(*rest, 0, 3), &status))
        return false;
    after = memmem(rest->p, rest->len, mark, sizeof(mark) - 1);
    *ret_part = after ? str_slice(*rest, 0, (size_t)(after - rest->p)) : *rest;
    *ret_status = (int)status;
    return true;
}

/* What stands behind the inner headers, without the boundary behind it. */
static struct str part_body(struct str part)
{
    const char *at = memmem(part.p, part.len, "\r\n\r\n", 4);
    const char *end;
    struct str body;

    if (!at)
        return STR_NONE;
    body = str_slice(part, (size_t)(at - part.p) + 4, part.len);
    end = body.len ? memmem(body.p, body.len, "\r\n--", 4) : NULL;
    return end ? str_slice(body, 0, (size_t)(end - body.p)) : body;
}

static enum err answer_refused(struct storage *s, struct call *call, struct str table, int status,
                               struct str part)
{
    struct refusal why;
    enum err err;

    refusal_read_body(&why, status, part_body(part));
    err = refusal_outcome(&why, CLASS_IDEMPOTENT, access_is_sas(s));
    call->http_status = status;
    snprintf(call->code, sizeof(call->code), "%s", why.code);
    return call_fail(call, err, "deleting rows of table " STR_FMT ": %d %s: %s", STR_ARG(table),
                     status, why.code, why.message);
}

static enum err answers_judge(struct storage *s, struct call *call, struct str table, size_t n,
                              struct str body)
{
    size_t done = 0;
    int status;
    struct str part;

    while (next_answer(&body, &status, &part)) {
        if (status < 200 || status > 299)
            return answer_refused(s, call, table, status, part);
        done++;
    }
    if (done != n)
        return call_fail(call, ERR_BROKEN,
                         "deleting rows of table " STR_FMT ": %zu answers for %zu rows",
                         STR_ARG(table), done, n);
    return OK;
}

enum err tables_delete_batch(struct storage *s, struct call *call, struct str table,
                             struct str partition_key, const struct table_key *rows, size_t n)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct batch b = { .body = BUF_INIT(BATCH_BODY_MAX) };
    struct http_request r = { .method = HTTP_POST, .class = CLASS_IDEMPOTENT };
    char type[80];
    enum err err;

    if (n == 0 || n > BATCH_ROWS)
        return call_fail(call, ERR_BUG, "a transaction of %zu rows", n);
    wire_url(&url, s, SERVICE_TABLES);
    buf_add_c(&url, "/$batch");
    err = batch_write(&b, s, table, partition_key, rows, n);
    if (err == OK)
        err = buf_err(&url);
    if (err == OK) {
        snprintf(type, sizeof(type), "multipart/mixed; boundary=batch_%s", b.id);
        r.url = buf_str(&url);
        r.body = buf_str(&b.body);
        wire_header(&r, "Content-Type", str_c(type));
        err = wire_send(s, call, SERVICE_TABLES, &r, &response);
        if (err == OK)
            err = answers_judge(s, call, table, n, buf_str(&response.body));
    } else {
        err =
            call_fail(call, err, "a transaction on table " STR_FMT " is too long", STR_ARG(table));
    }
    buf_fini(&b.body);
    return err;
}
