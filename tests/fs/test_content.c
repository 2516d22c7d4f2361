#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "backend/base/jsonread.h"
#include "tests/fs/mounted.h"

static int setup(void **state)
{
    *state = mounted_new();
    return 0;
}

static int teardown(void **state)
{
    mounted_free(*state);
    return 0;
}

/* -- status -- */

static void test_status_lines(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "order-17", "OrderFlow", STATUS_FAILED);

    in->updated = in->completed = in->created + 71200000;
    assert_string_equal(mounted_cat(m, "instances/order-17/status"),
                        "InstanceId:\torder-17\n"
                        "Name:\tOrderFlow\n"
                        "RuntimeStatus:\tFailed\n"
                        "CreatedTime:\t2026-11-24T09:00:00.0000000Z\n"
                        "LastUpdatedTime:\t2026-11-24T09:00:07.1200000Z\n"
                        "CompletedTime:\t2026-11-24T09:00:07.1200000Z\n");
}

/* A stale CompletedTime of a running instance is none (storage tables 3.3 no. 1). */
static void test_status_of_a_rewound_instance(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "r", "F\tx\\", STATUS_PENDING);

    in->completed = in->updated;
    in->scheduled = in->created + TICKS_PER_SEC;
    fake_set(&in->version, "2");
    assert_string_equal(mounted_cat(m, "instances/r/status"),
                        "InstanceId:\tr\n"
                        "Name:\tF\\tx\\\\\n"
                        "Version:\t2\n"
                        "RuntimeStatus:\tPending\n"
                        "CreatedTime:\t2026-11-24T09:00:00.0000000Z\n"
                        "LastUpdatedTime:\t2026-11-24T09:00:07.0000000Z\n"
                        "ScheduledStartTime:\t2026-11-24T09:00:01.0000000Z\n");
}

static void test_B36_absent_times(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "r", "", STATUS_RUNNING);
    struct attr a;

    in->created = in->updated = TICKS_NONE;
    assert_string_equal(mounted_cat(m, "instances/r/status"),
                        "InstanceId:\tr\nRuntimeStatus:\tRunning\n");
    assert_int_equal(mounted_path(m, "instances/r/status", &a), OK);
    assert_int_equal(a.mtime, TICKS_NONE);
}

static void test_status_json(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "c", "Ship", STATUS_TERMINATED);
    struct event *e;

    fake_set(&in->input, "{\"a\":1.50}");
    fake_set(&in->output, "true story");
    fake_set(&in->tags, "{\"team\":\"a\"}");
    in->generation = 3;
    e = fake_event(in, EVENT_EXECUTION_STARTED, 0);
    e->parent = STR("{\"OrchestrationInstance\":{\"InstanceId\":\"order-17\"}}");
    assert_string_equal(mounted_cat(m, "instances/c/status.json"),
                        "{\"name\":\"Ship\",\"instanceId\":\"c\",\"runtimeStatus\":\"Terminated\","
                        "\"input\":{\"a\":1.50},\"customStatus\":null,\"output\":\"true story\","
                        "\"createdTime\":\"2026-11-24T09:00:00.0000000Z\","
                        "\"lastUpdatedTime\":\"2026-11-24T09:00:07.0000000Z\","
                        "\"executionId\":\"0d1f5f6f0a7b4a1e9d1c2b3a4f5e6d7c\","
                        "\"completedTime\":\"2026-11-24T09:00:07.0000000Z\","
                        "\"tags\":{\"team\":\"a\"},\"generation\":3,"
                        "\"parentInstanceId\":\"order-17\"}\n");
    assert_true(json_valid(buf_str(&m->out)));
}

static void test_status_json_of_a_running_instance(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "s", "Ship", STATUS_SUSPENDED);

    fake_set(&in->output, "maintenance");
    fake_set(&in->custom, "{\"step\":2}");
    mounted_cat(m, "instances/s/status.json");
    assert_true(
        str_has(buf_str(&m->out), STR("\"customStatus\":{\"step\":2},\"output\":\"maintenance\"")));
    assert_false(str_has(buf_str(&m->out), STR("completedTime")));
}

