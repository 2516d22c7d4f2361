#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "backend/storage/rewind.h"
#include "tests/backend/storage/fakeserver.h"

#define ROW       "/t/MyHubInstances(PartitionKey="
#define PARENT    ROW "'order-17'"
#define CHILD     ROW "'ship-17'"
#define HISTORY   "/t/MyHubHistory()"
#define EVENT     "/t/MyHubHistory(PartitionKey='order-17',RowKey='"
#define CEVENT    "/t/MyHubHistory(PartitionKey='ship-17',RowKey='"
#define SENTINEL  EVENT "sentinel'"
#define CSENTINEL CEVENT "sentinel'"
#define QUEUE     "/q/myhub-control-"
#define ETAG(n)   "etag: W/\"" n "\"\r\n"
#define CODE(c)   "x-ms-error-code: " c "\r\n"
#define KEY(n)    "00000000000000" n
#define REFUSED   "UpdateConditionNotSatisfied"

#define ROW_OF(id, status)                                                                         \
    "{\"PartitionKey\":\"" id "\",\"RowKey\":\"\",\"Name\":\"F\",\"Version\":\"\","                \
    "\"RuntimeStatus\":\"" status "\",\"CreatedTime\":\"2024-05-01T10:00:00.1234567Z\","           \
    "\"LastUpdatedTime\":\"2024-05-01T10:00:01Z\",\"ExecutionId\":\"x1\",\"Output\":\"boom\"}"
#define X1 "{\"ExecutionId\":\"x1\"}"

#define GET_PARENT                                                                                 \
    {                                                                                              \
        .method = "GET", .path = PARENT, .status = 200, .headers = ETAG("p1"),                     \
        .body = ROW_OF("order-17", "Failed")                                                       \
    }
#define GET_SENTINEL                                                                               \
    {                                                                                              \
        .method = "GET", .path = SENTINEL, .status = 200, .body = X1                               \
    }

/* The failed order of storage tables 5.8: rows 0E, 14, 15 of the run. */
#define FAILED_TASK                                                                                \
    "{\"value\":[{\"RowKey\":\"" KEY(                                                              \
        "0E") "\",\"EventType\":\"TaskScheduled\",\"EventId\":3},"                                 \
              "{\"RowKey\":\"" KEY(                                                                \
                  "02") "\",\"EventType\":\"TaskScheduled\",\"EventId\":0},"                       \
                        "{\"RowKey\":\"" KEY(                                                      \
                            "14") "\",\"EventType\":\"TaskFailed\",\"EventId\":-1,"                \
                                  "\"TaskScheduledId\":3},"                                        \
                                  "{\"RowKey\":\"" KEY(                                            \
                                      "15") "\",\"EventType\":\"ExecutionCompleted\",\"EventId\":" \
                                            "4,"                                                   \
                                            "\"OrchestrationStatus\":\"Failed\"}]}"

#define GET_EVENT(prefix, n, type)                                                                 \
    {                                                                                              \
        .method = "GET", .path = prefix KEY(n), .status = 200, .headers = ETAG("h" n),             \
        .body = "{\"EventType\":\"" type "\"}"                                                     \
    }
#define MERGE_EVENT(prefix, n)                                                                     \
    {                                                                                              \
        .method = "MERGE", .path = prefix KEY(n), .status = 204                                    \
    }

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    struct arena arena;
    enum err err;
};

static struct scene play(const struct fake_rule *rules, const char *reason)
{
    struct scene scene = { .f = fakeserver_new(rules) };
    struct command cmd = {
        .kind = CMD_REWIND, .id = STR("order-17"), .has_data = reason != NULL, .data = str_c(reason)
    };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    arena_init(&scene.arena);
    fake_call_init(&scene.call);
    scene.err = hub_send(&scene.s->hub, &scene.call, &cmd, NULL);
    return scene;
}

static void scene_end(struct scene *scene)
{
    hub_close(&scene->s->hub);
    arena_fini(&scene->arena);
    fakeserver_free(scene->f);
}

static void assert_end(const struct scene *scene, enum err err, size_t requests)
{
    if (scene->err != err || fakeserver_count(scene->f) != requests)
        fail_msg("%s instead of %s, %zu requests instead of %zu: %s\n%s", err_name(scene->err),
                 err_name(err), fakeserver_count(scene->f), requests, scene->call.text,
                 fakeserver_log(scene->f));
}

