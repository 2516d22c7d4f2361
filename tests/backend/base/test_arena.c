#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdalign.h>
#include <string.h>

#include "backend/base/arena.h"
#include "backend/base/attr.h"

static void test_alloc_is_zeroed_and_aligned(void **state)
{
    struct arena a;

    arena_init(&a);
    for (size_t n = 1; n < 200; n++) {
        char *odd = arena_bytes(&a, n % 7 + 1);
        unsigned char *p = arena_alloc(&a, n);

        assert_non_null(odd);
        memset(odd, 0xff, n % 7 + 1);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xee, n);
    }
    arena_fini(&a);
    assert_int_equal(a.total, 0);
    arena_fini(&a);
}

static void test_strings_keep_apart(void **state)
{
    static struct str copies[20000];
    struct arena a;
    char text[32];

    arena_init(&a);
    for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
        size_t n = i % sizeof(text);

        memset(text, 'a' + (int)(i % 26), n);
        copies[i] = arena_str(&a, (struct str){ text, n });
        assert_non_null(copies[i].p);
    }
    for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
        assert_int_equal(copies[i].len, i % sizeof(text));
        for (size_t k = 0; k < copies[i].len; k++)
            assert_int_equal(copies[i].p[k], 'a' + i % 26);
        assert_int_equal(copies[i].p[copies[i].len], '\0');
    }
    arena_fini(&a);
}

static void test_large_ones_do_not_waste_the_chunk(void **state)
{
    struct arena a;
    size_t small;

    arena_init(&a);
    assert_non_null(arena_bytes(&a, 10));
    small = a.total;
    assert_non_null(arena_bytes(&a, 1000000));
    assert_true(a.total >= small + 1000000);

    /* The first chunk goes on being filled. */
    small = a.total;
    for (int i = 0; i < 100; i++)
        assert_non_null(arena_bytes(&a, 10));
    assert_int_equal(a.total, small);
    assert_int_equal(a.used, 1000000 + 101 * 10);
    arena_fini(&a);
}

static void test_reserved_room_is_used_up(void **state)
{
    struct arena a;
    size_t total;

    arena_init(&a);
    assert_true(arena_reserve(&a, 12));
    total = a.total;
    assert_true(total < 100);
    assert_true(str_eq(arena_str(&a, STR("hello")), STR("hello")));
    assert_true(str_eq(arena_str(&a, STR("world")), STR("world")));
    assert_int_equal(a.total, total);
    assert_true(str_eq(arena_str(&a, STR("more")), STR("more")));
    assert_true(a.total > total);
    total = a.total;
    assert_true(arena_reserve(&a, 1000)); /* too late: it does not matter */
    assert_int_equal(a.total, total);
    arena_fini(&a);
    assert_false(arena_reserve(&a, SIZE_MAX));
    assert_int_equal(a.total, 0);
}

static void test_absurd_sizes(void **state)
{
    struct arena a;
    char one = 'x';

    arena_init(&a);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_bytes(&a, SIZE_MAX - 8));
    assert_null(arena_str(&a, (struct str){ &one, SIZE_MAX }).p);
    assert_int_equal(a.used, 0);
    assert_non_null(arena_alloc(&a, 0));
    assert_true(str_eq(arena_str(&a, STR_NONE), STR("")));
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc_is_zeroed_and_aligned),
        cmocka_unit_test(test_strings_keep_apart),
        cmocka_unit_test(test_large_ones_do_not_waste_the_chunk),
        cmocka_unit_test(test_reserved_room_is_used_up),
        cmocka_unit_test(test_absurd_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
