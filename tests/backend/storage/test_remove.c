#include "backend/base/limits.h"
#include "backend/storage/remove.h"
#include "tests/backend/storage/scene.h"

#define Q(n)      "<Queue><Name>" n "</Name></Queue>"
#define INSTANCES "/t/MyHubInstances()"
#define PARTS     "/t/MyHubPartitions()"
#define QUEUES    "/q/?comp=list&prefix=myhub-control-"
#define LEASES    "/b/myhub-leases?restype=container&comp=list"
#define APPLEASE  "/b/myhub-applease?restype=container"
#define DATE      "Date: Wed, 01 May 2024 10:00:00 GMT\r\n"

/* The tables of MyHub, and those of others whose names begin or end alike. */
static const char tables[] = "{\"value\":["
                             "{\"TableName\":\"MyHubInstances\"},"
                             "{\"TableName\":\"MyHubHistory\"},"
                             "{\"TableName\":\"MYHUBPartitions\"},"
                             "{\"TableName\":\"MyHubTwoInstances\"},"
                             "{\"TableName\":\"MyHubTwoHistory\"},"
                             "{\"TableName\":\"MyHubInstancesOld\"},"
                             "{\"TableName\":\"AMyHubInstances\"},"
                             "{\"TableName\":\"AMyHubHistory\"}]}";
#define TABLES                                                                                     \
    {                                                                                              \
        .method = "GET", .path = "/t/Tables", .status = 200, .body = tables, .times = -1           \
    }
#define NAMED(queues)                                                                              \
    "<EnumerationResults><Queues>" queues "</Queues><NextMarker/></EnumerationResults>"
#define CONTROL_QUEUES                                                                             \
    GIVES(QUEUES, NAMED(Q("myhub-control-00") Q("myhub-control-07") Q("myhub-control-007")         \
                            Q("myhub-control-0x")))
#define FREE_PARTITIONS                                                                            \
    {                                                                                              \
        .method = "GET", .path = "/t/MYHUBPartitions()", .status = 200, .headers = DATE,           \
        .body = NOTHING                                                                            \
    }
#define NO_LEASES REFUSES("GET", LEASES, 404, "ContainerNotFound")
#define FREE_APP                                                                                   \
    {                                                                                              \
        .method = "GET", .path = APPLEASE, .status = 200,                                          \
        .headers = "x-ms-lease-state: expired\r\n"                                                 \
    }
#define ALL_FINISHED  GIVES(INSTANCES, NOTHING)
#define DELETED(what) DOES("DELETE", what, 204)

/* Nobody uses the hub. */
#define UNUSED TABLES, CONTROL_QUEUES, FREE_PARTITIONS, NO_LEASES, FREE_APP

static struct scene *play(void **state, const struct fake_rule *rules)
{
    struct scene *scene = scene_open(state, rules);

    scene->err = hub_remove(&scene->s->hub, &scene->call);
    return scene;
}

/* The deletes, in order. */
static void deletes(const struct scene *scene, struct buf *ret)
{
    struct str log = str_c(fakeserver_log(scene->f));

    while (log.len) {
        struct str line = str_cut(&log, '\n');

        if (str_starts(line, STR("DELETE "))) {
            buf_add(ret, str_slice(line, 7, line.len));
            buf_add_ch(ret, '\n');
        }
    }
}

static void refused(struct scene *scene, enum err err, const char *part)
{
    CLEANUP_BUF struct buf log = BUF_INIT(64 * KIB);

    if (scene->err != err || !strstr(scene->call.text, part))
        fail_msg("%s: %s", err_name(scene->err), scene->call.text);
    deletes(scene, &log);
    assert_string_equal(buf_c(&log), "");
}

static void test_everything_in_order_and_nothing_else(void **state)
{
    static const struct fake_rule rules[] = {
        UNUSED,
        ALL_FINISHED,
        DELETED("/q/myhub-control-00"),
        DELETED("/q/myhub-control-07"),
        DELETED("/q/myhub-workitems"),
        DELETED("/t/Tables('MyHubInstances')"),
        DELETED("/t/Tables('MyHubHistory')"),
        DELETED("/b/myhub-largemessages?restype=container"),
        DELETED("/b/myhub-leases?restype=container"),
        DELETED("/t/Tables('MYHUBPartitions')"),
        DELETED("/b/myhub-applease?restype=container"),
        { 0 },
    };
    CLEANUP_BUF struct buf log = BUF_INIT(64 * KIB);
    struct scene *scene = play(state, rules);

    assert_err(scene, OK);
    deletes(scene, &log);
    assert_string_equal(buf_c(&log), "/q/myhub-control-00\n"
                                     "/q/myhub-control-07\n"
                                     "/q/myhub-workitems\n"
                                     "/t/Tables('MyHubInstances')\n"
                                     "/t/Tables('MyHubHistory')\n"
                                     "/b/myhub-largemessages?restype=container\n"
                                     "/b/myhub-leases?restype=container\n"
                                     "/t/Tables('MYHUBPartitions')\n"
                                     "/b/myhub-applease?restype=container\n");
    assert_int_equal(atomic_load(&scene->call.done), 9);
    assert_int_equal(atomic_load(&scene->call.of), 9);
}

