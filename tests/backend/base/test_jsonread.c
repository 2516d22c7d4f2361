#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/base/buf.h"
#include "backend/base/jsonread.h"
#include "backend/base/limits.h"

#include <stdlib.h>

/* A reader over text; teardown ends its arena. */
struct fixture {
    struct arena arena;
    struct jsonread r;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    arena_init(&f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static struct jsonread *read_text(void **state, struct str text)
{
    struct fixture *f = *state;
    jsonread_init(&f->r, text, &f->arena);
    return &f->r;
}

static void assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_c(expected)))
        fail_msg("\"%.*s\", expected \"%s\"", (int)s.len, s.p ? s.p : "", expected);
}

static void test_a_page(void **state)
{
    struct jsonread *r = read_text(
        state, STR("{\"odata.metadata\":\"x\",\"value\":[{\"PartitionKey\":\"a\",\"Generation\":0},"
                   " {\"PartitionKey\":\"b\",\"Odd\":{\"x\":[1,2,{}]},\"Generation\":17} ] }\n"));
    CLEANUP_BUF struct buf seen = BUF_INIT(1000);
    struct str name, text;
    int64_t n;
    assert_true(jsonread_object(r));
    while (jsonread_member(r, &name)) {
        if (!str_eq(name, STR("value"))) {
            jsonread_skip(r);
            continue;
        }
        assert_true(jsonread_array(r));
        while (jsonread_element(r)) {
            assert_true(jsonread_object(r));
            while (jsonread_member(r, &name)) {
                if (str_eq(name, STR("PartitionKey")) && jsonread_string(r, &text))
                    buf_printf(&seen, STR_FMT "=", STR_ARG(text));
                else if (str_eq(name, STR("Generation")) && jsonread_i64(r, &n))
                    buf_printf(&seen, "%d;", (int)n);
                else
                    jsonread_skip(r);
            }
        }
    }
    assert_true(jsonread_done(r));
    assert_string_equal(buf_c(&seen), "a=0;b=17;");
}

static void test_text_without_escapes_is_borrowed(void **state)
{
    struct str doc =
        STR("[\"plain text, longer than eight bytes\",\"\",\"\xc3\xa9\",\"12345678\"]");
    struct jsonread *r = read_text(state, doc);
    struct str s;
    assert_true(jsonread_array(r));
    for (int i = 0; i < 4; i++) {
        assert_true(jsonread_element(r) && jsonread_string(r, &s));
        assert_true(s.p > doc.p && s.p + s.len < doc.p + doc.len);
    }
    assert_str(s, "12345678");
    assert_false(jsonread_element(r));
    assert_true(jsonread_done(r));
    assert_int_equal(r->arena->used, 0);
}

static void test_escapes(void **state)
{
    struct jsonread *r = read_text(
        state, STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t A\\u0041\\u00E9\\u20ac\\ud83D\\uDE00.\""));
    struct str s;
    assert_true(jsonread_string(r, &s) && jsonread_done(r));
    assert_str(s, "\"\\/\b\f\n\r\t AA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.");
}

