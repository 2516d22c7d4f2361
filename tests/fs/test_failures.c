#include <stdio.h>
#include <stdlib.h>

#include "backend/base/json.h"
#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "fs/failures.h"
#include "tests/fs/check.h"

static int setup(void **state)
{
    *state = failures_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    failures_free(*state);
    return 0;
}

static void add(struct failures *f, const char *op, const char *path, enum err err,
                const char *reason)
{
    struct call call;

    call_init(&call, 1000);
    assert_int_equal(call_fail(&call, err, "%s", reason), err);
    failures_add(f, op, str_c(path), err, &call, 12, 34);
}

static char *printed(struct failures *f)
{
    struct buf b = BUF_INIT(MIB);

    failures_print(f, &b);
    char *text = strdup(buf_c(&b));
    buf_fini(&b);
    return text;
}

static size_t lines(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void test_R7_one_json_object_a_line(void **state)
{
    struct failures *f = *state;
    struct call call;
    struct str s;
    int64_t v;

    call_init(&call, 1000);
    assert_int_equal(call_fail(&call, ERR_DENIED, "GET x: 403 \"no\""), ERR_DENIED);
    call.http_status = 403;
    snprintf(call.code, sizeof call.code, "AuthorizationFailure");
    snprintf(call.request_id, sizeof call.request_id, "req-1");
    failures_add(f, "open", STR("instances/a\nb"), ERR_DENIED, &call, 12, 34);
    char *text = printed(f);
    assert_int_equal(lines(text), 1);
    struct json *j = json_parse(str_c(text));
    assert_non_null(j);
    assert_true(json_get_str(json_member(j, "op"), &s));
    assert_str(s, "open");
    assert_true(json_get_str(json_member(j, "path"), &s));
    assert_str(s, "instances/a\nb");
    assert_true(json_get_str(json_member(j, "errno"), &s));
    assert_str(s, "EACCES");
    assert_true(json_get_str(json_member(j, "reason"), &s));
    assert_str(s, "GET x: 403 \"no\"");
    assert_true(json_get_str(json_member(j, "code"), &s));
    assert_str(s, "AuthorizationFailure");
    assert_true(json_get_str(json_member(j, "requestId"), &s));
    assert_str(s, "req-1");
    assert_true(json_get_str(json_member(j, "time"), &s));
    assert_int_equal(s.len, 28);
    assert_true(json_get_i64(json_member(j, "status"), &v) && v == 403);
    assert_true(json_get_i64(json_member(j, "pid"), &v) && v == 12);
    assert_true(json_get_i64(json_member(j, "uid"), &v) && v == 34);
    assert_true(json_get_i64(json_member(j, "count"), &v) && v == 1);
    json_free(j);
    free(text);
}

static void test_R7_equal_lines_are_folded(void **state)
{
    struct failures *f = *state;

    add(f, "write", "a", ERR_INVALID, "one");
    add(f, "write", "b", ERR_INVALID, "one");
    add(f, "write", "a", ERR_INVALID, "one");
    add(f, "write", "a", ERR_INVALID, "two");
    add(f, "flush", "a", ERR_INVALID, "one");
    char *text = printed(f);
    assert_int_equal(lines(text), 4);
    assert_non_null(strstr(text, "\"count\":2"));
    free(text);
}

static void test_R7_what_is_not_recorded(void **state)
{
    struct failures *f = *state;
    struct call call;

    add(f, "lookup", "a", ERR_NOT_FOUND, "not there");
    add(f, "read", "a", ERR_CANCELLED, "interrupted");
    call_init(&call, 1000);
    failures_add(f, "read", STR("a"), OK, &call, 1, 1);
    char *text = printed(f);
    assert_string_equal(text, "");
    free(text);
    /* Interrupted, and nobody knows whether it was executed. */
    call_init(&call, 1000);
    assert_int_equal(call_fail(&call, ERR_UNKNOWN_OUTCOME, "outcome unknown"), ERR_UNKNOWN_OUTCOME);
    failures_add(f, "write", STR("a"), ERR_CANCELLED, &call, 1, 1);
    text = printed(f);
    assert_int_equal(lines(text), 1);
    free(text);
}

static void test_R7_without_a_sentence_the_meaning(void **state)
{
    struct failures *f = *state;
    struct call call;

    call_init(&call, 1000);
    failures_add(f, "read", STR("a"), ERR_BUSY, &call, 1, 1);
    char *text = printed(f);
    assert_non_null(strstr(text, "not finished"));
    free(text);
}

static void test_L20_ring(void **state)
{
    struct failures *f = *state;
    char reason[32];

    for (int i = 0; i < FAILURES_MAX + 1; i++) {
        snprintf(reason, sizeof reason, "reason %d.", i);
        add(f, "read", "a", ERR_BROKEN, reason);
    }
    char *text = printed(f);
    assert_int_equal(lines(text), FAILURES_MAX);
    assert_null(strstr(text, "reason 0."));
    assert_non_null(strstr(text, "reason 1."));
    assert_non_null(strstr(text, "reason 200."));
    free(text);
}

static void test_no_secret(void **state)
{
    struct failures *f = *state;

    add(f, "read", "a", ERR_BROKEN, "https://x/?sv=1&sig=c2VjcmV0c2VjcmV0&se=2");
    char *text = printed(f);
    assert_null(strstr(text, "c2VjcmV0c2VjcmV0"));
    free(text);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_R7_one_json_object_a_line),
        CASE(test_R7_equal_lines_are_folded),
        CASE(test_R7_what_is_not_recorded),
        CASE(test_R7_without_a_sentence_the_meaning),
        CASE(test_L20_ring),
        CASE(test_no_secret),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
