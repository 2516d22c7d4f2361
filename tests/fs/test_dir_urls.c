#include "tests/fs/check.h"
#include "tests/fs/mounted.h"

#define BASE "http://localhost:7071/runtime/webhooks/durabletask"

static void add_key(void *ctx, struct buf *out)
{
    buf_printf(out, "&code=%s", (const char *)ctx);
}

static struct mounted *mount_with(const char *base, const char *key)
{
    struct mounted *m = mounted_new();

    m->settings.http = (struct tree_http){ .base = base, .connection = "Storage" };
    if (key)
        m->settings.http.add_key = add_key;
    m->settings.http.ctx = (void *)(uintptr_t)key;
    mounted_again(m);
    fakehub_add(m->hub, "7b59154ae666471993659902ed0ba742", "Flow", STATUS_RUNNING);
    fakehub_add(m->hub, "a b/\xc3\xbc?", "Flow", STATUS_COMPLETED);
    snprintf(m->hub->hub.name, sizeof(m->hub->hub.name), "SampleHubVS");
    return m;
}

/* The worked example of management API 5, and rewind, which the table has as well. */
static void test_the_worked_example(void **state)
{
    static const char query[] = "taskHub=SampleHubVS&connection=Storage&code=mykey";
    static const char id[] = "7b59154ae666471993659902ed0ba742";
    char want[4096];

    struct mounted *m = mount_with(BASE, "mykey");
    snprintf(want, sizeof(want),
             "{\"id\":\"%s\","
             "\"statusQueryGetUri\":\"" BASE "/instances/%s?%s\","
             "\"sendEventPostUri\":\"" BASE "/instances/%s/raiseEvent/{eventName}?%s\","
             "\"terminatePostUri\":\"" BASE "/instances/%s/terminate?reason={text}&%s\","
             "\"rewindPostUri\":\"" BASE "/instances/%s/rewind?reason={text}&%s\","
             "\"purgeHistoryDeleteUri\":\"" BASE "/instances/%s?%s\","
             "\"restartPostUri\":\"" BASE "/instances/%s/restart?%s\","
             "\"suspendPostUri\":\"" BASE "/instances/%s/suspend?reason={text}&%s\","
             "\"resumePostUri\":\"" BASE "/instances/%s/resume?reason={text}&%s\"}\n",
             id, id, query, id, query, id, query, id, query, id, query, id, query, id, query, id,
             query);
    assert_string_equal(mounted_cat(m, "instances/7b59154ae666471993659902ed0ba742/urls"), want);
    mounted_free(m);
}

static void test_ids_are_encoded(void **state)
{
    struct mounted *m = mount_with(BASE, NULL);
    const char *text = mounted_cat(m, "instances/a b%2F\xc3\xbc?/urls");

    assert_non_null(strstr(text, "{\"id\":\"a b/\xc3\xbc?\","));
    assert_non_null(strstr(text, "/instances/a%20b%2F%C3%BC%3F?taskHub=SampleHubVS&"));
    assert_non_null(strstr(text, "connection=Storage\""));
    assert_null(strstr(text, "code="));
    mounted_free(m);
}

static void test_not_listed_and_not_there_without_an_address(void **state)
{
    struct mounted *m = mount_with(NULL, NULL);
    struct attr a;

    assert_int_equal(mounted_path(m, "instances/7b59154ae666471993659902ed0ba742/urls", &a),
                     ERR_NOT_FOUND);
    assert_int_equal(mounted_path(m, "instances/7b59154ae666471993659902ed0ba742/status", &a), OK);
    mounted_free(m);
    m = mount_with(BASE, NULL);
    assert_null(strstr(mounted_ls(m, "instances/7b59154ae666471993659902ed0ba742"), "urls"));
    mounted_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_worked_example),
        cmocka_unit_test(test_ids_are_encoded),
        cmocka_unit_test(test_not_listed_and_not_there_without_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