/* -- payloads -- */

static void test_payloads(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "p", "Ship", STATUS_COMPLETED);

    fake_set(&in->input, "{\"a\": 1}\n");
    fake_set(&in->output, "\"x\"");
    fake_set(&in->custom, "null");
    assert_string_equal(mounted_cat(m, "instances/p/input"), "{\"a\": 1}\n");
    assert_string_equal(mounted_cat(m, "instances/p/output"), "\"x\"\n");
    assert_string_equal(mounted_cat(m, "instances/p/custom-status"), "");
}

static void test_output_waits_for_the_end(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "p", "Ship", STATUS_SUSPENDED);
    unsigned before;

    fake_set(&in->output, "maintenance");
    mounted_cat(m, "instances/p/status");
    before = fakehub_requests(m->hub);
    assert_string_equal(mounted_cat(m, "instances/p/output"), "");
    assert_int_equal(fakehub_requests(m->hub), before);
}

static void test_versions(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "p", "Ship", STATUS_COMPLETED);
    struct content a, b;

    fakehub_add(m->hub, "q", "Ship", STATUS_RUNNING);
    fake_set(&in->input, "1");
    assert_int_equal(mounted_read(m, "instances/p/input", &a), OK);
    assert_int_equal(mounted_read(m, "instances/p/input", &b), OK);
    assert_int_equal(a.version, b.version);
    assert_false(a.live);
    content_fini(&b);
    fake_set(&in->input, "2");
    fakehub_touch(m->hub, in);
    mounted_refresh(m);
    assert_int_equal(mounted_read(m, "instances/p/input", &b), OK);
    assert_true(a.version != b.version);
    assert_true(str_eq(text_str(b.text), STR("2\n")));
    content_fini(&a);
    content_fini(&b);
    assert_int_equal(mounted_read(m, "instances/q/status", &a), OK);
    assert_true(a.live);
    content_fini(&a);
}

/* -- history -- */

static struct event *task(struct fake_instance *in, enum event_type type, int second, int64_t id)
{
    struct event *e = fake_event(in, type, second);

    if (type == EVENT_TASK_SCHEDULED || type == EVENT_SUB_CREATED || type == EVENT_TIMER_CREATED)
        e->event_id = id;
    else
        e->task_id = id;
    return e;
}

static void order_history(struct fake_instance *in)
{
    struct event *e;

    fake_event(in, EVENT_ORCHESTRATOR_STARTED, 0)->json = STR("{\"n\":0}");
    e = fake_event(in, EVENT_EXECUTION_STARTED, 0);
    e->name = STR("OrderFlow");
    e->json = STR("{\"n\":\n1}");
    fake_cell(&e->input, "{\"id\":17}");
    e = task(in, EVENT_TASK_SCHEDULED, 1, 0);
    e->name = STR("ReserveStock");
    fake_cell(&e->input, "[\t1,\n2]");
    fake_cell(&task(in, EVENT_TASK_COMPLETED, 2, 0)->result, "{\"ok\":true}");
    e = fake_event(in, EVENT_RAISED, 3);
    e->name = STR("Approve\t!");
    fake_cell(&e->input, "{\"ok\":true}");
    e = task(in, EVENT_TIMER_CREATED, 4, 1);
    e->fire_at = e->time + 5 * TICKS_PER_SEC;
    e = task(in, EVENT_SUB_CREATED, 5, 2);
    e->name = STR("Ship");
    e->instance_id = STR("order/ship");
    e = task(in, EVENT_TASK_FAILED, 6, 0);
    fake_cell(&e->reason, "Function failed");
    fake_cell(&e->failure_details, "{\"ErrorType\":\"Smtp\",\"ErrorMessage\":\"re\\tfused\"}");
    fake_cell(&fake_event(in, EVENT_SUSPENDED, 7)->reason, "stop it");
    e = fake_event(in, EVENT_UNKNOWN, 8);
    e->type_name = STR("FutureThing");
    fake_cell(&e->result, "7");
}

