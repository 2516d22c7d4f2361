#include "backend/net/answer.h"

#include "backend/base/limits.h"

void answer_init(struct answer *a, const struct http_request *r, struct str client_id,
                 struct http_response *response)
{
    *a = (struct answer){
        .response = response, .client_id = client_id, .class = r->class, .max_body = r->max_body
    };
    response->status = 0;
    buf_clear(&response->body);
    buf_clear(&response->headers);
    response->body.max = r->max_body;
    response->headers.max = 2 * HTTP_HEADERS_MAX_BYTES; /* answer_line counts */
}

static bool refuse(struct answer *a, const char *why)
{
    a->bad = why;
    return false;
}

/* What may stand there once only; lists like Vary and Via may be split (RFC 9110, 5.3). */
static bool is_single(struct str name)
{
    static const char *const names[] = { "content-length", "content-type", "content-encoding",
                                         "date",           "etag",         "last-modified",
                                         "location",       "retry-after" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(name, str_c(names[i])))
            return true;
    return str_starts(name, STR("x-ms-"));
}

static bool status_line(struct answer *a, struct str line)
{
    str_cut(&line, ' ');
    uint64_t status = 0;
    if (!str_to_u64(str_slice(str_trim(line), 0, 3), &status) || status < 100)
        return refuse(a, "its status line has no status");
    /* We never ask for one (no Expect, no Upgrade): something in between makes answers up. */
    if (status < 200)
        return refuse(a, "an interim answer that nobody asked for");
    a->response->status = (int)status;
    return true;
}

static void add_lower(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        buf_add_ch(b, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i]);
}

static bool header_line(struct answer *a, struct str line)
{
    struct buf *headers = &a->response->headers;
    size_t colon = 0;
    while (colon < line.len && line.p[colon] != ':')
        colon++;
    if (colon == 0 || colon == line.len || line.p[0] == ' ' || line.p[0] == '\t')
        return refuse(a, "a header without a name");
    CLEANUP_BUF struct buf name = BUF_INIT(HTTP_HEADERS_MAX_BYTES);
    add_lower(&name, str_trim(str_slice(line, 0, colon)));
    if (buf_err(&name) != OK)
        return false;
    struct str value = str_trim(str_slice(line, colon + 1, line.len)), before;
    if (is_single(buf_str(&name)) && response_header(a->response, buf_c(&name), &before))
        return refuse(a, "a header that stands there twice");
    if (str_eq(buf_str(&name), STR(CLIENT_ID_HEADER)) && !str_eq_nocase(value, a->client_id)) {
        a->mixed_up = true;
        return false;
    }
    buf_add(headers, buf_str(&name));
    buf_add(headers, STR(": "));
    buf_add(headers, value);
    buf_add_ch(headers, '\n');
    return buf_err(headers) == OK; /* half a head would be another answer */
}

/* An error's status counts, however long its explanation. */
static void head_ends(struct answer *a)
{
    a->head = true;
    if (a->response->status >= 300) {
        a->max_body = ERROR_BODY_MAX;
        a->response->body.max = ERROR_BODY_MAX;
    }
}

bool answer_line(struct answer *a, struct str line)
{
    a->head_bytes += line.len;
    if (a->head_bytes > HTTP_HEADERS_MAX_BYTES)
        return refuse(a, "headers above 64 KiB");
    if (a->head) /* a trailer of a chunked body */
        return true;
    if (str_starts(line, STR("HTTP/")) && a->response->status == 0)
        return status_line(a, line);
    line = str_trim(line);
    if (line.len > 0)
        return header_line(a, line);
    head_ends(a);
    return true;
}

bool answer_body(struct answer *a, struct str bytes)
{
    struct buf *body = &a->response->body;
    size_t room = a->max_body - body->len;
    if (bytes.len <= room) {
        buf_add(body, bytes);
        return body->err == OK;
    }
    if (a->class == CLASS_ONCE || a->response->status >= 300) {
        buf_add(body, str_slice(bytes, 0, room));
        a->cut = true;
    } else {
        a->too_big = true;
    }
    return false;
}
