#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "backend/base/clock.h"
#include "backend/base/limits.h"
#include "backend/storage/refusal.h"

static struct refusal read_body(int status, const char *body)
{
    struct refusal r;

    refusal_read_body(&r, status, str_c(body));
    return r;
}

static enum err outcome(int status, const char *code, const char *message, enum http_class class,
                        bool with_sas)
{
    struct refusal r = { .status = status };

    snprintf(r.code, sizeof(r.code), "%s", code);
    snprintf(r.message, sizeof(r.message), "%s", message);
    return refusal_outcome(&r, class, with_sas);
}

static void test_B38_json(void **state)
{
    struct refusal r =
        read_body(404, "{\"odata.error\":{\"code\":\"ResourceNotFound\",\"message\":{"
                       "\"lang\":\"en-US\",\"value\":\"Not there.\\nRequestId:1\\n"
                       "Time:2\"}}}");

    assert_string_equal(r.code, "ResourceNotFound");
    assert_string_equal(r.message, "Not there.");
    r = read_body(400, "{\"error\":{\"code\":7,\"message\":\"plain\"}}");
    assert_string_equal(r.code, "");
    assert_string_equal(r.message, "plain");
}

static void test_B38_xml(void **state)
{
    struct refusal r = read_body(
        403, "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>"
             "AuthenticationFailed</Code><Message>Server failed &amp; said so.\nRequestId:1"
             "</Message><AuthenticationErrorDetail>sig=secret</AuthenticationErrorDetail>"
             "</Error>");

    assert_string_equal(r.code, "AuthenticationFailed");
    assert_string_equal(r.message, "Server failed & said so.");
}

static void test_B38_html_nothing_and_junk(void **state)
{
    static const char *const bodies[] = { "",
                                          "<html><Error><Code>X</Code></Error></html>",
                                          "{",
                                          "[1]",
                                          "{\"odata.error\":7}",
                                          "<Error><Code>X",
                                          "plain text",
                                          "\x1b]0;title\x07" };

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct refusal r = read_body(500, bodies[i]);

        assert_int_equal(r.status, 500);
        assert_string_equal(r.code, "");
        assert_string_equal(r.message, "");
    }
}

static void test_B38_long_and_terminal_texts(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(2 * MIB);
    struct refusal r;

    buf_add_c(&b, "{\"odata.error\":{\"code\":\"X\",\"message\":{\"value\":\"a\\u001b[31m");
    for (int i = 0; i < 500; i++)
        buf_add_c(&b, "\xc3\xa4");
    buf_add_c(&b, "\"}}}");
    refusal_read_body(&r, 400, buf_str(&b));
    assert_true(strlen(r.message) <= REFUSAL_TEXT_MAX);
    assert_true(str_is_utf8(str_c(r.message)));
    assert_true(str_starts(str_c(r.message), STR("a?[31m")));

    buf_clear(&b);
    for (unsigned i = 0; i < MIB; i++)
        buf_add_ch(&b, '{');
    refusal_read_body(&r, 400, buf_str(&b));
    assert_string_equal(r.code, "");
}

static void test_B39_doctype_is_refused(void **state)
{
    struct refusal r = read_body(400, "<?xml version=\"1.0\"?><!DOCTYPE Error [<!ENTITY a "
                                      "\"x\">]><Error><Code>&a;</Code></Error>");

    assert_string_equal(r.code, "");
}

static void test_header_wins_and_body_may_be_empty(void **state)
{
    struct http_response a = RESPONSE_INIT;
    struct refusal r;

    a.status = 404;
    buf_init(&a.headers, KIB);
    buf_add_c(&a.headers, "x-ms-error-code: TableNotFound\n");
    refusal_read(&r, &a);
    assert_string_equal(r.code, "TableNotFound");
    response_fini(&a);
}

