#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/backend/storage/fakeserver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/storage/messages.h"
#include "backend/storage/provider.h"

#define REQUESTS_MAX 2000
#define SOCKETS_MAX  256
#define HEAD_MAX     (64 * 1024)
#define BODY_MAX     (128 << 20)

struct seen {
    char *head; /* request line and headers, terminated */
    char *body;
    size_t body_len;
};

struct connection {
    struct fakeserver *f;
    pthread_t thread;
    int fd;
};

struct fakeserver {
    const struct fake_rule *rules;
    int used[REQUESTS_MAX]; /* by rule; under lock */
    int listener;
    int port;
    pthread_t acceptor;
    pthread_mutex_t lock;
    struct connection connections[SOCKETS_MAX]; /* under lock */
    size_t connection_count;
    struct seen requests[REQUESTS_MAX]; /* under lock */
    size_t count;
    bool has_table;     /* MyHubPartitions */
    unsigned strangers; /* requests without a rule */
    struct buf log;
};

/* -- one request -- */

static bool read_all(int fd, char *p, size_t n)
{
    while (n > 0) {
        ssize_t got = recv(fd, p, n, 0);
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

/* Byte by byte: it is a test, and nothing of the next request may be taken. */
static char *read_head(int fd)
{
    char *head = malloc(HEAD_MAX);
    size_t n = 0;

    while (head && n + 1 < HEAD_MAX && read_all(fd, head + n, 1)) {
        head[++n] = '\0';
        if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
            return head;
    }
    free(head);
    return NULL;
}

static struct str head_value(const char *head, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        const char *end = strstr(line, "\r\n");
        if (end && strncasecmp(line, name, len) == 0 && line[len] == ':')
            return str_trim((struct str){ line + len + 1, (size_t)(end - line) - len - 1 });
    }
    return STR_NONE;
}

/* METHOD SP path SP */
static struct str head_word(const char *head, int which)
{
    struct str rest = str_c(head);
    struct str word = str_cut(&rest, ' ');

    return which == 0 ? word : str_cut(&rest, ' ');
}

static bool read_request(int fd, struct seen *ret)
{
    uint64_t n = 0;

    *ret = (struct seen){ .head = read_head(fd) };
    if (!ret->head)
        return false;
    (void)str_to_u64(head_value(ret->head, "content-length"), &n);
    if (head_value(ret->head, "expect").len) /* curl asks for this before long bodies */
        (void)!write(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    ret->body = malloc(n + 1);
    ret->body_len = n;
    if (!ret->body || n > BODY_MAX || !read_all(fd, ret->body, n)) {
        free(ret->head);
        free(ret->body);
        return false;
    }
    ret->body[n] = '\0';
    return true;
}

static const struct fake_rule *find_rule(struct fakeserver *f, const struct seen *r)
{
    static const struct fake_rule tables[] = {
        { .status = 200,
          .body = "{\"value\":[{\"TableName\":\"MyHubHistory\"},"
                  "{\"TableName\":\"MyHubInstances\"}]}" },
        { .status = 200,
          .body = "{\"value\":[{\"TableName\":\"MyHubHistory\"},{\"TableName\":\"MyHubInstances\"}"
                  ",{\"TableName\":\"MyHubPartitions\"}]}" },
    };
    struct str method = head_word(r->head, 0), path = head_word(r->head, 1);

    for (size_t i = 0; f->rules[i].status || f->rules[i].fault; i++) {
        const struct fake_rule *rule = &f->rules[i];
        int times = rule->times ? rule->times : 1;
        if (times > 0 && f->used[i] >= times)
            continue;
        if (str_eq(method, str_c(rule->method)) && str_starts(path, str_c(rule->path))) {
            f->used[i]++;
            return rule;
        }
    }
    return str_starts(path, STR("/t/Tables")) ? &tables[f->has_table] : NULL;
}

static const struct fake_rule *record(struct fakeserver *f, const struct seen *r)
{
    static const struct fake_rule stranger = { .status = 501,
                                               .headers = "x-ms-error-code: NoRuleForThis\r\n" };

    pthread_mutex_lock(&f->lock);
    const struct fake_rule *rule = find_rule(f, r);
    if (!rule) {
        f->strangers++;
        fprintf(stderr, "no rule for " STR_FMT " " STR_FMT "\n", STR_ARG(head_word(r->head, 0)),
                STR_ARG(head_word(r->head, 1)));
    }
    if (f->count < REQUESTS_MAX)
        f->requests[f->count++] = *r;
    buf_add(&f->log, head_word(r->head, 0));
    buf_add_ch(&f->log, ' ');
    buf_add(&f->log, head_word(r->head, 1));
    buf_add_ch(&f->log, '\n');
    pthread_mutex_unlock(&f->lock);
    return rule ? rule : &stranger;
}

static void add_body(struct fakeserver *f, const struct fake_rule *rule, struct buf *body)
{
    if (rule->echo_of) {
        struct str echo = fakeserver_body(f, rule->echo_of);
        buf_add_c(body, rule->echo_after ? rule->echo_after : "");
        buf_add(body, str_slice(echo, rule->echo_after ? 1 : 0, echo.len));
    } else if (rule->body) {
        buf_add(body,
                (struct str){ rule->body, rule->body_len ? rule->body_len : strlen(rule->body) });
    }
}

static bool answer(struct fakeserver *f, int fd, const struct fake_rule *rule)
{
    CLEANUP_BUF struct buf out = BUF_INIT(BODY_MAX);
    CLEANUP_BUF struct buf body = BUF_INIT(BODY_MAX);
    add_body(f, rule, &body);

    buf_printf(&out, "HTTP/1.1 %d Scripted\r\nx-ms-request-id: fake\r\n", rule->status);
    if (rule->status != 204)
        buf_printf(&out, "Content-Length: %zu\r\n", body.len);
    buf_add_c(&out, rule->headers ? rule->headers : "");
    buf_add_c(&out, "\r\n");
    if (rule->status != 204)
        buf_add(&out, buf_str(&body));
    struct str bytes = buf_str(&out);
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.p, bytes.len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return true;
}

static void reset(int fd)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    struct seen r;

    while (read_request(c->fd, &r)) {
        const struct fake_rule *rule = record(c->f, &r);
        if (rule->fault == FAKE_RESETS) {
            reset(c->fd);
            break;
        }
        if (!answer(c->f, c->fd, rule))
            break;
    }
    pthread_mutex_lock(&c->f->lock);
    close(c->fd);
    c->fd = -1;
    pthread_mutex_unlock(&c->f->lock);
    return NULL;
}

static void *accept_all(void *arg)
{
    struct fakeserver *f = arg;

    for (;;) {
        int fd = accept(f->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        pthread_mutex_lock(&f->lock);
        struct connection *c = NULL;
        if (f->connection_count < SOCKETS_MAX) {
            c = &f->connections[f->connection_count];
            *c = (struct connection){ .f = f, .fd = fd };
            if (pthread_create(&c->thread, NULL, serve, c) == 0)
                f->connection_count++;
            else
                c = NULL;
        }
        pthread_mutex_unlock(&f->lock);
        if (!c)
            close(fd);
    }
}

/* -- the server -- */

struct fakeserver *fakeserver_new(const struct fake_rule *rules)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    struct fakeserver *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->rules = rules;
    buf_init(&f->log, BODY_MAX);
    pthread_mutex_init(&f->lock, NULL);
    f->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(f->listener >= 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(f->listener, 64), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &len), 0);
    f->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&f->acceptor, NULL, accept_all, f), 0);
    return f;
}

