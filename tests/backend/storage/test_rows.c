#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "backend/base/limits.h"
#include "backend/storage/rows.h"
#include "tests/backend/storage/fixture.h"

static const struct cell_place place = { { "devstoreaccount1", 16 }, { "genuinehub", 10 } };

static enum err read_page(struct str page, enum list_what what, const struct block *previous,
                          struct block **ret)
{
    struct rows_wanted wanted = { .what = what, .previous = previous };
    bool past;

    return rows_block(page, &wanted, ret, &past);
}

static struct block *block_of(const char *page, enum list_what what)
{
    struct block *b = NULL;

    assert_int_equal(read_page(str_c(page), what, NULL, &b), OK);
    return b;
}

static struct row row_at(const struct block *b, size_t i)
{
    struct row row;

    block_row(b, i, &row);
    return row;
}

/* Every line of what the engine's own client listed, against the rows it read. */
static void compare_with_client(struct block *b, struct str list)
{
    size_t i = 0;

    while (list.len) {
        struct str line = str_cut(&list, '\n');
        struct str status = str_cut(&line, '\t');
        struct str name = str_cut(&line, '\t');
        struct str id = str_cut(&line, '\t');
        struct str created = str_cut(&line, '\t');
        struct row row;
        ticks t;

        if (!id.len || !ticks_parse(created, &t))
            continue;
        assert_true(i < block_count(b));
        row = row_at(b, i++);
        assert_true(str_eq(row.id, id));
        assert_true(str_eq(row.name, name));
        assert_true(str_eq(row.status_text, status));
        assert_true(row.created == t);
    }
    assert_int_equal(i, block_count(b));
}

static void test_genuine_listing_equals_the_clients(void **state)
{
    for (int v = 0; v < 2; v++) {
        CLEANUP_BUF struct buf page = BUF_INIT(PAGE_MAX_BYTES), list = BUF_INIT(MIB);
        struct block *b;
        char path[256];

        snprintf(path, sizeof(path), "%s/4-client-ops/%sInstances.nometadata.json",
                 fixture_lines[v], fixture_hubs[v]);
        fixture_read(&page, path);
        snprintf(path, sizeof(path), "%s/client-view/list.txt", fixture_lines[v]);
        fixture_read(&list, path);
        b = block_of(buf_c(&page), LIST_INSTANCES);
        assert_true(block_count(b) > 40);
        compare_with_client(b, buf_str(&list));
        b = block_unref(b);
    }
}

static struct instance *genuine(struct buf *page, const char *path, const char *key)
{
    CLEANUP_BUF struct buf row = BUF_INIT(MIB);
    struct instance *in = NULL;

    buf_clear(page);
    fixture_read(page, path);
    fixture_row(&row, buf_str(page), key);
    assert_int_equal(rows_instance(buf_str(&row), &place, STR("W/\"x\""), NEED_CELLS, &in), OK);
    return in;
}

static void test_genuine_instances(void **state)
{
    CLEANUP_BUF struct buf page = BUF_INIT(PAGE_MAX_BYTES);
    const char *final = "v2.9.1/5-final/GenuineHubInstances.nometadata.json";
    struct instance *in = genuine(&page, final, "hello-1");

    assert_int_equal(in->row.status, STATUS_COMPLETED);
    assert_true(str_eq(in->execution_id, STR("cd2b31ba8457401ab12609afdd5154d8")));
    assert_true(str_eq(in->input.text, STR("\"in\"")));
    assert_true(
        str_eq(in->output.text, STR("[\"Hello Tokyo!\",\"Hello Seattle!\",\"Hello London!\"]")));
    assert_int_equal(in->custom_status.kind, CELL_NONE);
    assert_int_equal(in->generation, 0);
    assert_int_equal(in->tags.len, 0);
    assert_true(str_eq(in->etag, STR("W/\"x\"")));
    assert_true(str_eq(in->task_hub, STR("GenuineHub")));
    in = instance_unref(in);

    in = genuine(&page, final, "big-in");
    assert_int_equal(in->input.kind, CELL_REF);
    assert_true(str_starts(in->input.ref, STR("big-in/history-0000000000000001-")));
    assert_true(str_starts(in->input.text, STR("http://127.0.0.1:10000/")));
    in = instance_unref(in);

    in = genuine(&page, final, "a^0b^1c^2d^3e");
    assert_true(str_eq(in->row.id, STR("a/b\\c#d?e")));
    in = instance_unref(in);

    in = genuine(&page, "v2.9.1/3-first-run/GenuineHubInstances.nometadata.json", "hello-tags");
    assert_true(json_valid(in->tags));
    in = instance_unref(in);
}

