#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/storage/keys.h"

static void assert_str(struct buf *b, const char *want)
{
    assert_int_equal(buf_err(b), OK);
    assert_string_equal(buf_c(b), want);
    buf_clear(b);
}

struct pair {
    struct str id, key;
};

/* Storage tables 2.2. */
static void test_T01_to_T23_escape_both_ways(void **state)
{
    static const struct pair vectors[] = {
        { { "order-17", 8 }, { "order-17", 8 } },
        { { "a/b", 3 }, { "a^0b", 4 } },
        { { "a\\b", 3 }, { "a^1b", 4 } },
        { { "a#b", 3 }, { "a^2b", 4 } },
        { { "a?b", 3 }, { "a^3b", 4 } },
        { { "a^b", 3 }, { "a^^b", 4 } },
        { { "^0", 2 }, { "^^0", 3 } },
        { { "50%", 3 }, { "50%", 3 } },
        { { "a%2Fb", 5 }, { "a%2Fb", 5 } },
        { { "\0", 1 }, { "\x5e\xc3\x80", 3 } },
        { { "\t", 1 }, { "\x5e\xc3\x89", 3 } },
        { { "a\r\nb", 4 },
          { "a\x5e\xc3\x8d\x5e\xc3\x8a"
            "b",
            8 } },
        { { "\x1f", 1 }, { "\x5e\xc3\x9f", 3 } },
        { { "\x7f", 1 }, { "\x5e\xc4\xbf", 3 } },
        { { "\xc2\x85", 2 }, { "\x5e\xc5\x85", 3 } },
        { { "\xc2\x9f", 2 }, { "\x5e\xc5\x9f", 3 } },
        { { "\xc2\xa0", 2 }, { "\xc2\xa0", 2 } },
        { { "\xc3\x80", 2 }, { "\xc3\x80", 2 } },
        { { "日本", 6 }, { "日本", 6 } },
        { { "\xf0\x9f\x98\x80", 4 }, { "\xf0\x9f\x98\x80", 4 } },
        { { "@counter@k/1", 12 }, { "@counter@k^01", 13 } },
        { { "a'b", 3 }, { "a'b", 3 } },
        { { "", 0 }, { "", 0 } },
    };
    CLEANUP_BUF struct buf b = BUF_INIT(256);

    assert_int_equal(ARRAY_LEN(vectors), 23);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        buf_clear(&b);
        key_escape(&b, vectors[i].id);
        assert_true(str_eq(buf_str(&b), vectors[i].key));
        buf_clear(&b);
        assert_true(key_unescape(&b, vectors[i].key));
        assert_true(str_eq(buf_str(&b), vectors[i].id));
    }
}

static void test_T24_T25_foreign_escapes(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(64);

    assert_true(key_unescape(&b, STR("a^Zb")));
    assert_str(&b, "aZb");
    assert_true(key_unescape(&b, STR("^\xc3\x82")));
    assert_str(&b, "\x02");
    /* Any unit is moved by 0xC0, as the original does. */
    assert_true(key_unescape(&b, STR("^\xe6\x97\xa5"))); /* U+65E5 */
    assert_str(&b, "\xe6\x94\xa5");                      /* U+6525 */
}

static void test_T24b_escaped_pair_is_two_units(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(64);

    /* U+1F600 = D83D DE00: D83D - C0 = D77D, then DE00 alone. */
    assert_true(key_unescape(&b, STR("^\xf0\x9f\x98\x80")));
    assert_str(&b, "\xed\x9d\xbd\xed\xb8\x80");
    /* U+100000 = DBC0 DC00: DBC0 - C0 = DB00 is still a first half. */
    assert_true(key_unescape(&b, STR("^\xf4\x80\x80\x80")));
    assert_str(&b, "\xf3\x90\x80\x80"); /* DB00 DC00 = U+D0000 */
}

static void test_T26_lone_caret_at_the_end(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(64);

    assert_false(key_unescape(&b, STR("a^")));
    assert_str(&b, "a^");
    assert_false(key_unescape(&b, STR("^")));
    assert_str(&b, "^");
}

static void test_T27_escaping_twice_differs(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(64);

    key_escape(&b, STR("a^0b"));
    assert_str(&b, "a^^0b");
}

static void test_T28_every_low_unit_survives(void **state)
{
    CLEANUP_BUF struct buf key = BUF_INIT(64), id = BUF_INIT(64);

    for (unsigned c = 0; c < 0x100; c++) {
        char utf8[2] = { (char)c, 0 };
        size_t len = 1;

        if (c >= 0x80) {
            utf8[0] = (char)(0xC0 | c >> 6);
            utf8[1] = (char)(0x80 | (c & 0x3F));
            len = 2;
        }
        buf_clear(&key);
        buf_clear(&id);
        key_escape(&key, (struct str){ utf8, len });
        assert_true(key_unescape(&id, buf_str(&key)));
        assert_true(str_eq(buf_str(&id), (struct str){ utf8, len }));
    }
}

