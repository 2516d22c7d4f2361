/* Many rows and many histories in one query each, against a scripted account. */
#include <stdio.h>
#include <string.h>

#include "tests/backend/storage/scene.h"

#define ROWS(from, through)                                                                        \
    "/t/MyHubInstances()?$top=1000&$filter=PartitionKey%20ge%20'" from                             \
    "'%20and%20PartitionKey%20le%20'" through "'"
#define EVENTS(from, through)                                                                      \
    "/t/MyHubHistory()?$top=1000&$filter=PartitionKey%20ge%20'" from                               \
    "'%20and%20PartitionKey%20le%20'" through "'"
#define NO_ENTITIES "%20and%20(PartitionKey%20lt%20'@'%20or%20PartitionKey%20ge%20'A')"
#define NEXT        "x-ms-continuation-NextPartitionKey: n\r\nx-ms-continuation-NextRowKey: r\r\n"
#define TOKEN       "&NextPartitionKey=n&NextRowKey=r"

#define ROW(key)                                                                                   \
    "{\"PartitionKey\":\"" key "\",\"RowKey\":\"\",\"RuntimeStatus\":\"Completed\","               \
    "\"Timestamp\":\"2024-05-01T10:00:00.1Z\",\"ExecutionId\":\"e\","                              \
    "\"Input\":\"in-" key "\",\"Output\":\"\\\"" key "\\\"\"}"
#define EVENT(key, n)                                                                              \
    "{\"PartitionKey\":\"" key "\",\"RowKey\":\"000000000000000" n                                 \
    "\",\"ExecutionId\":\"e\",\"EventType\":\"EventRaised\",\"Name\":\"" key n "\"}"
#define END_OF(key)                                                                                \
    "{\"PartitionKey\":\"" key "\",\"RowKey\":\"sentinel\",\"ExecutionId\":\"e\","                 \
    "\"IsCheckpointComplete\":true}"
#define PAGE(rows) "{\"value\":[" rows "]}"

/* What the test saw. */
static struct seen {
    char got[512]; /* what was emitted, one after the other */
    size_t stop;   /* after so many */
    size_t n;
} seen;

static int setup(void **state)
{
    (void)state;
    seen = (struct seen){ 0 };
    return 0;
}

#define SPAN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

static void note(struct str s, const char *end)
{
    size_t len = strlen(seen.got);

    snprintf(seen.got + len, sizeof(seen.got) - len, STR_FMT "%s", STR_ARG(s), end);
}

/* -- rows -- */

static enum err on_row(void *ctx, struct instance *in)
{
    (void)ctx;
    assert_true(in->needs & NEED_CELLS);
    assert_true(str_starts(in->input.text, STR("in-")));
    note(in->row.id, " ");
    (void)instance_unref(in);
    return ++seen.n == seen.stop ? ERR_TOO_BIG : OK;
}

static enum err span(struct scene *scene, const char *from, const char *through)
{
    const struct key_span keys = { str_c(from), str_c(through) };

    seen.got[0] = '\0';
    return hub_span(&scene->s->hub, &scene->call, &keys, on_row, NULL);
}

static void test_rows_are_one_query(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", ROWS("a%5E0b", "c"), 200, NULL, PAGE(ROW("a^0b") "," ROW("b") "," ROW("c")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(span(scene, "a^0b", "c"), OK);
    assert_string_equal(seen.got, "a/b b c ");
    assert_int_equal(fakeserver_count(scene->f), 1);
}

