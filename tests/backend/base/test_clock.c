#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "backend/base/clock.h"

static void check_parse(const char *text, int64_t seconds, int64_t ns)
{
    struct timespec ts;
    ticks t = 0;

    assert_true(ticks_parse(str_c(text), &t));
    ticks_to_timespec(t, &ts);
    assert_int_equal(ts.tv_sec, seconds);
    assert_int_equal(ts.tv_nsec, ns);
    assert_int_equal(t, seconds * TICKS_PER_SEC + ns / 100);
}

static void check_refused(const char *text)
{
    ticks t = 4711;

    assert_false(ticks_parse(str_c(text), &t));
    assert_int_equal(t, 4711);
}

static void check_print(void (*print)(struct buf *, ticks), ticks t, const char *expected)
{
    CLEANUP_BUF struct buf b = BUF_INIT(100);

    print(&b, t);
    assert_int_equal(buf_err(&b), OK);
    assert_string_equal(buf_c(&b), expected);
}

static void test_T75_seconds(void **state)
{
    check_parse("2024-05-01T10:00:00Z", 1714557600, 0);
}

static void test_T76_to_T78_fractions(void **state)
{
    check_parse("2024-05-01T10:00:00.1Z", 1714557600, 100000000);
    check_parse("2024-05-01T10:00:00.12Z", 1714557600, 120000000);
    check_parse("2024-05-01T10:00:00.123Z", 1714557600, 123000000);
    check_parse("2024-05-01T10:00:00.1234Z", 1714557600, 123400000);
    check_parse("2024-05-01T10:00:00.12345Z", 1714557600, 123450000);
    check_parse("2024-05-01T10:00:00.123456Z", 1714557600, 123456000);
    check_parse("2024-05-01T10:00:00.1234567Z", 1714557600, 123456700);
}

static void test_T79_offset(void **state)
{
    check_parse("2024-05-01T12:00:00.5+02:00", 1714557600, 500000000);
    check_parse("2024-05-01T04:30:00-05:30", 1714557600, 0);
    check_parse("2024-05-01T10:00:00+00:00", 1714557600, 0);
}

static void test_T80_digits_beyond_the_seventh(void **state)
{
    check_parse("2024-05-01T10:00:00.12345678Z", 1714557600, 123456700);
    check_parse("2024-05-01T10:00:00.00000009999999999999999999999Z", 1714557600, 0);
}

static void test_T81_never(void **state)
{
    check_parse("9999-12-30T23:59:59.9999999Z", 253402214399, 999999900);
}

static void test_T82_first_moment(void **state)
{
    check_parse("1601-01-01T00:00:00Z", -11644473600, 0);
    check_parse("0001-01-01T00:00:00Z", -62135596800, 0);
    check_parse("0001-01-01T00:00:00.0000001Z", -62135596800, 100);
}

static void test_T83_no_zone_and_nonsense(void **state)
{
    check_parse("2024-05-01T10:00:00", 1714557600, 0);
    check_parse("2024-05-01T10:00:00.5", 1714557600, 500000000);
    check_refused("nonsense");
    check_refused("");
    check_refused("1714557600");
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "2024-05-01",
        "2024-05-01T10:00Z",
        "2024-05-01 10:00:00Z",
        "2024-05-01T10:00:00z",
        "2024-05-01T10:00:00.Z",
        "2024-05-01T10:00:00,1Z",
        "2024-05-01T10:00:00ZZ",
        "2024-05-01T10:00:00Z ",
        " 2024-05-01T10:00:00Z",
        "2024-05-01T10:00:00+2:00",
        "2024-05-01T10:00:00+02",
        "2024-05-01T10:00:00+24:00",
        "2024-05-01T10:00:00+02:60",
        "2024-05-01T24:00:00Z",
        "2024-05-01T10:60:00Z",
        "2024-05-01T10:00:60Z",
        "2024-13-01T10:00:00Z",
        "2024-00-01T10:00:00Z",
        "2024-04-31T10:00:00Z",
        "2024-05-00T10:00:00Z",
        "2023-02-29T10:00:00Z",
        "1900-02-29T10:00:00Z",
        "0000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "12024-05-01T10:00:00Z",
        "2024-5-01T10:00:00Z",
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        check_refused(bad[i]);
    check_parse("2000-02-29T00:00:00Z", 951782400, 0);
}

static void test_T84_V22_seven_digits(void **state)
{
    const ticks ten = INT64_C(1714557600) * TICKS_PER_SEC;

    check_print(ticks_print, ten, "2024-05-01T10:00:00.0000000Z");
    check_print(ticks_print, ten + 1200000, "2024-05-01T10:00:00.1200000Z");
    check_print(ticks_print, ten + 1, "2024-05-01T10:00:00.0000001Z");
}