static void test_bytes_that_are_not_utf8_pass(void **state)
{
    static const struct str odd[] = { { "\xff", 1 },         { "a\xc3", 2 },
                                      { "\xe0\x80\xaf", 3 }, { "\xed\xa0\x80", 3 },
                                      { "\xf8\x88", 2 },     { "\x80", 1 } };
    CLEANUP_BUF struct buf key = BUF_INIT(64), id = BUF_INIT(64);

    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        buf_clear(&key);
        buf_clear(&id);
        key_escape(&key, odd[i]);
        assert_true(str_eq(buf_str(&key), odd[i]));
        assert_true(key_unescape(&id, buf_str(&key)));
        assert_true(str_eq(buf_str(&id), odd[i]));
    }
}

static void test_T29_literals_and_addresses(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(256);

    key_literal(&b, STR("it's"));
    assert_str(&b, "'it''s'");
    key_address(&b, STR("MyHubInstances"), STR("order 17"), STR_NONE);
    assert_str(&b, "MyHubInstances(PartitionKey='order%2017',RowKey='')");
    key_address(&b, STR("T"), STR("it's 50%"), STR("sentinel"));
    assert_str(&b, "T(PartitionKey='it''s%2050%25',RowKey='sentinel')");
}

static void assert_bounds(const char *prefix, const char *lower, const char *upper)
{
    CLEANUP_BUF struct buf l = BUF_INIT(64), u = BUF_INIT(64), a = BUF_INIT(64), b = BUF_INIT(64);

    assert_true(key_prefix_bounds(str_c(prefix), &l, &u));
    key_literal(&a, buf_str(&l));
    key_literal(&b, buf_str(&u));
    assert_str(&a, lower);
    assert_str(&b, upper);
}

static void test_T30_to_T34_prefix_bounds(void **state)
{
    assert_bounds("aaab", "'aaab'", "'aaac'");
    assert_bounds("a/", "'a^0'", "'a^1'");
    assert_bounds("z^", "'z^^'", "'z^_'");
    assert_bounds("@counter@", "'@counter@'", "'@counterA'");
    assert_bounds("a'", "'a'''", "'a('");
}

static void test_prefix_bounds_beyond_ascii(void **state)
{
    assert_bounds("\xc3\xbf", "'\xc3\xbf'", "'\xc4\x80'");
    assert_bounds("\xed\x9f\xbf", "'\xed\x9f\xbf'", "'\xf0\x90\x80\x80'"); /* U+D7FF, then pairs */
    assert_bounds("\xf4\x8f\xbf\xbf", "'\xf4\x8f\xbf\xbf'", "'\xee\x80\x80'"); /* U+E000 follows */
    assert_bounds("\xef\xbf\xbf", "'\xef\xbf\xbf'", "''"); /* nothing is greater */
}

static void test_T35_empty_prefix_bounds_nothing(void **state)
{
    CLEANUP_BUF struct buf l = BUF_INIT(64), u = BUF_INIT(64);

    assert_false(key_prefix_bounds(STR_NONE, &l, &u));
    assert_int_equal(l.len + u.len, 0);
}

static void test_T84_time_literal(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(64);

    key_literal_time(&b, INT64_C(1714557600) * TICKS_PER_SEC);
    assert_str(&b, "datetime'2024-05-01T10:00:00.0000000Z'");
}

static void assert_no_entities(const char *from, const char *to, const char *want)
{
    struct buf b = BUF_INIT(1000);

    key_term(&b, "PartitionKey", "ge", str_c(from));
    key_term_no_entities(&b, str_c(from), str_c(to));
    buf_add_ch(&b, '\0');
    assert_string_equal(b.p, want);
    buf_fini(&b);
}

static void test_terms_of_a_filter(void **state)
{
    assert_no_entities("0'", "",
                       "PartitionKey ge '0''' and (PartitionKey lt '@' or PartitionKey ge 'A')");
    assert_no_entities("0", "9", "PartitionKey ge '0'");
    assert_no_entities("0", "@", "PartitionKey ge '0'");
    assert_no_entities("0", "@a",
                       "PartitionKey ge '0' and (PartitionKey lt '@' or PartitionKey ge 'A')");
    assert_no_entities("A", "", "PartitionKey ge 'A'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T01_to_T23_escape_both_ways),
        cmocka_unit_test(test_T24_T25_foreign_escapes),
        cmocka_unit_test(test_T24b_escaped_pair_is_two_units),
        cmocka_unit_test(test_T26_lone_caret_at_the_end),
        cmocka_unit_test(test_T27_escaping_twice_differs),
        cmocka_unit_test(test_T28_every_low_unit_survives),
        cmocka_unit_test(test_bytes_that_are_not_utf8_pass),
        cmocka_unit_test(test_T29_literals_and_addresses),
        cmocka_unit_test(test_T30_to_T34_prefix_bounds),
        cmocka_unit_test(test_prefix_bounds_beyond_ascii),
        cmocka_unit_test(test_T35_empty_prefix_bounds_nothing),
        cmocka_unit_test(test_T84_time_literal),
        cmocka_unit_test(test_terms_of_a_filter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
