#include "tests/backend/catalogue_fixture.h"

static int set_up(void **state)
{
    open_catalogue(ALL_CAPS, FOREVER);
    fake_put(f, "a", NULL, STATUS_RUNNING);
    fake_put(f, "b", NULL, STATUS_FAILED);
    fake_put(f, "c", NULL, STATUS_COMPLETED);
    return 0;
}

static int set_up_without_changes(void **state)
{
    open_catalogue(0, FOREVER);
    fake_put(f, "a", NULL, STATUS_RUNNING);
    fake_put(f, "b", NULL, STATUS_FAILED);
    return 0;
}

static void test_the_listing_is_read_once_while_young(void **state)
{
    assert_null(catalogue_listing_now(c, LIST_INSTANCES));
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    struct listing *l = catalogue_listing_now(c, LIST_INSTANCES);
    assert_non_null(l);
    listing_unref(l);
    assert_int_equal(f->lists, 1);
    assert_int_equal(f->changes + f->keys + f->gets, 0);
}

static void test_a_refresh_takes_what_changed(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    /* Long ago: what is older than the overlap is not asked for again. */
    f->now += OVERLAP_MS / 1000 * 2 * TICKS_PER_SEC;
    fake_put(f, "z", NULL, STATUS_RUNNING);
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:F c:C z:R ");
    f->now += OVERLAP_MS / 1000 * 2 * TICKS_PER_SEC;
    fake_put(f, "b", NULL, STATUS_COMPLETED);
    fake_put(f, "d", NULL, STATUS_PENDING);
    f->rows_sent = 0;
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:C c:C d:P z:R ");
    assert_int_equal(f->lists, 1);
    assert_int_equal(f->changes, 2);
    assert_int_equal(f->rows_sent, 3); /* b, d, and z, which lies in the overlap */
}

static void test_since_is_the_largest_stamp_less_the_overlap(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    ticks largest = f->now;
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    ticks overlap = largest - f->last_since;
    assert_true(overlap >= OVERLAP_MS / 1000 * TICKS_PER_SEC);
    assert_true(overlap < (OVERLAP_MS / 1000 + 60) * TICKS_PER_SEC);
}

static void test_nothing_changed_keeps_the_listing(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    struct listing *before = open_listing(LIST_INSTANCES);
    time_passes();
    struct listing *after = open_listing(LIST_INSTANCES);
    assert_ptr_equal(before, after);
    assert_int_equal(f->changes, 1);
    listing_unref(before);
    listing_unref(after);
}

static void test_an_open_directory_keeps_what_it_had(void **state)
{
    struct listing *before = open_listing(LIST_INSTANCES);
    char got[64];
    list_into(before, got, sizeof got);
    await_listed();
    fake_put(f, "b", NULL, STATUS_RUNNING);
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:R c:C ");
    list_into(before, got, sizeof got);
    assert_string_equal(got, "a:R b:F c:C ");
    listing_unref(before);
}

static void test_without_changes_everything_is_read(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F ");
    await_listed();
    uint32_t slot = slot_now("b");
    fake_del(f, "a");
    fake_put(f, "b", NULL, STATUS_COMPLETED);
    fake_put(f, "n", NULL, STATUS_RUNNING);
    time_passes();
    assert_listed(LIST_INSTANCES, "b:C n:R ");
    assert_int_equal(f->lists, 2);
    assert_int_equal(f->changes + f->keys, 0);
    assert_int_equal(slot_now("b"), slot);
    struct call call;
    struct listing *l;
    call_init(&call, 1000);
    assert_int_equal(catalogue_listing(c, &call, LIST_ENTITIES, &l), ERR_UNSUPPORTED);
}

static void test_without_changes_a_slow_load_stretches_the_period(void **state)
{
    f->page = 1;
    f->gate_page = 1;
    fake_gate(f, true);
    struct listing *l = open_listing(LIST_INSTANCES);
    clock_sleep_ms(30);
    fake_gate(f, false);
    listing_unref(l);
    await_listed();
    assert_true(c->shelves[0].took_ms >= 30);
}