void fakeserver_free(struct fakeserver *f)
{
    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->acceptor, NULL);
    close(f->listener);
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->connection_count; i++)
        if (f->connections[i].fd >= 0)
            shutdown(f->connections[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < f->connection_count; i++)
        pthread_join(f->connections[i].thread, NULL);
    for (size_t i = 0; i < f->count; i++) {
        free(f->requests[i].head);
        free(f->requests[i].body);
    }
    unsigned strangers = f->strangers;
    buf_fini(&f->log);
    pthread_mutex_destroy(&f->lock);
    free(f);
    assert_int_equal(strangers, 0);
}

int fakeserver_port(const struct fakeserver *f)
{
    return f->port;
}

size_t fakeserver_count(struct fakeserver *f)
{
    pthread_mutex_lock(&f->lock);
    size_t n = f->count;
    pthread_mutex_unlock(&f->lock);
    return n;
}

const char *fakeserver_log(struct fakeserver *f)
{
    pthread_mutex_lock(&f->lock);
    const char *log = buf_c(&f->log);
    pthread_mutex_unlock(&f->lock);
    return log;
}

static struct seen request_at(struct fakeserver *f, size_t i)
{
    pthread_mutex_lock(&f->lock);
    assert_true(i < f->count);
    struct seen r = f->requests[i];
    pthread_mutex_unlock(&f->lock);
    return r;
}

