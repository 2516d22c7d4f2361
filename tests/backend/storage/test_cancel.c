#include "backend/storage/cancel.h"
#include "tests/backend/storage/scene.h"

#define ROW "/t/MyHubInstances(PartitionKey="

/* Tomorrow is whatever day the test runs on: far enough. */
#define SCHEDULED                                                                                  \
    "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"Name\":\"F\",\"RuntimeStatus\":\"Pending\"," \
    "\"ScheduledStartTime\":\"9999-05-02T00:00:00Z\",\"ExecutionId\":\"x1\",\"Generation\":0}"
#define GET_ROW(etag, row) GIVES_ROW(ROW, etag, row)
#define MERGED             DOES("MERGE", ROW, 204)
#define NOT_MERGED         REFUSES("MERGE", ROW, 412, CHANGED)

static struct scene *play(void **state, const struct fake_rule *rules, const char *reason)
{
    struct command cmd = { .kind = CMD_TERMINATE,
                           .id = STR("order-17"),
                           .has_data = reason != NULL,
                           .data = str_c(reason) };

    return scene_send(state, rules, &cmd);
}

/* No message, whatever comes of it. */
static void assert_cancel(const struct scene *scene, enum err err, size_t requests)
{
    assert_end(scene, err, requests);
    assert_no(scene, "POST");
}

static void test_V39_V67_hard_cancel(void **state)
{
    static const struct fake_rule rules[] = {
        GET_ROW("e1", SCHEDULED),
        MERGED,
        { 0 },
    };
    struct scene *scene = play(state, rules, "not \"needed\"");

    assert_cancel(scene, OK, 2);
    assert_header(scene, 1, "if-match", "e1");
    struct str row = fakeserver_body(scene->f, 1);
    assert_true(str_starts(row, STR("{\"RuntimeStatus\":\"Terminated\",\"LastUpdatedTime\":\"")));
    assert_true(
        str_has(row, STR("\"LastUpdatedTime@odata.type\":\"Edm.DateTime\",\"CompletedTime\":")));
    assert_true(str_has(row, STR("\"CompletedTime@odata.type\":\"Edm.DateTime\",\"Output\":"
                                 "\"not \\\"needed\\\"\",\"ExecutionId\":\"")));
    assert_false(str_has(row, STR("\"x1\"")));
}

static void test_without_reason_there_is_no_output(void **state)
{
    static const struct fake_rule rules[] = {
        GET_ROW("e1", SCHEDULED),
        MERGED,
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_cancel(scene, OK, 2);
    assert_false(str_has(fakeserver_body(scene->f, 1), STR("Output")));
}

static void test_F39_changed_but_still_scheduled(void **state)
{
    static const struct fake_rule rules[] = {
        GET_ROW("e1", SCHEDULED), NOT_MERGED, GET_ROW("e2", SCHEDULED), MERGED, { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_cancel(scene, OK, 4);
    assert_header(scene, 3, "if-match", "e2");
}

static void test_F39_changed_three_times(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES_ROW_TIMES(ROW, "e1", SCHEDULED, 4),
        { .method = "MERGE", .path = ROW, .status = 412, .headers = CODE(CHANGED), .times = 3 },
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_cancel(scene, ERR_BUSY, 7);
}

static void test_began_meanwhile(void **state)
{
    static const struct fake_rule rules[] = {
        GET_ROW("e1", SCHEDULED),
        NOT_MERGED,
        GET_ROW("e2",
                "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"RuntimeStatus\":\"Running\","
                "\"ExecutionId\":\"x1\"}"),
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_cancel(scene, ERR_BUSY, 3);
    assert_non_null(strstr(scene->call.text, "Running"));
}

static void test_lost_answer(void **state)
{
    static const struct fake_rule rules[] = {
        GET_ROW("e1", SCHEDULED),
        RESETS("MERGE", ROW),
        NOT_MERGED,
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = "etag: e2\r\n",
          .echo_of = 1,
          .echo_after = "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\"," },
        { 0 },
    };
    struct scene *scene = play(state, rules, NULL);

    assert_cancel(scene, OK, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_V39_V67_hard_cancel),
        SCENE_TEST(test_without_reason_there_is_no_output),
        SCENE_TEST(test_F39_changed_but_still_scheduled),
        SCENE_TEST(test_F39_changed_three_times),
        SCENE_TEST(test_began_meanwhile),
        SCENE_TEST(test_lost_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
