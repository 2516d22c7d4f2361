/* What happens between the beginning of a pass and its adoption, step by step. */
#include "tests/backend/catalogue_fixture.h"

static struct call call;
static struct pass pass;

static int set_up(void **state)
{
    open_catalogue(ALL_CAPS, FOREVER);
    fake_put(f, "a", NULL, STATUS_RUNNING);
    fake_put(f, "b", NULL, STATUS_FAILED);
    fake_put(f, "c", NULL, STATUS_COMPLETED);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    call_init(&call, 20000);
    return 0;
}

static void begin(void)
{
    pass_begin(&pass, &c->shelves[0], &call);
}

static void adopt(void)
{
    assert_int_equal(pass_adopt(&pass), OK);
    pass_fini(&pass);
}

static void test_a_purge_after_the_pass_read_the_row(void **state)
{
    fake_put(f, "b", NULL, STATUS_COMPLETED);
    begin();
    assert_int_equal(pass_read_changes(&pass, 1), OK);
    assert_int_equal(purge("b"), OK);
    adopt();
    assert_listed(LIST_INSTANCES, "a:R c:C ");
}

static void test_a_younger_reading_than_the_pass(void **state)
{
    fake_put(f, "a", NULL, STATUS_SUSPENDED);
    begin();
    assert_int_equal(pass_read_changes(&pass, 1), OK);
    fake_put(f, "a", NULL, STATUS_PENDING);
    assert_int_equal(status_now("a", -1), STATUS_PENDING);
    adopt();
    assert_listed(LIST_INSTANCES, "a:P b:F c:C ");
}

static void test_an_older_reading_than_the_pass(void **state)
{
    fake_put(f, "a", NULL, STATUS_SUSPENDED);
    assert_int_equal(status_now("a", -1), STATUS_SUSPENDED);
    fake_put(f, "a", NULL, STATUS_PENDING);
    begin();
    assert_int_equal(pass_read_changes(&pass, 1), OK);
    adopt();
    assert_listed(LIST_INSTANCES, "a:P b:F c:C ");
    assert_int_equal(status_now("a", INT64_MAX), STATUS_PENDING);
}

static void test_a_full_pass_knows_what_is_no_more(void **state)
{
    fake_put(f, "n", NULL, STATUS_RUNNING);
    assert_int_equal(status_now("n", INT64_MAX), STATUS_RUNNING);
    fake_del(f, "n");
    c->shelves[0].renew_fully = true;
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
}

static void test_a_full_pass_settles_numbers(void **state)
{
    fake_put(f, "n", NULL, STATUS_RUNNING);
    uint32_t n = slot_now("n"), b = slot_now("b");
    assert_int_equal(map_count(&c->slots), 1);
    c->shelves[0].renew_fully = true;
    assert_listed(LIST_INSTANCES, "a:R b:F c:C n:R ");
    assert_int_equal(map_count(&c->slots), 0);
    assert_int_equal(slot_now("n"), n);
    assert_int_equal(slot_now("b"), b);
}

static void test_a_full_pass_and_a_purge_meanwhile(void **state)
{
    begin();
    struct listing *all = listing_new(pass.begun_ms);
    carry_begin(&pass.carry, pass.base);
    assert_int_equal(pass_read_all(&pass, all), OK);
    listing_complete(all);
    assert_int_equal(purge("b"), OK);
    assert_int_equal(send(CMD_START, "n", "Flow", NULL), OK);
    adopt();
    listing_unref(all);
    assert_listed(LIST_INSTANCES, "a:R c:C n:P ");
}

static void test_a_missed_key_that_a_refresh_has_seen_since(void **state)
{
    fake_del(f, "b");
    begin();
    assert_int_equal(pass_read_keys(&pass), OK);
    assert_int_equal(pass.n_gone, 1);
    fake_put(f, "b", NULL, STATUS_PENDING);
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:P c:C ");
    adopt();
    assert_listed(LIST_INSTANCES, "a:R b:P c:C ");
}

static void test_an_own_start_during_a_pass_stays_to_be_read(void **state)
{
    begin();
    assert_int_equal(pass_read_changes(&pass, 1), OK);
    assert_int_equal(send(CMD_START, "n", "Flow", NULL), OK);
    adopt();
    assert_listed(LIST_INSTANCES, "a:R b:F c:C n:P ");
}

static void test_an_own_start_before_a_pass_is_read_by_it(void **state)
{
    assert_int_equal(send(CMD_START, "n", "Flow", NULL), OK);
    begin();
    assert_int_equal(pass_read_changes(&pass, 1), OK);
    adopt();
    assert_listed(LIST_INSTANCES, "a:R b:F c:C n:P ");
    assert_int_equal(status_now("n", INT64_MAX), STATUS_PENDING);
    assert_int_equal(f->gets, 0);
}

static void test_forgetting_during_a_pass_drops_it(void **state)
{
    begin();
    assert_int_equal(pass_read_changes(&pass, 1), OK);
    catalogue_forget(c);
    adopt();
    assert_null(catalogue_listing_now(c, LIST_INSTANCES));
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    assert_int_equal(f->lists, 2);
}

static void test_many_purges_enter_in_portions(void **state)
{
    char id[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "m%04d", i);
        fake_put(f, id, NULL, STATUS_COMPLETED);
    }
    time_passes();
    struct listing *l = open_listing(LIST_INSTANCES);
    assert_int_equal(listing_count(l), 1003);
    listing_unref(l);
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "m%04d", i);
        assert_int_equal(purge(id), OK);
    }
    unsigned asked = f->lists + f->changes;
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    assert_int_equal(f->lists + f->changes, asked);
    assert_int_equal(map_count(&c->slots), 0);
}

int main(void)
{
#define UNIT(t) cmocka_unit_test_setup_teardown(t, set_up, close_catalogue)
    const struct CMUnitTest tests[] = {
        UNIT(test_a_purge_after_the_pass_read_the_row),
        UNIT(test_a_younger_reading_than_the_pass),
        UNIT(test_an_older_reading_than_the_pass),
        UNIT(test_a_full_pass_knows_what_is_no_more),
        UNIT(test_a_full_pass_settles_numbers),
        UNIT(test_a_full_pass_and_a_purge_meanwhile),
        UNIT(test_a_missed_key_that_a_refresh_has_seen_since),
        UNIT(test_an_own_start_during_a_pass_stays_to_be_read),
        UNIT(test_an_own_start_before_a_pass_is_read_by_it),
        UNIT(test_forgetting_during_a_pass_drops_it),
        UNIT(test_many_purges_enter_in_portions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
