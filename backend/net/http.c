#include "backend/net/http.h"

#include <pthread.h>
#include <stdlib.h>

#include "backend/base/limits.h"
#include "backend/net/sending.h"

const struct tuning tuning_default = {
    .connect_ms = CONNECT_TIMEOUT_MS,
    .backoff_first_ms = BACKOFF_FIRST_MS,
    .backoff_last_ms = BACKOFF_LAST_MS,
    .tries = TRIES_MAX,
    .budget_free = RETRY_BUDGET_FREE,
    .budget_percent = RETRY_BUDGET_PERCENT,
    .slow_bytes_per_s = SLOW_BYTES_PER_S,
    .slow_s = SLOW_SECONDS,
    .breaker_failures = BREAKER_FAILURES,
    .breaker_window_ms = BREAKER_WINDOW_MS,
    .breaker_probe_ms = BREAKER_PROBE_MS,
    .grace_ms = 1000,
};

/* -- the client -- */

static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_client *http_client_new_tuned(const struct http_settings *settings,
                                          const struct tuning *tuning)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* curl's own state is one a process, too */
    pthread_once(&once, init_curl);
    struct http_client *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->settings = *settings;
    c->tuning = *tuning;
    if (pool_init(&c->pool, settings->connections)) {
        free(c);
        return NULL;
    }
    breaker_init(&c->breaker, &c->tuning);
    retry_budget_init(&c->budget, &c->tuning);
    return c;
}

struct http_client *http_client_new(const struct http_settings *settings)
{
    return http_client_new_tuned(settings, &tuning_default);
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    pool_fini(&c->pool);
    breaker_fini(&c->breaker);
    free(c);
}

void http_client_stats(struct http_client *c, struct http_stats *ret)
{
    ret->requests = atomic_load(&c->requests);
    ret->retries = atomic_load(&c->retries);
    ret->errors = atomic_load(&c->errors);
    ret->bytes_in = atomic_load(&c->bytes_in);
    ret->bytes_out = atomic_load(&c->bytes_out);
    ret->latency_ms_total = atomic_load(&c->latency_ms_total);
}

void http_client_drop_connections(struct http_client *c)
{
    pool_drop_connections(&c->pool);
}

/* -- sending -- */

enum err http_send(struct http_client *c, struct call *call, const struct http_request *r,
                   bool require_request_id, struct http_response *ret)
{
    struct sending s = { .client = c,
                         .call = call,
                         .given = r,
                         .answer = ret,
                         .require_request_id = require_request_id };
    return sending_run(&s);
}
