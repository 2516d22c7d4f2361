#include "tests/backend/net/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUESTS_MAX 256
#define REQUEST_MAX  (4 * 1024 * 1024)
#define ID_HEADER    "x-ms-client-request-id:"

struct server {
    pthread_t thread;
    const struct step *script;
    int port, listener, stop; /* stop: an eventfd, readable when all must end */
    int connection;           /* T: the server's thread; -1 = none */
    int deaf;                 /* T: likewise; kept open, since closing it would tell the peer */
    pthread_mutex_t mutex;
    pthread_cond_t more;
    int connections, requests; /* L */
    char *texts[REQUESTS_MAX]; /* L */
};

static void die(const char *what)
{
    perror(what);
    abort();
}

static int listen_anywhere(int *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 64) ||
        getsockname(fd, (struct sockaddr *)&a, &len))
        die("listen");
    *port = ntohs(a.sin_port);
    return fd;
}

int server_dead_port(void)
{
    int port;
    close(listen_anywhere(&port));
    return port;
}

/* False when the server is to stop. */
static bool ready(struct server *s, int fd, short events, int timeout_ms)
{
    struct pollfd p[2] = { { .fd = s->stop, .events = POLLIN }, { .fd = fd, .events = events } };
    while (poll(p, 2, timeout_ms) < 0)
        if (errno != EINTR)
            die("poll");
    return !(p[0].revents & POLLIN);
}

static void hang_up(struct server *s)
{
    if (s->connection >= 0)
        close(s->connection);
    s->connection = -1;
}

static void reset_connection(struct server *s)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(s->connection, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    hang_up(s);
}

static bool accept_one(struct server *s)
{
    hang_up(s);
    if (!ready(s, s->listener, POLLIN, -1))
        return false;
    s->connection = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    if (s->connection < 0)
        die("accept");
    pthread_mutex_lock(&s->mutex);
    s->connections++;
    pthread_mutex_unlock(&s->mutex);
    return true;
}

/* Length of head and body once the head is complete, else 0. */
static size_t request_length(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");
    if (!end)
        return 0;
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return (size_t)(end - text) + 4 + body;
}

static void keep_request(struct server *s, char *text)
{
    pthread_mutex_lock(&s->mutex);
    if (s->requests == REQUESTS_MAX)
        die("too many requests");
    s->texts[s->requests++] = text;
    pthread_cond_broadcast(&s->more);
    pthread_mutex_unlock(&s->mutex);
}

/* A peer that leaves in the middle has not made a request: nothing is kept. */
static bool read_request(struct server *s)
{
    char *text = calloc(1, REQUEST_MAX + 1);
    size_t have = 0, want = 0;
    if (!text)
        die("memory");
    while (want == 0 || have < want) {
        ssize_t n = 0;
        if (s->connection >= 0) {
            if (!ready(s, s->connection, POLLIN, -1)) {
                free(text);
                return false;
            }
            n = recv(s->connection, text + have, REQUEST_MAX - have, 0);
        }
        if (n <= 0) {
            free(text);
            return true;
        }
        have += (size_t)n;
        want = request_length(text);
    }
    keep_request(s, text);
    return true;
}