static void test_F35_short_and_empty_pages(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", ROWS("a", "c") TOKEN, 200, NULL, PAGE(ROW("c")) },
        { "GET", ROWS("a", "c"), 200, NEXT, PAGE(ROW("a")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(span(scene, "a", "c"), OK);
    assert_string_equal(seen.got, "a c ");
}

static void test_what_lies_outside_is_left_out(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", ROWS("1", "b") NO_ENTITIES, 200, NULL,
          PAGE(ROW("0") "," ROW("1") "," ROW("@c@k") "," ROW("b") "," ROW("c")) },
        { "GET", ROWS("@c@a", "@c@z"), 200, NULL, PAGE(ROW("@c@k")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(span(scene, "1", "b"), OK);
    assert_string_equal(seen.got, "1 b ");
    assert_int_equal(span(scene, "@c@a", "@c@z"), OK);
    assert_string_equal(seen.got, "@c@k ");
}

static void test_B29_a_broken_page_is_asked_for_again(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", ROWS("a", "c"), 200, NULL, "{\"value\":[" ROW("a") ",{\"Part" },
        { "GET", ROWS("a", "c"), 200, NULL, PAGE(ROW("a") "," ROW("b")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(span(scene, "a", "c"), OK);
    assert_string_equal(seen.got, "a b ");
}

static void test_broken_three_times_is_an_error(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", ROWS("a", "c"), 200, NULL, "{\"value\":[{\"RowKey\":\"\"}]}", .times = 3 },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(span(scene, "a", "c"), ERR_BROKEN);
    assert_non_null(strstr(scene->call.text, "MyHubInstances"));
    assert_string_equal(seen.got, "");
}

static void test_emit_ends_it(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", ROWS("a", "c"), 200, NEXT, PAGE(ROW("a") "," ROW("b") "," ROW("c")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    seen.stop = 2;
    assert_int_equal(span(scene, "a", "c"), ERR_TOO_BIG);
    assert_string_equal(seen.got, "a b ");
    assert_int_equal(fakeserver_count(scene->f), 1);
}

/* -- histories -- */

static enum err on_history(void *ctx, size_t i, struct history *h, size_t rows)
{
    (void)ctx;
    char count[32];

    assert_int_equal(i, seen.n);
    for (size_t k = 0; k < h->count; k++)
        note(h->events[k].name, ",");
    snprintf(count, sizeof(count), "%zu", rows);
    note(str_c(count), " ");
    (void)history_unref(h);
    return ++seen.n == seen.stop ? ERR_TOO_BIG : OK;
}

#define MAX_WANTED 4

static enum err histories(struct scene *scene, const char *keys, size_t rows_max)
{
    struct instance *in[MAX_WANTED];
    size_t n = 0;

    for (; keys[n]; n++) {
        in[n] = instance_new();
        in[n]->row.id = in[n]->row.key = (struct str){ keys + n, 1 };
        in[n]->row.status = keys[n] == 'p' ? STATUS_PENDING : STATUS_COMPLETED;
        in[n]->execution_id = keys[n] == 'p' ? STR("later") : STR("e");
    }
    const struct span_histories wanted = { in, n, rows_max };
    enum err err = hub_histories(&scene->s->hub, &scene->call, &wanted, on_history, NULL);

    while (n)
        (void)instance_unref(in[--n]);
    return err;
}

static void test_histories_are_one_query(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", EVENTS("a", "d"), 200, NULL,
          PAGE(EVENT("a", "0") "," EVENT("a", "1") "," END_OF("a") "," EVENT("b", "0") "," END_OF(
              "b") "," EVENT("d", "0") "," END_OF("d")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    /* c has none; b is nobody's. */
    assert_int_equal(histories(scene, "acd", 100), OK);
    assert_string_equal(seen.got, "a0,a1,3 0 d0,2 ");
    assert_int_equal(fakeserver_count(scene->f), 1);
}

static void test_a_history_over_two_pages(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", EVENTS("a", "b") TOKEN, 200, NULL, PAGE(END_OF("a") "," EVENT("b", "0")) },
        { "GET", EVENTS("a", "b"), 200, NEXT, PAGE(EVENT("a", "0") "," EVENT("a", "1")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(histories(scene, "ab", 100), OK);
    assert_string_equal(seen.got, "a0,a1,3 b0,1 ");
}

static void test_T88_rows_of_the_run_before(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", EVENTS("p", "q"), 200, NULL,
          PAGE(EVENT("p", "0") "," END_OF("p") "," EVENT("q", "0")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(histories(scene, "pq", 100), OK);
    assert_string_equal(seen.got, "2 q0,1 ");
}

static void test_it_ends_at_a_long_one(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", EVENTS("a", "c"), 200, NEXT,
          PAGE(EVENT("a", "0") "," EVENT("b", "0") "," EVENT("b", "1") "," EVENT("b", "2")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(histories(scene, "abc", 2), OK);
    assert_string_equal(seen.got, "a0,1 ");
    assert_int_equal(fakeserver_count(scene->f), 1);
}

static void test_B29_a_broken_page_of_histories(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", EVENTS("a", "b"), 200, NULL,
          "{\"value\":[" EVENT("a", "0") "," END_OF("a") "," EVENT("b", "0") ",{" },
        { "GET", EVENTS("a", "b"), 200, NULL,
          PAGE(EVENT("a", "0") "," END_OF("a") "," EVENT("b", "0")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(histories(scene, "ab", 100), OK);
    assert_string_equal(seen.got, "a0,2 b0,1 ");
}

static void test_pages_out_of_order(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", EVENTS("a", "b"), 200, NULL, PAGE(EVENT("b", "0") "," EVENT("a", "0")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(histories(scene, "ab", 100), ERR_BROKEN);
    assert_non_null(strstr(scene->call.text, "order of their keys"));
}

static void test_emit_ends_histories(void **state)
{
    static const struct fake_rule rules[] = {
        { "GET", EVENTS("a", "c"), 200, NEXT, PAGE(EVENT("a", "0") "," EVENT("c", "0")) },
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    seen.stop = 1;
    assert_int_equal(histories(scene, "ac", 100), ERR_TOO_BIG);
    assert_string_equal(seen.got, "a0,1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPAN_TEST(test_rows_are_one_query),
        SPAN_TEST(test_F35_short_and_empty_pages),
        SPAN_TEST(test_what_lies_outside_is_left_out),
        SPAN_TEST(test_B29_a_broken_page_is_asked_for_again),
        SPAN_TEST(test_broken_three_times_is_an_error),
        SPAN_TEST(test_emit_ends_it),
        SPAN_TEST(test_histories_are_one_query),
        SPAN_TEST(test_a_history_over_two_pages),
        SPAN_TEST(test_T88_rows_of_the_run_before),
        SPAN_TEST(test_it_ends_at_a_long_one),
        SPAN_TEST(test_B29_a_broken_page_of_histories),
        SPAN_TEST(test_pages_out_of_order),
        SPAN_TEST(test_emit_ends_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
