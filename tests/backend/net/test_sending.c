#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/base/clock.h"
#include "backend/base/limits.h"
#include "tests/backend/net/client.h"
#include "tests/backend/net/server.h"

/* What one http_send came to. */
struct outcome {
    enum err err;
    int status;
    unsigned tries;
    int requests, connections; /* as the server saw it */
    char text[CALL_TEXT_MAX];
};

static struct outcome send_over(struct http_client *c, struct call *call,
                                const struct http_request *r)
{
    CLEANUP_RESPONSE struct http_response answer = RESPONSE_INIT;
    struct outcome o = { .err = http_send(c, call, r, true, &answer) };
    o.status = answer.status;
    o.tries = answer.tries;
    snprintf(o.text, sizeof(o.text), "%s", call->text);
    assert_null(strstr(o.text, "hidden")); /* no query in a sentence */
    assert_true(o.err == OK || strlen(o.text) > 10);
    return o;
}

static enum http_method method_of(enum http_class class)
{
    static const enum http_method methods[] = {
        [CLASS_READ] = HTTP_GET, [CLASS_IDEMPOTENT] = HTTP_PUT, [CLASS_ONCE] = HTTP_POST
    };
    return methods[class];
}

static struct outcome play_tuned(const struct step *script, enum http_class class,
                                 int64_t timeout_ms, const struct tuning *t)
{
    char url[128];
    struct server *server = server_start(script);
    struct http_settings settings = { .connections = 1 };
    struct http_client *c = http_client_new_tuned(&settings, t);
    struct http_request r = request_to(url, server_port(server), method_of(class), class);
    struct call call;
    call_init(&call, timeout_ms);
    struct outcome o = send_over(c, &call, &r);
    o.requests = server_requests(server);
    o.connections = server_connections(server);
    http_client_free(c);
    server_stop(server);
    return o;
}

static struct outcome play(const struct step *script, enum http_class class)
{
    struct tuning t = quick_tuning();
    return play_tuned(script, class, 20000, &t);
}

static void expect(struct outcome o, enum err err, int status, int requests)
{
    if (o.err != err)
        print_error("%s: %s\n", err_name(o.err), o.text);
    assert_int_equal(o.err, err);
    assert_int_equal(o.status, status);
    assert_int_equal(o.requests, requests);
}

/* A fault that a second try overcomes for reads and idempotent writes; a write of unknown outcome
 * is never repeated. */
static void expect_repeated_or_unknown(const struct step *fault_then_ok)
{
    expect(play(fault_then_ok, CLASS_READ), OK, 200, 2);
    expect(play(fault_then_ok, CLASS_IDEMPOTENT), OK, 200, 2);
    struct outcome once = play(fault_then_ok, CLASS_ONCE);
    assert_int_equal(once.err, ERR_UNKNOWN_OUTCOME);
    assert_int_equal(once.requests, 1);
    assert_int_equal(once.connections, 1);
    assert_non_null(strstr(once.text, "outcome is unknown"));
}

/* A fault in the body: reads are repeated, a write was executed. */
static void expect_repeated_or_executed(const struct step *fault_then_ok)
{
    expect(play(fault_then_ok, CLASS_READ), OK, 200, 2);
    expect(play(fault_then_ok, CLASS_IDEMPOTENT), OK, 200, 2);
    expect(play(fault_then_ok, CLASS_ONCE), OK, 200, 1);
}

#define THEN_OK ACCEPT, READ, SEND(ANSWER_OK), STALL, END

/* -- no connection -- */

static struct outcome send_to(const char *address, enum http_class class, const struct tuning *t)
{
    struct http_settings settings = { .connections = 1 };
    struct http_client *c = http_client_new_tuned(&settings, t);
    char url[128];
    struct http_request r = request_to(url, 1, method_of(class), class);
    struct call call = patient_call();
    struct http_stats stats;
    r.url = str_c(address);
    struct outcome o = send_over(c, &call, &r);
    http_client_stats(c, &stats);
    assert_int_equal(stats.requests, 0); /* nothing was sent */
    http_client_free(c);
    return o;
}

