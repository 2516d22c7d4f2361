#include "backend/net/sending.h"

#include "backend/base/clock.h"
#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "backend/net/exchange.h"
#include "backend/net/verdict.h"

#define URL_MAX (64 * KIB) /* above what any service accepts */

/* -- the request -- */

static bool has_body(const struct http_request *r)
{
    return r->body.len > 0 &&
           (r->method == HTTP_PUT || r->method == HTTP_POST || r->method == HTTP_MERGE);
}

/* The signer must see exactly what is sent: no body and no type that will not go out, and the id,
 * because signatures cover every x-ms- header. */
static enum err prepare_request(struct sending *s)
{
    const struct http_request *r = s->given;
    size_t n = 0;
    s->request = *r;
    if (!has_body(r))
        s->request.body = STR_NONE;
    for (size_t i = 0; i < HTTP_HEADERS && r->headers[i].name; i++) {
        if (!http_is_clean(r->headers[i].value))
            return call_fail(s->call, ERR_INVALID, "header %s holds a control character",
                             r->headers[i].name);
        if (!has_body(r) && str_eq_nocase(str_c(r->headers[i].name), STR("Content-Type")))
            continue;
        s->request.headers[n++] = r->headers[i];
    }
    if (n == HTTP_HEADERS)
        return call_fail(s->call, ERR_BUG, "a request with more than %d headers", HTTP_HEADERS - 1);
    s->request.headers[n].name = CLIENT_ID_HEADER;
    s->request.headers[n].value = (struct str){ s->client_id, GUID_LEN };
    if (n + 1 < HTTP_HEADERS)
        s->request.headers[n + 1].name = NULL;
    return OK;
}

static enum err sending_init(struct sending *s)
{
    s->call->http_status = 0;
    s->call->code[0] = s->call->request_id[0] = '\0';
    if (s->call->local)
        return call_fail(s->call, ERR_WOULD_BLOCK, "not known without a request");
    if (!http_is_clean(s->given->url) || !target_parse(s->given->url, &s->target))
        return call_fail(s->call, ERR_INVALID, "not an http or https address");
    return prepare_request(s);
}

/* -- one try -- */

static enum err ask_breaker(struct sending *s)
{
    char why[256];
    enum breaker_way way = breaker_ask(&s->client->breaker, clock_now_ms(), why, sizeof(why));
    s->probe = way == BREAKER_PROBE;
    return way == BREAKER_STOP ? verdict_unreachable(s, true, why) : OK;
}

/* Full URL and signed lines for this very try. */
static enum err sign(struct sending *s, struct buf *url, struct buf *lines)
{
    const struct http_settings *settings = &s->client->settings;
    CLEANUP_BUF struct buf suffix = BUF_INIT(URL_MAX);
    guid_new(s->client_id);
    if (settings->sign) {
        enum err err = settings->sign(settings->ctx, &s->request, lines, &suffix, &s->edition);
        if (err)
            return call_fail(s->call, err, "%s %s%s: it cannot be signed",
                             http_method_name(s->given->method), s->target.place, s->target.path);
    }
    buf_add(url, s->given->url);
    buf_add(url, buf_str(&suffix));
    if (buf_err(url) == OK && buf_err(lines) == OK)
        return OK;
    return call_fail(s->call, buf_err(url) ? buf_err(url) : buf_err(lines),
                     "%s %s%s: no room for address or signature",
                     http_method_name(s->given->method), s->target.place, s->target.path);
}

static int64_t connect_time(const struct sending *s)
{
    const struct tuning *t = &s->client->tuning;
    int64_t ms = s->probe ? t->breaker_probe_ms : t->connect_ms - s->connecting_ms;
    int64_t left = call_left_ms(s->call);
    if (ms > left)
        ms = left;
    return ms > 0 ? ms : 1; /* curl takes 0 for five minutes */
}

static bool is_failure(const struct sending *s)
{
    return s->last.end != TRY_ANSWERED || s->answer->status >= 500 || s->answer->status == 429;
}

static void account(struct sending *s, int64_t connect_ms)
{
    struct http_client *c = s->client;
    const struct attempt *a = &s->last;
    if (a->end == TRY_UNREACHABLE) {
        bool whole = a->timed_out && connect_ms >= c->tuning.connect_ms;
        s->connecting_ms += a->connect_ms;
        breaker_failed(&c->breaker, clock_now_ms(), whole, a->words);
    } else if (a->connected) {
        breaker_connected(&c->breaker);
    }
    if (a->sent)
        atomic_fetch_add(&c->requests, 1);
    if (is_failure(s))
        atomic_fetch_add(&c->errors, 1);
    if (a->end == TRY_ANSWERED)
        atomic_fetch_add(&c->latency_ms_total, (uint64_t)a->took_ms);
    atomic_fetch_add(&c->bytes_in, a->bytes_in);
    atomic_fetch_add(&c->bytes_out, a->bytes_out);
    log_debug("net %s %s%s try=%u status=%d ms=%lld %s", http_method_name(s->given->method),
              s->target.place, s->target.path, s->tries, s->answer->status, (long long)a->took_ms,
              a->end == TRY_ANSWERED ? "" : a->words);
}

