#include "backend/storage/sign.h"

#include <stdio.h>

#include "backend/base/digest.h"

#define PARAMETERS_MAX 16 /* of one query; ours have at most six */

/* The path with its percent escapes, and the query without '?', of an absolute URL. */
static void url_split(struct str url, struct str *ret_path, struct str *ret_query)
{
    size_t at = 0;

    while (at + 2 < url.len && memcmp(url.p + at, "://", 3) != 0)
        at++;
    at += 3;
    while (at < url.len && url.p[at] != '/' && url.p[at] != '?')
        at++;
    *ret_query = str_slice(url, at, url.len);
    *ret_path = str_cut(ret_query, '?');
}

static struct str header_value(const struct http_request *r, const char *name)
{
    for (int i = 0; i < HTTP_HEADERS && r->headers[i].name; i++)
        if (str_eq_nocase(str_c(r->headers[i].name), str_c(name)))
            return str_trim(r->headers[i].value);
    return STR_NONE;
}

static void add_line(struct buf *b, struct str line)
{
    buf_add(b, line);
    buf_add_ch(b, '\n');
}

static void add_resource(struct buf *b, const struct account *a, struct str path)
{
    buf_add_ch(b, '/');
    buf_add_c(b, a->name);
    buf_add(b, path.len ? path : STR("/"));
}

void sign_text_tables(struct buf *b, const struct account *a, const struct http_request *r,
                      const struct sign_moment *moment)
{
    struct str path, query;

    url_split(r->url, &path, &query);
    add_line(b, str_c(http_method_name(r->method)));
    add_line(b, header_value(r, "Content-MD5"));
    add_line(b, header_value(r, "Content-Type"));
    add_line(b, moment->date);
    add_resource(b, a, path);
    while (query.len) {
        struct str value = str_cut(&query, '&');
        struct str name = str_cut(&value, '=');

        if (str_eq(name, STR("comp"))) {
            buf_add_c(b, "?comp=");
            buf_add(b, value);
        }
    }
}

/* -- blobs and queues -- */

static bool sends_body(const struct http_request *r)
{
    return r->method == HTTP_PUT || r->method == HTTP_POST || r->method == HTTP_MERGE;
}

static void add_standard_headers(struct buf *b, const struct http_request *r)
{
    static const char *const names[] = { "Content-MD5",         "Content-Type", "",
                                         "If-Modified-Since",   "If-Match",     "If-None-Match",
                                         "If-Unmodified-Since", "Range" };

    add_line(b, str_c(http_method_name(r->method)));
    add_line(b, header_value(r, "Content-Encoding"));
    add_line(b, header_value(r, "Content-Language"));
    if (sends_body(r) && r->body.len)
        buf_printf(b, "%zu", r->body.len);
    buf_add_ch(b, '\n');
    for (size_t i = 0; i < ARRAY_LEN(names); i++) /* "" is Date: x-ms-date stands for it */
        add_line(b, names[i][0] ? header_value(r, names[i]) : STR_NONE);
}

struct pair {
    struct str name, value;
};

static bool pair_before(const struct pair *x, const struct pair *y)
{
    int order = str_cmp(x->name, y->name);

    return order ? order < 0 : str_cmp(x->value, y->value) < 0;
}

/* By insertion: there are a handful. */
static void pairs_sort(struct pair *pairs, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k && pair_before(&pairs[k], &pairs[k - 1]); k--) {
            struct pair swap = pairs[k];

            pairs[k] = pairs[k - 1];
            pairs[k - 1] = swap;
        }
}

static void add_lower(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        buf_add_ch(b, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i]);
}

/* Our own header names are written in lower case, so they sort as they are. */
static void add_service_headers(struct buf *b, const struct http_request *r,
                                const struct sign_moment *moment)
{
    struct pair pairs[HTTP_HEADERS + 2];
    size_t n = 0;

    for (int i = 0; i < HTTP_HEADERS && r->headers[i].name; i++)
        if (str_starts(str_c(r->headers[i].name), STR("x-ms-")))
            pairs[n++] = (struct pair){ str_c(r->headers[i].name), str_trim(r->headers[i].value) };
    pairs[n++] = (struct pair){ STR("x-ms-date"), moment->date };
    pairs[n++] = (struct pair){ STR("x-ms-version"), moment->version };
    pairs_sort(pairs, n);
    for (size_t i = 0; i < n; i++) {
        buf_add(b, pairs[i].name);
        buf_add_ch(b, ':');
        add_line(b, pairs[i].value);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void add_decoded(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        int high = i + 2 < s.len && s.p[i] == '%' ? hex_digit(s.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;

        if (low >= 0) {
            buf_add_ch(b, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_add_ch(b, s.p[i]);
        }
    }
}

/* Parameters sorted by name, names in lower case, values decoded, equal names joined. */
static enum err add_parameters(struct buf *b, struct str query)
{
    struct pair pairs[PARAMETERS_MAX];
    size_t n = 0;

    while (query.len) {
        struct str value = str_cut(&query, '&');
        struct str name = str_cut(&value, '=');

        if (n == PARAMETERS_MAX)
            return ERR_BUG;
        pairs[n++] = (struct pair){ name, value };
    }
    pairs_sort(pairs, n);
    for (size_t i = 0; i < n; i++) {
        if (i && str_eq(pairs[i].name, pairs[i - 1].name)) {
            buf_add_ch(b, ',');
        } else {
            buf_add_ch(b, '\n');
            add_lower(b, pairs[i].name);
            buf_add_ch(b, ':');
        }
        add_decoded(b, pairs[i].value);
    }
    return OK;
}

enum err sign_text_blobs(struct buf *b, const struct account *a, const struct http_request *r,
                         const struct sign_moment *moment)
{
    struct str path, query;

    url_split(r->url, &path, &query);
    add_standard_headers(b, r);
    add_service_headers(b, r, moment);
    add_resource(b, a, path);
    return add_parameters(b, query);
}

enum err sign_request(struct buf *b, const struct account *a, enum service service,
                      const struct http_request *r, const struct sign_moment *moment)
{
    CLEANUP_BUF struct buf text = BUF_INIT(SIGN_TEXT_MAX);
    unsigned char mac[32];
    enum err err = OK;

    if (service == SERVICE_TABLES)
        sign_text_tables(&text, a, r, moment);
    else
        err = sign_text_blobs(&text, a, r, moment);
    if (err == OK)
        err = buf_err(&text);
    if (err != OK)
        return err;
    err = digest_hmac_sha256(secret_reveal(&a->key), buf_str(&text), mac);
    if (err != OK)
        return err;
    buf_add_c(b, "SharedKey ");
    buf_add_c(b, a->name);
    buf_add_ch(b, ':');
    base64_encode(b, (struct str){ (const char *)mac, sizeof(mac) });
    return buf_err(b);
}
