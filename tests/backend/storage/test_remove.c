#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "backend/base/limits.h"
#include "backend/storage/remove.h"
#include "tests/backend/storage/fakeserver.h"

#define T(n)      "{\"TableName\":\"" n "\"}"
#define Q(n)      "<Queue><Name>" n "</Name></Queue>"
#define INSTANCES "/t/MyHubInstances()"
#define PARTS     "/t/MyHubPartitions()"
#define QUEUES    "/q/?comp=list&prefix=myhub-control-"
#define LEASES    "/b/myhub-leases?restype=container&comp=list"
#define APPLEASE  "/b/myhub-applease?restype=container"
#define CODE(c)   "x-ms-error-code: " c "\r\n"
#define NOTHING   "{\"value\":[]}"
#define DATE      "Date: Wed, 01 May 2024 10:00:00 GMT\r\n"

/* The tables of MyHub, and those of others whose names begin or end alike. */
#define TABLES                                                                                                              \
    {                                                                                                                       \
        .method = "GET", .path = "/t/Tables", .status = 200, .times = -1,                                                   \
        .body = "{\"value\":[" T("MyHubInstances") "," T("MyHubHistory") "," T("MYHUBPartitions") "," T(                    \
            "MyHubTwoInstances") "," T("MyHubTwoHistory") "," T("MyHubInstancesOld") "," T("AMyHu"                          \
                                                                                           "bInst"                          \
                                                                                           "ance"                           \
                                                                                           "s") "," T("AMyHubHistory") "]}" \
    }
#define CONTROL_QUEUES                                                                             \
    {                                                                                              \
        .method = "GET", .path = QUEUES, .status = 200,                                            \
        .body = "<EnumerationResults><Queues>" Q("myhub-control-00") Q("myhub-control-07")         \
            Q("myhub-control-007") Q("myhub-control-0x") "</Queues><NextMarker/>"                  \
                                                         "</EnumerationResults>"                   \
    }
#define FREE_PARTITIONS                                                                            \
    {                                                                                              \
        .method = "GET", .path = "/t/MYHUBPartitions()", .status = 200, .headers = DATE,           \
        .body = NOTHING                                                                            \
    }
#define NO_LEASES                                                                                  \
    {                                                                                              \
        .method = "GET", .path = LEASES, .status = 404, .headers = CODE("ContainerNotFound")       \
    }
#define FREE_APP                                                                                   \
    {                                                                                              \
        .method = "GET", .path = APPLEASE, .status = 200,                                          \
        .headers = "x-ms-lease-state: expired\r\n"                                                 \
    }
#define ALL_FINISHED                                                                               \
    {                                                                                              \
        .method = "GET", .path = INSTANCES, .status = 200, .body = NOTHING                         \
    }
#define DELETED(what)                                                                              \
    {                                                                                              \
        .method = "DELETE", .path = what, .status = 204                                            \
    }

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    enum err err;
};

