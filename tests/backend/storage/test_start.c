#include <stdio.h>

#include "backend/base/jsonread.h"
#include "backend/storage/messages.h"
#include "tests/backend/storage/scene.h"

#define ROW      "/t/MyHubInstances(PartitionKey="
#define ROWS     "/t/MyHubInstances"
#define MESSAGES "/q/myhub-control-02/messages" /* of order-17, four partitions */
#define PEEK     "/q/myhub-control-02/messages?numofmessages=32&peekonly=true"

#define ROW_OF(status)                                                                             \
    "{\"odata.metadata\":\"x\",\"odata.etag\":\"W/\\\"e1\\\"\",\"PartitionKey\":\"order-17\","     \
    "\"RowKey\":\"\",\"Timestamp\":\"2024-05-01T10:00:01Z\","                                      \
    "\"Timestamp@odata.type\":\"Edm.DateTime\",\"Name\":\"OrderFlow\",\"Version\":\"1.5\","        \
    "\"RuntimeStatus\":\"" status "\",\"CreatedTime@odata.type\":\"Edm.DateTime\","                \
    "\"CreatedTime\":\"2024-05-01T10:00:00.1234567Z\",\"LastUpdatedTime\":"                        \
    "\"2024-05-01T10:00:01Z\",\"TaskHubName\":\"MyHub\",\"ExecutionId\":\"x1\","                   \
    "\"Generation\":4,\"Tags\":\"null\",\"Input\":\"{\\\"a\\\":1}\",\"Foreign\":1.5}"

#define NO_ROW       REFUSES("GET", ROW, 404, "ResourceNotFound")
#define NOT_INSERTED REFUSES("POST", ROWS, 409, "EntityAlreadyExists")
#define THEIR_ROW    GIVES_ROW(ROW, VERSION("e1"), "{\"ExecutionId\":\"theirs\"}")
#define SENT         DOES("POST", MESSAGES, 201)
#define INSERTED                                                                                   \
    {                                                                                              \
        .method = "POST", .path = ROWS, .status = 204, .headers = ETAG(VERSION("e1"))              \
    }

static struct scene *start_with(void **state, const struct fake_rule *rules, struct str data)
{
    struct command cmd = { .kind = CMD_START,
                           .id = STR("order-17"),
                           .name = STR("OrderFlow"),
                           .has_data = data.p != NULL,
                           .data = data };

    return scene_send(state, rules, &cmd);
}

/* data: NULL = none. */
static struct scene *start(void **state, const struct fake_rule *rules, const char *data)
{
    return start_with(state, rules, str_c(data));
}

/* id: NULL = one is made. */
static struct scene *restart(void **state, const struct fake_rule *rules, const char *id)
{
    struct command cmd = {
        .kind = CMD_RESTART, .id = STR("order-17"), .has_data = id != NULL, .data = str_c(id)
    };

    return scene_send(state, rules, &cmd);
}

/* A string member of an object, at the top level; "" = absent. In the scene's arena. */
static struct str member(struct scene *scene, struct str json, const char *wanted)
{
    struct jsonread r;
    struct str name, value = STR_NONE;

    jsonread_init(&r, json, &scene->arena);
    assert_true(jsonread_object(&r));
    while (jsonread_member(&r, &name)) {
        if (str_eq(name, str_c(wanted)))
            (void)jsonread_string(&r, &value);
        else
            jsonread_skip(&r);
    }
    assert_true(jsonread_done(&r));
    return value;
}

/* -- START -- */

static const struct fake_rule fresh[] = {
    NO_ROW,
    INSERTED,
    SENT,
    { 0 },
};

