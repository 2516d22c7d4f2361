#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "backend/base/limits.h"
#include "backend/storage/xml.h"

/* path=text; of every element, in the order of their ends. */
static enum err note(void *ctx, struct str path, struct str text)
{
    struct buf *seen = ctx;

    buf_add(seen, path);
    buf_add_ch(seen, '=');
    buf_add(seen, text);
    buf_add_ch(seen, ';');
    return OK;
}

static enum err read_into(struct buf *seen, struct str document, struct call *call)
{
    call_init(call, 1000);
    buf_clear(seen);
    return xml_read(call, document, note, seen);
}

static void test_reads_a_peek(void **state)
{
    CLEANUP_BUF struct buf seen = BUF_INIT(1000);
    struct call call;

    assert_int_equal(
        read_into(&seen,
                  STR("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><QueueMessagesList>\n"
                      "<QueueMessage><MessageId>1</MessageId><MessageText>{&quot;a&quot;:&lt;&amp;"
                      "</MessageText></QueueMessage>\n<QueueMessage><MessageText/></QueueMessage>"
                      "</QueueMessagesList>"),
                  &call),
        OK);
    assert_string_equal(buf_c(&seen), "QueueMessagesList/QueueMessage/MessageId=1;"
                                      "QueueMessagesList/QueueMessage/MessageText={\"a\":<&;"
                                      "QueueMessagesList/QueueMessage=;"
                                      "QueueMessagesList/QueueMessage/MessageText=;"
                                      "QueueMessagesList/QueueMessage=;QueueMessagesList=;");
}

static void test_decodes_names_that_xml_cannot_hold(void **state)
{
    CLEANUP_BUF struct buf seen = BUF_INIT(1000);
    struct call call;

    assert_int_equal(read_into(&seen,
                               STR("<a><Name Encoded=\"true\">x%2Fy%EF%BF%BE%2</Name>"
                                   "<Name>x%2Fy</Name></a>"),
                               &call),
                     OK);
    assert_string_equal(buf_c(&seen), "a/Name=x/y\xef\xbf\xbe%2;a/Name=x%2Fy;a=;");
}

static void assert_refused(struct str document)
{
    CLEANUP_BUF struct buf seen = BUF_INIT(1 << 20);
    struct call call;

    assert_int_equal(read_into(&seen, document, &call), ERR_BROKEN);
    assert_true(strlen(call.text) > 0);
}

static void test_B39_doctype_and_entities_are_refused(void **state)
{
    assert_refused(STR("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"));
    assert_refused(STR("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"));
    assert_refused(STR("<!DOCTYPE a><a/>"));
    assert_refused(STR("<a>&x;</a>"));
}

static void test_B39_depth_is_limited(void **state)
{
    CLEANUP_BUF struct buf deep = BUF_INIT(1 << 20);
    CLEANUP_BUF struct buf seen = BUF_INIT(1 << 20);
    struct call call;

    for (int levels = JSON_DEPTH_MAX; levels <= JSON_DEPTH_MAX + 1; levels++) {
        buf_clear(&deep);
        for (int i = 0; i < levels; i++)
            buf_add_c(&deep, "<a>");
        for (int i = 0; i < levels; i++)
            buf_add_c(&deep, "</a>");
        assert_int_equal(read_into(&seen, buf_str(&deep), &call),
                         levels > JSON_DEPTH_MAX ? ERR_BROKEN : OK);
    }
}

static void test_B39_what_is_not_xml_or_not_utf8_is_refused(void **state)
{
    assert_refused(STR(""));
    assert_refused(STR("<html><body>sign in<br></body></html>"));
    assert_refused(STR("<a><b></a>"));
    assert_refused(STR("<a>\xff</a>"));
    assert_refused(STR("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>\xe4</a>"));
    assert_refused(STR("<a/>rest"));
}

static enum err stop_at_b(void *ctx, struct str path, struct str text)
{
    (void)text;
    ++*(int *)ctx;
    return str_eq(path, STR("a/b")) ? ERR_NO_MEMORY : OK;
}

static void test_what_the_callback_says_ends_it(void **state)
{
    struct call call;
    int calls = 0;

    call_init(&call, 1000);
    assert_int_equal(xml_read(&call, STR("<a><b/><c/></a>"), stop_at_b, &calls), ERR_NO_MEMORY);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_peek),
        cmocka_unit_test(test_decodes_names_that_xml_cannot_hold),
        cmocka_unit_test(test_B39_doctype_and_entities_are_refused),
        cmocka_unit_test(test_B39_depth_is_limited),
        cmocka_unit_test(test_B39_what_is_not_xml_or_not_utf8_is_refused),
        cmocka_unit_test(test_what_the_callback_says_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