static void test_B30_lone_surrogates_and_nul(void **state)
{
    const struct {
        struct str json, text;
    } pairs[] = {
        { STR("\"a\\u0000b\""), { "a\0b", 3 } },
        { STR("\"\\ud800\""), { "\xed\xa0\x80", 3 } },
        { STR("\"\\udfffx\""), { "\xed\xbf\xbfx", 4 } },
        { STR("\"\\ud800\\ud83d\\ude00\""), { "\xed\xa0\x80\xf0\x9f\x98\x80", 7 } },
        { STR("\"\\ude00\\ud83d\""), { "\xed\xb8\x80\xed\xa0\xbd", 6 } },
        { STR("\"\\ud83d\\ue000\""), { "\xed\xa0\xbd\xee\x80\x80", 6 } },
        { STR("\"\\ud83d\\n\""), { "\xed\xa0\xbd\n", 4 } },
        { STR("\"\\ud83d\\u0041\""),
          { "\xed\xa0\xbd"
            "A",
            4 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct jsonread *r = read_text(state, pairs[i].json);
        struct str s;
        assert_true(jsonread_string(r, &s) && jsonread_done(r));
        assert_int_equal(s.len, pairs[i].text.len);
        assert_memory_equal(s.p, pairs[i].text.p, s.len);
        assert_true(json_valid(pairs[i].json));
    }
}

static void test_escapes_in_names(void **state)
{
    struct jsonread *r = read_text(state, STR("{\"a\\u0062\" : 1 , \"\":2}"));
    struct str name;
    int64_t n;
    assert_true(jsonread_object(r));
    assert_true(jsonread_member(r, &name));
    assert_str(name, "ab");
    assert_true(jsonread_i64(r, &n));
    assert_true(jsonread_member(r, &name));
    assert_int_equal(name.len, 0);
    assert_true(jsonread_i64(r, &n));
    assert_int_equal(n, 2);
    assert_false(jsonread_member(r, &name));
    assert_true(jsonread_done(r));
}

/* A quote, backslash or control character at every place of a word, at every distance from the end.
 */
static void test_strings_of_every_length(void **state)
{
    for (size_t len = 0; len < 40; len++) {
        char text[64];
        struct str s, doc = { text, len + 2 };
        memset(text, 'x', sizeof text);
        text[0] = text[len + 1] = '"';
        struct jsonread *r = read_text(state, doc);
        assert_true(jsonread_string(r, &s) && jsonread_done(r));
        assert_int_equal(s.len, len);
        assert_false(json_valid(str_slice(doc, 0, len + 1)));
        for (size_t at = 1; at <= len; at++) {
            text[at] = '\x1f';
            assert_false(json_valid(doc));
            text[at] = '\x7f';
            assert_true(json_valid(doc));
            text[at] = '"';
            assert_false(json_valid(doc));
            text[at] = '\\';
            assert_false(json_valid(doc)); /* \x, or the last quote is escaped */
            text[at] = 'x';
        }
    }
}

static void test_peek_tells_the_kind(void **state)
{
    static const struct {
        const char *text;
        enum json_kind kind;
    } kinds[] = {
        { " {", JSON_OBJECT },   { "\n[", JSON_ARRAY },
        { "\"", JSON_STRING },   { "-1", JSON_NUMBER },
        { "9", JSON_NUMBER },    { "true", JSON_TRUE },
        { "false", JSON_FALSE }, { "null", JSON_NULL },
        { "", JSON_END },        { " ", JSON_END },
        { "x", JSON_BAD },       { "+1", JSON_BAD },
        { "]", JSON_BAD },       { "\xef\xbb\xbf{}", JSON_BAD },
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct jsonread *r = read_text(state, str_c(kinds[i].text));
        assert_int_equal(jsonread_peek(r), kinds[i].kind);
        assert_int_equal(jsonread_peek(r), kinds[i].kind);
        assert_int_equal(jsonread_ok(r), kinds[i].kind != JSON_BAD);
    }
}

static void test_peek_does_not_disturb(void **state)
{
    struct jsonread *r = read_text(state, STR("[ 1 , [ ] , { } ]"));
    struct str name;
    int64_t n = 0;
    assert_true(jsonread_array(r));
    assert_int_equal(jsonread_peek(r), JSON_NUMBER);
    assert_true(jsonread_element(r));
    assert_int_equal(jsonread_peek(r), JSON_NUMBER);
    assert_true(jsonread_i64(r, &n) && n == 1);
    assert_true(jsonread_element(r));
    assert_int_equal(jsonread_peek(r), JSON_ARRAY);
    assert_true(jsonread_array(r));
    assert_int_equal(jsonread_peek(r), JSON_END);
    assert_false(jsonread_element(r));
    assert_true(jsonread_element(r));
    assert_true(jsonread_object(r));
    assert_int_equal(jsonread_peek(r), JSON_END);
    assert_false(jsonread_member(r, &name));
    assert_int_equal(jsonread_peek(r), JSON_END);
    assert_false(jsonread_element(r));
    assert_int_equal(jsonread_peek(r), JSON_END);
    assert_true(jsonread_done(r));
}

static void test_B31_a_wrong_type_is_skipped(void **state)
{
    struct jsonread *r = read_text(
        state, STR("[5,null,{\"a\":[1]},\"text\",[],true,\"\\u0031\",\"1.5\",1.5,1e3,false]"));
    struct str s = STR("untouched");
    int64_t n = 77;
    bool truth = true;
    assert_true(jsonread_array(r));
    assert_true(jsonread_element(r) && !jsonread_string(r, &s)); /* 5 */
    assert_true(jsonread_element(r) && !jsonread_string(r, &s)); /* null */
    assert_true(jsonread_element(r) && !jsonread_string(r, &s)); /* the object */
    assert_true(jsonread_element(r) && !jsonread_i64(r, &n));    /* text */
    assert_true(jsonread_element(r) && !jsonread_i64(r, &n));    /* [] */
    assert_true(jsonread_element(r) && !jsonread_i64(r, &n));    /* true */
    assert_int_equal(n, 77);
    assert_true(jsonread_element(r) && jsonread_i64(r, &n)); /* digits behind an escape */
    assert_int_equal(n, 1);
    n = 77;
    assert_true(jsonread_element(r) && !jsonread_i64(r, &n)); /* "1.5" */
    assert_true(jsonread_element(r) && !jsonread_bool(r, &truth));
    assert_true(jsonread_element(r) && !jsonread_i64(r, &n)); /* 1e3 */
    assert_true(jsonread_element(r) && jsonread_bool(r, &truth));
    assert_false(truth);
    assert_false(jsonread_element(r));
    assert_true(jsonread_done(r));
    assert_str(s, "untouched");
    assert_int_equal(n, 77);
}

static void test_values_left_alone_are_skipped(void **state)
{
    struct jsonread *r = read_text(state, STR("[1,{\"a\":[1],\"b\":2},3,[4]]"));
    struct str name;
    int64_t n, sum = 0;
    int count = 0;
    assert_true(jsonread_array(r));
    while (jsonread_element(r)) {
        count++;
        if (!jsonread_object(r))
            continue; /* nothing consumed */
        while (jsonread_member(r, &name))
            if (str_eq(name, STR("b")) && jsonread_i64(r, &n))
                sum += n;
    }
    assert_true(jsonread_done(r));
    assert_int_equal(count, 4);
    assert_int_equal(sum, 2);
}

static void test_whole_numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } numbers[] = { { "0", 0 },
                    { "-1", -1 },
                    { "9223372036854775807", INT64_MAX },
                    { "-9223372036854775808", INT64_MIN },
                    { "\"9007199254740993\"", 9007199254740993 },
                    { "\"-5\"", -5 } };
    int64_t n;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        assert_true(jsonread_i64(read_text(state, str_c(numbers[i].text)), &n));
        assert_int_equal(n, numbers[i].value);
    }
    assert_false(jsonread_i64(read_text(state, STR("9223372036854775808")), &n));
    assert_false(jsonread_i64(read_text(state, STR("\"\"")), &n));
    assert_false(jsonread_i64(read_text(state, STR("\" 1\"")), &n));
}

