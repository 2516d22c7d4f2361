#include "backend/instance.h"
#include "tests/backend/unit.h"

static void test_statuses_have_the_frameworks_names(void **state)
{
    (void)state;
    static const char *const names[] = { "Running",  "Completed",  "ContinuedAsNew", "Failed",
                                         "Canceled", "Terminated", "Pending",        "Suspended" };
    for (int s = 0; s < STATUS_UNKNOWN; s++) {
        assert_string_equal(status_name((enum status)s), names[s]);
        assert_int_equal(status_parse(str_c(names[s])), s);
    }
    assert_string_equal(status_name(STATUS_UNKNOWN), "Unknown");
    /* Enum.TryParse would take these; we show them as they are (storage tables 3.4). */
    assert_int_equal(status_parse(STR("running")), STATUS_UNKNOWN);
    assert_int_equal(status_parse(STR("3")), STATUS_UNKNOWN);
    assert_int_equal(status_parse(STR("Unknown")), STATUS_UNKNOWN);
    assert_int_equal(status_parse(STR("")), STATUS_UNKNOWN);
}

static void test_finished_are_four(void **state)
{
    (void)state;
    unsigned finished = 0;
    for (int s = 0; s < STATUS_COUNT; s++)
        finished |= status_is_finished((enum status)s) ? 1u << s : 0;
    assert_int_equal(finished, 1u << STATUS_COMPLETED | 1u << STATUS_FAILED |
                                   1u << STATUS_CANCELED | 1u << STATUS_TERMINATED);
}

static void test_completed_time_counts_only_when_finished(void **state)
{
    (void)state;
    struct row row = { .status = STATUS_RUNNING, .completed = 17 };
    assert_true(row_completed(&row) == TICKS_NONE);
    row.status = STATUS_FAILED;
    assert_true(row_completed(&row) == 17);
}

static void check_split(const char *id, const char *name, const char *key)
{
    struct str n, k;
    assert_true(id_split_entity(str_c(id), &n, &k));
    assert_true(str_eq(n, str_c(name)));
    assert_true(str_eq(k, str_c(key)));
}

static void test_T108_T109_T110_entity_ids(void **state)
{
    (void)state;
    struct str n, k;
    check_split("@counter@a@b", "counter", "a@b");
    check_split("@counter@", "counter", "");
    assert_false(id_split_entity(STR("@counter"), &n, &k));
    assert_false(id_split_entity(STR("counter@a"), &n, &k));
    assert_false(id_split_entity(STR(""), &n, &k));
    assert_false(id_split_entity(STR("@"), &n, &k));
    assert_true(id_is_entity(STR("@counter")));
    assert_false(id_is_entity(STR("")));
}

static void test_an_instance_is_born_empty_and_shared(void **state)
{
    (void)state;
    struct instance *in = instance_new();
    assert_int_equal(in->row.status, STATUS_UNKNOWN);
    assert_true(in->row.created == TICKS_NONE && in->row.stamp == TICKS_NONE);
    assert_int_equal(in->generation, -1);
    assert_int_equal(in->input.kind, CELL_NONE);
    struct instance *again = instance_ref(in);
    assert_null(instance_unref(in));
    assert_int_equal(again->generation, -1);
    assert_null(instance_unref(again));
    assert_null(instance_unref(NULL));
    assert_null(instance_ref(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses_have_the_frameworks_names),
        cmocka_unit_test(test_finished_are_four),
        cmocka_unit_test(test_completed_time_counts_only_when_finished),
        cmocka_unit_test(test_T108_T109_T110_entity_ids),
        cmocka_unit_test(test_an_instance_is_born_empty_and_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
