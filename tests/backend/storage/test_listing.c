#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "backend/base/limits.h"
#include "tests/backend/storage/fakeserver.h"

#define QUERY(select, filter) "/t/MyHubInstances()?$top=1000&$select=" select "&$filter=" filter
#define COLUMNS                                                                                    \
    "PartitionKey,Timestamp,Name,Version,RuntimeStatus,CreatedTime,LastUpdatedTime,"               \
    "CompletedTime,ScheduledStartTime"
#define NO_ENTITIES "(PartitionKey%20lt%20'@'%20or%20PartitionKey%20ge%20'A')"
#define TOKEN       "x-ms-continuation-NextPartitionKey: t\r\nx-ms-continuation-NextRowKey: \r\n"
#define KEY(k)      "{\"PartitionKey\":\"" k "\"}"
#define PAGE(rows)  "{\"value\":[" rows "]}"

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    struct buf keys; /* of every row emitted, with blanks */
    enum err emit;   /* what emitting answers */
};

static struct scene begin(const struct fake_rule *rules)
{
    struct scene scene = { .f = fakeserver_new(rules), .keys = BUF_INIT(MIB) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    fake_call_init(&scene.call);
    return scene;
}

static void end(struct scene *scene)
{
    buf_fini(&scene->keys);
    hub_close(&scene->s->hub);
    fakeserver_free(scene->f);
}

static enum err emit(void *ctx, struct block *block)
{
    struct scene *scene = ctx;

    for (size_t i = 0; i < block_count(block); i++) {
        buf_add(&scene->keys, block_key(block, i));
        buf_add_ch(&scene->keys, ' ');
    }
    (void)block_unref(block);
    return scene->emit;
}

static enum err list(struct scene *scene, enum list_what what, ticks since)
{
    struct list_query query = { .what = what, .changed_since = since };

    return hub_list(&scene->s->hub, &scene->call, &query, emit, scene);
}

static void test_instances_leave_entities_to_the_server(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", QUERY(COLUMNS, NO_ENTITIES), 200, NULL, PAGE(KEY("a") "," KEY("b")) },
        { 0 },
    };
    struct scene scene = begin(rules);

    assert_int_equal(list(&scene, LIST_INSTANCES, TICKS_NONE), OK);
    assert_string_equal(buf_c(&scene.keys), "a b ");
    assert_int_equal(fakeserver_count(scene.f), 1);
    end(&scene);
}

static void test_entities_are_a_range(void **state)
{
    const struct fake_rule rules[] = {
        { "GET",
          QUERY(COLUMNS ",CustomStatus", "PartitionKey%20ge%20'@'%20and%20PartitionKey%20lt%20'A'"),
          200, NULL,
          PAGE("{\"PartitionKey\":\"@c@1\",\"CustomStatus\":\"{\\\"entityExists\\\":true}\"},"
               "{\"PartitionKey\":\"@c@2\",\"CustomStatus\":\"{}\"}") },
        { 0 },
    };
    struct scene scene = begin(rules);

    assert_int_equal(list(&scene, LIST_ENTITIES, TICKS_NONE), OK);
    assert_string_equal(buf_c(&scene.keys), "@c@1 ");
    end(&scene);
}

static void test_keys_and_changes(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", QUERY("PartitionKey", NO_ENTITIES), 200, NULL, PAGE(KEY("a")) },
        { "GET",
          QUERY(COLUMNS, NO_ENTITIES "%20and%20Timestamp%20ge%20datetime'2024-05-01T10%3A00%3A00."
                                     "0000000Z'"),
          200, TOKEN, PAGE(KEY("b")) },
        { "GET", "/t/MyHubInstances()", 200, NULL, PAGE(KEY("c")) },
        { 0 },
    };
    struct scene scene = begin(rules);

    assert_int_equal(list(&scene, LIST_KEYS, TICKS_NONE), OK);
    assert_int_equal(list(&scene, LIST_INSTANCES, INT64_C(1714557600) * TICKS_PER_SEC), OK);
    assert_string_equal(buf_c(&scene.keys), "a b c ");
    /* A listing of changes follows its token; it is never cut into ranges. */
    assert_int_equal(fakeserver_count(scene.f), 3);
    assert_true(str_has(fakeserver_path(scene.f, 2), STR("&NextPartitionKey=t&NextRowKey=")));
    end(&scene);
}

