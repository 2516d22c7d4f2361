#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "backend/base/jsonread.h"
#include "backend/storage/messages.h"
#include "tests/backend/storage/fakeserver.h"

#define ROW      "/t/MyHubInstances(PartitionKey="
#define ROWS     "/t/MyHubInstances"
#define MESSAGES "/q/myhub-control-02/messages" /* of order-17, four partitions */
#define PEEK     "/q/myhub-control-02/messages?numofmessages=32&peekonly=true"
#define ETAG     "etag: W/\"e1\"\r\n"
#define CODE(c)  "x-ms-error-code: " c "\r\n"

#define ROW_OF(status)                                                                             \
    "{\"odata.metadata\":\"x\",\"odata.etag\":\"W/\\\"e1\\\"\",\"PartitionKey\":\"order-17\","     \
    "\"RowKey\":\"\",\"Timestamp\":\"2024-05-01T10:00:01Z\","                                      \
    "\"Timestamp@odata.type\":\"Edm.DateTime\",\"Name\":\"OrderFlow\",\"Version\":\"1.5\","        \
    "\"RuntimeStatus\":\"" status "\",\"CreatedTime@odata.type\":\"Edm.DateTime\","                \
    "\"CreatedTime\":\"2024-05-01T10:00:00.1234567Z\",\"LastUpdatedTime\":"                        \
    "\"2024-05-01T10:00:01Z\",\"TaskHubName\":\"MyHub\",\"ExecutionId\":\"x1\","                   \
    "\"Generation\":4,\"Tags\":\"null\",\"Input\":\"{\\\"a\\\":1}\",\"Foreign\":1.5}"

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

static struct command start_of(const char *data)
{
    return (struct command){ .kind = CMD_START,
                             .id = STR("order-17"),
                             .name = STR("OrderFlow"),
                             .has_data = data != NULL,
                             .data = str_c(data) };
}

static struct command restart_as(const char *id)
{
    return (struct command){
        .kind = CMD_RESTART, .id = STR("order-17"), .has_data = id != NULL, .data = str_c(id)
    };
}

static void assert_requests(const struct scene *scene, size_t n)
{
    if (fakeserver_count(scene->f) != n)
        fail_msg("%zu requests instead of %zu:\n%s%s", fakeserver_count(scene->f), n,
                 fakeserver_log(scene->f), scene->call.text);
}

