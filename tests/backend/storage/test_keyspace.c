#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/storage/keyspace.h"

static struct keyspace learned(const char *a, const char *b)
{
    struct keyspace k;

    keyspace_init(&k);
    keyspace_learn(&k, str_c(a));
    keyspace_learn(&k, str_c(b));
    keyspace_settle(&k);
    return k;
}

static void assert_beyond(const struct keyspace *k, const char *first, const char *last,
                          const char *from, unsigned n, const char *want)
{
    CLEANUP_BUF struct buf b = BUF_INIT(256);
    struct stretch s = { str_c(first), str_c(last) };

    assert_int_equal(keyspace_beyond(k, s, str_c(from), n, &b), want != NULL);
    if (want)
        assert_string_equal(buf_c(&b), want);
}

static void test_decimal_counters_are_counted(void **state)
{
    struct keyspace k = learned("0123456789", "");

    /* Eleven digits: the end of the text is one of them, below '0'. */
    assert_int_equal(k.base, 11);
    assert_beyond(&k, "100", "200", "200", 1, "300");
    assert_beyond(&k, "100", "200", "200", 3, "500");
    assert_beyond(&k, "100", "200", "900", 1, NULL); /* beyond "99..." */
    assert_beyond(&k, "200", "200", "200", 1, NULL); /* no length */
    assert_beyond(&k, "300", "200", "200", 1, NULL);
}

static void test_carry_goes_into_the_prefix(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(256);
    struct keyspace k = learned("0123456789", "x-");
    struct stretch s = { STR("x-0000000"), STR("x-0000999") };

    assert_true(keyspace_beyond(&k, s, STR("x-0000999"), 8, &b));
    assert_true(str_cmp(buf_str(&b), STR("x-0003")) > 0);
    assert_true(str_cmp(buf_str(&b), STR("x-0099")) < 0);
}

static void test_fit_counts_stretches(void **state)
{
    struct keyspace k = learned("0123456789", "");
    struct stretch s = { STR("10"), STR("20") };
    double fit = keyspace_fit(&k, s, STR("20"), STR("70"));

    assert_true(fit > 4.9 && fit < 5.1);
    assert_true(keyspace_fit(&k, s, STR("70"), STR("20")) == 0);
    assert_true(keyspace_fit(&k, (struct stretch){ STR("a"), STR("a") }, STR("1"), STR("2")) == 0);
}

static void test_common_characters_beyond_ascii_are_kept(void **state)
{
    struct keyspace k = learned("0123456789", "");
    struct stretch s = { STR("日本-1"), STR("日本-2") };

    assert_beyond(&k, "日本1", "日本2", "日本2", 1, "日本3");
    assert_beyond(&k, "日本1", "日本2", "日本9", 1, NULL);
    /* 日 and 本 begin with the same byte, but it is not kept alone: the guess is no use (it lies
     * below), but it is text. */
    assert_beyond(&k, "日1", "本2", "本2", 1, "9993");
    assert_true(keyspace_fit(&k, s, STR("日本-2"), STR("日本-9")) > 6);
    assert_true(keyspace_fit(&k, s, STR("日本-2"), STR("本")) > 6);
}

static void test_nothing_learned_is_no_guess(void **state)
{
    struct keyspace k = learned("", "日本");

    assert_int_equal(k.base, 1);
    assert_beyond(&k, "a", "b", "b", 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimal_counters_are_counted),
        cmocka_unit_test(test_carry_goes_into_the_prefix),
        cmocka_unit_test(test_fit_counts_stretches),
        cmocka_unit_test(test_common_characters_beyond_ascii_are_kept),
        cmocka_unit_test(test_nothing_learned_is_no_guess),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