static void test_F01_a_name_that_does_not_exist_is_unreachable(void **state)
{
    struct tuning t = quick_tuning();
    t.connect_ms = 300; /* there may be a resolver that never answers (F2) */
    struct outcome o = send_to("http://no-such-account.invalid/x?sig=hidden", CLASS_READ, &t);
    assert_int_equal(o.err, ERR_UNREACHABLE);
    assert_non_null(strstr(o.text, "no-such-account.invalid:80"));
    assert_int_equal(send_to("http://no-such-account.invalid/", CLASS_ONCE, &t).err,
                     ERR_UNREACHABLE);
}

static void test_F03_a_refused_connection_is_tried_again_then_unreachable(void **state)
{
    struct tuning t = quick_tuning();
    char address[64], place[32];
    int port = server_dead_port();
    snprintf(address, sizeof(address), "http://127.0.0.1:%d/t?sig=hidden", port);
    snprintf(place, sizeof(place), "127.0.0.1:%d", port);
    for (enum http_class class = CLASS_READ; class <= CLASS_ONCE; class ++) {
        struct outcome o = send_to(address, class, &t);
        assert_int_equal(o.err, ERR_UNREACHABLE);
        assert_int_equal(o.tries, TRIES_MAX);
        assert_non_null(strstr(o.text, place));
    }
}

/* A listener whose queue is full drops SYNs, as a black hole does. */
static int black_hole(int filler[8], int *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    for (int i = 0; i < 8; i++) {
        filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(filler[i], (struct sockaddr *)&a, sizeof(a));
    }
    *port = ntohs(a.sin_port);
    return fd;
}

static void test_F04_F19_a_black_hole_is_found_out_once_and_then_known(void **state)
{
    int filler[8], port, fd = black_hole(filler, &port);
    struct tuning t = quick_tuning();
    t.connect_ms = 300;
    t.breaker_probe_ms = INT32_MAX;
    struct http_settings settings = { .connections = 1 };
    struct http_client *c = http_client_new_tuned(&settings, &t);
    char url[128];
    struct http_request r = request_to(url, port, HTTP_GET, CLASS_READ);
    struct call call = patient_call();
    struct outcome o = send_over(c, &call, &r);
    assert_int_equal(o.err, ERR_UNREACHABLE);
    assert_int_equal(o.tries, 1);
    /* From now on without a try. */
    o = send_over(c, &call, &r);
    assert_int_equal(o.err, ERR_UNREACHABLE);
    assert_int_equal(o.tries, 0);
    r = request_to(url, port, HTTP_POST, CLASS_ONCE);
    o = send_over(c, &call, &r);
    assert_int_equal(o.err, ERR_PAUSED);
    assert_int_equal(o.tries, 0);
    http_client_free(c);
    for (int i = 0; i < 8; i++)
        close(filler[i]);
    close(fd);
}

static void test_F05_a_failed_tls_handshake_is_unreachable(void **state)
{
    static const struct step script[] = { ACCEPT, SEND("not a server hello, not at all\r\n\r\n"),
                                          STALL, AGAIN(3), END };
    struct server *server = server_start(script);
    struct tuning t = quick_tuning();
    char address[64];
    snprintf(address, sizeof(address), "https://127.0.0.1:%d/t?sig=hidden", server_port(server));
    for (enum http_class class = CLASS_READ; class <= CLASS_ONCE; class ++) {
        struct outcome o = send_to(address, class, &t);
        assert_int_equal(o.err, ERR_UNREACHABLE);
        assert_int_equal(o.tries, TRIES_MAX);
        assert_non_null(strstr(o.text, "TLS 1.2"));
    }
    server_stop(server);
}

