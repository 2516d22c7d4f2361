/* exchange over a bad line (F28): answers come late, in pieces, and some after a pause as long as
 * TCP needs to notice a lost segment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/base/clock.h"
#include "tests/backend/net/client.h"

#define CONNECTIONS   16
#define SENDERS       24
#define SENDS         100 /* of each */
#define LATENCY_MS    3   /* hundred times less than F28 has, for a test's sake */
#define JITTER_MS     2
#define LOST_PER_MILL 10
#define LOST_MS       200 /* the first retransmission */
#define PEER_MAX      512

/* -- the other end: a thread a connection -- */

struct line {
    int listener, port;
    pthread_t acceptor, peers[PEER_MAX];
    int peer_count;                /* T: the acceptor's */
    atomic_int gets, posts, other; /* requests that came whole */
};

struct peer {
    struct line *line;
    int fd;
    unsigned random;
};

static int next_delay_ms(struct peer *p)
{
    p->random = p->random * 1103515245u + 12345u;
    unsigned n = (p->random >> 8) % 1000;
    return n < LOST_PER_MILL ? LOST_MS : LATENCY_MS + (int)(n % (JITTER_MS + 1));
}

static bool send_late(struct peer *p, const char *text, size_t n)
{
    for (size_t half = n / 2; n > 0; text += half, n -= half, half = n) {
        clock_sleep_ms(next_delay_ms(p));
        if (send(p->fd, text, half, MSG_NOSIGNAL) != (ssize_t)half)
            return false;
    }
    return true;
}

static bool answer(struct peer *p, const char *request)
{
    char text[512];
    const char *id = strcasestr(request, "x-ms-client-request-id: ");
    atomic_int *kind = strncmp(request, "GET ", 4) == 0    ? &p->line->gets
                       : strncmp(request, "POST ", 5) == 0 ? &p->line->posts
                                                           : &p->line->other;
    atomic_fetch_add(kind, 1);
    int n = snprintf(text, sizeof(text),
                     "HTTP/1.1 200 OK\r\nx-ms-request-id: r\r\nx-ms-client-request-id: %.36s\r\n"
                     "Content-Length: 5\r\n\r\nhello",
                     id ? id + 24 : "");
    return send_late(p, text, (size_t)n);
}

/* Head and, of a POST, the body that the tests send. */
static size_t whole(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    size_t body = strncmp(text, "POST ", 5) == 0 ? strlen(TEST_BODY) : 0;
    return end ? (size_t)(end - text) + 4 + body : SIZE_MAX;
}

static void *serve(void *ctx)
{
    struct peer *p = ctx;
    char text[4096] = "";
    size_t have = 0;
    for (;;) {
        ssize_t n = recv(p->fd, text + have, sizeof(text) - 1 - have, 0);
        if (n <= 0)
            break;
        have += (size_t)n;
        text[have] = '\0';
        if (have < whole(text))
            continue;
        have = 0;
        if (!answer(p, text))
            break;
    }
    close(p->fd);
    free(p);
    return NULL;
}

static void *accept_all(void *ctx)
{
    struct line *l = ctx;
    int fd;
    while ((fd = accept(l->listener, NULL, NULL)) >= 0) {
        struct peer *p = calloc(1, sizeof(*p));
        if (!p || l->peer_count == PEER_MAX)
            abort();
        *p = (struct peer){ l, fd, (unsigned)l->peer_count + 1 };
        if (pthread_create(&l->peers[l->peer_count++], NULL, serve, p))
            abort();
    }
    return NULL;
}

static void line_start(struct line *l)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    l->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(l->listener, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(l->listener, 64), 0);
    assert_int_equal(getsockname(l->listener, (struct sockaddr *)&a, &len), 0);
    l->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&l->acceptor, NULL, accept_all, l), 0);
}

/* After the client, which ends the connections. */
static void line_stop(struct line *l)
{
    shutdown(l->listener, SHUT_RDWR);
    pthread_join(l->acceptor, NULL);
    close(l->listener);
    for (int i = 0; i < l->peer_count; i++)
        pthread_join(l->peers[i], NULL);
}

/* -- our end -- */

struct sender {
    struct http_client *client;
    int port, posts;
    int failed;
    char why[CALL_TEXT_MAX];
};

static void *send_all(void *ctx)
{
    struct sender *s = ctx;
    char url[128];
    for (int i = 0; i < SENDS; i++) {
        CLEANUP_RESPONSE struct http_response answer = RESPONSE_INIT;
        bool post = i % 10 == 0; /* each takes a connection of its own */
        struct http_request r =
            request_to(url, s->port, post ? HTTP_POST : HTTP_GET, post ? CLASS_ONCE : CLASS_READ);
        struct call call = patient_call();
        s->posts += post;
        if (http_send(s->client, &call, &r, true, &answer) == OK && answer.status == 200)
            continue;
        s->failed++;
        snprintf(s->why, sizeof(s->why), "%s", call.text);
    }
    return NULL;
}

static void test_F28_latency_jitter_and_loss_are_no_errors(void **state)
{
    static struct line line; /* its threads outlive this stack's frames when an assertion fails */
    struct sender senders[SENDERS] = { 0 };
    pthread_t threads[SENDERS];
    struct http_stats stats;
    int posts = 0;
    line_start(&line);
    struct http_client *c = http_client_new(&(struct http_settings){ .connections = CONNECTIONS });
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ .client = c, .port = line.port };
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        posts += senders[i].posts;
        if (senders[i].failed)
            fail_msg("%d failed: %s", senders[i].failed, senders[i].why);
    }
    http_client_stats(c, &stats);
    http_client_free(c);
    line_stop(&line);
    assert_int_equal(stats.errors, 0);
    assert_int_equal(stats.retries, 0);
    assert_int_equal(line.posts, posts); /* once each */
    assert_int_equal(line.gets, SENDERS * SENDS - posts);
    assert_int_equal(line.other, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_F28_latency_jitter_and_loss_are_no_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