static void test_long_listing_goes_on_behind_the_last_key(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", QUERY(COLUMNS, NO_ENTITIES), 200, TOKEN, PAGE(KEY("a") "," KEY("b")) },
        { "GET", QUERY(COLUMNS, "PartitionKey%20gt%20'b'"), 200, NULL, PAGE(KEY("c")) },
        /* Other fetchers look further up and find nothing. */
        { "GET", QUERY(COLUMNS, "PartitionKey%20ge%20"), 200, NULL, PAGE(""), .times = -1 },
        { 0 },
    };
    struct scene scene = begin(rules);

    assert_int_equal(list(&scene, LIST_INSTANCES, TICKS_NONE), OK);
    assert_string_equal(buf_c(&scene.keys), "a b c ");
    end(&scene);
}

static void test_R3_failure_of_a_fetcher_ends_the_listing(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", QUERY(COLUMNS, NO_ENTITIES), 200, TOKEN, PAGE(KEY("a") "," KEY("b")) },
        { "GET", "/t/MyHubInstances()", 403, "x-ms-error-code: AuthorizationPermissionMismatch\r\n",
          .times = -1 },
        { 0 },
    };
    struct scene scene = begin(rules);

    assert_int_equal(list(&scene, LIST_INSTANCES, TICKS_NONE), ERR_DENIED);
    assert_int_equal(scene.call.http_status, 403);
    assert_non_null(strstr(scene.call.text, "AuthorizationPermissionMismatch"));
    assert_string_equal(buf_c(&scene.keys), "a b ");
    end(&scene);
}

static void test_emitting_may_end_the_listing(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", QUERY(COLUMNS, NO_ENTITIES), 200, TOKEN, PAGE(KEY("a") "," KEY("b")) },
        { 0 },
    };
    struct scene scene = begin(rules);

    scene.emit = ERR_CANCELLED;
    assert_int_equal(list(&scene, LIST_INSTANCES, TICKS_NONE), ERR_CANCELLED);
    assert_int_equal(fakeserver_count(scene.f), 1);
    end(&scene);
}

static void test_F24_a_portal_is_no_empty_listing(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", "/t/MyHubInstances()", 200, "Content-Type: text/html\r\n",
          "<html>Please log in</html>", .times = -1 },
        { 0 },
    };
    struct scene scene = begin(rules);

    assert_int_equal(list(&scene, LIST_INSTANCES, TICKS_NONE), ERR_BROKEN);
    assert_int_equal(scene.keys.len, 0);
    end(&scene);
}

static void test_empty_hub(void **state)
{
    const struct fake_rule rules[] = { { "GET", "/t/MyHubInstances()", 200, NULL, PAGE("") },
                                       { 0 } };
    struct scene scene = begin(rules);

    assert_int_equal(list(&scene, LIST_INSTANCES, TICKS_NONE), OK);
    assert_int_equal(scene.keys.len, 0);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instances_leave_entities_to_the_server),
        cmocka_unit_test(test_entities_are_a_range),
        cmocka_unit_test(test_keys_and_changes),
        cmocka_unit_test(test_long_listing_goes_on_behind_the_last_key),
        cmocka_unit_test(test_R3_failure_of_a_fetcher_ends_the_listing),
        cmocka_unit_test(test_emitting_may_end_the_listing),
        cmocka_unit_test(test_F24_a_portal_is_no_empty_listing),
        cmocka_unit_test(test_empty_hub),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