/* Whether the reset overtakes the request is not ours to say; that a write whose bytes left is not
 * repeated, and one whose bytes did not is, is. */
static void test_F07_a_reset_before_the_request(void **state)
{
    static const struct step script[] = { ACCEPT, RESET, THEN_OK };
    expect(play(script, CLASS_READ), OK, 200, 1);
    struct outcome o = play(script, CLASS_ONCE);
    assert_true((o.err == OK && o.requests == 1) ||
                (o.err == ERR_UNKNOWN_OUTCOME && o.requests == 0 && o.tries == 1));
}

static void test_F19_the_breaker_closes_when_the_service_is_back(void **state)
{
    static const struct step script[] = { THEN_OK };
    struct server *server = server_start(script);
    struct tuning t = quick_tuning();
    t.breaker_failures = BREAKER_FAILURES;
    t.breaker_probe_ms = 200;
    struct http_settings settings = { .connections = 1 };
    struct http_client *c = http_client_new_tuned(&settings, &t);
    char url[128];
    struct http_request dead = request_to(url, server_dead_port(), HTTP_GET, CLASS_READ), live;
    struct call call = patient_call();
    assert_int_equal(send_over(c, &call, &dead).tries, BREAKER_FAILURES);
    live = request_to(url, server_port(server), HTTP_POST, CLASS_ONCE);
    struct outcome o = send_over(c, &call, &live);
    while (o.err == ERR_PAUSED) {
        clock_sleep_ms(20);
        o = send_over(c, &call, &live);
    }
    assert_int_equal(o.err, OK);
    assert_int_equal(server_requests(server), 1);
    http_client_free(c);
    server_stop(server);
}

static void test_F22_a_name_with_a_dead_address_uses_the_other(void **state)
{
    static const struct step script[] = { THEN_OK };
    struct server *server = server_start(script);
    struct http_client *c = quick_client(1);
    char url[128], address[64];
    struct http_request r = request_to(url, 1, HTTP_GET, CLASS_READ);
    struct call call = patient_call();
    /* ::1 is asked first where the name has both; nobody listens there. */
    snprintf(address, sizeof(address), "http://localhost:%d/t", server_port(server));
    r.url = str_c(address);
    struct outcome o = send_over(c, &call, &r);
    assert_int_equal(o.err, OK);
    assert_int_equal(o.tries, 1);
    http_client_free(c);
    server_stop(server);
}

static void test_F23_a_proxy_that_refuses_is_named_without_credentials(void **state)
{
    static const struct step script[] = { ACCEPT,
                                          READ,
                                          SEND("HTTP/1.1 407 Proxy Authentication Required\r\n"
                                               "Content-Length: 0\r\n\r\n"),
                                          STALL,
                                          AGAIN(4),
                                          END };
    struct server *server = server_start(script);
    struct tuning t = quick_tuning();
    char proxy[64];
    snprintf(proxy, sizeof(proxy), "http://me:confidential@127.0.0.1:%d", server_port(server));
    assert_int_equal(setenv("https_proxy", proxy, 1), 0);
    struct outcome r = send_to("https://account.example/t?sig=hidden", CLASS_READ, &t);
    struct outcome n = send_to("https://account.example/t?sig=hidden", CLASS_ONCE, &t);
    unsetenv("https_proxy");
    assert_int_equal(r.err, ERR_UNREACHABLE);
    assert_int_equal(n.err, ERR_UNREACHABLE);
    assert_int_equal(r.tries, 1);
    assert_non_null(strstr(r.text, "account.example:443"));
    assert_non_null(strstr(r.text, "proxy"));
    assert_null(strstr(r.text, "confidential"));
    assert_int_equal(server_requests(server), 2);
    assert_int_equal(strncmp(server_request(server, 0), "CONNECT account.example:443", 27), 0);
    server_stop(server);
}

/* -- lost on the way -- */