/* Only objections are asked for, in one query. */
static void test_the_query(void **state)
{
    static const struct fake_rule rules[] = {
        UNUSED,
        GIVES(INSTANCES,
              "{\"value\":[{\"PartitionKey\":\"order-1\",\"RuntimeStatus\":\"Suspended\"}]}"),
        { 0 },
    };
    struct scene *scene = play(state, rules);
    size_t last = fakeserver_count(scene->f) - 1;
    struct str path = fakeserver_path(scene->f, last);

    assert_true(str_has(path, STR("$select=PartitionKey,RuntimeStatus,TaskHubName")));
    assert_true(str_has(path, STR("RuntimeStatus%20ne%20'Canceled'")));
    assert_true(str_has(path, STR("or%20TaskHubName%20ne%20'MyHub'")));
    refused(scene, ERR_BUSY, "unfinished instances: order-1 is Suspended");
}

static void test_rows_of_another_hub(void **state)
{
    static const struct fake_rule rules[] = {
        UNUSED,
        GIVES(INSTANCES,
              "{\"value\":[{\"PartitionKey\":\"a\",\"RuntimeStatus\":\"Completed\",\"TaskHubName\":"
              "\"myHUB\"},{\"PartitionKey\":\"@e@k\",\"RuntimeStatus\":\"Running\",\"TaskHubName\":"
              "\"MYHUB\"},{\"PartitionKey\":\"b\",\"RuntimeStatus\":\"Completed\",\"TaskHubName\":"
              "\"Other\"}]}"),
        { 0 },
    };
    struct scene *scene = play(state, rules);

    refused(scene, ERR_BUSY, "instances of hub Other");
}

static void test_a_worker_holds_a_partition(void **state)
{
    static const struct fake_rule rules[] = {
        TABLES,
        CONTROL_QUEUES,
        { "GET", "/t/MYHUBPartitions()", 200, DATE,
          "{\"value\":[{\"RowKey\":\"myhub-control-09\",\"CurrentOwner\":\"w9\",\"ExpiresAt\":"
          "\"2024-05-01T10:00:01Z\"}]}" },
        NO_LEASES,
        FREE_APP,
        { 0 },
    };
    struct scene *scene = play(state, rules);

    refused(scene, ERR_BUSY, "partition 9 is held by w9");
}

static void test_an_app_holds_the_hub(void **state)
{
    static const struct fake_rule rules[] = {
        TABLES,
        CONTROL_QUEUES,
        FREE_PARTITIONS,
        NO_LEASES,
        { "GET", APPLEASE, 200, "x-ms-lease-state: leased\r\n" },
        GIVES("/b/myhub-applease/myhub-appleaseinfo", "{\"OwnerId\":\"app-1\"}"),
        { 0 },
    };
    struct scene *scene = play(state, rules);

    refused(scene, ERR_BUSY, "an app (app-1) holds its lease");
}

static void test_what_cannot_be_asked_is_not_deleted(void **state)
{
    static const struct fake_rule rules[] = {
        TABLES,          CONTROL_QUEUES,
        FREE_PARTITIONS, REFUSES("GET", LEASES, 403, "AuthorizationPermissionMismatch"),
        { 0 },
    };
    struct scene *scene = play(state, rules);

    refused(scene, ERR_DENIED, "403");
}

