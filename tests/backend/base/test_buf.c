#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/base/buf.h"

static void test_grows_to_its_maximum_and_fails_sticky(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(1000);

    for (int i = 0; i < 1000; i++)
        buf_add_ch(&b, (char)('a' + i % 26));
    assert_int_equal(buf_err(&b), OK);
    assert_int_equal(buf_str(&b).len, 1000);
    assert_int_equal(strlen(buf_c(&b)), 1000);

    buf_add_ch(&b, 'x');
    assert_int_equal(buf_err(&b), ERR_TOO_BIG);
    assert_int_equal(buf_str(&b).len, 1000);
    assert_int_equal(buf_str(&b).p[999], 'a' + 999 % 26);

    buf_clear(&b);
    assert_int_equal(buf_err(&b), OK);
    buf_add_c(&b, "again");
    assert_string_equal(buf_c(&b), "again");
}

static void test_what_does_not_fit_is_left_out_whole(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(5);

    buf_add_c(&b, "abc");
    buf_add_c(&b, "def");
    buf_add_c(&b, "g"); /* would fit, but comes after a failure */
    assert_int_equal(buf_err(&b), ERR_TOO_BIG);
    assert_string_equal(buf_c(&b), "abc");
}

static void test_empty(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(5);
    struct buf zeroed = { 0 };

    assert_string_equal(buf_c(&b), "");
    buf_add(&b, STR_NONE);
    buf_add_c(&b, NULL);
    assert_int_equal(buf_err(&b), OK);
    assert_int_equal(buf_str(&b).len, 0);
    buf_fini(&b);
    buf_fini(&b);
    buf_add_c(&b, "12345");
    assert_int_equal(buf_err(&b), OK);

    buf_fini(&zeroed);
    buf_add_ch(&zeroed, 'x');
    assert_int_equal(buf_err(&zeroed), ERR_TOO_BIG);
    assert_string_equal(buf_c(&zeroed), "");
}

static void test_printf(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(2000);
    char wide[1000];

    buf_printf(&b, "%d-%s", 42, "x");
    assert_string_equal(buf_c(&b), "42-x");

    /* Longer than what was allocated: printed a second time. */
    memset(wide, 'w', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = '\0';
    buf_printf(&b, "%s|", wide);
    assert_int_equal(buf_err(&b), OK);
    assert_int_equal(buf_str(&b).len, 4 + 999 + 1);
    assert_true(str_ends(buf_str(&b), STR("ww|")));

    buf_printf(&b, "%s", wide);
    assert_int_equal(buf_err(&b), ERR_TOO_BIG);
    assert_int_equal(buf_str(&b).len, 4 + 999 + 1);
}

static void test_printf_of_every_length(void **state)
{
    char text[700] = "";

    for (size_t n = 0; n + 1 < sizeof(text); n++) {
        CLEANUP_BUF struct buf b = BUF_INIT(sizeof(text));

        buf_printf(&b, "%s", text);
        assert_string_equal(buf_c(&b), text);
        text[n] = (char)('a' + n % 26);
    }
}

static void test_printf_of_exactly_the_maximum(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(10);

    buf_printf(&b, "%s", "0123456789");
    assert_int_equal(buf_err(&b), OK);
    buf_printf(&b, "%s", "");
    assert_int_equal(buf_err(&b), OK);
    assert_string_equal(buf_c(&b), "0123456789");
    buf_printf(&b, "%d", 0);
    assert_int_equal(buf_err(&b), ERR_TOO_BIG);
}

static void test_space(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(100);
    char *p = buf_space(&b, 60);

    assert_non_null(p);
    memset(p, 'x', 60);
    buf_grown(&b, 50);
    assert_int_equal(buf_str(&b).len, 50);
    assert_non_null(buf_space(&b, 50));
    assert_null(buf_space(&b, 51));
    assert_int_equal(buf_err(&b), ERR_TOO_BIG);
    assert_null(buf_space(&b, 1));
    assert_int_equal(buf_str(&b).len, 50);
}

static void test_grown_beyond_the_space_is_our_bug(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(100000);

    assert_non_null(buf_space(&b, 10));
    buf_grown(&b, 100000);
    assert_int_equal(buf_err(&b), ERR_BUG);
    assert_int_equal(buf_str(&b).len, 0);
}

static void test_a_length_near_the_end_of_size_t(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(SIZE_MAX);

    buf_add_ch(&b, 'a');
    assert_null(buf_space(&b, SIZE_MAX - 1));
    assert_int_equal(buf_err(&b), ERR_TOO_BIG);
}

static void test_url(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(1000);

    buf_add_url(&b, STR("AZaz09-_.~ /+%\xc3\xa4\0'"), "");
    assert_string_equal(buf_c(&b), "AZaz09-_.~%20%2F%2B%25%C3%A4%00%27");
    buf_clear(&b);
    buf_add_url(&b, STR("a/b c\0'"), "/'");
    assert_string_equal(buf_c(&b), "a/b%20c%00'");
}

static void test_xml(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(1000);

    buf_add_xml(&b, STR("<a href=\"x&y\">'"));
    assert_string_equal(buf_c(&b), "&lt;a href=&quot;x&amp;y&quot;&gt;'");
}

static void test_random_appends_against_a_model(void **state)
{
    static char model[5000];
    uint32_t seed = 7;

    for (int round = 0; round < 50; round++) {
        size_t len = 0;
        enum err err = OK;
        CLEANUP_BUF struct buf b = BUF_INIT(sizeof(model) - 1000);

        for (int i = 0; i < 200; i++) {
            char piece[128];

            seed = seed * 1664525 + 1013904223;
            size_t n = (seed >> 8) % sizeof(piece);

            memset(piece, 'a' + i % 26, n);
            buf_add(&b, (struct str){ piece, n });
            if (!err && len + n > b.max)
                err = ERR_TOO_BIG;
            if (!err) {
                memcpy(model + len, piece, n);
                len += n;
            }
            assert_int_equal(buf_err(&b), err);
            assert_true(str_eq(buf_str(&b), (struct str){ model, len }));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_to_its_maximum_and_fails_sticky),
        cmocka_unit_test(test_what_does_not_fit_is_left_out_whole),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_printf),
        cmocka_unit_test(test_printf_of_every_length),
        cmocka_unit_test(test_printf_of_exactly_the_maximum),
        cmocka_unit_test(test_space),
        cmocka_unit_test(test_grown_beyond_the_space_is_our_bug),
        cmocka_unit_test(test_a_length_near_the_end_of_size_t),
        cmocka_unit_test(test_url),
        cmocka_unit_test(test_xml),
        cmocka_unit_test(test_random_appends_against_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