static void test_F08_reset_after_the_request(void **state)
{
    static const struct step script[] = { ACCEPT, READ, RESET, THEN_OK };
    static const struct step always[] = { ACCEPT, READ, RESET, AGAIN(3), END };
    expect_repeated_or_unknown(script);
    expect(play(always, CLASS_READ), ERR_BROKEN, 0, TRIES_MAX);
    expect(play(always, CLASS_IDEMPOTENT), ERR_TIMEOUT, 0, TRIES_MAX);
}

static struct outcome second_on_kept(const struct step *script, enum http_class class)
{
    struct server *server = server_start(script);
    struct http_client *c = quick_client(1);
    char url[128];
    struct http_request r = request_to(url, server_port(server), HTTP_GET, CLASS_READ);
    struct call call = patient_call();
    assert_int_equal(send_over(c, &call, &r).err, OK);
    r = request_to(url, server_port(server), method_of(class), class);
    struct outcome o = send_over(c, &call, &r);
    o.requests = server_requests(server) - 1;
    http_client_free(c);
    server_stop(server);
    return o;
}

static void test_F09_reused_connection_dies_and_a_post_is_seen_once(void **state)
{
    static const struct step kept[] = { ACCEPT, READ, SEND(ANSWER_OK), READ, CLOSE, THEN_OK };
    static const struct step fresh[] = {
        ACCEPT, READ, SEND(ANSWER_OK), ACCEPT, READ, CLOSE, THEN_OK
    };
    struct outcome o = second_on_kept(kept, CLASS_READ);
    assert_int_equal(o.err, OK);
    assert_int_equal(o.requests, 2);
    /* On the kept one the POST would have died and been repeated by libcurl itself. */
    o = second_on_kept(kept, CLASS_ONCE);
    assert_int_equal(o.err, OK);
    assert_int_equal(o.requests, 1);
    o = second_on_kept(fresh, CLASS_ONCE);
    assert_int_equal(o.err, ERR_UNKNOWN_OUTCOME);
    assert_int_equal(o.requests, 1);
}

static void test_F10_reset_inside_the_headers(void **state)
{
    static const struct step script[] = { ACCEPT,    READ,  SEND("HTTP/1.1 200 OK\r\nx-ms-reque"),
                                          PAUSE(20), RESET, THEN_OK };
    expect_repeated_or_unknown(script);
}

static void test_F11_reset_inside_the_body(void **state)
{
    static const struct step script[] = {
        ACCEPT, READ, SEND(HEAD_OK "Content-Length: 9\r\n\r\nabc"), PAUSE(20), RESET, THEN_OK
    };
    expect_repeated_or_executed(script);
}

static void test_F12_body_shorter_than_announced(void **state)
{
    static const struct step script[] = { ACCEPT, READ,
                                          SEND(HEAD_OK "Content-Length: 9\r\n\r\nabc"), CLOSE,
                                          THEN_OK };
    expect_repeated_or_executed(script);
}

static void test_F13_chunked_body_without_last_chunk(void **state)
{
    static const struct step script[] = {
        ACCEPT, READ, SEND(HEAD_OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), CLOSE, THEN_OK
    };
    expect_repeated_or_executed(script);
}

static void test_F14_a_server_that_never_answers(void **state)
{
    static const struct step script[] = { ACCEPT, READ, STALL, AGAIN(3), END };
    struct tuning t = quick_tuning();
    t.slow_s = 60;
    expect(play_tuned(script, CLASS_READ, 200, &t), ERR_TIMEOUT, 0, 1);
    expect(play_tuned(script, CLASS_IDEMPOTENT, 200, &t), ERR_TIMEOUT, 0, 1);
    expect(play_tuned(script, CLASS_ONCE, 200, &t), ERR_UNKNOWN_OUTCOME, 0, 1);
}

