#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "backend/storage/owners.h"
#include "tests/backend/storage/fakeserver.h"

#define TABLE    "/t/MyHubPartitions()"
#define LEASES   "/b/myhub-leases?restype=container&comp=list"
#define APPLEASE "/b/myhub-applease?restype=container"
#define CODE(c)  "x-ms-error-code: " c "\r\n"

#define ROW(n, rest) "{\"PartitionKey\":\"\",\"RowKey\":\"myhub-control-" n "\"" rest "}"
#define HELD(by)     ",\"CurrentOwner\":\"" by "\""
#define NEXT(by)     ",\"NextOwner\":\"" by "\""
#define UNTIL(at)    ",\"ExpiresAt\":\"" at "\""
#define RENEWED      ",\"LastRenewal\":\"2024-05-01T09:59:50Z\""
#define NOW          "2024-05-01T10:00:00Z"
#define SOON         "2024-05-01T10:00:20Z"
#define DRAINING     ",\"IsDraining\":true"
#define PAGE(rows)   "{\"value\":[" rows "]}"
#define BLOB(name, st)                                                                             \
    "<Blob><Name>" name "</Name><Properties><LeaseStatus>x</LeaseStatus><LeaseState>" st           \
    "</LeaseState></Properties></Blob>"
#define LIST(blobs) "<EnumerationResults><Blobs>" blobs "</Blobs><NextMarker/></EnumerationResults>"

static ticks moment(const char *text)
{
    ticks t;

    assert_true(ticks_parse(str_c(text), &t));
    return t;
}

static struct owners *read_page(const char *page)
{
    struct owners *o = calloc(1, sizeof(*o));

    assert_non_null(o);
    assert_int_equal(owners_read_page(o, str_c(page), STR("myhub"), moment(NOW)), OK);
    return o;
}

/* Storage messages 6.2, one row each. */
static void test_states_of_the_table(void **state)
{
    struct owners *o =
        read_page(PAGE(ROW("00", "") "," ROW("01", HELD("w1") UNTIL(SOON) RENEWED) "," ROW(
            "02",
            HELD("w1") NEXT("w2") UNTIL(
                SOON)) "," ROW("03",
                               HELD("w1") UNTIL(SOON)
                                   DRAINING) "," ROW("04",
                                                     HELD("w1") UNTIL(
                                                         NOW)) "," ROW("05",
                                                                       NEXT("w2") UNTIL(
                                                                           SOON)) "," ROW("06",
                                                                                          HELD(
                                                                                              "w"
                                                                                              "1"))));
    static const enum owner_state want[] = { OWNER_FREE,     OWNER_HELD,  OWNER_HANDOVER,
                                             OWNER_DRAINING, OWNER_FREE,  OWNER_HANDOVER,
                                             OWNER_FREE,     OWNER_UNTOLD };

    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        if (o->partitions[i].state != want[i])
            fail_msg("partition %zu: %s", i, owner_state_name(o->partitions[i].state));
    assert_string_equal(o->partitions[1].current, "w1");
    assert_true(o->partitions[1].renewed == moment("2024-05-01T09:59:50Z"));
    assert_string_equal(o->partitions[2].next, "w2");
    assert_string_equal(o->partitions[4].current, ""); /* a claim that ran out is nobody's */
    assert_int_equal(owners_first_held(o), 1);
    assert_true(owners_alive(o));
    free(o);
}

static void test_rows_of_others_and_odd_ones(void **state)
{
    struct owners *o = read_page(PAGE(
        "{\"RowKey\":\"other-control-00\",\"CurrentOwner\":\"w\",\"ExpiresAt\":\"" SOON
        "\"},{\"RowKey\":7},{}," ROW("00", ",\"CurrentOwner\":5,\"ExpiresAt\":\"soon\"") "," ROW(
            "01", HELD("a\\tb\\u0007c") UNTIL(SOON))));

    assert_int_equal(o->partitions[0].state, OWNER_FREE);
    assert_string_equal(o->partitions[1].current, "a?b?c");
    assert_int_equal(owners_first_held(o), 1);
    free(o);
}

static void test_a_page_that_is_none(void **state)
{
    struct owners *o = calloc(1, sizeof(*o));

    assert_int_equal(owners_read_page(o, STR("<html>"), STR("myhub"), 0), ERR_BROKEN);
    assert_int_equal(owners_read_page(o, STR("{\"value\":[{\"RowKey\":"), STR("myhub"), 0),
                     ERR_BROKEN);
    assert_false(owners_alive(o));
    free(o);
}

/* -- asking -- */

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    struct owners *o;
};

