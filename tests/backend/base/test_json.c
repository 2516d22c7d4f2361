#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/base/buf.h"
#include "backend/base/json.h"
#include "backend/base/limits.h"

#include <stdlib.h>

static int64_t number_at(const struct json *j, const char *name)
{
    int64_t v = INT64_MIN;
    (void)json_get_i64(json_member(j, name), &v);
    return v;
}

static void test_B54_comments_mark_and_trailing_commas(void **state)
{
    CLEANUP(json_free)
    struct json *j = json_parse(STR("\xef\xbb\xbf// the host reads comments\n"
                                    "{ \"version\": \"2.0\", /* and, these ] */\n"
                                    "  \"list\": [1, 2, /* last */ ],\n"
                                    "  \"extensions\": { \"durableTask\": {\n"
                                    "    \"hubName\": \"%HUB%\", // name\n"
                                    "    \"partitionCount\": 8,\n"
                                    "  }, },\n"
                                    "}\n// the end"));
    struct str s;
    int64_t n;
    assert_non_null(j);
    assert_true(json_get_str(json_member(j, "version"), &s));
    assert_true(str_eq(s, STR("2.0")));
    assert_true(json_get_str(json_path(j, "Extensions", "DURABLETASK", "HubName", NULL), &s));
    assert_true(str_eq(s, STR("%HUB%")));
    assert_true(
        json_get_i64(json_path(j, "extensions", "durableTask", "partitioncount", NULL), &n));
    assert_int_equal(n, 8);
}

static void test_comment_signs_and_commas_inside_text_stay(void **state)
{
    CLEANUP(json_free)
    struct json *j = json_parse(STR("{\"a\":\"http://x/*y*/\",\"b\":\",]\\\"//,}\"}"));
    struct str s;
    assert_true(json_get_str(json_member(j, "a"), &s));
    assert_true(str_eq(s, STR("http://x/*y*/")));
    assert_true(json_get_str(json_member(j, "b"), &s));
    assert_true(str_eq(s, STR(",]\"//,}")));
}

static void test_what_is_not_json_gives_nothing(void **state)
{
    static const char *const documents[] = { "",
                                             " ",
                                             "hello",
                                             "{",
                                             "[,]",
                                             "[1,,]",
                                             "{,}",
                                             "{\"a\":,}",
                                             "{} {}",
                                             "{'a':1}",
                                             "{\"a\":007}",
                                             "{\"a\":+1}",
                                             "{\"a\":NaN}",
                                             "{\"a\":1} /* never closed",
                                             "{\"a\":1}/",
                                             "{\"a\":\"open",
                                             "{\"a\":\"x\\u0000y\"}",
                                             "{\"a\":\"\\\\\\u0000\"}",
                                             "{\"a\":\"\xff\"}",
                                             "# {}" };
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct json *j = json_parse(str_c(documents[i]));
        if (j)
            fail_msg("accepted: %s", documents[i]);
    }
}

static void test_an_escaped_backslash_before_u0000_is_text(void **state)
{
    CLEANUP(json_free) struct json *j = json_parse(STR("{\"a\":\"\\\\u0000\"}"));
    struct str s;
    assert_true(json_get_str(json_member(j, "a"), &s));
    assert_true(str_eq(s, STR("\\u0000")));
}

static struct json *parse_nested(unsigned depth)
{
    CLEANUP_BUF struct buf b = BUF_INIT(MIB);
    for (unsigned i = 0; i < depth; i++)
        buf_add_ch(&b, '[');
    for (unsigned i = 0; i < depth; i++)
        buf_add_ch(&b, ']');
    return json_parse(buf_str(&b));
}

static void test_L11_depth(void **state)
{
    CLEANUP(json_free) struct json *j = parse_nested(JSON_DEPTH_MAX);
    assert_non_null(j);
    assert_null(parse_nested(JSON_DEPTH_MAX + 1));
    assert_null(parse_nested(50000));
}