static void test_row_first_message_second(void **state)
{
    struct scene *scene = start(state, fresh, "{\"a\":1}\n");

    assert_end(scene, OK, 3);
    struct str row = fakeserver_body(scene->f, 1);
    struct str message = fakeserver_message(scene->f, 2, &scene->arena);
    assert_true(str_eq(fakeserver_path(scene->f, 1), STR("/t/MyHubInstances")));
    assert_true(str_eq(fakeserver_path(scene->f, 2), STR(MESSAGES "?messagettl=-1")));
    assert_has(row, "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"Input\":\"{\\\"a\\\":1}\","
                    "\"CreatedTime\":\"");
    assert_has(row, "\"CreatedTime@odata.type\":\"Edm.DateTime\",\"Name\":\"OrderFlow\","
                    "\"Version\":\"\",\"RuntimeStatus\":\"Pending\",\"LastUpdatedTime\":\"");
    assert_has(row, "\"LastUpdatedTime@odata.type\":\"Edm.DateTime\",\"TaskHubName\":\"MyHub\",");
    assert_has(row, "\"Generation\":0,\"Tags\":\"null\"}");
    assert_has_not(row, "ScheduledStartTime");
    assert_has(message, "\"Input\":\"{\\\"a\\\":1}\",\"Tags\":null");
    assert_has(message, "\"CompressedBlobName\":null,\"SequenceNumber\":0,\"Sender\"");
    assert_string_equal(scene->receipt.instance_id, "order-17");
}

/* The worker runs a start only if the row names the same execution (storage messages 4.2). */
static void test_row_and_message_name_one_execution(void **state)
{
    struct scene *scene = start(state, fresh, NULL);
    char expected[200];

    assert_err(scene, OK);
    struct str row = fakeserver_body(scene->f, 1);
    struct str message = fakeserver_message(scene->f, 2, &scene->arena);
    struct str execution = member(scene, row, "ExecutionId");
    assert_int_equal(execution.len, 32);
    snprintf(expected, sizeof(expected),
             "ExecutionStartedEvent\",\"OrchestrationInstance\":{\"$type\":"
             "\"DurableTask.Core.OrchestrationInstance\",\"InstanceId\":\"order-17\","
             "\"ExecutionId\":\"%.*s\"},\"EventType\":0",
             STR_ARG(execution));
    assert_has(message, expected);
    struct str created = member(scene, row, "CreatedTime");
    assert_int_equal(created.len, 28);
    ticks in_row, in_message;
    assert_true(ticks_parse(created, &in_row));
    const char *time = strstr(message.p, "\"Timestamp\":\"") + strlen("\"Timestamp\":\"");
    assert_true(ticks_parse((struct str){ time, strcspn(time, "\"") }, &in_message));
    assert_true(in_row == in_message);
}

static void test_V29_start_data(void **state)
{
    struct scene *scene = start(state, fresh, NULL);

    assert_err(scene, OK);
    assert_has_not(fakeserver_body(scene->f, 1), "Input");
    assert_has(fakeserver_message(scene->f, 2, &scene->arena), "\"Input\":null,\"Tags\"");
    scene = start(state, fresh, " null ");
    assert_err(scene, OK);
    assert_has(fakeserver_body(scene->f, 1), "\"Input\":\"null\"");
    assert_has(fakeserver_message(scene->f, 2, &scene->arena), "\"Input\":\"null\",\"Tags\"");
}

static void test_V33_id_in_use(void **state)
{
    static const struct fake_rule running[] = {
        GIVES_ROW(ROW, VERSION("e1"), ROW_OF("Running")),
        { 0 },
    };
    static const struct fake_rule completed[] = {
        GIVES_ROW(ROW, VERSION("e1"), ROW_OF("Completed")),
        { 0 },
    };
    for (int i = 0; i < 2; i++) {
        struct scene *scene = start(state, i ? completed : running, "1");
        assert_end(scene, ERR_EXISTS, 1);
    }
}

static void test_V34_somebody_was_faster(void **state)
{
    static const struct fake_rule rules[] = {
        NO_ROW,
        NOT_INSERTED,
        THEIR_ROW,
        { 0 },
    };
    struct scene *scene = start(state, rules, "1");

    assert_end(scene, ERR_EXISTS, 3); /* the last one asks whether the row is ours after all */
}

/* Rules cannot know our execution id, so the answer is built from the request: the server repeats.
 */
static void test_lost_answer_to_the_insert(void **state)
{
    static const struct fake_rule rules[] = {
        NO_ROW, RESETS("POST", ROWS), NOT_INSERTED, GIVES_BACK(ROW, VERSION("e1"), 1), SENT, { 0 },
    };
    struct scene *scene = start(state, rules, "1");

    assert_end(scene, OK, 5);
}

static void test_V35_row_is_taken_back(void **state)
{
    static const struct fake_rule rules[] = {
        NO_ROW,
        INSERTED,
        REFUSES("POST", MESSAGES, 404, "QueueNotFound"),
        GIVES_BACK(ROW, VERSION("e1"), 1),
        DOES("DELETE", ROW, 204),
        { 0 },
    };
    struct scene *scene = start(state, rules, "1");

    assert_end(scene, ERR_BROKEN, 5);
    assert_header(scene, 4, "if-match", "W/\"e1\"");
}

