#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "backend/base/digest.h"
#include "backend/base/limits.h"
#include "tests/backend/storage/fakeserver.h"

#define ROW      "/t/MyHubInstances(PartitionKey='a',RowKey='')"
#define SENTINEL "/t/MyHubHistory(PartitionKey='a',RowKey='sentinel')?$select=ExecutionId"
#define HISTORY  "/t/MyHubHistory()?$top=1000&$filter=PartitionKey%20eq%20'a'"
#define ENDED                                                                                      \
    "/t/MyHubHistory()?$top=1000&$select=RowKey&$filter=PartitionKey%20eq%20'a'%20and%20"          \
    "ExecutionId%20eq%20'e2'%20and%20EventType%20eq%20'ExecutionCompleted'"
#define BLOBS "/b/myhub-largemessages/"

#define ROW_OF(status, rest)                                                                       \
    "{\"PartitionKey\":\"a\",\"RowKey\":\"\",\"RuntimeStatus\":\"" status                          \
    "\",\"ExecutionId\":\"e2\"" rest "}"
#define EXECUTION(e) "{\"ExecutionId\":\"" e "\"}"
#define EVENT(n, e)  "{\"RowKey\":\"000000000000000" n "\",\"ExecutionId\":\"" e "\"}"
#define END_OF(e)                                                                                  \
    "{\"RowKey\":\"sentinel\",\"ExecutionId\":\"" e "\",\"IsCheckpointComplete\":true}"
#define PAGE(rows)    "{\"value\":[" rows "]}"
#define MISSING(code) "x-ms-error-code: " code "\r\n"

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    struct instance *in;
    enum err err;
};

static struct scene begin(const struct fake_rule *rules)
{
    struct scene scene = { .f = fakeserver_new(rules) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    fake_call_init(&scene.call);
    return scene;
}

static struct scene get(const struct fake_rule *rules, unsigned needs)
{
    struct scene scene = begin(rules);

    scene.err = hub_get(&scene.s->hub, &scene.call, STR("a"), STR_NONE, needs, &scene.in);
    return scene;
}

static void end(struct scene *scene)
{
    scene->in = instance_unref(scene->in);
    hub_close(&scene->s->hub);
    fakeserver_free(scene->f);
}

static void assert_phase(const struct fake_rule *rules, enum phase phase, size_t requests)
{
    struct scene scene = get(rules, NEED_PHASE);

    assert_int_equal(scene.err, OK);
    assert_int_equal(scene.in->phase, phase);
    assert_true(scene.in->needs & NEED_PHASE);
    assert_int_equal(fakeserver_count(scene.f), requests);
    end(&scene);
}

static void test_row_is_one_request_for_a_few_columns(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", ROW "?$select=PartitionKey,Timestamp,", 200, "etag: W/\"7\"\r\n",
          ROW_OF("Running", "") },
        { 0 },
    };
    struct scene scene = get(rules, NEED_ROW);

    assert_int_equal(scene.err, OK);
    assert_int_equal(scene.in->row.status, STATUS_RUNNING);
    assert_true(str_eq(scene.in->etag, STR("W/\"7\"")));
    assert_true(str_eq(scene.in->execution_id, STR("e2")));
    assert_int_equal(fakeserver_count(scene.f), 1);
    end(&scene);
}

static void test_missing_row(void **state)
{
    const struct fake_rule missing[] = { { "GET", ROW, 404, MISSING("ResourceNotFound") }, { 0 } };
    const struct fake_rule too_long[] = { { "GET", ROW, 400, MISSING("KeyValueTooLarge") }, { 0 } };
    struct scene scene = get(missing, NEED_CELLS);

    assert_int_equal(scene.err, ERR_NOT_FOUND);
    end(&scene);
    scene = get(too_long, NEED_ROW);
    assert_int_equal(scene.err, ERR_NOT_FOUND);
    end(&scene);
}

static void test_B29_damaged_row_is_asked_for_again(void **state)
{
    const struct fake_rule once[] = { { "GET", ROW, 200, NULL, "{\"PartitionKey\":\"a" },
                                      { "GET", ROW, 200, NULL, ROW_OF("Failed", "") },
                                      { 0 } };
    const struct fake_rule always[] = { { "GET", ROW, 200, NULL, "<html>", .times = -1 }, { 0 } };
    struct scene scene = get(once, NEED_CELLS);

    assert_int_equal(scene.err, OK);
    assert_int_equal(scene.in->row.status, STATUS_FAILED);
    end(&scene);
    scene = get(always, NEED_CELLS);
    assert_int_equal(scene.err, ERR_BROKEN);
    assert_int_equal(fakeserver_count(scene.f), 3);
    end(&scene);
}

