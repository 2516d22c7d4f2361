#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "backend/storage/messages.h"
#include "tests/backend/storage/fakeserver.h"

#define ROW             "/t/MyHubInstances(PartitionKey="
#define MESSAGES        "/q/myhub-control-02/messages" /* of order-17, four partitions */
#define ETAG            "etag: W/\"e1\"\r\n"
#define NOT_FOUND(code) "x-ms-error-code: " code "\r\n"

#define ROW_OF(status)                                                                             \
    "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"Name\":\"OrderFlow\",\"Version\":\"\","      \
    "\"RuntimeStatus\":\"" status "\",\"CreatedTime\":\"2024-05-01T10:00:00.1234567Z\","           \
    "\"LastUpdatedTime\":\"2024-05-01T10:00:01Z\",\"TaskHubName\":\"MyHub\","                      \
    "\"ExecutionId\":\"x1\",\"Generation\":0,\"Tags\":\"null\"}"

static const struct fake_rule running_and_sent[] = {
    { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .body = ROW_OF("Running") },
    { .method = "POST", .path = MESSAGES, .status = 201 },
    { 0 },
};
static const struct fake_rule completed[] = {
    { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .body = ROW_OF("Completed") },
    { 0 },
};
static const struct fake_rule no_row[] = {
    { .method = "GET", .path = ROW, .status = 404, .headers = NOT_FOUND("ResourceNotFound") },
    { 0 },
};

/* One command against one script. */
struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    struct receipt receipt;
    struct arena arena;
    enum err err;
};

static struct scene play(const struct fake_rule *rules, const struct command *cmd)
{
    struct scene scene = { .f = fakeserver_new(rules) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    arena_init(&scene.arena);
    fake_call_init(&scene.call);
    scene.err = hub_send(&scene.s->hub, &scene.call, cmd, &scene.receipt);
    return scene;
}

static void scene_end(struct scene *scene)
{
    hub_close(&scene->s->hub);
    arena_fini(&scene->arena);
    fakeserver_free(scene->f);
}

static struct command command_of(enum command_kind kind, const char *name, const char *data)
{
    return (struct command){ .kind = kind,
                             .id = STR("order-17"),
                             .name = str_c(name),
                             .has_data = data != NULL,
                             .data = str_c(data) };
}

static void assert_said(const struct scene *scene, size_t request, const char *part)
{
    struct arena arena;

    arena_init(&arena);
    struct str json = fakeserver_message(scene->f, request, &arena);
    if (!str_has(json, str_c(part)))
        fail_msg("%s is not in %.*s", part, STR_ARG(json));
    arena_fini(&arena);
}

static void assert_requests(const struct scene *scene, size_t n)
{
    if (fakeserver_count(scene->f) != n)
        fail_msg("%zu requests instead of %zu:\n%s%s", fakeserver_count(scene->f), n,
                 fakeserver_log(scene->f), scene->call.text);
}

static void assert_sent(enum command_kind kind, const char *name, const char *data,
                        const char *part)
{
    struct command cmd = command_of(kind, name, data);
    struct scene scene = play(running_and_sent, &cmd);

    assert_int_equal(scene.err, OK);
    assert_requests(&scene, 2);
    assert_true(str_eq(fakeserver_path(scene.f, 1), STR(MESSAGES "?messagettl=-1")));
    assert_said(&scene, 1, part);
    assert_said(&scene, 1, "\"InstanceId\":\"order-17\",\"ExecutionId\":null}");
    assert_said(&scene, 1, "\"Sender\":{\"InstanceId\":\"\",\"ExecutionId\":\"\"}");
    scene_end(&scene);
}

static void test_event(void **state)
{
    assert_sent(CMD_EVENT, "Approve", "{\"ok\":true}",
                "EventRaisedEvent\",\"EventType\":15,\"Name\":\"Approve\",\"Input\":"
                "\"{\\\"ok\\\":true}\"");
}

static void test_V29_event_data(void **state)
{
    assert_sent(CMD_EVENT, "Go", NULL, "\"Name\":\"Go\",\"Input\":\"null\"");
    assert_sent(CMD_EVENT, "Go", " null \n", "\"Name\":\"Go\",\"Input\":\"null\"");
    assert_sent(CMD_EVENT, "Go", "{\"a\": 1.50}\n", "\"Input\":\"{\\\"a\\\": 1.50}\"");
}

static void test_V30_reasons(void **state)
{
    assert_sent(CMD_TERMINATE, "", "bug",
                "ExecutionTerminatedEvent\",\"EventType\":3,\"Input\":\"bug\"");
    assert_sent(CMD_TERMINATE, "", NULL, "\"EventType\":3,\"Input\":null");
    assert_sent(CMD_SUSPEND, "", "hold",
                "ExecutionSuspendedEvent\",\"EventType\":19,\"Reason\":\"hold\"");
    assert_sent(CMD_SUSPEND, "", NULL, "\"EventType\":19,\"Reason\":null");
}

static void test_resume(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("Suspended") },
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    struct command cmd = command_of(CMD_RESUME, "", "on");
    struct scene scene = play(rules, &cmd);

