#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/base/jsonread.h"
#include "backend/base/jsonw.h"

static void assert_quoted(struct str text, const char *expected)
{
    CLEANUP_BUF struct buf b = BUF_INIT(1000);
    json_quote(&b, text);
    assert_int_equal(buf_err(&b), OK);
    assert_string_equal(buf_c(&b), expected);
}

static void test_document(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(1000);
    struct jsonw w;
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_name(&w, "$type");
    jsonw_str(&w, STR("T"));
    jsonw_name(&w, "n");
    jsonw_i64(&w, INT64_MIN);
    jsonw_name(&w, "list");
    jsonw_array(&w);
    jsonw_bool(&w, true);
    jsonw_bool(&w, false);
    jsonw_null(&w);
    jsonw_object(&w);
    jsonw_object_end(&w);
    jsonw_array(&w);
    jsonw_i64(&w, INT64_MAX);
    jsonw_array_end(&w);
    jsonw_array_end(&w);
    jsonw_name(&w, "raw \"");
    jsonw_raw(&w, STR("{ \"x\" : 1.50 }"));
    jsonw_name(&w, "end");
    jsonw_str(&w, STR_NONE);
    jsonw_object_end(&w);
    assert_string_equal(buf_c(&b), "{\"$type\":\"T\",\"n\":-9223372036854775808,"
                                   "\"list\":[true,false,null,{},[9223372036854775807]],"
                                   "\"raw \\\"\":{ \"x\" : 1.50 },\"end\":\"\"}");
    assert_true(json_valid(buf_str(&b)));
}

/* Storage messages 3.2, as Json.NET does it. */
static void test_short_escapes(void **state)
{
    assert_quoted(STR("\b\f\n\r\t\"\\"), "\"\\b\\f\\n\\r\\t\\\"\\\\\"");
}

static void test_other_controls_in_lower_case_hex(void **state)
{
    assert_quoted(STR("\0\x01\x0b\x1f"), "\"\\u0000\\u0001\\u000b\\u001f\"");
}

static void test_line_ends_of_javascript(void **state)
{
    assert_quoted(STR("\xc2\x85\xe2\x80\xa8\xe2\x80\xa9"), "\"\\u0085\\u2028\\u2029\"");
    /* their neighbours */
    assert_quoted(STR("\xc2\x84\xc2\x86\xe2\x80\xa7\xe2\x80\xaa"),
                  "\"\xc2\x84\xc2\x86\xe2\x80\xa7\xe2\x80\xaa\"");
}

static void test_everything_else_is_raw(void **state)
{
    assert_quoted(STR("/<>&'\x7f \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbb\xbf"),
                  "\"/<>&'\x7f \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbb\xbf\"");
}

static void test_B30_lone_surrogates_become_escapes_again(void **state)
{
    assert_quoted(STR("a\xed\xa0\x80z"), "\"a\\ud800z\"");
    assert_quoted(STR("\xed\xbf\xbf"), "\"\\udfff\"");
    assert_quoted(STR("\xed\x9f\xbf\xee\x80\x80"), "\"\xed\x9f\xbf\xee\x80\x80\"");
}

static void test_bad_bytes_become_replacement_characters(void **state)
{
    assert_quoted(STR("a\xffz"), "\"a\xef\xbf\xbdz\"");
    assert_quoted(STR("\x80"), "\"\xef\xbf\xbd\"");
    assert_quoted(STR("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");                 /* overlong */
    assert_quoted(STR("\xe0\x80\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* overlong */
    assert_quoted(STR("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");       /* cut by the end */
    assert_quoted(STR("\xe2\x82\""), "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\""); /* cut by a quote */
    assert_quoted(STR("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_every_character_comes_back(void **state)
{
    struct arena arena;
    arena_init(&arena);
    for (uint32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 97) {
        CLEANUP_BUF struct buf escaped = BUF_INIT(100), again = BUF_INIT(100);
        struct str first, second;
        if (c < 0x10000)
            buf_printf(&escaped, "\"\\u%04x\"", (unsigned)c);
        else
            buf_printf(&escaped, "\"\\u%04x\\u%04x\"", (unsigned)(0xd7c0 + (c >> 10)),
                       (unsigned)(0xdc00 + (c & 0x3ff)));
        assert_true(json_unquote(buf_str(&escaped), &arena, &first));
        json_quote(&again, first);
        assert_true(json_valid(buf_str(&again)));
        assert_true(json_unquote(buf_str(&again), &arena, &second));
        assert_true(str_eq(first, second));
    }
    arena_fini(&arena);
}

static void test_too_big_is_sticky(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(5);
    struct jsonw w;
    jsonw_init(&w, &b);
    jsonw_array(&w);
    jsonw_str(&w, STR("abcd"));
    jsonw_array_end(&w);
    assert_int_equal(buf_err(&b), ERR_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_short_escapes),
        cmocka_unit_test(test_other_controls_in_lower_case_hex),
        cmocka_unit_test(test_line_ends_of_javascript),
        cmocka_unit_test(test_everything_else_is_raw),
        cmocka_unit_test(test_B30_lone_surrogates_become_escapes_again),
        cmocka_unit_test(test_bad_bytes_become_replacement_characters),
        cmocka_unit_test(test_every_character_comes_back),
        cmocka_unit_test(test_too_big_is_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
