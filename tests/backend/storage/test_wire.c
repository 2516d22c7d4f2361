/* wire: what answers look like around their content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "backend/storage/wire.h"
#include "tests/backend/storage/fakeserver.h"

#define ROW "/t/MyHubInstances(PartitionKey="
#define ROW_BODY                                                                                   \
    "{\"PartitionKey\":\"order-17\",\"RowKey\":\"\",\"Name\":\"OrderFlow\",\"RuntimeStatus\":"     \
    "\"Completed\",\"CreatedTime\":\"2024-05-01T10:00:00Z\",\"LastUpdatedTime\":"                  \
    "\"2024-05-01T10:00:01Z\",\"ExecutionId\":\"x1\"}"
#define HTML "<!DOCTYPE html><html><body>Please log in</body></html>"

static enum err get_row(const char *headers, const char *body, char *ret_text)
{
    const struct fake_rule rules[] = { { "GET", ROW, 200, headers, body, .times = -1 }, { 0 } };
    struct fakeserver *f = fakeserver_new(rules);
    struct storage *s = fake_hub_new(f, (struct fake_hub){ 0 });
    CLEANUP(instance_unref) struct instance *in = NULL;
    struct call call;

    fake_call_init(&call);
    enum err err = hub_get(&s->hub, &call, STR("order-17"), STR(""), NEED_ROW, &in);
    if (err == OK)
        assert_int_equal(in->row.status, STATUS_COMPLETED);
    memcpy(ret_text, call.text, sizeof(call.text));
    hub_close(&s->hub);
    fakeserver_free(f);
    return err;
}

/* The content decides. */
static void test_B37_content_types(void **state)
{
    static const char *const types[] = { NULL, "Content-Type: text/html\r\n",
                                         "Content-Type: application/json;charset=iso-8859-1\r\n",
                                         "Content-Type: \r\n", "Content-Type: ;;;=\"\r\n" };
    char text[CALL_TEXT_MAX];

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        assert_int_equal(get_row(types[i], ROW_BODY, text), OK);
    assert_int_equal(get_row("Content-Type: application/json\r\n", HTML, text), ERR_BROKEN);
    assert_true(strlen(text) > 10);
}

static void test_B49_odd_headers_do_no_harm(void **state)
{
    static const char *const headers[] = {
        NULL,
        "etag:\r\n",
        "etag: \"\"\"\r\n",
        "Date: yesterday\r\n",
        "Date: \r\netag: 7\r\n",
        "Date: Thu, 99 Foo 99999 99:99:99 GMT\r\nLast-Modified: x\r\n"
    };
    char text[CALL_TEXT_MAX];

    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        assert_int_equal(get_row(headers[i], ROW_BODY, text), OK);
}

static enum err fetch(size_t size)
{
    char *body = malloc(size);

    assert_non_null(body);
    memset(body, ' ', size);
    const struct fake_rule rules[] = {
        { "GET", "/t/X", 200, .body = body, .body_len = size, .times = -1 }, { 0 }
    };
    struct fakeserver *f = fakeserver_new(rules);
    struct storage *s = fake_hub_new(f, (struct fake_hub){ 0 });
    CLEANUP_RESPONSE struct http_response answer = RESPONSE_INIT;
    CLEANUP_BUF struct buf url = BUF_INIT(KIB);
    struct call call;

    wire_url(&url, s, SERVICE_TABLES);
    buf_add_c(&url, "/X");
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ, .url = buf_str(&url) };
    fake_call_init(&call);
    enum err err = wire_send(s, &call, SERVICE_TABLES, &r, &answer);
    if (err == OK)
        assert_int_equal(answer.body.len, size);
    hub_close(&s->hub);
    fakeserver_free(f);
    free(body);
    return err;
}

/* B35: whatever in it is so large. */
static void test_L05_B35_one_page(void **state)
{
    assert_int_equal(fetch(PAGE_MAX_BYTES), OK);
    assert_int_equal(fetch(PAGE_MAX_BYTES + 1), ERR_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_B37_content_types),
        cmocka_unit_test(test_B49_odd_headers_do_no_harm),
        cmocka_unit_test(test_L05_B35_one_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
