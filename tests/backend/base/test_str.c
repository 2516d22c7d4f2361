#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "backend/base/attr.h"
#include "backend/base/str.h"

#define assert_str(s, literal) assert_true(str_eq((s), STR(literal)))

static void test_equal(void **state)
{
    assert_true(str_eq(STR("abc"), STR("abc")));
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_eq(STR("a\0b"), STR("a\0b")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_false(str_eq(STR("abc"), STR("ab")));
    assert_true(str_eq_nocase(STR("AccountKey"), STR("aCCOUNTkEY")));
    assert_false(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4")));
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_false(str_eq_nocase(STR("["), STR("{")));
}

static void test_order_of_bytes(void **state)
{
    assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR("\x7f"), STR("\x80")) < 0);
    assert_true(str_cmp(STR("\xef\xbf\xbd"), STR("\xf0\x9f\x98\x80")) < 0);
}

static void test_parts(void **state)
{
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), STR_NONE));
    assert_false(str_starts(STR("ab"), STR("abc")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_false(str_ends(STR("bc"), STR("abc")));
    assert_true(str_ends(STR_NONE, STR("")));
    assert_true(str_has(STR("a\0bc"), STR("\0b")));
    assert_true(str_has(STR_NONE, STR("")));
    assert_false(str_has(STR_NONE, STR("a")));
    assert_false(str_has(STR("aab"), STR("ac")));
}

static void test_slice_is_clamped(void **state)
{
    assert_str(str_slice(STR("abcdef"), 2, 4), "cd");
    assert_str(str_slice(STR("abcdef"), 4, 100), "ef");
    assert_str(str_slice(STR("abcdef"), 100, 200), "");
    assert_str(str_slice(STR("abcdef"), 4, 2), "");
    assert_str(str_slice(STR_NONE, 1, 2), "");
}

static void test_trim(void **state)
{
    assert_str(str_trim(STR(" \t\r\na b\n \t")), "a b");
    assert_str(str_trim(STR(" \n")), "");
    assert_str(str_trim(STR_NONE), "");
    assert_str(str_trim(STR("\va")), "\va");
}

static void test_cut(void **state)
{
    struct str rest = STR("a;;b");

    assert_str(str_cut(&rest, ';'), "a");
    assert_str(str_cut(&rest, ';'), "");
    assert_non_null(rest.p);
    assert_str(str_cut(&rest, ';'), "b");
    assert_null(rest.p);
    assert_int_equal(rest.len, 0);

    /* A separator at the end leaves something empty, unlike none at all. */
    rest = STR("a;");
    assert_str(str_cut(&rest, ';'), "a");
    assert_non_null(rest.p);
    assert_str(str_cut(&rest, ';'), "");
    assert_null(rest.p);
}

static void test_numbers(void **state)
{
    uint64_t u = 7;
    int64_t i = 7;

    assert_true(str_to_u64(STR("18446744073709551615"), &u));
    assert_true(u == UINT64_MAX);
    assert_false(str_to_u64(STR("18446744073709551616"), &u));
    assert_false(str_to_u64(STR("99999999999999999999"), &u));
    assert_false(str_to_u64(STR(""), &u));
    assert_false(str_to_u64(STR("-1"), &u));
    assert_false(str_to_u64(STR("+1"), &u));
    assert_false(str_to_u64(STR(" 1"), &u));
    assert_false(str_to_u64(STR("1\0"), &u));
    assert_true(u == UINT64_MAX);
    assert_true(str_to_u64(STR("007"), &u));
    assert_int_equal(u, 7);

    assert_true(str_to_i64(STR("-9223372036854775808"), &i));
    assert_true(i == INT64_MIN);
    assert_true(str_to_i64(STR("9223372036854775807"), &i));
    assert_true(i == INT64_MAX);
    assert_false(str_to_i64(STR("9223372036854775808"), &i));
    assert_false(str_to_i64(STR("-9223372036854775809"), &i));
    assert_false(str_to_i64(STR("-"), &i));
    assert_false(str_to_i64(STR("--1"), &i));
    assert_true(i == INT64_MAX);
}

static void test_utf8_is_strict(void **state)
{
    assert_true(str_is_utf8(STR_NONE));
    assert_true(str_is_utf8(STR("a\0\x7f")));
    assert_true(str_is_utf8(STR("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80")));
    assert_true(str_is_utf8(STR("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
    assert_false(str_is_utf8(STR("\x80")));
    assert_false(str_is_utf8(STR("\xc0\x80")));
    assert_false(str_is_utf8(STR("\xc1\xbf")));
    assert_false(str_is_utf8(STR("\xe0\x9f\xbf")));
    assert_false(str_is_utf8(STR("\xf0\x8f\xbf\xbf")));
    assert_false(str_is_utf8(STR("\xed\xa0\x80")));
    assert_false(str_is_utf8(STR("\xf4\x90\x80\x80")));
    assert_false(str_is_utf8(STR("\xf5\x80\x80\x80")));
    assert_false(str_is_utf8(STR("\xff")));
    assert_false(str_is_utf8(STR("\xe2\x82")));
    assert_false(str_is_utf8(STR("\xe2\x82"
                                 "a")));
}

/* ASCII is looked at eight bytes at a step: each character in every place of such steps. */
static void test_is_utf8_at_every_place(void **state)
{
    static const struct str good[] = { { "\xc2\x80", 2 },
                                       { "\xe2\x82\xac", 3 },
                                       { "\xf0\x9f\x98\x80", 4 } };
    char text[40];

    for (size_t i = 0; i < 3; i++)
        for (size_t at = 0; at < 20; at++)
            for (size_t len = at + good[i].len; len < 30; len++) {
                memset(text, 'a', sizeof(text));
                memcpy(text + at, good[i].p, good[i].len);
                assert_true(str_is_utf8((struct str){ text, len }));
                text[at + good[i].len - 1] = 'a';
                assert_false(str_is_utf8((struct str){ text, len }));
            }
}

static void test_utf8_at(void **state)
{
    uint32_t c = 0;

    assert_int_equal(str_utf8_at(STR("\xf0\x9f\x98\x80x"), &c), 4);
    assert_int_equal(c, 0x1f600);
    assert_int_equal(str_utf8_at(STR("\xe2\x82\xac"), &c), 3);
    assert_int_equal(c, 0x20ac);
    assert_int_equal(str_utf8_at(STR("\xc3\xa4"), &c), 2);
    assert_int_equal(c, 0xe4);
    assert_int_equal(str_utf8_at(STR("\0"), &c), 1);
    assert_int_equal(c, 0);
    assert_int_equal(str_utf8_at(STR_NONE, &c), 0);
}

static void test_head_ends_between_characters(void **state)
{
    assert_str(str_head_utf8(STR("a\xe2\x82\xac"
                                 "b"),
                             5),
               "a\xe2\x82\xac"
               "b");
    assert_str(str_head_utf8(STR("a\xe2\x82\xac"
                                 "b"),
                             4),
               "a\xe2\x82\xac");
    assert_str(str_head_utf8(STR("a\xe2\x82\xac"
                                 "b"),
                             3),
               "a");
    assert_str(str_head_utf8(STR("a\xe2\x82\xac"
                                 "b"),
                             1),
               "a");
    assert_str(str_head_utf8(STR("\xf0\x9f\x98\x80"), 3), "");
    assert_str(str_head_utf8(STR_NONE, 0), "");
}

/* UTF-16 by the book, to compare with. */
static size_t put_utf16(uint16_t *to, uint32_t c)
{
    if (c < 0x10000) {
        to[0] = (uint16_t)c;
        return 1;
    }
    to[0] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
    to[1] = (uint16_t)(0xdc00 + ((c - 0x10000) & 0x3ff));
    return 2;
}

static size_t put_utf8(char *to, uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    for (size_t i = n; i-- > 1; c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(first[n] | c);
    return n;
}

struct sample {
    char utf8[48];
    uint16_t utf16[32];
    size_t bytes, units;
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* From both sides of every border of the two encodings, behind letters that all samples have in
 * common; lone surrogates too, as JSON can hold them. */
static void draw_sample(struct sample *s, uint32_t *seed, size_t common)
{
    static const uint32_t chars[] = { 0x41,    0x42,    0x7f,    0x80,    0x7ff,  0x800,
                                      0xd7ff,  0xd800,  0xdbff,  0xe000,  0xfffd, 0xffff,
                                      0x10000, 0x103ff, 0x1f600, 0x10ffff };
    size_t n = next_random(seed) % 4;

    s->bytes = s->units = 0;
    for (size_t i = 0; i < common; i++) {
        s->bytes += put_utf8(s->utf8 + s->bytes, 'a' + (uint32_t)i);
        s->units += put_utf16(s->utf16 + s->units, 'a' + (uint32_t)i);
    }
    while (n-- > 0) {
        uint32_t c = chars[next_random(seed) % ARRAY_LEN(chars)];

        s->bytes += put_utf8(s->utf8 + s->bytes, c);
        s->units += put_utf16(s->utf16 + s->units, c);
    }
}

static int cmp_units(const struct sample *a, const struct sample *b)
{
    for (size_t i = 0; i < a->units && i < b->units; i++) {
        if (a->utf16[i] != b->utf16[i])
            return a->utf16[i] < b->utf16[i] ? -1 : 1;
    }
    return (a->units > b->units) - (a->units < b->units);
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void test_utf16_order_and_length_against_a_model(void **state)
{
    uint32_t seed = 1;

    for (int round = 0; round < 50000; round++) {
        struct sample a, b;

        size_t common = (size_t)round % 18; /* compared eight bytes at a step */

        draw_sample(&a, &seed, common);
        draw_sample(&b, &seed, common);
        struct str x = { a.utf8, a.bytes }, y = { b.utf8, b.bytes };

        assert_int_equal(sign(str_cmp_utf16(x, y)), cmp_units(&a, &b));
        assert_int_equal(str_utf16_len(x), a.units);
    }
}

static void test_utf16_order_differs_from_bytes(void **state)
{
    /* U+FF5E sorts behind every character beyond the BMP. */
    assert_true(str_cmp(STR("\xef\xbd\x9e"), STR("\xf0\x9f\x98\x80")) < 0);
    assert_true(str_cmp_utf16(STR("\xef\xbd\x9e"), STR("\xf0\x9f\x98\x80")) > 0);
}

static void test_utf16_order_survives_damage(void **state)
{
    /* Not UTF-8: any order will do, as long as it is one. */
    assert_true(str_cmp_utf16(STR("\xf0"), STR("\xf1")) < 0);
    assert_true(str_cmp_utf16(STR("\xf1"), STR("\xf0")) > 0);
    assert_true(str_cmp_utf16(STR("\x80\x80\x80\x80\x80"), STR("\x80\x80\x80\x80\x81")) < 0);
}

static void test_dup(void **state)
{
    char *copy = str_dup_c(str_slice(STR("abcdef"), 1, 3));

    assert_string_equal(copy, "bc");
    free(copy);
    copy = str_dup_c(STR_NONE);
    assert_string_equal(copy, "");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_order_of_bytes),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_slice_is_clamped),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_utf8_is_strict),
        cmocka_unit_test(test_is_utf8_at_every_place),
        cmocka_unit_test(test_utf8_at),
        cmocka_unit_test(test_head_ends_between_characters),
        cmocka_unit_test(test_utf16_order_and_length_against_a_model),
        cmocka_unit_test(test_utf16_order_differs_from_bytes),
        cmocka_unit_test(test_utf16_order_survives_damage),
        cmocka_unit_test(test_dup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
