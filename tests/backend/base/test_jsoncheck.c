#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/base/buf.h"
#include "backend/base/jsoncheck.h"
#include "backend/base/jsonread.h"

#include <stdlib.h>

/* Byte by byte and at once; both must say the same. */
static struct jsoncheck check(struct str text)
{
    struct jsoncheck at_once, slow;
    jsoncheck_init(&at_once);
    jsoncheck_init(&slow);
    (void)jsoncheck_feed(&at_once, text);
    for (size_t i = 0; i < text.len; i++)
        (void)jsoncheck_feed(&slow, str_slice(text, i, i + 1));
    assert_int_equal(at_once.state, slow.state);
    assert_int_equal(at_once.bytes, slow.bytes);
    assert_int_equal(at_once.bad_at, slow.bad_at);
    assert_ptr_equal(at_once.reason, slow.reason);
    return at_once;
}

static void assert_state(const char *text, enum jsoncheck_state state)
{
    struct jsoncheck c = check(str_c(text));
    if (c.state != state)
        fail_msg("%s: state %d, expected %d", text, (int)c.state, (int)state);
    if (state != JSONCHECK_BAD)
        assert_int_equal(c.bytes, strlen(text));
}

static void assert_bad(struct str text, size_t at, const char *reason)
{
    struct jsoncheck c = check(text);
    if (c.state != JSONCHECK_BAD || c.bad_at != at || !strstr(c.reason, reason))
        fail_msg("%.*s: state %d at %u: %s", (int)text.len, text.p, (int)c.state,
                 (unsigned)c.bad_at, c.reason ? c.reason : "no reason");
    assert_int_equal(c.bytes, at);
}

static void test_R1_a_value_is_complete_with_its_last_byte(void **state)
{
    static const char *const complete[] = { "{}",
                                            "[]",
                                            "\"\"",
                                            "true",
                                            "null",
                                            "false",
                                            " {} ",
                                            "{\"a\":[1,{\"b\":null}]}",
                                            "[1]",
                                            "\"x\"",
                                            "1 ",
                                            "-0.5e+3\n",
                                            "[[],{},\"\"]\r\n\t " };
    for (size_t i = 0; i < ARRAY_LEN(complete); i++) {
        struct str text = str_trim(str_c(complete[i]));
        assert_state(complete[i], JSONCHECK_COMPLETE);
        for (size_t cut = 1; cut < text.len; cut++)
            assert_int_not_equal(check(str_slice(text, 0, cut)).state, JSONCHECK_COMPLETE);
    }
}

static void test_R1_a_number_ends_with_white_space(void **state)
{
    static const char *const numbers[] = {
        "0", "-0", "1", "10", "1.5", "1.50e3", "1E-07", "12e+0"
    };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        static const char ends[] = " \t\r\n";
        for (const char *end = ends; *end; end++) {
            struct jsoncheck c = check(str_c(numbers[i]));
            assert_int_equal(c.state, JSONCHECK_NUMBER);
            assert_int_equal(jsoncheck_feed(&c, (struct str){ end, 1 }), JSONCHECK_COMPLETE);
        }
    }
    assert_state("[1", JSONCHECK_OPEN); /* inside brackets the bracket ends it */
}

static void test_R1_unfinished_values_are_open(void **state)
{
    static const char *const open[] = {
        "{",  "[",  "\"",  "\"abc",  "\"\\",    "\"\\u", "\"\\u12",  "t",     "fals",   "-",
        "1.", "1e", "1e+", "{\"a\"", "{\"a\":", "[1,",   "{\"a\":1", "[{},[", "\"\xc3", "\"\xf0\x9f"
    };
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        assert_state(open[i], JSONCHECK_OPEN);
}

static void test_B25_blank(void **state)
{
    assert_state("", JSONCHECK_BLANK);
    assert_state("\n", JSONCHECK_BLANK);
    assert_state(" \t\r\n ", JSONCHECK_BLANK);
    struct jsoncheck c = check(STR("\n"));
    assert_int_equal(jsoncheck_feed(&c, STR_NONE), JSONCHECK_BLANK);
    assert_int_equal(jsoncheck_feed(&c, STR("7")), JSONCHECK_NUMBER);
}

