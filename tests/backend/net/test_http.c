#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/base/limits.h"
#include "tests/backend/net/client.h"
#include "tests/backend/net/server.h"

/* One request against one script, with everything that tests look at. */
struct play {
    struct server *server;
    struct http_client *client;
    struct call call;
    struct http_request request;
    struct http_response answer;
    char url[128];
};

static void play_init(struct play *p, const struct step *script, enum http_method method,
                      enum http_class class)
{
    *p = (struct play){ .answer = RESPONSE_INIT };
    p->server = server_start(script);
    p->client = quick_client(1);
    p->call = patient_call();
    p->request = request_to(p->url, server_port(p->server), method, class);
}

static enum err play_send(struct play *p)
{
    return http_send(p->client, &p->call, &p->request, true, &p->answer);
}

static void play_fini(struct play *p)
{
    response_fini(&p->answer);
    http_client_free(p->client);
    server_stop(p->server);
}

#define assert_body(p, text) assert_string_equal(buf_c(&(p)->answer.body), text)

/* -- what is sent -- */

static const struct step once_ok[] = { ACCEPT, READ, SEND(ANSWER_OK), STALL, END };

static void test_get_has_neither_body_nor_types(void **state)
{
    struct play p;
    play_init(&p, once_ok, HTTP_GET, CLASS_READ);
    p.request.headers[0] = (struct http_header){ "Accept", STR("application/json") };
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(p.answer.status, 200);
    assert_int_equal(p.answer.tries, 1);
    assert_body(&p, "hello");
    const char *text = server_request(p.server, 0);
    assert_ptr_equal(strstr(text, "GET /devstore/table?sig=hidden HTTP/1.1\r\n"), text);
    assert_non_null(strstr(text, "\r\nAccept: application/json\r\n"));
    assert_non_null(strstr(text, "\r\nUser-Agent: taskhubfs/"));
    assert_null(strcasestr(text, "Content-"));
    assert_null(strcasestr(text, "Accept-Encoding"));
    assert_null(strcasestr(text, "Expect"));
    play_fini(&p);
}

static void test_bodies_go_with_their_length_and_type(void **state)
{
    static const enum http_method methods[] = { HTTP_PUT, HTTP_POST, HTTP_MERGE };
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct play p;
        play_init(&p, once_ok, methods[i], CLASS_IDEMPOTENT);
        assert_int_equal(play_send(&p), OK);
        const char *text = server_request(p.server, 0), *name = http_method_name(methods[i]);
        assert_int_equal(strncmp(text, name, strlen(name)), 0);
        assert_non_null(strstr(text, "\r\nContent-Length: 7\r\n"));
        assert_non_null(strstr(text, "\r\nContent-Type: application/json\r\n"));
        assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n" TEST_BODY);
        assert_null(strcasestr(text, "Expect"));
        play_fini(&p);
    }
}

static void test_a_large_body_is_sent_whole_without_expect(void **state)
{
    size_t n = 1500 * KIB; /* curl asks Expect above 1 MiB */
    char *body = malloc(n);
    assert_non_null(body);
    memset(body, 'b', n);
    struct play p;
    play_init(&p, once_ok, HTTP_PUT, CLASS_IDEMPOTENT);
    p.request.body = (struct str){ body, n };
    assert_int_equal(play_send(&p), OK);
    const char *text = server_request(p.server, 0);
    assert_int_equal(strlen(strstr(text, "\r\n\r\n") + 4), n);
    assert_null(strcasestr(text, "Expect"));
    struct http_stats stats;
    http_client_stats(p.client, &stats);
    assert_int_equal(stats.bytes_out, strlen(text));
    play_fini(&p);
    free(body);
}

static void test_a_post_without_body_has_no_type(void **state)
{
    struct play p;
    play_init(&p, once_ok, HTTP_POST, CLASS_ONCE);
    p.request.body = STR_NONE;
    assert_int_equal(play_send(&p), OK);
    assert_non_null(strstr(server_request(p.server, 0), "\r\nContent-Length: 0\r\n"));
    assert_null(strcasestr(server_request(p.server, 0), "Content-Type"));
    play_fini(&p);
}

