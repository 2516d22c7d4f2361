#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "backend/storage/messages.h"
#include "backend/storage/queues.h"
#include "tests/backend/storage/fakeserver.h"

#define QUEUE    "myhub-control-00"
#define MESSAGES "/q/" QUEUE "/messages"
#define CODE(c)  "x-ms-error-code: " c "\r\n"

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    struct buf seen;
};

static struct scene scene_of(const struct fake_rule *rules)
{
    struct scene scene = { .f = fakeserver_new(rules), .seen = BUF_INIT(1 << 20) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    fake_call_init(&scene.call);
    return scene;
}

static void scene_end(struct scene *scene)
{
    hub_close(&scene->s->hub);
    buf_fini(&scene->seen);
    fakeserver_free(scene->f);
}

static enum err note(void *ctx, struct str text)
{
    struct buf *seen = ctx;

    buf_add(seen, text);
    buf_add_ch(seen, ';');
    return OK;
}

static void test_V23_put_with_a_delay(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "POST", .path = MESSAGES, .status = 201, .times = 2 },
        { 0 },
    };
    struct scene scene = scene_of(rules);

    assert_int_equal(queues_put(scene.s, &scene.call, QUEUE, STR("{}"), 50400), OK);
    assert_int_equal(queues_put(scene.s, &scene.call, QUEUE, STR("{}"), 0), OK);
    assert_string_equal(fakeserver_log(scene.f),
                        "POST " MESSAGES "?messagettl=-1&visibilitytimeout=50400\n"
                        "POST " MESSAGES "?messagettl=-1\n");
    assert_true(str_eq(fakeserver_header(scene.f, 0, "content-type"), STR("application/xml")));
    assert_true(str_eq(fakeserver_body(scene.f, 0),
                       STR("<QueueMessage><MessageText>e30=</MessageText></QueueMessage>")));
    scene_end(&scene);
}

static void test_put_of_the_longest_inline_message(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    static char text[MESSAGE_INLINE_MAX];
    struct scene scene = scene_of(rules);

    memset(text, 'x', sizeof(text));
    assert_int_equal(queues_put(scene.s, &scene.call, QUEUE, (struct str){ text, sizeof(text) }, 0),
                     OK);
    assert_true(fakeserver_body(scene.f, 0).len - strlen("<QueueMessage><MessageText>"
                                                         "</MessageText></QueueMessage>") <
                MESSAGE_TEXT_MAX);
    scene_end(&scene);
}

static void test_put_is_repeated_only_when_it_cannot_be_there(void **state)
{
    static const struct fake_rule busy[] = {
        { .method = "POST", .path = MESSAGES, .status = 503, .headers = CODE("ServerBusy") },
        { .method = "POST", .path = MESSAGES, .status = 201 },
        { 0 },
    };
    static const struct fake_rule timeout[] = {
        { .method = "POST", .path = MESSAGES, .status = 500, .headers = CODE("OperationTimedOut") },
        { 0 },
    };
    struct scene scene = scene_of(busy);

    assert_int_equal(queues_put(scene.s, &scene.call, QUEUE, STR("{}"), 0), OK);
    assert_int_equal(fakeserver_count(scene.f), 2);
    scene_end(&scene);
    scene = scene_of(timeout);
    assert_int_equal(queues_put(scene.s, &scene.call, QUEUE, STR("{}"), 0), ERR_UNKNOWN_OUTCOME);
    assert_int_equal(fakeserver_count(scene.f), 1);
    scene_end(&scene);
}

static void test_peek(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = MESSAGES "?numofmessages=32&peekonly=true",
          .status = 200,
          .body = "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><QueueMessagesList>"
                  "<QueueMessage><MessageId>1</MessageId><MessageText>a&amp;b</MessageText>"
                  "</QueueMessage><QueueMessage><MessageText></MessageText></QueueMessage>"
                  "</QueueMessagesList>" },
        { .method = "GET", .path = MESSAGES, .status = 404, .headers = CODE("QueueNotFound") },
        { 0 },
    };
    struct scene scene = scene_of(rules);
    size_t count = 99;

    assert_int_equal(queues_peek(scene.s, &scene.call, QUEUE, note, &scene.seen, &count), OK);
    assert_int_equal(count, 2);
    assert_string_equal(buf_c(&scene.seen), "a&b;;");
    assert_int_equal(queues_peek(scene.s, &scene.call, QUEUE, note, &scene.seen, &count),
                     ERR_NOT_FOUND);
    assert_int_equal(count, 2);
    scene_end(&scene);
}

static void test_metadata(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = "/q/" QUEUE "?comp=metadata",
          .status = 200,
          .headers =
              "x-ms-approximate-messages-count: 17\r\nx-ms-meta-DurableTask_TaskHub: {}\r\n" },
        { .method = "GET",
          .path = "/q/" QUEUE "?comp=metadata",
          .status = 200,
          .headers = "x-ms-approximate-messages-count: many\r\n" },
        { 0 },
    };
    struct scene scene = scene_of(rules);
    struct queue_metadata metadata;

    assert_int_equal(queues_metadata(scene.s, &scene.call, QUEUE, &metadata), OK);
    assert_int_equal(metadata.messages, 17);
    assert_string_equal(metadata.task_hub, "{}");
    assert_int_equal(queues_metadata(scene.s, &scene.call, QUEUE, &metadata), OK);
    assert_int_equal(metadata.messages, -1);
    assert_string_equal(metadata.task_hub, "");
    scene_end(&scene);
}

#define PAGE(names, marker)                                                                        \
    "<EnumerationResults><Queues>" names "</Queues><NextMarker>" marker                            \
    "</NextMarker></EnumerationResults>"

static void test_lists_every_page(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = "/q/?comp=list&prefix=myhub-&marker=2%2F",
          .status = 200,
          .body = PAGE("<Queue><Name>myhub-b</Name></Queue>", "") },
        { .method = "GET",
          .path = "/q/?comp=list&prefix=myhub-",
          .status = 200,
          .body = PAGE("<Queue><Name>myhub-a</Name></Queue>", "2/") },
        { 0 },
    };
    struct scene scene = scene_of(rules);

    assert_int_equal(queues_list(scene.s, &scene.call, "myhub-", note, &scene.seen), OK);
    assert_string_equal(buf_c(&scene.seen), "myhub-a;myhub-b;");
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_V23_put_with_a_delay),
        cmocka_unit_test(test_put_of_the_longest_inline_message),
        cmocka_unit_test(test_put_is_repeated_only_when_it_cannot_be_there),
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_lists_every_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