static struct scene play(const struct fake_rule *rules, bool table)
{
    struct scene scene = { .f = fakeserver_new(rules), .o = malloc(sizeof(*scene.o)) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ .table = table });
    fake_call_init(&scene.call);
    enum err err = owners_read(scene.s, &scene.call, scene.o);
    if (err != OK)
        fail_msg("%s: %s", err_name(err), scene.call.text);
    return scene;
}

static void end(struct scene *scene, size_t requests)
{
    assert_int_equal(fakeserver_count(scene->f), requests);
    free(scene->o);
    hub_close(&scene->s->hub);
    fakeserver_free(scene->f);
}

static void test_leases(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", LEASES, 200, NULL,
          LIST(BLOB("intent/myhub-control-00", "leased") BLOB("intent/myhub-control-01", "leased")
                   BLOB("ownership/myhub-control-00", "leased")
                       BLOB("ownership/myhub-control-01", "available")
                           BLOB("ownership/myhub-control-02", "expired")
                               BLOB("default/myhub-control-03", "leased")
                                   BLOB("ownership/other-control-00", "leased")
                                       BLOB("taskhub.json", "leased")) },
        { "GET", "/b/myhub-leases/ownership/myhub-control-00", 200, NULL,
          "{\"PartitionId\":\"myhub-control-00\",\"Owner\":\"worker-1\",\"Token\":\"t\"}" },
        { "GET", "/b/myhub-leases/intent/myhub-control-01", 200, NULL, "{\"Owner\":\"worker-2\"}" },
        { "GET", "/b/myhub-leases/default/myhub-control-03", 404, CODE("BlobNotFound") },
        { "GET", APPLEASE, 200, "x-ms-lease-state: leased\r\n" },
        { "GET", "/b/myhub-applease/myhub-appleaseinfo", 200, NULL,
          "{\"OwnerId\":\"5018c2a8-0000\",\"DesiredSwapId\":null}" },
        { 0 },
    };
    struct scene scene = play(rules, false);
    const struct owner *p = scene.o->partitions;

    assert_int_equal(p[0].state, OWNER_HELD);
    assert_string_equal(p[0].current, "worker-1");
    assert_int_equal(p[1].state, OWNER_HANDOVER);
    assert_string_equal(p[1].next, "worker-2");
    assert_int_equal(p[2].state, OWNER_FREE);
    assert_int_equal(p[3].state, OWNER_HELD);
    assert_string_equal(p[3].current, "");
    assert_int_equal(p[4].state, OWNER_UNTOLD);
    assert_string_equal(scene.o->app_owner, "5018c2a8-0000");
    end(&scene, 6);
}

/* The clock that counts is the service's: ours may be wrong by minutes (F34). */
static void test_F34_claims_end_on_the_services_clock(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", TABLE, 200, "Date: Wed, 01 May 2024 10:00:00 GMT\r\n",
          PAGE(ROW("00", HELD("w1") UNTIL(SOON)) "," ROW(
              "01", HELD("w2") UNTIL("2024-05-01T09:59:00Z"))) },
        { "GET", LEASES, 404, CODE("ContainerNotFound") },
        { "GET", APPLEASE, 404, CODE("ContainerNotFound") },
        { 0 },
    };
    struct scene scene = play(rules, true);

    assert_int_equal(scene.o->partitions[0].state, OWNER_HELD);
    assert_int_equal(scene.o->partitions[1].state, OWNER_FREE);
    assert_string_equal(scene.o->app_lease, "");
    end(&scene, 3);
}

/* A hub that was moved between managers has both: whoever holds something now is believed. */
static void test_both_managers(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", TABLE, 200, "Date: Wed, 01 May 2024 10:00:00 GMT\r\n",
          PAGE(ROW("00", HELD("w1") UNTIL(SOON)) "," ROW(
              "01", HELD("w1") UNTIL("2024-05-01T09:00:00Z"))) },
        { "GET", LEASES, 200, NULL,
          LIST(BLOB("ownership/myhub-control-00", "available")
                   BLOB("ownership/myhub-control-01", "leased")) },
        { "GET", "/b/myhub-leases/ownership/myhub-control-01", 200, NULL, "{\"Owner\":\"old\"}" },
        { "GET", APPLEASE, 200, "x-ms-lease-state: available\r\n" },
        { 0 },
    };
    struct scene scene = play(rules, true);

    assert_string_equal(scene.o->partitions[0].current, "w1");
    assert_string_equal(scene.o->partitions[1].current, "old");
    end(&scene, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_of_the_table),
        cmocka_unit_test(test_rows_of_others_and_odd_ones),
        cmocka_unit_test(test_a_page_that_is_none),
        cmocka_unit_test(test_leases),
        cmocka_unit_test(test_F34_claims_end_on_the_services_clock),
        cmocka_unit_test(test_both_managers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
