#include "fs/svg.h"
#include "tests/fs/check.h"

static struct buf out = BUF_INIT(4096);

static int teardown(void **state)
{
    buf_fini(&out);
    out = (struct buf)BUF_INIT(4096);
    return 0;
}

static void test_numbers_have_at_most_one_decimal(void **state)
{
    svg_number(&out, 0);
    buf_add_ch(&out, ' ');
    svg_number(&out, 12.34);
    buf_add_ch(&out, ' ');
    svg_number(&out, 12.96);
    svg_attribute(&out, "width", 7.5);
    assert_string_equal(buf_c(&out), "0 12.3 13 width=\"7.5\"");
}

static void test_text_is_escaped(void **state)
{
    svg_text(&out, "took", "end", 1, 2, STR("a<b & \"c\""));
    assert_string_equal(buf_c(&out), "<text class=\"took\" text-anchor=\"end\" x=\"1\" y=\"2\">"
                                     "a&lt;b &amp; &quot;c&quot;</text>\n");
}

static void test_what_no_document_may_have_is_replaced(void **state)
{
    svg_escaped(&out, STR("a\xef\xbf\xbe\xef\xbf\xbf"
                          "b\xef\xbf\xbd\xef\xbf"));
    assert_string_equal(buf_c(&out), "a\xef\xbf\xbd\xef\xbf\xbd"
                                     "b\xef\xbf\xbd\xef\xbf");
}

static void test_no_text_is_no_element(void **state)
{
    svg_text(&out, "took", NULL, 1, 2, STR_NONE);
    assert_int_equal(out.len, 0);
}

static void test_shapes(void **state)
{
    svg_rect(&out, "run", 1, 2, 3.5, 4);
    svg_line(&out, "grid", 5, 6, 7);
    svg_mark(&out, "bad", 8, 9, "M0 0");
    assert_string_equal(buf_c(&out),
                        "<rect class=\"run\" x=\"1\" y=\"2\" width=\"3.5\" height=\"4\"/>\n"
                        "<path class=\"grid\" d=\"M5 6V7\"/>\n"
                        "<path class=\"bad\" transform=\"translate(8 9)\" d=\"M0 0\"/>\n");
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_numbers_have_at_most_one_decimal),
        TEST(test_text_is_escaped),
        TEST(test_what_no_document_may_have_is_replaced),
        TEST(test_no_text_is_no_element),
        TEST(test_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
