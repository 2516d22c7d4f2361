#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "backend/base/clock.h"
#include "fs/folders.h"
#include "fs/nodes.h"

#define MODEL 600

static void test_hold_and_forget(void **state)
{
    struct nodes n;
    struct text *text;

    nodes_init(&n);
    assert_int_equal(nodes_hold(&n, SPACE_SLOT, 7, STR("seven")), OK);
    assert_int_equal(nodes_hold(&n, SPACE_SLOT, 7, STR("seven")), OK);
    assert_int_equal(nodes_hold(&n, SPACE_SLOT, 7, STR("eight")), ERR_BUSY);
    assert_int_equal(nodes_hold(&n, SPACE_FOLDER, 7, STR("eight")), OK);
    assert_int_equal(nodes_hold(&n, SPACE_NONE, 0, STR_NONE), OK);
    assert_int_equal(nodes_count(&n), 2);
    nodes_forget(&n, SPACE_SLOT, 7, 1);
    text = nodes_text(&n, SPACE_SLOT, 7);
    assert_true(str_eq(text_str(text), STR("seven")));
    text_unref(text);
    nodes_forget(&n, SPACE_SLOT, 7, 1);
    assert_null(nodes_text(&n, SPACE_SLOT, 7));
    nodes_forget(&n, SPACE_SLOT, 7, 1);
    assert_int_equal(nodes_count(&n), 1);
    nodes_fini(&n);
}

/* A text outlives its entry for whoever took a reference. */
static void test_text_outlives_forget(void **state)
{
    struct nodes n;
    struct text *text;

    nodes_init(&n);
    assert_int_equal(nodes_hold(&n, SPACE_SLOT, 1, STR("id")), OK);
    text = nodes_text(&n, SPACE_SLOT, 1);
    nodes_forget(&n, SPACE_SLOT, 1, 1);
    assert_true(str_eq(text_str(text), STR("id")));
    text_unref(text);
    nodes_fini(&n);
}

static void test_marks_and_what_is_held(void **state)
{
    struct nodes n;
    size_t count;
    uint64_t *held;

    nodes_init(&n);
    assert_int_equal(nodes_marks(&n, SPACE_SLOT, 7), 0);
    assert_int_equal(nodes_hold_marked(&n, SPACE_SLOT, 7, STR("seven"), NODE_MARK(1)), OK);
    assert_int_equal(nodes_hold_marked(&n, SPACE_SLOT, 7, STR("seven"), NODE_MARK_INSIDE(3)), OK);
    assert_int_equal(nodes_hold(&n, SPACE_FOLDER, 7, STR("Failed")), OK);
    assert_int_equal(nodes_marks(&n, SPACE_SLOT, 7), NODE_MARK(1) | NODE_MARK_INSIDE(3));
    assert_int_equal(nodes_marks(&n, SPACE_FOLDER, 7), 0);
    held = nodes_held_slots(&n, &count);
    assert_int_equal(count, 1);
    assert_int_equal(held[0], 7);
    free(held);
    nodes_forget(&n, SPACE_SLOT, 7, 1);
    assert_int_equal(nodes_marks(&n, SPACE_SLOT, 7), NODE_MARK(1) | NODE_MARK_INSIDE(3));
    nodes_forget(&n, SPACE_SLOT, 7, 1);
    assert_int_equal(nodes_marks(&n, SPACE_SLOT, 7), 0);
    free(nodes_held_slots(&n, &count));
    assert_int_equal(count, 0);
    nodes_fini(&n);
}

/* Neighbours lie in one page, which lasts as long as one of them is held. */
static void test_neighbours(void **state)
{
    static const uint64_t slots[] = { 1, 31, 32, 33, 63, 64, 1000000, UINT32_MAX };
    struct nodes n;
    uint64_t *held, sum = 0, want = 0;
    size_t count;

    nodes_init(&n);
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        want += slots[i];
        assert_int_equal(nodes_hold_marked(&n, SPACE_SLOT, slots[i], STR("id"), NODE_MARK(0)), OK);
    }
    assert_null(nodes_text(&n, SPACE_SLOT, 2));
    assert_int_equal(nodes_marks(&n, SPACE_SLOT, 2), 0);
    nodes_forget(&n, SPACE_SLOT, 2, 1);
    held = nodes_held_slots(&n, &count);
    for (size_t i = 0; i < count; i++)
        sum += held[i];
    free(held);
    assert_int_equal(count, nodes_count(&n));
    assert_int_equal(sum, want);
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        nodes_forget(&n, SPACE_SLOT, slots[i], 1);
        assert_null(nodes_text(&n, SPACE_SLOT, slots[i]));
        /* Held again it is new: nothing was told of it. */
        assert_int_equal(nodes_hold(&n, SPACE_SLOT, slots[i], STR("other")), OK);
        assert_int_equal(nodes_marks(&n, SPACE_SLOT, slots[i]), 0);
        nodes_forget(&n, SPACE_SLOT, slots[i], 1);
    }
    assert_int_equal(nodes_count(&n), 0);
    assert_int_equal(n.used, 0);
    nodes_fini(&n);
}

