#include "backend/net/exchange.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "backend/base/clock.h"
#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "backend/net/answer.h"
#include "backend/net/certificate.h"
#include "backend/net/target.h"

/* A peer that does not even acknowledge is gone: a NAT forgot us (F18). Retried within L7. */
#define UNACKED_MS 5000

struct exchange {
    CURLM *multi;
    CURL *easy;
    struct call *call;
    const struct exchange_plan *plan;
    struct answer answer;
    struct curl_slist *lines;
    bool began;          /* a connection stands and the request is about to go */
    long request_base;   /* bytes curl counted before it (a proxy's CONNECT) */
    int64_t grace_until; /* R5; 0 = not interrupted */
    char errors[CURL_ERROR_SIZE];
};

static bool is_once(const struct exchange *x)
{
    return x->plan->request->class == CLASS_ONCE;
}

static bool is_sent(const struct exchange *x)
{
    long bytes = 0;
    return x->began && curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &bytes) == CURLE_OK &&
           bytes > x->request_base;
}

/* -- what curl calls -- */

/* curl may begin twice for reads and idempotent writes, when a kept connection turns out dead. */
static int on_begin(void *ctx, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct exchange *x = ctx;
    x->began = true;
    curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &x->request_base);
    return CURL_PREREQFUNC_OK;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    return answer_line(&x->answer, (struct str){ p, size * n }) ? size * n : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    call_progress(x->call);
    return answer_body(&x->answer, (struct str){ p, size * n }) ? size * n : 0;
}

static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    unsigned ms = UNACKED_MS;
    /* Only helps: without it the deadline finds the dead peer. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    return CURL_SOCKOPT_OK;
}

/* -- the request -- */

static bool add_line(struct exchange *x, const char *line)
{
    struct curl_slist *more = curl_slist_append(x->lines, line);
    if (!more)
        return false;
    x->lines = more;
    return true;
}

static bool add_header(struct exchange *x, struct str name, struct str value)
{
    CLEANUP_BUF struct buf line = BUF_INIT(HTTP_HEADERS_MAX_BYTES);
    buf_add(&line, name);
    /* curl sends a header without a value only if it is written so. */
    buf_add_c(&line, value.len > 0 ? ": " : ";");
    buf_add(&line, value);
    return buf_err(&line) == OK && add_line(x, buf_c(&line));
}

static bool add_signed_lines(struct exchange *x, struct str lines)
{
    while (lines.len > 0) {
        struct str line = str_cut(&lines, '\n');
        struct str name = str_cut(&line, ':');
        if (name.len > 0 && !add_header(x, name, str_trim(line)))
            return false;
    }
    return true;
}

static bool build_headers(struct exchange *x)
{
    const struct http_request *r = x->plan->request;
    bool typed = false;
    for (size_t i = 0; i < HTTP_HEADERS && r->headers[i].name; i++) {
        struct str name = str_c(r->headers[i].name);
        typed = typed || str_eq_nocase(name, STR("Content-Type"));
        if (!add_header(x, name, r->headers[i].value))
            return false;
    }
    if (!add_signed_lines(x, x->plan->signed_lines))
        return false;
    /* curl's own: Expect costs a round trip and provokes interim answers; its form type for a POST
     * is not what the body is. */
    return add_line(x, "Expect:") && (typed || add_line(x, "Content-Type:"));
}

static void set_method(CURL *easy, const struct http_request *r)
{
    switch (r->method) {
    case HTTP_GET:
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return;
    case HTTP_HEAD:
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    case HTTP_DELETE:
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
        return;
    case HTTP_PUT:
    case HTTP_POST:
    case HTTP_MERGE:
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body.len > 0 ? r->body.p : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        if (r->method != HTTP_POST)
            curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, http_method_name(r->method));
        return;
    }
}

static void set_connection(CURL *easy, const struct exchange_plan *plan)
{
    struct target target;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_CACHE_S);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)plan->connect_ms);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A caller that leaves must not wait for a resolver that does not answer (F2, R5). */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    if (target_parse(plan->request->url, &target) && target.loopback)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
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

static void set_callbacks(struct exchange *x)
{
    curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->errors);
    curl_easy_setopt(x->easy, CURLOPT_PREREQFUNCTION, on_begin);
    curl_easy_setopt(x->easy, CURLOPT_PREREQDATA, x);
    curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
}

