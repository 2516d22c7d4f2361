#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "backend/base/limits.h"
#include "backend/storage/events.h"
#include "tests/backend/storage/fixture.h"

static struct history *history_of(struct str page)
{
    struct events e;
    struct history *h = NULL;

    assert_int_equal(events_init(&e), OK);
    assert_int_equal(events_page(&e, page), OK);
    assert_int_equal(events_finish(&e, &h), OK);
    events_fini(&e);
    return h;
}

/* rows: "e2 e2 e1" = ExecutionIds of RowKeys 0, 1, 2; sentinel NULL = none. */
static struct history *history_of_executions(const char *rows, const char *sentinel, bool complete)
{
    CLEANUP_BUF struct buf b = BUF_INIT(MIB);
    struct str rest = str_c(rows);
    struct history *h;

    buf_add_c(&b, "{\"value\":[");
    for (int i = 0; rest.len; i++) {
        struct str e = str_cut(&rest, ' ');

        buf_printf(&b,
                   "%s{\"RowKey\":\"%016X\",\"ExecutionId\":\"" STR_FMT
                   "\",\"EventType\":\"OrchestratorStarted\"}",
                   i ? "," : "", i, STR_ARG(e));
    }
    if (sentinel)
        buf_printf(&b,
                   "%s{\"RowKey\":\"sentinel\",\"ExecutionId\":\"%s\",\"IsCheckpointComplete\":%s}",
                   rows[0] ? "," : "", sentinel, complete ? "true" : "false");
    buf_add_c(&b, "]}");
    h = history_of(buf_str(&b));
    return h;
}

static void assert_count(struct history *h, size_t count, bool complete, const char *execution)
{
    assert_int_equal(h->count, count);
    assert_true(h->complete == complete);
    assert_true(str_eq(h->execution_id, str_c(execution)));
    h = history_unref(h);
}

static void test_T86_sentinel_decides(void **state)
{
    assert_count(history_of_executions("e2 e2 e2 e1 e1 e1 e1 e1 e1 e1", "e2", true), 3, true, "e2");
}

static void test_T87_without_sentinel_the_first_row_decides(void **state)
{
    assert_count(history_of_executions("e2 e2 e1 e1 e1", NULL, true), 2, true, "e2");
}

static void test_T88_sentinel_of_a_run_without_rows(void **state)
{
    assert_count(history_of_executions("e1 e1 e1", "e2", true), 0, true, "e2");
}

static void test_T89_checkpoint_under_way(void **state)
{
    assert_count(history_of_executions("e2 e2", "e2", false), 2, false, "e2");
}

static void test_B47_one_row_of_the_same_run_behind_older_ones_is_not_reached(void **state)
{
    assert_count(history_of_executions("e2 e1 e2", "e2", true), 1, true, "e2");
}

static void test_no_rows(void **state)
{
    assert_count(history_of(STR("{\"value\":[]}")), 0, true, "");
}

static void test_T93_unknown_types_are_kept(void **state)
{
    struct history *h = history_of(STR(
        "{\"value\":[{\"PartitionKey\":\"p\",\"RowKey\":\"0000000000000000\","
        "\"Timestamp\":\"t\",\"ExecutionId\":\"e\",\"EventType\":\"FutureThing\",\"X\":[1, 2]}]}"));

    assert_int_equal(h->events[0].type, EVENT_UNKNOWN);
    assert_true(str_eq(h->events[0].type_name, STR("FutureThing")));
    assert_true(str_eq(h->events[0].json,
                       STR("{\"ExecutionId\":\"e\",\"EventType\":\"FutureThing\",\"X\":[1, 2]}")));
    assert_int_equal(h->events[0].event_id, -1);
    assert_int_equal(h->events[0].task_id, -1);
    assert_true(h->events[0].time == TICKS_NONE);
    h = history_unref(h);
}