static void test_T47_genuine_form_B(void **state)
{
    CLEANUP_BUF struct buf page = BUF_INIT(PAGE_MAX_BYTES);
    struct block *b;
    unsigned refs = 0, texts = 0;

    fixture_read(&page, "variants/inline-limits/v2.9.1/ProbeTwoInstances.nometadata.json");
    b = block_of(buf_c(&page), LIST_INSTANCES);
    for (size_t i = 0; i < block_count(b); i++) {
        CLEANUP_BUF struct buf row = BUF_INIT(MIB), key = BUF_INIT(KIB);
        struct instance *in;

        buf_add(&key, block_key(b, i));
        fixture_row(&row, buf_str(&page), buf_c(&key));
        assert_int_equal(rows_instance(buf_str(&row), &place, STR_NONE, NEED_CELLS, &in), OK);
        refs += in->input.kind == CELL_REF;
        /* T65: 30,720 units stay inline. */
        if (in->input.kind == CELL_TEXT) {
            assert_true(str_utf16_len(in->input.text) <= 30720);
            texts++;
        }
        in = instance_unref(in);
    }
    assert_true(refs > 0 && texts > 0);
    b = block_unref(b);
}

static void test_B31_wrong_types_are_absent(void **state)
{
    struct block *b =
        block_of("{\"value\":[{\"PartitionKey\":\"a\",\"Name\":7,\"RuntimeStatus\":null,"
                 "\"CreatedTime\":true,\"LastUpdatedTime\":[1,{\"x\":2}],\"Version\":{}}]}",
                 LIST_INSTANCES);
    struct row row = row_at(b, 0);

    assert_int_equal(row.name.len + row.version.len + row.status_text.len, 0);
    assert_int_equal(row.status, STATUS_UNKNOWN);
    assert_true(row.created == TICKS_NONE && row.updated == TICKS_NONE);
    b = block_unref(b);
}

static void test_B32_T71_unknown_status_is_kept(void **state)
{
    struct block *b =
        block_of("{\"value\":[{\"PartitionKey\":\"a\",\"RuntimeStatus\":\"completed\"},"
                 "{\"PartitionKey\":\"b\",\"RuntimeStatus\":\"3\"},"
                 "{\"PartitionKey\":\"c\",\"RuntimeStatus\":\"Failed\"}]}",
                 LIST_INSTANCES);

    assert_int_equal(row_at(b, 0).status, STATUS_UNKNOWN);
    assert_true(str_eq(row_at(b, 0).status_text, STR("completed")));
    assert_true(str_eq(row_at(b, 1).status_text, STR("3")));
    assert_int_equal(row_at(b, 2).status, STATUS_FAILED);
    b = block_unref(b);
}

static void test_B33_order_duplicates_and_foreign_columns(void **state)
{
    struct block *b = block_of(
        " {\"odata.metadata\":\"x\", \"value\" : [ {\"Zz\":{\"a\":[]},\"Name\":\"first\","
        "\"Timestamp\":\"2024-05-01T10:00:00Z\",\"PartitionKey\":\"k\",\"Name\":\"second\","
        "\"PartitionKey\":\"l\"} ] , \"more\":1 } ",
        LIST_INSTANCES);
    struct row row = row_at(b, 0);

    assert_true(str_eq(row.key, STR("k")));
    assert_true(str_eq(row.name, STR("first")));
    assert_true(row.stamp == INT64_C(1714557600) * TICKS_PER_SEC);
    b = block_unref(b);
}

