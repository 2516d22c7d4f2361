#include "backend/history.h"
#include "tests/backend/unit.h"

static void add(struct history *h, enum event_type type, int64_t event_id, int64_t task_id)
{
    struct event *e = history_add(h);
    assert_non_null(e);
    e->type = type;
    e->event_id = event_id;
    e->task_id = task_id;
}

static void test_types_have_the_frameworks_names(void **state)
{
    for (int t = 0; t < EVENT_UNKNOWN; t++)
        assert_int_equal(event_type_parse(str_c(event_type_name((enum event_type)t))), t);
    assert_string_equal(event_type_name(EVENT_SUB_CREATED), "SubOrchestrationInstanceCreated");
    assert_string_equal(event_type_name(EVENT_SUSPENDED), "ExecutionSuspended");
    assert_int_equal(event_type_parse(STR("Unknown")), EVENT_UNKNOWN);
    assert_int_equal(event_type_parse(STR("taskcompleted")), EVENT_UNKNOWN);
}

/* The worked example of storage tables 5.8. */
static void test_completions_find_their_decisions(void **state)
{
    struct history *h = history_new();
    add(h, EVENT_ORCHESTRATOR_STARTED, -1, -1);
    add(h, EVENT_EXECUTION_STARTED, -1, -1);
    add(h, EVENT_TASK_SCHEDULED, 0, -1);          /* 2 */
    add(h, EVENT_TASK_COMPLETED, -1, 0);          /* 3 */
    add(h, EVENT_TIMER_CREATED, 1, -1);           /* 4 */
    add(h, EVENT_SUB_CREATED, 2, -1);             /* 5 */
    add(h, EVENT_SUB_COMPLETED, -1, 2);           /* 6 */
    add(h, EVENT_TASK_SCHEDULED, 3, -1);          /* 7 */
    add(h, EVENT_TIMER_FIRED, -1, 1);             /* 8 */
    add(h, EVENT_TASK_FAILED, -1, 3);             /* 9 */
    add(h, EVENT_TASK_SCHEDULED, 4, -1);          /* 10: open */
    assert_int_equal(history_decision(h, 3), -1); /* not linked yet */
    assert_int_equal(history_link(h), OK);
    assert_int_equal(history_decision(h, 3), 2);
    assert_int_equal(history_decision(h, 6), 5);
    assert_int_equal(history_decision(h, 8), 4);
    assert_int_equal(history_decision(h, 9), 7);
    assert_int_equal(history_completion(h, 2), 3);
    assert_int_equal(history_completion(h, 5), 6);
    assert_int_equal(history_completion(h, 10), -1);
    assert_int_equal(history_decision(h, 2), -1);
    assert_int_equal(history_completion(h, 3), -1);
    assert_int_equal(history_decision(h, 0), -1);
    assert_int_equal(history_decision(h, 99), -1);
    history_unref(h);
}

static void test_the_first_of_double_completions_counts(void **state)
{
    struct history *h = history_new();
    add(h, EVENT_TASK_SCHEDULED, 0, -1);
    add(h, EVENT_TASK_COMPLETED, -1, 0);
    add(h, EVENT_TASK_FAILED, -1, 0);
    assert_int_equal(history_link(h), OK);
    assert_int_equal(history_completion(h, 0), 1);
    assert_int_equal(history_decision(h, 2), 0);
    history_unref(h);
}

static void test_after_a_rewind_the_newer_decision_counts(void **state)
{
    struct history *h = history_new();
    add(h, EVENT_TASK_SCHEDULED, 3, -1);
    add(h, EVENT_TASK_FAILED, -1, 3);
    add(h, EVENT_TASK_SCHEDULED, 3, -1);
    add(h, EVENT_TASK_COMPLETED, -1, 3);
    assert_int_equal(history_link(h), OK);
    assert_int_equal(history_decision(h, 1), 0);
    assert_int_equal(history_decision(h, 3), 2);
    history_unref(h);
}

/* B45: gaps, wrong order, completions of nothing. */
static void test_B45_damage_is_survived(void **state)
{
    struct history *h = history_new();
    assert_int_equal(history_link(h), OK); /* empty */
    add(h, EVENT_TASK_COMPLETED, -1, 7);
    add(h, EVENT_TASK_COMPLETED, -1, 8);
    add(h, EVENT_TASK_SCHEDULED, 8, -1);
    add(h, EVENT_TIMER_FIRED, -1, 8); /* the same number, another family */
    assert_int_equal(history_link(h), OK);
    assert_int_equal(history_decision(h, 0), -1);
    assert_int_equal(history_decision(h, 1), 2);
    assert_int_equal(history_decision(h, 3), -1);
    history_unref(h);
}

static void test_many_events(void **state)
{
    struct history *h = history_new();
    enum { N = 50000 };
    for (int i = 0; i < N; i++)
        add(h, EVENT_TASK_SCHEDULED, i, -1);
    for (int i = 0; i < N; i++)
        add(h, EVENT_TASK_COMPLETED, -1, N - 1 - i);
    assert_int_equal(history_link(h), OK);
    for (int i = 0; i < N; i++) {
        assert_int_equal(history_decision(h, (size_t)(N + i)), N - 1 - i);
        assert_int_equal(history_completion(h, (size_t)i), N + N - 1 - i);
    }
    history_unref(h);
}

static void test_a_new_event_is_blank(void **state)
{
    struct history *h = history_new();
    struct event *e = history_add(h);
    assert_int_equal(e->type, EVENT_UNKNOWN);
    assert_true(e->event_id == -1 && e->task_id == -1);
    assert_true(e->time == TICKS_NONE && e->fire_at == TICKS_NONE);
    assert_int_equal(e->input.kind, CELL_NONE);
    history_unref(h);
}

static void test_the_parent_stands_in_execution_started(void **state)
{
    struct arena arena;
    arena_init(&arena);
    struct history *h = history_new();
    assert_int_equal(history_parent(h, &arena).len, 0);
    struct event *e = history_add(h);
    e->type = EVENT_EXECUTION_STARTED;
    assert_int_equal(history_parent(h, &arena).len, 0);
    h->events[0].parent = STR("{\"Name\":\"OrderFlow\",\"OrchestrationInstance\":{\"InstanceId\":"
                              "\"order-\\u0031\",\"ExecutionId\":\"e\"},\"TaskScheduleId\":2}");
    assert_str(history_parent(h, &arena), "order-1");
    h->events[0].parent = STR("{\"OrchestrationInstance\":7}");
    assert_int_equal(history_parent(h, &arena).len, 0);
    h->events[0].parent = STR("[]");
    assert_int_equal(history_parent(h, &arena).len, 0);
    history_unref(h);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_have_the_frameworks_names),
        cmocka_unit_test(test_completions_find_their_decisions),
        cmocka_unit_test(test_the_first_of_double_completions_counts),
        cmocka_unit_test(test_after_a_rewind_the_newer_decision_counts),
        cmocka_unit_test(test_B45_damage_is_survived),
        cmocka_unit_test(test_many_events),
        cmocka_unit_test(test_a_new_event_is_blank),
        cmocka_unit_test(test_the_parent_stands_in_execution_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
