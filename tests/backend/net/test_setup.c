/* setup: what is asked of libcurl beside the request: resolving, dead connections. This program is
 * the resolver and the wall clock that libcurl sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <curl/curl.h>

#include "backend/base/clock.h"
#include "backend/base/limits.h"
#include "tests/backend/net/client.h"
#include "tests/backend/net/server.h"

/* -- the resolver -- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool silent;           /* L: nobody gets an answer */
    int asked;             /* L: questions so far */
    struct in_addr answer; /* L */
} resolver = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, { 0 } };

static void resolver_says(const char *address)
{
    pthread_mutex_lock(&resolver.mutex);
    resolver.silent = !address;
    if (address)
        assert_int_equal(inet_pton(AF_INET, address, &resolver.answer), 1);
    pthread_cond_broadcast(&resolver.changed);
    pthread_mutex_unlock(&resolver.mutex);
}

static int resolver_asked(void)
{
    pthread_mutex_lock(&resolver.mutex);
    int n = resolver.asked;
    pthread_mutex_unlock(&resolver.mutex);
    return n;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    struct {
        struct addrinfo info;
        struct sockaddr_in address;
    } *both = calloc(1, sizeof(*both));
    if (!both)
        return EAI_MEMORY;
    pthread_mutex_lock(&resolver.mutex);
    resolver.asked++;
    while (resolver.silent)
        pthread_cond_wait(&resolver.changed, &resolver.mutex);
    both->address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = resolver.answer };
    pthread_mutex_unlock(&resolver.mutex);
    both->address.sin_port = htons((uint16_t)(service ? strtoul(service, NULL, 10) : 0));
    both->info = (struct addrinfo){ .ai_family = AF_INET,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_addrlen = sizeof(both->address),
                                    .ai_addr = (struct sockaddr *)&both->address };
    *ret = &both->info;
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    free(info);
}

/* -- the clock by which libcurl ages what it resolved -- */

static _Atomic time_t later_s;

time_t time(time_t *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time_t t = now.tv_sec + later_s;
    if (ret)
        *ret = t;
    return t;
}

/* -- requests -- */

static enum err send_name(struct http_client *c, const char *name, int port, enum http_class class,
                          struct call *call, unsigned *ret_tries)
{
    CLEANUP_RESPONSE struct http_response answer = RESPONSE_INIT;
    char url[128], address[128];
    struct http_request r =
        request_to(url, port, class == CLASS_ONCE ? HTTP_POST : HTTP_GET, class);
    snprintf(address, sizeof(address), "http://%s:%d/t?sig=hidden", name, port);
    r.url = str_c(address);
    enum err err = http_send(c, call, &r, true, &answer);
    if (ret_tries)
        *ret_tries = answer.tries;
    return err;
}

static struct http_client *client(int connections, int64_t connect_ms)
{
    struct tuning t = quick_tuning();
    struct http_settings settings = { .connections = connections };
    if (connect_ms)
        t.connect_ms = connect_ms;
    t.slow_s = 600; /* slowness must not find out first what these tests are about */
    return http_client_new_tuned(&settings, &t);
}

static void test_F02_a_silent_resolver_is_left(void **state)
{
    for (enum http_class class = CLASS_READ; class <= CLASS_ONCE; class ++) {
        struct http_client *c = client(1, 300);
        struct call call = patient_call();
        unsigned tries;
        resolver_says(NULL);
        assert_int_equal(send_name(c, "account.test", 80, class, &call, &tries), ERR_UNREACHABLE);
        assert_non_null(strstr(call.text, "account.test"));
        assert_null(strstr(call.text, "hidden"));
        assert_int_equal(tries, 1); /* all the time for connecting is gone */
        http_client_free(c);
        resolver_says("127.0.0.1");
    }
}

struct waiting {
    struct http_client *client;
    int port;
    struct call call;
    enum err err;
};

static void *wait_for_name(void *ctx)
{
    struct waiting *w = ctx;
    w->err = send_name(w->client, "account.test", w->port, CLASS_READ, &w->call, NULL);
    return NULL;
}

static void await_question(int n)
{
    while (resolver_asked() < n)
        clock_sleep_ms(1);
}

/* Whoever needs no name is served meanwhile; who waits for one can be interrupted; and a name that
 * comes late is good for the next. */
