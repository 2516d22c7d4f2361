#include "fs/columns.h"
#include "tests/fs/check.h"

static void expect_cut(const char *text, size_t width, const char *expected, size_t columns)
{
    CLEANUP_BUF struct buf b = BUF_INIT(256);

    assert_int_equal(columns_add(&b, str_c(text), width), columns);
    assert_str(buf_str(&b), expected);
    assert_true(columns_of(buf_str(&b)) <= width);
}

static void test_width(void **state)
{
    assert_int_equal(columns_of(STR_NONE), 0);
    assert_int_equal(columns_of(STR("zwölf ✓")), 7);
    assert_int_equal(columns_of(STR("注文")), 4);
    assert_int_equal(columns_of(STR("🚀")), 2);
    assert_int_equal(columns_of(STR("e\xcc\x81")), 1); /* e and a combining acute */
    assert_int_equal(columns_of(STR("\xff\xfe")), 2);
}

static void test_cut(void **state)
{
    expect_cut("Charge", 6, "Charge", 6);
    expect_cut("Charged", 6, "Charg…", 6);
    expect_cut("注文処理", 8, "注文処理", 8);
    expect_cut("注文処理", 7, "注文処…", 7);
    expect_cut("注文処理", 6, "注文…", 5); /* half a character is none */
    expect_cut("abc", 1, "…", 1);
    expect_cut("abc", 0, "", 0);
}

static void test_fill(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(256);

    columns_add_left(&b, STR("注"), 4);
    buf_add_ch(&b, '|');
    columns_add_right(&b, STR("ab"), 4);
    buf_add_ch(&b, '|');
    columns_add_right(&b, STR("abcdef"), 4);
    assert_str(buf_str(&b), "注  |  ab|abc…");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
