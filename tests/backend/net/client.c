#include "tests/backend/net/client.h"

#include <stdio.h>

#include "backend/base/limits.h"

struct tuning quick_tuning(void)
{
    struct tuning t = tuning_default;
    t.backoff_first_ms = 1;
    t.backoff_last_ms = 4;
    t.slow_s = 1;
    t.grace_ms = 500;
    t.breaker_failures = BREAKER_FAILURES + 1;
    return t;
}

struct http_client *quick_client(int connections)
{
    struct tuning t = quick_tuning();
    struct http_settings settings = { .connections = connections };
    return http_client_new_tuned(&settings, &t);
}

struct http_request request_to(char url[128], int port, enum http_method method,
                               enum http_class class)
{
    struct http_request r = { .method = method, .class = class, .max_body = TEST_MAX_BODY };
    snprintf(url, 128, "http://127.0.0.1:%d/devstore/table?sig=hidden", port);
    r.url = str_c(url);
    if (method == HTTP_PUT || method == HTTP_POST || method == HTTP_MERGE) {
        r.body = STR(TEST_BODY);
        r.headers[0] = (struct http_header){ "Content-Type", STR("application/json") };
    }
    return r;
}

struct call patient_call(void)
{
    struct call call;
    call_init(&call, 20000);
    return call;
}
