#include "fs/attempts.h"
#include "tests/fs/check.h"

static struct attempts all;

static int setup(void **state)
{
    attempts_init(&all);
    return 0;
}

static int teardown(void **state)
{
    attempts_fini(&all);
    return 0;
}

static struct work *work(enum bar_kind kind, const char *name, bool in_blob, const char *input)
{
    struct event e = { .name = str_c(name),
                       .input = { .kind = in_blob ? CELL_REF : CELL_TEXT,
                                  .text = str_c(input),
                                  .ref = str_c(input) } };
    struct work *w;

    assert_int_equal(attempts_work(&all, kind, &e, &w), OK);
    assert_non_null(w);
    return w;
}

static void test_same_work_is_kind_name_and_input(void **state)
{
    struct work *w = work(BAR_ACTIVITY, "Charge", false, "5");

    assert_ptr_equal(work(BAR_ACTIVITY, "Charge", false, "5"), w);
    assert_ptr_not_equal(work(BAR_SUB, "Charge", false, "5"), w);
    assert_ptr_not_equal(work(BAR_ACTIVITY, "Charg", false, "5"), w);
    assert_ptr_not_equal(work(BAR_ACTIVITY, "Charge", false, "6"), w);
    assert_ptr_not_equal(work(BAR_ACTIVITY, "Charge5", false, ""), w);
}

static void test_blobs_of_other_names_are_the_same_input(void **state)
{
    assert_ptr_equal(work(BAR_ACTIVITY, "Charge", true, "a.json.gz"),
                     work(BAR_ACTIVITY, "Charge", true, "b.json.gz"));
}

static void test_every_failure_allows_one_more_try(void **state)
{
    struct work *w = work(BAR_ACTIVITY, "Charge", false, "5");

    assert_int_equal(work_tried(w), 1);
    assert_int_equal(work_tried(w), 1); /* beside it, not after it */
    work_failed(w, 1);
    assert_int_equal(work_tried(w), 2);
    assert_int_equal(work_tried(w), 1);
    work_failed(w, 2);
    work_failed(w, 1);
    assert_int_equal(work_tried(w), 2);
    assert_int_equal(work_tried(w), 2);
    assert_int_equal(work_tried(w), 1);
}

static void test_a_timer_is_no_work(void **state)
{
    work_failed(NULL, 1);
    assert_int_equal(work_tried(NULL), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_same_work_is_kind_name_and_input),
        TEST(test_blobs_of_other_names_are_the_same_input),
        TEST(test_every_failure_allows_one_more_try),
        TEST(test_a_timer_is_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
