#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/base/attr.h"
#include "backend/net/target.h"

static void test_places_and_paths_are_told_without_query(void **state)
{
    static const struct {
        const char *url, *place, *path;
        bool loopback;
    } rows[] = {
        { "https://a.table.core.windows.net/T()?x=1&sig=s", "a.table.core.windows.net:443", "/T()",
          false },
        { "http://127.0.0.1:10002/devstoreaccount1/T", "127.0.0.1:10002", "/devstoreaccount1/T",
          true },
        { "HTTP://LocalHost", "LocalHost:80", "", true },
        { "http://[::1]:8080/x#f", "[::1]:8080", "/x", true },
        { "https://[fe80::2]?sig=s", "[fe80::2]:443", "", false },
        { "https://user:secret@host:1/p", "host:1", "/p", false },
        { "https://host:/p", "host:443", "/p", false },
        { "https://127.example/", "127.example:443", "/", false },
        { "https://127.0.0.1.example/", "127.0.0.1.example:443", "/", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct target t;
        assert_true(target_parse(str_c(rows[i].url), &t));
        assert_string_equal(t.place, rows[i].place);
        assert_string_equal(t.path, rows[i].path);
        assert_int_equal(t.loopback, rows[i].loopback);
    }
}

static void test_other_schemes_and_no_host_are_refused(void **state)
{
    static const char *const urls[] = { "",          "ftp://host/",  "file:///etc/passwd",
                                        "https://",  "http:///x",    "https:/host",
                                        "host/path", "https://:80/", "https://u@/" };
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct target t;
        assert_false(target_parse(str_c(urls[i]), &t));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places_and_paths_are_told_without_query),
        cmocka_unit_test(test_other_schemes_and_no_host_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
