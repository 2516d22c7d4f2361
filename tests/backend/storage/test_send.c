#include <stdlib.h>

#include "backend/storage/messages.h"
#include "tests/backend/storage/scene.h"

#define ROW      "/t/MyHubInstances(PartitionKey="
#define MESSAGES "/q/myhub-control-02/messages" /* of order-17, four partitions */

#define ROW_OF(status)                                                                             \
    "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"Name\":\"OrderFlow\",\"Version\":\"\","      \
    "\"RuntimeStatus\":\"" status "\",\"CreatedTime\":\"2024-05-01T10:00:00.1234567Z\","           \
    "\"LastUpdatedTime\":\"2024-05-01T10:00:01Z\",\"TaskHubName\":\"MyHub\","                      \
    "\"ExecutionId\":\"x1\",\"Generation\":0,\"Tags\":\"null\"}"

#define RUNNING GIVES_ROW(ROW, VERSION("e1"), ROW_OF("Running"))
#define SENT    DOES("POST", MESSAGES, 201)

static const struct fake_rule running_and_sent[] = {
    RUNNING,
    SENT,
    { 0 },
};
static const struct fake_rule completed[] = {
    GIVES_ROW(ROW, VERSION("e1"), ROW_OF("Completed")),
    { 0 },
};
static const struct fake_rule no_row[] = {
    REFUSES("GET", ROW, 404, "ResourceNotFound"),
    { 0 },
};

static struct command command_of(enum command_kind kind, const char *name, const char *data)
{
    return (struct command){ .kind = kind,
                             .id = STR("order-17"),
                             .name = str_c(name),
                             .has_data = data != NULL,
                             .data = str_c(data) };
}

static struct scene *play(void **state, const struct fake_rule *rules, enum command_kind kind,
                          const char *name, const char *data)
{
    struct command cmd = command_of(kind, name, data);

    return scene_send(state, rules, &cmd);
}

static void assert_said(struct scene *scene, size_t request, const char *part)
{
    assert_has(fakeserver_message(scene->f, request, &scene->arena), part);
}

static void assert_sent(void **state, enum command_kind kind, const char *name, const char *data,
                        const char *part)
{
    struct scene *scene = play(state, running_and_sent, kind, name, data);

    assert_end(scene, OK, 2);
    assert_true(str_eq(fakeserver_path(scene->f, 1), STR(MESSAGES "?messagettl=-1")));
    assert_said(scene, 1, part);
    assert_said(scene, 1, "\"InstanceId\":\"order-17\",\"ExecutionId\":null}");
    assert_said(scene, 1, "\"Sender\":{\"InstanceId\":\"\",\"ExecutionId\":\"\"}");
}

static void test_event(void **state)
{
    assert_sent(state, CMD_EVENT, "Approve", "{\"ok\":true}",
                "EventRaisedEvent\",\"EventType\":15,\"Name\":\"Approve\",\"Input\":"
                "\"{\\\"ok\\\":true}\"");
}

static void test_V29_event_data(void **state)
{
    assert_sent(state, CMD_EVENT, "Go", NULL, "\"Name\":\"Go\",\"Input\":\"null\"");
    assert_sent(state, CMD_EVENT, "Go", " null \n", "\"Name\":\"Go\",\"Input\":\"null\"");
    assert_sent(state, CMD_EVENT, "Go", "{\"a\": 1.50}\n", "\"Input\":\"{\\\"a\\\": 1.50}\"");
}

static void test_V30_reasons(void **state)
{
    assert_sent(state, CMD_TERMINATE, "", "bug",
                "ExecutionTerminatedEvent\",\"EventType\":3,\"Input\":\"bug\"");
    assert_sent(state, CMD_TERMINATE, "", NULL, "\"EventType\":3,\"Input\":null");
    assert_sent(state, CMD_SUSPEND, "", "hold",
                "ExecutionSuspendedEvent\",\"EventType\":19,\"Reason\":\"hold\"");
    assert_sent(state, CMD_SUSPEND, "", NULL, "\"EventType\":19,\"Reason\":null");
}

static void test_resume(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES_ROW(ROW, VERSION("e1"), ROW_OF("Suspended")),
        SENT,
        { 0 },
    };
    struct scene *scene = play(state, rules, CMD_RESUME, "", "on");

    assert_err(scene, OK);
    assert_said(scene, 1, "ExecutionResumedEvent\",\"EventType\":20,\"Reason\":\"on\"");
}

static void test_V31_no_row_no_message(void **state)
{
    static const enum command_kind kinds[] = { CMD_TERMINATE, CMD_SUSPEND, CMD_EVENT };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene *scene = play(state, no_row, kinds[i], "Go", NULL);
        assert_end(scene, ERR_NOT_FOUND, 1);
    }
}

static void test_V32_finished_no_message(void **state)
{
    static const enum command_kind kinds[] = { CMD_EVENT, CMD_TERMINATE, CMD_SUSPEND };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene *scene = play(state, completed, kinds[i], "Go", NULL);
        assert_end(scene, ERR_WRONG_STATE, 1);
    }
}

static void test_V38_event_is_sent_once(void **state)
{
    static const struct fake_rule rules[] = {
        RUNNING,
        { .method = "POST", .path = MESSAGES, .fault = FAKE_RESETS, .times = -1 },
        { 0 },
    };
    struct scene *scene = play(state, rules, CMD_EVENT, "Go", "1");

    assert_end(scene, ERR_UNKNOWN_OUTCOME, 2);
}

static void test_a_strange_success_is_no_success(void **state)
{
    static const struct fake_rule rules[] = {
        RUNNING,
        { .method = "POST", .path = MESSAGES, .status = 200, .body = "<html>" },
        { 0 },
    };
    struct scene *scene = play(state, rules, CMD_EVENT, "Go", "1");

    assert_end(scene, ERR_UNKNOWN_OUTCOME, 2);
}

