#include "fs/duration.h"
#include "tests/fs/check.h"

static void expect(ticks duration, const char *text)
{
    CLEANUP_BUF struct buf b = BUF_INIT(64);

    duration_print(&b, duration);
    assert_str(buf_str(&b), text);
}

static void test_units(void **state)
{
    expect(0, "0");
    expect(-5, "0");
    expect(1, "0.0 ms");
    expect(4321, "0.4 ms");
    expect(99999, "9.9 ms");
    expect(8570000, "857 ms");
    expect(9999999, "999 ms");
    expect(TICKS_PER_SEC, "1.00 s");
    expect(11 * TICKS_PER_SEC + 8 * TICKS_PER_SEC / 10, "11.8 s");
    expect(60 * TICKS_PER_SEC - 1, "59.9 s");
    expect(60 * TICKS_PER_SEC, "1m 00s");
    expect(3600 * TICKS_PER_SEC - 1, "59m 59s");
    expect(3600 * TICKS_PER_SEC, "1h 00m");
    expect(TICKS_PER_DAY - 1, "23h 59m");
    expect(7 * TICKS_PER_DAY, "7d 00h");
    expect(1000 * TICKS_PER_DAY, "1000d");
}

static void test_eight_characters_at_most(void **state)
{
    for (ticks d = 1; d < 3652059 * TICKS_PER_DAY / 3; d = d * 3 + 1) {
        CLEANUP_BUF struct buf b = BUF_INIT(64);

        duration_print(&b, d);
        assert_true(b.len <= 8);
    }
}

static void test_steps(void **state)
{
    assert_int_equal(duration_step(0, 5), TICKS_PER_SEC / 1000);
    assert_int_equal(duration_step(3 * TICKS_PER_SEC, 5), TICKS_PER_SEC);
    assert_int_equal(duration_step(60 * TICKS_PER_SEC, 5), 15 * TICKS_PER_SEC);
    assert_int_equal(duration_step(2 * TICKS_PER_DAY, 5), 12 * 3600 * TICKS_PER_SEC);
    for (ticks d = 1; d < 3000000 * TICKS_PER_DAY; d *= 7) {
        ticks step = duration_step(d, 5);

        assert_true(step > 0 && d / step < 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_eight_characters_at_most),
        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
