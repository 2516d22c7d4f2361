#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "backend/base/grow.h"

static void test_elements_stay_while_it_grows(void **state)
{
    int *all = NULL;
    size_t cap = 0;

    for (size_t n = 0; n < 1000; n++) {
        all = grow(all, n, &cap, sizeof(*all));
        assert_non_null(all);
        assert_true(cap > n);
        all[n] = (int)n;
    }
    for (size_t n = 0; n < 1000; n++)
        assert_int_equal(all[n], n);
    free(all);
}

static void test_room_is_asked_for_seldom(void **state)
{
    char *all = NULL;
    size_t cap = 0, times = 0;

    for (size_t n = 0; n < 100000; n++) {
        size_t before = cap;

        all = grow(all, n, &cap, 1);
        assert_non_null(all);
        times += cap != before;
    }
    assert_true(times <= 17);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements_stay_while_it_grows),
        cmocka_unit_test(test_room_is_asked_for_seldom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