static void test_members_by_name(void **state)
{
    CLEANUP(json_free)
    struct json *j = json_parse(STR("{\"Type\":1,\"type\":2,\"type\":3,\"Name\":{\"x\":4}}"));
    int64_t n = 0;
    assert_int_equal(number_at(j, "Type"), 1);
    assert_int_equal(number_at(j, "type"), 2);
    assert_null(json_member(j, "TYPE"));
    assert_true(json_get_i64(json_member_nocase(j, "tYPE"), &n));
    assert_int_equal(n, 1);
    assert_true(json_get_i64(json_path(j, "name", "X", NULL), &n));
    assert_int_equal(n, 4);
    assert_null(json_path(j, "name", "y", "z", NULL));
    assert_null(json_path(j, "Type", "x", NULL));
    assert_ptr_equal(json_path(j, NULL), j);
    assert_null(json_path(NULL, "a", NULL));
    assert_null(json_member(NULL, "a"));
}

static void test_numbers_are_whole_or_nothing(void **state)
{
    CLEANUP(json_free)
    struct json *j = json_parse(
        STR("{\"a\":12,\"b\":-3,\"c\":\"45\",\"d\":\"-6\",\"e\":1.0,\"f\":1.5,\"g\":\"1.5\","
            "\"h\":9007199254740993,\"i\":1e400,\"j\":\" 1\",\"k\":true,\"l\":null,\"m\":\"\"}"));
    int64_t n = 99;
    assert_int_equal(number_at(j, "a"), 12);
    assert_int_equal(number_at(j, "b"), -3);
    assert_int_equal(number_at(j, "c"), 45);
    assert_int_equal(number_at(j, "d"), -6);
    assert_int_equal(number_at(j, "e"), 1);
    for (const char *name = "fghijklm"; *name; name++)
        assert_false(json_get_i64(json_member(j, (char[]){ *name, 0 }), &n));
    assert_int_equal(n, 99);
}

static void test_kinds_are_not_mixed_up(void **state)
{
    CLEANUP(json_free)
    struct json *j =
        json_parse(STR("{\"t\":true,\"f\":false,\"s\":\"true\",\"n\":1,\"o\":{},\"a\":[1]}"));
    bool truth = false;
    struct str s = STR("untouched");
    assert_true(json_get_bool(json_member(j, "t"), &truth) && truth);
    assert_true(json_get_bool(json_member(j, "f"), &truth) && !truth);
    assert_false(json_get_bool(json_member(j, "s"), &truth));
    assert_false(json_get_bool(json_member(j, "n"), &truth));
    assert_false(json_get_str(json_member(j, "n"), &s));
    assert_false(json_get_str(NULL, &s));
    assert_true(str_eq(s, STR("untouched")));
    assert_true(json_is_object(json_member(j, "o")));
    assert_false(json_is_object(json_member(j, "a")));
    assert_null(json_member(json_member(j, "a"), "1"));
    assert_null(json_first(json_member(j, "a")));
}

static void test_walk_in_order(void **state)
{
    CLEANUP(json_free) struct json *j = json_parse(STR("{\"b\":1,\"a\":2,\"\":3}"));
    CLEANUP_BUF struct buf names = BUF_INIT(100);
    for (const struct json *m = json_first(j); m; m = json_next(m)) {
        int64_t n = 0;
        assert_true(json_get_i64(m, &n));
        buf_add(&names, json_name(m));
        buf_printf(&names, "=%d;", (int)n);
    }
    assert_string_equal(buf_c(&names), "b=1;a=2;=3;");
    assert_null(json_next(NULL));
    assert_null(json_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_B54_comments_mark_and_trailing_commas),
        cmocka_unit_test(test_comment_signs_and_commas_inside_text_stay),
        cmocka_unit_test(test_what_is_not_json_gives_nothing),
        cmocka_unit_test(test_an_escaped_backslash_before_u0000_is_text),
        cmocka_unit_test(test_L11_depth),
        cmocka_unit_test(test_members_by_name),
        cmocka_unit_test(test_numbers_are_whole_or_nothing),
        cmocka_unit_test(test_kinds_are_not_mixed_up),
        cmocka_unit_test(test_walk_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