static void assert_err(const struct scene *scene, enum err err)
{
    if (scene->err != err)
        fail_msg("%s instead of %s: %s", err_name(scene->err), err_name(err), scene->call.text);
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

static void assert_has(struct str text, const char *part)
{
    if (!str_has(text, str_c(part)))
        fail_msg("%s is not in %.*s", part, STR_ARG(text));
}

static void assert_has_not(struct str text, const char *part)
{
    if (str_has(text, str_c(part)))
        fail_msg("%s is in %.*s", part, STR_ARG(text));
}

/* -- START -- */

static const struct fake_rule fresh[] = {
    { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
    { .method = "POST", .path = ROWS, .status = 204, .headers = ETAG },
    { .method = "POST", .path = MESSAGES, .status = 201 },
    { 0 },
};

static void test_row_first_message_second(void **state)
{
    struct command cmd = start_of("{\"a\":1}\n");
    struct scene scene = play(fresh, &cmd);

    assert_err(&scene, OK);
    assert_requests(&scene, 3);
    struct str row = fakeserver_body(scene.f, 1);
    struct str message = fakeserver_message(scene.f, 2, &scene.arena);
    assert_true(str_eq(fakeserver_path(scene.f, 1), STR("/t/MyHubInstances")));
    assert_true(str_eq(fakeserver_path(scene.f, 2), STR(MESSAGES "?messagettl=-1")));
    assert_has(row, "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"Input\":\"{\\\"a\\\":1}\","
                    "\"CreatedTime\":\"");
    assert_has(row, "\"CreatedTime@odata.type\":\"Edm.DateTime\",\"Name\":\"OrderFlow\","
                    "\"Version\":\"\",\"RuntimeStatus\":\"Pending\",\"LastUpdatedTime\":\"");
    assert_has(row, "\"LastUpdatedTime@odata.type\":\"Edm.DateTime\",\"TaskHubName\":\"MyHub\",");
    assert_has(row, "\"Generation\":0,\"Tags\":\"null\"}");
    assert_has_not(row, "ScheduledStartTime");
    assert_has(message, "\"Input\":\"{\\\"a\\\":1}\",\"Tags\":null");
    assert_has(message, "\"CompressedBlobName\":null,\"SequenceNumber\":0,\"Sender\"");
    assert_string_equal(scene.receipt.instance_id, "order-17");
    scene_end(&scene);
}

/* The worker runs a start only if the row names the same execution (storage messages 4.2). */
static void test_row_and_message_name_one_execution(void **state)
{
    struct command cmd = start_of(NULL);
    struct scene scene = play(fresh, &cmd);
    char expected[200];

    assert_err(&scene, OK);
    struct str row = fakeserver_body(scene.f, 1);
    struct str message = fakeserver_message(scene.f, 2, &scene.arena);
    struct str execution = member(&scene, row, "ExecutionId");
    assert_int_equal(execution.len, 32);
    snprintf(expected, sizeof(expected),
             "ExecutionStartedEvent\",\"OrchestrationInstance\":{\"$type\":"
             "\"DurableTask.Core.OrchestrationInstance\",\"InstanceId\":\"order-17\","
             "\"ExecutionId\":\"%.*s\"},\"EventType\":0",
             STR_ARG(execution));
    assert_has(message, expected);
    struct str created = member(&scene, row, "CreatedTime");
    assert_int_equal(created.len, 28);
    ticks in_row, in_message;
    assert_true(ticks_parse(created, &in_row));
    const char *time = strstr(message.p, "\"Timestamp\":\"") + strlen("\"Timestamp\":\"");
    assert_true(ticks_parse((struct str){ time, strcspn(time, "\"") }, &in_message));
    assert_true(in_row == in_message);
    scene_end(&scene);
}

static void test_V29_start_data(void **state)
{
    struct command none = start_of(NULL);
    struct command null = start_of(" null ");
    struct scene scene = play(fresh, &none);

    assert_err(&scene, OK);
    assert_has_not(fakeserver_body(scene.f, 1), "Input");
    assert_has(fakeserver_message(scene.f, 2, &scene.arena), "\"Input\":null,\"Tags\"");
    scene_end(&scene);
    scene = play(fresh, &null);
    assert_err(&scene, OK);
    assert_has(fakeserver_body(scene.f, 1), "\"Input\":\"null\"");
    assert_has(fakeserver_message(scene.f, 2, &scene.arena), "\"Input\":\"null\",\"Tags\"");
    scene_end(&scene);
}

static void test_V33_id_in_use(void **state)
{
    static const struct fake_rule running[] = {
        { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .body = ROW_OF("Running") },
        { 0 },
    };
    static const struct fake_rule completed[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("Completed") },
        { 0 },
    };
    struct command cmd = start_of("1");

    for (int i = 0; i < 2; i++) {
        struct scene scene = play(i ? completed : running, &cmd);
        assert_err(&scene, ERR_EXISTS);
        assert_requests(&scene, 1);
        scene_end(&scene);
    }
}

static void test_V34_somebody_was_faster(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { .method = "POST", .path = ROWS, .status = 409, .headers = CODE("EntityAlreadyExists") },
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = "{\"ExecutionId\":\"theirs\"}" },
        { 0 },
    };
    struct command cmd = start_of("1");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_EXISTS);
    assert_requests(&scene, 3); /* the last one asks whether the row is ours after all */
    scene_end(&scene);
}

/* Rules cannot know our execution id, so the answer is built from the request: the server repeats.
 */
static void test_lost_answer_to_the_insert(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { .method = "POST", .path = ROWS, .fault = FAKE_RESETS },
        { .method = "POST", .path = ROWS, .status = 409, .headers = CODE("EntityAlreadyExists") },
        { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .echo_of = 1 },
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    struct command cmd = start_of("1");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, OK);
    assert_requests(&scene, 5);
    scene_end(&scene);
}

static void test_V35_row_is_taken_back(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { .method = "POST", .path = ROWS, .status = 204, .headers = ETAG },
        { .method = "POST", .path = MESSAGES, .status = 404, .headers = CODE("QueueNotFound") },
        { .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .echo_of = 1 },
        { .method = "DELETE", .path = ROW, .status = 204 },
        { 0 },
    };
    struct command cmd = start_of("1");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_BROKEN);
    assert_requests(&scene, 5);
    assert_true(str_eq(fakeserver_header(scene.f, 4, "if-match"), STR("W/\"e1\"")));
    scene_end(&scene);
}

