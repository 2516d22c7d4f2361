#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "backend/base/limits.h"
#include "backend/net/retry.h"

static struct http_response answer(int status, const char *headers, const char *body)
{
    struct http_response r = RESPONSE_INIT;
    r.status = status;
    r.headers.max = r.body.max = 4096;
    buf_add_c(&r.headers, headers);
    buf_add_c(&r.body, body);
    return r;
}

static enum answer_kind kind(int status, const char *headers, const char *body)
{
    CLEANUP_RESPONSE struct http_response r = answer(status, headers, body);
    return retry_answer_kind(&r);
}

static void test_F29_F31_kinds_of_answers(void **state)
{
    assert_int_equal(kind(200, "", ""), ANSWER_FINAL);
    assert_int_equal(kind(404, "", ""), ANSWER_FINAL);
    assert_int_equal(kind(412, "", ""), ANSWER_FINAL);
    assert_int_equal(kind(429, "", ""), ANSWER_BUSY);
    assert_int_equal(kind(503, "x-ms-error-code: ServerBusy\n", ""), ANSWER_BUSY);
    assert_int_equal(kind(503, "", "<Error><Code>ServerBusy</Code>"), ANSWER_BUSY);
    assert_int_equal(kind(503, "", "{\"odata.error\":{\"code\":\"ServerBusy\"}}"), ANSWER_BUSY);
    assert_int_equal(kind(503, "", "{\"odata.error\":{\"code\": \"ServerBusy\"}}"), ANSWER_BUSY);
    assert_int_equal(kind(503, "x-ms-error-code: Other\n", "<Code>ServerBusy</Code>"),
                     ANSWER_UNCERTAIN);
    assert_int_equal(kind(503, "", "the ServerBusy page"), ANSWER_UNCERTAIN);
    assert_int_equal(kind(500, "", "<Code>OperationTimedOut</Code>"), ANSWER_UNCERTAIN);
    assert_int_equal(kind(500, "", "<Code>InternalError</Code>"), ANSWER_FINAL);
    assert_int_equal(kind(501, "", ""), ANSWER_FINAL);
    assert_int_equal(kind(502, "", ""), ANSWER_UNCERTAIN);
    assert_int_equal(kind(504, "", ""), ANSWER_UNCERTAIN);
}

/* R2 as a table: how a try ended, and which classes may go again. */
static void test_R2_what_may_be_repeated(void **state)
{
    static const struct {
        enum try_end end;
        bool read, idempotent, once;
    } rows[] = {
        { TRY_UNREACHABLE, true, true, true }, { TRY_REFUSED, false, false, false },
        { TRY_UNSENT, true, true, true },      { TRY_LOST, true, true, false },
        { TRY_SLOW, true, true, false },       { TRY_BROKEN, false, false, false },
        { TRY_TOO_BIG, false, false, false },  { TRY_CANCELLED, false, false, false },
        { TRY_DEADLINE, false, false, false }, { TRY_NO_MEMORY, false, false, false },
        { TRY_ANSWERED, false, false, false },
    };
    CLEANUP_RESPONSE struct http_response fine = answer(200, "", "");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct attempt a = { .end = rows[i].end };
        assert_int_equal(retry_allowed(CLASS_READ, &a, &fine), rows[i].read);
        assert_int_equal(retry_allowed(CLASS_IDEMPOTENT, &a, &fine), rows[i].idempotent);
        assert_int_equal(retry_allowed(CLASS_ONCE, &a, &fine), rows[i].once);
    }
}

static void test_R2_answers_that_may_be_repeated(void **state)
{
    struct attempt a = { .end = TRY_ANSWERED };
    CLEANUP_RESPONSE struct http_response busy = answer(429, "", "");
    CLEANUP_RESPONSE struct http_response open = answer(502, "", "");
    assert_true(retry_allowed(CLASS_READ, &a, &busy));
    assert_true(retry_allowed(CLASS_ONCE, &a, &busy));
    assert_true(retry_allowed(CLASS_IDEMPOTENT, &a, &open));
    assert_false(retry_allowed(CLASS_ONCE, &a, &open));
}

