#include "backend/net/exchange.h"

#include <stdio.h>

#include "backend/base/clock.h"
#include "backend/base/log.h"
#include "backend/net/answer.h"
#include "backend/net/certificate.h"
#include "backend/net/setup.h"
#include "backend/net/target.h"

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
    if (!is_once(x)) /* which has no slowness limit either: its deadline stays */
        call_progress(x->call);
    return answer_body(&x->answer, (struct str){ p, size * n }) ? size * n : 0;
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
    set_callbacks(x);
    return setup_request(x->easy, x->plan, &x->lines);
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

/* A read's second connection, after a kept one died, may fail like any first one. */
static bool never_connected(const struct exchange *x, CURLcode code)
{
    return !x->began || code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
           code == CURLE_COULDNT_RESOLVE_PROXY;
}

static enum try_end unsent_end(struct exchange *x, CURLcode code)
{
    if (is_certificate(code) || proxy_refused(x))
        return TRY_REFUSED;
    if (code == CURLE_OUT_OF_MEMORY)
        return TRY_NO_MEMORY;
    return never_connected(x, code) ? TRY_UNREACHABLE : TRY_UNSENT;
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
        why = "headers above 64 KiB, or no memory for them";
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
    if (done)
        ret->end = end_of(x, code, ret->sent);
    else
        ret->end = is_once(x) && x->answer.head ? TRY_ANSWERED : left;
    ret->connected = x->began && ret->end != TRY_UNREACHABLE;
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