static void test_an_empty_hub(void **state)
{
    fake_del(f, "a");
    fake_del(f, "b");
    fake_del(f, "c");
    assert_listed(LIST_INSTANCES, "");
    await_listed();
    fake_put(f, "x", NULL, STATUS_RUNNING);
    time_passes();
    assert_listed(LIST_INSTANCES, "x:R ");
}

/* -- the first load -- */

static void test_P3_names_come_as_pages_arrive(void **state)
{
    f->page = 1;
    f->gate_page = 1;
    fake_gate(f, true);
    struct listing *l = open_listing(LIST_INSTANCES); /* the first page is there, the rest waits */
    assert_int_equal(listing_state(l), LISTING_LOADING);
    struct row row;
    assert_true(listing_find(l, STR("a"), &row));
    assert_false(listing_find(l, STR("b"), &row));
    assert_int_equal(status_now("a", INT64_MAX), STATUS_RUNNING); /* no request for it */
    assert_int_equal(f->gets, 0);
    struct listing *now = catalogue_listing_now(c, LIST_INSTANCES);
    assert_ptr_equal(now, l);
    listing_unref(now);
    fake_gate(f, false);
    char got[64];
    list_into(l, got, sizeof got);
    assert_string_equal(got, "a:R b:F c:C ");
    listing_unref(l);
    assert_int_equal(f->lists, 1);
}

static void test_how_far_a_load_is(void **state)
{
    struct catalogue_load load;
    assert_false(catalogue_loading(c, LIST_INSTANCES, &load));
    f->page = 1;
    f->gate_page = 2;
    fake_gate(f, true);
    int64_t before_ms = clock_now_ms();
    struct listing *l = open_listing(LIST_INSTANCES);
    fake_wait_for(f, 1); /* two of three are there */
    assert_true(catalogue_loading(c, LIST_INSTANCES, &load));
    assert_false(catalogue_loading(c, LIST_ENTITIES, &load));
    assert_int_equal(load.done, 2);
    assert_int_equal(load.of, 0);
    assert_true(load.since_ms >= before_ms);
    fake_gate(f, false);
    listing_unref(l);
    await_listed();
    assert_false(catalogue_loading(c, LIST_INSTANCES, &load));
    /* The one before tells how many to expect. */
    fake_gate(f, true);
    catalogue_forget(c);
    l = open_listing(LIST_INSTANCES);
    fake_wait_for(f, 1);
    assert_true(catalogue_loading(c, LIST_INSTANCES, &load));
    assert_int_equal(load.of, 3);
    fake_gate(f, false);
    listing_unref(l);
    await_listed();
}

static void test_who_interrupts_his_ls_does_not_stop_the_load(void **state)
{
    fake_gate(f, true);
    struct call call;
    call_init(&call, 20000);
    call_cancel(&call);
    struct listing *l = NULL;
    assert_int_equal(catalogue_listing(c, &call, LIST_INSTANCES, &l), ERR_CANCELLED);
    fake_wait_for(f, 1);
    fake_gate(f, false);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    assert_int_equal(f->lists, 1);
}

static void test_a_slow_first_page_ends_at_the_callers_deadline(void **state)
{
    fake_gate(f, true);
    struct call call;
    call_init(&call, 50);
    struct listing *l = NULL;
    assert_int_equal(catalogue_listing(c, &call, LIST_INSTANCES, &l), ERR_TIMEOUT);
    call_init_local(&call);
    assert_int_equal(catalogue_listing(c, &call, LIST_INSTANCES, &l), ERR_WOULD_BLOCK);
    fake_gate(f, false);
}