static void test_row_of_somebody_else_is_not_taken_back(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { .method = "POST", .path = ROWS, .status = 204, .headers = ETAG },
        { .method = "POST", .path = MESSAGES, .status = 404, .headers = CODE("QueueNotFound") },
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = "{\"ExecutionId\":\"theirs\"}" },
        { 0 },
    };
    struct command cmd = start_of("1");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_BROKEN);
    assert_requests(&scene, 4);
    scene_end(&scene);
}

static void test_V36_start_may_be_sent_twice(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { .method = "POST", .path = ROWS, .status = 204, .headers = ETAG },
        { .method = "POST", .path = MESSAGES, .fault = FAKE_RESETS },
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    struct command cmd = start_of("1");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, OK);
    assert_requests(&scene, 4);
    assert_true(str_eq(fakeserver_body(scene.f, 2), fakeserver_body(scene.f, 3)));
    scene_end(&scene);
}

static void test_V36_row_stays_when_the_outcome_is_unknown(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { .method = "POST", .path = ROWS, .status = 204, .headers = ETAG },
        { .method = "POST", .path = MESSAGES, .fault = FAKE_RESETS },
        { .method = "POST",
          .path = MESSAGES,
          .status = 403,
          .headers = CODE("AuthorizationPermissionMismatch") },
        { 0 },
    };
    struct command cmd = start_of("1");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_UNKNOWN_OUTCOME);
    assert_requests(&scene, 4);
    assert_non_null(strstr(scene.call.text, "order-17"));
    scene_end(&scene);
}

/* -- large inputs -- */

static struct command start_with(char *data, size_t n)
{
    struct command cmd = start_of("1");

    memset(data, 'x', n);
    data[0] = data[n - 1] = '"';
    cmd.data = (struct str){ data, n };
    return cmd;
}

static void test_V17_input_of_30720_units_stays_in_the_cell(void **state)
{
    static char data[30720];
    struct command cmd = start_with(data, sizeof(data));
    struct scene scene = play(fresh, &cmd);

    assert_err(&scene, OK);
    assert_requests(&scene, 3);
    assert_has_not(fakeserver_body(scene.f, 1), "InputBlobName");
    scene_end(&scene);
}

static void test_V17_input_of_30721_units_has_a_companion(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { .method = "PUT",
          .path = "/b/myhub-largemessages/order-17/history--Input-",
          .status = 201 },
        { .method = "POST", .path = ROWS, .status = 204, .headers = ETAG },
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    static char data[30721];
    struct command cmd = start_with(data, sizeof(data));
    struct scene scene = play(rules, &cmd);
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);

    assert_err(&scene, OK);
    assert_requests(&scene, 4);
    assert_int_equal(gzip_unpack(&text, fakeserver_body(scene.f, 1)), OK);
    assert_true(str_eq(buf_str(&text), cmd.data));
    struct str row = fakeserver_body(scene.f, 2);
    struct str name = member(&scene, row, "InputBlobName");
    assert_has(row, "\"Input\":\"\",\"InputBlobName\":\"order-17/history--Input-");
    assert_int_equal(name.len, strlen("order-17/history--Input-XXXXXXXX-Input.json.gz"));
    assert_true(str_ends(fakeserver_path(scene.f, 1), name));
    for (size_t i = 0; i < 8; i++) {
        char c = name.p[strlen("order-17/history--Input-") + i];
        assert_true((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
    }
    scene_end(&scene);
}

#define MESSAGE_BLOB "/b/myhub-largemessages/order-17/message-"

static void test_large_start_leaves_its_url_in_the_row(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { .method = "PUT", .path = MESSAGE_BLOB, .status = 201 },
        { .method = "POST", .path = ROWS, .status = 204, .headers = ETAG },
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    static char data[70000];
    struct command cmd = start_with(data, sizeof(data));
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, OK);
    assert_requests(&scene, 4);
    struct str input = member(&scene, fakeserver_body(scene.f, 2), "Input");
    assert_true(str_starts(input, STR("http://127.0.0.1:")));
    assert_true(str_ends(input, fakeserver_path(scene.f, 1)));
    assert_true(str_ends(input, STR("-ExecutionStarted.json.gz")));
    assert_has(fakeserver_message(scene.f, 3, &scene.arena),
               "\"CompressedBlobName\":\"order-17/message-");
    scene_end(&scene);
}

