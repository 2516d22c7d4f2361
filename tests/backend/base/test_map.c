#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "backend/base/map.h"

static int one, two;

static void test_set_get_del(void **state)
{
    struct map m;
    char key[] = "changing";

    map_init(&m);
    assert_null(map_get(&m, STR("a")));
    assert_null(map_del(&m, STR("a")));
    assert_int_equal(map_set(&m, STR("a"), &one), OK);
    assert_int_equal(map_set(&m, STR("a"), &two), OK);
    assert_int_equal(map_count(&m), 1);
    assert_ptr_equal(map_get(&m, STR("a")), &two);

    /* Keys are copied. */
    assert_int_equal(map_set(&m, str_c(key), &one), OK);
    key[0] = 'X';
    assert_ptr_equal(map_get(&m, STR("changing")), &one);
    assert_null(map_get(&m, str_c(key)));

    assert_ptr_equal(map_del(&m, STR("a")), &two);
    assert_null(map_get(&m, STR("a")));
    assert_int_equal(map_count(&m), 1);
    map_fini(&m);
    assert_null(map_get(&m, STR("changing")));
    map_fini(&m);
}

static void test_any_bytes_are_keys(void **state)
{
    struct map m;

    map_init(&m);
    assert_int_equal(map_set(&m, STR_NONE, &one), OK);
    assert_int_equal(map_set(&m, STR("\0"), &two), OK);
    assert_int_equal(map_set(&m, STR("\0\0"), &m), OK);
    assert_ptr_equal(map_get(&m, STR("")), &one);
    assert_ptr_equal(map_get(&m, STR("\0")), &two);
    assert_ptr_equal(map_get(&m, STR("\0\0")), &m);
    assert_int_equal(map_count(&m), 3);
    assert_ptr_equal(map_del(&m, STR_NONE), &one);
    assert_int_equal(map_count(&m), 2);
    map_fini(&m);
}

static void test_no_value_is_our_bug(void **state)
{
    struct map m;

    map_init(&m);
    assert_int_equal(map_set(&m, STR("a"), NULL), ERR_BUG);
    assert_int_equal(map_count(&m), 0);
    map_fini(&m);
}

#define KEYS 300

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Of every length up to three blocks of the hash. */
static struct str key_of(unsigned i, char text[64])
{
    int n = snprintf(text, 64, "%u", i);

    memset(text + n, 'k', i % 25);
    return (struct str){ text, (size_t)n + i % 25 };
}

/* The entries that a walk finds are those of the model, each once. */
static void check_walk(const struct map *m, void *const model[KEYS])
{
    bool seen[KEYS] = { false };
    struct str key;
    void *value;
    size_t n = 0;

    for (size_t i = 0; map_next(m, &i, &key, &value); n++) {
        unsigned number = 0;

        assert_int_equal(sscanf(key.p, "%u", &number), 1);
        assert_true(number < KEYS);
        assert_false(seen[number]);
        seen[number] = true;
        assert_ptr_equal(value, model[number]);
    }
    assert_int_equal(n, map_count(m));
}

static void test_random_operations_against_a_model(void **state)
{
    static char values[16];
    void *model[KEYS] = { NULL };
    size_t live = 0;
    uint32_t seed = 3;
    struct map m;

    map_init(&m);
    for (int round = 0; round < 200000; round++) {
        char text[64];
        unsigned i = next_random(&seed) % KEYS;
        struct str key = key_of(i, text);
        /* Phases that mostly grow and phases that mostly shrink. */
        bool set = (next_random(&seed) % 4 == 0) == (round / 5000 % 2 == 0);
        void *value = &values[next_random(&seed) % sizeof(values)];

        assert_ptr_equal(map_get(&m, key), model[i]);
        if (set) {
            assert_int_equal(map_set(&m, key, value), OK);
            live += !model[i];
            model[i] = value;
        } else {
            assert_ptr_equal(map_del(&m, key), model[i]);
            live -= model[i] != NULL;
            model[i] = NULL;
        }
        assert_int_equal(map_count(&m), live);
        if (round % 1000 == 0)
            check_walk(&m, model);
    }
    /* Deleted entries do not pile up. */
    assert_true(m.cap <= 2048);
    map_fini(&m);
}

static void test_deleting_while_walking(void **state)
{
    static char value;
    void *model[KEYS] = { NULL };
    struct map m;
    struct str key;
    void *found;
    char text[64];
    size_t steps = 0;

    map_init(&m);
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(map_set(&m, key_of(i, text), &value), OK);
    for (size_t i = 0; map_next(&m, &i, &key, &found); steps++) {
        unsigned number = 0;

        assert_int_equal(sscanf(key.p, "%u", &number), 1);
        if (number % 3)
            assert_ptr_equal(map_del(&m, key), &value);
        else
            model[number] = &value;
    }
    assert_int_equal(steps, KEYS);
    assert_int_equal(map_count(&m), KEYS / 3);
    check_walk(&m, model);
    for (unsigned i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(&m, key_of(i, text)), model[i]);
    map_fini(&m);
}

static void test_order_cannot_be_foreseen(void **state)
{
    struct map a, b;
    size_t i = 0, k = 0;
    struct str x, y;
    char text[64];
    void *value;
    bool differs = false;

    map_init(&a);
    map_init(&b);
    for (unsigned n = 0; n < KEYS; n++) {
        assert_int_equal(map_set(&a, key_of(n, text), &one), OK);
        assert_int_equal(map_set(&b, key_of(n, text), &one), OK);
    }
    while (map_next(&a, &i, &x, &value) && map_next(&b, &k, &y, &value))
        differs = differs || !str_eq(x, y);
    assert_true(differs);
    map_fini(&a);
    map_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_get_del),
        cmocka_unit_test(test_any_bytes_are_keys),
        cmocka_unit_test(test_no_value_is_our_bug),
        cmocka_unit_test(test_random_operations_against_a_model),
        cmocka_unit_test(test_deleting_while_walking),
        cmocka_unit_test(test_order_cannot_be_foreseen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