static void test_row_of_somebody_else_is_not_taken_back(void **state)
{
    static const struct fake_rule rules[] = {
        NO_ROW, INSERTED, REFUSES("POST", MESSAGES, 404, "QueueNotFound"), THEIR_ROW, { 0 },
    };
    struct scene *scene = start(state, rules, "1");

    assert_end(scene, ERR_BROKEN, 4);
}

static void test_V36_start_may_be_sent_twice(void **state)
{
    static const struct fake_rule rules[] = {
        NO_ROW, INSERTED, RESETS("POST", MESSAGES), SENT, { 0 },
    };
    struct scene *scene = start(state, rules, "1");

    assert_end(scene, OK, 4);
    assert_true(str_eq(fakeserver_body(scene->f, 2), fakeserver_body(scene->f, 3)));
}

static void test_V36_row_stays_when_the_outcome_is_unknown(void **state)
{
    static const struct fake_rule rules[] = {
        NO_ROW,
        INSERTED,
        RESETS("POST", MESSAGES),
        REFUSES("POST", MESSAGES, 403, "AuthorizationPermissionMismatch"),
        { 0 },
    };
    struct scene *scene = start(state, rules, "1");

    assert_end(scene, ERR_UNKNOWN_OUTCOME, 4);
    assert_non_null(strstr(scene->call.text, "order-17"));
}

/* -- large inputs -- */

static void test_V17_input_of_30720_units_stays_in_the_cell(void **state)
{
    static char data[30720];
    struct scene *scene = start_with(state, fresh, large_text(data, sizeof(data)));

    assert_end(scene, OK, 3);
    assert_has_not(fakeserver_body(scene->f, 1), "InputBlobName");
}

static void test_V17_input_of_30721_units_has_a_companion(void **state)
{
    static const struct fake_rule rules[] = {
        NO_ROW, DOES("PUT", "/b/myhub-largemessages/order-17/history--Input-", 201), INSERTED, SENT,
        { 0 },
    };
    static char data[30721];
    struct scene *scene = start_with(state, rules, large_text(data, sizeof(data)));
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);

    assert_end(scene, OK, 4);
    assert_int_equal(gzip_unpack(&text, fakeserver_body(scene->f, 1)), OK);
    assert_true(str_eq(buf_str(&text), (struct str){ data, sizeof(data) }));
    struct str row = fakeserver_body(scene->f, 2);
    struct str name = member(scene, row, "InputBlobName");
    assert_has(row, "\"Input\":\"\",\"InputBlobName\":\"order-17/history--Input-");
    assert_int_equal(name.len, strlen("order-17/history--Input-XXXXXXXX-Input.json.gz"));
    assert_true(str_ends(fakeserver_path(scene->f, 1), name));
    for (size_t i = 0; i < 8; i++) {
        char c = name.p[strlen("order-17/history--Input-") + i];
        assert_true((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
    }
}

#define MESSAGE_BLOB "/b/myhub-largemessages/order-17/message-"

static void test_large_start_leaves_its_url_in_the_row(void **state)
{
    static const struct fake_rule rules[] = {
        NO_ROW, DOES("PUT", MESSAGE_BLOB, 201), INSERTED, SENT, { 0 },
    };
    static char data[70000];
    struct scene *scene = start_with(state, rules, large_text(data, sizeof(data)));

    assert_end(scene, OK, 4);
    struct str input = member(scene, fakeserver_body(scene->f, 2), "Input");
    assert_true(str_starts(input, STR("http://127.0.0.1:")));
    assert_true(str_ends(input, fakeserver_path(scene->f, 1)));
    assert_true(str_ends(input, STR("-ExecutionStarted.json.gz")));
    assert_has(fakeserver_message(scene->f, 3, &scene->arena),
               "\"CompressedBlobName\":\"order-17/message-");
}

static void test_large_start_refused_leaves_nothing(void **state)
{
    static const struct fake_rule rules[] = {
        NO_ROW,    DOES("PUT", MESSAGE_BLOB, 201),    NOT_INSERTED,
        THEIR_ROW, DOES("DELETE", MESSAGE_BLOB, 202), { 0 },
    };
    static char data[70000];
    struct scene *scene = start_with(state, rules, large_text(data, sizeof(data)));

    assert_end(scene, ERR_EXISTS, 5);
}

/* -- RESTART -- */

#define NO_MESSAGES "<QueueMessagesList />"
#define ONE_MESSAGE(id)                                                                            \
    "<QueueMessagesList><QueueMessage><MessageId>1</MessageId><MessageText>{&quot;TaskMessage"     \
    "&quot;:{&quot;Event&quot;:{},&quot;OrchestrationInstance&quot;:{&quot;InstanceId&quot;:"      \
    "&quot;" id "&quot;}}}</MessageText></QueueMessage></QueueMessagesList>"

#define FINISHED_ROW GIVES_ROW(ROW, VERSION("e1"), ROW_OF("Completed"))

static void test_restart_under_a_new_id(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES_ROW(ROW "'order-17'", VERSION("e1"), ROW_OF("Failed")),
        REFUSES("GET", ROW "'order-99'", 404, "ResourceNotFound"),
        INSERTED,
        DOES("POST", "/q/myhub-control-", 201),
        { 0 },
    };
    struct scene *scene = restart(state, rules, "order-99");

    assert_end(scene, OK, 4);
    struct str row = fakeserver_body(scene->f, 2);
    assert_has(row, "\"PartitionKey\":\"order-99\"");
    assert_has(row, "\"Input\":\"{\\\"a\\\":1}\"");
    assert_has(row, "\"Name\":\"OrderFlow\",\"Version\":\"1.5\"");
    assert_has(row, "\"Generation\":0");
    assert_string_equal(scene->receipt.instance_id, "order-99");
}