static void test_F15_a_drip_is_too_slow(void **state)
{
    static const char drops[] = "................................................................";
    static const struct step body[] = { ACCEPT, READ, SEND(HEAD_OK "Content-Length: 900\r\n\r\n"),
                                        DRIP(drops, 50), THEN_OK };
    static const struct step head[] = { ACCEPT, READ,
                                        DRIP("HTTP/1.1 200 OK\r\nx-ms-request: 1", 50), STALL,
                                        END };
    struct tuning t = quick_tuning();
    expect(play(body, CLASS_READ), OK, 200, 2);
    expect(play_tuned(head, CLASS_ONCE, 300, &t), ERR_UNKNOWN_OUTCOME, 0, 1);
}

static void test_F27_an_answer_to_another_request(void **state)
{
    static const struct step script[] = { ACCEPT, READ,
                                          SEND("HTTP/1.1 200 OK\r\nx-ms-request-id: r0\r\n"
                                               "x-ms-client-request-id: someone-else\r\n"
                                               "Content-Length: 5\r\n\r\nother"),
                                          THEN_OK };
    expect_repeated_or_unknown(script); /* the second on a new connection: READ does not follow */
}

/* -- answers that ask for patience -- */

#define BUSY(head, body) "HTTP/1.1 " head "\r\nx-ms-request-id: r\r\n" body

static void test_F29_busy_is_repeated_by_all_classes(void **state)
{
    static const struct step coded[] = {
        ACCEPT,
        READ,
        SEND(BUSY("503 Busy", "x-ms-error-code: ServerBusy\r\nContent-Length: 0\r\n\r\n")),
        READ,
        SEND(BUSY("429 Slow down", "Content-Length: 0\r\n\r\n")),
        READ,
        SEND(ANSWER_OK),
        STALL,
        END
    };
    static const struct step in_json[] = {
        ACCEPT, READ,
        SEND(BUSY("503 Busy", "Content-Length: 37\r\n\r\n"
                              "{\"odata.error\":{\"code\":\"ServerBusy\"}}")),
        THEN_OK
    };
    static const struct step in_xml[] = { ACCEPT, READ,
                                          SEND(BUSY("503 Busy",
                                                    "Content-Length: 38\r\n\r\n"
                                                    "<Error><Code>ServerBusy</Code></Error>")),
                                          THEN_OK };
    expect(play(coded, CLASS_READ), OK, 200, 3);
    expect(play(in_json, CLASS_ONCE), OK, 200, 2);
    expect(play(in_xml, CLASS_ONCE), OK, 200, 2);
}

static void test_F29_busy_to_the_end(void **state)
{
    static const struct step script[] = {
        ACCEPT, READ, SEND(BUSY("429 Slow down", "Content-Length: 0\r\n\r\n")), CLOSE, AGAIN(4), END
    };
    struct tuning t = quick_tuning();
    expect(play(script, CLASS_READ), OK, 429, TRIES_MAX);
    expect(play(script, CLASS_ONCE), OK, 429, TRIES_MAX);
    /* Our own wait is beyond the deadline. */
    t.backoff_first_ms = t.backoff_last_ms = INT32_MAX;
    expect(play_tuned(script, CLASS_READ, 500, &t), ERR_TIMEOUT, 429, 1);
    expect(play_tuned(script, CLASS_ONCE, 500, &t), OK, 429, 1);
}

static void test_F30_retry_after(void **state)
{
#define ASKED(value)                                                                               \
    ACCEPT, READ, SEND(BUSY("429 Slow", "Content-Length: 0\r\nRetry-After: " value "\r\n\r\n"))
    static const struct step now[] = { ASKED("0"), THEN_OK };
    static const struct step invalid[] = { ASKED("-soon"), THEN_OK };
    static const struct step past[] = { ASKED("Wed, 01 May 2024 10:00:00 GMT"), THEN_OK };
    static const struct step a_day[] = { ASKED("86400"), THEN_OK };
    static const struct step far[] = { ASKED("Wed, 01 May 2999 10:00:00 GMT"), THEN_OK };
    expect(play(now, CLASS_ONCE), OK, 200, 2);
    expect(play(invalid, CLASS_ONCE), OK, 200, 2);
    expect(play(past, CLASS_READ), OK, 200, 2);
    struct outcome o = play(a_day, CLASS_READ);
    expect(o, ERR_THROTTLED, 429, 1);
    assert_non_null(strstr(o.text, "throttled for 86400 s"));
    expect(play(a_day, CLASS_ONCE), ERR_THROTTLED, 429, 1);
    expect(play(far, CLASS_READ), ERR_THROTTLED, 429, 1);
}

