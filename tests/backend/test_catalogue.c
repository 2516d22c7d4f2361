#include "tests/backend/catalogue_fixture.h"

static int set_up(void **state)
{
    open_catalogue(ALL_CAPS, FOREVER);
    fake_put(f, "a", NULL, STATUS_RUNNING);
    fake_put(f, "b", NULL, STATUS_FAILED);
    fake_put(f, "c", NULL, STATUS_COMPLETED);
    return 0;
}

static void test_an_own_start_is_listed_at_once(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    assert_int_equal(send(CMD_START, "n", "Flow", NULL), OK);
    assert_int_equal(status_now("n", INT64_MAX), STATUS_PENDING);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C n:P ");
    assert_int_equal(f->lists, 1);
    assert_int_equal(f->changes, 0);
    assert_int_equal(f->gets, 1);
}

static void test_an_own_start_overrules_not_there(void **state)
{
    struct row_hold h = { 0 };
    assert_int_equal(row("n", INT64_MAX, &h), ERR_NOT_FOUND);
    assert_int_equal(send(CMD_START, "n", "Flow", NULL), OK);
    assert_int_equal(status_now("n", INT64_MAX), STATUS_PENDING);
}

static void test_starts_nobody_looked_at_are_read_before_listing(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    assert_int_equal(send(CMD_START, "n", "Flow", NULL), OK);
    assert_int_equal(send(CMD_START, "m", "Flow", NULL), OK);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C m:P n:P ");
    assert_int_equal(f->gets, 2);
    assert_int_equal(f->changes, 0);
}

static void test_many_starts_are_read_by_one_pass(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    for (int i = 0; i < REREADS_MAX + 1; i++) {
        char id[16];
        snprintf(id, sizeof id, "n%02d", i);
        assert_int_equal(send(CMD_START, id, "Flow", NULL), OK);
    }
    struct listing *l = open_listing(LIST_INSTANCES);
    assert_int_equal(listing_count(l), 3 + REREADS_MAX + 1);
    listing_unref(l);
    assert_int_equal(f->gets, 0);
    assert_int_equal(f->changes, 1);
}

static void test_an_own_purge_is_visible_at_once(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    struct row_hold h = { 0 };
    assert_int_equal(purge("b"), OK);
    unsigned gets = f->gets;
    assert_int_equal(row("b", INT64_MAX, &h), ERR_NOT_FOUND);
    assert_int_equal(f->gets, gets);
    assert_listed(LIST_INSTANCES, "a:R c:C ");
    assert_int_equal(f->lists, 1);
    assert_int_equal(f->changes, 0);
    assert_int_equal(purge("a"), ERR_BUSY);
    assert_int_equal(purge("b"), ERR_NOT_FOUND);
    assert_listed(LIST_INSTANCES, "a:R c:C ");
}

static void test_a_purged_id_that_returns_has_a_new_number(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    uint32_t before = slot_now("b"), other = slot_now("c");
    assert_int_equal(purge("b"), OK);
    assert_int_equal(send(CMD_START, "b", "Flow", NULL), OK); /* before any listing has learned */
    uint32_t after = slot_now("b");
    assert_int_not_equal(after, before);
    assert_listed(LIST_INSTANCES, "a:R b:P c:C ");
    assert_int_equal(slot_now("b"), after);
    fake_put(f, "b", NULL, STATUS_COMPLETED);
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:C c:C ");
    assert_int_equal(slot_now("b"), after);
    assert_int_equal(purge("b"), OK);
    assert_listed(LIST_INSTANCES, "a:R c:C ");
    fake_put(f, "b", NULL, STATUS_RUNNING); /* by somebody else */
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:R c:C ");
    assert_int_not_equal(slot_now("b"), after);
    assert_int_not_equal(slot_now("b"), before);
    assert_int_equal(slot_now("c"), other);
}