#define T(second) "2026-11-24T09:00:0" #second ".0000000Z\t"

static void test_B32_history_columns(void **state)
{
    struct mounted *m = *state;

    order_history(fakehub_add(m->hub, "h", "OrderFlow", STATUS_RUNNING));
    assert_string_equal(
        mounted_cat(m, "instances/h/history"),
        T(0) "ExecutionStarted\tOrderFlow\t\t{\"id\":17}\n" T(
            1) "TaskScheduled\tReserveStock\t0\t["
               " 1, 2]\n" T(2) "TaskCompleted\tRe"
                               "serveStock\t0\t{"
                               "\"ok\":true}\n" T(
                                   3) "EventRaised\tApprove\\t!\t\t{\"ok\":true}"
                                      "\n" T(4) "TimerCreated\t\t1\t\"2026-11-24T09:"
                                                "00:09.0000000Z\"\n" T(
                                                    5) "SubOrchest"
                                                       "rationInst"
                                                       "anceCreate"
                                                       "d\tShip\t2"
                                                       "\t\"order/"
                                                       "ship\""
                                                       "\n" T(
                                                           6) "TaskFailed\tReserv"
                                                              "eStock\t0\t\"re\\t"
                                                              "fused\"\n" T(
                                                                  7) "ExecutionSu"
                                                                     "spended\t\t"
                                                                     "\t\"stop "
                                                                     "it\"\n" T(
                                                                         8) "FutureThing\t\t\t7\n");
}

static void test_history_as_stored(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "h", "OrderFlow", STATUS_COMPLETED);

    assert_string_equal(mounted_cat(m, "instances/h/history.jsonl"), "");
    mounted_cat(m, "instances/h/history.json");
    assert_true(json_valid(buf_str(&m->out)));
    order_history(in);
    in->n_events = 2;
    mounted_refresh(m);
    assert_string_equal(mounted_cat(m, "instances/h/history.jsonl"), "{\"n\":0}\n{\"n\": 1}\n");
    assert_string_equal(mounted_cat(m, "instances/h/history.json"),
                        "[\n{\"n\":0},\n{\"n\": 1}\n]\n");
}

static void test_B46_parent_and_children(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "h", "OrderFlow", STATUS_COMPLETED);

    order_history(in);
    task(in, EVENT_SUB_CREATED, 9, 4)->instance_id = STR("order/ship");
    task(in, EVENT_SUB_CREATED, 9, 5)->instance_id = STR("h");
    in->events[1].parent = STR("{\"OrchestrationInstance\":{\"InstanceId\":\".h\"}}");
    assert_string_equal(mounted_cat(m, "instances/h/parent"), "%2Eh\n");
    assert_string_equal(mounted_cat(m, "instances/h/children"), "order%2Fship\nh\n");
    fakehub_add(m->hub, "top", "OrderFlow", STATUS_COMPLETED);
    assert_string_equal(mounted_cat(m, "instances/top/parent"), "");
    assert_string_equal(mounted_cat(m, "instances/top/children"), "");
}

/* -- failure -- */

static void test_failure_from_details(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "f", "OrderFlow", STATUS_FAILED);
    struct event *e;

    fake_set(&in->output, "not this");
    e = task(in, EVENT_TASK_SCHEDULED, 1, 0);
    e->name = STR("Notify");
    e = task(in, EVENT_TASK_FAILED, 2, 0);
    fake_cell(
        &e->failure_details,
        "{\"ErrorType\":\"Smtp\",\"ErrorMessage\":\"refused\",\"StackTrace\":\"   at S.Send()\"}");
    e = fake_event(in, EVENT_EXECUTION_COMPLETED, 3);
    fake_cell(&e->failure_details,
              "{\"ErrorType\":\"TaskFailed\",\"ErrorMessage\":\"Notify failed\",\"StackTrace\":"
              "\"   at A\\r\\n   at B\",\"InnerFailure\":{\"ErrorType\":\"Smtp\",\"ErrorMessage\":"
              "\"refused\",\"InnerFailure\":null}}");
    assert_string_equal(mounted_cat(m, "instances/f/failure"), "TaskFailed: Notify failed\n"
                                                               "   at A\n"
                                                               "   at B\n"
                                                               "Caused by: Smtp: refused\n"
                                                               "\n"
                                                               "Notify\n"
                                                               "Smtp: refused\n"
                                                               "   at S.Send()\n");
}