static void test_local_calls_begin_nothing(void **state)
{
    struct call call;
    call_init_local(&call);
    struct listing *l = NULL;
    assert_int_equal(catalogue_listing(c, &call, LIST_INSTANCES, &l), ERR_WOULD_BLOCK);
    assert_null(catalogue_listing_now(c, LIST_INSTANCES));
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    assert_int_equal(catalogue_listing(c, &call, LIST_INSTANCES, &l), OK);
    listing_unref(l);
    time_passes();
    assert_int_equal(catalogue_listing(c, &call, LIST_INSTANCES, &l), ERR_WOULD_BLOCK);
    assert_int_equal(f->lists + f->changes, 1);
}

static void test_R3_a_failed_load_is_an_error_and_the_next_tries_anew(void **state)
{
    fake_fail(f, ERR_UNREACHABLE);
    struct call call;
    for (int i = 0; i < 2; i++) {
        call_init(&call, 20000);
        struct listing *l = NULL;
        assert_int_equal(catalogue_listing(c, &call, LIST_INSTANCES, &l), ERR_UNREACHABLE);
        assert_string_equal(call.text, "the fake hub was told to fail");
    }
    fake_fail(f, OK);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
}

static void test_R3_a_load_that_fails_half_way(void **state)
{
    f->page = 1;
    f->gate_page = 2;
    fake_gate(f, true);
    struct listing *l = open_listing(LIST_INSTANCES);
    fake_fail(f, ERR_THROTTLED);
    fake_gate(f, false);
    static const struct listing_filter all = { .kind = FILTER_ALL };
    struct call call;
    call_init(&call, 20000);
    uint64_t cursor = 0;
    struct row row;
    bool more;
    enum err err;
    int rows = 0;
    while ((err = listing_next(l, &call, &all, &cursor, &row, &more)) == OK)
        rows += more;
    assert_int_equal(err, ERR_THROTTLED);
    assert_int_equal(rows, 2);
    listing_unref(l);
}

static void test_a_failed_refresh_is_an_error(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    time_passes();
    fake_fail(f, ERR_UNREACHABLE);
    struct call call;
    struct listing *l;
    call_init(&call, 20000);
    assert_int_equal(catalogue_listing(c, &call, LIST_INSTANCES, &l), ERR_UNREACHABLE);
    fake_fail(f, OK);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
}

static void test_ending_stops_a_load(void **state)
{
    fake_gate(f, true);
    struct call call;
    call_init(&call, 50);
    struct listing *l;
    assert_int_equal(catalogue_listing(c, &call, LIST_INSTANCES, &l), ERR_TIMEOUT);
    /* close_catalogue, which would hang if the load did not heed its cancelled call */
}

/* -- many who open -- */

enum { OPENERS = 6 };

static void *open_one(void *arg)
{
    struct call call;
    call_init(&call, 20000);
    return (void *)(uintptr_t)catalogue_listing(c, &call, LIST_INSTANCES, arg);
}

static void test_one_refresh_for_all(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    fake_put(f, "b", NULL, STATUS_RUNNING);
    time_passes();
    fake_gate(f, true);
    pthread_t threads[OPENERS];
    struct listing *l[OPENERS] = { NULL };
    for (int i = 0; i < OPENERS; i++)
        pthread_create(&threads[i], NULL, open_one, &l[i]);
    fake_wait_for(f, 1);
    clock_sleep_ms(20);
    fake_gate(f, false);
    for (int i = 0; i < OPENERS; i++) {
        void *err;
        pthread_join(threads[i], &err);
        assert_int_equal((uintptr_t)err, OK);
        char got[64];
        list_into(l[i], got, sizeof got);
        assert_string_equal(got, "a:R b:R c:C ");
        listing_unref(l[i]);
    }
    assert_int_equal(f->changes, 1);
}

/* -- deletions elsewhere -- */

static void await_sweep(void)
{
    for (bool live = true; live;) {
        lock_take(&c->lock);
        live = c->shelves[0].sweep.live || c->shelves[1].sweep.live;
        lock_drop(&c->lock);
    }
}

