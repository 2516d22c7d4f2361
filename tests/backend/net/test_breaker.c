#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "backend/net/breaker.h"

static char why[64];

static enum breaker_way ask(struct breaker *b, int64_t now_ms)
{
    return breaker_ask(b, now_ms, why, sizeof(why));
}

static void fail_times(struct breaker *b, int n, int64_t from_ms, int64_t step_ms)
{
    for (int i = 0; i < n; i++)
        breaker_failed(b, from_ms + i * step_ms, false, "refused");
}

static void test_L10_opens_at_the_fifth_failure(void **state)
{
    struct breaker b;
    breaker_init(&b, &tuning_default);
    fail_times(&b, BREAKER_FAILURES - 1, 1000, 10);
    assert_int_equal(ask(&b, 1100), BREAKER_GO);
    breaker_failed(&b, 1100, false, "refused at last");
    assert_int_equal(ask(&b, 1101), BREAKER_STOP);
    assert_string_equal(why, "refused at last");
    breaker_fini(&b);
}

static void test_L10_counts_a_window_of_ten_seconds(void **state)
{
    struct breaker b;
    breaker_init(&b, &tuning_default);
    /* Every 2501 ms: five of them span 10,004 ms, for ever. */
    fail_times(&b, 40, 1000, BREAKER_WINDOW_MS / 4 + 1);
    assert_int_equal(ask(&b, 200000), BREAKER_GO);
    breaker_fini(&b);
    breaker_init(&b, &tuning_default);
    fail_times(&b, BREAKER_FAILURES, 1000, BREAKER_WINDOW_MS / 4);
    assert_int_equal(ask(&b, 1000 + BREAKER_WINDOW_MS), BREAKER_STOP);
    breaker_fini(&b);
}

static void test_L10_a_connection_in_between_starts_the_count_anew(void **state)
{
    struct breaker b;
    breaker_init(&b, &tuning_default);
    fail_times(&b, BREAKER_FAILURES - 1, 1000, 1);
    breaker_connected(&b);
    fail_times(&b, BREAKER_FAILURES - 1, 1010, 1);
    assert_int_equal(ask(&b, 1020), BREAKER_GO);
    breaker_failed(&b, 1020, false, "refused");
    assert_int_equal(ask(&b, 1020), BREAKER_STOP);
    breaker_fini(&b);
}

static void test_L10_lets_one_probe_through_every_two_seconds(void **state)
{
    struct breaker b;
    breaker_init(&b, &tuning_default);
    fail_times(&b, BREAKER_FAILURES, 1000, 0);
    assert_int_equal(ask(&b, 1000 + BREAKER_PROBE_MS - 1), BREAKER_STOP);
    assert_int_equal(ask(&b, 1000 + BREAKER_PROBE_MS), BREAKER_PROBE);
    assert_int_equal(ask(&b, 1000 + BREAKER_PROBE_MS), BREAKER_STOP); /* one */
    breaker_failed(&b, 1500 + BREAKER_PROBE_MS, false, "refused");
    assert_int_equal(ask(&b, 999 + 2 * BREAKER_PROBE_MS), BREAKER_STOP);
    assert_int_equal(ask(&b, 1000 + 2 * BREAKER_PROBE_MS), BREAKER_PROBE);
    /* A probe that hangs does not keep the next one back. */
    assert_int_equal(ask(&b, 1000 + 3 * BREAKER_PROBE_MS), BREAKER_PROBE);
    breaker_fini(&b);
}

static void test_F19_a_probe_that_connects_closes_it(void **state)
{
    struct breaker b;
    breaker_init(&b, &tuning_default);
    fail_times(&b, BREAKER_FAILURES, 1000, 0);
    assert_int_equal(ask(&b, 1000 + BREAKER_PROBE_MS), BREAKER_PROBE);
    breaker_connected(&b);
    assert_int_equal(ask(&b, 1001 + BREAKER_PROBE_MS), BREAKER_GO);
    fail_times(&b, BREAKER_FAILURES - 1, 1002 + BREAKER_PROBE_MS, 0);
    assert_int_equal(ask(&b, 1003 + BREAKER_PROBE_MS), BREAKER_GO);
    breaker_fini(&b);
}

static void test_F04_a_whole_connect_timeout_opens_by_itself(void **state)
{
    struct breaker b;
    breaker_init(&b, &tuning_default);
    breaker_failed(&b, 11000, true, "no answer");
    assert_int_equal(ask(&b, 11001), BREAKER_STOP);
    assert_string_equal(why, "no answer");
    breaker_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_L10_opens_at_the_fifth_failure),
        cmocka_unit_test(test_L10_counts_a_window_of_ten_seconds),
        cmocka_unit_test(test_L10_a_connection_in_between_starts_the_count_anew),
        cmocka_unit_test(test_L10_lets_one_probe_through_every_two_seconds),
        cmocka_unit_test(test_F19_a_probe_that_connects_closes_it),
        cmocka_unit_test(test_F04_a_whole_connect_timeout_opens_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
