/* F51: the n-th allocation of a command fails, or the n-th and all after it, wherever that is: in
 * our code, in libcurl, in OpenSSL. What is said of the command must be true, nothing goes twice,
 * and afterwards the hub works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/backend/storage/fakeserver.h"

/* -- memory: of this thread only, so that the server has enough -- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_ALLOCATOR 0
#endif
#endif
#ifndef OWN_ALLOCATOR
#if defined(__GLIBC__)
#define OWN_ALLOCATOR 1
#else
#define OWN_ALLOCATOR 0
#endif
#endif

static _Thread_local long left = -1; /* allocations that still succeed; -1 = all */
static _Thread_local bool for_good;  /* and none after them, instead of one */
static _Thread_local long refused;   /* so many failed */

static bool is_out(void)
{
    if (left < 0)
        return false;
    if (left > 0) {
        left--;
        return false;
    }
    left = for_good ? 0 : -1;
    refused++;
    errno = ENOMEM;
    return true;
}

#if OWN_ALLOCATOR
/* glibc's own, by the names that it keeps for who replaces the others. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
    return is_out() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return is_out() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return is_out() ? NULL : __libc_realloc(p, n);
}
#endif

/* -- the account -- */

#define ROW      "/t/MyHubInstances(PartitionKey="
#define ROWS     "/t/MyHubInstances"
#define HISTORY  "/t/MyHubHistory()"
#define MESSAGES "/q/myhub-control-02/messages" /* of order-17, four partitions */
#define ETAG     "etag: W/\"e1\"\r\n"
#define CODE(c)  "x-ms-error-code: " c "\r\n"
#define ROW_OF(status)                                                                             \
    "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"Name\":\"OrderFlow\",\"Version\":\"\","      \
    "\"RuntimeStatus\":\"" status "\",\"CreatedTime\":\"2024-05-01T10:00:00.1234567Z\","           \
    "\"LastUpdatedTime\":\"2024-05-01T10:00:01Z\",\"TaskHubName\":\"MyHub\","                      \
    "\"ExecutionId\":\"x1\",\"Generation\":0,\"Tags\":\"null\"}"

static const struct fake_rule running[] = {
    { "GET", ROW, 200, ETAG, ROW_OF("Running"), .times = -1 },
    { "POST", MESSAGES, 201, .times = -1 },
    { 0 },
};
static const struct fake_rule absent[] = {
    { "GET", ROW, 404, CODE("ResourceNotFound"), .times = -1 },
    { "DELETE", ROW, 204, .times = -1 },
    { "POST", ROWS, 204, ETAG, .times = -1 },
    { "POST", MESSAGES, 201, .times = -1 },
    { 0 },
};
static const struct fake_rule completed[] = {
    { "GET", ROW, 200, ETAG, ROW_OF("Completed"), .times = -1 },
    { "GET", HISTORY, 200, NULL, "{\"value\":[]}", .times = -1 },
    { "GET", "/b/", 404, CODE("ContainerNotFound"), .times = -1 },
    { "DELETE", ROW, 204, .times = -1 },
    { 0 },
};

struct scene {
    struct fakeserver *f;
    struct storage *s;
};

static enum err event(struct scene *s, struct call *call)
{
    const struct command cmd = { .kind = CMD_EVENT,
                                 .id = STR("order-17"),
                                 .name = STR("Approve"),
                                 .has_data = true,
                                 .data = STR("{\"ok\":true}") };

    return hub_send(&s->s->hub, call, &cmd, NULL);
}

static enum err start(struct scene *s, struct call *call)
{
    const struct command cmd = { .kind = CMD_START,
                                 .id = STR("order-17"),
                                 .name = STR("OrderFlow"),
                                 .has_data = true,
                                 .data = STR("{\"a\":1}") };

    return hub_send(&s->s->hub, call, &cmd, NULL);
}

static enum err purge(struct scene *s, struct call *call)
{
    return hub_purge(&s->s->hub, call, STR("order-17"), STR(""), NULL);
}

/* -- judging -- */

static size_t count(struct scene *s, const char *line)
{
    const char *at = fakeserver_log(s->f);
    size_t n = 0;

    while ((at = strstr(at, line))) {
        n++;
        at++;
    }
    return n;
}

static void judge_event(struct scene *s, enum err err)
{
    size_t sent = count(s, "POST " MESSAGES);

    assert_true(err == OK ? sent == 1 : err == ERR_UNKNOWN_OUTCOME ? sent <= 1 : sent == 0);
}

/* A start may be sent again when its outcome is unknown: the worker drops the second. With memory
 * gone for good the row may stay without its message: nobody could take it back. */
static void judge_start(struct scene *s, enum err err)
{
    size_t rows = count(s, "POST " ROWS "\n");
    /* Whose answer was lost is looked for, and here never found. */
    size_t back = count(s, "DELETE " ROW) + count(s, "?$select=ExecutionId\n");
    size_t sent = count(s, "POST " MESSAGES);

    assert_true(err == ERR_UNKNOWN_OUTCOME || (err == OK) == (sent > 0));
    if (err == OK)
        assert_true(rows > 0 && back == 0);
    else if (err != ERR_UNKNOWN_OUTCOME && !for_good)
        assert_true(rows == 0 || back > 0);
}

static void judge_purge(struct scene *s, enum err err)
{
    assert_true(err != OK || count(s, "DELETE " ROW) >= 1);
}

struct trial {
    const struct fake_rule *rules;
    enum err (*run)(struct scene *s, struct call *call);
    void (*judge)(struct scene *s, enum err err);
};

/* libcurl says the same of a header that is too long; a write that left may have been done. */
static bool is_honest(enum err err, const char *text)
{
    return err == OK || err == ERR_NO_MEMORY || err == ERR_UNKNOWN_OUTCOME ||
           ((err == ERR_BROKEN || err == ERR_TIMEOUT) && strstr(text, "no memory"));
}

/* True: it has got so far without a failure. */
static bool try_with(const struct trial *t, long n, bool good)
{
    struct scene s = { .f = fakeserver_new(t->rules) };
    struct call call;

    s.s = fake_hub_new(s.f, (struct fake_hub){ 0 });
    fake_call_init(&call);
    refused = 0;
    for_good = good;
    left = n;
    enum err err = t->run(&s, &call);
    left = -1;
    bool through = refused == 0;
    if (!is_honest(err, call.text))
        fail_msg("allocation %ld%s: %s: %s", n, good ? " and after" : "", err_name(err), call.text);
    t->judge(&s, err);
    fake_call_init(&call);
    assert_int_equal(t->run(&s, &call), OK); /* it lives */
    hub_close(&s.s->hub);
    fakeserver_free(s.f);
    return through;
}

static void try_all(const struct trial *t)
{
    long n = 0;

    if (!OWN_ALLOCATOR)
        skip();
    while (!try_with(t, n, false))
        n++;
    assert_true(n > 20);
    for (n = 0; !try_with(t, n, true);)
        n++;
}

static void test_F51_an_event(void **state)
{
    try_all(&(struct trial){ running, event, judge_event });
}

static void test_F51_a_start(void **state)
{
    try_all(&(struct trial){ absent, start, judge_start });
}

static void test_F51_a_purge(void **state)
{
    try_all(&(struct trial){ completed, purge, judge_purge });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_F51_an_event),
        cmocka_unit_test(test_F51_a_start),
        cmocka_unit_test(test_F51_a_purge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
