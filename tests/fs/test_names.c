#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "backend/base/digest.h"
#include "backend/base/map.h"
#include "fs/names.h"

static void expect_name(struct str id, const char *want)
{
    char name[NAME_MAX_BYTES + 1];
    size_t len = name_from_id(name, id);
    CLEANUP_BUF struct buf back = BUF_INIT(1024);

    assert_int_equal(len, strlen(want));
    assert_string_equal(name, want);
    assert_int_equal(name_to_id(&back, str_c(want)), NAME_PLAIN);
    assert_true(str_eq(buf_str(&back), id));
}

static void expect_bad(struct str name)
{
    CLEANUP_BUF struct buf back = BUF_INIT(1024);

    assert_int_equal(name_to_id(&back, name), NAME_BAD);
}

static void test_B1_slash_and_percent(void **state)
{
    expect_name(STR("a/b"), "a%2Fb");
    expect_name(STR("50%"), "50%25");
    expect_name(STR("%2F"), "%252F");
}

static void test_B2_dots_and_empty(void **state)
{
    expect_name(STR("."), "%2E");
    expect_name(STR(".."), "%2E.");
    expect_name(STR(".hidden"), "%2Ehidden");
    expect_name(STR("a.b"), "a.b");
    expect_name(STR(""), "%");
}

static void test_B3_controls(void **state)
{
    expect_name(STR("a\nb"), "a%0Ab");
    expect_name(STR("\t"), "%09");
    expect_name(STR("\x7f"), "%7F");
    expect_name(STR("a\0b"), "a%00b");
    expect_name(STR("\0"), "%00");
}

static void make_text(char *to, size_t n, const char *unit)
{
    size_t len = strlen(unit);

    for (size_t i = 0; i < n; i++)
        to[i] = unit[i % len];
}

/* At exactly 255 bytes a name stands as it is; one more and it is cut at 218. */
static void test_B4_long_names(void **state)
{
    char id[300], name[NAME_MAX_BYTES + 1];
    CLEANUP_BUF struct buf back = BUF_INIT(1024);
    CLEANUP_BUF struct buf hash = BUF_INIT(1024);
    unsigned char digest[32];

    make_text(id, sizeof(id), "x");
    assert_int_equal(name_from_id(name, (struct str){ id, 255 }), 255);
    assert_int_equal(name_to_id(&back, (struct str){ name, 255 }), NAME_PLAIN);
    assert_int_equal(name_from_id(name, (struct str){ id, 256 }), 218 + 34);
    assert_int_equal(name_to_id(&back, str_c(name)), NAME_SHORTENED);
    digest_sha256((struct str){ id, 256 }, digest);
    digest_hex(&hash, digest, 16);
    assert_memory_equal(name + 218, "%~", 2);
    assert_string_equal(name + 220, buf_c(&hash));
}

/* No character and no escape is cut in two. */
static void test_B4_cut_at_whole_units(void **state)
{
    char id[600], name[NAME_MAX_BYTES + 1];
    size_t len;

    make_text(id, 600, "\xe2\x82\xac");
    len = name_from_id(name, (struct str){ id, 600 });
    assert_int_equal(len, 216 + 34);
    assert_true(str_is_utf8((struct str){ name, 216 }));

    make_text(id, 600, "/");
    len = name_from_id(name, (struct str){ id, 100 });
    assert_int_equal(len, 216 + 34);
    assert_memory_equal(name + 213, "%2F%~", 5);
}

static void test_B4_hash_shape_is_not_an_id(void **state)
{
    /* "%~" cannot arise otherwise: this id is escaped, and what looks like a hash is none. */
    expect_name(STR("a%~0123456789abcdef0123456789abcdef"),
                "a%25~0123456789abcdef0123456789abcdef");
    expect_bad(STR("a%~0123456789ABCDEF0123456789ABCDEF"));
    expect_bad(STR("a%~0123"));
}

/* Ids of bytes that are likely to collide, all lengths around the limits. */
static size_t random_id(char *to, unsigned *seed)
{
    static const char alphabet[] = "%/.~aAfF0\x7f\x01\xed\xa0\x80\xf0\x9f\x99\x82\xc3\xa9";
    bool is_long = rand_r(seed) % 8 == 0;
    size_t n = (size_t)rand_r(seed) % (is_long ? 400 : 12);

    for (size_t i = 0; i < n; i++)
        to[i] = alphabet[(size_t)rand_r(seed) % (sizeof(alphabet) - 1)];
    return n;
}

