#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/storage/discovery.h"

/* "Hub/Instances table/History table;" of each hub found. */
static void note(void *ctx, struct str hub, struct str instances, struct str history)
{
    struct buf *b = ctx;

    buf_printf(b, STR_FMT "/" STR_FMT "/" STR_FMT ";", STR_ARG(hub), STR_ARG(instances),
               STR_ARG(history));
}

static void assert_hubs(const struct str *tables, size_t n, const char *want)
{
    CLEANUP_BUF struct buf b = BUF_INIT(4096);

    assert_int_equal(discovery_hubs(tables, n, note, &b), OK);
    assert_string_equal(buf_c(&b), want);
}

#define T(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void test_T41_both_tables_make_a_hub(void **state)
{
    static const struct str tables[] = { T("AInstances"), T("AHistory"),   T("BInstances"),
                                         T("CHistory"),   T("Xinstances"), T("XHistory") };

    assert_hubs(tables, ARRAY_LEN(tables), "A/AInstances/AHistory;");
}

static void test_names_are_compared_ignoring_case(void **state)
{
    static const struct str tables[] = { T("myHUBHistory"), T("MyHubInstances") };

    assert_hubs(tables, ARRAY_LEN(tables), "MyHub/MyHubInstances/myHUBHistory;");
}

static void test_suffix_alone_is_no_hub(void **state)
{
    static const struct str tables[] = { T("Instances"), T("History"), T("Partitions") };

    assert_hubs(tables, ARRAY_LEN(tables), "");
    assert_hubs(NULL, 0, "");
}

static void test_distance(void **state)
{
    assert_int_equal(discovery_distance(STR("MyHub"), STR("myhub")), 0);
    assert_int_equal(discovery_distance(STR("MyHub"), STR("MyHubs")), 1);
    assert_int_equal(discovery_distance(STR("MyHub"), STR("MyHb")), 1);
    assert_int_equal(discovery_distance(STR("kitten"), STR("sitting")), 3);
    assert_int_equal(discovery_distance(STR_NONE, STR("abc")), 3);
    assert_int_equal(discovery_distance(STR("abc"), STR_NONE), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T41_both_tables_make_a_hub),
        cmocka_unit_test(test_names_are_compared_ignoring_case),
        cmocka_unit_test(test_suffix_alone_is_no_hub),
        cmocka_unit_test(test_distance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