static void test_delete_and_head_have_no_body(void **state)
{
    static const struct step head_ok[] = { ACCEPT, READ, SEND(HEAD_OK "Content-Length: 99\r\n\r\n"),
                                           STALL, END };
    struct play p;
    play_init(&p, once_ok, HTTP_DELETE, CLASS_IDEMPOTENT);
    p.request.body = STR("never sent");
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(strncmp(server_request(p.server, 0), "DELETE /", 8), 0);
    assert_null(strstr(server_request(p.server, 0), "never"));
    play_fini(&p);
    play_init(&p, head_ok, HTTP_HEAD, CLASS_READ);
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(strncmp(server_request(p.server, 0), "HEAD /", 6), 0);
    struct str length;
    assert_true(response_header(&p.answer, "content-length", &length));
    assert_true(str_eq(length, STR("99")));
    play_fini(&p);
}

/* -- signing -- */

struct signer {
    int calls;
    char ids[8][64];
    bool saw_type;
};

static enum err sign_it(void *ctx, const struct http_request *r, struct buf *out,
                        struct buf *suffix, unsigned *ret_edition)
{
    struct signer *s = ctx;
    s->saw_type = false;
    for (size_t i = 0; i < HTTP_HEADERS && r->headers[i].name; i++) {
        if (strcmp(r->headers[i].name, "x-ms-client-request-id") == 0)
            snprintf(s->ids[s->calls], sizeof(s->ids[0]), STR_FMT, STR_ARG(r->headers[i].value));
        s->saw_type |= strcasecmp(r->headers[i].name, "Content-Type") == 0;
    }
    buf_printf(out, "x-ms-date: try %d\nAuthorization: SharedKey a:b=\nx-ms-empty: \n", s->calls++);
    buf_add_c(suffix, "&se=1");
    return OK;
}

static void test_each_try_is_signed_anew_and_has_its_own_id(void **state)
{
    static const struct step script[] = { ACCEPT,          READ,  RESET, ACCEPT, READ,
                                          SEND(ANSWER_OK), STALL, END };
    struct play p;
    struct signer signer = { 0 };
    play_init(&p, script, HTTP_GET, CLASS_READ);
    http_client_free(p.client);
    struct tuning t = quick_tuning();
    p.client = http_client_new_tuned(
        &(struct http_settings){ .connections = 1, .sign = sign_it, .ctx = &signer }, &t);
    p.request.headers[0] = (struct http_header){ "Content-Type", STR("text/plain") };
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(p.answer.tries, 2);
    assert_int_equal(signer.calls, 2);
    assert_false(signer.saw_type); /* it is not sent either */
    assert_string_not_equal(signer.ids[0], signer.ids[1]);
    for (int i = 0; i < 2; i++) {
        const char *text = server_request(p.server, i);
        assert_non_null(strstr(text, "?sig=hidden&se=1 HTTP/1.1"));
        assert_non_null(strstr(text, i ? "x-ms-date: try 1\r\n" : "x-ms-date: try 0\r\n"));
        assert_non_null(strstr(text, "Authorization: SharedKey a:b=\r\n"));
        assert_non_null(strstr(text, "x-ms-empty:\r\n"));
        assert_non_null(strstr(text, signer.ids[i]));
    }
    play_fini(&p);
}

static enum err refuse_to_sign(void *ctx, const struct http_request *r, struct buf *out,
                               struct buf *suffix, unsigned *ret_edition)
{
    return ERR_KEY_EXPIRED;
}

static void test_without_a_signature_nothing_is_sent(void **state)
{
    struct play p;
    play_init(&p, once_ok, HTTP_GET, CLASS_READ);
    http_client_free(p.client);
    p.client = http_client_new(&(struct http_settings){ .connections = 1, .sign = refuse_to_sign });
    assert_int_equal(play_send(&p), ERR_KEY_EXPIRED);
    assert_int_equal(server_connections(p.server), 0);
    play_fini(&p);
}

