/* config and settings: names of hubs, connections and partitions as the Functions host finds them
 * (vectors V43-V55 of storage messages 10.6; B52, B54). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/config.h"

static char dir[64];

static const char *const used[] = { "WEBSITE_SITE_NAME",
                                    "HUB",
                                    "X",
                                    "AzureWebJobsX",
                                    "AzureWebJobsStorage",
                                    "AzureWebJobsStorage__accountName",
                                    "Storage__credential",
                                    "CUSTOMCONNSTR_Own",
                                    "AzureFunctionsJobHost__extensions__durableTask__hubName" };

static int clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(used); i++)
        unsetenv(used[i]);
    snprintf(dir, sizeof(dir), "/tmp/test_config.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int removes(void **state)
{
    (void)state;
    char path[128];
    const char *const files[] = { "host.json", "local.settings.json" };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static enum err resolve(struct config_request r, struct config *ret, struct call *call)
{
    call_init(call, 1000);
    r.project = r.project ? r.project : dir;
    return config_resolve(&r, call, ret);
}

static void expect_hub(const char *host, const char *hub)
{
    struct config c;
    struct call call;
    put("host.json", host);
    setenv("AzureWebJobsStorage", "c0", 1);
    assert_int_equal(resolve((struct config_request){ 0 }, &c, &call), OK);
    assert_string_equal(c.hub, hub);
    config_fini(&c);
}

static void expect_refused(struct config_request r, const char *part)
{
    struct config c;
    struct call call;
    assert_int_equal(resolve(r, &c, &call), ERR_INVALID);
    if (!strstr(call.text, part))
        fail_msg("'%s' does not say '%s'", call.text, part);
}

#define HOST(inner) "{\"version\":\"2.0\",\"extensions\":{\"durableTask\":{" inner "}}}"

static void test_V43_defaults(void **state)
{
    (void)state;
    expect_hub("{\"version\":\"2.0\"}", "TestHubName");
}

static void test_V44_site_name(void **state)
{
    (void)state;
    setenv("WEBSITE_SITE_NAME", "my-func-app", 1);
    expect_hub("{\"version\":\"2.0\"}", "myfuncapp");
}

static void test_V45_V47_tokens(void **state)
{
    (void)state;
    setenv("HUB", "Prod1", 1);
    setenv("X", "7", 1);
    expect_hub(HOST("\"hubName\":\"%HUB%\""), "Prod1");
    expect_hub(HOST("\"hubName\":\"A%X%B\""), "A7B");
}

static void test_V46_unknown_token(void **state)
{
    (void)state;
    setenv("AzureWebJobsStorage", "c0", 1);
    put("host.json", HOST("\"hubName\":\"%HUB%\""));
    expect_refused((struct config_request){ 0 }, "%HUB%");
}

static void test_V48_bad_names(void **state)
{
    (void)state;
    setenv("AzureWebJobsStorage", "c0", 1);
    put("host.json", "{\"version\":\"2.0\"}");
    const char *const bad[] = { "my-hub", "1hub", "ab" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_refused((struct config_request){ .hub = bad[i] }, "alphanumeric");
}

static void test_V49_override(void **state)
{
    (void)state;
    setenv("AzureFunctionsJobHost__extensions__durableTask__hubName", "Over", 1);
    expect_hub(HOST("\"hubName\":\"Base\""), "Over");
}

static void test_V50_other_provider(void **state)
{
    (void)state;
    put("host.json", HOST("\"storageProvider\":{\"type\":\"mssql\"}"));
    expect_refused((struct config_request){ 0 }, "HTTP");
}

static void test_V51_prefixed_setting_first(void **state)
{
    (void)state;
    struct config c;
    struct call call;
    setenv("AzureWebJobsX", "c1", 1);
    setenv("X", "c2", 1);
    put("host.json", HOST("\"storageProvider\":{\"connectionName\":\"X\"}"));
    assert_int_equal(resolve((struct config_request){ 0 }, &c, &call), OK);
    assert_true(str_eq(secret_reveal(&c.connection_string), STR("c1")));
    config_fini(&c);
}

static void test_V52_V53_identity_is_said_to_be_missing(void **state)
{
    (void)state;
    put("host.json", "{\"version\":\"2.0\"}");
    setenv("AzureWebJobsStorage__accountName", "acct", 1);
    expect_refused((struct config_request){ 0 }, "AzureWebJobsStorage__accountName asks for an "
                                                 "identity");
    unsetenv("AzureWebJobsStorage__accountName");
    setenv("Storage__credential", "managedidentity", 1); /* the section's other name */
    expect_refused((struct config_request){ 0 }, "Storage__credential asks for an identity");
    unsetenv("Storage__credential");
    expect_refused((struct config_request){ 0 }, "--connection-file");
}