static void assert_only_reads(const struct scene *scene)
{
    const char *log = fakeserver_log(scene->f);

    assert_null(strstr(log, "MERGE "));
    assert_null(strstr(log, "PUT "));
    assert_null(strstr(log, "POST "));
    assert_null(strstr(log, "DELETE "));
}

/* Request i changes this row to that, under its ETag. */
static void assert_mark(struct scene *scene, size_t i, const char *path, const char *etag,
                        const char *json)
{
    if (!str_starts(fakeserver_path(scene->f, i), str_c(path)))
        fail_msg("request %zu is not %s:\n%s", i, path, fakeserver_log(scene->f));
    assert_true(str_eq(fakeserver_header(scene->f, i, "if-match"), str_c(etag)));
    if (!str_eq(fakeserver_body(scene->f, i), str_c(json)))
        fail_msg("%.*s", STR_ARG(fakeserver_body(scene->f, i)));
}

#define MARK(type) "{\"EventType\":\"GenericEvent\",\"Reason\":\"Rewound: " type "\"}"

static void assert_pending(struct scene *scene, size_t i, const char *path, const char *etag)
{
    assert_true(str_starts(fakeserver_path(scene->f, i), str_c(path)));
    assert_true(str_eq(fakeserver_header(scene->f, i, "if-match"), str_c(etag)));
    assert_true(str_starts(fakeserver_body(scene->f, i),
                           STR("{\"RuntimeStatus\":\"Pending\",\"LastUpdatedTime\":\"")));
    assert_true(str_ends(fakeserver_body(scene->f, i),
                         STR("\",\"LastUpdatedTime@odata.type\":\"Edm.DateTime\"}")));
}

static void assert_woken(struct scene *scene, size_t i, const char *id, const char *data)
{
    struct str json = fakeserver_message(scene->f, i, &scene->arena);
    char expected[300];

    snprintf(expected, sizeof(expected),
             "GenericEvent\",\"Data\":%s,\"EventType\":17,\"EventId\":-1", data);
    if (!str_has(json, str_c(expected)))
        fail_msg("%.*s", STR_ARG(json));
    snprintf(expected, sizeof(expected), "\"InstanceId\":\"%s\",\"ExecutionId\":null}", id);
    assert_true(str_has(json, str_c(expected)));
}

static void test_T121_T122_T123_failed_task(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        { .method = "GET", .path = HISTORY, .status = 200, .body = FAILED_TASK },
        GET_EVENT(EVENT, "0E", "TaskScheduled"),
        GET_EVENT(EVENT, "14", "TaskFailed"),
        GET_EVENT(EVENT, "15", "ExecutionCompleted"),
        MERGE_EVENT(EVENT, "0E"),
        MERGE_EVENT(EVENT, "14"),
        MERGE_EVENT(EVENT, "15"),
        { .method = "MERGE", .path = PARENT, .status = 204 },
        { .method = "POST", .path = QUEUE, .status = 201 },
        { 0 },
    };
    struct scene scene = play(rules, "again");

    assert_end(&scene, OK, 11);
    assert_mark(&scene, 6, EVENT KEY("0E"), "W/\"h0E\"", MARK("TaskScheduled"));
    assert_mark(&scene, 7, EVENT KEY("14"), "W/\"h14\"", MARK("TaskFailed"));
    assert_mark(&scene, 8, EVENT KEY("15"), "W/\"h15\"", MARK("ExecutionCompleted"));
    assert_pending(&scene, 9, PARENT, "W/\"p1\"");
    assert_woken(&scene, 10, "order-17", "\"again\"");
    scene_end(&scene);
}

static void test_reason_may_be_missing(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        { .method = "GET", .path = HISTORY, .status = 200, .body = "{\"value\":[]}" },
        { .method = "MERGE", .path = PARENT, .status = 204 },
        { .method = "POST", .path = QUEUE, .status = 201 },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, OK, 5);
    assert_woken(&scene, 4, "order-17", "null");
    scene_end(&scene);
}