static void test_a_number_outlives_lists_and_reads(void **state)
{
    uint32_t b = slot_now("b"); /* by a read, before any listing */
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    assert_int_equal(slot_now("b"), b);
    fake_put(f, "n", NULL, STATUS_RUNNING);
    uint32_t n = slot_now("n"); /* by a read, beside a listing */
    assert_listed(LIST_INSTANCES, "a:R b:F c:C n:R ");
    assert_int_equal(slot_now("n"), n);
    fake_put(f, "n", NULL, STATUS_COMPLETED);
    fake_put(f, "b", NULL, STATUS_COMPLETED);
    fake_put(f, "o", NULL, STATUS_COMPLETED);
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:C c:C n:C o:C ");
    assert_int_equal(slot_now("n"), n);
    assert_int_equal(slot_now("b"), b);
    uint32_t o = slot_now("o"), a = slot_now("a"), cc = slot_now("c");
    uint32_t all[] = { a, b, cc, n, o };
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(all[i], all[k]);
    struct call call;
    struct details d = { 0 };
    call_init(&call, 1000);
    assert_int_equal(catalogue_details(c, &call, STR("n"), PART_CELLS, 0, &d), OK);
    details_fini(&d);
    assert_int_equal(slot_now("n"), n);
    assert_int_equal(map_count(&c->slots), 0); /* the listing has them all */
}

static void test_ids_that_differ_from_their_keys(void **state)
{
    fake_put(f, "x/y", "x^2Fy", STATUS_COMPLETED);
    uint32_t slot = slot_now("x/y");
    assert_listed(LIST_INSTANCES, "a:R b:F c:C x/y:C ");
    await_listed();
    assert_int_equal(slot_now("x/y"), slot);
    assert_int_equal(f->gets, 1);
    assert_int_equal(purge("x/y"), OK);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
}

static void test_a_terminate_may_have_changed_the_row(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    assert_int_equal(status_now("a", FOREVER), STATUS_RUNNING);
    assert_int_equal(send(CMD_TERMINATE, "a", "", "why"), OK);
    assert_int_equal(status_now("a", INT64_MAX), STATUS_TERMINATED);
    assert_listed(LIST_INSTANCES, "a:T b:F c:C ");
}

static void test_a_restart_shows_the_new_instance(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    assert_int_equal(send(CMD_RESTART, "c", "", "c2"), OK);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C c2:P ");
    assert_int_equal(send(CMD_RESTART, "c", "", "c"), OK);
    assert_int_equal(status_now("c", INT64_MAX), STATUS_PENDING);
    assert_listed(LIST_INSTANCES, "a:R b:F c:P c2:P ");
}

static void test_B28_a_refusal_corrects_the_caches(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    fake_put(f, "a", NULL, STATUS_COMPLETED);
    assert_int_equal(send(CMD_EVENT, "a", "E", "1"), ERR_WRONG_STATE);
    assert_int_equal(status_now("a", INT64_MAX), STATUS_COMPLETED);
    fake_del(f, "a");
    assert_int_equal(send(CMD_EVENT, "a", "E", "1"), ERR_NOT_FOUND);
    struct row_hold h = { 0 };
    assert_int_equal(row("a", INT64_MAX, &h), ERR_NOT_FOUND);
}

static void test_an_unknown_outcome_is_passed_and_read_again(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    f->fail_send = ERR_UNKNOWN_OUTCOME;
    assert_int_equal(send(CMD_START, "n", "Flow", NULL), ERR_UNKNOWN_OUTCOME);
    assert_int_equal(f->sends, 1);
    fake_put(f, "n", NULL, STATUS_PENDING); /* it had arrived */
    assert_listed(LIST_INSTANCES, "a:R b:F c:C n:P ");
}