static bool renew_it(void *ctx, const struct http_response *r, unsigned edition)
{
    int *calls = ctx;
    (*calls)++;
    return true;
}

static void test_F32_credentials_are_renewed_once_for_all_classes(void **state)
{
    static const struct step again[] = { ACCEPT,
                                         READ,
                                         SEND("HTTP/1.1 401 No\r\nContent-Length: 0\r\n"
                                              "x-ms-request-id: r2\r\n"
                                              "x-ms-error-code: InvalidAuthenticationInfo\r\n\r\n"),
                                         CLOSE,
                                         AGAIN(4),
                                         END };
    static const struct step then_ok[] = {
        ACCEPT, READ, SEND("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"),
        ACCEPT, READ, SEND(ANSWER_OK),
        STALL,  END
    };
    int calls = 0;
    struct play p;
    struct http_settings settings = { .connections = 1, .renew = renew_it, .ctx = &calls };
    play_init(&p, again, HTTP_POST, CLASS_ONCE);
    http_client_free(p.client);
    p.client = http_client_new(&settings);
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(p.answer.status, 401);
    assert_int_equal(calls, 1);
    assert_int_equal(server_requests(p.server), 2);
    assert_int_equal(p.call.http_status, 401);
    assert_string_equal(p.call.code, "InvalidAuthenticationInfo");
    assert_string_equal(p.call.request_id, "r2");
    play_fini(&p);
    play_init(&p, then_ok, HTTP_POST, CLASS_ONCE);
    http_client_free(p.client);
    p.client = http_client_new(&settings);
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(p.answer.status, 200);
    assert_int_equal(calls, 2);
    play_fini(&p);
}

/* -- answers -- */

static void expect_answer(const struct step *script, enum http_method method, enum http_class class,
                          enum err want, int want_requests)
{
    struct play p;
    play_init(&p, script, method, class);
    enum err err = play_send(&p);
    if (err != want)
        print_error("%s: %s\n", err_name(err), p.call.text);
    assert_int_equal(err, want);
    assert_int_equal(server_requests(p.server), want_requests);
    assert_null(strstr(p.call.text, "hidden"));
    if (want)
        assert_true(strlen(p.call.text) > 10);
    play_fini(&p);
}

static void test_statuses_are_answers_and_are_noted_in_the_call(void **state)
{
    static const struct step script[] = { ACCEPT,
                                          READ,
                                          SEND("HTTP/1.1 404 Not Found\r\nX-MS-Request-Id: r9\r\n"
                                               "x-ms-error-code: TableNotFound\r\n"
                                               "Content-Length: 4\r\n\r\ngone"),
                                          READ,
                                          SEND(ANSWER_OK),
                                          STALL,
                                          END };
    struct play p;
    play_init(&p, script, HTTP_GET, CLASS_READ);
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(p.answer.status, 404);
    assert_body(&p, "gone");
    assert_int_equal(p.call.http_status, 404);
    assert_string_equal(p.call.code, "TableNotFound");
    assert_string_equal(p.call.request_id, "r9");
    /* The next one of the same call does not inherit it, nor the answer's old text. */
    assert_int_equal(play_send(&p), OK);
    assert_body(&p, "hello");
    assert_int_equal(p.call.http_status, 0);
    assert_string_equal(p.call.code, "");
    assert_int_equal(server_connections(p.server), 1);
    play_fini(&p);
}

