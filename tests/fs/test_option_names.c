#include "fs/option_names.h"
#include "tests/fs/check.h"

static void test_dashes_and_underscores_are_the_same(void **state)
{
    const struct option_row *row = option_named(STR("allow-tree-delete"));

    assert_non_null(row);
    assert_ptr_equal(option_named(STR("allow_tree_delete")), row);
    assert_ptr_equal(option_named(STR("allow_tree-delete")), row);
    assert_null(option_named(STR("allow tree delete")));
    assert_null(option_named(STR("allow-tree-delet")));
    assert_null(option_named(STR("")));
}

static void test_letters(void **state)
{
    assert_ptr_equal(option_lettered('u'), option_named(STR("unmount")));
    assert_null(option_lettered('z'));
    assert_null(option_lettered('\0')); /* what rows without a letter have */
}

static void test_the_nearest_name(void **state)
{
    char longest[OPTION_NAME_MAX + 2];

    assert_string_equal(option_nearest("connectoin"), "connection");
    assert_string_equal(option_nearest("al-hubs"), "all-hubs");
    assert_null(option_nearest("something-else"));
    assert_null(option_nearest("zz")); /* nothing of it is in a name */
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_null(option_nearest(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dashes_and_underscores_are_the_same),
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_the_nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