static void test_large_start_refused_leaves_nothing(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { .method = "PUT", .path = MESSAGE_BLOB, .status = 201 },
        { .method = "POST", .path = ROWS, .status = 409, .headers = CODE("EntityAlreadyExists") },
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = "{\"ExecutionId\":\"theirs\"}" },
        { .method = "DELETE", .path = MESSAGE_BLOB, .status = 202 },
        { 0 },
    };
    static char data[70000];
    struct command cmd = start_with(data, sizeof(data));
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_EXISTS);
    assert_requests(&scene, 5);
    scene_end(&scene);
}

/* -- RESTART -- */

#define NO_MESSAGES "<QueueMessagesList />"
#define ONE_MESSAGE(id)                                                                            \
    "<QueueMessagesList><QueueMessage><MessageId>1</MessageId><MessageText>{&quot;TaskMessage"     \
    "&quot;:{&quot;Event&quot;:{},&quot;OrchestrationInstance&quot;:{&quot;InstanceId&quot;:"      \
    "&quot;" id "&quot;}}}</MessageText></QueueMessage></QueueMessagesList>"

#define FINISHED_ROW                                                                               \
    {                                                                                              \
        .method = "GET", .path = ROW, .status = 200, .headers = ETAG, .body = ROW_OF("Completed")  \
    }

static void test_restart_under_a_new_id(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW "'order-17'",
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("Failed") },
        { .method = "GET",
          .path = ROW "'order-99'",
          .status = 404,
          .headers = CODE("ResourceNotFound") },
        { .method = "POST", .path = ROWS, .status = 204, .headers = ETAG },
        { .method = "POST", .path = "/q/myhub-control-", .status = 201 },
        { 0 },
    };
    struct command cmd = restart_as("order-99");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, OK);
    assert_requests(&scene, 4);
    struct str row = fakeserver_body(scene.f, 2);
    assert_has(row, "\"PartitionKey\":\"order-99\"");
    assert_has(row, "\"Input\":\"{\\\"a\\\":1}\"");
    assert_has(row, "\"Name\":\"OrderFlow\",\"Version\":\"1.5\"");
    assert_has(row, "\"Generation\":0");
    assert_string_equal(scene.receipt.instance_id, "order-99");
    scene_end(&scene);
}

static void test_restart_makes_an_id(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW "'order-17'",
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("Failed") },
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { .method = "POST", .path = ROWS, .status = 204, .headers = ETAG },
        { .method = "POST", .path = "/q/myhub-control-", .status = 201 },
        { 0 },
    };
    struct command cmd = restart_as(NULL);
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, OK);
    assert_int_equal(strlen(scene.receipt.instance_id), 32);
    struct str key = member(&scene, fakeserver_body(scene.f, 2), "PartitionKey");
    assert_true(str_eq(key, str_c(scene.receipt.instance_id)));
    scene_end(&scene);
}

static void test_restart_id_in_use(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("Failed"),
          .times = 2 },
        { 0 },
    };
    struct command cmd = restart_as("order-99");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_EXISTS);
    assert_requests(&scene, 2);
    scene_end(&scene);
}

static void test_restart_fetches_a_large_input(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW "'order-17'",
          .status = 200,
          .headers = ETAG,
          .body = "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"Name\":\"F\",\"RuntimeStatus\":"
                  "\"Failed\",\"Input\":\"\",\"InputBlobName\":\"order-17/history--Input-0-Input."
                  "json.gz\",\"ExecutionId\":\"x1\"}" },
        { .method = "GET",
          .path = "/b/myhub-largemessages/order-17/history--Input-0",
          .status = 404,
          .headers = CODE("BlobNotFound") },
        { 0 },
    };
    struct command cmd = restart_as("order-99");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_NOT_FOUND); /* never an empty restart */
    assert_requests(&scene, 2);
    scene_end(&scene);
}

static void test_V37_own_id_changed_meanwhile(void **state)
{
    static const struct fake_rule rules[] = {
        FINISHED_ROW,
        FINISHED_ROW,
        { .method = "GET", .path = PEEK, .status = 200, .body = NO_MESSAGES },
        { .method = "PUT",
          .path = ROW,
          .status = 412,
          .headers = CODE("UpdateConditionNotSatisfied") },
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = "etag: W/\"e2\"\r\n",
          .body = "{\"ExecutionId\":\"theirs\"}" },
        { 0 },
    };
    struct command cmd = restart_as("order-17");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_EXISTS);
    assert_requests(&scene, 5);
    assert_true(str_eq(fakeserver_header(scene.f, 3, "if-match"), STR("W/\"e1\"")));
    scene_end(&scene);
}