static void test_restart_makes_an_id(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES_ROW(ROW "'order-17'", VERSION("e1"), ROW_OF("Failed")),
        NO_ROW,
        INSERTED,
        DOES("POST", "/q/myhub-control-", 201),
        { 0 },
    };
    struct scene *scene = restart(state, rules, NULL);

    assert_err(scene, OK);
    assert_int_equal(strlen(scene->receipt.instance_id), 32);
    struct str key = member(scene, fakeserver_body(scene->f, 2), "PartitionKey");
    assert_true(str_eq(key, str_c(scene->receipt.instance_id)));
}

static void test_restart_id_in_use(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES_ROW_TIMES(ROW, VERSION("e1"), ROW_OF("Failed"), 2),
        { 0 },
    };
    struct scene *scene = restart(state, rules, "order-99");

    assert_end(scene, ERR_EXISTS, 2);
}

static void test_restart_fetches_a_large_input(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES_ROW(ROW "'order-17'", VERSION("e1"),
                  "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"Name\":\"F\",\"RuntimeStatus\":"
                  "\"Failed\",\"Input\":\"\",\"InputBlobName\":\"order-17/history--Input-0-Input."
                  "json.gz\",\"ExecutionId\":\"x1\"}"),
        REFUSES("GET", "/b/myhub-largemessages/order-17/history--Input-0", 404, "BlobNotFound"),
        { 0 },
    };
    struct scene *scene = restart(state, rules, "order-99");

    assert_err(scene, ERR_NOT_FOUND); /* never an empty restart */
    assert_requests(scene, 2);
}

static void test_V37_own_id_changed_meanwhile(void **state)
{
    static const struct fake_rule rules[] = {
        FINISHED_ROW,
        FINISHED_ROW,
        GIVES(PEEK, NO_MESSAGES),
        REFUSES("PUT", ROW, 412, CHANGED),
        GIVES_ROW(ROW, VERSION("e2"), "{\"ExecutionId\":\"theirs\"}"),
        { 0 },
    };
    struct scene *scene = restart(state, rules, "order-17");

    assert_end(scene, ERR_EXISTS, 5);
    assert_header(scene, 3, "if-match", "W/\"e1\"");
}

static void test_V63_message_of_the_old_run_waits(void **state)
{
    static const struct fake_rule rules[] = {
        FINISHED_ROW,
        FINISHED_ROW,
        GIVES(PEEK, ONE_MESSAGE("order-17")),
        { 0 },
    };
    struct scene *scene = restart(state, rules, "order-17");

    assert_end(scene, ERR_BUSY, 3);
}

