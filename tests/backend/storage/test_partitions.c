#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "backend/storage/partitions.h"
#include "tests/backend/storage/fakeserver.h"

#define METADATA "/q/myhub-workitems?comp=metadata"
#define TABLE    "/t/MyHubPartitions()"
#define QUEUES   "/q/?comp=list&prefix=myhub-control-"
#define BLOB     "/b/myhub-leases/taskhub.json"
#define LEASES   "/b/myhub-leases?restype=container&comp=list"
#define CODE(c)  "x-ms-error-code: " c "\r\n"
#define TASK_HUB(hub, count)                                                                       \
    "{\"TaskHubName\":\"" hub "\",\"CreatedAt\":\"2024-05-01T10:00:00.1234567Z\","                 \
    "\"PartitionCount\":" count "}"

#define NO_METADATA                                                                                \
    {                                                                                              \
        .method = "GET", .path = METADATA, .status = 200                                           \
    }
#define NO_BLOB                                                                                    \
    {                                                                                              \
        .method = "GET", .path = BLOB, .status = 404, .headers = CODE("BlobNotFound")              \
    }

/* -- what the sources say -- */

static void test_V7_task_hub(void **state)
{
    assert_int_equal(partitions_of_task_hub(STR(TASK_HUB("MYHUB", "4")), STR("MyHub")), 4);
    assert_int_equal(
        partitions_of_task_hub(STR("\xef\xbb\xbf" TASK_HUB("MyHub", "16")), STR("MyHub")), 16);
}

static void test_V8_task_hub_refused(void **state)
{
    static const char *const wrong[] = { TASK_HUB("MyHub", "0"),
                                         TASK_HUB("MyHub", "17"),
                                         TASK_HUB("MyHub", "-1"),
                                         TASK_HUB("Other", "4"),
                                         TASK_HUB("MyHub", "null"),
                                         TASK_HUB("MyHub", "4.5"),
                                         "{\"TaskHubName\":\"MyHub\"}",
                                         "{\"PartitionCount\":4}",
                                         "[4]",
                                         "4",
                                         "",
                                         "<html>",
                                         "{\"TaskHubName\":\"MyHub\",\"PartitionCount\":4" };

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (partitions_of_task_hub(str_c(wrong[i]), STR("MyHub")))
            fail_msg("%s", wrong[i]);
    /* Json.NET reads it so. */
    assert_int_equal(partitions_of_task_hub(STR(TASK_HUB("MyHub", "\"4\"")), STR("MyHub")), 4);
}

static struct partition_set set_of(const char *const *names, size_t n)
{
    struct partition_set set = { .hub = STR("myhub") };

    for (size_t i = 0; i < n; i++)
        partition_set_add(&set, str_c(names[i]));
    return set;
}

static void test_V9_rows_of_other_hubs_do_not_count(void **state)
{
    static const char *const rows[] = { "myhub-control-00", "myhub-control-01", "myhub-control-02",
                                        "myhub-control-03", "other-control-00" };
    struct partition_set set = set_of(rows, ARRAY_LEN(rows));

    assert_int_equal(partition_set_count(&set), 4);
    assert_int_equal(partition_set_dense(&set), 4);
}

static void test_V10_queues_with_a_gap(void **state)
{
    static const char *const gap[] = { "myhub-control-00", "myhub-control-01", "myhub-control-03" };
    static const char *const beyond[] = { "myhub-control-00", "myhub-control-16" };
    struct partition_set set = set_of(gap, ARRAY_LEN(gap));

    assert_int_equal(partition_set_dense(&set), 0);
    set = set_of(beyond, ARRAY_LEN(beyond));
    assert_int_equal(partition_set_dense(&set), 0);
    set = set_of(gap, 0);
    assert_int_equal(partition_set_dense(&set), 0);
}

/* -- asking -- */

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    unsigned count;
    enum err err;
};

static struct scene play(const struct fake_rule *rules, struct fake_hub how)
{
    struct scene scene = { .f = fakeserver_new(rules) };

    how.none = !how.user_partitions;
    scene.s = fake_hub_new(scene.f, how);
    fake_call_init(&scene.call);
    scene.err = partitions_find(scene.s, &scene.call, &scene.count);
    return scene;
}

