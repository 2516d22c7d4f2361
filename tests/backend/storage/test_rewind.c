#include <stdio.h>

#include "backend/storage/rewind.h"
#include "tests/backend/storage/scene.h"

#define ROW       "/t/MyHubInstances(PartitionKey="
#define PARENT    ROW "'order-17'"
#define CHILD     ROW "'ship-17'"
#define HISTORY   "/t/MyHubHistory()"
#define EVENT     "/t/MyHubHistory(PartitionKey='order-17',RowKey='"
#define CEVENT    "/t/MyHubHistory(PartitionKey='ship-17',RowKey='"
#define SENTINEL  EVENT "sentinel'"
#define CSENTINEL CEVENT "sentinel'"
#define QUEUE     "/q/myhub-control-"
#define KEY(n)    "00000000000000" n

#define ROW_OF(id, status)                                                                         \
    "{\"PartitionKey\":\"" id "\",\"RowKey\":\"\",\"Name\":\"F\",\"Version\":\"\","                \
    "\"RuntimeStatus\":\"" status "\",\"CreatedTime\":\"2024-05-01T10:00:00.1234567Z\","           \
    "\"LastUpdatedTime\":\"2024-05-01T10:00:01Z\",\"ExecutionId\":\"x1\",\"Output\":\"boom\"}"
#define X1 "{\"ExecutionId\":\"x1\"}"

#define EVENTS(rows)         "{\"value\":[" rows "]}"
#define EVENTS_2(a, b)       EVENTS(a "," b)
#define EVENTS_3(a, b, c)    EVENTS(a "," b "," c)
#define EVENTS_4(a, b, c, d) EVENTS(a "," b "," c "," d)
/* One of them; more: further members, each after a comma. */
#define EVENT_ROW(n, type, more) "{\"RowKey\":\"" KEY(n) "\",\"EventType\":\"" type "\"" more "}"
#define ID(n)                    ",\"EventId\":" n
#define IS_CHILD                 ",\"InstanceId\":\"ship-17\""
#define OF_TASK(n)               ",\"TaskScheduledId\":" n
#define FAILED                   ",\"OrchestrationStatus\":\"Failed\""
#define WAS(type)                ",\"Reason\":\"Rewound: " type "\""

#define GET_PARENT   GIVES_ROW(PARENT, VERSION("p1"), ROW_OF("order-17", "Failed"))
#define GET_SENTINEL GIVES(SENTINEL, X1)
#define MERGE(row)   DOES("MERGE", row, 204)
#define SENT         DOES("POST", QUEUE, 201)

#define GET_EVENT(prefix, n, type)                                                                 \
    GIVES_ROW(prefix KEY(n), VERSION("h" n), "{\"EventType\":\"" type "\"}")
#define MERGE_EVENT(prefix, n) MERGE(prefix KEY(n))

/* The failed order of storage tables 5.8: rows 0E, 14, 15 of the run. */
#define FAILED_TASK                                                                                \
    EVENTS_4(EVENT_ROW("0E", "TaskScheduled", ID("3")), EVENT_ROW("02", "TaskScheduled", ID("0")), \
             EVENT_ROW("14", "TaskFailed", ID("-1") OF_TASK("3")),                                 \
             EVENT_ROW("15", "ExecutionCompleted", ID("4") FAILED))
#define PARENT_OF_FAILED_TASK                                                                      \
    GET_PARENT, GET_SENTINEL, GIVES(HISTORY, FAILED_TASK),                                         \
        GET_EVENT(EVENT, "0E", "TaskScheduled"), GET_EVENT(EVENT, "14", "TaskFailed"),             \
        GET_EVENT(EVENT, "15", "ExecutionCompleted")
#define ITS_MARKS MERGE_EVENT(EVENT, "0E"), MERGE_EVENT(EVENT, "14"), MERGE_EVENT(EVENT, "15")

static struct scene *play(void **state, const struct fake_rule *rules, const char *reason)
{
    struct command cmd = {
        .kind = CMD_REWIND, .id = STR("order-17"), .has_data = reason != NULL, .data = str_c(reason)
    };

    return scene_send(state, rules, &cmd);
}