static void test_V64_message_of_another_waits(void **state)
{
    static const struct fake_rule rules[] = {
        FINISHED_ROW,          FINISHED_ROW, GIVES(PEEK, ONE_MESSAGE("order-1")),
        DOES("PUT", ROW, 204), SENT,         { 0 },
    };
    struct scene *scene = restart(state, rules, "order-17");

    assert_end(scene, OK, 5);
    assert_has(fakeserver_body(scene->f, 3), "\"Generation\":5");
    assert_has(fakeserver_message(scene->f, 4, &scene->arena), "\"Generation\":5,\"EventId\"");
}

static void test_V65_more_messages_than_can_be_seen(void **state)
{
    static char peek[32 * 300];
    static struct fake_rule rules[] = {
        FINISHED_ROW,
        FINISHED_ROW,
        GIVES(PEEK, peek),
        { .method = "GET",
          .path = "/q/myhub-control-02?comp=metadata",
          .status = 200,
          .headers = "x-ms-approximate-messages-count: 40\r\n" },
        { 0 },
    };
    size_t n = (size_t)snprintf(peek, sizeof(peek), "<QueueMessagesList>");
    for (int i = 0; i < 32; i++)
        n += (size_t)snprintf(peek + n, sizeof(peek) - n,
                              "<QueueMessage><MessageText>hello</MessageText></QueueMessage>");
    snprintf(peek + n, sizeof(peek) - n, "</QueueMessagesList>");
    struct scene *scene = restart(state, rules, "order-17");

    assert_end(scene, ERR_BUSY, 4);
}

static void test_restart_refused_puts_the_old_row_back(void **state)
{
    static const struct fake_rule rules[] = {
        FINISHED_ROW,
        FINISHED_ROW,
        GIVES(PEEK, NO_MESSAGES),
        DOES("PUT", ROW, 204),
        REFUSES("POST", MESSAGES, 403, "AuthorizationPermissionMismatch"),
        GIVES_BACK(ROW, VERSION("e2"), 3),
        DOES("PUT", ROW, 204),
        { 0 },
    };
    struct scene *scene = restart(state, rules, "order-17");

    assert_end(scene, ERR_DENIED, 7);
    assert_header(scene, 6, "if-match", "W/\"e2\"");
    struct str row = fakeserver_body(scene->f, 6);
    /* Complete, with its types and what others added; without what the service makes itself. */
    assert_has(row, "\"RuntimeStatus\":\"Completed\",\"CreatedTime@odata.type\":\"Edm.DateTime\"");
    assert_has(row, "\"ExecutionId\":\"x1\",\"Generation\":4");
    assert_has(row, "\"Foreign\":1.5}");
    assert_has_not(row, "odata.etag");
    assert_has_not(row, "Timestamp");
    assert_true(json_valid(row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_row_first_message_second),
        SCENE_TEST(test_row_and_message_name_one_execution),
        SCENE_TEST(test_V29_start_data),
        SCENE_TEST(test_V33_id_in_use),
        SCENE_TEST(test_V34_somebody_was_faster),
        SCENE_TEST(test_lost_answer_to_the_insert),
        SCENE_TEST(test_V35_row_is_taken_back),
        SCENE_TEST(test_row_of_somebody_else_is_not_taken_back),
        SCENE_TEST(test_V36_start_may_be_sent_twice),
        SCENE_TEST(test_V36_row_stays_when_the_outcome_is_unknown),
        SCENE_TEST(test_V17_input_of_30720_units_stays_in_the_cell),
        SCENE_TEST(test_V17_input_of_30721_units_has_a_companion),
        SCENE_TEST(test_large_start_leaves_its_url_in_the_row),
        SCENE_TEST(test_large_start_refused_leaves_nothing),
        SCENE_TEST(test_restart_under_a_new_id),
        SCENE_TEST(test_restart_makes_an_id),
        SCENE_TEST(test_restart_id_in_use),
        SCENE_TEST(test_restart_fetches_a_large_input),
        SCENE_TEST(test_V37_own_id_changed_meanwhile),
        SCENE_TEST(test_V63_message_of_the_old_run_waits),
        SCENE_TEST(test_V64_message_of_another_waits),
        SCENE_TEST(test_V65_more_messages_than_can_be_seen),
        SCENE_TEST(test_restart_refused_puts_the_old_row_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