static void test_T124_second_rewind(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        { .method = "GET",
          .path = HISTORY,
          .status = 200,
          .body = "{\"value\":[{\"RowKey\":\"" KEY(
              "0E") "\",\"EventType\":\"GenericEvent\","
                    "\"EventId\":3,\"Reason\":\"Rewound: TaskScheduled\"},"
                    "{\"RowKey\":\"" KEY("15") "\",\"EventType\":\"GenericEvent\","
                                               "\"OrchestrationStatus\":\"Failed\",\"Reason\":"
                                               "\"Rewound: ExecutionCompleted\"},"
                                               "{\"RowKey\":\"" KEY(
                                                   "1D") "\",\"EventType\":\"ExecutionCompleted\","
                                                         "\"OrchestrationStatus\":\"Failed\"}]}" },
        GET_EVENT(EVENT, "15", "GenericEvent"),
        GET_EVENT(EVENT, "1D", "ExecutionCompleted"),
        MERGE_EVENT(EVENT, "15"),
        MERGE_EVENT(EVENT, "1D"),
        { .method = "MERGE", .path = PARENT, .status = 204 },
        { .method = "POST", .path = QUEUE, .status = 201 },
        { 0 },
    };
    struct scene scene = play(rules, "again");

    assert_end(&scene, OK, 9);
    assert_mark(&scene, 5, EVENT KEY("15"), "W/\"h15\"", MARK("GenericEvent"));
    assert_mark(&scene, 6, EVENT KEY("1D"), "W/\"h1D\"", MARK("ExecutionCompleted"));
    scene_end(&scene);
}

#define FAILED_CHILD                                                                               \
    "{\"value\":[{\"RowKey\":\"" KEY(                                                              \
        "0A") "\",\"EventType\":\"SubOrchestrationInstanceCreated\","                              \
              "\"EventId\":2,\"InstanceId\":\"ship-17\"},"                                         \
              "{\"RowKey\":\"" KEY("0D") "\",\"EventType\":\"SubOrchestrationInstanceFailed\","    \
                                         "\"TaskScheduledId\":2},"                                 \
                                         "{\"RowKey\":\"" KEY(                                     \
                                             "0E") "\",\"EventType\":\"ExecutionCompleted\","      \
                                                   "\"OrchestrationStatus\":\"Failed\"}]}"

#define CHILD_END                                                                                  \
    "{\"value\":[{\"RowKey\":\"" KEY("03") "\",\"EventType\":\"ExecutionCompleted\","              \
                                           "\"OrchestrationStatus\":\"Failed\"}]}"

#define PARENT_OF_FAILED_CHILD                                                                     \
    GET_PARENT, GET_SENTINEL,                                                                      \
        { .method = "GET", .path = HISTORY, .status = 200, .body = FAILED_CHILD },                 \
        GET_EVENT(EVENT, "0A", "SubOrchestrationInstanceCreated"),                                 \
        GET_EVENT(EVENT, "0D", "SubOrchestrationInstanceFailed"),                                  \
        GET_EVENT(EVENT, "0E", "ExecutionCompleted")

static void test_T125_children_before_parents(void **state)
{
    static const struct fake_rule rules[] = {
        PARENT_OF_FAILED_CHILD,
        { .method = "GET",
          .path = CHILD,
          .status = 200,
          .headers = ETAG("c1"),
          .body = ROW_OF("ship-17", "Failed") },
        { .method = "GET", .path = CSENTINEL, .status = 200, .body = X1 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = CHILD_END },
        GET_EVENT(CEVENT, "03", "ExecutionCompleted"),
        MERGE_EVENT(CEVENT, "03"),
        MERGE_EVENT(EVENT, "0A"),
        MERGE_EVENT(EVENT, "0D"),
        MERGE_EVENT(EVENT, "0E"),
        { .method = "MERGE", .path = CHILD, .status = 204 },
        { .method = "MERGE", .path = PARENT, .status = 204 },
        { .method = "POST", .path = QUEUE, .status = 201 },
        { 0 },
    };
    struct scene scene = play(rules, "again");

    assert_end(&scene, OK, 17);
    assert_mark(&scene, 10, CEVENT KEY("03"), "W/\"h03\"", MARK("ExecutionCompleted"));
    /* It stays what it is: the child is the same (storage tables 11.2). */
    assert_mark(&scene, 11, EVENT KEY("0A"), "W/\"h0A\"",
                "{\"Reason\":\"Rewound: SubOrchestrationInstanceCreated\"}");
    assert_mark(&scene, 12, EVENT KEY("0D"), "W/\"h0D\"", MARK("SubOrchestrationInstanceFailed"));
    assert_mark(&scene, 13, EVENT KEY("0E"), "W/\"h0E\"", MARK("ExecutionCompleted"));
    assert_pending(&scene, 14, CHILD, "W/\"c1\"");
    assert_pending(&scene, 15, PARENT, "W/\"p1\"");
    assert_woken(&scene, 16, "ship-17", "\"again\"");
    scene_end(&scene);
}