static void test_names_become_due(void **state)
{
    const int64_t now_ms = clock_now_ms(), hour_ms = 3600 * 1000;
    struct nodes n;

    nodes_init(&n);
    nodes_told(&n, 7, now_ms); /* not held: nothing to remember */
    assert_false(nodes_is_due(&n, 7, now_ms + 10000));
    assert_int_equal(nodes_hold_marked(&n, SPACE_SLOT, 7, STR("id"), NODE_MARK(0)), OK);
    nodes_told(&n, 7, now_ms + 5000);
    assert_false(nodes_is_due(&n, 7, now_ms));
    assert_false(nodes_is_due(&n, 7, now_ms + 4000));
    assert_true(nodes_is_due(&n, 7, now_ms + 6000));
    assert_true(nodes_is_due(&n, 7, now_ms + 8 * hour_ms));
    nodes_told(&n, 7, now_ms + 48 * hour_ms);
    assert_false(nodes_is_due(&n, 7, now_ms + hour_ms));
    assert_false(nodes_is_due(&n, 8, now_ms + hour_ms)); /* a neighbour */
    nodes_forget(&n, SPACE_SLOT, 7, 1);
    assert_false(nodes_is_due(&n, 7, now_ms + 48 * hour_ms));
    nodes_fini(&n);
}

static void test_a_held_folder_is_found(void **state)
{
    struct nodes n;
    uint64_t index, found;

    nodes_init(&n);
    assert_false(nodes_find_folder(&n, STR("Ship"), &found));
    /* Its own number is taken, so it is one further. */
    assert_int_equal(nodes_hold(&n, SPACE_FOLDER, folder_number(STR("Ship")), STR("x")), OK);
    assert_false(nodes_find_folder(&n, STR("Ship"), &found));
    assert_int_equal(nodes_hold_folder(&n, STR("Ship"), &index), OK);
    assert_true(nodes_find_folder(&n, STR("Ship"), &found));
    assert_int_equal(found, index);
    nodes_fini(&n);
}

static void test_folder_numbers(void **state)
{
    struct nodes n;
    uint64_t a, b, again;

    nodes_init(&n);
    assert_int_equal(nodes_hold_folder(&n, STR("OrderFlow"), &a), OK);
    assert_int_equal(nodes_hold_folder(&n, STR("Ship"), &b), OK);
    assert_int_equal(nodes_hold_folder(&n, STR("OrderFlow"), &again), OK);
    assert_true(a != b);
    assert_int_equal(a, again);
    assert_int_equal(a, folder_number(STR("OrderFlow")) & NODE_INDEX_MASK);
    nodes_forget(&n, SPACE_FOLDER, a, 2);
    nodes_forget(&n, SPACE_FOLDER, b, 1);
    assert_int_equal(nodes_count(&n), 0);
    /* Another text sits on the number: the next one is taken. */
    assert_int_equal(nodes_hold(&n, SPACE_FOLDER, a, STR("squatter")), OK);
    assert_int_equal(nodes_hold_folder(&n, STR("OrderFlow"), &again), OK);
    assert_int_equal(again, (a + 1) & NODE_INDEX_MASK);
    nodes_fini(&n);
}

/* Random holds and forgets against counters. */
static void test_F59_against_a_model(void **state)
{
    struct nodes n;
    unsigned count[MODEL] = { 0 }, seed = 3, held = 0;

    nodes_init(&n);
    for (int step = 0; step < 200000; step++) {
        unsigned i = (unsigned)rand_r(&seed) % MODEL;
        char id[16];

        snprintf(id, sizeof(id), "id-%u", i);
        if (rand_r(&seed) % 2 && step < 150000) {
            assert_int_equal(nodes_hold(&n, SPACE_SLOT, i, str_c(id)), OK);
            held += count[i]++ == 0;
        } else if (count[i] > 0) {
            unsigned k = 1 + (unsigned)rand_r(&seed) % count[i];

            nodes_forget(&n, SPACE_SLOT, i, k);
            count[i] -= k;
            held -= count[i] == 0;
        }
        assert_int_equal(nodes_count(&n), held);
        if (step % 97 == 0) {
            struct text *text = nodes_text(&n, SPACE_SLOT, i);

            assert_int_equal(text != NULL, count[i] > 0);
            assert_true(!text || str_eq(text_str(text), str_c(id)));
            text_unref(text);
        }
    }
    for (unsigned i = 0; i < MODEL; i++)
        nodes_forget(&n, SPACE_SLOT, i, count[i]);
    assert_int_equal(nodes_count(&n), 0);
    assert_true(n.cap <= 2048);
    nodes_fini(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold_and_forget),
        cmocka_unit_test(test_text_outlives_forget),
        cmocka_unit_test(test_marks_and_what_is_held),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_names_become_due),
        cmocka_unit_test(test_a_held_folder_is_found),
        cmocka_unit_test(test_folder_numbers),
        cmocka_unit_test(test_F59_against_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