static void test_only_pending_asks_for_its_phase(void **state)
{
    const struct fake_rule rules[] = { { "GET", ROW, 200, NULL, ROW_OF("Completed", "") }, { 0 } };

    assert_phase(rules, PHASE_NONE, 1);
}

static void test_pending_that_waits(void **state)
{
    const struct fake_rule rules[] = { { "GET", ROW, 200, NULL, ROW_OF("Pending", "") },
                                       { "GET", SENTINEL, 404, MISSING("ResourceNotFound") },
                                       { 0 } };

    assert_phase(rules, PHASE_WAITING, 2);
}

static void test_pending_that_is_scheduled(void **state)
{
    const struct fake_rule later[] = {
        { "GET", ROW, 200, NULL,
          ROW_OF("Pending", ",\"ScheduledStartTime\":\"9999-01-01T00:00:00Z\"") },
        { 0 },
    };
    const struct fake_rule due[] = {
        { "GET", ROW, 200, NULL,
          ROW_OF("Pending", ",\"ScheduledStartTime\":\"2020-01-01T00:00:00Z\"") },
        { "GET", SENTINEL, 404, MISSING("ResourceNotFound") },
        { 0 },
    };

    assert_phase(later, PHASE_SCHEDULED, 1);
    assert_phase(due, PHASE_WAITING, 2);
}

static void test_T73_pending_that_was_started_again(void **state)
{
    const struct fake_rule rules[] = { { "GET", ROW, 200, NULL, ROW_OF("Pending", "") },
                                       { "GET", SENTINEL, 200, NULL, EXECUTION("e1") },
                                       { 0 } };

    assert_phase(rules, PHASE_RESTARTED, 2);
}

static void test_T72_pending_that_was_rewound(void **state)
{
    const struct fake_rule rules[] = { { "GET", ROW, 200, NULL, ROW_OF("Pending", "") },
                                       { "GET", SENTINEL, 200, NULL, EXECUTION("e2") },
                                       { "GET", ENDED, 200, NULL, PAGE("") },
                                       { 0 } };

    assert_phase(rules, PHASE_REWOUND, 3);
}

static void test_T127_pending_whose_history_has_ended(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", ROW, 200, NULL, ROW_OF("Pending", "") },
        { "GET", SENTINEL, 200, NULL, EXECUTION("e2") },
        { "GET", ENDED, 200, NULL, PAGE("{\"RowKey\":\"0000000000000005\"}") },
        { 0 },
    };

    assert_phase(rules, PHASE_ENDED, 3);
}

static void test_F41_missing_table(void **state)
{
    const struct fake_rule rules[] = { { "GET", ROW, 404, MISSING("TableNotFound") }, { 0 } };
    struct scene scene = get(rules, NEED_CELLS);

    assert_int_equal(scene.err, ERR_NOT_FOUND);
    assert_string_equal(scene.call.code, "TableNotFound");
    end(&scene);
}

/* -- histories -- */

static struct history *history_of(struct scene *scene, bool resolve)
{
    struct history *h = NULL;

    assert_int_equal(scene->err, OK);
    scene->err = hub_history(&scene->s->hub, &scene->call, scene->in, resolve, &h);
    return h;
}

static void test_history_is_one_query(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", ROW, 200, NULL, ROW_OF("Running", "") },
        { "GET", HISTORY, 200, NULL, PAGE(EVENT("0", "e2") "," EVENT("1", "e2") "," END_OF("e2")) },
        { 0 },
    };
    struct scene scene = get(rules, NEED_ROW);
    struct history *h = history_of(&scene, false);

    assert_int_equal(scene.err, OK);
    assert_int_equal(h->count, 2);
    assert_false(h->resolved);
    assert_int_equal(fakeserver_count(scene.f), 2);
    h = history_unref(h);
    end(&scene);
}

static void test_T88_history_of_the_run_before(void **state)
{
    const struct fake_rule pending[] = {
        { "GET", ROW, 200, NULL, ROW_OF("Pending", "") },
        { "GET", HISTORY, 200, NULL, PAGE(EVENT("0", "e1") "," END_OF("e1")) },
        { 0 },
    };
    const struct fake_rule running[] = {
        { "GET", ROW, 200, NULL, ROW_OF("Running", "") },
        { "GET", HISTORY, 200, NULL, PAGE(EVENT("0", "e1") "," END_OF("e1")) },
        { 0 },
    };
    struct scene scene = get(pending, NEED_ROW);
    struct history *h = history_of(&scene, false);

    assert_int_equal(h->count, 0);
    h = history_unref(h);
    end(&scene);
    /* Between two writes of a checkpoint the sentinel is the newer truth. */
    scene = get(running, NEED_ROW);
    h = history_of(&scene, false);
    assert_int_equal(h->count, 1);
    h = history_unref(h);
    end(&scene);
}

