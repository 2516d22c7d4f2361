#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "backend/base/text.h"

static void test_new_copies(void **state)
{
    char bytes[] = "a\0b";
    CLEANUP(text_unref) struct text *t = text_new((struct str){ bytes, 3 });

    bytes[0] = 'x';
    assert_true(str_eq(text_str(t), STR("a\0b")));
    assert_int_equal(t->p[3], '\0');
}

static void test_empty_and_none(void **state)
{
    CLEANUP(text_unref) struct text *t = text_new(STR_NONE);

    assert_non_null(t);
    assert_int_equal(text_str(t).len, 0);
    assert_string_equal(t->p, "");
    assert_null(text_str(NULL).p);
    assert_null(text_ref(NULL));
    assert_null(text_unref(NULL));
}

static void test_absurd_length(void **state)
{
    char one = 'x';

    assert_null(text_new((struct str){ &one, SIZE_MAX - 8 }));
}

static void test_take_moves_the_bytes(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(100000);
    CLEANUP(text_unref) struct text *t = NULL;

    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "%d,", i % 7);
    t = text_take(&b);
    assert_non_null(t);
    assert_int_equal(t->len, 20000);
    assert_true(str_starts(text_str(t), STR("0,1,2,3,4,5,6,0,")));
    assert_true(str_ends(text_str(t), STR("2,3,")));
    assert_int_equal(t->p[t->len], '\0');

    /* The buffer is empty and good for more. */
    assert_int_equal(buf_str(&b).len, 0);
    buf_add_c(&b, "next");
    assert_string_equal(buf_c(&b), "next");
}

static void test_take_of_nothing(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(10);
    CLEANUP(text_unref) struct text *t = text_take(&b);

    assert_non_null(t);
    assert_int_equal(t->len, 0);
}

static void test_take_of_a_failed_buffer(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(3);

    buf_add_c(&b, "ab");
    buf_add_c(&b, "cd");
    assert_null(text_take(&b));
    assert_int_equal(buf_str(&b).len, 0);
    assert_int_equal(buf_err(&b), ERR_TOO_BIG);
}

static void *ref_and_unref(void *arg)
{
    struct text *mine = arg;

    for (int i = 0; i < 10000; i++) {
        struct text *again = text_ref(mine);

        if (!str_eq(text_str(again), STR("shared")))
            return NULL;
        text_unref(again);
    }
    text_unref(mine);
    return arg;
}

static void test_count_is_atomic(void **state)
{
    pthread_t threads[4];
    struct text *t = text_new(STR("shared"));

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ref_and_unref, text_ref(t)), 0);
    for (int i = 0; i < 4; i++) {
        void *ret;

        assert_int_equal(pthread_join(threads[i], &ret), 0);
        assert_ptr_equal(ret, t);
    }
    assert_int_equal(t->refs, 1);
    assert_null(text_unref(t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_copies),      cmocka_unit_test(test_empty_and_none),
        cmocka_unit_test(test_absurd_length),   cmocka_unit_test(test_take_moves_the_bytes),
        cmocka_unit_test(test_take_of_nothing), cmocka_unit_test(test_take_of_a_failed_buffer),
        cmocka_unit_test(test_count_is_atomic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
