#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "backend/storage/tables.h"
#include "tests/backend/storage/fakeserver.h"

#define TABLE   "/t/MyHubHistory"
#define QUERY   TABLE "()?$top=1000&$filter=a"
#define EMPTY   "{\"value\":[]}"
#define ROWS(x) "{\"value\":[{\"PartitionKey\":\"" x "\"}]}"
/* A token with what percent-encoding must not lose, and an empty row part. */
#define TOKEN(t)                                                                                   \
    "x-ms-continuation-NextPartitionKey: 1!48!" t "+/=\r\nx-ms-continuation-NextRowKey: \r\n"
#define WITH(t) "&NextPartitionKey=1%2148%21" t "%2B%2F%3D&NextRowKey="

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
};

static struct scene begin(const struct fake_rule *rules)
{
    struct scene scene = { .f = fakeserver_new(rules) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    fake_call_init(&scene.call);
    return scene;
}

static void end(struct scene *scene)
{
    hub_close(&scene->s->hub);
    fakeserver_free(scene->f);
}

/* Walks a query to its end; keeps the bodies with a bar between. A page "BAD" is damaged. */
static enum err walk(struct scene *scene, struct buf *bodies)
{
    struct table_query query = { .table = STR("MyHubHistory"), .filter = STR("a") };
    struct pages p;
    enum err err;

    pages_init(&p, scene->s, &query);
    while ((err = pages_next(&p, &scene->call)) == OK && pages_more(&p)) {
        if (str_eq(pages_body(&p), STR("BAD"))) {
            if ((err = pages_damaged(&p, &scene->call)) != OK)
                break;
            continue;
        }
        buf_add(bodies, pages_body(&p));
        buf_add_ch(bodies, '|');
    }
    pages_fini(&p);
    return err;
}

static void assert_walk(const struct fake_rule *rules, enum err want, const char *bodies,
                        size_t requests)
{
    struct scene scene = begin(rules);
    CLEANUP_BUF struct buf b = BUF_INIT(65536);

    assert_int_equal(walk(&scene, &b), want);
    assert_string_equal(buf_c(&b), bodies);
    assert_int_equal(fakeserver_count(scene.f), requests);
    end(&scene);
}

static void test_one_page(void **state)
{
    const struct fake_rule rules[] = { { "GET", QUERY, 200, NULL, ROWS("a") }, { 0 } };

    assert_walk(rules, OK, ROWS("a") "|", 1);
}

static void test_F35_short_and_empty_pages_are_followed(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", QUERY WITH("c"), 200, NULL, ROWS("c") },
        { "GET", QUERY WITH("b"), 200, TOKEN("c"), EMPTY },
        { "GET", QUERY, 200, TOKEN("b"), ROWS("a") },
        { 0 },
    };

    assert_walk(rules, OK, ROWS("a") "|" EMPTY "|" ROWS("c") "|", 3);
}

static void test_F35_token_without_row_part(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", QUERY "&NextPartitionKey=x", 200, NULL, ROWS("b") },
        { "GET", QUERY, 200, "x-ms-continuation-nextpartitionkey: x\r\n", ROWS("a") },
        { 0 },
    };
    struct scene scene = begin(rules);
    CLEANUP_BUF struct buf b = BUF_INIT(4096);

    assert_int_equal(walk(&scene, &b), OK);
    assert_null(strstr(fakeserver_log(scene.f), "NextRowKey"));
    end(&scene);
}

static void test_F36_token_that_points_to_itself(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", QUERY, 200, TOKEN("b"), EMPTY, .times = -1 },
        { 0 },
    };
    struct scene scene = begin(rules);
    CLEANUP_BUF struct buf b = BUF_INIT(4096);

    assert_int_equal(walk(&scene, &b), ERR_BROKEN);
    assert_non_null(strstr(scene.call.text, "circles"));
    assert_true(fakeserver_count(scene.f) <= 5);
    end(&scene);
}

static void test_F36_circle_of_three(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", QUERY WITH("a"), 200, TOKEN("b"), EMPTY, .times = -1 },
        { "GET", QUERY WITH("b"), 200, TOKEN("c"), EMPTY, .times = -1 },
        { "GET", QUERY WITH("c"), 200, TOKEN("a"), EMPTY, .times = -1 },
        { "GET", QUERY, 200, TOKEN("a"), EMPTY },
        { 0 },
    };
    struct scene scene = begin(rules);
    CLEANUP_BUF struct buf b = BUF_INIT(4096);

    assert_int_equal(walk(&scene, &b), ERR_BROKEN);
    assert_true(fakeserver_count(scene.f) < 30);
    end(&scene);
}

static void test_F37_empty_last_page_is_asked_for_twice(void **state)
{
    const struct fake_rule lost[] = {
        { "GET", QUERY WITH("b"), 200, NULL, EMPTY },
        { "GET", QUERY WITH("b"), 200, NULL, ROWS("b") },
        { "GET", QUERY, 200, TOKEN("b"), ROWS("a") },
        { 0 },
    };
    const struct fake_rule empty[] = {
        { "GET", QUERY WITH("b"), 200, NULL, EMPTY, .times = 2 },
        { "GET", QUERY, 200, TOKEN("b"), ROWS("a") },
        { 0 },
    };

    assert_walk(lost, OK, ROWS("a") "|" ROWS("b") "|", 3);
    assert_walk(empty, OK, ROWS("a") "|" EMPTY "|", 3);
}

