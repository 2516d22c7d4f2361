#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "backend/storage/provider.h"
#include "tests/backend/storage/fakeserver.h"

#define T(n)          "{\"TableName\":\"" n "\"}"
#define TABLES(names) "{\"value\":[" names "]}"

struct scene {
    struct fakeserver *f;
    struct call call;
    struct hub *hub;
    enum err err;
};

static void point_at(struct config *c, int port, const char *credential)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "AccountName=acct;%s;TableEndpoint=http://127.0.0.1:%d/t;"
             "QueueEndpoint=http://127.0.0.1:%d/q;BlobEndpoint=http://127.0.0.1:%d/b",
             credential, port, port, port);
    assert_int_equal(secret_set(&c->connection_string, str_c(text)), OK);
}

#define KEY "AccountKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static struct scene open_with(const struct fake_rule *rules, const char *hub,
                              const char *credential)
{
    const struct hub_settings settings = { .timeout_ms = 30000, .connections = 2 };
    struct scene scene = { .f = fakeserver_new(rules) };
    struct config config = { 0 };

    snprintf(config.hub, sizeof(config.hub), "%s", hub);
    point_at(&config, fakeserver_port(scene.f), credential);
    fake_call_init(&scene.call);
    scene.err = storage_open(&config, &settings, &scene.call, &scene.hub);
    config_fini(&config);
    return scene;
}

static void end(struct scene *scene)
{
    hub_close(scene->hub);
    fakeserver_free(scene->f);
}

static void test_the_tables_spelling_is_taken(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", "/t/Tables", 200, NULL,
          TABLES(T("MyHubHistory") "," T("MyHubInstances") "," T("myhubPARTITIONS") "," T(
              "MyHubPartitions") "," T("Other")) },
        { 0 },
    };
    struct scene scene = open_with(rules, "MYHUB", KEY);
    struct storage *s;
    struct hub_stats stats;

    assert_int_equal(scene.err, OK);
    s = storage_of(scene.hub);
    assert_string_equal(scene.hub->name, "MyHub");
    assert_string_equal(scene.hub->account, "acct");
    assert_string_equal(s->instances, "MyHubInstances");
    assert_string_equal(s->history, "MyHubHistory");
    assert_string_equal(s->partitions_table, "MyHubPartitions");
    assert_string_equal(s->hub_lower, "myhub");
    hub_stats(scene.hub, &stats);
    assert_int_equal(stats.table_requests, 1);
    assert_int_equal(stats.queue_requests + stats.blob_requests, 0);
    end(&scene);
}

static void test_table_list_has_pages(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", "/t/Tables?NextTableName=1%2148%21x", 200, NULL, TABLES(T("MyHubInstances")) },
        { "GET", "/t/Tables", 200, "x-ms-continuation-NextTableName: 1!48!x\r\n",
          TABLES(T("MyHubHistory")) },
        { 0 },
    };
    struct scene scene = open_with(rules, "MyHub", KEY);

    assert_int_equal(scene.err, OK);
    assert_int_equal(fakeserver_count(scene.f), 2);
    end(&scene);
}

static void test_missing_hub_lists_near_names(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", "/t/Tables", 200, NULL,
          TABLES(T("AlphaInstances") "," T("AlphaHistory") "," T("MyHabInstances") "," T(
              "MyHabHistory") "," T("MyHubInstances")) },
        { 0 },
    };
    const struct fake_rule none[] = { { "GET", "/t/Tables", 200, NULL, TABLES("") }, { 0 } };
    struct scene scene = open_with(rules, "MyHub", KEY);

    assert_int_equal(scene.err, ERR_NOT_FOUND);
    assert_string_equal(scene.call.text,
                        "account acct has no task hub MyHub; it has 2: MyHab, Alpha");
    assert_null(scene.hub);
    end(&scene);
    scene = open_with(none, "MyHub", KEY);
    assert_int_equal(scene.err, ERR_NOT_FOUND);
    assert_non_null(strstr(scene.call.text, "no other"));
    end(&scene);
}

static void test_F33_key_rejected(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", "/t/Tables", 403, "Content-Type: application/xml\r\n",
          "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>Server failed "
          "to "
          "authenticate the request.</Message></Error>",
          .times = -1 },
        { 0 },
    };
    struct scene scene = open_with(rules, "MyHub", KEY);

    assert_int_equal(scene.err, ERR_KEY_REJECTED);
    assert_non_null(strstr(scene.call.text, "AuthenticationFailed: Server failed"));
    assert_null(strstr(scene.call.text, "AAECAwQF"));
    end(&scene);
}