static void test_history_over_pages(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", ROW, 200, NULL, ROW_OF("Running", "") },
        { "GET", HISTORY "&NextPartitionKey=p&NextRowKey=r", 200, NULL,
          PAGE(EVENT("1", "e2") "," END_OF("e2")) },
        { "GET", HISTORY, 200,
          "x-ms-continuation-NextPartitionKey: p\r\nx-ms-continuation-NextRowKey: r\r\n",
          PAGE(EVENT("0", "e2")) },
        { 0 },
    };
    struct scene scene = get(rules, NEED_ROW);
    struct history *h = history_of(&scene, false);

    assert_int_equal(h->count, 2);
    h = history_unref(h);
    end(&scene);
}

static void test_payloads_of_a_history(void **state)
{
    CLEANUP_BUF struct buf gz = BUF_INIT(KIB);
    struct fake_rule rules[] = {
        { "GET", ROW, 200, NULL, ROW_OF("Running", "") },
        { "GET", HISTORY, 200, NULL,
          PAGE("{\"RowKey\":\"0000000000000000\",\"ExecutionId\":\"e2\",\"Result\":\"\","
               "\"ResultBlobName\":\"a/r.json.gz\",\"InputBlobName\":\"a/gone.json.gz\"}," END_OF(
                   "e2")) },
        { "GET", BLOBS "a/r.json.gz", 200, NULL, NULL },
        { "GET", BLOBS "a/gone.json.gz", 404, MISSING("BlobNotFound") },
        { 0 },
    };
    struct scene scene;
    struct history *h;

    assert_int_equal(gzip_pack(&gz, STR("{\"x\":1}")), OK);
    rules[2].body = gz.p;
    rules[2].body_len = gz.len;
    scene = get(rules, NEED_ROW);
    h = history_of(&scene, true);
    assert_int_equal(scene.err, OK);
    assert_true(h->resolved);
    assert_int_equal(h->events[0].result.kind, CELL_TEXT);
    assert_true(str_eq(h->events[0].result.text, STR("{\"x\":1}")));
    assert_true(str_has(h->events[0].json, STR("\"Result\":\"{\\\"x\\\":1}\"")));
    assert_false(str_has(h->events[0].json, STR("ResultBlobName")));
    /* What is gone stays as it is stored. */
    assert_int_equal(h->events[0].input.kind, CELL_REF);
    assert_true(str_has(h->events[0].json, STR("\"InputBlobName\":\"a/gone.json.gz\"")));
    h = history_unref(h);
    end(&scene);
}

/* -- payloads -- */

static void test_B43_missing_payload(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", BLOBS "%40c%40k/x%5E%5Ey.json.gz", 404, MISSING("BlobNotFound") },
        { 0 },
    };
    struct scene scene = begin(rules);
    struct text *text = NULL;

    assert_int_equal(hub_payload(&scene.s->hub, &scene.call, STR("@c@k/x^^y.json.gz"), &text),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(scene.call.text, "payload blob missing"));
    end(&scene);
}

static void test_B42_names_that_lead_elsewhere_are_not_asked_for(void **state)
{
    const struct fake_rule rules[] = { { 0 } };
    struct scene scene = begin(rules);
    struct text *text = NULL;

    assert_int_equal(hub_payload(&scene.s->hub, &scene.call, STR("../secrets/x.json.gz"), &text),
                     ERR_DAMAGED);
    assert_int_equal(fakeserver_count(scene.f), 0);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_is_one_request_for_a_few_columns),
        cmocka_unit_test(test_missing_row),
        cmocka_unit_test(test_B29_damaged_row_is_asked_for_again),
        cmocka_unit_test(test_only_pending_asks_for_its_phase),
        cmocka_unit_test(test_pending_that_waits),
        cmocka_unit_test(test_pending_that_is_scheduled),
        cmocka_unit_test(test_T73_pending_that_was_started_again),
        cmocka_unit_test(test_T72_pending_that_was_rewound),
        cmocka_unit_test(test_T127_pending_whose_history_has_ended),
        cmocka_unit_test(test_F41_missing_table),
        cmocka_unit_test(test_history_is_one_query),
        cmocka_unit_test(test_T88_history_of_the_run_before),
        cmocka_unit_test(test_history_over_pages),
        cmocka_unit_test(test_payloads_of_a_history),
        cmocka_unit_test(test_B43_missing_payload),
        cmocka_unit_test(test_B42_names_that_lead_elsewhere_are_not_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
