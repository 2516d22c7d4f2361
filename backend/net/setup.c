#include "backend/net/setup.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "backend/base/limits.h"
#include "backend/net/target.h"

/* A peer that does not even acknowledge is gone: a NAT forgot us (F18). Retried within L7. */
#define UNACKED_MS 5000

static bool add_line(struct curl_slist **lines, const char *line)
{
    struct curl_slist *more = curl_slist_append(*lines, line);
    if (!more)
        return false;
    *lines = more;
    return true;
}

static bool add_header(struct curl_slist **lines, struct str name, struct str value)
{
    CLEANUP_BUF struct buf line = BUF_INIT(HTTP_HEADERS_MAX_BYTES);
    buf_add(&line, name);
    /* curl sends a header without a value only if it is written so. */
    buf_add_c(&line, value.len > 0 ? ": " : ";");
    buf_add(&line, value);
    return buf_err(&line) == OK && add_line(lines, buf_c(&line));
}

static bool add_signed_lines(struct curl_slist **lines, struct str text)
{
    while (text.len > 0) {
        struct str line = str_cut(&text, '\n');
        struct str name = str_cut(&line, ':');
        if (name.len > 0 && !add_header(lines, name, str_trim(line)))
            return false;
    }
    return true;
}

static bool add_headers(struct curl_slist **lines, const struct exchange_plan *plan)
{
    const struct http_request *r = plan->request;
    bool typed = false;
    for (size_t i = 0; i < HTTP_HEADERS && r->headers[i].name; i++) {
        struct str name = str_c(r->headers[i].name);
        typed = typed || str_eq_nocase(name, STR("Content-Type"));
        if (!add_header(lines, name, r->headers[i].value))
            return false;
    }
    if (!add_signed_lines(lines, plan->signed_lines))
        return false;
    /* curl's own: Expect costs a round trip and provokes interim answers; its form type for a POST
     * is not what the body is. */
    return add_line(lines, "Expect:") && (typed || add_line(lines, "Content-Type:"));
}

/* libcurl copies texts and needs memory for them. Without its method a DELETE would go out as a GET
 * and its answer be taken for a success (F51). */
static bool set_text(CURL *easy, CURLoption option, const char *text)
{
    return curl_easy_setopt(easy, option, text) == CURLE_OK;
}

static bool set_method(CURL *easy, const struct http_request *r)
{
    switch (r->method) {
    case HTTP_GET:
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return true;
    case HTTP_HEAD:
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return true;
    case HTTP_DELETE:
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return set_text(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
    case HTTP_PUT:
    case HTTP_POST:
    case HTTP_MERGE:
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body.len > 0 ? r->body.p : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        return r->method == HTTP_POST ||
               set_text(easy, CURLOPT_CUSTOMREQUEST, http_method_name(r->method));
    }
    return false;
}

static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    unsigned ms = UNACKED_MS;
    /* Only helps: without it the deadline finds the dead peer. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    return CURL_SOCKOPT_OK;
}

static bool set_connection(CURL *easy, const struct exchange_plan *plan)
{
    struct target target;
    bool ok = true;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_CACHE_S);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)plan->connect_ms);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
#if LIBCURL_VERSION_NUM >= 0x075500
    ok = set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A caller that leaves must not wait for a resolver that does not answer (F2, R5). */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    if (target_parse(plan->request->url, &target) && target.loopback)
        ok = set_text(easy, CURLOPT_PROXY, "") && ok;
    return ok;
}

static void set_class(CURL *easy, const struct exchange_plan *plan)
{
    if (plan->request->class == CLASS_ONCE) {
        /* libcurl silently sends a POST again when a kept connection dies before the answer (R2).
         * No slowness limit: giving up early would only lose the outcome. */
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, plan->tuning->slow_bytes_per_s);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, plan->tuning->slow_s);
}

bool setup_request(CURL *easy, const struct exchange_plan *plan, struct curl_slist **lines)
{
    if (!add_headers(lines, plan) || !set_connection(easy, plan) ||
        !set_method(easy, plan->request))
        return false;
    set_class(easy, plan);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *lines);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    return set_text(easy, CURLOPT_USERAGENT, "taskhubfs/" TASKHUBFS_VERSION) &&
           set_text(easy, CURLOPT_URL, plan->url);
}