static bool prepare(struct exchange *x)
{
    curl_easy_reset(x->easy); /* keeps connection, DNS cache and TLS sessions */
    if (!build_headers(x))
        return false;
    set_connection(x->easy, x->plan);
    set_class(x->easy, x->plan);
    set_callbacks(x);
    set_method(x->easy, x->plan->request);
    curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->lines);
    curl_easy_setopt(x->easy, CURLOPT_USERAGENT, "taskhubfs/" TASKHUBFS_VERSION);
    curl_easy_setopt(x->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(x->easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(x->easy, CURLOPT_PATH_AS_IS, 1L);
    return curl_easy_setopt(x->easy, CURLOPT_URL, x->plan->url) == CURLE_OK;
}

/* -- the transfer -- */

/* True: leave the transfer now, because of *ret_end. */
static bool must_leave(struct exchange *x, enum try_end *ret_end)
{
    if (call_left_ms(x->call) == 0) {
        *ret_end = TRY_DEADLINE;
        return true;
    }
    if (!call_cancelled(x->call))
        return false;
    *ret_end = TRY_CANCELLED;
    if (!is_once(x) || !is_sent(x))
        return true;
    int64_t now = clock_now_ms();
    if (x->grace_until == 0)
        x->grace_until = now + x->plan->tuning->grace_ms;
    return now >= x->grace_until;
}

static bool finished(struct exchange *x, CURLcode *ret)
{
    int queued;
    CURLMsg *m;
    while ((m = curl_multi_info_read(x->multi, &queued))) {
        if (m->msg != CURLMSG_DONE)
            continue;
        *ret = m->data.result;
        return true;
    }
    return false;
}

/* Drives the transfer to its end, true, or until the caller's patience ends. */
static bool drive(struct exchange *x, CURLcode *ret_code, enum try_end *ret_end)
{
    for (;;) {
        int running;
        if (curl_multi_perform(x->multi, &running) != CURLM_OK) {
            *ret_code = CURLE_OUT_OF_MEMORY;
            return true;
        }
        if (finished(x, ret_code))
            return true;
        if (must_leave(x, ret_end))
            return false;
        int64_t left = call_left_ms(x->call);
        curl_multi_poll(x->multi, NULL, 0, (int)(left < SLICE_MS ? left : SLICE_MS), NULL);
    }
}

/* -- how it ended -- */

static bool is_certificate(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR ||
           code == CURLE_SSL_INVALIDCERTSTATUS || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH;
}

static long proxy_status(struct exchange *x)
{
    long status = 0;
    curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status;
}

static bool proxy_refused(struct exchange *x)
{
    long status = proxy_status(x);
    return status >= 400 && status < 500;
}

static enum try_end unsent_end(struct exchange *x, CURLcode code)
{
    if (is_certificate(code) || proxy_refused(x))
        return TRY_REFUSED;
    if (code == CURLE_OUT_OF_MEMORY)
        return TRY_NO_MEMORY;
    return x->began ? TRY_UNSENT : TRY_UNREACHABLE;
}

/* A read's second connection, after a kept one died, may fail like any first one. */
static bool never_connected(const struct exchange *x, CURLcode code)
{
    return !x->began || code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
           code == CURLE_COULDNT_RESOLVE_PROXY;
}

static enum try_end refused_answer_end(const struct answer *a)
{
    if (a->mixed_up)
        return TRY_LOST;
    if (a->too_big)
        return TRY_TOO_BIG;
    return a->bad ? TRY_BROKEN : TRY_NO_MEMORY;
}

static bool any_answer_byte(struct exchange *x)
{
    curl_off_t us = 0;
    curl_easy_getinfo(x->easy, CURLINFO_STARTTRANSFER_TIME_T, &us);
    return us > 0;
}

static enum try_end sent_end(struct exchange *x, CURLcode code)
{
    switch ((int)code) {
    case CURLE_WRITE_ERROR:
        return refused_answer_end(&x->answer);
    case CURLE_OPERATION_TIMEDOUT:
        return TRY_SLOW;
    case CURLE_OUT_OF_MEMORY:
        /* What curl 7.88 says of one endless header line, too (L4). */
        return any_answer_byte(x) && !x->answer.head ? TRY_BROKEN : TRY_NO_MEMORY;
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: no status line at all */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
#endif
        return TRY_BROKEN;
    default:
        return TRY_LOST;
    }
}

static enum try_end end_of(struct exchange *x, CURLcode code, bool sent)
{
    const struct answer *a = &x->answer;
    bool whole = code == CURLE_OK && a->head;
    if (whole || a->cut || (is_once(x) && a->head))
        return TRY_ANSWERED;
    if (!sent || never_connected(x, code))
        return unsent_end(x, code);
    return sent_end(x, code);
}

static void words_of(struct exchange *x, CURLcode code, struct attempt *ret)
{
    const struct answer *a = &x->answer;
    const char *why = x->errors[0] ? x->errors : curl_easy_strerror(code);
    if (a->bad)
        why = a->bad;
    else if (a->mixed_up)
        why = "the answer belongs to another request";
    else if (a->too_big)
        why = "the body is above the limit";
    else if (code == CURLE_OUT_OF_MEMORY && ret->end == TRY_BROKEN)
        why = "headers above 64 KiB";
    bool tls = code == CURLE_SSL_CONNECT_ERROR, proxy = !x->began && proxy_status(x) >= 300;
    snprintf(ret->words, sizeof(ret->words), "%s%.200s%s", proxy ? "proxy: " : "", why,
             tls ? " (offered: TLS 1.2 and newer)" : "");
    log_redact(ret->words);
}

static void count(struct exchange *x, struct attempt *ret)
{
    long head = 0;
    curl_off_t up = 0, down = 0, us = 0;
    curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &head);
    curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(x->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(x->easy, CURLINFO_TOTAL_TIME_T, &us);
    /* curl counts a short body with the head it was sent with. */
    ret->bytes_out = (uint64_t)head + (up > head ? (uint64_t)up : 0);
    ret->bytes_in = (uint64_t)down + x->answer.head_bytes;
    ret->took_ms = us / 1000;
}

/* A time-out here is a black hole, or a silent resolver. */
static void judge_connecting(struct exchange *x, CURLcode code, int64_t began_ms,
                             struct attempt *ret)
{
    ret->connect_ms = clock_now_ms() - began_ms;
    ret->timed_out = code == CURLE_OPERATION_TIMEDOUT;
}

/* F6: curl says what is wrong, not with whose certificate. */
static void name_certificate(struct exchange *x, struct attempt *ret)
{
    char subject[128], why[160];
    struct target target;
    if (!target_parse(x->plan->request->url, &target))
        return;
    certificate_subject(x->call, target.place, x->plan->connect_ms, subject, sizeof(subject));
    snprintf(why, sizeof(why), "%.150s", ret->words);
    if (subject[0])
        snprintf(ret->words, sizeof(ret->words), "%s; its certificate is of \"%.90s\"", why,
                 subject);
}

static void transfer(struct exchange *x, struct attempt *ret)
{
    int64_t began_ms = clock_now_ms();
    CURLcode code = CURLE_OK;
    enum try_end left = TRY_ANSWERED;
    if (curl_multi_add_handle(x->multi, x->easy) != CURLM_OK) {
        ret->end = TRY_NO_MEMORY;
        return;
    }
    bool done = drive(x, &code, &left);
    ret->sent = is_sent(x);
    ret->connected = x->began;
    if (done)
        ret->end = end_of(x, code, ret->sent);
    else
        ret->end = is_once(x) && x->answer.head ? TRY_ANSWERED : left;
    if (ret->end == TRY_UNREACHABLE)
        judge_connecting(x, code, began_ms, ret);
    words_of(x, code, ret);
    count(x, ret);
    curl_multi_remove_handle(x->multi, x->easy);
    if (ret->end == TRY_REFUSED && is_certificate(code))
        name_certificate(x, ret);
}

void exchange_run(struct slot *slot, struct call *call, const struct exchange_plan *plan,
                  struct http_response *ret, struct attempt *ret_attempt)
{
    struct exchange x = { .multi = slot->multi, .easy = slot->easy, .call = call, .plan = plan };
    *ret_attempt = (struct attempt){ .end = TRY_NO_MEMORY };
    answer_init(&x.answer, plan->request, plan->client_id, ret);
    if (prepare(&x))
        transfer(&x, ret_attempt);
    /* The handle keeps pointers to this stack; the next prepare resets them before use. */
    curl_easy_reset(slot->easy);
    curl_slist_free_all(x.lines);
}