static void assert_only_reads(const struct scene *scene)
{
    assert_no(scene, "MERGE");
    assert_no(scene, "PUT");
    assert_no(scene, "POST");
    assert_no(scene, "DELETE");
}

/* Request i changes this row to that, under its ETag. */
static void assert_mark(struct scene *scene, size_t i, const char *path, const char *etag,
                        const char *json)
{
    if (!str_starts(fakeserver_path(scene->f, i), str_c(path)))
        fail_msg("request %zu is not %s:\n%s", i, path, fakeserver_log(scene->f));
    assert_header(scene, i, "if-match", etag);
    if (!str_eq(fakeserver_body(scene->f, i), str_c(json)))
        fail_msg("%.*s", STR_ARG(fakeserver_body(scene->f, i)));
}

#define MARK(type) "{\"EventType\":\"GenericEvent\",\"Reason\":\"Rewound: " type "\"}"

static void assert_pending(struct scene *scene, size_t i, const char *path, const char *etag)
{
    assert_true(str_starts(fakeserver_path(scene->f, i), str_c(path)));
    assert_header(scene, i, "if-match", etag);
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
    assert_has(json, expected);
    snprintf(expected, sizeof(expected), "\"InstanceId\":\"%s\",\"ExecutionId\":null}", id);
    assert_has(json, expected);
}

static void test_T121_T122_T123_failed_task(void **state)
{
    static const struct fake_rule rules[] = {
        PARENT_OF_FAILED_TASK, ITS_MARKS, MERGE(PARENT), SENT, { 0 },
    };
    struct scene *scene = play(state, rules, "again");

    assert_end(scene, OK, 11);
    assert_mark(scene, 6, EVENT KEY("0E"), VERSION("h0E"), MARK("TaskScheduled"));
    assert_mark(scene, 7, EVENT KEY("14"), VERSION("h14"), MARK("TaskFailed"));
    assert_mark(scene, 8, EVENT KEY("15"), VERSION("h15"), MARK("ExecutionCompleted"));
    assert_pending(scene, 9, PARENT, VERSION("p1"));
    assert_woken(scene, 10, "order-17", "\"again\"");
}

static void test_reason_may_be_missing(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT, GET_SENTINEL, GIVES(HISTORY, NOTHING), MERGE(PARENT), SENT, { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_end(scene, OK, 5);
    assert_woken(scene, 4, "order-17", "null");
}

static void test_T124_second_rewind(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        GIVES(HISTORY, EVENTS_3(EVENT_ROW("0E", "GenericEvent", ID("3") WAS("TaskScheduled")),
                                EVENT_ROW("15", "GenericEvent", FAILED WAS("ExecutionCompleted")),
                                EVENT_ROW("1D", "ExecutionCompleted", FAILED))),
        GET_EVENT(EVENT, "15", "GenericEvent"),
        GET_EVENT(EVENT, "1D", "ExecutionCompleted"),
        MERGE_EVENT(EVENT, "15"),
        MERGE_EVENT(EVENT, "1D"),
        MERGE(PARENT),
        SENT,
        { 0 },
    };
    struct scene *scene = play(state, rules, "again");

    assert_end(scene, OK, 9);
    assert_mark(scene, 5, EVENT KEY("15"), VERSION("h15"), MARK("GenericEvent"));
    assert_mark(scene, 6, EVENT KEY("1D"), VERSION("h1D"), MARK("ExecutionCompleted"));
}

#define FAILED_CHILD                                                                               \
    EVENTS_3(EVENT_ROW("0A", "SubOrchestrationInstanceCreated", ID("2") IS_CHILD),                 \
             EVENT_ROW("0D", "SubOrchestrationInstanceFailed", OF_TASK("2")),                      \
             EVENT_ROW("0E", "ExecutionCompleted", FAILED))
#define CHILD_END EVENTS(EVENT_ROW("03", "ExecutionCompleted", FAILED))
#define PARENT_OF_FAILED_CHILD                                                                     \
    GET_PARENT, GET_SENTINEL, GIVES(HISTORY, FAILED_CHILD),                                        \
        GET_EVENT(EVENT, "0A", "SubOrchestrationInstanceCreated"),                                 \
        GET_EVENT(EVENT, "0D", "SubOrchestrationInstanceFailed"),                                  \
        GET_EVENT(EVENT, "0E", "ExecutionCompleted")

