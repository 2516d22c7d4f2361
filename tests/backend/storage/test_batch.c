#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "backend/base/limits.h"
#include "backend/storage/tables.h"
#include "tests/backend/storage/fakeserver.h"

#define BATCH      "/t/$batch"
#define OUTER      "Content-Type: multipart/mixed; boundary=batchresponse_1\r\n"
#define PART       "--changesetresponse_1\r\nContent-Type: application/http\r\n\r\n"
#define DONE       PART "HTTP/1.1 204 No Content\r\nDataServiceVersion: 1.0;\r\n\r\n\r\n"
#define CLOSE      "--changesetresponse_1--\r\n--batchresponse_1--\r\n"
#define REFUSED(s) PART "HTTP/1.1 " s "\r\nContent-ID: 2\r\nContent-Type: application/json\r\n\r\n"
#define CODE(c, m) "{\"odata.error\":{\"code\":\"" c "\",\"message\":{\"value\":\"" m "\"}}}\r\n"

struct scene {
    struct fakeserver *f;
    struct call call;
    enum err err;
};

static struct scene delete_rows(const char *answer, const struct table_key *rows, size_t n)
{
    const struct fake_rule rules[] = { { "POST", BATCH, 202, OUTER, answer }, { 0 } };
    struct scene scene = { .f = fakeserver_new(rules) };
    struct storage *s = fake_hub_new(scene.f, (struct fake_hub){ 0 });

    fake_call_init(&scene.call);
    scene.err = tables_delete_batch(s, &scene.call, STR("MyHubHistory"), STR("it's"), rows, n);
    hub_close(&s->hub);
    return scene;
}

static const struct table_key two[] = { { { "0000000000000000", 16 }, { NULL, 0 } },
                                        { { "sentinel", 8 }, { "W/\"e\"", 5 } } };

static void test_what_is_sent(void **state)
{
    struct scene scene = delete_rows(DONE DONE CLOSE, two, 2);
    struct str body = fakeserver_body(scene.f, 0);
    struct str type = fakeserver_header(scene.f, 0, "content-type");

    assert_int_equal(scene.err, OK);
    assert_true(str_starts(type, STR("multipart/mixed; boundary=batch_")));
    assert_true(str_starts(body, STR("--batch_")));
    assert_true(str_eq(str_slice(body, 2, 2 + 38), str_slice(type, type.len - 38, type.len)));
    assert_true(str_has(body, STR("Content-Type: multipart/mixed; boundary=changeset_")));
    /* Inner addresses are absolute, keys quoted and encoded, ETags always there. */
    assert_true(str_has(body, STR("\r\n\r\nDELETE http://127.0.0.1:")));
    assert_true(str_has(body, STR("/t/MyHubHistory(PartitionKey='it''s',RowKey='0000000000000000') "
                                  "HTTP/1.1\r\nAccept: application/json;odata=nometadata\r\n"
                                  "If-Match: *\r\n\r\n")));
    assert_true(str_has(body, STR("RowKey='sentinel') HTTP/1.1\r\n")));
    assert_true(str_has(body, STR("If-Match: W/\"e\"\r\n\r\n")));
    assert_true(str_ends(body, STR("--\r\n")));
    fakeserver_free(scene.f);
}

static void assert_outcome(const char *answer, enum err want, int status, const char *code)
{
    struct scene scene = delete_rows(answer, two, 2);

    assert_int_equal(scene.err, want);
    if (status)
        assert_int_equal(scene.call.http_status, status);
    assert_non_null(strstr(scene.call.text, code));
    fakeserver_free(scene.f);
}

static void test_F42_inner_answers_decide(void **state)
{
    assert_outcome(REFUSED("404 Not Found") CODE("ResourceNotFound", "1:Not there.") CLOSE,
                   ERR_NOT_FOUND, 404, "1:Not there.");
    assert_outcome(REFUSED("412 Precondition Failed")
                       CODE("UpdateConditionNotSatisfied", "0:Changed.") CLOSE,
                   ERR_BUSY, 412, "UpdateConditionNotSatisfied");
    assert_outcome(DONE REFUSED("500 Internal Server Error") CLOSE, ERR_BROKEN, 500, "500");
    /* The emulator's stray line. */
    assert_outcome("stray\r\n" PART
                   "x\r\nHTTP/1.1 400 Bad Request\r\n\r\n" CODE("InvalidInput", "no") CLOSE,
                   ERR_BROKEN, 400, "InvalidInput");
}

static void test_F42_too_few_answers_are_no_success(void **state)
{
    assert_outcome(DONE CLOSE, ERR_BROKEN, 0, "1 answers for 2 rows");
    assert_outcome("", ERR_BROKEN, 0, "0 answers for 2 rows");
    assert_outcome(DONE DONE DONE CLOSE, ERR_BROKEN, 0, "3 answers for 2 rows");
}

static void test_a_hundred_rows_at_most(void **state)
{
    static struct table_key rows[BATCH_ROWS + 1];
    const struct fake_rule rules[] = { { 0 } };
    struct fakeserver *f = fakeserver_new(rules);
    struct storage *s = fake_hub_new(f, (struct fake_hub){ 0 });
    struct call call;

    fake_call_init(&call);
    assert_int_equal(tables_delete_batch(s, &call, STR("T"), STR("p"), rows, ARRAY_LEN(rows)),
                     ERR_BUG);
    assert_int_equal(tables_delete_batch(s, &call, STR("T"), STR("p"), rows, 0), ERR_BUG);
    assert_int_equal(fakeserver_count(f), 0);
    hub_close(&s->hub);
    fakeserver_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_sent),
        cmocka_unit_test(test_F42_inner_answers_decide),
        cmocka_unit_test(test_F42_too_few_answers_are_no_success),
        cmocka_unit_test(test_a_hundred_rows_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