static void test_statuses_become_outcomes(void **state)
{
    assert_int_equal(outcome(404, "ResourceNotFound", "", CLASS_READ, false), ERR_NOT_FOUND);
    assert_int_equal(outcome(409, "EntityAlreadyExists", "", CLASS_IDEMPOTENT, false), ERR_EXISTS);
    assert_int_equal(outcome(409, "TableBeingDeleted", "", CLASS_READ, false), ERR_NOT_FOUND);
    assert_int_equal(outcome(409, "LeaseAlreadyPresent", "", CLASS_IDEMPOTENT, false), ERR_BUSY);
    assert_int_equal(outcome(412, "", "", CLASS_IDEMPOTENT, false), ERR_BUSY);
    assert_int_equal(outcome(413, "", "", CLASS_ONCE, false), ERR_TOO_BIG);
    assert_int_equal(outcome(400, "InvalidInput", "", CLASS_READ, false), ERR_BROKEN);
    assert_int_equal(outcome(302, "", "", CLASS_READ, false), ERR_BROKEN);
    assert_int_equal(outcome(501, "", "", CLASS_READ, false), ERR_BROKEN);
}

static void test_F29_F31_busy_and_timeouts(void **state)
{
    assert_int_equal(outcome(429, "", "", CLASS_READ, false), ERR_THROTTLED);
    assert_int_equal(outcome(503, "ServerBusy", "", CLASS_ONCE, false), ERR_THROTTLED);
    assert_int_equal(outcome(500, "OperationTimedOut", "", CLASS_READ, false), ERR_TIMEOUT);
    assert_int_equal(outcome(500, "OperationTimedOut", "", CLASS_ONCE, false), ERR_UNKNOWN_OUTCOME);
    assert_int_equal(outcome(500, "InternalError", "", CLASS_ONCE, false), ERR_BROKEN);
    assert_int_equal(outcome(504, "", "", CLASS_READ, false), ERR_TIMEOUT);
    assert_int_equal(outcome(502, "", "", CLASS_IDEMPOTENT, false), ERR_UNKNOWN_OUTCOME);
}

static void test_F32_F33_who_is_refused(void **state)
{
    assert_int_equal(outcome(403, "AuthenticationFailed", "", CLASS_READ, false), ERR_KEY_REJECTED);
    assert_int_equal(outcome(401, "", "", CLASS_READ, false), ERR_KEY_REJECTED);
    assert_int_equal(outcome(403, "AuthorizationPermissionMismatch", "", CLASS_READ, false),
                     ERR_DENIED);
    assert_int_equal(outcome(403, "AuthorizationFailure", "", CLASS_READ, true), ERR_DENIED);
    assert_int_equal(outcome(403, "AuthorizationFailure",
                             "This request is not authorized to perform this operation.",
                             CLASS_READ, false),
                     ERR_DENIED);
    assert_int_equal(outcome(403, "AuthorizationFailure",
                             "Server failed to authenticate the request.", CLASS_READ, false),
                     ERR_KEY_REJECTED);
    assert_int_equal(outcome(403, "AuthenticationFailed",
                             "Signature not valid in the specified time frame", CLASS_READ, true),
                     ERR_KEY_EXPIRED);
}

static void test_F34_clock_error(void **state)
{
    struct http_response a = RESPONSE_INIT;
    int64_t ahead_s = 0;

    assert_false(refusal_clock_error(&a, &ahead_s));
    buf_init(&a.headers, KIB);
    buf_add_c(&a.headers, "date: ");
    ticks_print_http(&a.headers, clock_wall() - 3600 * TICKS_PER_SEC);
    buf_add_ch(&a.headers, '\n');
    assert_true(refusal_clock_error(&a, &ahead_s));
    assert_true(ahead_s >= 3600 && ahead_s < 3700);
    response_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_B38_json),
        cmocka_unit_test(test_B38_xml),
        cmocka_unit_test(test_B38_html_nothing_and_junk),
        cmocka_unit_test(test_B38_long_and_terminal_texts),
        cmocka_unit_test(test_B39_doctype_is_refused),
        cmocka_unit_test(test_header_wins_and_body_may_be_empty),
        cmocka_unit_test(test_statuses_become_outcomes),
        cmocka_unit_test(test_F29_F31_busy_and_timeouts),
        cmocka_unit_test(test_F32_F33_who_is_refused),
        cmocka_unit_test(test_F34_clock_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