static void test_deletions_elsewhere_are_swept(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    fake_del(f, "b");
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_sweep();
    assert_int_equal(f->keys, 0); /* not due */
    c->sweep_ms = 0;
    struct listing *l = open_listing(LIST_INSTANCES); /* begins one */
    listing_unref(l);
    c->sweep_ms = SWEEP_MS;
    await_sweep();
    assert_listed(LIST_INSTANCES, "a:R c:C ");
    assert_int_equal(f->keys, 1);
    assert_int_equal(f->lists, 1);
}

static void test_deleted_and_empty_entities_are_not_listed(void **state)
{
    fake_put(f, "@e@x", NULL, STATUS_RUNNING);
    fake_put(f, "@e@y", NULL, STATUS_RUNNING);
    fake_set_custom(f, "@e@y", "{\"entityExists\":true}");
    fake_set_custom(f, "@e@x", "{\"entityExists\":true}");
    assert_listed(LIST_ENTITIES, "@e@x:R @e@y:R ");
    struct listing *l = open_listing(LIST_ENTITIES);
    listing_unref(l);
    fake_set_custom(f, "@e@x", "{}");
    time_passes();
    assert_int_equal(status_now("@e@x", FOREVER), STATUS_RUNNING); /* a read shows it empty ... */
    assert_listed(LIST_ENTITIES, "@e@y:R ");                       /* ... so it leaves */
    fake_set_custom(f, "@e@y", "{}");
    time_passes();
    assert_listed(LIST_ENTITIES, "@e@y:R "); /* changes do not show it */
    c->sweep_ms = 0;
    l = open_listing(LIST_ENTITIES);
    listing_unref(l);
    c->sweep_ms = SWEEP_MS;
    await_sweep();
    assert_listed(LIST_ENTITIES, "");
}

static void test_a_sweep_does_not_take_what_came_back(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    fake_del(f, "b");
    fake_gate(f, true);
    c->sweep_ms = 0;
    struct listing *l = open_listing(LIST_INSTANCES);
    listing_unref(l);
    c->sweep_ms = SWEEP_MS;
    fake_wait_for(f, 1); /* the sweep has begun */
    fake_put(f, "b", NULL, STATUS_PENDING);
    fake_gate(f, false);
    await_sweep();
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:P c:C ");
}

/* -- forgetting -- */

static void test_forgetting_reads_anew_and_keeps_numbers(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    uint32_t a = slot_now("a"), b = slot_now("b");
    fake_put(f, "n", NULL, STATUS_RUNNING);
    uint32_t n = slot_now("n");
    fake_del(f, "a");
    catalogue_forget(c);
    assert_int_equal(f->forgets, 1);
    assert_null(catalogue_listing_now(c, LIST_INSTANCES));
    assert_int_equal(slot_now("b"), b); /* by a read, with no listing there */
    assert_listed(LIST_INSTANCES, "b:F c:C n:R ");
    await_listed();
    assert_int_equal(f->lists, 2);
    assert_int_equal(slot_now("b"), b);
    assert_int_equal(slot_now("n"), n);
    fake_put(f, "a", NULL, STATUS_RUNNING);
    assert_int_not_equal(slot_now("a"), a); /* it was away */
}

static void test_forgetting_during_a_load_demands_another(void **state)
{
    f->page = 1;
    f->gate_page = 2;
    fake_gate(f, true);
    struct listing *l = open_listing(LIST_INSTANCES);
    fake_wait_for(f, 1);
    fake_del(f, "a"); /* the load has seen it */
    catalogue_forget(c);
    f->gate_page = 0;
    fake_gate(f, false);
    struct call call;
    call_init(&call, 20000);
    uint64_t cursor = 0;
    static const struct listing_filter all = { .kind = FILTER_ALL };
    struct row r;
    bool more = true;
    while (more) /* no error for who reads along */
        assert_int_equal(listing_next(l, &call, &all, &cursor, &r, &more), OK);
    listing_unref(l);
    await_listed();
    assert_listed(LIST_INSTANCES, "b:F c:C ");
    assert_int_equal(f->lists, 2);
    assert_listed(LIST_INSTANCES, "b:F c:C ");
    assert_int_equal(f->lists, 2);
}