static void test_T125_children_before_parents(void **state)
{
    static const struct fake_rule rules[] = {
        PARENT_OF_FAILED_CHILD,
        GIVES_ROW(CHILD, VERSION("c1"), ROW_OF("ship-17", "Failed")),
        GIVES(CSENTINEL, X1),
        GIVES(HISTORY, CHILD_END),
        GET_EVENT(CEVENT, "03", "ExecutionCompleted"),
        MERGE_EVENT(CEVENT, "03"),
        MERGE_EVENT(EVENT, "0A"),
        MERGE_EVENT(EVENT, "0D"),
        MERGE_EVENT(EVENT, "0E"),
        MERGE(CHILD),
        MERGE(PARENT),
        SENT,
        { 0 },
    };
    struct scene *scene = play(state, rules, "again");

    assert_end(scene, OK, 17);
    assert_mark(scene, 10, CEVENT KEY("03"), VERSION("h03"), MARK("ExecutionCompleted"));
    /* It stays what it is: the child is the same (storage tables 11.2). */
    assert_mark(scene, 11, EVENT KEY("0A"), VERSION("h0A"),
                "{\"Reason\":\"Rewound: SubOrchestrationInstanceCreated\"}");
    assert_mark(scene, 12, EVENT KEY("0D"), VERSION("h0D"), MARK("SubOrchestrationInstanceFailed"));
    assert_mark(scene, 13, EVENT KEY("0E"), VERSION("h0E"), MARK("ExecutionCompleted"));
    assert_pending(scene, 14, CHILD, VERSION("c1"));
    assert_pending(scene, 15, PARENT, VERSION("p1"));
    assert_woken(scene, 16, "ship-17", "\"again\"");
}