static void test_V21_as_short_as_possible(void **state)
{
    const ticks ten = INT64_C(1714557600) * TICKS_PER_SEC;

    check_print(ticks_print_short, ten, "2024-05-01T10:00:00Z");
    check_print(ticks_print_short, ten + 1200000, "2024-05-01T10:00:00.12Z");
    check_print(ticks_print_short, ten + 1, "2024-05-01T10:00:00.0000001Z");
    check_print(ticks_print_short, ten + 10, "2024-05-01T10:00:00.000001Z");
}

static void test_before_1970(void **state)
{
    struct timespec ts;

    check_print(ticks_print, -1, "1969-12-31T23:59:59.9999999Z");
    check_print(ticks_print_short, -TICKS_PER_SEC, "1969-12-31T23:59:59Z");
    check_print(ticks_print_day, -1, "1969-12-31");
    ticks_to_timespec(-1, &ts);
    assert_int_equal(ts.tv_sec, -1);
    assert_int_equal(ts.tv_nsec, 999999900);
}

static void test_none(void **state)
{
    struct timespec ts;

    check_print(ticks_print, TICKS_NONE, "");
    check_print(ticks_print_short, TICKS_NONE, "");
    check_print(ticks_print_day, TICKS_NONE, "");
    check_print(ticks_print_http, TICKS_NONE, "");
    ticks_to_timespec(TICKS_NONE, &ts);
    assert_int_equal(ts.tv_sec, 0);
    assert_int_equal(ts.tv_nsec, 0);
}

static void test_days(void **state)
{
    ticks t = 4711;

    assert_true(ticks_parse_day(STR("2024-05-01"), &t));
    assert_int_equal(t, INT64_C(1714521600) * TICKS_PER_SEC);
    check_print(ticks_print_day, t, "2024-05-01");
    check_print(ticks_print_day, t - 1, "2024-04-30");
    check_print(ticks_print_day, t + TICKS_PER_DAY, "2024-05-02");

    t = 4711;
    assert_false(ticks_parse_day(STR("2024-02-30"), &t));
    assert_false(ticks_parse_day(STR("2024-5-1"), &t));
    assert_false(ticks_parse_day(STR("2024-05-01T"), &t));
    assert_false(ticks_parse_day(STR("2024-05"), &t));
    assert_false(ticks_parse_day(STR_NONE, &t));
    assert_int_equal(t, 4711);
}

static void test_http_dates(void **state)
{
    ticks t = 4711;

    check_print(ticks_print_http, INT64_C(1714557600) * TICKS_PER_SEC,
                "Wed, 01 May 2024 10:00:00 GMT");
    assert_true(ticks_parse_http(STR("Wed, 01 May 2024 10:00:00 GMT"), &t));
    assert_int_equal(t, INT64_C(1714557600) * TICKS_PER_SEC);

    t = 4711;
    assert_false(ticks_parse_http(STR("Wed, 01 May 2024 10:00:00"), &t));
    assert_false(ticks_parse_http(STR("Wed, 01 May 2024 10:00:00 CET"), &t));
    assert_false(ticks_parse_http(STR("Wed, 32 May 2024 10:00:00 GMT"), &t));
    assert_false(ticks_parse_http(STR("Wed, 1 May 2024 10:00:00 GMT"), &t));
    assert_false(ticks_parse_http(STR("Wed, 01 Mai 2024 10:00:00 GMT"), &t));
    assert_false(ticks_parse_http(STR("Xyz, 01 May 2024 10:00:00 GMT"), &t));
    assert_false(ticks_parse_http(STR("Wed, 01 May 2024 10:00:00 GMT "), &t));
    assert_false(ticks_parse_http(STR_NONE, &t));
    assert_int_equal(t, 4711);
}

static void test_every_day_as_libc_counts_them(void **state)
{
    struct tm first = { .tm_year = 1 - 1900, .tm_mday = 1 },
              last = { .tm_year = 10000 - 1900, .tm_mday = 1 };
    time_t end = timegm(&last);
    CLEANUP_BUF struct buf b = BUF_INIT(200);

    for (time_t at = timegm(&first); at < end; at += 86400) {
        struct tm tm;
        char expected[64];
        ticks t = 0;

        assert_non_null(gmtime_r(&at, &tm));
        (void)snprintf(expected, sizeof(expected), "%04d-%02d-%02d", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday);
        assert_true(ticks_parse_day(str_c(expected), &t));
        assert_int_equal(t, at * TICKS_PER_SEC);
        if (at / 86400 % 13)
            continue; /* printing is slower by far */
        buf_clear(&b);
        ticks_print_http(&b, t);
        assert_true(ticks_parse_http(buf_str(&b), &t));
        assert_int_equal(t, at * TICKS_PER_SEC);
    }
}