static void test_V54_encrypted(void **state)
{
    (void)state;
    put("local.settings.json", "{\"Values\":{}}");
    expect_refused((struct config_request){ 0 }, "encrypted");
}

static void test_local_settings_and_precedence(void **state)
{
    (void)state;
    struct config c;
    struct call call;
    put("local.settings.json",
        "\xef\xbb\xbf{ // comment\n\"IsEncrypted\":false,\"Values\":{\"AzureWebJobsStorage\":"
        "\"from-file\",},\"ConnectionStrings\":{\"Other\":{\"ConnectionString\":\"c3\"}}}");
    assert_int_equal(resolve((struct config_request){ .source = "MyHub" }, &c, &call), OK);
    assert_true(str_eq(secret_reveal(&c.connection_string), STR("from-file")));
    assert_non_null(strstr(c.connection_from, "local.settings.json"));
    config_fini(&c);
    assert_int_equal(
        resolve((struct config_request){ .source = "MyHub", .connection = "Other" }, &c, &call),
        OK);
    assert_true(str_eq(secret_reveal(&c.connection_string), STR("c3")));
    config_fini(&c);
    setenv("AzureWebJobsStorage", "from-environment", 1);
    assert_int_equal(resolve((struct config_request){ .source = "MyHub" }, &c, &call), OK);
    assert_true(str_eq(secret_reveal(&c.connection_string), STR("from-environment")));
    config_fini(&c);
}

static void test_app_service_names(void **state)
{
    (void)state;
    struct config c;
    struct call call;
    put("host.json", "{\"version\":\"2.0\"}");
    setenv("CUSTOMCONNSTR_Own", "c4", 1);
    assert_int_equal(
        resolve((struct config_request){ .source = "MyHub", .connection = "Own" }, &c, &call), OK);
    assert_true(str_eq(secret_reveal(&c.connection_string), STR("c4")));
    config_fini(&c);
}

static void test_sources(void **state)
{
    (void)state;
    struct config c;
    struct call call;
    put("host.json", HOST("\"storageProvider\":{\"partitionCount\":9}"));
    assert_int_equal(resolve((struct config_request){ .source = "azurite/MyHub" }, &c, &call), OK);
    assert_string_equal(c.hub, "MyHub");
    assert_true(str_eq(secret_reveal(&c.connection_string), STR("UseDevelopmentStorage=true")));
    assert_int_equal(c.host_partitions, 9);
    assert_int_equal(c.partitions, 0);
    config_fini(&c);
    setenv("AzureWebJobsStorage", "c0", 1);
    assert_int_equal(
        resolve((struct config_request){ .source = "acct/MyHub", .partitions = 3 }, &c, &call), OK);
    assert_string_equal(c.account, "acct");
    assert_int_equal(c.partitions, 3);
    config_fini(&c);
}

static void expect_all(struct config_request r, const char *account)
{
    struct config c;
    struct call call;

    assert_int_equal(resolve(r, &c, &call), OK);
    assert_true(c.all_hubs);
    assert_string_equal(c.hub, "");
    assert_string_equal(c.account, account);
    assert_int_equal(c.host_partitions, 0); /* the project's number is its own hub's */
    config_fini(&c);
}