static void test_B5_random_ids_round_trip(void **state)
{
    unsigned seed = 17;
    static char kept[100000][401];
    struct map names;
    size_t plain = 0, shortened = 0;

    map_init(&names);
    for (size_t i = 0; i < 100000; i++) {
        char name[NAME_MAX_BYTES + 1];
        struct str id = { kept[i], random_id(kept[i], &seed) };
        struct str spelling = { name, name_from_id(name, id) };
        CLEANUP_BUF struct buf back = BUF_INIT(1024);
        enum name_kind kind = name_to_id(&back, spelling);

        assert_true(spelling.len > 0 && spelling.len <= NAME_MAX_BYTES);
        assert_true(str_is_utf8(spelling));
        assert_int_not_equal(kind, NAME_BAD);
        assert_null(memchr(name, '/', spelling.len));
        assert_int_not_equal(name[0], '.');
        if (kind == NAME_PLAIN) {
            assert_true(str_eq(buf_str(&back), id));
            plain++;
        } else {
            const char *other = map_get(&names, spelling);

            shortened++;
            kept[i][id.len] = '\0';
            assert_true(!other || (strlen(other) == id.len && !memcmp(other, id.p, id.len)));
            assert_int_equal(map_set(&names, spelling, kept[i]), OK);
        }
    }
    assert_true(plain > 50000);
    assert_true(shortened > 1000);
    map_fini(&names);
}

static void test_B6_invalid_utf8(void **state)
{
    expect_name(STR("a\xff"), "a%FF");
    expect_name(STR("\xed\xa0\x80"), "%ED%A0%80"); /* a lone surrogate */
    expect_name(STR("\xc0\xaf"), "%C0%AF");
    expect_name(STR("\xe2\x82"), "%E2%82");
}

static void test_B7_case_and_normal_form(void **state)
{
    expect_name(STR("Order"), "Order");
    expect_name(STR("order"), "order");
    expect_name(STR("\xc3\xa9"), "\xc3\xa9");
    expect_name(STR("e\xcc\x81"), "e\xcc\x81");
}

static void test_B8_one_spelling_only(void **state)
{
    expect_bad(STR("a%2fb"));
    expect_bad(STR("%41"));
    expect_bad(STR("%"
                   "2"));
    expect_bad(STR("a%"));
    expect_bad(STR("a%zz"));
    expect_bad(STR(".hidden"));
    expect_bad(STR("a\nb"));
    expect_bad(STR("a\xff"));
    expect_bad(STR("%C3%A9"));
    expect_bad(STR(""));
}

static void test_B9_everything_else_stands(void **state)
{
    expect_name(STR("-rf"), "-rf");
    expect_name(STR("a b \"$(x)\" *'"), "a b \"$(x)\" *'");
    expect_name(STR("@counter@k1"), "@counter@k1");
    expect_name(STR("0a1b:7"), "0a1b:7");
    expect_name(STR("\xf0\x9f\x9a\x80"), "\xf0\x9f\x9a\x80");
    expect_name(STR("\xe2\x80\xae"
                    "bidi"),
                "\xe2\x80\xae"
                "bidi");
}

/* Names are looked at eight bytes at a step: every byte in every place, also behind the last step.
 */
static void test_every_byte_everywhere(void **state)
{
    char id[] = "abcdefghijklmnopqrs", name[64];

    for (size_t at = 0; at < sizeof(id) - 1; at++)
        for (unsigned c = 0; c < 256; c++) {
            char was = id[at];
            bool escaped = c < 0x20 || c >= 0x7f || c == '/' || c == '%' || (at == 0 && c == '.');

            id[at] = (char)c;
            if (escaped)
                snprintf(name, sizeof(name), "%.*s%%%02X%s", (int)at, id, c, id + at + 1);
            else
                memcpy(name, id, sizeof(id));
            expect_name((struct str){ id, sizeof(id) - 1 }, name);
            id[at] = was;
        }
}

static void test_whole_characters_everywhere(void **state)
{
    static const char ascii[] = "abcdefghijklmnopqrs";

    for (size_t at = 0; at < sizeof(ascii); at++) {
        char id[64];

        snprintf(id, sizeof(id), "%.*s\xe2\x82\xac%s", (int)at, ascii, ascii + at);
        expect_name(str_c(id), id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_B1_slash_and_percent),
        cmocka_unit_test(test_B2_dots_and_empty),
        cmocka_unit_test(test_B3_controls),
        cmocka_unit_test(test_B4_long_names),
        cmocka_unit_test(test_B4_cut_at_whole_units),
        cmocka_unit_test(test_B4_hash_shape_is_not_an_id),
        cmocka_unit_test(test_B5_random_ids_round_trip),
        cmocka_unit_test(test_B6_invalid_utf8),
        cmocka_unit_test(test_B7_case_and_normal_form),
        cmocka_unit_test(test_B8_one_spelling_only),
        cmocka_unit_test(test_B9_everything_else_stands),
        cmocka_unit_test(test_every_byte_everywhere),
        cmocka_unit_test(test_whole_characters_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