static void test_F02_nobody_else_waits_for_the_resolver(void **state)
{
    static const struct step script[] = { ACCEPT,          READ,   SEND(ANSWER_OK),
                                          CLOSE,           ACCEPT, READ,
                                          SEND(ANSWER_OK), STALL,  END };
    struct server *server = server_start(script);
    struct waiting w = { client(2, 0), server_port(server), patient_call(), OK };
    struct call call = patient_call();
    pthread_t thread;
    int before = resolver_asked();
    resolver_says(NULL);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_name, &w), 0);
    await_question(before + 1);
    assert_int_equal(send_name(w.client, "127.0.0.1", w.port, CLASS_READ, &call, NULL), OK);
    call_cancel(&w.call); /* the resolver is still silent */
    pthread_join(thread, NULL);
    assert_int_equal(w.err, ERR_CANCELLED);
    resolver_says("127.0.0.1");
    assert_int_equal(send_name(w.client, "account.test", w.port, CLASS_READ, &call, NULL), OK);
    assert_int_equal(server_requests(server), 2);
    http_client_free(w.client);
    server_stop(server);
}

/* A client with one connection, and a peer that has vanished from it. */
static void expect_around_a_dead_connection(enum http_class class, int requests)
{
    static const struct step script[] = { ACCEPT, READ, SEND(ANSWER_OK), DEAF,
                                          ACCEPT, READ, SEND(ANSWER_OK), STALL,
                                          END };
    struct server *server = server_start(script);
    struct http_client *c = client(1, 0);
    struct call call = patient_call();
    assert_int_equal(send_name(c, "127.0.0.1", server_port(server), CLASS_READ, &call, NULL), OK);
    /* Deaf before the next request leaves. */
    clock_sleep_ms(100);
    assert_int_equal(send_name(c, "127.0.0.1", server_port(server), class, &call, NULL), OK);
    assert_int_equal(server_connections(server), 2);
    assert_int_equal(server_requests(server), requests);
    http_client_free(c);
    server_stop(server);
}

static void test_F18_a_half_open_connection_is_found_out(void **state)
{
    expect_around_a_dead_connection(CLASS_READ, 2);
}

static void test_F18_a_write_does_not_use_it(void **state)
{
    expect_around_a_dead_connection(CLASS_ONCE, 2);
}

#define NEWEST_THAT_ASKS_TIME 0x080c00 /* later ones age names by a clock of their own */

static void test_F21_a_moved_address_is_found_within_a_minute(void **state)
{
    static const struct step script[] = { ACCEPT, READ, SEND(ANSWER_OK), CLOSE, AGAIN(4), END };
    struct server *server = server_start(script);
    struct http_client *c = client(1, 0);
    int port = server_port(server), before = resolver_asked();
    struct call call = patient_call();
    if (curl_version_info(CURLVERSION_NOW)->version_num >= NEWEST_THAT_ASKS_TIME)
        skip();
    resolver_says("127.0.0.1");
    assert_int_equal(send_name(c, "moving.test", port, CLASS_READ, &call, NULL), OK);
    assert_int_equal(send_name(c, "moving.test", port, CLASS_READ, &call, NULL), OK);
    assert_int_equal(resolver_asked(), before + 1);
    resolver_says("127.0.0.2"); /* where nobody listens */
    later_s = 59;
    assert_int_equal(send_name(c, "moving.test", port, CLASS_READ, &call, NULL), OK);
    later_s = 61;
    assert_int_equal(send_name(c, "moving.test", port, CLASS_READ, &call, NULL), ERR_UNREACHABLE);
    resolver_says("127.0.0.1");
    http_client_drop_connections(c); /* SIGHUP needs not wait for the minute */
    assert_int_equal(send_name(c, "moving.test", port, CLASS_READ, &call, NULL), OK);
    later_s = 0;
    http_client_free(c);
    server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_F02_a_silent_resolver_is_left),
        cmocka_unit_test(test_F02_nobody_else_waits_for_the_resolver),
        cmocka_unit_test(test_F18_a_half_open_connection_is_found_out),
        cmocka_unit_test(test_F18_a_write_does_not_use_it),
        cmocka_unit_test(test_F21_a_moved_address_is_found_within_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
