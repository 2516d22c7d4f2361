#include "backend/net/request.h"
#include "tests/backend/unit.h"

static void test_methods_as_they_are_sent(void **state)
{
    assert_string_equal(http_method_name(HTTP_GET), "GET");
    assert_string_equal(http_method_name(HTTP_MERGE), "MERGE");
    assert_string_equal(http_method_name(HTTP_DELETE), "DELETE");
}

static void test_a_header_is_found_by_its_whole_name(void **state)
{
    CLEANUP_RESPONSE struct http_response r = RESPONSE_INIT;
    struct str value = STR_NONE;

    r.headers.max = 1000;
    buf_add_c(&r.headers, "etag-old: x\netag:  W/\"1\" \nempty:\ndate: a: b\n");
    assert_true(response_header(&r, "etag", &value));
    assert_str(value, "W/\"1\"");
    assert_true(response_header(&r, "empty", &value));
    assert_int_equal(value.len, 0);
    assert_true(response_header(&r, "date", &value));
    assert_str(value, "a: b");
    assert_false(response_header(&r, "eta", &value));
    assert_false(response_header(&r, "b", &value));
}

static void test_what_is_fit_for_a_line(void **state)
{
    assert_true(http_is_clean(STR("")));
    assert_true(http_is_clean(STR("a b\x80\xff")));
    assert_false(http_is_clean(STR("a\nb")));
    assert_false(http_is_clean(STR("a\0b")));
    assert_false(http_is_clean(STR("a\x7f")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods_as_they_are_sent),
        cmocka_unit_test(test_a_header_is_found_by_its_whole_name),
        cmocka_unit_test(test_what_is_fit_for_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