static void test_F31_answers_that_leave_it_open(void **state)
{
    static const char *const heads[] = {
        BUSY("500 No", "x-ms-error-code: OperationTimedOut\r\nContent-Length: 0\r\n\r\n"),
        BUSY("502 Bad Gateway", "Content-Length: 0\r\n\r\n"),
        BUSY("504 Gateway Timeout", "Content-Length: 0\r\n\r\n"),
        BUSY("503 From a proxy", "Content-Length: 0\r\n\r\n"),
    };
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        const struct step script[] = { ACCEPT, READ, SEND(heads[i]), THEN_OK };
        expect(play(script, CLASS_READ), OK, 200, 2);
        expect(play(script, CLASS_IDEMPOTENT), OK, 200, 2);
        assert_int_equal(play(script, CLASS_ONCE).err, ERR_UNKNOWN_OUTCOME);
        assert_int_equal(play(script, CLASS_ONCE).requests, 1);
    }
    static const struct step other[] = {
        ACCEPT, READ,
        SEND(BUSY("500 No", "x-ms-error-code: InternalError\r\nContent-Length: 0\r\n\r\n")), THEN_OK
    };
    expect(play(other, CLASS_ONCE), OK, 500, 1);
    expect(play(other, CLASS_READ), OK, 500, 1);
}

static void test_L09_the_retry_budget_is_shared(void **state)
{
    static const struct step always[] = { ACCEPT, READ, RESET, AGAIN(3), END };
    struct server *server = server_start(always);
    struct tuning t = quick_tuning();
    t.budget_free = 2;
    t.budget_percent = 0;
    struct http_settings settings = { .connections = 1 };
    struct http_client *c = http_client_new_tuned(&settings, &t);
    char url[128];
    struct http_request r = request_to(url, server_port(server), HTTP_GET, CLASS_READ);
    struct call call = patient_call();
    assert_int_equal(send_over(c, &call, &r).tries, 3);
    assert_int_equal(send_over(c, &call, &r).tries, 1);
    struct http_stats stats;
    http_client_stats(c, &stats);
    assert_int_equal(stats.retries, 2);
    assert_int_equal(stats.errors, 4);
    assert_int_equal(stats.requests, 4);
    http_client_free(c);
    server_stop(server);
}

/* -- interrupts -- */

struct interrupter {
    struct server *server;
    struct call *call;
};

static void *interrupt(void *ctx)
{
    struct interrupter *i = ctx;
    server_await_requests(i->server, 1);
    call_cancel(i->call);
    return NULL;
}

static struct outcome interrupted(const struct step *script, enum http_class class)
{
    struct server *server = server_start(script);
    struct http_client *c = quick_client(1);
    char url[128];
    struct http_request r = request_to(url, server_port(server), method_of(class), class);
    struct call call = patient_call();
    struct interrupter i = { server, &call };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt, &i), 0);
    struct outcome o = send_over(c, &call, &r);
    assert_int_equal(pthread_join(thread, NULL), 0);
    o.requests = server_requests(server);
    http_client_free(c);
    server_stop(server);
    return o;
}