static void test_T63_null_texts(void **state)
{
    struct history *h = history_of(
        STR("{\"value\":[{\"RowKey\":\"0000000000000000\",\"ExecutionId\":\"e\",\"ParentInstance\":"
            "\"null\","
            "\"Tags\":\"null\",\"FailureDetails\":\"null\",\"Input\":\"null\",\"EventId\":4}]}"));
    struct event *ev = &h->events[0];

    assert_int_equal(ev->parent.len, 0);
    assert_int_equal(ev->tags.kind, CELL_NONE);
    assert_int_equal(ev->failure_details.kind, CELL_NONE);
    assert_int_equal(ev->input.kind, CELL_TEXT); /* a payload that is JSON null */
    assert_int_equal(ev->event_id, 4);
    h = history_unref(h);
}

static void test_T90_rewound_row_is_no_completion(void **state)
{
    struct history *h =
        history_of(STR("{\"value\":[{\"RowKey\":\"0000000000000000\",\"ExecutionId\":\"e\","
                       "\"EventType\":\"GenericEvent\",\"Reason\":\"Rewound: "
                       "TaskFailed\",\"TaskScheduledId\":3}]}"));

    assert_int_equal(h->events[0].type, EVENT_GENERIC);
    assert_int_equal(h->events[0].task_id, 3);
    assert_true(str_eq(h->events[0].reason.text, STR("Rewound: TaskFailed")));
    h = history_unref(h);
}