static void test_raw_gives_the_exact_bytes(void **state)
{
    struct jsonread *r = read_text(
        state, STR("{\"a\": {\"x\" : [ 1.50, \"\\u0041\" ]} ,\"b\":1e400,\"c\": \"t\" }"));
    struct str name;
    assert_true(jsonread_object(r));
    assert_true(jsonread_member(r, &name));
    assert_str(jsonread_raw(r), "{\"x\" : [ 1.50, \"\\u0041\" ]}");
    assert_true(jsonread_member(r, &name));
    assert_str(jsonread_raw(r), "1e400");
    assert_true(jsonread_member(r, &name));
    assert_str(jsonread_raw(r), "\"t\"");
    assert_false(jsonread_member(r, &name));
    assert_true(jsonread_done(r));
}

static void test_B29_cut_anywhere_is_bad(void **state)
{
    struct str doc = STR("{\"value\":[{\"a\":\"x\\u0041\",\"b\":[true,null,-1.5e3]},{}],\"n\":1}");
    for (size_t len = 0; len < doc.len; len++) {
        struct jsonread *r = read_text(state, str_slice(doc, 0, len));
        struct str name;
        if (jsonread_object(r))
            while (jsonread_member(r, &name))
                if (jsonread_array(r))
                    while (jsonread_element(r))
                        jsonread_skip(r);
        assert_false(jsonread_done(r) && r->at != r->start);
        assert_false(json_valid(str_slice(doc, 0, len)));
    }
    assert_true(json_valid(doc));
}