static void test_F24_an_answer_without_request_id_is_not_azure_storage(void **state)
{
    static const struct step portal[] = {
        ACCEPT, READ,
        SEND("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n"
             "<html>"),
        STALL, END
    };
    struct play p;
    play_init(&p, portal, HTTP_GET, CLASS_READ);
    assert_int_equal(play_send(&p), ERR_BROKEN);
    assert_non_null(strstr(p.call.text, "not an Azure Storage answer"));
    assert_int_equal(p.call.http_status, 200);
    play_fini(&p);
    expect_answer(portal, HTTP_POST, CLASS_ONCE, ERR_BROKEN, 1);
    play_init(&p, portal, HTTP_GET, CLASS_READ);
    assert_int_equal(http_send(p.client, &p.call, &p.request, false, &p.answer), OK);
    play_fini(&p);
}

static void test_F25_redirects_are_not_followed(void **state)
{
    static const char *const heads[] = { "HTTP/1.1 301 M", "HTTP/1.1 302 F", "HTTP/1.1 307 T" };
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        const struct step script[] = { ACCEPT,
                                       READ,
                                       SEND(heads[i]),
                                       SEND("\r\nx-ms-request-id: r\r\nLocation: /else\r\n"
                                            "Content-Length: 0\r\n\r\n"),
                                       READ,
                                       END };
        expect_answer(script, HTTP_GET, CLASS_READ, ERR_BROKEN, 1);
        expect_answer(script, HTTP_POST, CLASS_ONCE, ERR_BROKEN, 1);
    }
}

static void test_F26_interim_answers_and_doubled_headers_are_broken(void **state)
{
    static const struct step interim[] = {
        ACCEPT, READ, SEND("HTTP/1.1 102 Wait\r\n\r\n" ANSWER_OK), STALL, AGAIN(4), END
    };
    static const struct step doubled[] = { ACCEPT,
                                           READ,
                                           SEND("HTTP/1.1 200 OK\r\nETag: a\r\netag: b\r\n"
                                                "x-ms-request-id: r\r\nContent-Length: 0\r\n\r\n"),
                                           STALL,
                                           AGAIN(4),
                                           END };
    expect_answer(interim, HTTP_GET, CLASS_READ, ERR_BROKEN, 1);
    expect_answer(interim, HTTP_POST, CLASS_ONCE, ERR_UNKNOWN_OUTCOME, 1);
    expect_answer(doubled, HTTP_GET, CLASS_READ, ERR_BROKEN, 1);
    expect_answer(doubled, HTTP_POST, CLASS_ONCE, ERR_UNKNOWN_OUTCOME, 1);
}

/* L4: just below and just above, in many lines and in one. */
static void test_F26_header_block_above_L4_is_broken(void **state)
{
    static const struct step below[] = {
        ACCEPT, READ, SEND(HEAD_OK "Content-Length: 0\r\nx: "), FILL(63), SEND("\r\n\r\n"),
        STALL,  END
    };
    static const struct step above[] = {
        ACCEPT,   READ, SEND(HEAD_OK "Content-Length: 0\r\nx: "), FILL(65), SEND("\r\n\r\n"), STALL,
        AGAIN(6), END
    };
    static const struct step endless[] = {
        ACCEPT, READ, SEND(HEAD_OK "x: "), FILL(400), SEND("\r\n\r\n"), STALL, AGAIN(6), END
    };
    expect_answer(below, HTTP_GET, CLASS_READ, OK, 1);
    expect_answer(above, HTTP_GET, CLASS_READ, ERR_BROKEN, 1);
    expect_answer(above, HTTP_POST, CLASS_ONCE, ERR_UNKNOWN_OUTCOME, 1);
    expect_answer(endless, HTTP_GET, CLASS_READ, ERR_BROKEN, 1);
}

static void test_junk_instead_of_http_is_broken(void **state)
{
    static const struct step junk[] = { ACCEPT, READ,     SEND("220 mail.example ESMTP\r\n"),
                                        CLOSE,  AGAIN(4), END };
    expect_answer(junk, HTTP_GET, CLASS_READ, ERR_BROKEN, 1);
    expect_answer(junk, HTTP_POST, CLASS_ONCE, ERR_UNKNOWN_OUTCOME, 1);
}

