#include "backend/storage/rewindrows.h"
#include "tests/backend/storage/scene.h"

#define HISTORY  "/t/MyHubHistory()"
#define SENTINEL "/t/MyHubHistory(PartitionKey='order-17',RowKey='sentinel')"
#define EVENT    "/t/MyHubHistory(PartitionKey='order-17',RowKey='0E')"

static const struct instance order = { .row = { .id = { "order-17", 8 }, .key = { "order-17", 8 } },
                                       .execution_id = { "x1", 2 } };

static enum err read_all(struct scene *scene, struct rewind_rows *rows)
{
    *rows = (struct rewind_rows){ .count = 0 };
    return rewind_rows_read(rows, scene->s, &scene->call, &order, STR("x1"), &scene->arena);
}

static void test_rows_of_one_execution(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES(HISTORY, "{\"value\":["
                       "{\"RowKey\":\"02\",\"EventType\":\"TaskScheduled\",\"EventId\":0},"
                       "{\"RowKey\":\"0E\",\"EventType\":\"TaskFailed\",\"EventId\":-1,"
                       "\"TaskScheduledId\":0,\"Reason\":\"no\",\"Other\":[1]},"
                       "{\"RowKey\":\"sentinel\",\"ExecutionId\":\"x1\"}]}"),
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);
    struct rewind_rows rows;

    assert_int_equal(read_all(scene, &rows), OK);
    assert_int_equal(rows.count, 2); /* the sentinel is none of them */
    assert_true(rewind_row_is(&rows.p[0], "TaskScheduled"));
    assert_int_equal(rows.p[0].event_id, 0);
    assert_int_equal(rows.p[0].task_id, -1);
    assert_str(rows.p[1].row_key, "0E");
    assert_str(rows.p[1].reason, "no");
    assert_int_equal(rows.p[1].task_id, 0);
    assert_has(fakeserver_path(scene->f, 0),
               "%20and%20ExecutionId%20eq%20'x1'%20and%20(OrchestrationStatus%20eq%20'Failed'"
               "%20or%20EventType%20eq%20'TaskFailed'"
               "%20or%20EventType%20eq%20'SubOrchestrationInstanceFailed'"
               "%20or%20EventType%20eq%20'TaskScheduled'"
               "%20or%20EventType%20eq%20'SubOrchestrationInstanceCreated'"
               "%20or%20EventType%20eq%20'GenericEvent')");
    rewind_rows_fini(&rows);
}

static void test_what_is_no_page(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = HISTORY,
          .status = 200,
          .body = "{\"value\":[{\"RowKey\":",
          .times = -1 },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);
    struct rewind_rows rows;

    assert_int_equal(read_all(scene, &rows), ERR_BROKEN);
    assert_int_equal(rows.count, 0);
    rewind_rows_fini(&rows);
}

static void test_the_execution_is_the_sentinels(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES(SENTINEL, "{\"ExecutionId\":\"x1\"}"),
        GIVES(SENTINEL, "{\"ExecutionId\":\"x2\"}"),
        REFUSES("GET", SENTINEL, 404, "ResourceNotFound"),
        { 0 },
    };
    static const enum err expected[] = { OK, ERR_BUSY, ERR_WRONG_STATE };
    struct scene *scene = scene_open(state, rules);
    struct str execution;

    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_int_equal(
            rewind_execution(scene->s, &scene->call, &order, &scene->arena, &execution),
            expected[i]);
        if (i == 0)
            assert_str(execution, "x1");
        else
            assert_non_null(strstr(scene->call.text, "order-17"));
    }
}

static void test_a_row_that_changed_since(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES_ROW(EVENT, VERSION("h1"), "{\"EventType\":\"TaskFailed\"}"),
        GIVES_ROW(EVENT, VERSION("h2"), "{\"EventType\":\"GenericEvent\"}"),
        { 0 },
    };
    const struct rewind_row row = { .row_key = STR("0E"), .type = STR("TaskFailed") };
    struct scene *scene = scene_open(state, rules);
    struct str etag;

    assert_int_equal(rewind_row_etag(scene->s, &scene->call, &order, &row, &scene->arena, &etag),
                     OK);
    assert_str(etag, VERSION("h1"));
    assert_int_equal(rewind_row_etag(scene->s, &scene->call, &order, &row, &scene->arena, &etag),
                     ERR_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_rows_of_one_execution),
        SCENE_TEST(test_what_is_no_page),
        SCENE_TEST(test_the_execution_is_the_sentinels),
        SCENE_TEST(test_a_row_that_changed_since),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