    assert_int_equal(scene.err, OK);
    assert_said(&scene, 1, "ExecutionResumedEvent\",\"EventType\":20,\"Reason\":\"on\"");
    scene_end(&scene);
}

static void test_V31_no_row_no_message(void **state)
{
    static const enum command_kind kinds[] = { CMD_TERMINATE, CMD_SUSPEND, CMD_EVENT };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct command cmd = command_of(kinds[i], "Go", NULL);
        struct scene scene = play(no_row, &cmd);
        assert_int_equal(scene.err, ERR_NOT_FOUND);
        assert_requests(&scene, 1);
        scene_end(&scene);
    }
}

static void test_V32_finished_no_message(void **state)
{
    static const enum command_kind kinds[] = { CMD_EVENT, CMD_TERMINATE, CMD_SUSPEND };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct command cmd = command_of(kinds[i], "Go", NULL);
        struct scene scene = play(completed, &cmd);
        assert_int_equal(scene.err, ERR_WRONG_STATE);
        assert_requests(&scene, 1);
        scene_end(&scene);
    }
}

static void test_V38_event_is_sent_once(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .body = ROW_OF("Running") },
        { .method = "POST", .path = MESSAGES, .fault = FAKE_RESETS, .times = -1 },
        { 0 },
    };
    struct command cmd = command_of(CMD_EVENT, "Go", "1");
    struct scene scene = play(rules, &cmd);

    assert_int_equal(scene.err, ERR_UNKNOWN_OUTCOME);
    assert_requests(&scene, 2);
    scene_end(&scene);
}

static void test_a_strange_success_is_no_success(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .body = ROW_OF("Running") },
        { .method = "POST", .path = MESSAGES, .status = 200, .body = "<html>" },
        { 0 },
    };
    struct command cmd = command_of(CMD_EVENT, "Go", "1");
    struct scene scene = play(rules, &cmd);

    assert_int_equal(scene.err, ERR_UNKNOWN_OUTCOME);
    assert_requests(&scene, 2);
    scene_end(&scene);
}

static void test_V42_queue_is_never_made(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .body = ROW_OF("Running") },
        { .method = "POST",
          .path = MESSAGES,
          .status = 404,
          .headers = NOT_FOUND("QueueNotFound") },
        { 0 },
    };
    struct command cmd = command_of(CMD_EVENT, "Go", "1");
    struct scene scene = play(rules, &cmd);

    assert_int_equal(scene.err, ERR_BROKEN);
    assert_requests(&scene, 2);
    assert_non_null(strstr(scene.call.text, "myhub-control-02"));
    scene_end(&scene);
}

/* -- signals -- */

static void test_signal_needs_no_row(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    struct command cmd = command_of(CMD_SIGNAL, "add", "5");
    cmd.id = STR("@counter@steps");
    struct scene scene = play(rules, &cmd);

    assert_int_equal(scene.err, OK);
    assert_requests(&scene, 1);
    assert_said(&scene, 0, "\"InstanceId\":\"@counter@steps\",\"ExecutionId\":null}");
    assert_said(&scene, 0,
                "\"Name\":\"op\",\"Input\":\"{\\\"op\\\":\\\"add\\\",\\\"signal\\\":true,"
                "\\\"input\\\":\\\"5\\\",\\\"id\\\":\\\"");
    scene_end(&scene);
}

static void test_signal_without_input(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    struct command cmd = command_of(CMD_SIGNAL, "reset", NULL);
    cmd.id = STR("@counter@steps");
    struct scene scene = play(rules, &cmd);

    assert_int_equal(scene.err, OK);
    assert_said(&scene, 0, "\\\"op\\\":\\\"reset\\\",\\\"signal\\\":true,\\\"id\\\":");
    scene_end(&scene);
}

/* -- large messages -- */

static struct command large_event(char *data, size_t n)
{
    memset(data, 'x', n);
    data[0] = data[n - 1] = '"';
    struct command cmd = command_of(CMD_EVENT, "Approve", "1");
    cmd.data = (struct str){ data, n };
    return cmd;
}

#define BLOB "/b/myhub-largemessages/order-17/message-"

static void assert_large_blob(const struct scene *scene, size_t request)
{
    CLEANUP_BUF struct buf json = BUF_INIT(1 << 20);

    assert_true(str_ends(fakeserver_path(scene->f, request), STR("-EventRaised.json.gz")));
    assert_true(str_eq(fakeserver_header(scene->f, request, "x-ms-blob-type"), STR("BlockBlob")));
    assert_true(str_eq(fakeserver_header(scene->f, request, "content-type"),
                       STR("application/octet-stream")));
    assert_int_equal(fakeserver_header(scene->f, request, "content-encoding").len, 0);
    assert_int_equal(gzip_unpack(&json, fakeserver_body(scene->f, request)), OK);
    assert_true(str_has(buf_str(&json), STR("\"CompressedBlobName\":null")));
    assert_true(json.len > MESSAGE_INLINE_MAX);
}