static void test_L09_backoff_has_full_jitter_between_its_limits(void **state)
{
    const struct tuning *t = &tuning_default;
    static const uint32_t randoms[] = { 0, 1, 99, 100, 101, 12345, 10000, 10001, UINT32_MAX };
    for (unsigned tries = 1; tries < 40; tries++) {
        int64_t ceiling = tries < 8 ? BACKOFF_FIRST_MS << (tries - 1) : BACKOFF_LAST_MS;
        assert_int_equal(retry_backoff_ms(t, tries, 0), 0);
        assert_int_equal(retry_backoff_ms(t, tries, (uint32_t)ceiling), ceiling);
        assert_int_equal(retry_backoff_ms(t, tries, (uint32_t)ceiling + 1), 0);
        for (size_t i = 0; i < ARRAY_LEN(randoms); i++)
            assert_in_range(retry_backoff_ms(t, tries, randoms[i]), 0, ceiling);
    }
}

static bool after(const char *value, ticks now, int64_t *ret)
{
    CLEANUP_RESPONSE struct http_response r = answer(429, "", "");
    buf_printf(&r.headers, "date: x\nretry-after: %s\n", value);
    return retry_after_ms(&r, now, ret);
}

static void test_F30_retry_after_in_all_its_forms(void **state)
{
    int64_t ms = -1;
    ticks now;
    assert_true(ticks_parse_http(STR("Wed, 01 May 2024 10:00:00 GMT"), &now));
    assert_true(after("0", now, &ms) && ms == 0);
    assert_true(after("7", now, &ms) && ms == 7000);
    assert_true(after("86400", now, &ms) && ms == 86400000);
    assert_true(after("18446744073709551615", now, &ms) && ms > INT64_C(86400000));
    assert_true(after("Wed, 01 May 2024 10:01:30 GMT", now, &ms) && ms == 90000);
    assert_true(after("Wed, 01 May 2024 09:00:00 GMT", now, &ms) && ms == 0);
    ms = -1;
    assert_false(after("-1", now, &ms)); /* B48 */
    assert_false(after("", now, &ms));
    assert_false(after("soon", now, &ms));
    assert_false(after("99999999999999999999999", now, &ms));
    CLEANUP_RESPONSE struct http_response none = answer(429, "", "");
    assert_false(retry_after_ms(&none, now, &ms));
    assert_int_equal(ms, -1);
}

static unsigned spend_all(struct retry_budget *b)
{
    unsigned n = 0;
    while (retry_budget_spend(b))
        n++;
    return n;
}

static void test_L09_retries_are_a_tenth_of_requests_and_ten(void **state)
{
    struct retry_budget b;
    retry_budget_init(&b, &tuning_default);
    assert_int_equal(spend_all(&b), RETRY_BUDGET_FREE);
    for (int i = 0; i < 9; i++)
        retry_budget_earn(&b, &tuning_default);
    assert_int_equal(spend_all(&b), 0);
    retry_budget_earn(&b, &tuning_default);
    assert_int_equal(spend_all(&b), 1);
    for (int i = 0; i < 300; i++)
        retry_budget_earn(&b, &tuning_default);
    assert_int_equal(spend_all(&b), 30);
    for (int i = 0; i < 100000; i++)
        retry_budget_earn(&b, &tuning_default);
    assert_int_equal(spend_all(&b), RETRY_SAVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_F29_F31_kinds_of_answers),
        cmocka_unit_test(test_R2_what_may_be_repeated),
        cmocka_unit_test(test_R2_answers_that_may_be_repeated),
        cmocka_unit_test(test_L09_backoff_has_full_jitter_between_its_limits),
        cmocka_unit_test(test_F30_retry_after_in_all_its_forms),
        cmocka_unit_test(test_L09_retries_are_a_tenth_of_requests_and_ten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