static void test_V40_T132_child_missing(void **state)
{
    static const struct fake_rule rules[] = {
        PARENT_OF_FAILED_CHILD,
        REFUSES("GET", CHILD, 404, "ResourceNotFound"),
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_err(scene, ERR_WRONG_STATE);
    assert_only_reads(scene);
    assert_non_null(strstr(scene->call.text, "ship-17"));
}

static void test_child_that_runs_again(void **state)
{
    static const struct fake_rule rules[] = {
        PARENT_OF_FAILED_CHILD,
        GIVES_ROW(CHILD, VERSION("c1"), ROW_OF("ship-17", "Running")),
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_err(scene, ERR_WRONG_STATE);
    assert_only_reads(scene);
}

static void test_scheduling_row_missing(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        GIVES(HISTORY, EVENTS(EVENT_ROW("14", "TaskFailed", OF_TASK("3")))),
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_end(scene, ERR_WRONG_STATE, 3);
    assert_only_reads(scene);
}

/* Only the rows of the sentinel's execution are asked for: surplus rows of an older run stay. */
static void test_T128_execution_of_the_sentinel(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT, GET_SENTINEL, GIVES(HISTORY, NOTHING), MERGE(PARENT), SENT, { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_end(scene, OK, 5);
    assert_true(str_has(fakeserver_path(scene->f, 2),
                        STR("PartitionKey%20eq%20'order-17'%20and%20ExecutionId%20eq%20'x1'%20and"
                            "%20(OrchestrationStatus%20eq%20'Failed'%20or%20")));
}

static void test_history_of_another_run(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GIVES(SENTINEL, "{\"ExecutionId\":\"x2\"}"),
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_end(scene, ERR_BUSY, 2);
}

static void test_V41_row_changed_after_the_history(void **state)
{
    static const struct fake_rule rules[] = {
        PARENT_OF_FAILED_TASK,
        ITS_MARKS,
        REFUSES("MERGE", PARENT, 412, CHANGED),
        GIVES_ROW(PARENT, VERSION("p2"), ROW_OF("order-17", "Failed")),
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_end(scene, ERR_BUSY, 11);
    assert_no(scene, "POST");
    assert_non_null(strstr(scene->call.text, "half done (3 history rows, 0 instance rows)"));
}

static void test_somebody_else_rewinds_the_history(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        GIVES(HISTORY, CHILD_END),
        GET_EVENT(EVENT, "03", "ExecutionCompleted"),
        REFUSES("MERGE", EVENT KEY("03"), 412, CHANGED),
        GIVES_ROW(EVENT KEY("03"), VERSION("h4"), "{\"Reason\":null}"),
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_end(scene, ERR_BUSY, 6);
}

/* The layer below repeats a merge whose answer was lost, and is refused by its own success. */
static void test_lost_answer_to_a_mark(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        GIVES(HISTORY, CHILD_END),
        GET_EVENT(EVENT, "03", "ExecutionCompleted"),
        RESETS("MERGE", EVENT KEY("03")),
        REFUSES("MERGE", EVENT KEY("03"), 412, CHANGED),
        GIVES_ROW(EVENT KEY("03"), VERSION("h4"), "{\"Reason\":\"Rewound: ExecutionCompleted\"}"),
        MERGE(PARENT),
        SENT,
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_end(scene, OK, 9);
}

/* Cut off between the decision and its failure: the decision is marked already. */
static void test_cut_off_in_the_history(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        GIVES(HISTORY, EVENTS_2(EVENT_ROW("0E", "GenericEvent", ID("3") WAS("TaskScheduled")),
                                EVENT_ROW("14", "TaskFailed", OF_TASK("3")))),
        GET_EVENT(EVENT, "14", "TaskFailed"),
        MERGE_EVENT(EVENT, "14"),
        MERGE(PARENT),
        SENT,
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_end(scene, OK, 7);
}

/* Cut off before the message: everything says Pending, and only the leaf is to be woken. */
static void test_cut_off_before_the_message(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES_ROW(PARENT, VERSION("p2"), ROW_OF("order-17", "Pending")),
        { .method = "GET", .path = SENTINEL, .status = 200, .body = X1, .times = 2 },
        { .method = "GET",
          .path = HISTORY "?$top=1000&$select=RowKey&",
          .status = 200,
          .body = NOTHING,
          .times = 2 },
        GIVES(HISTORY, EVENTS_2(EVENT_ROW("0A", "SubOrchestrationInstanceCreated",
                                          ID("2") IS_CHILD WAS("SubOrchestrationInstanceCreated")),
                                EVENT_ROW("0E", "GenericEvent", FAILED WAS("ExecutionCompleted")))),
        GIVES_ROW(CHILD, VERSION("c2"), ROW_OF("ship-17", "Pending")),
        { .method = "GET", .path = CSENTINEL, .status = 200, .body = X1, .times = 2 },
        GIVES(HISTORY, NOTHING),
        SENT,
        { 0 },
    };
    struct scene *scene = play(state, rules, "again");

    assert_err(scene, OK);
    assert_no(scene, "MERGE");
    size_t last = fakeserver_count(scene->f) - 1;
    assert_woken(scene, last, "ship-17", "\"again\"");
}

static void test_not_woken_is_said(void **state)
{
    static const struct fake_rule rules[] = {
        GET_PARENT,
        GET_SENTINEL,
        GIVES(HISTORY, NOTHING),
        MERGE(PARENT),
        REFUSES("POST", QUEUE, 404, "QueueNotFound"),
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_end(scene, ERR_BROKEN, 5);
    assert_non_null(strstr(scene->call.text, "rewound, not yet woken"));
}

static void test_only_failed_ones(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES_ROW(PARENT, VERSION("p1"), ROW_OF("order-17", "Completed")),
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_end(scene, ERR_WRONG_STATE, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_T121_T122_T123_failed_task),
        SCENE_TEST(test_reason_may_be_missing),
        SCENE_TEST(test_T124_second_rewind),
        SCENE_TEST(test_T125_children_before_parents),
        SCENE_TEST(test_V40_T132_child_missing),
        SCENE_TEST(test_child_that_runs_again),
        SCENE_TEST(test_scheduling_row_missing),
        SCENE_TEST(test_T128_execution_of_the_sentinel),
        SCENE_TEST(test_history_of_another_run),
        SCENE_TEST(test_V41_row_changed_after_the_history),
        SCENE_TEST(test_somebody_else_rewinds_the_history),
        SCENE_TEST(test_lost_answer_to_a_mark),
        SCENE_TEST(test_cut_off_in_the_history),
        SCENE_TEST(test_cut_off_before_the_message),
        SCENE_TEST(test_not_woken_is_said),
        SCENE_TEST(test_only_failed_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