static void test_B24_large_message_goes_through_a_blob(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .body = ROW_OF("Running") },
        { .method = "PUT", .path = BLOB, .status = 404, .headers = NOT_FOUND("ContainerNotFound") },
        { .method = "PUT", .path = "/b/myhub-largemessages?restype=container", .status = 201 },
        { .method = "PUT", .path = BLOB, .status = 201 },
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    char data[50000];
    struct command cmd = large_event(data, sizeof(data));
    struct scene scene = play(rules, &cmd);

    assert_int_equal(scene.err, OK);
    assert_requests(&scene, 5);
    assert_large_blob(&scene, 3);
    assert_said(&scene, 4, "\"TaskMessage\":null,\"CompressedBlobName\":\"order-17/message-");
    scene_end(&scene);
}

static void test_B24_blob_goes_when_the_message_was_refused(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .body = ROW_OF("Running") },
        { .method = "PUT", .path = BLOB, .status = 201 },
        { .method = "POST",
          .path = MESSAGES,
          .status = 403,
          .headers = NOT_FOUND("AuthorizationPermissionMismatch") },
        { .method = "DELETE", .path = BLOB, .status = 202 },
        { 0 },
    };
    char data[50000];
    struct command cmd = large_event(data, sizeof(data));
    struct scene scene = play(rules, &cmd);

    assert_int_equal(scene.err, ERR_DENIED);
    assert_requests(&scene, 4);
    assert_true(str_eq(fakeserver_path(scene.f, 1), fakeserver_path(scene.f, 3)));
    scene_end(&scene);
}

static void test_B24_blob_stays_when_the_outcome_is_unknown(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .body = ROW_OF("Running") },
        { .method = "PUT", .path = BLOB, .status = 201 },
        { .method = "POST", .path = MESSAGES, .fault = FAKE_RESETS },
        { 0 },
    };
    char data[50000];
    struct command cmd = large_event(data, sizeof(data));
    struct scene scene = play(rules, &cmd);

    assert_int_equal(scene.err, ERR_UNKNOWN_OUTCOME);
    assert_requests(&scene, 3);
    scene_end(&scene);
}

/* -- numbers -- */

static int64_t number_of(struct scene *scene, size_t request, struct str *ret_time)
{
    struct str json = fakeserver_message(scene->f, request, &scene->arena);
    const char *at = strstr(json.p, "\"CompressedBlobName\":null,\"SequenceNumber\":");
    const char *time = strstr(json.p, "\"Timestamp\":\"");

    assert_non_null(at);
    assert_non_null(time);
    *ret_time = (struct str){ time + 13, 28 };
    return strtoll(at + strlen("\"CompressedBlobName\":null,\"SequenceNumber\":"), NULL, 10);
}

static void test_V62_numbers_and_times_rise(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("Running"),
          .times = 2 },
        { .method = "POST", .path = MESSAGES, .status = 201, .times = 2 },
        { 0 },
    };
    struct command event = command_of(CMD_EVENT, "Go", "1");
    struct command terminate = command_of(CMD_TERMINATE, "", NULL);
    struct scene scene = play(rules, &event);
    struct str first_time, second_time;

    assert_int_equal(scene.err, OK);
    assert_int_equal(hub_send(&scene.s->hub, &scene.call, &terminate, NULL), OK);
    int64_t first = number_of(&scene, 1, &first_time);
    int64_t second = number_of(&scene, 3, &second_time);
    assert_int_equal(second, first + 1);
    assert_true(first > INT64_C(1700000000000000) && first < INT64_C(9007199254740992));
    assert_true(str_cmp(first_time, second_time) < 0);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_V29_event_data),
        cmocka_unit_test(test_V30_reasons),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_V31_no_row_no_message),
        cmocka_unit_test(test_V32_finished_no_message),
        cmocka_unit_test(test_V38_event_is_sent_once),
        cmocka_unit_test(test_a_strange_success_is_no_success),
        cmocka_unit_test(test_V42_queue_is_never_made),
        cmocka_unit_test(test_signal_needs_no_row),
        cmocka_unit_test(test_signal_without_input),
        cmocka_unit_test(test_B24_large_message_goes_through_a_blob),
        cmocka_unit_test(test_B24_blob_goes_when_the_message_was_refused),
        cmocka_unit_test(test_B24_blob_stays_when_the_outcome_is_unknown),
        cmocka_unit_test(test_V62_numbers_and_times_rise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