static void test_V40_T132_child_missing(void **state)
{
    static const struct fake_rule rules[] = {
        PARENT_OF_FAILED_CHILD,
        { .method = "GET", .path = CHILD, .status = 404, .headers = CODE("ResourceNotFound") },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_int_equal(scene.err, ERR_WRONG_STATE);
    assert_only_reads(&scene);
    assert_non_null(strstr(scene.call.text, "ship-17"));
    scene_end(&scene);
}

static void test_child_that_runs_again(void **state)
{
    static const struct fake_rule rules[] = {
        PARENT_OF_FAILED_CHILD,
        { .method = "GET",
          .path = CHILD,
          .status = 200,
          .headers = ETAG("c1"),
          .body = ROW_OF("ship-17", "Running") },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_int_equal(scene.err, ERR_WRONG_STATE);
    assert_only_reads(&scene);
    scene_end(&scene);
}

static void test_scheduling_row_missing(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        { .method = "GET",
          .path = HISTORY,
          .status = 200,
          .body = "{\"value\":[{\"RowKey\":\"" KEY("14") "\",\"EventType\":\"TaskFailed\","
                                                         "\"TaskScheduledId\":3}]}" },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, ERR_WRONG_STATE, 3);
    assert_only_reads(&scene);
    scene_end(&scene);
}

/* Only the rows of the sentinel's execution are asked for: surplus rows of an older run stay. */
static void test_T128_execution_of_the_sentinel(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        { .method = "GET", .path = HISTORY, .status = 200, .body = "{\"value\":[]}" },
        { .method = "MERGE", .path = PARENT, .status = 204 },
        { .method = "POST", .path = QUEUE, .status = 201 },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, OK, 5);
    assert_true(str_has(fakeserver_path(scene.f, 2),
                        STR("PartitionKey%20eq%20'order-17'%20and%20ExecutionId%20eq%20'x1'%20and"
                            "%20(OrchestrationStatus%20eq%20'Failed'%20or%20")));
    scene_end(&scene);
}

static void test_history_of_another_run(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        { .method = "GET", .path = SENTINEL, .status = 200, .body = "{\"ExecutionId\":\"x2\"}" },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, ERR_BUSY, 2);
    scene_end(&scene);
}

static void test_V41_row_changed_after_the_history(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        { .method = "GET", .path = HISTORY, .status = 200, .body = FAILED_TASK },
        GET_EVENT(EVENT, "0E", "TaskScheduled"),
        GET_EVENT(EVENT, "14", "TaskFailed"),
        GET_EVENT(EVENT, "15", "ExecutionCompleted"),
        MERGE_EVENT(EVENT, "0E"),
        MERGE_EVENT(EVENT, "14"),
        MERGE_EVENT(EVENT, "15"),
        { .method = "MERGE", .path = PARENT, .status = 412, .headers = CODE(REFUSED) },
        { .method = "GET",
          .path = PARENT,
          .status = 200,
          .headers = ETAG("p2"),
          .body = ROW_OF("order-17", "Failed") },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, ERR_BUSY, 11);
    assert_null(strstr(fakeserver_log(scene.f), "POST "));
    assert_non_null(strstr(scene.call.text, "half done (3 history rows, 0 instance rows)"));
    scene_end(&scene);
}

static void test_somebody_else_rewinds_the_history(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        { .method = "GET", .path = HISTORY, .status = 200, .body = CHILD_END },
        GET_EVENT(EVENT, "03", "ExecutionCompleted"),
        { .method = "MERGE", .path = EVENT KEY("03"), .status = 412, .headers = CODE(REFUSED) },
        { .method = "GET",
          .path = EVENT KEY("03"),
          .status = 200,
          .headers = ETAG("h4"),
          .body = "{\"Reason\":null}" },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, ERR_BUSY, 6);
    scene_end(&scene);
}

/* The layer below repeats a merge whose answer was lost, and is refused by its own success. */
static void test_lost_answer_to_a_mark(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        { .method = "GET", .path = HISTORY, .status = 200, .body = CHILD_END },
        GET_EVENT(EVENT, "03", "ExecutionCompleted"),
        { .method = "MERGE", .path = EVENT KEY("03"), .fault = FAKE_RESETS },
        { .method = "MERGE", .path = EVENT KEY("03"), .status = 412, .headers = CODE(REFUSED) },
        { .method = "GET",
          .path = EVENT KEY("03"),
          .status = 200,
          .headers = ETAG("h4"),
          .body = "{\"Reason\":\"Rewound: ExecutionCompleted\"}" },
        { .method = "MERGE", .path = PARENT, .status = 204 },
        { .method = "POST", .path = QUEUE, .status = 201 },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, OK, 9);
    scene_end(&scene);
}