static void test_signature_goes_into_the_query(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", "/t/Tables?sv=2021-12-02&sig=x%3D", 200, NULL,
          TABLES(T("MyHubHistory") "," T("MyHubInstances")) },
        { "GET", "/t/MyHubInstances()?$top=1000&", 403, NULL, NULL },
        { 0 },
    };
    struct scene scene = open_with(rules, "MyHub", "SharedAccessSignature=?sv=2021-12-02&sig=x%3D");
    struct list_query query = { .what = LIST_KEYS, .changed_since = TICKS_NONE };

    assert_int_equal(scene.err, OK);
    assert_int_equal(fakeserver_header(scene.f, 0, "authorization").len, 0);
    assert_int_equal(hub_list(scene.hub, &scene.call, &query, NULL, NULL), ERR_DENIED);
    assert_true(str_ends(fakeserver_path(scene.f, 1), STR("&sv=2021-12-02&sig=x%3D")));
    assert_null(strstr(scene.call.text, "sig="));
    end(&scene);
}

static void test_bad_connection_string_asks_nobody(void **state)
{
    const struct fake_rule rules[] = { { 0 } };
    struct scene scene = open_with(rules, "MyHub", "AccountKey=!");

    assert_int_equal(scene.err, ERR_INVALID);
    assert_int_equal(fakeserver_count(scene.f), 0);
    end(&scene);
}

static void test_capabilities(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", "/t/Tables", 200, NULL, TABLES(T("MyHubHistory") "," T("MyHubInstances")) },
        { 0 },
    };
    struct scene scene = open_with(rules, "MyHub", KEY);

    assert_true(hub_can(scene.hub, CAP_REWIND) && hub_can(scene.hub, CAP_RESTART));
    assert_true(hub_can(scene.hub, CAP_ENTITIES) && hub_can(scene.hub, CAP_CHANGES));
    storage_of(scene.hub)->partitions = 4;
    hub_forget(scene.hub);
    assert_int_equal(storage_of(scene.hub)->partitions, 0);
    end(&scene);
}

/* "name@account:removable " of each. */
static enum err note_hub(void *ctx, const struct registry_hub *hub)
{
    buf_printf(ctx, STR_FMT "@%s:%d ", STR_ARG(hub->name), hub->account,
               (hub->caps & CAP_REMOVE) != 0);
    return OK;
}

static enum err discover(const struct fake_rule *rules, struct buf *ret)
{
    const struct hub_settings settings = { .timeout_ms = 30000, .connections = 2 };
    struct fakeserver *f = fakeserver_new(rules);
    struct config config = { .all_hubs = true };
    struct call call;

    point_at(&config, fakeserver_port(f), KEY);
    fake_call_init(&call);
    enum err err = storage_discover(&config, &settings, &call, note_hub, ret);
    config_fini(&config);
    fakeserver_free(f);
    return err;
}

static void test_T41_every_hub_of_an_account(void **state)
{
    const struct fake_rule rules[] = {
        { "GET", "/t/Tables", 200, "x-ms-continuation-NextTableName: b\r\n",
          TABLES(T("ShopHistory") "," T("ShopInstances") "," T("BoxInstances") "," T(
              "CupHistory") "," T("abInstances") "," T("abHistory")) },
        { "GET", "/t/Tables?NextTableName=b", 200, NULL,
          TABLES(T("Xinstances") "," T("XHistory") "," T("shoptwoHISTORY") "," T("BoxHistory")) },
        { 0 },
    };
    struct buf found = BUF_INIT(1024);

    assert_int_equal(discover(rules, &found), OK);
    assert_string_equal(buf_c(&found), "Shop@acct:1 Box@acct:1 "); /* ab: of less than three */
    buf_fini(&found);
}

static void test_an_account_without_hubs(void **state)
{
    const struct fake_rule none[] = { { "GET", "/t/Tables", 200, NULL, TABLES("") }, { 0 } };
    const struct fake_rule no[] = {
        { "GET", "/t/Tables", 403, "x-ms-error-code: AuthenticationFailed\r\n" }, { 0 }
    };
    struct buf found = BUF_INIT(1024);

    assert_int_equal(discover(none, &found), OK);
    assert_int_equal(discover(no, &found), ERR_KEY_REJECTED);
    assert_int_equal(found.len, 0);
    buf_fini(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_tables_spelling_is_taken),
        cmocka_unit_test(test_table_list_has_pages),
        cmocka_unit_test(test_missing_hub_lists_near_names),
        cmocka_unit_test(test_F33_key_rejected),
        cmocka_unit_test(test_signature_goes_into_the_query),
        cmocka_unit_test(test_bad_connection_string_asks_nobody),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_T41_every_hub_of_an_account),
        cmocka_unit_test(test_an_account_without_hubs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