/* Whoever guesses a name gets what jsonread_member would have given, or nothing happened. */
static void test_a_guessed_member(void **state)
{
    struct jsonread *r = read_text(state, STR("{\"A\":\"1\",\"BC\":{\"A\":2},\"D\":3, \"E\":4}"));
    struct str s;
    assert_false(jsonread_member_is(r, STR("A"))); /* not inside yet */
    assert_true(jsonread_object(r));
    assert_false(jsonread_member_is(r, STR("B")));
    assert_false(jsonread_member_is(r, STR("AA")));
    assert_true(jsonread_member_is(r, STR("A")));
    assert_false(jsonread_member_is(r, STR("BC"))); /* the value is due */
    assert_true(jsonread_string(r, &s));
    assert_str(s, "1");
    assert_false(jsonread_member_is(r, STR("B")));
    assert_true(jsonread_member_is(r, STR("BC")));
    assert_int_equal(jsonread_peek(r), JSON_OBJECT);
    assert_true(jsonread_member(r, &s)); /* skips the value */
    assert_str(s, "D");
    jsonread_skip(r);
    assert_false(jsonread_member_is(r, STR("E"))); /* a blank before it */
    assert_true(jsonread_member(r, &s));
    assert_str(s, "E");
    jsonread_skip(r);
    assert_false(jsonread_member_is(r, STR("E")));
    assert_false(jsonread_member(r, &s));
    assert_true(jsonread_done(r));
}

static void test_a_guessed_member_that_is_cut(void **state)
{
    struct str doc = STR("{\"A\":\"1\",\"BC\":\"2\"}");
    for (size_t len = 0; len < doc.len; len++) {
        struct jsonread *r = read_text(state, str_slice(doc, 0, len));
        struct str s;
        bool all = jsonread_object(r) && jsonread_member_is(r, STR("A")) &&
                   jsonread_string(r, &s) && jsonread_member_is(r, STR("BC")) &&
                   jsonread_string(r, &s) && !jsonread_member(r, &s) && jsonread_done(r);
        assert_false(all);
    }
}

static void test_bad_is_sticky(void **state)
{
    struct jsonread *r = read_text(state, STR("[1 2,{\"a\":3}]"));
    struct str s;
    int64_t n;
    bool truth;
    assert_true(jsonread_array(r));
    assert_true(jsonread_element(r) && jsonread_i64(r, &n));
    assert_false(jsonread_element(r));
    assert_false(jsonread_ok(r));
    assert_false(r->no_memory);
    assert_int_equal(jsonread_peek(r), JSON_BAD);
    assert_false(jsonread_element(r) || jsonread_member(r, &s) || jsonread_object(r));
    assert_false(jsonread_string(r, &s) || jsonread_i64(r, &n) || jsonread_bool(r, &truth));
    assert_int_equal(jsonread_raw(r).len, 0);
    assert_false(jsonread_done(r));
}

static void test_brackets_must_match(void **state)
{
    struct jsonread *r = read_text(state, STR("[1}"));
    struct str name;
    assert_true(jsonread_array(r) && jsonread_element(r));
    jsonread_skip(r);
    assert_false(jsonread_element(r) || jsonread_ok(r));
    r = read_text(state, STR("{]"));
    assert_true(jsonread_object(r));
    assert_false(jsonread_member(r, &name) || jsonread_ok(r));
    assert_false(json_valid(STR("[{]}")));
    assert_false(json_valid(STR("{\"a\":[}]")));
}

static void test_text_behind_the_value_is_not_done(void **state)
{
    struct jsonread *r = read_text(state, STR("{} {}"));
    jsonread_skip(r);
    assert_true(jsonread_ok(r));
    assert_false(jsonread_done(r));
    r = read_text(state, STR("{} \r\n"));
    assert_false(jsonread_done(r));
    jsonread_skip(r);
    assert_true(jsonread_done(r));
}

static void nest(struct buf *b, unsigned depth)
{
    buf_clear(b);
    for (unsigned i = 0; i < depth; i++)
        buf_add_ch(b, '[');
    for (unsigned i = 0; i < depth; i++)
        buf_add_ch(b, ']');
}

/* Enters the first levels and skips the rest. */
static bool read_nested(void **state, struct str text, unsigned levels)
{
    struct jsonread *r = read_text(state, text);
    for (unsigned i = 0; i < levels; i++)
        if (!jsonread_array(r) || (i + 1 < levels && !jsonread_element(r)))
            return false;
    while (r->depth && jsonread_ok(r))
        if (jsonread_element(r))
            jsonread_skip(r);
    if (!levels)
        jsonread_skip(r);
    return jsonread_done(r);
}

static void test_B34_L11_depth(void **state)
{
    static const unsigned levels[] = { 0, 1, 100, JSON_DEPTH_MAX };
    CLEANUP_BUF struct buf b = BUF_INIT(MIB);
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        nest(&b, JSON_DEPTH_MAX);
        assert_true(read_nested(state, buf_str(&b), levels[i]));
        nest(&b, JSON_DEPTH_MAX + 1);
        assert_false(read_nested(state, buf_str(&b), levels[i]));
        nest(&b, 50000);
        assert_false(read_nested(state, buf_str(&b), levels[i]));
    }
    nest(&b, JSON_DEPTH_MAX + 1);
    assert_false(read_nested(state, buf_str(&b), JSON_DEPTH_MAX + 1));
}