static void test_B30_surrogates_and_nul_lose_no_row(void **state)
{
    struct block *b = block_of("{\"value\":[{\"PartitionKey\":\"a\",\"Name\":\"x\\ud800y\"},"
                               "{\"PartitionKey\":\"b\",\"Name\":\"n\\u0000\"},"
                               "{\"PartitionKey\":\"c\",\"Name\":\"plain\"}]}",
                               LIST_INSTANCES);

    assert_int_equal(block_count(b), 3);
    assert_true(str_eq(row_at(b, 0).name, STR("x\xed\xa0\x80y")));
    assert_true(str_eq(row_at(b, 1).name, STR("n\0")));
    assert_true(str_eq(row_at(b, 2).name, STR("plain")));
    b = block_unref(b);
}

static void test_B29_cut_anywhere_is_no_page(void **state)
{
    static const char page[] = "{\"value\":[{\"PartitionKey\":\"a\",\"Name\":\"\\u00e4\"}]}";
    struct block *b = NULL;

    for (size_t n = 0; n < sizeof(page) - 1; n++)
        assert_int_equal(read_page((struct str){ page, n }, LIST_INSTANCES, NULL, &b), ERR_BROKEN);
    assert_int_equal(read_page(STR("{\"value\":[{\"Name\":\"x\"}]}"), LIST_INSTANCES, NULL, &b),
                     ERR_BROKEN);
    assert_int_equal(read_page(STR("{\"value\":{}}"), LIST_INSTANCES, NULL, &b), ERR_BROKEN);
    assert_int_equal(read_page(STR("<html>"), LIST_INSTANCES, NULL, &b), ERR_BROKEN);
    assert_null(b);
}

static void test_F38_rows_seen_before_are_left_out(void **state)
{
    struct block *first =
        block_of("{\"value\":[{\"PartitionKey\":\"a\"},{\"PartitionKey\":\"c\"}]}", LIST_KEYS);
    struct block *b = NULL;

    assert_int_equal(
        read_page(STR("{\"value\":[{\"PartitionKey\":\"c\"},{\"PartitionKey\":\"d\"}]}"), LIST_KEYS,
                  first, &b),
        OK);
    assert_int_equal(block_count(b), 1);
    assert_true(str_eq(block_key(b, 0), STR("d")));
    b = block_unref(b);
    assert_int_equal(read_page(STR("{\"value\":[{\"PartitionKey\":\"b\"}]}"), LIST_KEYS, first, &b),
                     ERR_DAMAGED);
    first = block_unref(first);
}

static void test_rows_beyond_a_bound_are_left_out(void **state)
{
    struct rows_wanted wanted = { .what = LIST_KEYS, .until = STR("b") };
    struct str page = STR("{\"value\":[{\"PartitionKey\":\"a\"},{\"PartitionKey\":\"b\"}]}");
    struct block *b;
    bool past = false;

    assert_int_equal(rows_block(page, &wanted, &b, &past), OK);
    assert_int_equal(block_count(b), 1);
    assert_true(past);
    b = block_unref(b);
    wanted.until = STR("c");
    assert_int_equal(rows_block(page, &wanted, &b, &past), OK);
    assert_int_equal(block_count(b), 2);
    assert_false(past);
    b = block_unref(b);
}