/* It stops half-way: the sentence says so; the next attempt takes what is gone as done. */
static void test_F40_interrupted_and_repeated(void **state)
{
    static const struct fake_rule rules[] = {
        UNUSED,
        ALL_FINISHED,
        DELETED("/q/myhub-control-00"),
        REFUSES("DELETE", "/q/myhub-control-07", 403, "AuthorizationPermissionMismatch"),
        /* again */
        CONTROL_QUEUES,
        FREE_PARTITIONS,
        NO_LEASES,
        FREE_APP,
        REFUSES("GET", INSTANCES, 404, "TableNotFound"),
        REFUSES("DELETE", "/q/myhub-control-00", 404, "QueueNotFound"),
        REFUSES("DELETE", "/q/myhub-control-07", 409, "QueueBeingDeleted"),
        DELETED("/q/myhub-workitems"),
        REFUSES("DELETE", "/t/Tables('MyHubInstances')", 404, "ResourceNotFound"),
        REFUSES("DELETE", "/t/Tables('MyHubHistory')", 409, "TableBeingDeleted"),
        DELETED("/b/myhub-largemessages?restype=container"),
        REFUSES("DELETE", "/b/myhub-leases?restype=container", 404, "ContainerNotFound"),
        DELETED("/t/Tables('MYHUBPartitions')"),
        REFUSES("DELETE", "/b/myhub-applease?restype=container", 409, "ContainerBeingDeleted"),
        { 0 },
    };
    struct scene *scene = play(state, rules);

    assert_int_equal(scene->err, ERR_DENIED);
    assert_non_null(strstr(scene->call.text, "deleted in part: 8 of 9"));
    assert_non_null(strstr(scene->call.text, "403"));
    fake_call_init(&scene->call);
    scene->err = hub_remove(&scene->s->hub, &scene->call);
    assert_err(scene, OK);
}

/* A lease that was taken meanwhile stops it, and is nothing to retry. */
static void test_leased_meanwhile(void **state)
{
    static const struct fake_rule rules[] = {
        UNUSED,
        ALL_FINISHED,
        DELETED("/q/"),
        DELETED("/q/"),
        DELETED("/q/"),
        DELETED("/t/Tables("),
        DELETED("/t/Tables("),
        DELETED("/b/myhub-largemessages"),
        DELETED("/b/myhub-leases"),
        DELETED("/t/Tables("),
        REFUSES("DELETE", "/b/myhub-applease?restype=container", 412, "LeaseIdMissing"),
        { 0 },
    };
    struct scene *scene = play(state, rules);

    assert_int_equal(scene->err, ERR_BUSY);
    assert_non_null(strstr(scene->call.text, "deleted in part: 1 of 9"));
}

/* -- leftovers -- */

static struct scene *look(void **state, const struct fake_rule *rules, const char *hub)
{
    struct scene *scene = scene_open(state, rules);
    enum err err = call_fail(&scene->call, ERR_NOT_FOUND, "no such hub, but Xyz");

    assert_int_equal(err, ERR_NOT_FOUND);
    scene->err = remove_find_leftovers(scene->s, &scene->call, str_c(hub));
    return scene;
}

#define NO_QUEUES(prefix)                                                                          \
    GIVES("/q/?comp=list&prefix=" prefix,                                                          \
          "<EnumerationResults><Queues/><NextMarker/></EnumerationResults>")
#define NO_CONTAINER(name) REFUSES("GET", "/b/" name "?restype=container", 404, "ContainerNotFound")

static void test_the_app_lease_is_left(void **state)
{
    static const struct fake_rule rules[] = {
        NO_QUEUES("gone-control-"),
        NO_CONTAINER("gone-largemessages"),
        NO_CONTAINER("gone-leases"),
        { "GET", "/b/gone-applease?restype=container", 200, "x-ms-lease-state: available\r\n" },
        { 0 },
    };
    struct scene *scene = look(state, rules, "Gone");

    assert_int_equal(scene->err, OK);
    assert_string_equal(scene->s->hub.name, "Gone");
    assert_string_equal(scene->s->hub_lower, "gone");
}

static void test_nothing_is_left(void **state)
{
    static const struct fake_rule rules[] = {
        NO_QUEUES("gone-control-"),
        NO_CONTAINER("gone-largemessages"),
        NO_CONTAINER("gone-leases"),
        NO_CONTAINER("gone-applease"),
        REFUSES("GET", "/q/gone-workitems?comp=metadata", 404, "QueueNotFound"),
        { 0 },
    };
    struct scene *scene = look(state, rules, "Gone");

    assert_int_equal(scene->err, ERR_NOT_FOUND);
    assert_string_equal(scene->call.text, "no such hub, but Xyz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_everything_in_order_and_nothing_else),
        SCENE_TEST(test_the_query),
        SCENE_TEST(test_rows_of_another_hub),
        SCENE_TEST(test_a_worker_holds_a_partition),
        SCENE_TEST(test_an_app_holds_the_hub),
        SCENE_TEST(test_what_cannot_be_asked_is_not_deleted),
        SCENE_TEST(test_F40_interrupted_and_repeated),
        SCENE_TEST(test_leased_meanwhile),
        SCENE_TEST(test_the_app_lease_is_left),
        SCENE_TEST(test_nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
