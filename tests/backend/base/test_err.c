#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "backend/base/err.h"

static void test_names_are_told_apart(void **state)
{
    for (int a = 0; a < ERR_COUNT; a++) {
        const char *name = err_name((enum err)a);

        assert_string_not_equal(name, "unknown");
        assert_null(strpbrk(name, "_ ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
        for (int b = 0; b < a; b++)
            assert_string_not_equal(name, err_name((enum err)b));
    }
}

static void test_name_is_that_of_the_constant(void **state)
{
    assert_string_equal(err_name(OK), "ok");
    assert_string_equal(err_name(ERR_NOT_FOUND), "not-found");
    assert_string_equal(err_name(ERR_UNKNOWN_OUTCOME), "unknown-outcome");
    assert_string_equal(err_name(ERR_BUG), "bug");
}

static void test_name_of_nonsense(void **state)
{
    assert_string_equal(err_name(ERR_COUNT), "unknown");
    assert_string_equal(err_name((enum err)4711), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_told_apart),
        cmocka_unit_test(test_name_is_that_of_the_constant),
        cmocka_unit_test(test_name_of_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