static void test_failure_of_in_process_apps(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "f", "OrderFlow", STATUS_FAILED);
    struct event *e;

    fake_set(&in->output, "Orchestrator function 'OrderFlow' failed: boom\n  at X");
    e = task(in, EVENT_TASK_SCHEDULED, 1, 0);
    e->name = STR("Charge");
    e = task(in, EVENT_TASK_FAILED, 2, 0);
    fake_cell(&e->reason, "boom");
    fake_cell(&e->details,
              "{\"ClassName\":\"System.Exception\",\"Message\":\"boom\",\"Data\":{\"a\":[1]},"
              "\"InnerException\":{\"ClassName\":\"Db\",\"Message\":\"deep\","
              "\"StackTraceString\":\"at D\"},\"StackTraceString\":\"at C\"}");
    e = task(in, EVENT_SUB_FAILED, 3, 7);
    fake_cell(&e->reason, "only a reason");
    fake_event(in, EVENT_EXECUTION_COMPLETED, 4);
    assert_string_equal(mounted_cat(m, "instances/f/failure"),
                        "Orchestrator function 'OrderFlow' failed: boom\n"
                        "  at X\n"
                        "\n"
                        "Charge\n"
                        "System.Exception: boom\n"
                        "at C\n"
                        "Caused by: Db: deep\n"
                        "at D\n"
                        "\n"
                        "\n"
                        "only a reason\n");
}

/* -- following -- */

static struct text *follow(struct mounted *m, node file, struct text *old)
{
    struct text *now = NULL;

    mounted_refresh(m);
    assert_int_equal(tree_follow(m->tree, &m->call, file, old, &now), OK);
    text_unref(old);
    return now;
}

static void test_history_grows_while_followed(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "h", "F", STATUS_RUNNING);
    node file = mounted_node(m, "instances/h/history");
    struct content c;
    struct text *text;

    fake_event(in, EVENT_EXECUTION_STARTED, 0);
    assert_int_equal(tree_read(m->tree, &m->call, file, &c), OK);
    assert_true(c.follows);
    text = follow(m, file, text_ref(c.text));
    assert_int_equal(text->len, c.text->len);
    fake_event(in, EVENT_RAISED, 1);
    fakehub_touch(m->hub, in);
    text = follow(m, file, text);
    assert_string_equal(text->p, T(0) "ExecutionStarted\t\t\t\n" T(1) "EventRaised\t\t\t\n");
    text_unref(text);
    content_fini(&c);
}

/* After a rewind or ContinueAsNew the rewritten events follow what was read, once. */
static void test_rewritten_history_follows(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "h", "F", STATUS_RUNNING);
    node file = mounted_node(m, "instances/h/history");
    struct content c;
    struct text *text;
    static const char all[] = T(0) "ExecutionStarted\t\t\t\n" T(1) "EventRaised\t\t\t\n" T(
        5) "ExecutionStarted\t\t\t\n" T(6) "EventRaised\t\t\t\n";

    fake_event(in, EVENT_EXECUTION_STARTED, 0);
    fake_event(in, EVENT_RAISED, 1);
    assert_int_equal(tree_read(m->tree, &m->call, file, &c), OK);
    in->n_events = 0;
    fake_event(in, EVENT_EXECUTION_STARTED, 5);
    fakehub_touch(m->hub, in);
    text = follow(m, file, text_ref(c.text));
    assert_int_equal(strncmp(text->p, all, text->len), 0);
    fake_event(in, EVENT_RAISED, 6);
    fakehub_touch(m->hub, in);
    text = follow(m, file, text);
    assert_string_equal(text->p, all);
    text = follow(m, file, text);
    assert_string_equal(text->p, all);
    /* A reading that shows less takes nothing back. */
    in->n_events = 1;
    fakehub_touch(m->hub, in);
    text = follow(m, file, text);
    assert_string_equal(text->p, all);
    text_unref(text);
    content_fini(&c);
}