static void test_empty_entities_are_not_listed(void **state)
{
    struct block *b = block_of(
        "{\"value\":[{\"PartitionKey\":\"@a@1\",\"CustomStatus\":\"{\\\"entityExists\\\":true}\"},"
        "{\"PartitionKey\":\"@a@2\",\"CustomStatus\":\"{}\"},"
        "{\"PartitionKey\":\"@a@3\",\"CustomStatus\":\"{\\\"queueSize\\\":1}\"},"
        "{\"PartitionKey\":\"@a@4\"},"
        "{\"PartitionKey\":\"@a@5\",\"CustomStatus\":\"Internal Error: x\"}]}",
        LIST_ENTITIES);

    assert_int_equal(block_count(b), 3);
    assert_true(str_eq(block_key(b, 0), STR("@a@1")));
    assert_true(str_eq(block_key(b, 1), STR("@a@3")));
    assert_true(str_eq(block_key(b, 2), STR("@a@5")));
    b = block_unref(b);
}

static struct instance *instance_of(const char *json)
{
    struct instance *in = NULL;

    assert_int_equal(rows_instance(str_c(json), &place, STR_NONE, NEED_CELLS, &in), OK);
    return in;
}

static void test_T63_T64_T133_nulls(void **state)
{
    struct instance *in = instance_of("{\"PartitionKey\":\"a\",\"Tags\":\"null\","
                                      "\"CustomStatus\":\"null\",\"Input\":null}");

    assert_int_equal(in->tags.len, 0);
    assert_int_equal(in->custom_status.kind, CELL_NONE);
    assert_int_equal(in->input.kind, CELL_NONE);
    assert_int_equal(in->generation, -1);
    in = instance_unref(in);
    in = instance_of("{\"PartitionKey\":\"a\",\"Generation\":3,\"CustomStatus\":\"{}\"}");
    assert_int_equal(in->generation, 3);
    assert_int_equal(in->custom_status.kind, CELL_TEXT);
    in = instance_unref(in);
}

static void test_B36_times_of_any_shape(void **state)
{
    struct instance *in = instance_of(
        "{\"PartitionKey\":\"a\",\"CreatedTime\":\"2024-05-01T10:00:00.12345678Z\","
        "\"LastUpdatedTime\":\"nonsense\",\"CompletedTime\":\"9999-12-30T23:59:59.9999999Z\","
        "\"ScheduledStartTime\":\"1601-01-01T00:00:00Z\",\"Timestamp\":\"\"}");

    assert_true(in->row.created == INT64_C(1714557600) * TICKS_PER_SEC + 1234567);
    assert_true(in->row.updated == TICKS_NONE && in->row.stamp == TICKS_NONE);
    assert_true(in->row.completed == INT64_C(253402214399) * TICKS_PER_SEC + 9999999);
    assert_true(in->row.scheduled == INT64_C(-11644473600) * TICKS_PER_SEC);
    in = instance_unref(in);
}

static void test_selects_name_what_a_block_keeps(void **state)
{
    assert_string_equal(rows_select(LIST_KEYS), "PartitionKey");
    assert_string_equal(rows_select(LIST_INSTANCES),
                        "PartitionKey,Timestamp,Name,Version,RuntimeStatus,CreatedTime,"
                        "LastUpdatedTime,CompletedTime,ScheduledStartTime");
    assert_non_null(strstr(rows_select(LIST_ENTITIES), ",CustomStatus"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_genuine_listing_equals_the_clients),
        cmocka_unit_test(test_genuine_instances),
        cmocka_unit_test(test_T47_genuine_form_B),
        cmocka_unit_test(test_B31_wrong_types_are_absent),
        cmocka_unit_test(test_B32_T71_unknown_status_is_kept),
        cmocka_unit_test(test_B33_order_duplicates_and_foreign_columns),
        cmocka_unit_test(test_B30_surrogates_and_nul_lose_no_row),
        cmocka_unit_test(test_B29_cut_anywhere_is_no_page),
        cmocka_unit_test(test_F38_rows_seen_before_are_left_out),
        cmocka_unit_test(test_rows_beyond_a_bound_are_left_out),
        cmocka_unit_test(test_empty_entities_are_not_listed),
        cmocka_unit_test(test_T63_T64_T133_nulls),
        cmocka_unit_test(test_B36_times_of_any_shape),
        cmocka_unit_test(test_selects_name_what_a_block_keeps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