static void test_all_hubs(void **state)
{
    (void)state;
    put("host.json", HOST("\"hubName\":\"%NotSet%\",\"storageProvider\":{\"partitionCount\":9}"));
    setenv("AzureWebJobsStorage", "c0", 1);
    expect_all((struct config_request){ .source = "acct/" }, "acct");
    expect_all((struct config_request){ .source = "azurite/" }, "");
    expect_all((struct config_request){ .all_hubs = true }, "");
    expect_refused((struct config_request){ .source = "acct/MyHub", .all_hubs = true }, "MyHub");
    expect_refused((struct config_request){ .source = "acct/", .hub = "MyHub" }, "MyHub");
}

static void test_connection_as_the_app_knows_it(void **state)
{
    struct config c;
    struct call call;

    (void)state;
    put("host.json", "{\"version\":\"2.0\"}");
    setenv("AzureWebJobsStorage", "c0", 1);
    setenv("Other", "c1", 1);
    assert_int_equal(resolve((struct config_request){ .source = "MyHub" }, &c, &call), OK);
    assert_string_equal(c.connection, "Storage");
    config_fini(&c);
    assert_int_equal(
        resolve((struct config_request){ .source = "MyHub", .connection = "Other" }, &c, &call),
        OK);
    assert_string_equal(c.connection, "Other");
    config_fini(&c);
    unsetenv("Other");
}

static void test_tracking_store_is_refused(void **state)
{
    (void)state;
    setenv("AzureWebJobsStorage", "c0", 1);
    put("host.json", HOST("\"storageProvider\":{\"trackingStoreConnectionName\":\"T\"}"));
    expect_refused((struct config_request){ 0 }, "tracking store");
}

static void test_B54_shapes(void **state)
{
    (void)state;
    setenv("AzureWebJobsStorage", "c0", 1);
    put("host.json", "{\"durableTask\":{\"HubName\":\"Old\"}}");
    expect_refused((struct config_request){ 0 }, "version");
    put("host.json", "not json");
    expect_refused((struct config_request){ 0 }, "not a JSON object");
    put("host.json", HOST("\"storageProvider\":{\"partitionCount\":17}"));
    expect_refused((struct config_request){ 0 }, "between 1 and 16");
    expect_refused((struct config_request){ .project = "/nonexistent" }, "neither host.json");
}

static void test_no_connection_names_the_setting(void **state)
{
    (void)state;
    put("host.json", "{\"version\":\"2.0\"}");
    expect_refused((struct config_request){ .source = "MyHub" }, "AzureWebJobsStorage");
}

static void test_V55_sanitised(void **state)
{
    (void)state;
    static const struct {
        const char *site, *hub;
    } rows[] = { { "my-func-app", "myfuncapp" },
                 { "contoso", "contoso" },
                 { "123app", "t123app" },
                 { "a", "aHub" },
                 { "--", "DefaultTaskHub" },
                 { "x-1", "x1Hub" },
                 { "averylongfunctionappnamewithmorethanfortyfivecharacters-99",
                   "averylongfunctionappnamewithmorethanfortyfive" },
                 { "1st-app", "t1stapp" } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char ret[64];
        config_sanitise_hub(rows[i].site, ret, sizeof(ret));
        assert_string_equal(ret, rows[i].hub);
    }
}

static void expect_reread(const struct config *c, const char *want)
{
    struct secret s = SECRET_NONE;
    struct call call;
    call_init(&call, 1000);
    if (config_reread(c, &call, &s) != OK)
        fail_msg("%s", call.text);
    struct str got = secret_reveal(&s);
    if (!str_eq(got, str_c(want)))
        fail_msg("read '" STR_FMT "', not '%s'", STR_ARG(got), want);
    secret_fini(&s);
}