/* False when the server is to stop. The peer's having left is its own affair. */
static bool send_bytes(struct server *s, const char *p, size_t n)
{
    while (n > 0 && s->connection >= 0) {
        if (!ready(s, s->connection, POLLOUT, -1))
            return false;
        ssize_t sent = send(s->connection, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN)
            continue;
        if (sent < 0)
            return true;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static size_t last_id(struct server *s, const char **ret)
{
    const char *text = s->requests > 0 ? strcasestr(s->texts[s->requests - 1], ID_HEADER) : NULL;
    *ret = text ? text + strlen(ID_HEADER) + 1 : "";
    return strcspn(*ret, "\r");
}

static bool send_text(struct server *s, const char *text)
{
    const char *at, *id;
    size_t len = last_id(s, &id);
    for (; (at = strstr(text, "$ID")); text = at + 3)
        if (!send_bytes(s, text, (size_t)(at - text)) || !send_bytes(s, id, len))
            return false;
    return send_bytes(s, text, strlen(text));
}

static bool send_drips(struct server *s, const char *text, int ms)
{
    char gone;
    for (; *text; text++) {
        if (s->connection < 0 || recv(s->connection, &gone, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
            return true;
        if (!send_bytes(s, text, 1) || !ready(s, -1, 0, ms))
            return false;
    }
    return true;
}

static bool send_filling(struct server *s, int kib)
{
    char block[1024];
    memset(block, 'x', sizeof(block));
    for (int i = 0; i < kib; i++)
        if (!send_bytes(s, block, sizeof(block)))
            return false;
    return true;
}

static bool stall(struct server *s)
{
    char rest[256];
    while (s->connection >= 0) {
        if (!ready(s, s->connection, POLLIN, -1))
            return false;
        if (recv(s->connection, rest, sizeof(rest), 0) <= 0)
            return true;
    }
    return true;
}

static void go_deaf(struct server *s)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = { .len = 1, .filter = &nothing };
    if (setsockopt(s->connection, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)))
        die("filter");
    s->deaf = s->connection;
    s->connection = -1;
}

static bool play(struct server *s, const struct step *step)
{
    switch (step->kind) {
    case STEP_ACCEPT:
        return accept_one(s);
    case STEP_READ:
        return read_request(s);
    case STEP_SEND:
        return send_text(s, step->text);
    case STEP_DRIP:
        return send_drips(s, step->text, step->number);
    case STEP_FILL:
        return send_filling(s, step->number);
    case STEP_STALL:
        return stall(s);
    case STEP_PAUSE:
        return ready(s, -1, 0, step->number);
    case STEP_CLOSE:
        hang_up(s);
        return true;
    case STEP_RESET:
        reset_connection(s);
        return true;
    case STEP_DEAF:
        go_deaf(s);
        return true;
    case STEP_AGAIN:
        return ready(s, -1, 0, 0);
    case STEP_END:
        break;
    }
    return false;
}

static void *run(void *ctx)
{
    struct server *s = ctx;
    const struct step *step = s->script;
    while (play(s, step)) {
        if (step->kind == STEP_AGAIN)
            step -= step->number;
        else
            step++;
    }
    hang_up(s);
    shutdown(s->listener, SHUT_RDWR); /* refuses from now on */
    return NULL;
}

struct server *server_start(const struct step *script)
{
    struct server *s = calloc(1, sizeof(*s));
    if (!s)
        die("memory");
    s->script = script;
    s->connection = s->deaf = -1;
    s->listener = listen_anywhere(&s->port);
    s->stop = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->more, NULL);
    if (s->stop < 0 || pthread_create(&s->thread, NULL, run, s))
        die("server");
    return s;
}

struct server *server_stop(struct server *s)
{
    if (!s)
        return NULL;
    if (eventfd_write(s->stop, 1) || pthread_join(s->thread, NULL))
        die("stop");
    close(s->listener);
    close(s->stop);
    if (s->deaf >= 0)
        close(s->deaf);
    for (int i = 0; i < s->requests; i++)
        free(s->texts[i]);
    pthread_mutex_destroy(&s->mutex);
    pthread_cond_destroy(&s->more);
    free(s);
    return NULL;
}

int server_port(const struct server *s)
{
    return s->port;
}

int server_connections(struct server *s)
{
    pthread_mutex_lock(&s->mutex);
    int n = s->connections;
    pthread_mutex_unlock(&s->mutex);
    return n;
}

int server_requests(struct server *s)
{
    pthread_mutex_lock(&s->mutex);
    int n = s->requests;
    pthread_mutex_unlock(&s->mutex);
    return n;
}

const char *server_request(struct server *s, int i)
{
    pthread_mutex_lock(&s->mutex);
    const char *text = i >= 0 && i < s->requests ? s->texts[i] : "";
    pthread_mutex_unlock(&s->mutex);
    return text;
}

void server_await_requests(struct server *s, int n)
{
    pthread_mutex_lock(&s->mutex);
    while (s->requests < n)
        pthread_cond_wait(&s->more, &s->mutex);
    pthread_mutex_unlock(&s->mutex);
}