static void scene_end(struct scene *scene)
{
    hub_close(&scene->s->hub);
    fakeserver_free(scene->f);
}

static void assert_found(const struct scene *scene, unsigned count, size_t requests)
{
    if (scene->err != OK || scene->count != count || fakeserver_count(scene->f) != requests)
        fail_msg("%s, %u instead of %u, %zu requests instead of %zu: %s\n%s", err_name(scene->err),
                 scene->count, count, fakeserver_count(scene->f), requests, scene->call.text,
                 fakeserver_log(scene->f));
}

static void assert_refused(const struct scene *scene, const char *part)
{
    assert_int_equal(scene->err, ERR_INVALID);
    if (!strstr(scene->call.text, part))
        fail_msg("%s is not in %s", part, scene->call.text);
    assert_non_null(strstr(scene->call.text, "--partitions"));
}

static void test_the_user_knows(void **state)
{
    static const struct fake_rule rules[] = { { 0 } };
    struct scene scene = play(rules, (struct fake_hub){ .user_partitions = 9 });

    assert_found(&scene, 9, 0);
    scene_end(&scene);
}

static void test_V11_metadata_first(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = METADATA,
          .status = 200,
          .headers = "x-ms-meta-durabletask_taskhub: " TASK_HUB("MyHub", "8") "\r\n" },
        { 0 },
    };
    struct scene scene = play(rules, (struct fake_hub){ .table = true });

    assert_found(&scene, 8, 1);
    scene_end(&scene);
}

static void test_V9_then_the_table(void **state)
{
    static const struct fake_rule rules[] = {
        NO_METADATA,
        { .method = "GET",
          .path = TABLE,
          .status = 200,
          .body = "{\"value\":[{\"RowKey\":\"myhub-control-00\"},{\"RowKey\":\"myhub-control-01\"},"
                  "{\"RowKey\":\"myhub-control-02\"},{\"RowKey\":\"other-control-00\"}]}" },
        { 0 },
    };
    struct scene scene = play(rules, (struct fake_hub){ .table = true, .host_partitions = 7 });

    assert_found(&scene, 3, 2);
    scene_end(&scene);
}

#define FOUR_QUEUES                                                                                \
    "<EnumerationResults><Queues><Queue><Name>myhub-control-00</Name></Queue><Queue><Name>"        \
    "myhub-control-01</Name></Queue><Queue><Name>myhub-control-02</Name></Queue><Queue><Name>"     \
    "myhub-control-03</Name></Queue></Queues><NextMarker/></EnumerationResults>"
#define FOUR_LEASES                                                                                \
    "<EnumerationResults><Blobs><Blob><Name>intent/myhub-control-09</Name></Blob><Blob><Name>"     \
    "ownership/myhub-control-00</Name></Blob><Blob><Name>ownership/myhub-control-01</Name></Blob>" \
    "<Blob><Name>ownership/myhub-control-02</Name></Blob><Blob><Name>ownership/myhub-control-03"   \
    "</Name></Blob><Blob><Name>taskhub.json</Name></Blob></Blobs><NextMarker/></"                  \
    "EnumerationResults>"

static void test_then_the_blob(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = METADATA, .status = 404, .headers = CODE("QueueNotFound") },
        { .method = "GET", .path = QUEUES, .status = 200, .body = FOUR_QUEUES },
        { .method = "GET", .path = BLOB, .status = 200, .body = TASK_HUB("MyHub", "4") },
        { .method = "GET", .path = LEASES, .status = 200, .body = FOUR_LEASES },
        { 0 },
    };
    struct scene scene = play(rules, (struct fake_hub){ 0 });

    assert_found(&scene, 4, 4);
    scene_end(&scene);
}

static void test_V66_blob_and_leases_disagree(void **state)
{
    static const struct fake_rule rules[] = {
        NO_METADATA,
        { .method = "GET", .path = QUEUES, .status = 200, .body = FOUR_QUEUES },
        { .method = "GET", .path = BLOB, .status = 200, .body = TASK_HUB("MyHub", "2") },
        { .method = "GET", .path = LEASES, .status = 200, .body = FOUR_LEASES },
        { 0 },
    };
    struct scene scene = play(rules, (struct fake_hub){ 0 });

    assert_refused(&scene, "says 2 partitions, but there are 4 leases and 4 control queues");
    scene_end(&scene);
    scene = play(rules, (struct fake_hub){ .host_partitions = 4 });
    assert_found(&scene, 4, 4);
    scene_end(&scene);
}