static struct scene play(const struct fake_rule *rules)
{
    struct scene scene = { .f = fakeserver_new(rules) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    fake_call_init(&scene.call);
    scene.err = hub_remove(&scene.s->hub, &scene.call);
    return scene;
}

static void end(struct scene *scene)
{
    hub_close(&scene->s->hub);
    fakeserver_free(scene->f);
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
    end(scene);
}

static void test_everything_in_order_and_nothing_else(void **state)
{
    static const struct fake_rule rules[] = {
        TABLES,
        CONTROL_QUEUES,
        FREE_PARTITIONS,
        NO_LEASES,
        FREE_APP,
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
    struct scene scene = play(rules);

    if (scene.err != OK)
        fail_msg("%s", scene.call.text);
    deletes(&scene, &log);
    assert_string_equal(buf_c(&log), "/q/myhub-control-00\n"
                                     "/q/myhub-control-07\n"
                                     "/q/myhub-workitems\n"
                                     "/t/Tables('MyHubInstances')\n"
                                     "/t/Tables('MyHubHistory')\n"
                                     "/b/myhub-largemessages?restype=container\n"
                                     "/b/myhub-leases?restype=container\n"
                                     "/t/Tables('MYHUBPartitions')\n"
                                     "/b/myhub-applease?restype=container\n");
    assert_int_equal(atomic_load(&scene.call.done), 9);
    assert_int_equal(atomic_load(&scene.call.of), 9);
    end(&scene);
}

/* Only objections are asked for, in one query. */
static void test_the_query(void **state)
{
    static const struct fake_rule rules[] = {
        TABLES,
        CONTROL_QUEUES,
        FREE_PARTITIONS,
        NO_LEASES,
        FREE_APP,
        { "GET", INSTANCES, 200, NULL,
          "{\"value\":[{\"PartitionKey\":\"order-1\",\"RuntimeStatus\":\"Suspended\"}]}" },
        { 0 },
    };
    struct scene scene = play(rules);
    size_t last = fakeserver_count(scene.f) - 1;
    struct str path = fakeserver_path(scene.f, last);

    assert_true(str_has(path, STR("$select=PartitionKey,RuntimeStatus,TaskHubName")));
    assert_true(str_has(path, STR("RuntimeStatus%20ne%20'Canceled'")));
    assert_true(str_has(path, STR("or%20TaskHubName%20ne%20'MyHub'")));
    refused(&scene, ERR_BUSY, "unfinished instances: order-1 is Suspended");
}

static void test_rows_of_another_hub(void **state)
{
    static const struct fake_rule rules[] = {
        TABLES,
        CONTROL_QUEUES,
        FREE_PARTITIONS,
        NO_LEASES,
        FREE_APP,
        { "GET", INSTANCES, 200, NULL,
          "{\"value\":[{\"PartitionKey\":\"a\",\"RuntimeStatus\":\"Completed\",\"TaskHubName\":"
          "\"myHUB\"},{\"PartitionKey\":\"@e@k\",\"RuntimeStatus\":\"Running\",\"TaskHubName\":"
          "\"MYHUB\"},{\"PartitionKey\":\"b\",\"RuntimeStatus\":\"Completed\",\"TaskHubName\":"
          "\"Other\"}]}" },
        { 0 },
    };
    struct scene scene = play(rules);

    refused(&scene, ERR_BUSY, "instances of hub Other");
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
    struct scene scene = play(rules);

    refused(&scene, ERR_BUSY, "partition 9 is held by w9");
}

static void test_an_app_holds_the_hub(void **state)
{
    static const struct fake_rule rules[] = {
        TABLES,
        CONTROL_QUEUES,
        FREE_PARTITIONS,
        NO_LEASES,
        { "GET", APPLEASE, 200, "x-ms-lease-state: leased\r\n" },
        { "GET", "/b/myhub-applease/myhub-appleaseinfo", 200, NULL, "{\"OwnerId\":\"app-1\"}" },
        { 0 },
    };
    struct scene scene = play(rules);

    refused(&scene, ERR_BUSY, "an app (app-1) holds its lease");
}

static void test_what_cannot_be_asked_is_not_deleted(void **state)
{
    static const struct fake_rule rules[] = {
        TABLES,          CONTROL_QUEUES,
        FREE_PARTITIONS, { "GET", LEASES, 403, CODE("AuthorizationPermissionMismatch") },
        { 0 },
    };
    struct scene scene = play(rules);

    refused(&scene, ERR_DENIED, "403");
}

/* It stops half-way: the sentence says so; the next attempt takes what is gone as done. */
static void test_F40_interrupted_and_repeated(void **state)
{
    static const struct fake_rule rules[] = {
        TABLES,
        CONTROL_QUEUES,
        FREE_PARTITIONS,
        NO_LEASES,
        FREE_APP,
        ALL_FINISHED,
        DELETED("/q/myhub-control-00"),
        { "DELETE", "/q/myhub-control-07", 403, CODE("AuthorizationPermissionMismatch") },
        /* again */
        CONTROL_QUEUES,
        FREE_PARTITIONS,
        NO_LEASES,
        FREE_APP,
        { "GET", INSTANCES, 404, CODE("TableNotFound") },
        { "DELETE", "/q/myhub-control-00", 404, CODE("QueueNotFound") },
        { "DELETE", "/q/myhub-control-07", 409, CODE("QueueBeingDeleted") },
        DELETED("/q/myhub-workitems"),
        { "DELETE", "/t/Tables('MyHubInstances')", 404, CODE("ResourceNotFound") },
        { "DELETE", "/t/Tables('MyHubHistory')", 409, CODE("TableBeingDeleted") },
        DELETED("/b/myhub-largemessages?restype=container"),
        { "DELETE", "/b/myhub-leases?restype=container", 404, CODE("ContainerNotFound") },
        DELETED("/t/Tables('MYHUBPartitions')"),
        { "DELETE", "/b/myhub-applease?restype=container", 409, CODE("ContainerBeingDeleted") },
        { 0 },
    };
    struct scene scene = play(rules);

    assert_int_equal(scene.err, ERR_DENIED);
    assert_non_null(strstr(scene.call.text, "deleted in part: 8 of 9"));
    assert_non_null(strstr(scene.call.text, "403"));
    fake_call_init(&scene.call);
    scene.err = hub_remove(&scene.s->hub, &scene.call);
    if (scene.err != OK)
        fail_msg("%s", scene.call.text);
    end(&scene);
}

/* A lease that was taken meanwhile stops it, and is nothing to retry. */
static void test_leased_meanwhile(void **state)
{
    static const struct fake_rule rules[] = {
        TABLES,
        CONTROL_QUEUES,
        FREE_PARTITIONS,
        NO_LEASES,
        FREE_APP,
        ALL_FINISHED,
        DELETED("/q/"),
        DELETED("/q/"),
        DELETED("/q/"),
        DELETED("/t/Tables("),
        DELETED("/t/Tables("),
        DELETED("/b/myhub-largemessages"),
        DELETED("/b/myhub-leases"),
        DELETED("/t/Tables("),
        { "DELETE", "/b/myhub-applease?restype=container", 412, CODE("LeaseIdMissing") },
        { 0 },
    };
    struct scene scene = play(rules);

    assert_int_equal(scene.err, ERR_BUSY);
    assert_non_null(strstr(scene.call.text, "deleted in part: 1 of 9"));
    end(&scene);
}

/* -- leftovers -- */

static struct scene look(const struct fake_rule *rules, const char *hub)
{
    struct scene scene = { .f = fakeserver_new(rules) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    fake_call_init(&scene.call);
    enum err err = call_fail(&scene.call, ERR_NOT_FOUND, "no such hub, but Xyz");
    assert_int_equal(err, ERR_NOT_FOUND);
    scene.err = remove_find_leftovers(scene.s, &scene.call, str_c(hub));
    return scene;
}

#define NO_QUEUES(prefix)                                                                          \
    {                                                                                              \
        .method = "GET", .path = "/q/?comp=list&prefix=" prefix, .status = 200,                    \
        .body = "<EnumerationResults><Queues/><NextMarker/></EnumerationResults>"                  \
    }
#define NO_CONTAINER(name)                                                                         \
    {                                                                                              \
        .method = "GET", .path = "/b/" name "?restype=container", .status = 404,                   \
        .headers = CODE("ContainerNotFound")                                                       \
    }

static void test_the_app_lease_is_left(void **state)
{
    static const struct fake_rule rules[] = {
        NO_QUEUES("gone-control-"),
        NO_CONTAINER("gone-largemessages"),
        NO_CONTAINER("gone-leases"),
        { "GET", "/b/gone-applease?restype=container", 200, "x-ms-lease-state: available\r\n" },
        { 0 },
    };
    struct scene scene = look(rules, "Gone");

    assert_int_equal(scene.err, OK);
    assert_string_equal(scene.s->hub.name, "Gone");
    assert_string_equal(scene.s->hub_lower, "gone");
    end(&scene);
}

static void test_nothing_is_left(void **state)
{
    static const struct fake_rule rules[] = {
        NO_QUEUES("gone-control-"),
        NO_CONTAINER("gone-largemessages"),
        NO_CONTAINER("gone-leases"),
        NO_CONTAINER("gone-applease"),
        { "GET", "/q/gone-workitems?comp=metadata", 404, CODE("QueueNotFound") },
        { 0 },
    };
    struct scene scene = look(rules, "Gone");

    assert_int_equal(scene.err, ERR_NOT_FOUND);
    assert_string_equal(scene.call.text, "no such hub, but Xyz");
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_in_order_and_nothing_else),
        cmocka_unit_test(test_the_query),
        cmocka_unit_test(test_rows_of_another_hub),
        cmocka_unit_test(test_a_worker_holds_a_partition),
        cmocka_unit_test(test_an_app_holds_the_hub),
        cmocka_unit_test(test_what_cannot_be_asked_is_not_deleted),
        cmocka_unit_test(test_F40_interrupted_and_repeated),
        cmocka_unit_test(test_leased_meanwhile),
        cmocka_unit_test(test_the_app_lease_is_left),
        cmocka_unit_test(test_nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