static void test_R5_an_interrupted_read_ends(void **state)
{
    static const struct step silent[] = { ACCEPT, READ, STALL, END };
    assert_int_equal(interrupted(silent, CLASS_READ).err, ERR_CANCELLED);
    assert_int_equal(interrupted(silent, CLASS_IDEMPOTENT).err, ERR_CANCELLED);
}

static void test_R5_F50_an_interrupted_write_ends_with_its_true_outcome(void **state)
{
    static const struct step late[] = { ACCEPT, READ, PAUSE(200), SEND(ANSWER_OK), STALL, END };
    static const struct step busy[] = {
        ACCEPT, READ,     PAUSE(200), SEND(BUSY("429 Slow", "Content-Length: 0\r\n\r\n")),
        STALL,  AGAIN(5), END
    };
    static const struct step silent[] = { ACCEPT, READ, STALL, AGAIN(3), END };
    expect(interrupted(late, CLASS_ONCE), OK, 200, 1);
    expect(interrupted(busy, CLASS_ONCE), OK, 429, 1);
    struct outcome o = interrupted(silent, CLASS_ONCE);
    expect(o, ERR_UNKNOWN_OUTCOME, 0, 1);
    assert_non_null(strstr(o.text, "interrupted"));
}

static void test_R5_the_wait_before_another_try_is_interrupted(void **state)
{
    static const struct step script[] = { ACCEPT, READ, RESET, AGAIN(3), END };
    struct server *server = server_start(script);
    struct tuning t = quick_tuning();
    t.backoff_first_ms = t.backoff_last_ms = INT32_MAX;
    struct http_settings settings = { .connections = 1 };
    struct http_client *c = http_client_new_tuned(&settings, &t);
    char url[128];
    struct http_request r = request_to(url, server_port(server), HTTP_GET, CLASS_READ);
    struct call call;
    call_init(&call, INT64_MAX);
    struct interrupter i = { server, &call };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt, &i), 0);
    assert_int_equal(send_over(c, &call, &r).err, ERR_CANCELLED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    http_client_free(c);
    server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_F01_a_name_that_does_not_exist_is_unreachable),
        cmocka_unit_test(test_F03_a_refused_connection_is_tried_again_then_unreachable),
        cmocka_unit_test(test_F04_F19_a_black_hole_is_found_out_once_and_then_known),
        cmocka_unit_test(test_F05_a_failed_tls_handshake_is_unreachable),
        cmocka_unit_test(test_F07_a_reset_before_the_request),
        cmocka_unit_test(test_F08_reset_after_the_request),
        cmocka_unit_test(test_F09_reused_connection_dies_and_a_post_is_seen_once),
        cmocka_unit_test(test_F10_reset_inside_the_headers),
        cmocka_unit_test(test_F11_reset_inside_the_body),
        cmocka_unit_test(test_F12_body_shorter_than_announced),
        cmocka_unit_test(test_F13_chunked_body_without_last_chunk),
        cmocka_unit_test(test_F14_a_server_that_never_answers),
        cmocka_unit_test(test_F15_a_drip_is_too_slow),
        cmocka_unit_test(test_F19_the_breaker_closes_when_the_service_is_back),
        cmocka_unit_test(test_F22_a_name_with_a_dead_address_uses_the_other),
        cmocka_unit_test(test_F23_a_proxy_that_refuses_is_named_without_credentials),
        cmocka_unit_test(test_F27_an_answer_to_another_request),
        cmocka_unit_test(test_F29_busy_is_repeated_by_all_classes),
        cmocka_unit_test(test_F29_busy_to_the_end),
        cmocka_unit_test(test_F30_retry_after),
        cmocka_unit_test(test_F31_answers_that_leave_it_open),
        cmocka_unit_test(test_L09_the_retry_budget_is_shared),
        cmocka_unit_test(test_R5_an_interrupted_read_ends),
        cmocka_unit_test(test_R5_F50_an_interrupted_write_ends_with_its_true_outcome),
        cmocka_unit_test(test_R5_the_wait_before_another_try_is_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