static void test_B45_out_of_order_and_twice(void **state)
{
    struct history *h =
        history_of(STR("{\"value\":[{\"RowKey\":\"sentinel\",\"ExecutionId\":\"e\"},"
                       "{\"RowKey\":\"0000000000000002\",\"ExecutionId\":\"e\",\"EventId\":2},"
                       "{\"RowKey\":\"0000000000000000\",\"ExecutionId\":\"e\",\"EventId\":0},"
                       "{\"RowKey\":\"0000000000000002\",\"ExecutionId\":\"e\",\"EventId\":2},"
                       "{\"RowKey\":\"0000000000000001\",\"ExecutionId\":\"e\",\"EventId\":1}]}"));

    assert_int_equal(h->count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(h->events[i].event_id, i);
    h = history_unref(h);
}

static void test_B29_broken_page_adds_nothing(void **state)
{
    static const char page[] =
        "{\"value\":[{\"RowKey\":\"0000000000000000\",\"ExecutionId\":\"e\"}]}";
    struct events e;

    assert_int_equal(events_init(&e), OK);
    for (size_t n = 0; n < sizeof(page) - 1; n++) {
        assert_int_equal(events_page(&e, (struct str){ page, n }), ERR_BROKEN);
        assert_int_equal(e.count, 0);
    }
    events_fini(&e);
}

static void settle_as(enum status status, const char *execution, size_t count, const char *got)
{
    struct instance *in = instance_new();
    struct history *h = NULL;
    struct events e;

    in->row.status = status;
    in->execution_id = str_c(execution);
    assert_int_equal(events_init(&e), OK);
    assert_int_equal(events_page(&e, STR("{\"value\":[{\"RowKey\":\"0\",\"ExecutionId\":\"e\"}]}")),
                     OK);
    assert_true(str_eq(events_execution(&e), STR("e")));
    events_settle(&e, in);
    assert_int_equal(events_finish(&e, &h), OK);
    assert_count(h, count, true, got);
    events_fini(&e);
    (void)instance_unref(in);
}

static void test_T73_rows_of_the_run_before_are_not_this_ones(void **state)
{
    settle_as(STATUS_PENDING, "e2", 0, "");
    settle_as(STATUS_PENDING, "e", 1, "e");
    settle_as(STATUS_RUNNING, "e2", 1, "e");
}

static enum err odd_rows(void *ctx, struct str partition_key, struct events **ret)
{
    *ret = str_eq(partition_key, STR("b")) ? NULL : ctx;
    return str_eq(partition_key, STR("x")) ? ERR_DAMAGED : OK;
}

static void test_a_page_is_shared_out(void **state)
{
    struct events e;

    assert_int_equal(events_init(&e), OK);
    assert_int_equal(events_share(STR("{\"value\":[{\"PartitionKey\":\"a\",\"RowKey\":\"0\"},"
                                      "{\"RowKey\":\"1\",\"PartitionKey\":\"b\"},"
                                      "{\"PartitionKey\":\"c\",\"RowKey\":\"2\"}]}"),
                                  odd_rows, &e),
                     OK);
    assert_int_equal(e.count, 2);
    assert_int_equal(
        events_share(STR("{\"value\":[{\"PartitionKey\":\"x\",\"RowKey\":\"0\"}]}"), odd_rows, &e),
        ERR_DAMAGED);
    assert_int_equal(e.count, 2);
    events_fini(&e);
}

static void test_what_is_a_page(void **state)
{
    assert_true(events_is_page(STR("{\"value\":[]}")));
    assert_true(events_is_page(STR("{\"value\":[{\"a\":\"\\ud800\"},{\"b\":1}]}")));
    assert_false(events_is_page(STR("{\"value\":[{\"a\":1}")));
    assert_false(events_is_page(STR("{\"value\":[{\"a\":1,}]}")));
    assert_false(events_is_page(STR("<html>")));
    assert_false(events_is_page(STR_NONE));
}

static void test_payloads_are_put_in_place(void **state)
{
    struct history *h = history_of(STR(
        "{\"value\":[{\"RowKey\":\"0000000000000000\",\"ExecutionId\":\"e\",\"Result\":\"\","
        "\"ResultBlobName\":\"a/b.json.gz\",\"InputBlobName\":\"a/c.json.gz\",\"EventId\":1}]}"));
    struct event *ev = &h->events[0];

    assert_int_equal(ev->result.kind, CELL_REF);
    assert_true(str_eq(ev->result.ref, STR("a/b.json.gz")));
    assert_int_equal(ev->input.kind, CELL_REF);
    assert_int_equal(events_resolved(h, ev, STR("Result"), STR("{\"x\":\"\n\"}")), OK);
    assert_true(
        str_eq(ev->json, STR("{\"ExecutionId\":\"e\",\"Result\":\"{\\\"x\\\":\\\"\\n\\\"}\","
                             "\"InputBlobName\":\"a/c.json.gz\",\"EventId\":1}")));
    assert_int_equal(events_resolved(h, ev, STR("Input"), STR("1")), OK);
    assert_true(str_has(ev->json, STR("\",\"Input\":\"1\",\"EventId\":1}")));
    assert_true(json_valid(ev->json));
    h = history_unref(h);
}

/* The engine's own client wrote the same history as objects. */
static void compare_with_client(struct history *h, struct str objects)
{
    static const struct str names[] = { { "EventType", 9 }, { "EventId", 7 }, { "Timestamp", 9 } };
    struct arena arena;
    struct jsonread r;
    struct column c[3];
    size_t i = 0;

    arena_init(&arena);
    jsonread_init(&r, objects, &arena);
    assert_true(jsonread_array(&r));
    while (jsonread_element(&r)) {
        assert_true(columns_read(&r, names, c, 3));
        assert_true(i < h->count);
        assert_int_equal(h->events[i].type, column_i64(&c[0], -2));
        assert_int_equal(h->events[i].event_id, column_i64(&c[1], -2));
        assert_true(h->events[i].time == column_time(&c[2]));
        i++;
    }
    assert_true(jsonread_done(&r));
    assert_int_equal(i, h->count);
    arena_fini(&arena);
}

static void test_genuine_histories_equal_the_clients(void **state)
{
    static const char *const ids[] = { "loop-1", "fail-1" };

    for (int v = 0; v < 2; v++)
        for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
            CLEANUP_BUF struct buf table = BUF_INIT(PAGE_MAX_BYTES), page = BUF_INIT(MIB),
                                   objects = BUF_INIT(MIB);
            struct history *h;
            char path[256];

            snprintf(path, sizeof(path), "%s/3-first-run/%sHistory.nometadata.json",
                     fixture_lines[v], fixture_hubs[v]);
            fixture_read(&table, path);
            fixture_partition(&page, buf_str(&table), ids[i]);
            snprintf(path, sizeof(path), "%s/client-view/history-%s.json", fixture_lines[v],
                     ids[i]);
            fixture_read(&objects, path);
            h = history_of(buf_str(&page));
            compare_with_client(h, buf_str(&objects));
            assert_true(h->complete);
            h = history_unref(h);
        }
}