static void test_B33_of_doubles_the_first_comes_first(void **state)
{
    struct jsonread *r = read_text(state, STR("{\"a\":1,\"a\":2}"));
    struct str name = STR_NONE;
    int64_t n = 0;
    assert_true(jsonread_object(r) && jsonread_member(r, &name) && jsonread_i64(r, &n));
    assert_str(name, "a");
    assert_int_equal(n, 1);
    assert_true(jsonread_member(r, &name) && jsonread_i64(r, &n));
    assert_int_equal(n, 2);
}

static void test_valid(void **state)
{
    static const char *const good[] = { "0", " [ ] ",
                                        "{\"a\":[{},[],\"\",-0.1E+7,true,false,null]}" };
    static const char *const bad[] = { "",
                                       " ",
                                       "[1,]",
                                       "[,1]",
                                       "{\"a\"}",
                                       "{\"a\":}",
                                       "{a:1}",
                                       "[1,,2]",
                                       "007",
                                       "-",
                                       "1.",
                                       "1e",
                                       "+1",
                                       ".5",
                                       "[1]]",
                                       "tru",
                                       "truex",
                                       "\"\\x\"",
                                       "\"\n\"",
                                       "{,}",
                                       "{\"a\":1,}",
                                       "\"\xff\"",
                                       "[\"\xed\xa0\x80\"]" };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!json_valid(str_c(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (json_valid(str_c(bad[i])))
            fail_msg("accepted: %s", bad[i]);
    assert_false(json_valid(STR("1\0")));
}

/* A cell with broken bytes is read; who shows it decides. */
static void test_raw_bytes_that_are_not_utf8_pass(void **state)
{
    struct str s;
    struct jsonread *r = read_text(state, STR("\"a\xff\xc3\""));
    assert_true(jsonread_string(r, &s) && jsonread_done(r));
    assert_str(s, "a\xff\xc3");
}

static void test_unquote(void **state)
{
    struct fixture *f = *state;
    struct str s = STR("untouched");
    assert_true(json_unquote(STR(" \"a\\nb\" "), &f->arena, &s));
    assert_str(s, "a\nb");
    assert_true(json_unquote(STR("\"\""), &f->arena, &s));
    assert_int_equal(s.len, 0);
    s = STR("untouched");
    assert_false(json_unquote(STR("\"a\" x"), &f->arena, &s));
    assert_false(json_unquote(STR("{\"a\":1}"), &f->arena, &s));
    assert_false(json_unquote(STR("plain"), &f->arena, &s));
    assert_false(json_unquote(STR("\"open"), &f->arena, &s));
    assert_false(json_unquote(STR_NONE, &f->arena, &s));
    assert_str(s, "untouched");
}

static void test_without_an_arena(void **state)
{
    struct jsonread r;
    struct str s = STR_NONE;
    jsonread_init(&r, STR("[\"plain\",\"\\n\"]"), NULL);
    assert_true(jsonread_array(&r) && jsonread_element(&r) && jsonread_string(&r, &s));
    assert_str(s, "plain");
    assert_true(jsonread_element(&r));
    assert_false(jsonread_string(&r, &s));
    assert_true(r.no_memory && !jsonread_ok(&r));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_page),
        TEST(test_text_without_escapes_is_borrowed),
        TEST(test_escapes),
        TEST(test_B30_lone_surrogates_and_nul),
        TEST(test_escapes_in_names),
        TEST(test_strings_of_every_length),
        TEST(test_peek_tells_the_kind),
        TEST(test_peek_does_not_disturb),
        TEST(test_B31_a_wrong_type_is_skipped),
        TEST(test_values_left_alone_are_skipped),
        TEST(test_whole_numbers),
        TEST(test_raw_gives_the_exact_bytes),
        TEST(test_B29_cut_anywhere_is_bad),
        TEST(test_a_guessed_member),
        TEST(test_a_guessed_member_that_is_cut),
        TEST(test_bad_is_sticky),
        TEST(test_brackets_must_match),
        TEST(test_text_behind_the_value_is_not_done),
        TEST(test_B34_L11_depth),
        TEST(test_B33_of_doubles_the_first_comes_first),
        TEST(test_valid),
        TEST(test_raw_bytes_that_are_not_utf8_pass),
        TEST(test_unquote),
        TEST(test_without_an_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
