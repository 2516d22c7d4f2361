#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/base/limits.h"
#include "backend/storage/inspect.h"
#include "tests/backend/storage/fakeserver.h"

#define QUEUES   "/q/?comp=list&prefix=myhub-control-"
#define TABLE    "/t/MyHubPartitions()"
#define LEASES   "/b/myhub-leases?restype=container&comp=list"
#define APPLEASE "/b/myhub-applease?restype=container"
#define COUNT(n) "x-ms-approximate-messages-count: " n "\r\n"
#define CODE(c)  "x-ms-error-code: " c "\r\n"
#define NO_LEASES                                                                                  \
    {                                                                                              \
        .method = "GET", .path = LEASES, .status = 404, .headers = CODE("ContainerNotFound")       \
    }

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    struct buf out;
    enum err err;
};

static struct scene play(const struct fake_rule *rules, bool table)
{
    struct scene scene = { .f = fakeserver_new(rules), .out = BUF_INIT(64 * KIB) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ .table = table });
    fake_call_init(&scene.call);
    scene.err = hub_inspect(&scene.s->hub, &scene.call, &scene.out);
    return scene;
}

static void end(struct scene *scene)
{
    buf_fini(&scene->out);
    hub_close(&scene->s->hub);
    fakeserver_free(scene->f);
}

static void test_queues_and_owners(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", QUEUES, 200, NULL,
          "<EnumerationResults><Queues><Queue><Name>myhub-control-00</Name></Queue><Queue><Name>"
          "myhub-control-01</Name></Queue><Queue><Name>myhub-control-x</Name></Queue></Queues>"
          "<NextMarker/></EnumerationResults>" },
        { "GET", "/q/myhub-control-00?comp=metadata", 200, COUNT("12") },
        { "GET", "/q/myhub-control-01?comp=metadata", 200, COUNT("many") },
        { "GET", "/q/myhub-workitems?comp=metadata", 200, COUNT("3") },
        { "GET", TABLE, 200, "Date: Wed, 01 May 2024 10:00:00 GMT\r\n",
          "{\"value\":[{\"RowKey\":\"myhub-control-00\",\"CurrentOwner\":\"w1\",\"NextOwner\":"
          "\"w2\",\"ExpiresAt\":\"2024-05-01T10:00:20Z\",\"LastRenewal\":\"2024-05-01T09:59:50Z\"},"
          "{\"RowKey\":\"myhub-control-02\"}]}" },
        NO_LEASES,
        { "GET", APPLEASE, 200, "x-ms-lease-state: available\r\n" },
        { 0 },
    };
    struct scene scene = play(rules, true);

    assert_int_equal(scene.err, OK);
    assert_string_equal(buf_c(&scene.out),
                        "myhub-control-00\t12\tw1 > w2\thandover\t2024-05-01T09:59:50.0000000Z\n"
                        "myhub-control-01\t\t\t\t\n"
                        "myhub-control-02\t\t\tfree\t\n" /* written down, but there is no queue */
                        "myhub-workitems\t3\t\t\t\n"
                        "myhub-applease\t\t\tavailable\t\n"
                        "worker\t\t\talive\t\n");
    assert_int_equal(fakeserver_count(scene.f), 7);
    end(&scene);
}

static void test_a_hub_that_nothing_is_known_of(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", QUEUES, 200, NULL,
          "<EnumerationResults><Queues/><NextMarker/></EnumerationResults>" },
        { "GET", "/q/myhub-workitems?comp=metadata", 404, CODE("QueueNotFound") },
        NO_LEASES,
        { "GET", APPLEASE, 404, CODE("ContainerNotFound") },
        { 0 },
    };
    struct scene scene = play(rules, false);

    assert_int_equal(scene.err, OK);
    assert_string_equal(buf_c(&scene.out), "myhub-applease\t\t\tnone\t\nworker\t\t\tnone\t\n");
    end(&scene);
}

/* What is half true is not shown. */
static void test_R3_an_error_is_an_error(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", QUEUES, 200, NULL,
          "<EnumerationResults><Queues/><NextMarker/></EnumerationResults>" },
        { "GET", "/q/myhub-workitems?comp=metadata", 404, CODE("QueueNotFound") },
        { "GET", LEASES, 403, CODE("AuthorizationPermissionMismatch") },
        { 0 },
    };
    struct scene scene = play(rules, false);

    assert_int_equal(scene.err, ERR_DENIED);
    assert_int_equal(scene.out.len, 0);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queues_and_owners),
        cmocka_unit_test(test_a_hub_that_nothing_is_known_of),
        cmocka_unit_test(test_R3_an_error_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