static void test_a_demanded_renewal_that_fails_stays_demanded(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    c->shelves[0].renew_fully = true;
    fake_del(f, "a");
    fake_fail(f, ERR_UNREACHABLE);
    struct call call;
    struct listing *l;
    call_init(&call, 20000);
    assert_int_equal(catalogue_listing(c, &call, LIST_INSTANCES, &l), ERR_UNREACHABLE);
    fake_fail(f, OK);
    assert_listed(LIST_INSTANCES, "b:F c:C ");
}

static void test_a_slow_pass_widens_the_overlap(void **state)
{
    f->page = 1;
    f->gate_page = 1;
    fake_gate(f, true);
    struct listing *l = open_listing(LIST_INSTANCES);
    fake_put(f, "a", NULL, STATUS_SUSPENDED); /* behind the reader's back */
    clock_sleep_ms(30);
    fake_gate(f, false);
    listing_unref(l);
    await_listed();
    assert_true(c->shelves[0].overlap_ms >= OVERLAP_MS + 30);
    assert_int_equal(c->shelves[0].took_ms, 0); /* a refresh will be quicker */
    f->gate_page = 0;
    time_passes();
    assert_listed(LIST_INSTANCES, "a:S b:F c:C ");
}

static void test_periods_stretch_to_a_tenth(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    c->settings.ttl_ms = 0;
    clock_sleep_ms(2);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    unsigned changes = f->changes;
    assert_true(changes > 0);
    c->shelves[0].took_ms = 100000; /* as if it had taken long: now it may be older */
    clock_sleep_ms(2);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    assert_int_equal(f->changes, changes);
}

int main(void)
{
#define UNIT(t) cmocka_unit_test_setup_teardown(t, set_up, close_catalogue)
    const struct CMUnitTest tests[] = {
        UNIT(test_the_listing_is_read_once_while_young),
        UNIT(test_a_refresh_takes_what_changed),
        UNIT(test_since_is_the_largest_stamp_less_the_overlap),
        UNIT(test_nothing_changed_keeps_the_listing),
        UNIT(test_an_open_directory_keeps_what_it_had),
        cmocka_unit_test_setup_teardown(test_without_changes_everything_is_read,
                                        set_up_without_changes, close_catalogue),
        cmocka_unit_test_setup_teardown(test_without_changes_a_slow_load_stretches_the_period,
                                        set_up_without_changes, close_catalogue),
        UNIT(test_an_empty_hub),
        UNIT(test_P3_names_come_as_pages_arrive),
        UNIT(test_how_far_a_load_is),
        UNIT(test_who_interrupts_his_ls_does_not_stop_the_load),
        UNIT(test_a_slow_first_page_ends_at_the_callers_deadline),
        UNIT(test_local_calls_begin_nothing),
        UNIT(test_R3_a_failed_load_is_an_error_and_the_next_tries_anew),
        UNIT(test_R3_a_load_that_fails_half_way),
        UNIT(test_a_failed_refresh_is_an_error),
        UNIT(test_ending_stops_a_load),
        UNIT(test_one_refresh_for_all),
        UNIT(test_deletions_elsewhere_are_swept),
        UNIT(test_deleted_and_empty_entities_are_not_listed),
        UNIT(test_a_sweep_does_not_take_what_came_back),
        UNIT(test_forgetting_reads_anew_and_keeps_numbers),
        UNIT(test_forgetting_during_a_load_demands_another),
        UNIT(test_a_demanded_renewal_that_fails_stays_demanded),
        UNIT(test_a_slow_pass_widens_the_overlap),
        UNIT(test_periods_stretch_to_a_tenth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
