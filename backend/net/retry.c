#include "backend/net/retry.h"

#define HUNDREDTHS 100u

/* Tables tell the code in the body only, queues and blobs in a header too. */
static bool answer_names(const struct http_response *r, const char *code)
{
    struct str value;
    if (response_header(r, "x-ms-error-code", &value))
        return str_eq(value, str_c(code));
    CLEANUP_BUF struct buf xml = BUF_INIT(128), json = BUF_INIT(128), spaced = BUF_INIT(128);
    buf_printf(&xml, "<Code>%s</Code>", code);
    buf_printf(&json, "\"code\":\"%s\"", code);
    buf_printf(&spaced, "\"code\": \"%s\"", code);
    struct str body = buf_str(&r->body);
    return str_has(body, buf_str(&xml)) || str_has(body, buf_str(&json)) ||
           str_has(body, buf_str(&spaced));
}

enum answer_kind retry_answer_kind(const struct http_response *r)
{
    switch (r->status) {
    case 429:
        return ANSWER_BUSY;
    case 503:
        return answer_names(r, "ServerBusy") ? ANSWER_BUSY : ANSWER_UNCERTAIN;
    case 500:
        return answer_names(r, "OperationTimedOut") ? ANSWER_UNCERTAIN : ANSWER_FINAL;
    case 502:
    case 504:
        return ANSWER_UNCERTAIN;
    default:
        return ANSWER_FINAL;
    }
}

static bool answer_allows(enum http_class class, const struct http_response *r)
{
    switch (retry_answer_kind(r)) {
    case ANSWER_BUSY:
        return true;
    case ANSWER_UNCERTAIN:
        return class != CLASS_ONCE;
    case ANSWER_FINAL:
        break;
    }
    return false;
}

bool retry_allowed(enum http_class class, const struct attempt *a, const struct http_response *r)
{
    switch (a->end) {
    case TRY_ANSWERED:
        return answer_allows(class, r);
    case TRY_UNREACHABLE:
    case TRY_UNSENT:
        return true;
    case TRY_LOST:
    case TRY_SLOW:
        return class != CLASS_ONCE;
    case TRY_REFUSED:
    case TRY_BROKEN:
    case TRY_TOO_BIG:
    case TRY_CANCELLED:
    case TRY_DEADLINE:
    case TRY_NO_MEMORY:
        break;
    }
    return false;
}

int64_t retry_backoff_ms(const struct tuning *t, unsigned tries, uint32_t random)
{
    int64_t ceiling = t->backoff_first_ms;
    for (unsigned i = 1; i < tries && ceiling < t->backoff_last_ms; i++)
        ceiling *= 2;
    if (ceiling > t->backoff_last_ms)
        ceiling = t->backoff_last_ms;
    return (int64_t)(random % (uint64_t)(ceiling + 1));
}

bool retry_after_ms(const struct http_response *r, ticks now, int64_t *ret)
{
    struct str value;
    if (!response_header(r, "retry-after", &value))
        return false;
    uint64_t seconds;
    if (str_to_u64(value, &seconds)) {
        *ret = seconds > INT32_MAX ? (int64_t)INT32_MAX * 1000 : (int64_t)seconds * 1000;
        return true;
    }
    ticks when;
    if (!ticks_parse_http(value, &when))
        return false;
    *ret = when > now ? (when - now) / (TICKS_PER_SEC / 1000) : 0;
    return true;
}

void retry_budget_init(struct retry_budget *b, const struct tuning *t)
{
    atomic_init(&b->hundredths, t->budget_free * HUNDREDTHS);
}

void retry_budget_earn(struct retry_budget *b, const struct tuning *t)
{
    unsigned have = atomic_load(&b->hundredths), want;
    do {
        want = have + t->budget_percent;
        if (want > RETRY_SAVED * HUNDREDTHS)
            return;
    } while (!atomic_compare_exchange_weak(&b->hundredths, &have, want));
}

bool retry_budget_spend(struct retry_budget *b)
{
    unsigned have = atomic_load(&b->hundredths);
    do {
        if (have < HUNDREDTHS)
            return false;
    } while (!atomic_compare_exchange_weak(&b->hundredths, &have, have - HUNDREDTHS));
    return true;
}
