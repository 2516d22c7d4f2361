#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/storage/columns.h"

static const struct str names[] = { { "A", 1 }, { "B", 1 }, { "C", 1 } };

static struct arena arena;

static bool read_row(const char *json, struct column c[3])
{
    struct jsonread r;

    jsonread_init(&r, str_c(json), &arena);
    return columns_read(&r, names, c, 3);
}

static void test_kinds(void **state)
{
    struct column c[3];

    assert_true(read_row("{\"B\":\"x\\n\",\"X\":{\"A\":1},\"A\":-7}", c));
    assert_int_equal(c[0].kind, COLUMN_OTHER);
    assert_true(str_eq(c[0].text, STR("-7")));
    assert_int_equal(c[1].kind, COLUMN_STRING);
    assert_true(str_eq(c[1].text, STR("x\n")));
    assert_int_equal(c[2].kind, COLUMN_ABSENT);
    assert_true(read_row("{}", c));
    assert_false(read_row("[]", c));
    assert_false(read_row("{\"A\":}", c));
    assert_false(read_row("{\"A\":1", c));
}

static void test_B33_first_of_duplicates(void **state)
{
    struct column c[3];

    assert_true(read_row("{\"A\":null,\"A\":\"late\",\"B\":\"1\",\"B\":\"2\"}", c));
    assert_int_equal(c[0].kind, COLUMN_NULL);
    assert_true(str_eq(column_str(&c[1]), STR("1")));
}

/* Columns are guessed to come in the order of their names; every other order, with strangers and
 * blanks between, must give the same. */
static void test_any_order(void **state)
{
    static const char *const rows[] = {
        "{\"A\":\"a\",\"B\":\"b\",\"C\":\"c\"}",
        "{\"C\":\"c\",\"B\":\"b\",\"A\":\"a\"}",
        "{\"B\":\"b\",\"C\":\"c\",\"A\":\"a\"}",
        "{\"C\":\"c\",\"A\":\"a\",\"B\":\"b\"}",
        "{\"X\":1,\"A\":\"a\",\"X\":[2],\"B\":\"b\",\"X\":{},\"C\":\"c\",\"X\":null}",
        " { \"A\" : \"a\" , \"B\" : \"b\" , \"C\" : \"c\" } ",
        "{\"\\u0041\":\"a\",\"B\":\"b\",\"\\u0043\":\"c\"}",
        "{\"A\":\"a\",\"B\":\"b\",\"C\":\"c\",\"A\":\"late\",\"B\":\"late\",\"C\":\"late\"}",
        "{\"A\":\"a\",\"A\":\"late\",\"B\":\"b\",\"A\":\"late\",\"C\":\"\\u0063\"}",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct column c[3];

        assert_true(read_row(rows[i], c));
        assert_true(str_eq(column_str(&c[0]), STR("a")));
        assert_true(str_eq(column_str(&c[1]), STR("b")));
        assert_true(str_eq(column_str(&c[2]), STR("c")));
    }
}

static void test_B31_values(void **state)
{
    struct column c[3];

    assert_true(read_row("{\"A\":\"null\",\"B\":12,\"C\":true}", c));
    assert_true(str_eq(column_str(&c[0]), STR("null")));
    assert_int_equal(column_str_not_null(&c[0]).len, 0);
    assert_int_equal(column_str(&c[1]).len, 0);
    assert_int_equal(column_i64(&c[1], -1), 12);
    assert_true(column_bool(&c[2], false));
    assert_true(column_time(&c[1]) == TICKS_NONE);
    assert_true(read_row("{\"A\":\"9007199254740993\",\"B\":1.5,\"C\":\"true\"}", c));
    assert_true(column_i64(&c[0], -1) == INT64_C(9007199254740993)); /* Int64 is a string */
    assert_int_equal(column_i64(&c[1], -1), -1);
    assert_false(column_bool(&c[2], false));
    assert_true(column_bool(&c[2], true));
    assert_true(read_row("{\"A\":false,\"B\":{}}", c));
    assert_false(column_bool(&c[0], true));
    assert_true(column_bool(&c[1], true));
    assert_int_equal(column_i64(&c[2], 5), 5);
}

static bool read_page(const char *json, unsigned *ret_rows)
{
    struct jsonread r;
    struct column c[3];

    *ret_rows = 0;
    jsonread_init(&r, str_c(json), &arena);
    if (!columns_page(&r))
        return false;
    while (jsonread_element(&r)) {
        if (!columns_read(&r, names, c, 3))
            return false;
        ++*ret_rows;
    }
    return columns_page_end(&r);
}

static void test_pages(void **state)
{
    unsigned rows;

    assert_true(read_page("{\"value\":[]}", &rows));
    assert_int_equal(rows, 0);
    assert_true(
        read_page(" {\"odata.metadata\":\"m\",\"value\":[{},{\"A\":1}],\"z\":[1]}\n", &rows));
    assert_int_equal(rows, 2);
    assert_false(read_page("{\"value\":[{}]} x", &rows));
    assert_false(read_page("{\"value\":[{},7]}", &rows));
    assert_false(read_page("{\"rows\":[]}", &rows));
    assert_false(read_page("{\"value\":null}", &rows));
    assert_false(read_page("", &rows));
}

static int begin(void **state)
{
    arena_init(&arena);
    return 0;
}

static int end(void **state)
{
    arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),     cmocka_unit_test(test_B33_first_of_duplicates),
        cmocka_unit_test(test_any_order), cmocka_unit_test(test_B31_values),
        cmocka_unit_test(test_pages),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