/* Only texts that end in Z go the short way: +00:00 means the same and goes the long one. */
static void check_both_ways(struct str s)
{
    CLEANUP_BUF struct buf other = BUF_INIT(100);
    ticks a = TICKS_NONE, b = TICKS_NONE;

    buf_add(&other, str_slice(s, 0, s.len - 1));
    buf_add_c(&other, "+00:00");
    bool short_way = ticks_parse(s, &a), long_way = ticks_parse(buf_str(&other), &b);
    if (short_way != long_way || a != b)
        fail_msg("%.*s: %d %lld, the long way %d %lld", STR_ARG(s), short_way, (long long)a,
                 long_way, (long long)b);
}

static void test_both_ways_at_the_borders(void **state)
{
    static const char *const dates[] = { "0000-01-01", "0001-01-01", "0001-12-31", "0004-02-29",
                                         "0100-02-29", "0400-02-29", "1600-02-29", "1899-12-31",
                                         "1900-02-28", "1900-02-29", "1900-03-01", "1969-12-31",
                                         "1970-01-01", "2000-02-29", "2000-03-01", "2023-02-29",
                                         "2024-02-29", "2024-03-01", "2024-12-31", "2100-02-29",
                                         "9999-12-31", "2024-00-10", "2024-13-10", "2024-04-00",
                                         "2024-04-31" };
    static const char *const times[] = { "00:00:00", "23:59:59", "24:00:00", "23:60:00",
                                         "23:59:60", "0a:00:00", "00:00:0/", "00;00:00" };
    static const char *const ends[] = { "Z",         ".Z",        ".1Z",        ".12Z",
                                        ".123Z",     ".1234Z",    ".12345Z",    ".123456Z",
                                        ".0000000Z", ".9999999Z", ".12345678Z", "x1234567Z",
                                        ".123456xZ", ".Z234567Z", "ZZ" };

    for (size_t d = 0; d < sizeof(dates) / sizeof(dates[0]); d++)
        for (size_t t = 0; t < sizeof(times) / sizeof(times[0]); t++)
            for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
                CLEANUP_BUF struct buf b = BUF_INIT(100);

                buf_printf(&b, "%sT%s%s", dates[d], times[t], ends[e]);
                check_both_ways(buf_str(&b));
            }
}

static void test_both_ways_when_damaged(void **state)
{
    static const char whole[] = "2024-02-29T12:34:56.7890123Z";
    size_t last = sizeof(whole) - 2;

    for (size_t len = 1; len <= last; len++)
        for (size_t at = 0; at < len; at++)
            for (unsigned c = 0; c < 256; c++) {
                char text[sizeof(whole)];

                memcpy(text, whole, len);
                text[at] = (char)c;
                text[len] = 'Z';
                check_both_ways((struct str){ text, len + 1 });
            }
}

static void test_printed_is_parsed(void **state)
{
    uint64_t seed = 11;

    for (int i = 0; i < 20000; i++) {
        CLEANUP_BUF struct buf b = BUF_INIT(100);
        ticks back = 0;

        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        /* Years 1 to 9999 or so around 1970. */
        ticks t = (ticks)(seed % (UINT64_C(250000000000) * 10000000)) -
                  (i % 2 ? INT64_C(60000000000) * TICKS_PER_SEC : 0);

        ticks_print(&b, t);
        assert_true(ticks_parse(buf_str(&b), &back));
        assert_true(t == back);
        buf_clear(&b);
        ticks_print_short(&b, t);
        assert_true(ticks_parse(buf_str(&b), &back));
        assert_true(t == back);
    }
}

static void test_clocks_go_forward(void **state)
{
    int64_t before = clock_now_ms();
    struct timespec now;

    clock_sleep_ms(2);
    assert_true(clock_now_ms() > before);
    clock_sleep_ms(0);
    clock_sleep_ms(-5);
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    assert_true(clock_wall() >= now.tv_sec * TICKS_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T75_seconds),
        cmocka_unit_test(test_T76_to_T78_fractions),
        cmocka_unit_test(test_T79_offset),
        cmocka_unit_test(test_T80_digits_beyond_the_seventh),
        cmocka_unit_test(test_T81_never),
        cmocka_unit_test(test_T82_first_moment),
        cmocka_unit_test(test_T83_no_zone_and_nonsense),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_T84_V22_seven_digits),
        cmocka_unit_test(test_V21_as_short_as_possible),
        cmocka_unit_test(test_before_1970),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_http_dates),
        cmocka_unit_test(test_every_day_as_libc_counts_them),
        cmocka_unit_test(test_both_ways_at_the_borders),
        cmocka_unit_test(test_both_ways_when_damaged),
        cmocka_unit_test(test_printed_is_parsed),
        cmocka_unit_test(test_clocks_go_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