struct str fakeserver_header(struct fakeserver *f, size_t i, const char *name)
{
    return head_value(request_at(f, i).head, name);
}

struct str fakeserver_path(struct fakeserver *f, size_t i)
{
    return head_word(request_at(f, i).head, 1);
}

struct str fakeserver_body(struct fakeserver *f, size_t i)
{
    struct seen r = request_at(f, i);

    return (struct str){ r.body, r.body_len };
}

struct str fakeserver_message(struct fakeserver *f, size_t i, struct arena *arena)
{
    static const char before[] = "<QueueMessage><MessageText>";
    static const char after[] = "</MessageText></QueueMessage>";
    struct str body = fakeserver_body(f, i);
    struct message_seen seen;

    if (!str_starts(body, str_c(before)) || !str_ends(body, str_c(after)))
        return STR_NONE;
    body = str_slice(body, strlen(before), body.len - strlen(after));
    /* Always base64: the one form that workers of every version read (storage messages 3.6). */
    assert_true(str_starts(body, STR("eyIkdHlwZSI6")));
    message_read(body, arena, &seen);
    assert_false(seen.opaque);
    return seen.json;
}

/* -- a hub in it -- */

/* What opening asked is not the test's affair. */
static void forget_requests(struct fakeserver *f)
{
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->count; i++) {
        free(f->requests[i].head);
        free(f->requests[i].body);
    }
    f->count = 0;
    buf_clear(&f->log);
    pthread_mutex_unlock(&f->lock);
}

static void configure(const struct fakeserver *f, struct fake_hub how, struct config *config)
{
    char connection[1024];

    snprintf(connection, sizeof(connection),
             "AccountName=acct;AccountKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=;"
             "TableEndpoint=http://127.0.0.1:%d/t;QueueEndpoint=http://127.0.0.1:%d/q;"
             "BlobEndpoint=http://127.0.0.1:%d/b",
             f->port, f->port, f->port);
    *config = (struct config){ .host_partitions = how.host_partitions };
    if (!how.none)
        config->partitions = how.user_partitions ? how.user_partitions : 4;
    snprintf(config->hub, sizeof(config->hub), "MyHub");
    snprintf(config->account, sizeof(config->account), "acct");
    assert_int_equal(secret_set(&config->connection_string, str_c(connection)), OK);
}

struct storage *fake_hub_new(struct fakeserver *f, struct fake_hub how)
{
    struct hub_settings settings = { .timeout_ms = 30000,
                                     .connections = 4,
                                     .payload_max_bytes = 1 << 20 };
    struct hub *hub = NULL;
    struct config config;
    struct call call;

    configure(f, how, &config);
    f->has_table = how.table;
    fake_call_init(&call);
    enum err err = storage_open(&config, &settings, &call, &hub);
    if (err != OK)
        fail_msg("%s: %s", err_name(err), call.text);
    config_fini(&config);
    forget_requests(f);
    return storage_of(hub);
}

void fake_call_init(struct call *call)
{
    call_init(call, 30000);
}
