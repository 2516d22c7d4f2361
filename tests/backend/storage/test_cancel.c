#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "backend/storage/cancel.h"
#include "tests/backend/storage/fakeserver.h"

#define ROW     "/t/MyHubInstances(PartitionKey="
#define CODE(c) "x-ms-error-code: " c "\r\n"
#define REFUSED CODE("UpdateConditionNotSatisfied")

/* Tomorrow is whatever day the test runs on: far enough. */
#define SCHEDULED                                                                                  \
    "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"Name\":\"F\",\"RuntimeStatus\":\"Pending\"," \
    "\"ScheduledStartTime\":\"9999-05-02T00:00:00Z\",\"ExecutionId\":\"x1\",\"Generation\":0}"
#define GET_ROW(etag, row)                                                                         \
    {                                                                                              \
        .method = "GET", .path = ROW, .status = 200, .headers = "etag: " etag "\r\n", .body = row  \
    }

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    enum err err;
};

static struct scene play(const struct fake_rule *rules, const char *reason)
{
    struct scene scene = { .f = fakeserver_new(rules) };
    struct command cmd = { .kind = CMD_TERMINATE,
                           .id = STR("order-17"),
                           .has_data = reason != NULL,
                           .data = str_c(reason) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    fake_call_init(&scene.call);
    scene.err = hub_send(&scene.s->hub, &scene.call, &cmd, NULL);
    return scene;
}

static void scene_end(struct scene *scene)
{
    hub_close(&scene->s->hub);
    fakeserver_free(scene->f);
}

static void assert_end(const struct scene *scene, enum err err, size_t requests)
{
    if (scene->err != err || fakeserver_count(scene->f) != requests)
        fail_msg("%s instead of %s, %zu requests instead of %zu: %s\n%s", err_name(scene->err),
                 err_name(err), fakeserver_count(scene->f), requests, scene->call.text,
                 fakeserver_log(scene->f));
    assert_null(strstr(fakeserver_log(scene->f), "POST "));
}

static void test_V39_V67_hard_cancel(void **state)
{
    static const struct fake_rule rules[] = {
        GET_ROW("e1", SCHEDULED),
        { .method = "MERGE", .path = ROW, .status = 204 },
        { 0 },
    };
    struct scene scene = play(rules, "not \"needed\"");

    assert_end(&scene, OK, 2);
    assert_true(str_eq(fakeserver_header(scene.f, 1, "if-match"), STR("e1")));
    struct str row = fakeserver_body(scene.f, 1);
    assert_true(str_starts(row, STR("{\"RuntimeStatus\":\"Terminated\",\"LastUpdatedTime\":\"")));
    assert_true(
        str_has(row, STR("\"LastUpdatedTime@odata.type\":\"Edm.DateTime\",\"CompletedTime\":")));
    assert_true(str_has(row, STR("\"CompletedTime@odata.type\":\"Edm.DateTime\",\"Output\":"
                                 "\"not \\\"needed\\\"\",\"ExecutionId\":\"")));
    assert_false(str_has(row, STR("\"x1\"")));
    scene_end(&scene);
}

static void test_without_reason_there_is_no_output(void **state)
{
    static const struct fake_rule rules[] = {
        GET_ROW("e1", SCHEDULED),
        { .method = "MERGE", .path = ROW, .status = 204 },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, OK, 2);
    assert_false(str_has(fakeserver_body(scene.f, 1), STR("Output")));
    scene_end(&scene);
}

static void test_F39_changed_but_still_scheduled(void **state)
{
    static const struct fake_rule rules[] = {
        GET_ROW("e1", SCHEDULED),
        { .method = "MERGE", .path = ROW, .status = 412, .headers = REFUSED },
        GET_ROW("e2", SCHEDULED),
        { .method = "MERGE", .path = ROW, .status = 204 },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, OK, 4);
    assert_true(str_eq(fakeserver_header(scene.f, 3, "if-match"), STR("e2")));
    scene_end(&scene);
}

static void test_F39_changed_three_times(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = "etag: e1\r\n",
          .body = SCHEDULED,
          .times = 4 },
        { .method = "MERGE", .path = ROW, .status = 412, .headers = REFUSED, .times = 3 },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, ERR_BUSY, 7);
    scene_end(&scene);
}

static void test_began_meanwhile(void **state)
{
    static const struct fake_rule rules[] = {
        GET_ROW("e1", SCHEDULED),
        { .method = "MERGE", .path = ROW, .status = 412, .headers = REFUSED },
        GET_ROW("e2",
                "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"RuntimeStatus\":\"Running\","
                "\"ExecutionId\":\"x1\"}"),
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, ERR_BUSY, 3);
    assert_non_null(strstr(scene.call.text, "Running"));
    scene_end(&scene);
}

static void test_lost_answer(void **state)
{
    static const struct fake_rule rules[] = {
        GET_ROW("e1", SCHEDULED),
        { .method = "MERGE", .path = ROW, .fault = FAKE_RESETS },
        { .method = "MERGE", .path = ROW, .status = 412, .headers = REFUSED },
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = "etag: e2\r\n",
          .echo_of = 1,
          .echo_after = "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\"," },
        { 0 },
    };
    struct scene scene = play(rules, NULL);

    assert_end(&scene, OK, 4);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_V39_V67_hard_cancel),
        cmocka_unit_test(test_without_reason_there_is_no_output),
        cmocka_unit_test(test_F39_changed_but_still_scheduled),
        cmocka_unit_test(test_F39_changed_three_times),
        cmocka_unit_test(test_began_meanwhile),
        cmocka_unit_test(test_lost_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
