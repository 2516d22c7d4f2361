#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/format.h"

typedef void (*formatter)(struct buf *out, struct str s);

static void expect(formatter f, struct str in, const char *want)
{
    CLEANUP_BUF struct buf out = BUF_INIT(4096);

    f(&out, in);
    assert_int_equal(buf_err(&out), OK);
    assert_string_equal(buf_c(&out), want);
    assert_int_equal(out.len, strlen(want));
}

static void test_escaped(void **state)
{
    expect(format_escaped, STR("plain \xc3\xa9 \"q\""), "plain \xc3\xa9 \"q\"");
    expect(format_escaped, STR("a\tb\nc\\d"), "a\\tb\\nc\\\\d");
    expect(format_escaped, STR("\x1b[31m\x7f\0\x0b"), "\\u001b[31m\\u007f\\u0000\\u000b");
    expect(format_escaped, STR(""), "");
}

static void test_B30_escaped_lone_surrogate(void **state)
{
    expect(format_escaped, STR("x\"\xed\xa0\x80\\\n"), "x\"\\ud800\\\\\\n");
}

static void test_B9_readable(void **state)
{
    expect(format_readable, STR("boom\r\n   at \\x\n\tat y\x1b[0m"),
           "boom\n   at \\x\n\tat y\\u001b[0m");
    expect(format_readable, STR("\n\n"), "\n\n");
    expect(format_readable, STR(""), "");
}

static void test_line(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(4096);

    format_line(&out, "Name", STR("a\tb"));
    format_line(&out, "Version", STR(""));
    format_time_line(&out, "CreatedTime", TICKS_NONE);
    format_time_line(&out, "CompletedTime", INT64_C(17955000000000000) / 10000 * 10000 + 1);
    assert_memory_equal(buf_c(&out), "Name:\ta\\tb\nCompletedTime:\t2026-", 31);
    assert_true(str_ends(buf_str(&out), STR(".0000001Z\n")));
}

static void test_payload(void **state)
{
    expect(format_payload, STR("{}"), "{}\n");
    expect(format_payload, STR("{}\n"), "{}\n");
    expect(format_payload, STR("{}\n\n"), "{}\n\n");
    expect(format_payload, STR(""), "");
}

static void test_json_column(void **state)
{
    expect(format_json_column, STR("{\"a\":\t1,\r\n \"b\":\"x\\ty\"}\n"),
           "{\"a\": 1,   \"b\":\"x\\ty\"}");
    expect(format_json_column, STR("buggy"), "\"buggy\"");
    expect(format_json_column, STR("42 apples"), "\"42 apples\"");
    expect(format_json_column, STR("a\tb\nc"), "\"a\\tb\\nc\"");
    expect(format_json_column, STR("42"), "42");
    expect(format_json_column, STR(""), "");
}

static void test_json_value(void **state)
{
    expect(format_json_value, STR("  "), "\"\"");
    expect(format_json_value, STR("{\"a\": 1.0}"), "{\"a\": 1.0}");
    expect(format_json_value, STR("true story"), "\"true story\"");
    expect(format_json_value, STR("true"), "true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escaped),     cmocka_unit_test(test_B30_escaped_lone_surrogate),
        cmocka_unit_test(test_B9_readable), cmocka_unit_test(test_line),
        cmocka_unit_test(test_payload),     cmocka_unit_test(test_json_column),
        cmocka_unit_test(test_json_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
