#include "backend/base/limits.h"
#include "fs/option_names.h"
#include "fs/option_values.h"
#include "tests/fs/check.h"

static struct options o;
static struct buf why;

static int setup(void **state)
{
    options_init(&o);
    buf_init(&why, KIB);
    return 0;
}

static int teardown(void **state)
{
    buf_fini(&why);
    options_fini(&o);
    return 0;
}

static bool set(const char *name, const char *text)
{
    buf_clear(&why);
    return option_set(&o, option_named(str_c(name)), text, &why);
}

static void test_seconds(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        { "5", 5000 }, { "0.5", 500 }, { "500ms", 500 }, { "2m", 120000 }, { "2S", 2000 }
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(set("cache-ttl", cases[i].text));
        assert_int_equal(o.ttl_ms, cases[i].ms);
    }
}

static void test_bytes(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } cases[] = { { "67108864", 64 * MIB }, { "64M", 64 * MIB }, { "64mib", 64 * MIB } };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(set("max-payload", cases[i].text));
        assert_int_equal(o.max_payload, cases[i].bytes);
    }
}

static void test_what_is_no_value_changes_nothing(void **state)
{
    static const char *const bad[] = { "", "-1", "+1", "0x10", "1x", "inf", "nan", "1e400", " 1" };
    int64_t before = o.ttl_ms;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(set("cache-ttl", bad[i]));
        assert_non_null(strstr(buf_c(&why), "option cache-ttl: '"));
        assert_int_equal(o.ttl_ms, before);
    }
}

static void test_what_was_said_is_marked(void **state)
{
    assert_true(set("debug", NULL));
    assert_true(o.debug);
    assert_true(o.given[option_named(STR("debug")) - option_rows]);
    assert_false(o.given[option_named(STR("cache-ttl")) - option_rows]);
}

static void test_words_for_the_kernel_are_collected(void **state)
{
    assert_true(set("noexec", NULL));
    assert_true(set("noatime", NULL));
    assert_string_equal(buf_c(&o.kernel), "noexec,noatime");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_seconds),
        TEST(test_bytes),
        TEST(test_what_is_no_value_changes_nothing),
        TEST(test_what_was_said_is_marked),
        TEST(test_words_for_the_kernel_are_collected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