static void test_V63_message_of_the_old_run_waits(void **state)
{
    static const struct fake_rule rules[] = {
        FINISHED_ROW,
        FINISHED_ROW,
        { .method = "GET", .path = PEEK, .status = 200, .body = ONE_MESSAGE("order-17") },
        { 0 },
    };
    struct command cmd = restart_as("order-17");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_BUSY);
    assert_requests(&scene, 3);
    scene_end(&scene);
}

static void test_V64_message_of_another_waits(void **state)
{
    static const struct fake_rule rules[] = {
        FINISHED_ROW,
        FINISHED_ROW,
        { .method = "GET", .path = PEEK, .status = 200, .body = ONE_MESSAGE("order-1") },
        { .method = "PUT", .path = ROW, .status = 204 },
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    struct command cmd = restart_as("order-17");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, OK);
    assert_requests(&scene, 5);
    assert_has(fakeserver_body(scene.f, 3), "\"Generation\":5");
    assert_has(fakeserver_message(scene.f, 4, &scene.arena), "\"Generation\":5,\"EventId\"");
    scene_end(&scene);
}

static void test_V65_more_messages_than_can_be_seen(void **state)
{
    static char peek[32 * 300];
    static struct fake_rule rules[] = {
        FINISHED_ROW,
        FINISHED_ROW,
        { .method = "GET", .path = PEEK, .status = 200, .body = peek },
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
    struct command cmd = restart_as("order-17");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_BUSY);
    assert_requests(&scene, 4);
    scene_end(&scene);
}

static void test_restart_refused_puts_the_old_row_back(void **state)
{
    static const struct fake_rule rules[] = {
        FINISHED_ROW,
        FINISHED_ROW,
        { .method = "GET", .path = PEEK, .status = 200, .body = NO_MESSAGES },
        { .method = "PUT", .path = ROW, .status = 204 },
        { .method = "POST",
          .path = MESSAGES,
          .status = 403,
          .headers = CODE("AuthorizationPermissionMismatch") },
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = "etag: W/\"e2\"\r\n",
          .echo_of = 3 },
        { .method = "PUT", .path = ROW, .status = 204 },
        { 0 },
    };
    struct command cmd = restart_as("order-17");
    struct scene scene = play(rules, &cmd);

    assert_err(&scene, ERR_DENIED);
    assert_requests(&scene, 7);
    assert_true(str_eq(fakeserver_header(scene.f, 6, "if-match"), STR("W/\"e2\"")));
    struct str row = fakeserver_body(scene.f, 6);
    /* Complete, with its types and what others added; without what the service makes itself. */
    assert_has(row, "\"RuntimeStatus\":\"Completed\",\"CreatedTime@odata.type\":\"Edm.DateTime\"");
    assert_has(row, "\"ExecutionId\":\"x1\",\"Generation\":4");
    assert_has(row, "\"Foreign\":1.5}");
    assert_has_not(row, "odata.etag");
    assert_has_not(row, "Timestamp");
    assert_true(json_valid(row));
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_first_message_second),
        cmocka_unit_test(test_row_and_message_name_one_execution),
        cmocka_unit_test(test_V29_start_data),
        cmocka_unit_test(test_V33_id_in_use),
        cmocka_unit_test(test_V34_somebody_was_faster),
        cmocka_unit_test(test_lost_answer_to_the_insert),
        cmocka_unit_test(test_V35_row_is_taken_back),
        cmocka_unit_test(test_row_of_somebody_else_is_not_taken_back),
        cmocka_unit_test(test_V36_start_may_be_sent_twice),
        cmocka_unit_test(test_V36_row_stays_when_the_outcome_is_unknown),
        cmocka_unit_test(test_V17_input_of_30720_units_stays_in_the_cell),
        cmocka_unit_test(test_V17_input_of_30721_units_has_a_companion),
        cmocka_unit_test(test_large_start_leaves_its_url_in_the_row),
        cmocka_unit_test(test_large_start_refused_leaves_nothing),
        cmocka_unit_test(test_restart_under_a_new_id),
        cmocka_unit_test(test_restart_makes_an_id),
        cmocka_unit_test(test_restart_id_in_use),
        cmocka_unit_test(test_restart_fetches_a_large_input),
        cmocka_unit_test(test_V37_own_id_changed_meanwhile),
        cmocka_unit_test(test_V63_message_of_the_old_run_waits),
        cmocka_unit_test(test_V64_message_of_another_waits),
        cmocka_unit_test(test_V65_more_messages_than_can_be_seen),
        cmocka_unit_test(test_restart_refused_puts_the_old_row_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