static void test_genuine_stale_rows_are_left_out(void **state)
{
    static const char *const paths[] = {
        "variants/stale-rows/v2.9.1/VarStaleHistory.nometadata.json",
        "variants/stale-rows/v1.17.5/VarStaleOldHistory.nometadata.json"
    };

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        CLEANUP_BUF struct buf table = BUF_INIT(PAGE_MAX_BYTES), page = BUF_INIT(MIB);
        struct history *h;

        fixture_read(&table, paths[i]);
        fixture_partition(&page, buf_str(&table), "stale-1");
        h = history_of(buf_str(&page));
        assert_int_equal(h->count, 3);
        assert_int_equal(h->events[1].type, EVENT_EXECUTION_STARTED);
        assert_int_equal(h->events[2].type, EVENT_ORCHESTRATOR_COMPLETED);
        h = history_unref(h);
    }
}

static void test_genuine_parent_and_children(void **state)
{
    CLEANUP_BUF struct buf table = BUF_INIT(PAGE_MAX_BYTES), page = BUF_INIT(MIB);
    struct history *h;
    struct arena arena;
    unsigned children = 0;

    fixture_read(&table, "v2.9.1/5-final/GenuineHubHistory.nometadata.json");
    fixture_partition(&page, buf_str(&table), "parent-1:child2");
    h = history_of(buf_str(&page));
    arena_init(&arena);
    assert_true(str_eq(history_parent(h, &arena), STR("parent-1")));
    arena_fini(&arena);
    h = history_unref(h);
    buf_clear(&page);
    fixture_partition(&page, buf_str(&table), "parent-1");
    h = history_of(buf_str(&page));
    assert_int_equal(history_link(h), OK);
    for (size_t i = 0; i < h->count; i++)
        if (h->events[i].type == EVENT_SUB_CREATED) {
            children++;
            assert_true(h->events[i].instance_id.len > 0);
            assert_true(history_completion(h, i) > (ptrdiff_t)i);
        }
    assert_int_equal(children, 2);
    h = history_unref(h);
}

static void test_genuine_rewind(void **state)
{
    CLEANUP_BUF struct buf table = BUF_INIT(PAGE_MAX_BYTES), page = BUF_INIT(MIB);
    struct history *h;
    unsigned rewound = 0, completed = 0;

    fixture_read(&table, "variants/rewind/v2.9.1/rewound.History.nometadata.json");
    fixture_partition(&page, buf_str(&table), "en-flaky");
    h = history_of(buf_str(&page));
    for (size_t i = 0; i < h->count; i++) {
        rewound += h->events[i].type == EVENT_GENERIC &&
                   str_starts(h->events[i].reason.text, STR("Rewound: "));
        completed += h->events[i].type == EVENT_EXECUTION_COMPLETED;
    }
    assert_int_equal(rewound, 3);
    assert_int_equal(completed, 0);
    h = history_unref(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T86_sentinel_decides),
        cmocka_unit_test(test_T87_without_sentinel_the_first_row_decides),
        cmocka_unit_test(test_T88_sentinel_of_a_run_without_rows),
        cmocka_unit_test(test_T89_checkpoint_under_way),
        cmocka_unit_test(test_B47_one_row_of_the_same_run_behind_older_ones_is_not_reached),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_T93_unknown_types_are_kept),
        cmocka_unit_test(test_T63_null_texts),
        cmocka_unit_test(test_T90_rewound_row_is_no_completion),
        cmocka_unit_test(test_B45_out_of_order_and_twice),
        cmocka_unit_test(test_B29_broken_page_adds_nothing),
        cmocka_unit_test(test_T73_rows_of_the_run_before_are_not_this_ones),
        cmocka_unit_test(test_a_page_is_shared_out),
        cmocka_unit_test(test_what_is_a_page),
        cmocka_unit_test(test_payloads_are_put_in_place),
        cmocka_unit_test(test_genuine_histories_equal_the_clients),
        cmocka_unit_test(test_genuine_stale_rows_are_left_out),
        cmocka_unit_test(test_genuine_parent_and_children),
        cmocka_unit_test(test_genuine_rewind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