static void test_V42_queue_is_never_made(void **state)
{
    static const struct fake_rule rules[] = {
        RUNNING,
        REFUSES("POST", MESSAGES, 404, "QueueNotFound"),
        { 0 },
    };
    struct scene *scene = play(state, rules, CMD_EVENT, "Go", "1");

    assert_end(scene, ERR_BROKEN, 2);
    assert_non_null(strstr(scene->call.text, "myhub-control-02"));
}

/* -- signals -- */

static struct scene *signal_counter(void **state, const char *operation, const char *data)
{
    static const struct fake_rule rules[] = { SENT, { 0 } };
    struct command cmd = command_of(CMD_SIGNAL, operation, data);

    cmd.id = STR("@counter@steps");
    return scene_send(state, rules, &cmd);
}

static void test_signal_needs_no_row(void **state)
{
    struct scene *scene = signal_counter(state, "add", "5");

    assert_end(scene, OK, 1);
    assert_said(scene, 0, "\"InstanceId\":\"@counter@steps\",\"ExecutionId\":null}");
    assert_said(scene, 0,
                "\"Name\":\"op\",\"Input\":\"{\\\"op\\\":\\\"add\\\",\\\"signal\\\":true,"
                "\\\"input\\\":\\\"5\\\",\\\"id\\\":\\\"");
}

static void test_signal_without_input(void **state)
{
    struct scene *scene = signal_counter(state, "reset", NULL);

    assert_err(scene, OK);
    assert_said(scene, 0, "\\\"op\\\":\\\"reset\\\",\\\"signal\\\":true,\\\"id\\\":");
}

/* -- large messages -- */

static struct scene *send_large(void **state, const struct fake_rule *rules)
{
    static char data[50000];
    struct command cmd = command_of(CMD_EVENT, "Approve", "1");

    cmd.data = large_text(data, sizeof(data));
    return scene_send(state, rules, &cmd);
}

#define BLOB "/b/myhub-largemessages/order-17/message-"

static void assert_large_blob(const struct scene *scene, size_t request)
{
    CLEANUP_BUF struct buf json = BUF_INIT(1 << 20);

    assert_true(str_ends(fakeserver_path(scene->f, request), STR("-EventRaised.json.gz")));
    assert_header(scene, request, "x-ms-blob-type", "BlockBlob");
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
        RUNNING,
        REFUSES("PUT", BLOB, 404, "ContainerNotFound"),
        DOES("PUT", "/b/myhub-largemessages?restype=container", 201),
        DOES("PUT", BLOB, 201),
        SENT,
        { 0 },
    };
    struct scene *scene = send_large(state, rules);

    assert_end(scene, OK, 5);
    assert_large_blob(scene, 3);
    assert_said(scene, 4, "\"TaskMessage\":null,\"CompressedBlobName\":\"order-17/message-");
}

static void test_B24_blob_goes_when_the_message_was_refused(void **state)
{
    static const struct fake_rule rules[] = {
        RUNNING,
        DOES("PUT", BLOB, 201),
        REFUSES("POST", MESSAGES, 403, "AuthorizationPermissionMismatch"),
        DOES("DELETE", BLOB, 202),
        { 0 },
    };
    struct scene *scene = send_large(state, rules);

    assert_end(scene, ERR_DENIED, 4);
    assert_true(str_eq(fakeserver_path(scene->f, 1), fakeserver_path(scene->f, 3)));
}

static void test_B24_blob_stays_when_the_outcome_is_unknown(void **state)
{
    static const struct fake_rule rules[] = {
        RUNNING,
        DOES("PUT", BLOB, 201),
        RESETS("POST", MESSAGES),
        { 0 },
    };
    struct scene *scene = send_large(state, rules);

    assert_end(scene, ERR_UNKNOWN_OUTCOME, 3);
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
        GIVES_ROW_TIMES(ROW, VERSION("e1"), ROW_OF("Running"), 2),
        { .method = "POST", .path = MESSAGES, .status = 201, .times = 2 },
        { 0 },
    };
    struct command event = command_of(CMD_EVENT, "Go", "1");
    struct command terminate = command_of(CMD_TERMINATE, "", NULL);
    struct scene *scene = scene_send(state, rules, &event);
    struct str first_time, second_time;

    assert_err(scene, OK);
    assert_int_equal(hub_send(&scene->s->hub, &scene->call, &terminate, NULL), OK);
    int64_t first = number_of(scene, 1, &first_time);
    int64_t second = number_of(scene, 3, &second_time);
    assert_int_equal(second, first + 1);
    assert_true(first > INT64_C(1700000000000000) && first < INT64_C(9007199254740992));
    assert_true(str_cmp(first_time, second_time) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_event),
        SCENE_TEST(test_V29_event_data),
        SCENE_TEST(test_V30_reasons),
        SCENE_TEST(test_resume),
        SCENE_TEST(test_V31_no_row_no_message),
        SCENE_TEST(test_V32_finished_no_message),
        SCENE_TEST(test_V38_event_is_sent_once),
        SCENE_TEST(test_a_strange_success_is_no_success),
        SCENE_TEST(test_V42_queue_is_never_made),
        SCENE_TEST(test_signal_needs_no_row),
        SCENE_TEST(test_signal_without_input),
        SCENE_TEST(test_B24_large_message_goes_through_a_blob),
        SCENE_TEST(test_B24_blob_goes_when_the_message_was_refused),
        SCENE_TEST(test_B24_blob_stays_when_the_outcome_is_unknown),
        SCENE_TEST(test_V62_numbers_and_times_rise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