static void test_wait(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "w", "F", STATUS_RUNNING);
    node file = mounted_node(m, "instances/w/wait");
    struct content c;
    struct text *text = NULL;
    struct attr a;

    assert_int_equal(tree_read(m->tree, &m->call, file, &c), OK);
    assert_true(c.waits);
    assert_null(c.text);
    assert_int_equal(tree_attr(m->tree, &m->call, file, true, &a), OK);
    assert_int_equal(a.size, 0);
    assert_int_equal(tree_waited(m->tree, &m->call, file, 0, &text), ERR_BUSY);
    fakehub_set_status(m->hub, in, STATUS_TERMINATED);
    clock_sleep_ms(2); /* what was read within this millisecond has no age */
    assert_int_equal(tree_waited(m->tree, &m->call, file, 0, &text), OK);
    assert_string_equal(text->p, "Terminated\n");
    text_unref(text);
    fakehub_remove(m->hub, "w");
    mounted_refresh(m);
    assert_int_equal(tree_waited(m->tree, &m->call, file, 0, &text), ERR_NOT_FOUND);
}

/* -- entities, the mount itself -- */

static void test_B10_entity_state(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "@counter@k", "@counter@k", STATUS_RUNNING);

    fake_set(&in->input, "{\"exists\":true,\"state\":\"{\\\"value\\\":5}\",\"sorter\":{}}");
    fake_set(&in->custom, "{\"entityExists\":true}");
    assert_string_equal(mounted_cat(m, "entities/counter/k/state"), "{\"value\":5}\n");
    assert_true(str_starts(str_c(mounted_cat(m, "entities/counter/k/status")),
                           STR("InstanceId:\t@counter@k\n")));
}

static void test_the_mount_itself(void **state)
{
    struct mounted *m = *state;

    fakehub_add(m->hub, "x", "F", STATUS_FAILED);
    mounted_ls(m, "instances");
    assert_string_equal(mounted_cat(m, ".taskhubfs/version"), "1.2.3\n");
    assert_string_equal(mounted_cat(m, ".taskhubfs/config"), "cache-ttl\t3600\tdefault\n");
    assert_string_equal(mounted_cat(m, ".taskhubfs/queues"), "hub-control-00\t0\tworker\n");
    assert_string_equal(mounted_cat(m, ".taskhubfs/errors"), "");
    assert_string_equal(mounted_cat(m, ".taskhubfs/refresh"), "");
    mounted_cat(m, ".taskhubfs/stats");
    assert_true(json_valid(buf_str(&m->out)));
    assert_true(str_has(buf_str(&m->out), STR("\"Failed\":1,")));
    assert_true(
        str_has(buf_str(&m->out), STR("\"requests\":{\"table\":1,\"queue\":0,\"blob\":0}")));
}

static void test_readme_names_every_file(void **state)
{
    struct mounted *m = *state;
    static const char *const names[] = { "by-status/", "status.json", "rewind", ".taskhubfs/",
                                         "wait" };

    mounted_cat(m, "README");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_true(str_has(buf_str(&m->out), str_c(names[i])));
    assert_true(str_has(buf_str(&m->out), STR("FakeHub")));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status_lines),
        TEST(test_status_of_a_rewound_instance),
        TEST(test_B36_absent_times),
        TEST(test_status_json),
        TEST(test_status_json_of_a_running_instance),
        TEST(test_payloads),
        TEST(test_output_waits_for_the_end),
        TEST(test_versions),
        TEST(test_B32_history_columns),
        TEST(test_history_as_stored),
        TEST(test_B46_parent_and_children),
        TEST(test_failure_from_details),
        TEST(test_failure_of_in_process_apps),
        TEST(test_history_grows_while_followed),
        TEST(test_rewritten_history_follows),
        TEST(test_wait),
        TEST(test_B10_entity_state),
        TEST(test_the_mount_itself),
        TEST(test_readme_names_every_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