static void test_B29_damaged_page_is_asked_for_again(void **state)
{
    const struct fake_rule once[] = {
        { "GET", QUERY WITH("b"), 200, NULL, "BAD" },
        { "GET", QUERY WITH("b"), 200, NULL, ROWS("b") },
        { "GET", QUERY, 200, TOKEN("b"), ROWS("a") },
        { 0 },
    };
    const struct fake_rule always[] = { { "GET", QUERY, 200, NULL, "BAD", .times = -1 }, { 0 } };

    assert_walk(once, OK, ROWS("a") "|" ROWS("b") "|", 3);
    assert_walk(always, ERR_BROKEN, "", 3);
}

static void test_reads_ask_as_the_service_wants_it(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", "/t/MyHubHistory(PartitionKey='it''s%20a%2Fb',RowKey='sentinel')?$select=A,B", 200,
          "etag: W/\"x\"\r\n", "{}" },
        { 0 },
    };
    struct scene scene = begin(rules);
    struct http_response r = RESPONSE_INIT;
    struct str etag;

    assert_int_equal(tables_get(scene.s, &scene.call, STR("MyHubHistory"), STR("it's a/b"),
                                STR("sentinel"), "A,B", &r),
                     OK);
    assert_true(response_header(&r, "etag", &etag));
    assert_true(str_eq(etag, STR("W/\"x\"")));
    response_fini(&r);
    assert_true(
        str_eq(fakeserver_header(scene.f, 0, "accept"), STR("application/json;odata=nometadata")));
    assert_true(str_eq(fakeserver_header(scene.f, 0, "x-ms-version"), STR("2021-12-02")));
    assert_true(fakeserver_header(scene.f, 0, "x-ms-date").len > 0);
    assert_true(str_starts(fakeserver_header(scene.f, 0, "authorization"), STR("SharedKey acct:")));
    end(&scene);
}

static void test_refusals_say_what_was_asked_and_what_came(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", "/t/T(", 404, "x-ms-error-code: ResourceNotFound\r\n",
          "{\"odata.error\":{\"code\":\"ResourceNotFound\",\"message\":{\"value\":\"Not "
          "here.\\nX\"}}}" },
        { 0 },
    };
    struct scene scene = begin(rules);
    struct http_response r = RESPONSE_INIT;

    assert_int_equal(tables_get(scene.s, &scene.call, STR("T"), STR("p"), STR("r"), NULL, &r),
                     ERR_NOT_FOUND);
    assert_int_equal(scene.call.http_status, 404);
    assert_string_equal(scene.call.code, "ResourceNotFound");
    assert_true(scene.call.request_id[0]);
    assert_string_equal(scene.call.text, "GET /T(PartitionKey='p',RowKey='r') of account acct: 404 "
                                         "ResourceNotFound: Not here.");
    assert_null(strstr(scene.call.text, "SharedKey"));
    response_fini(&r);
    wire_forgive(&scene.call);
    assert_int_equal(scene.call.http_status, 0);
    assert_int_equal(scene.call.err, OK);
    end(&scene);
}

static void test_writes_name_their_version(void **state)
{
    const struct fake_rule rules[] = {
        { "POST", "/t/T", 204, NULL, NULL },
        { "MERGE", "/t/T(PartitionKey='p',RowKey='')", 204, NULL, NULL },
        { "PUT", "/t/T(PartitionKey='p',RowKey='')", 412, NULL, NULL },
        { "DELETE", "/t/T(PartitionKey='p',RowKey='')", 204, NULL, NULL },
        { 0 },
    };
    struct scene scene = begin(rules);
    struct storage *s = scene.s;
    struct str t = STR("T"), p = STR("p"), none = STR_NONE;

    assert_int_equal(tables_insert(s, &scene.call, t, STR("{\"a\":1}")), OK);
    assert_int_equal(tables_merge(s, &scene.call, t, p, none, STR("W/\"e\""), STR("{}")), OK);
    assert_int_equal(tables_replace(s, &scene.call, t, p, none, STR("W/\"e\""), STR("{}")),
                     ERR_BUSY);
    assert_int_equal(tables_delete(s, &scene.call, t, p, none, STR_NONE), OK);
    assert_true(str_eq(fakeserver_body(scene.f, 0), STR("{\"a\":1}")));
    assert_int_equal(fakeserver_header(scene.f, 0, "if-match").len, 0);
    assert_true(str_eq(fakeserver_header(scene.f, 0, "prefer"), STR("return-no-content")));
    assert_true(str_eq(fakeserver_header(scene.f, 1, "if-match"), STR("W/\"e\"")));
    assert_true(str_eq(fakeserver_header(scene.f, 1, "content-type"), STR("application/json")));
    assert_true(str_eq(fakeserver_header(scene.f, 3, "if-match"), STR("*")));
    assert_int_equal(fakeserver_header(scene.f, 3, "content-type").len, 0);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_page),
        cmocka_unit_test(test_F35_short_and_empty_pages_are_followed),
        cmocka_unit_test(test_F35_token_without_row_part),
        cmocka_unit_test(test_F36_token_that_points_to_itself),
        cmocka_unit_test(test_F36_circle_of_three),
        cmocka_unit_test(test_F37_empty_last_page_is_asked_for_twice),
        cmocka_unit_test(test_B29_damaged_page_is_asked_for_again),
        cmocka_unit_test(test_reads_ask_as_the_service_wants_it),
        cmocka_unit_test(test_refusals_say_what_was_asked_and_what_came),
        cmocka_unit_test(test_writes_name_their_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