static void expect_no_reread(const struct config *c, const char *part)
{
    struct secret s = SECRET_NONE;
    struct call call;
    call_init(&call, 1000);
    assert_int_equal(config_reread(c, &call, &s), ERR_INVALID);
    assert_false(secret_is_set(&s));
    if (!strstr(call.text, part))
        fail_msg("'%s' does not say '%s'", call.text, part);
    assert_null(strstr(call.text, "k3y"));
}

#define LOCAL(values) "{\"IsEncrypted\":false,\"Values\":{" values "}}"

static void test_F57_local_settings_are_read_again(void **state)
{
    (void)state;
    struct config c;
    struct call call;
    put("local.settings.json", LOCAL("\"AzureWebJobsStorage\":\"c1\""));
    assert_int_equal(resolve((struct config_request){ 0 }, &c, &call), OK);
    assert_int_equal(chdir("/"), 0);        /* as the daemon does */
    setenv("AzureWebJobsStorage", "c0", 1); /* too late */
    put("local.settings.json", LOCAL("\"AzureWebJobsStorage\":\" c2 \""));
    expect_reread(&c, "c2");
    put("local.settings.json", LOCAL("\"Other\":\"k3y\""));
    expect_no_reread(&c, "AzureWebJobsStorage any more");
    put("local.settings.json", LOCAL("\"AzureWebJobsStorage\":\"\""));
    expect_no_reread(&c, "is empty");
    put("local.settings.json", "{\"Values\":{\"AzureWebJobsStorage\":\"k3y\"");
    expect_no_reread(&c, "local.settings.json");
    config_fini(&c);
}

static void test_F57_the_environment_does_not_change(void **state)
{
    (void)state;
    struct config c;
    struct call call;
    put("local.settings.json", LOCAL("\"AzureWebJobsStorage\":\"c1\""));
    setenv("AzureWebJobsStorage", "c0", 1);
    assert_int_equal(resolve((struct config_request){ 0 }, &c, &call), OK);
    unsetenv("AzureWebJobsStorage");
    expect_reread(&c, "");
    config_fini(&c);
}

static void test_a_connection_file_wins(void **state)
{
    (void)state;
    struct secret text = SECRET_NONE;
    struct config c;
    struct call call;
    setenv("AzureWebJobsStorage", "c0", 1);
    put("local.settings.json", LOCAL("\"AzureWebJobsStorage\":\"c1\""));
    assert_int_equal(secret_set(&text, STR("c3")), OK);
    struct config_request r = { .source = "Hub1",
                                .connection_text = &text,
                                .connection_file = "/a/b" };
    assert_int_equal(resolve(r, &c, &call), OK);
    assert_true(str_eq(secret_reveal(&c.connection_string), STR("c3")));
    assert_string_equal(c.connection_from, "file /a/b");
    expect_reread(&c, "");
    config_fini(&c);
    secret_fini(&text);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, clean, removes)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_V43_defaults),
        CASE(test_V44_site_name),
        CASE(test_V45_V47_tokens),
        CASE(test_V46_unknown_token),
        CASE(test_V48_bad_names),
        CASE(test_V49_override),
        CASE(test_V50_other_provider),
        CASE(test_V51_prefixed_setting_first),
        CASE(test_V52_V53_identity_is_said_to_be_missing),
        CASE(test_V54_encrypted),
        CASE(test_local_settings_and_precedence),
        CASE(test_app_service_names),
        CASE(test_sources),
        CASE(test_all_hubs),
        CASE(test_connection_as_the_app_knows_it),
        CASE(test_tracking_store_is_refused),
        CASE(test_B54_shapes),
        CASE(test_no_connection_names_the_setting),
        CASE(test_F57_local_settings_are_read_again),
        CASE(test_F57_the_environment_does_not_change),
        CASE(test_a_connection_file_wins),
        CASE(test_V55_sanitised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