static void test_F16_endless_body_is_cut(void **state)
{
    static const struct step exact[] = {
        ACCEPT, READ, SEND(HEAD_OK "Content-Length: 4096\r\n\r\n"), FILL(4), STALL, END
    };
    static const struct step endless[] = { ACCEPT,     READ,  SEND(HEAD_OK "\r\n"),
                                           FILL(4000), STALL, END };
    expect_answer(exact, HTTP_GET, CLASS_READ, OK, 1);
    expect_answer(endless, HTTP_GET, CLASS_READ, ERR_TOO_BIG, 1);
    expect_answer(endless, HTTP_POST, CLASS_ONCE, OK, 1);
}

static void test_B38_an_error_counts_however_long_its_body(void **state)
{
    static const struct step script[] = {
        ACCEPT, READ, SEND("HTTP/1.1 400 Bad\r\nx-ms-request-id: r\r\n\r\n"), FILL(1000), STALL, END
    };
    struct play p;
    play_init(&p, script, HTTP_GET, CLASS_READ);
    p.request.max_body = 10;
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(p.answer.status, 400);
    assert_int_equal(p.answer.body.len, 64 * KIB);
    play_fini(&p);
}

static void test_coded_bodies_stay_coded(void **state)
{
    static const struct step script[] = { ACCEPT, READ,
                                          SEND(HEAD_OK "Content-Encoding: gzip\r\n"
                                                       "Transfer-Encoding: chunked\r\n\r\n"
                                                       "3\r\nabc\r\n2\r\nde\r\n0\r\nt: 1\r\n\r\n"),
                                          STALL, END };
    struct play p;
    play_init(&p, script, HTTP_GET, CLASS_READ);
    assert_int_equal(play_send(&p), OK);
    assert_body(&p, "abcde"); /* not gzip at all: had anyone tried to inflate it, this would fail */
    play_fini(&p);
}

/* -- connections -- */

static void test_reads_keep_their_connection_and_writes_once_take_a_new_one(void **state)
{
    static const struct step script[] = { ACCEPT, READ, SEND(ANSWER_OK), READ, SEND(ANSWER_OK),
                                          ACCEPT, READ, SEND(ANSWER_OK), READ, SEND(ANSWER_OK),
                                          STALL,  END };
    struct play p;
    play_init(&p, script, HTTP_GET, CLASS_READ);
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(server_connections(p.server), 1);
    p.request.class = CLASS_ONCE;
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(server_connections(p.server), 2);
    p.request.class = CLASS_READ; /* what the write left behind may be used */
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(server_connections(p.server), 2);
    play_fini(&p);
}

static void test_F17_an_idle_connection_that_was_closed_is_invisible(void **state)
{
    static const struct step script[] = { ACCEPT,          READ,   SEND(ANSWER_OK),
                                          CLOSE,           ACCEPT, READ,
                                          SEND(ANSWER_OK), STALL,  END };
    struct play p;
    play_init(&p, script, HTTP_GET, CLASS_READ);
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(p.answer.tries, 1);
    assert_int_equal(server_connections(p.server), 2);
    play_fini(&p);
}

static void test_dropped_connections_are_not_used_again(void **state)
{
    static const struct step script[] = { ACCEPT,          READ,   SEND(ANSWER_OK),
                                          STALL,           ACCEPT, READ,
                                          SEND(ANSWER_OK), STALL,  END };
    struct play p;
    play_init(&p, script, HTTP_GET, CLASS_READ);
    assert_int_equal(play_send(&p), OK);
    http_client_drop_connections(p.client);
    assert_int_equal(play_send(&p), OK);
    assert_int_equal(server_connections(p.server), 2);
    play_fini(&p);
}

static void test_a_proxy_is_never_asked_for_loopback(void **state)
{
    struct play p;
    play_init(&p, once_ok, HTTP_GET, CLASS_READ);
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    enum err err = play_send(&p);
    unsetenv("http_proxy");
    assert_int_equal(err, OK);
    play_fini(&p);
}

