#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "backend/storage/partition.h"

/* Storage messages, section 2. */
static void test_H1_to_H32_hashes(void **state)
{
    static const struct {
        const char *id;
        uint32_t hash;
        unsigned of4, of8, of9, of16;
    } vectors[] = {
        { "", 2166136261u, 1, 5, 7, 5 },
        { "a", 3826002220u, 0, 4, 7, 12 },
        { "abc", 440920331u, 3, 3, 8, 11 },
        { "ABC", 1552166763u, 3, 3, 6, 11 },
        { "foobar", 3214735720u, 0, 0, 7, 8 },
        { "7b59154ae666471993659902ed0ba742", 455459043u, 3, 3, 3, 3 },
        { "8f30203236d34f8ea5eeff5428eb5ee7", 1678877044u, 0, 4, 7, 4 },
        { "f71ac761454f41468d9923ac39e9bdbc", 1637414773u, 1, 5, 7, 5 },
        { "order-17", 3559933102u, 2, 6, 4, 14 },
        { "order-18", 3476045007u, 3, 7, 0, 15 },
        { "order 17", 220720129u, 1, 1, 7, 1 },
        { "order%2017", 3027826488u, 0, 0, 3, 8 },
        { "partition-probe", 3097186542u, 2, 6, 0, 14 },
        { "probe0", 2899780115u, 3, 3, 5, 3 },
        { "probe1", 2883002496u, 0, 0, 6, 0 },
        { "probe2", 2933335353u, 1, 1, 3, 9 },
        { "@counter@steps", 521246646u, 2, 6, 0, 6 },
        { "@counter@Steps", 2877314134u, 2, 6, 4, 6 },
        { "@counter@", 3465359043u, 3, 3, 6, 3 },
        { "@cart@{\"user\":1}", 2890224903u, 3, 7, 3, 7 },
        { "8f30203236d34f8ea5eeff5428eb5ee7:20", 964276616u, 0, 0, 2, 8 },
        { "8c0384066f414e1e9f4f8af94f9cc03f:0", 2601330904u, 0, 0, 1, 8 },
        { "8c0384066f414e1e9f4f8af94f9cc03f:a", 1812782811u, 3, 3, 3, 11 },
        { "/slash/in/id", 315613729u, 1, 1, 1, 1 },
        { "été", 4290086935u, 3, 7, 1, 7 },
        { "naïve-café", 594966992u, 0, 0, 5, 0 },
        { "世界", 1087787455u, 3, 7, 7, 15 },
        { "наряд-42", 719820144u, 0, 0, 0, 0 },
        { "🌍", 819108635u, 3, 3, 5, 11 },
        { "a🌍b", 506906676u, 0, 4, 0, 4 },
        { "test:instance^1", 327649271u, 3, 7, 5, 7 },
        { "MyInstance!02", 3450682177u, 1, 1, 7, 1 },
    };

    assert_int_equal(ARRAY_LEN(vectors), 32);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct str id = str_c(vectors[i].id);
        assert_int_equal(partition_hash(id), vectors[i].hash);
        assert_int_equal(partition_of(id, 4), vectors[i].of4);
        assert_int_equal(partition_of(id, 8), vectors[i].of8);
        assert_int_equal(partition_of(id, 9), vectors[i].of9);
        assert_int_equal(partition_of(id, 16), vectors[i].of16);
    }
}

static void assert_queue(const char *id, unsigned count, const char *expected)
{
    char queue[QUEUE_NAME_MAX];

    partition_queue(queue, STR("MyHub"), partition_of(str_c(id), count));
    assert_string_equal(queue, expected);
}

static void test_V1_names(void **state)
{
    char name[QUEUE_NAME_MAX];

    partition_queue(name, STR("MyHub"), 0);
    assert_string_equal(name, "myhub-control-00");
    partition_queue(name, STR("MyHub"), 3);
    assert_string_equal(name, "myhub-control-03");
    partition_resource(name, STR("MyHub"), "workitems");
    assert_string_equal(name, "myhub-workitems");
    partition_resource(name, STR("MyHub"), "largemessages");
    assert_string_equal(name, "myhub-largemessages");
    partition_resource(name, STR("MyHub"), "leases");
    assert_string_equal(name, "myhub-leases");
    partition_resource(name, STR("MyHub"), "applease");
    assert_string_equal(name, "myhub-applease");
}

static void test_V2_to_V6_queues(void **state)
{
    assert_queue("order-17", 4, "myhub-control-02");
    assert_queue("order-17", 16, "myhub-control-14");
    assert_queue("@counter@steps", 4, "myhub-control-02");
    assert_queue("@counter@steps", 16, "myhub-control-06");
    assert_queue("/slash/in/id", 8, "myhub-control-01");
    assert_int_equal(partition_hash(STR("@counter@Steps")), 0xab805456);
}

/* The app lease's id is the same hash, written as a GUID. */
static void test_V12_hash_of_an_app_name(void **state)
{
    char hex[9];

    snprintf(hex, sizeof(hex), "%08x", partition_hash(STR("")));
    assert_string_equal(hex, "811c9dc5");
    snprintf(hex, sizeof(hex), "%08x", partition_hash(STR("myfuncapp")));
    assert_string_equal(hex, "5018c2a8");
}

static void test_reads_queue_names(void **state)
{
    static const char *const wrong[] = { "myhub-control-1",
                                         "myhub-control-001",
                                         "myhub-control-0a",
                                         "other-control-00",
                                         "myhub-workitems",
                                         "MyHub-control-00",
                                         "",
                                         "myhub-control-" };
    unsigned index = 99;

    assert_true(partition_parse_queue(STR("myhub-control-15"), STR("MyHub"), &index));
    assert_int_equal(index, 15);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(partition_parse_queue(str_c(wrong[i]), STR("MyHub"), &index));
    assert_int_equal(index, 15);
}

static void test_long_hub_names_end_in_the_buffer(void **state)
{
    char long_hub[200], name[QUEUE_NAME_MAX];

    memset(long_hub, 'A', sizeof(long_hub));
    partition_queue(name, (struct str){ long_hub, sizeof(long_hub) }, 1);
    assert_int_equal(strlen(name), QUEUE_NAME_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_H1_to_H32_hashes),
        cmocka_unit_test(test_V1_names),
        cmocka_unit_test(test_V2_to_V6_queues),
        cmocka_unit_test(test_V12_hash_of_an_app_name),
        cmocka_unit_test(test_reads_queue_names),
        cmocka_unit_test(test_long_hub_names_end_in_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