/* Cut off between the decision and its failure: the decision is marked already. */
static void test_cut_off_in_the_history(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        { .method = "GET",
          .path = HISTORY,
          .status = 200,
          .body = "{\"value\":[{\"RowKey\":\"" KEY(
              "0E") "\",\"EventType\":\"GenericEvent\","
                    "\"EventId\":3,\"Reason\":\"Rewound: TaskScheduled\"},"
                    "{\"RowKey\":\"" KEY("14") "\",\"EventType\":\"TaskFailed\","
                                               "\"TaskScheduledId\":3}]}" },
        GET_EVENT(EVENT, "14", "TaskFailed"),
        MERGE_EVENT(EVENT, "14"),
        { .method = "MERGE", .path = PARENT, .status = 204 },
        { .method = "POST", .path = QUEUE, .status = 201 },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, OK, 7);
    scene_end(&scene);
}

/* Cut off before the message: everything says Pending, and only the leaf is to be woken. */
static void test_cut_off_before_the_message(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = PARENT,
          .status = 200,
          .headers = ETAG("p2"),
          .body = ROW_OF("order-17", "Pending") },
        { .method = "GET", .path = SENTINEL, .status = 200, .body = X1, .times = 2 },
        { .method = "GET",
          .path = HISTORY "?$top=1000&$select=RowKey&",
          .status = 200,
          .body = "{\"value\":[]}",
          .times = 2 },
        { .method = "GET",
          .path = HISTORY,
          .status = 200,
          .body = "{\"value\":[{\"RowKey\":\"" KEY(
              "0A") "\",\"EventType\":"
                    "\"SubOrchestrationInstanceCreated\",\"EventId\":2,\"InstanceId\":\"ship-17\","
                    "\"Reason\":\"Rewound: SubOrchestrationInstanceCreated\"},"
                    "{\"RowKey\":\"" KEY("0E") "\",\"EventType\":\"GenericEvent\","
                                               "\"OrchestrationStatus\":\"Failed\",\"Reason\":"
                                               "\"Rewound: ExecutionCompleted\"}"
                                               "]}" },
        { .method = "GET",
          .path = CHILD,
          .status = 200,
          .headers = ETAG("c2"),
          .body = ROW_OF("ship-17", "Pending") },
        { .method = "GET", .path = CSENTINEL, .status = 200, .body = X1, .times = 2 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = "{\"value\":[]}" },
        { .method = "POST", .path = QUEUE, .status = 201 },
        { 0 },
    };
    struct scene scene = play(rules, "again");

    assert_int_equal(scene.err, OK);
    assert_null(strstr(fakeserver_log(scene.f), "MERGE "));
    size_t last = fakeserver_count(scene.f) - 1;
    assert_woken(&scene, last, "ship-17", "\"again\"");
    scene_end(&scene);
}

static void test_not_woken_is_said(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        { .method = "GET", .path = HISTORY, .status = 200, .body = "{\"value\":[]}" },
        { .method = "MERGE", .path = PARENT, .status = 204 },
        { .method = "POST", .path = QUEUE, .status = 404, .headers = CODE("QueueNotFound") },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, ERR_BROKEN, 5);
    assert_non_null(strstr(scene.call.text, "rewound, not yet woken"));
    scene_end(&scene);
}

static void test_only_failed_ones(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = PARENT,
          .status = 200,
          .headers = ETAG("p1"),
          .body = ROW_OF("order-17", "Completed") },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, ERR_WRONG_STATE, 1);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T121_T122_T123_failed_task),
        cmocka_unit_test(test_reason_may_be_missing),
        cmocka_unit_test(test_T124_second_rewind),
        cmocka_unit_test(test_T125_children_before_parents),
        cmocka_unit_test(test_V40_T132_child_missing),
        cmocka_unit_test(test_child_that_runs_again),
        cmocka_unit_test(test_scheduling_row_missing),
        cmocka_unit_test(test_T128_execution_of_the_sentinel),
        cmocka_unit_test(test_history_of_another_run),
        cmocka_unit_test(test_V41_row_changed_after_the_history),
        cmocka_unit_test(test_somebody_else_rewinds_the_history),
        cmocka_unit_test(test_lost_answer_to_a_mark),
        cmocka_unit_test(test_cut_off_in_the_history),
        cmocka_unit_test(test_cut_off_before_the_message),
        cmocka_unit_test(test_not_woken_is_said),
        cmocka_unit_test(test_only_failed_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