static void test_B16_not_json(void **state)
{
    assert_bad(STR("hello"), 0, "cannot begin");
    assert_bad(STR("nothing"), 1, "double quotes");
    assert_bad(STR("trueish"), 4, "text after the value");
    assert_bad(STR("{a:1}"), 1, "name in double quotes");
    assert_bad(STR("'x'"), 0, "double quotes");
    assert_bad(STR("// x"), 0, "comments");
    assert_bad(STR("True"), 0, "small letters");
    assert_bad(STR("[1 2]"), 3, "comma or ]");
    assert_bad(STR("{\"a\":1 2}"), 7, "comma or }");
    assert_bad(STR("{\"a\" 1}"), 5, "colon");
    assert_bad(STR("{\"a\":}"), 5, "missing");
    assert_bad(STR("[1,]"), 3, "missing");
    assert_bad(STR("[,1]"), 1, "missing");
    assert_bad(STR("{\"a\":1,}"), 7, "comma with nothing behind");
    assert_bad(STR("{,}"), 1, "name");
    assert_bad(STR("[1}"), 2, "comma or ]");
    assert_bad(STR("{\"a\":[1]]"), 8, "comma or }");
    assert_bad(STR("]"), 0, "missing");
    assert_bad(STR("{1:2}"), 1, "name");
}

static void test_B17_numbers_that_are_none(void **state)
{
    assert_bad(STR("007"), 1, "begin with 0");
    assert_bad(STR("-01"), 2, "begin with 0");
    assert_bad(STR("+1"), 0, "plus sign");
    assert_bad(STR(".5"), 0, "point");
    assert_bad(STR("1.\n"), 2, "digit");
    assert_bad(STR("1.e5"), 2, "digit");
    assert_bad(STR("[1.]"), 3, "digit");
    assert_bad(STR("-\n"), 1, "minus");
    assert_bad(STR("--1"), 1, "minus");
    assert_bad(STR("-.5"), 1, "minus");
    assert_bad(STR("1e\n"), 2, "exponent");
    assert_bad(STR("1e+-1"), 3, "exponent");
    assert_bad(STR("1.5.2"), 3, "text after");
    assert_bad(STR("1e5e5"), 3, "text after");
    assert_bad(STR("0x10"), 1, "text after");
    assert_bad(STR("NaN"), 0, "NaN");
    assert_bad(STR("Infinity"), 0, "Infinity");
    assert_bad(STR("-Infinity"), 1, "minus");
    assert_bad(STR("1,5"), 1, "text after");
}

static void test_B18_raw_controls(void **state)
{
    for (int c = 0; c < 0x20; c++) {
        char text[] = { '"', 'a', (char)c, '"' };
        assert_bad((struct str){ text, 4 }, 2, "control character");
    }
    assert_bad(STR("[\0]"), 1, "control character");
    assert_bad(STR("\v{}"), 0, "control character");
    assert_state("\"\x7f\"", JSONCHECK_COMPLETE);
}

static void test_B18_byte_order_mark(void **state)
{
    assert_bad(STR("\xef\xbb\xbf{}"), 0, "byte order mark");
    assert_state("\"\xef\xbb\xbf\"", JSONCHECK_COMPLETE); /* inside text it is a character */
}