static void test_V10_queues_alone_are_a_guess(void **state)
{
    static const struct fake_rule dense[] = {
        NO_METADATA,
        { .method = "GET", .path = QUEUES, .status = 200, .body = FOUR_QUEUES },
        NO_BLOB,
        { 0 },
    };
    static const struct fake_rule nothing[] = {
        NO_METADATA,
        { .method = "GET",
          .path = QUEUES,
          .status = 200,
          .body = "<EnumerationResults><Queues/><NextMarker/></EnumerationResults>" },
        { .method = "GET", .path = BLOB, .status = 404, .headers = CODE("ContainerNotFound") },
        { 0 },
    };
    struct scene scene = play(dense, (struct fake_hub){ 0 });

    assert_refused(&scene, "nothing but its 4 control queues");
    scene_end(&scene);
    scene = play(nothing, (struct fake_hub){ 0 });
    assert_refused(&scene, "not written anywhere");
    scene_end(&scene);
}

static void test_kept_until_forgotten(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = METADATA,
          .status = 200,
          .headers = "x-ms-meta-durabletask_taskhub: " TASK_HUB("MyHub", "8") "\r\n" },
        { .method = "GET",
          .path = METADATA,
          .status = 200,
          .headers = "x-ms-meta-durabletask_taskhub: " TASK_HUB("MyHub", "5") "\r\n",
          .times = 2 },
        { 0 },
    };
    struct scene scene = play(rules, (struct fake_hub){ 0 });

    assert_found(&scene, 8, 1);
    scene.err = partitions_find(scene.s, &scene.call, &scene.count);
    assert_found(&scene, 8, 1);
    partitions_forget(scene.s);
    scene.err = partitions_find(scene.s, &scene.call, &scene.count);
    assert_found(&scene, 5, 2);
    hub_forget(&scene.s->hub);
    scene.err = partitions_find(scene.s, &scene.call, &scene.count);
    assert_found(&scene, 5, 3);
    scene_end(&scene);
}

static void test_404_of_a_queue_forgets(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = METADATA,
          .status = 200,
          .headers = "x-ms-meta-durabletask_taskhub: " TASK_HUB("MyHub", "4") "\r\n",
          .times = 2 },
        { .method = "POST",
          .path = "/q/myhub-control-02/messages",
          .status = 404,
          .headers = CODE("QueueNotFound") },
        { 0 },
    };
    struct scene scene = play(rules, (struct fake_hub){ 0 });
    struct command cmd = { .kind = CMD_SIGNAL, .id = STR("@counter@steps"), .name = STR("add") };

    assert_found(&scene, 4, 1);
    assert_int_equal(hub_send(&scene.s->hub, &scene.call, &cmd, NULL), ERR_BROKEN);
    scene.err = partitions_find(scene.s, &scene.call, &scene.count);
    assert_found(&scene, 4, 3);
    scene_end(&scene);
}

static void test_a_refusal_is_no_answer(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = METADATA,
          .status = 403,
          .headers = CODE("AuthorizationPermissionMismatch") },
        { 0 },
    };
    struct scene scene = play(rules, (struct fake_hub){ 0 });

    assert_int_equal(scene.err, ERR_DENIED);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_V7_task_hub),
        cmocka_unit_test(test_V8_task_hub_refused),
        cmocka_unit_test(test_V9_rows_of_other_hubs_do_not_count),
        cmocka_unit_test(test_V10_queues_with_a_gap),
        cmocka_unit_test(test_the_user_knows),
        cmocka_unit_test(test_V11_metadata_first),
        cmocka_unit_test(test_V9_then_the_table),
        cmocka_unit_test(test_then_the_blob),
        cmocka_unit_test(test_V66_blob_and_leases_disagree),
        cmocka_unit_test(test_V10_queues_alone_are_a_guess),
        cmocka_unit_test(test_kept_until_forgotten),
        cmocka_unit_test(test_404_of_a_queue_forgets),
        cmocka_unit_test(test_a_refusal_is_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
