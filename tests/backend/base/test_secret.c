#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/base/secret.h"

static void test_holds_a_copy(void **state)
{
    char key[] = "k\0y";
    struct secret s = SECRET_NONE;

    assert_false(secret_is_set(&s));
    assert_int_equal(secret_reveal(&s).len, 0);
    assert_int_equal(secret_set(&s, (struct str){ key, 3 }), OK);
    key[0] = 'x';
    assert_true(secret_is_set(&s));
    assert_true(str_eq(secret_reveal(&s), STR("k\0y")));
    secret_fini(&s);
    assert_false(secret_is_set(&s));
    assert_null(secret_reveal(&s).p);
    secret_fini(&s);
}

static void test_set_again(void **state)
{
    struct secret s = SECRET_NONE;

    assert_int_equal(secret_set(&s, STR("first-secret")), OK);
    /* From itself: the copy comes before the wipe. */
    assert_int_equal(secret_set(&s, str_slice(secret_reveal(&s), 0, 5)), OK);
    assert_true(str_eq(secret_reveal(&s), STR("first")));
    assert_int_equal(secret_set(&s, STR_NONE), OK);
    assert_false(secret_is_set(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_a_copy),
        cmocka_unit_test(test_set_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