static void test_B18_invalid_utf8(void **state)
{
    assert_bad(STR("\"\x80\""), 1, "UTF-8");
    assert_bad(STR("\"\xff\""), 1, "UTF-8");
    assert_bad(STR("\"\xc0\xaf\""), 1, "UTF-8");         /* overlong */
    assert_bad(STR("\"\xc1\xbf\""), 1, "UTF-8");         /* overlong */
    assert_bad(STR("\"\xe0\x9f\xbf\""), 2, "UTF-8");     /* overlong */
    assert_bad(STR("\"\xf0\x8f\xbf\xbf\""), 2, "UTF-8"); /* overlong */
    assert_bad(STR("\"\xed\xa0\x80\""), 2, "UTF-8");     /* surrogate */
    assert_bad(STR("\"\xf4\x90\x80\x80\""), 2, "UTF-8"); /* beyond U+10FFFF */
    assert_bad(STR("\"\xf5\x80\x80\x80\""), 1, "UTF-8"); /* beyond U+10FFFF */
    assert_bad(STR("\"\xc3\""), 2, "UTF-8");             /* cut */
    assert_bad(STR("\"\xe2\x82\""), 3, "UTF-8");         /* cut */
    assert_bad(STR("\"\xf0\x9f\x98\""), 4, "UTF-8");     /* cut */
    assert_bad(STR("{\"\xe9\":1}"), 3, "UTF-8");         /* Latin-1, in a name */
    assert_state("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"",
                 JSONCHECK_COMPLETE);
    assert_state("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"", JSONCHECK_COMPLETE);
}

static void test_B19_lone_surrogates_and_nul_escapes(void **state)
{
    assert_state("\"\\ud800\"", JSONCHECK_COMPLETE);
    assert_state("\"\\uDFFF\\uD800x\"", JSONCHECK_COMPLETE);
    assert_state("{\"\\u0000\":\"\\u0000\"}", JSONCHECK_COMPLETE);
    assert_state("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", JSONCHECK_COMPLETE);
    assert_bad(STR("\"\\x41\""), 2, "escape");
    assert_bad(STR("\"\\0\""), 2, "escape");
    assert_bad(STR("\"\\\0\""), 2, "escape");
    assert_bad(STR("\"\\'\""), 2, "escape");
    assert_bad(STR("\"\\u12g4\""), 5, "hex");
    assert_bad(STR("\"\\u12\""), 5, "hex");
}

static void test_B20_text_after_the_value(void **state)
{
    assert_bad(STR("{}x"), 2, "text after the value");
    assert_bad(STR("{} {}"), 3, "text after the value");
    assert_bad(STR("1 2"), 2, "text after the value");
    assert_bad(STR("null\nnull\n"), 5, "text after the value");
    assert_bad(STR("\"a\"\"b\""), 3, "text after the value");
    assert_bad(STR("[]]"), 2, "text after the value");
    assert_bad(STR("{},"), 2, "text after the value");
    assert_bad(STR("{}\0"), 2, "text after the value");

    struct jsoncheck c = check(STR("{}"));
    assert_int_equal(jsoncheck_feed(&c, STR("\n \r\n")), JSONCHECK_COMPLETE);
    assert_int_equal(c.bytes, 6);
    assert_int_equal(jsoncheck_feed(&c, STR("x")), JSONCHECK_BAD);
    assert_int_equal(c.bad_at, 6);
    assert_int_equal(jsoncheck_feed(&c, STR("\n")), JSONCHECK_BAD); /* sticky */
    assert_int_equal(jsoncheck_feed(&c, STR_NONE), JSONCHECK_BAD);
    assert_int_equal(c.bad_at, 6);
}

static void test_B21_numbers_of_any_size_and_same_names(void **state)
{
    assert_state("9007199254740993 ", JSONCHECK_COMPLETE);
    assert_state("123456789012345678901234567890123456789012345678901234567890123456789\n",
                 JSONCHECK_COMPLETE);
    assert_state("1.0 ", JSONCHECK_COMPLETE);
    assert_state("[1e400,-1E-400]", JSONCHECK_COMPLETE);
    assert_state("{\"a\":1,\"a\":2}", JSONCHECK_COMPLETE);
}

static void nest(struct buf *b, unsigned depth, const char *open, const char *close)
{
    buf_clear(b);
    for (unsigned i = 0; i < depth; i++)
        buf_add_c(b, open);
    buf_add_c(b, "1");
    for (unsigned i = 0; i < depth; i++)
        buf_add_c(b, close);
}

static void test_B22_L11_depth(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(1000000);
    nest(&b, JSON_DEPTH_MAX, "[", "]");
    assert_state(buf_c(&b), JSONCHECK_COMPLETE);
    nest(&b, JSON_DEPTH_MAX, "{\"a\":", "}");
    assert_state(buf_c(&b), JSONCHECK_COMPLETE);
    nest(&b, JSON_DEPTH_MAX / 2, "[{\"a\":", "}]");
    assert_state(buf_c(&b), JSONCHECK_COMPLETE);
    nest(&b, JSON_DEPTH_MAX + 1, "[", "]");
    assert_bad(buf_str(&b), JSON_DEPTH_MAX, "nested too deeply");
    nest(&b, JSON_DEPTH_MAX + 1, "{\"a\":", "}");
    assert_bad(buf_str(&b), JSON_DEPTH_MAX * 5, "nested too deeply");
    nest(&b, 50000, "[", "]");
    assert_bad(buf_str(&b), JSON_DEPTH_MAX, "nested too deeply");
}

/* Shells split 10 kB into writes of 4096 bytes. */
static void test_R1_writes_of_a_shell(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(100000);
    struct jsoncheck c;
    buf_add_c(&b, "{\"text\":\"");
    while (b.len < 10000)
        buf_add_c(&b, "\xf0\x9f\x98\x80\\u00e9");
    buf_add_c(&b, "\"}");
    jsoncheck_init(&c);
    assert_int_equal(jsoncheck_feed(&c, str_slice(buf_str(&b), 0, 4096)), JSONCHECK_OPEN);
    assert_int_equal(jsoncheck_feed(&c, str_slice(buf_str(&b), 4096, 8192)), JSONCHECK_OPEN);
    assert_int_equal(jsoncheck_feed(&c, str_slice(buf_str(&b), 8192, b.len)), JSONCHECK_COMPLETE);
    assert_int_equal(c.bytes, b.len);
}

/* Texts made of pieces that JSON is made of, so that many are nearly right. */
static void test_agrees_with_json_valid(void **state)
{
    static const char *const pieces[] = { "{",     "}",    "[",     "]", ",",        ":",
                                          "\"a\"", "\"",   "\\u12", "0", "-1",       ".5",
                                          "e3",    "true", "nul",   " ", "\xc3\xa9", "\\n" };
    unsigned seed = 1, valid = 0;
    for (int round = 0; round < 200000; round++) {
        char text[64];
        size_t len = 0;
        unsigned count = 1 + (seed >> 8) % 7;
        for (unsigned i = 0; i < count; i++) {
            seed = seed * 1103515245u + 12345u;
            struct str piece = str_c(pieces[(seed >> 16) % ARRAY_LEN(pieces)]);
            memcpy(text + len, piece.p, piece.len);
            len += piece.len;
        }
        struct jsoncheck c = check((struct str){ text, len });
        bool good = c.state == JSONCHECK_COMPLETE || c.state == JSONCHECK_NUMBER;
        if (good != json_valid((struct str){ text, len }))
            fail_msg("%.*s: state %d", (int)len, text, (int)c.state);
        valid += good;
    }
    assert_true(valid > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_R1_a_value_is_complete_with_its_last_byte),
        cmocka_unit_test(test_R1_a_number_ends_with_white_space),
        cmocka_unit_test(test_R1_unfinished_values_are_open),
        cmocka_unit_test(test_R1_writes_of_a_shell),
        cmocka_unit_test(test_B16_not_json),
        cmocka_unit_test(test_B17_numbers_that_are_none),
        cmocka_unit_test(test_B18_raw_controls),
        cmocka_unit_test(test_B18_byte_order_mark),
        cmocka_unit_test(test_B18_invalid_utf8),
        cmocka_unit_test(test_B19_lone_surrogates_and_nul_escapes),
        cmocka_unit_test(test_B20_text_after_the_value),
        cmocka_unit_test(test_B21_numbers_of_any_size_and_same_names),
        cmocka_unit_test(test_B22_L11_depth),
        cmocka_unit_test(test_B25_blank),
        cmocka_unit_test(test_agrees_with_json_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
