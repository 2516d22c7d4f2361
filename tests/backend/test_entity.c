#include "backend/instance.h"
#include "tests/backend/unit.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct entity_state read_both(const char *input, const char *custom)
{
    struct entity_state e;
    entity_state_read(&e, str_c(input), str_c(custom), &arena);
    return e;
}

static void test_T111_classic_state(void **state)
{
    struct entity_state e =
        read_both("{\"exists\":true,\"state\":\"{\\\"value\\\":5}\",\"sorter\":{}}", "");
    assert_true(e.exists && e.has_state && !e.empty);
    assert_str(e.state, "{\"value\":5}");
}

static void test_T112_core_state(void **state)
{
    struct entity_state e = read_both("{\"state\":\"5\",\"sorter\":{}}", "{\"entityExists\":true}");
    assert_true(e.exists && e.has_state);
    assert_str(e.state, "5");
}

static void test_T113_deleted(void **state)
{
    struct entity_state e = read_both("{\"sorter\":{}}", "{}");
    assert_true(!e.exists && e.empty && !e.has_state);
    entity_state_read_status(&e, STR("{}"), &arena);
    assert_true(e.empty && !e.exists);
}

static void test_T114_exists_without_state(void **state)
{
    struct entity_state e = read_both("{\"exists\":true,\"sorter\":{}}", "{\"entityExists\":true}");
    assert_true(e.exists && !e.has_state && !e.empty);
}

static void test_T115_a_string_as_state(void **state)
{
    struct entity_state e =
        read_both("{\"exists\":true,\"state\":\"\\\"hi\\\"\",\"sorter\":{}}", "");
    assert_str(e.state, "\"hi\"");
}

static void test_T116_state_that_is_not_json(void **state)
{
    struct entity_state e = read_both("{\"exists\":true,\"state\":\"oops\",\"sorter\":{}}", "");
    assert_true(e.has_state);
    assert_str(e.state, "oops");
}

static void test_T117_waiting_and_locked(void **state)
{
    struct entity_state e;
    entity_state_read_status(&e, STR("{\"queueSize\":2,\"lockedBy\":\"order-17\"}"), &arena);
    assert_true(!e.exists && !e.empty);
    assert_int_equal(e.queue_size, 2);
    assert_str(e.locked_by, "order-17");
}

static void test_T118_internal_error_falls_back_to_input(void **state)
{
    struct entity_state e;
    entity_state_read_status(&e, STR("Internal Error: boom"), &arena);
    assert_false(e.empty); /* existence is unknown: it is shown */
    e = read_both("{\"exists\":true,\"state\":\"1\",\"sorter\":{}}", "Internal Error: boom");
    assert_true(e.exists);
    e = read_both("{\"sorter\":{}}", "Internal Error: boom");
    assert_false(e.exists);
}

static void test_T119_first_batch_not_done(void **state)
{
    assert_false(read_both("", "").exists);
}

static void test_queue_is_counted_from_input(void **state)
{
    struct entity_state e = read_both(
        "{\"queue\":[{\"op\":\"a\"},{\"op\":[1,2]}],\"lockedBy\":\"o\",\"sorter\":{}}", "");
    assert_int_equal(e.queue_size, 2);
    assert_str(e.locked_by, "o");
    assert_false(e.empty);
}

static void test_B31_B33_wrong_types_and_doubles(void **state)
{
    struct entity_state e = read_both("{\"exists\":\"yes\",\"state\":7,\"state\":\"8\"}", "");
    assert_true(!e.exists && !e.has_state); /* the first of doubles counts, and it is no string */
    e = read_both("{\"state\":\"1\",\"state\":\"2\"}", "");
    assert_str(e.state, "1");
    entity_state_read_status(&e, STR("{\"queueSize\":-5}"), &arena);
    assert_true(e.empty);
}

static void test_half_a_document_is_no_state(void **state)
{
    struct entity_state e =
        read_both("{\"exists\":true,\"state\":\"5\"", "{\"entityExists\":true}");
    assert_true(e.exists && e.has_state);
    assert_str(e.state, "{\"exists\":true,\"state\":\"5\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T111_classic_state),
        cmocka_unit_test(test_T112_core_state),
        cmocka_unit_test(test_T113_deleted),
        cmocka_unit_test(test_T114_exists_without_state),
        cmocka_unit_test(test_T115_a_string_as_state),
        cmocka_unit_test(test_T116_state_that_is_not_json),
        cmocka_unit_test(test_T117_waiting_and_locked),
        cmocka_unit_test(test_T118_internal_error_falls_back_to_input),
        cmocka_unit_test(test_T119_first_batch_not_done),
        cmocka_unit_test(test_queue_is_counted_from_input),
        cmocka_unit_test(test_B31_B33_wrong_types_and_doubles),
        cmocka_unit_test(test_half_a_document_is_no_state),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
