#include "backend/intern.h"

#include <pthread.h>
#include <stdio.h>

#include "tests/backend/unit.h"

static void test_one_number_a_text(void **state)
{
    uint32_t a = intern(STR("alpha")), b = intern(STR("beta"));
    assert_true(a && b && a != b);
    assert_int_equal(intern(STR("alpha")), a);
    assert_str(intern_str(a), "alpha");
    assert_str(intern_str(b), "beta");
    assert_int_equal(intern(STR_NONE), 0);
    assert_int_equal(intern_str(0).len, 0);
    assert_int_equal(intern_str(UINT32_MAX).len, 0);
    uint32_t nul = intern(STR("al\0pha"));
    assert_true(nul && nul != a);
    assert_false(intern_full());
}

enum { THREADS = 4, TEXTS = 500 };

static void *intern_many(void *arg)
{
    uint32_t *numbers = arg;
    for (int i = 0; i < TEXTS; i++) {
        char text[16];
        snprintf(text, sizeof text, "t%d", i);
        numbers[i] = intern(str_c(text));
    }
    return NULL;
}

static void test_threads_agree(void **state)
{
    static uint32_t numbers[THREADS][TEXTS];
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++)
        pthread_create(&threads[t], NULL, intern_many, numbers[t]);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (int t = 1; t < THREADS; t++)
        assert_memory_equal(numbers[t], numbers[0], sizeof numbers[0]);
    for (int i = 0; i < TEXTS; i++) {
        char text[16];
        snprintf(text, sizeof text, "t%d", i);
        assert_str(intern_str(numbers[0][i]), text);
    }
}

static void test_bounded(void **state)
{
    char text[16];
    static char longest[100000];
    memset(longest, 'x', sizeof longest);
    assert_int_equal(intern((struct str){ longest, sizeof longest }), 0);
    uint32_t first = intern(STR("alpha"));
    for (int i = 0; i < INTERN_MAX + 10; i++) {
        snprintf(text, sizeof text, "n%d", i);
        assert_true(intern(str_c(text)) < INTERN_MAX);
    }
    assert_true(intern_full());
    assert_int_equal(intern(STR("one more")), 0);
    assert_int_equal(intern(STR("alpha")), first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_number_a_text),
        cmocka_unit_test(test_threads_agree),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