static void test_a_changed_instance_while_it_is_being_read(void **state)
{
    struct call call;
    call_init(&call, 20000);
    assert_int_equal(status_now("b", INT64_MAX), STATUS_FAILED);
    /* A reading that began before our purge must not bring the row back. */
    lock_take(&c->lock);
    struct entry *e = entry_make_locked(c, STR("b"));
    seq before = ++c->clock;
    struct instance *old = instance_ref(e->in);
    lock_drop(&c->lock);
    assert_int_equal(purge("b"), OK);
    lock_take(&c->lock);
    entry_learn_locked(c, entry_make_locked(c, STR("b")), old, before, clock_now_ms());
    lock_drop(&c->lock);
    struct row_hold h = { 0 };
    unsigned gets = f->gets;
    assert_int_equal(row("b", INT64_MAX, &h), ERR_NOT_FOUND);
    assert_int_equal(f->gets, gets);
}

static void test_too_many_changes_for_the_budget_are_read_anew(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    c->settings.cache_max_bytes = 10 * KIB;
    for (int i = 0; i < 200; i++) {
        char id[16];
        snprintf(id, sizeof id, "n%03d", i);
        assert_int_equal(send(CMD_START, id, "Flow", NULL), OK);
    }
    assert_int_equal(purge("b"), OK);
    struct catalogue_stats stats;
    catalogue_stats(c, &stats);
    assert_true(stats.cache_bytes <= 10 * KIB);
    struct listing *l = open_listing(LIST_INSTANCES);
    assert_int_equal(listing_count(l), 202);
    struct row r;
    assert_false(listing_find(l, STR("b"), &r));
    listing_unref(l);
    assert_int_equal(f->lists, 2);
}

static void test_stats(void **state)
{
    struct catalogue_stats stats;
    catalogue_stats(c, &stats);
    assert_false(stats.listed);
    assert_int_equal(stats.instances, 0);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    catalogue_stats(c, &stats);
    assert_true(stats.listed);
    assert_int_equal(stats.instances, 3);
    assert_int_equal(stats.by_status[STATUS_FAILED], 1);
    assert_int_equal(stats.by_status[STATUS_PENDING], 0);
    assert_int_equal(stats.refreshes, 1);
    assert_true(stats.listing_bytes > 0);
    assert_ptr_equal(catalogue_hub(c), &f->hub);
    catalogue_free(NULL);
}

static void test_P7_memory_per_instance(void **state)
{
    fake_del(f, "a");
    fake_del(f, "b");
    fake_del(f, "c");
    for (int i = 0; i < 300; i++) {
        char id[40];
        snprintf(id, sizeof id, "m%031d", i);
        fake_put(f, id, NULL, STATUS_COMPLETED);
    }
    struct listing *l = open_listing(LIST_INSTANCES);
    char got[32 * 1024];
    list_into(l, got, sizeof got);
    uint64_t rows = listing_count(l);
    assert_int_equal(rows, 300);
    assert_true(listing_bytes(l) <= rows * (128 + 32));
    listing_unref(l);
}

int main(void)
{
#define UNIT(t) cmocka_unit_test_setup_teardown(t, set_up, close_catalogue)
    const struct CMUnitTest tests[] = {
        UNIT(test_an_own_start_is_listed_at_once),
        UNIT(test_an_own_start_overrules_not_there),
        UNIT(test_starts_nobody_looked_at_are_read_before_listing),
        UNIT(test_many_starts_are_read_by_one_pass),
        UNIT(test_an_own_purge_is_visible_at_once),
        UNIT(test_a_purged_id_that_returns_has_a_new_number),
        UNIT(test_a_number_outlives_lists_and_reads),
        UNIT(test_ids_that_differ_from_their_keys),
        UNIT(test_a_terminate_may_have_changed_the_row),
        UNIT(test_a_restart_shows_the_new_instance),
        UNIT(test_B28_a_refusal_corrects_the_caches),
        UNIT(test_an_unknown_outcome_is_passed_and_read_again),
        UNIT(test_a_changed_instance_while_it_is_being_read),
        UNIT(test_too_many_changes_for_the_budget_are_read_anew),
        UNIT(test_stats),
        UNIT(test_P7_memory_per_instance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