static void *send_three(void *ctx)
{
    struct play *p = ctx;
    intptr_t failures = 0;
    for (int i = 0; i < 3; i++) {
        CLEANUP_RESPONSE struct http_response answer = RESPONSE_INIT;
        struct call call = patient_call();
        if (http_send(p->client, &call, &p->request, true, &answer) || answer.body.len != 5)
            failures++;
    }
    return (void *)failures;
}

static void test_L12_many_threads_share_the_connections(void **state)
{
    static const struct step script[] = { ACCEPT, READ, SEND(ANSWER_OK), AGAIN(2), END };
    struct play p;
    pthread_t threads[4];
    void *failures;
    play_init(&p, script, HTTP_GET, CLASS_READ);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_three, &p), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &failures), 0);
        assert_null(failures);
    }
    assert_int_equal(server_connections(p.server), 1);
    assert_int_equal(server_requests(p.server), 12);
    struct http_stats stats;
    http_client_stats(p.client, &stats);
    assert_int_equal(stats.requests, 12);
    assert_int_equal(stats.retries, 0);
    assert_int_equal(stats.errors, 0);
    assert_true(stats.bytes_in > 12 * 5);
    play_fini(&p);
}

/* -- refused before anything is sent -- */

static void test_bad_requests_are_refused(void **state)
{
    struct play p;
    play_init(&p, once_ok, HTTP_GET, CLASS_READ);
    struct str good = p.request.url;
    p.request.url = STR("file:///etc/passwd");
    assert_int_equal(play_send(&p), ERR_INVALID);
    p.request.url = STR("http://127.0.0.1/\r\nevil: 1");
    assert_int_equal(play_send(&p), ERR_INVALID);
    p.request.url = good;
    p.request.headers[0] = (struct http_header){ "If-Match", STR("a\r\nevil: 1") };
    assert_int_equal(play_send(&p), ERR_INVALID);
    p.request.headers[0].value = STR("a");
    call_init_local(&p.call);
    assert_int_equal(play_send(&p), ERR_WOULD_BLOCK);
    p.call = patient_call();
    call_cancel(&p.call);
    assert_int_equal(play_send(&p), ERR_CANCELLED);
    assert_int_equal(server_connections(p.server), 0);
    play_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_has_neither_body_nor_types),
        cmocka_unit_test(test_bodies_go_with_their_length_and_type),
        cmocka_unit_test(test_a_large_body_is_sent_whole_without_expect),
        cmocka_unit_test(test_a_post_without_body_has_no_type),
        cmocka_unit_test(test_delete_and_head_have_no_body),
        cmocka_unit_test(test_each_try_is_signed_anew_and_has_its_own_id),
        cmocka_unit_test(test_without_a_signature_nothing_is_sent),
        cmocka_unit_test(test_F32_credentials_are_renewed_once_for_all_classes),
        cmocka_unit_test(test_statuses_are_answers_and_are_noted_in_the_call),
        cmocka_unit_test(test_F24_an_answer_without_request_id_is_not_azure_storage),
        cmocka_unit_test(test_F25_redirects_are_not_followed),
        cmocka_unit_test(test_F26_interim_answers_and_doubled_headers_are_broken),
        cmocka_unit_test(test_F26_header_block_above_L4_is_broken),
        cmocka_unit_test(test_junk_instead_of_http_is_broken),
        cmocka_unit_test(test_F16_endless_body_is_cut),
        cmocka_unit_test(test_B38_an_error_counts_however_long_its_body),
        cmocka_unit_test(test_coded_bodies_stay_coded),
        cmocka_unit_test(test_reads_keep_their_connection_and_writes_once_take_a_new_one),
        cmocka_unit_test(test_F17_an_idle_connection_that_was_closed_is_invisible),
        cmocka_unit_test(test_dropped_connections_are_not_used_again),
        cmocka_unit_test(test_a_proxy_is_never_asked_for_loopback),
        cmocka_unit_test(test_L12_many_threads_share_the_connections),
        cmocka_unit_test(test_bad_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