/* An idempotent write may be repeated, but not be called unsent afterwards. */
static bool may_be_done(const struct sending *s)
{
    return s->given->class == CLASS_IDEMPOTENT && s->last.sent &&
           (s->last.end != TRY_ANSWERED || retry_answer_kind(s->answer) == ANSWER_UNCERTAIN);
}

static enum err take_slot(struct sending *s, struct slot **ret)
{
    enum err err = pool_take(&s->client->pool, s->call, ret);
    /* Of a write ERR_TIMEOUT would say that its outcome is unknown. */
    if (err == ERR_TIMEOUT && s->given->class == CLASS_ONCE)
        return verdict_unreachable(s, false, "no connection was free before the deadline");
    return err;
}

static enum err sending_try(struct sending *s)
{
    CLEANUP_BUF struct buf url = BUF_INIT(URL_MAX), lines = BUF_INIT(HTTP_HEADERS_MAX_BYTES);
    struct slot *slot;
    enum err err = ask_breaker(s);
    if (!err)
        err = sign(s, &url, &lines);
    if (!err)
        err = take_slot(s, &slot);
    if (err)
        return err;
    struct exchange_plan plan = { .tuning = &s->client->tuning,
                                  .request = &s->request,
                                  .client_id = { s->client_id, GUID_LEN },
                                  .url = buf_c(&url),
                                  .signed_lines = buf_str(&lines),
                                  .connect_ms = connect_time(s) };
    exchange_run(slot, s->call, &plan, s->answer, &s->last);
    pool_put(&s->client->pool, slot);
    s->answer->tries = ++s->tries;
    s->maybe_done |= may_be_done(s);
    account(s, plan.connect_ms);
    return OK;
}

/* -- again? -- */

/* True once, when the provider found better credentials (F32, F33). Any class: a refused request
 * was not executed. */
static bool renewed(struct sending *s)
{
    const struct http_settings *settings = &s->client->settings;
    int status = s->answer->status;
    if (s->renewed || s->last.end != TRY_ANSWERED || !settings->renew ||
        (status != 401 && status != 403))
        return false;
    s->renewed = true;
    return settings->renew(settings->ctx, s->answer, s->edition);
}

static bool may_repeat(const struct sending *s)
{
    const struct tuning *t = &s->client->tuning;
    if (!retry_allowed(s->given->class, &s->last, s->answer) || s->tries >= t->tries)
        return false;
    /* F2, F4: L7 is for all of them together. Clocks may differ by a millisecond about its end. */
    if (s->last.end == TRY_UNREACHABLE &&
        (s->probe || s->last.timed_out || s->connecting_ms >= t->connect_ms))
        return false;
    /* What an interrupted write came to is known by now: say that. */
    return s->given->class != CLASS_ONCE || !call_cancelled(s->call);
}

static int64_t next_wait(struct sending *s)
{
    uint32_t random;
    int64_t asked;
    random_bytes((unsigned char *)&random, sizeof(random));
    int64_t wait = retry_backoff_ms(&s->client->tuning, s->tries, random);
    int64_t left = call_left_ms(s->call);
    if (s->last.end == TRY_ANSWERED && retry_after_ms(s->answer, clock_wall(), &asked)) {
        if (asked >= left)
            s->throttled_ms = asked > 0 ? asked : 1;
        if (asked > wait)
            wait = asked;
    }
    s->out_of_time = wait >= left;
    return wait;
}

static bool again(struct sending *s, int64_t *ret_wait)
{
    if (!may_repeat(s))
        return false;
    *ret_wait = next_wait(s);
    if (s->out_of_time || !retry_budget_spend(&s->client->budget))
        return false;
    atomic_fetch_add(&s->client->retries, 1);
    return true;
}

static enum err sleep_ms(struct call *call, int64_t ms)
{
    int64_t until = clock_now_ms() + ms;
    for (;;) {
        enum err err = call_check(call);
        int64_t left = until - clock_now_ms();
        if (err || left <= 0)
            return err;
        clock_sleep_ms(left < SLICE_MS ? left : SLICE_MS);
    }
}

enum err sending_run(struct sending *s)
{
    enum err err = sending_init(s);
    if (err)
        return err;
    retry_budget_earn(&s->client->budget, &s->client->tuning);
    for (;;) {
        err = sending_try(s);
        if (err)
            return err;
        if (renewed(s))
            continue;
        int64_t wait = 0;
        if (!again(s, &wait))
            return verdict(s);
        err = sleep_ms(s->call, wait);
        if (err)
            return err;
    }
}
