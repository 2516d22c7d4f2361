#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/base/jsonscan.h"

/* Where the function for text's kind of token stops; -1: nowhere. */
static int number_len(const char *text)
{
    const char *p = jsonscan_number(text, text + strlen(text));
    return p ? (int)(p - text) : -1;
}

static int value_len(const char *text, unsigned depth)
{
    const char *p = jsonscan_value(text, text + strlen(text), depth);
    return p ? (int)(p - text) : -1;
}

static void test_blank_stops_at_the_first_that_is_not(void **state)
{
    struct str text = STR(" \t\r\n\v ");
    assert_ptr_equal(jsonscan_blank(text.p, text.p + text.len), text.p + 4);
    assert_ptr_equal(jsonscan_blank(text.p, text.p + 2), text.p + 2);
    assert_ptr_equal(jsonscan_blank(text.p, text.p), text.p);
}

/* Every byte value at every place of two words, against the plain definition. */
static void test_plain_stops_at_each_byte_that_matters(void **state)
{
    char text[19];
    for (int c = 0; c < 256; c++) {
        bool stops = c == '"' || c == '\\' || c < 0x20;
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, '!', sizeof text); /* next to the quote: a borrow would show */
            text[at] = (char)c;
            const char *p = jsonscan_plain(text, text + sizeof text);
            assert_int_equal(p - text, stops ? at : sizeof text);
        }
    }
}

static void test_plain_takes_the_first_of_several(void **state)
{
    struct str text = STR("ab\x01\"\\\x02!!!!!!!!");
    assert_int_equal(jsonscan_plain(text.p, text.p + text.len) - text.p, 2);
}

static void test_string_ends_at_its_quote(void **state)
{
    struct str text = STR("a\\\"b\\u12aF\" more\"");
    bool escapes = false;
    assert_ptr_equal(jsonscan_string(text.p, text.p + text.len, &escapes), text.p + 10);
    assert_true(escapes);
    escapes = false;
    assert_ptr_equal(jsonscan_string(text.p + 11, text.p + text.len, &escapes), text.p + 16);
    assert_false(escapes);
    assert_null(jsonscan_string(text.p, text.p + 10, &escapes));
}

static void test_number_takes_as_much_as_is_one(void **state)
{
    assert_int_equal(number_len("0"), 1);
    assert_int_equal(number_len("007"), 1);
    assert_int_equal(number_len("-12.50e-07,"), 10);
    assert_int_equal(number_len("1e5x"), 3);
    assert_int_equal(number_len("1."), -1);
    assert_int_equal(number_len("1.e5"), -1);
    assert_int_equal(number_len("-"), -1);
    assert_int_equal(number_len("+1"), -1);
    assert_int_equal(number_len(".5"), -1);
    assert_int_equal(number_len("1e+"), -1);
    assert_int_equal(number_len(""), -1);
}

static void test_value_ends_where_it_ends(void **state)
{
    assert_int_equal(value_len("{}x", 1), 2);
    assert_int_equal(value_len("[ 1 , {\"a\" : [] } ] ,", 3), 19);
    assert_int_equal(value_len("\"a\":", 0), 3);
    assert_int_equal(value_len("nullify", 0), 4);
    assert_int_equal(value_len("[1 2]", 1), -1);
    assert_int_equal(value_len("{\"a\":1,}", 1), -1);
    assert_int_equal(value_len("{\"a\" 1}", 1), -1);
    assert_int_equal(value_len("[", 1), -1);
    assert_int_equal(value_len("", 1), -1);
}

static void test_value_keeps_to_its_depth(void **state)
{
    assert_int_equal(value_len("[[],[[]]]", 3), 9);
    assert_int_equal(value_len("[[],[[]]]", 2), -1);
    assert_int_equal(value_len("[]", 0), -1);
    assert_int_equal(value_len("1", 0), 1);
}

static void test_unit(void **state)
{
    struct str text = STR("12aFg");
    assert_int_equal(jsonscan_unit(text.p, text.p + 5), 0x12af);
    assert_int_equal(jsonscan_unit(text.p, text.p + 3), -1);
    assert_int_equal(jsonscan_unit(text.p + 1, text.p + 5), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blank_stops_at_the_first_that_is_not),
        cmocka_unit_test(test_plain_stops_at_each_byte_that_matters),
        cmocka_unit_test(test_plain_takes_the_first_of_several),
        cmocka_unit_test(test_string_ends_at_its_quote),
        cmocka_unit_test(test_number_takes_as_much_as_is_one),
        cmocka_unit_test(test_value_ends_where_it_ends),
        cmocka_unit_test(test_value_keeps_to_its_depth),
        cmocka_unit_test(test_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
