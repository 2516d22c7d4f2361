#include "tests/backend/catalogue_fixture.h"

#include "backend/intern.h"

/* What the watcher heard, by slot, in order: "s" changed, "g" gone, "*" everything. */
static struct {
    struct catalogue_news at[4096];
    size_t n;
} heard;

static void hear(void *ctx, const struct catalogue_news *news)
{
    assert_ptr_equal(ctx, &heard);
    assert_true(heard.n < ARRAY_LEN(heard.at));
    heard.at[heard.n++] = *news;
}

static bool heard_of(uint32_t slot, bool gone)
{
    for (size_t i = 0; i < heard.n; i++)
        if (heard.at[i].slot == slot && heard.at[i].gone == gone)
            return true;
    return false;
}

static int set_up_with(unsigned caps)
{
    open_catalogue(caps, FOREVER);
    fake_put(f, "a", NULL, STATUS_RUNNING);
    fake_put(f, "b", NULL, STATUS_FAILED);
    fake_put(f, "c", NULL, STATUS_COMPLETED);
    heard.n = 0;
    catalogue_watch(c, hear, &heard);
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(ALL_CAPS);
}

static int set_up_without_changes(void **state)
{
    return set_up_with(0);
}

static void test_a_first_look_is_no_news(void **state)
{
    slot_now("a");
    assert_int_equal(heard.n, 0);
    time_passes();
    slot_now("a");
    assert_int_equal(heard.n, 0);
}

static void test_a_reading_that_finds_another_row(void **state)
{
    struct row_hold h = { 0 };
    uint32_t slot = slot_now("a");

    assert_int_equal(row("a", 0, &h), OK); /* the same row, read again */
    row_hold_fini(&h);
    assert_int_equal(heard.n, 0);
    fake_put(f, "a", NULL, STATUS_COMPLETED);
    time_passes();
    assert_int_equal(row("a", 0, &h), OK);
    row_hold_fini(&h);
    assert_int_equal(heard.n, 1);
    assert_true(heard_of(slot, false));
}

static void test_a_reading_that_finds_none(void **state)
{
    struct row_hold h = { 0 };
    uint32_t slot = slot_now("a");

    fake_del(f, "a");
    time_passes();
    assert_int_equal(row("a", 0, &h), ERR_NOT_FOUND);
    assert_true(heard_of(slot, true));
}

static void test_a_row_says_since_when_it_is_known(void **state)
{
    struct row_hold h = { 0 };
    int64_t before = clock_now_ms();

    assert_int_equal(row("a", INT64_MAX, &h), OK);
    assert_true(h.known_ms >= before && h.known_ms <= clock_now_ms());
    row_hold_fini(&h);
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    assert_int_equal(row("b", INT64_MAX, &h), OK);
    assert_non_null(h.listing);
    assert_int_equal(h.known_ms, listing_as_of_ms(h.listing));
    row_hold_fini(&h);
}

/* Numbers that were given before there was a listing cannot be compared with it. */
static void test_the_first_listing_tells_of_those_known_before(void **state)
{
    uint32_t a = slot_now("a");

    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    assert_int_equal(heard.n, 1);
    assert_true(heard_of(a, false));
}

static void test_a_refresh_tells_of_changed_rows_only(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    uint32_t a = slot_now("a"), b = slot_now("b"), z;
    fake_set_name(f, "b", "Orders");
    fake_put(f, "b", NULL, STATUS_COMPLETED);
    fake_put(f, "z", NULL, STATUS_RUNNING);
    heard.n = 0;
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:C c:C z:R ");
    z = slot_now("z");
    assert_true(heard_of(b, false));
    assert_false(heard_of(a, false));
    for (size_t i = 0; i < heard.n; i++) {
        assert_true(heard.at[i].slot == b || heard.at[i].slot == z);
        assert_ptr_equal(heard.at[i].name.p, intern_str(intern(heard.at[i].name)).p);
        if (heard.at[i].slot == b)
            assert_true(str_eq(heard.at[i].name, STR("Orders")));
    }
}

static void test_a_pass_over_everything_tells_what_differs(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    uint32_t a = slot_now("a"), b = slot_now("b"), gone = slot_now("c");
    fake_put(f, "b", NULL, STATUS_COMPLETED);
    fake_del(f, "c");
    fake_put(f, "d", NULL, STATUS_RUNNING);
    heard.n = 0;
    time_passes();
    assert_listed(LIST_INSTANCES, "a:R b:C d:R ");
    assert_true(heard_of(b, false));
    assert_true(heard_of(gone, true));
    assert_false(heard_of(a, false) || heard_of(a, true));
}

static void test_own_commands(void **state)
{
    uint32_t a = slot_now("a"), b = slot_now("b"), next;

    assert_int_equal(send(CMD_EVENT, "a", "Go", "{}"), OK);
    assert_int_equal(heard.n, 0); /* only the worker will change the row */
    assert_int_equal(send(CMD_REWIND, "b", NULL, NULL), OK);
    assert_true(heard_of(b, false));
    assert_int_equal(purge("c"), OK); /* never looked at: nobody can have been told */
    heard.n = 0;
    fake_put(f, "a", NULL, STATUS_COMPLETED);
    assert_int_equal(purge("a"), OK);
    assert_true(heard_of(a, true));
    fake_put(f, "a", NULL, STATUS_RUNNING);
    heard.n = 0;
    assert_int_equal(send(CMD_START, "a", "Orders", "{}"), OK);
    next = slot_now("a");
    assert_int_not_equal(next, a);
    assert_false(heard_of(a, false));
}

static void test_forgetting_tells_of_everything(void **state)
{
    slot_now("a");
    catalogue_forget(c);
    assert_int_equal(heard.n, 1);
    assert_int_equal(heard.at[0].slot, 0);
}

/* Rows that changed while everything was forgotten differ from the listing before. */
static void test_a_listing_after_forgetting_tells_what_differs(void **state)
{
    assert_listed(LIST_INSTANCES, "a:R b:F c:C ");
    await_listed();
    uint32_t a = slot_now("a"), b = slot_now("b");
    catalogue_forget(c);
    heard.n = 0;
    fake_del(f, "b");
    fake_put(f, "a", NULL, STATUS_FAILED);
    assert_listed(LIST_INSTANCES, "a:F c:C ");
    await_listed();
    for (bool told = false; !told;) { /* the thread that loads tells when all else is done */
        LOCK_SCOPE(&c->lock);
        told = heard_of(a, false) && heard_of(b, true);
    }
}

/* Its row has come, and then it went: who reads along must not be told of it. */
static void test_gone_while_the_listing_loads(void **state)
{
    f->page = 1;
    f->gate_page = 2;
    fake_gate(f, true);
    struct listing *l = open_listing(LIST_INSTANCES);
    fake_wait_for(f, 1);
    assert_false(catalogue_is_gone(c, STR("a")));
    fake_del(f, "a");
    lock_take(&c->lock);
    entry_learn_locked(c, entry_make_locked(c, STR("a")), NULL, ++c->clock, clock_now_ms());
    lock_drop(&c->lock);
    assert_true(catalogue_is_gone(c, STR("a")));
    assert_false(catalogue_is_gone(c, STR("b")));
    fake_gate(f, false);
    listing_unref(l);
    await_listed();
    assert_listed(LIST_INSTANCES, "b:F c:C ");
    assert_false(catalogue_is_gone(c, STR("a"))); /* the listing knows */
}

static struct listing *listing_of(const char *rows, uint32_t first_slot)
{
    struct listing *l = listing_new(0);
    struct block *b = block_new();
    for (const char *p = rows; *p; p += 2) { /* key, version */
        struct row r = { .id = { p, 1 },
                         .key = { p, 1 },
                         .name = STR("N"),
                         .status = STATUS_COMPLETED,
                         .created = 1,
                         .stamp = p[1] };
        assert_int_equal(block_add(b, &r), OK);
    }
    assert_int_equal(block_freeze(b), OK);
    for (size_t i = 0; i < block_count(b); i++)
        block_set_slot(b, i, first_slot + (uint32_t)(block_key(b, i).p[0] - 'a'));
    assert_int_equal(listing_append(l, b), OK);
    listing_complete(l);
    return l;
}

static void test_between_two_listings(void **state)
{
    CLEANUP(listing_unref) struct listing *old = listing_of("a1b1d1f1g1", 1);
    CLEANUP(listing_unref) struct listing *now = listing_of("a1b2c1d1g1h1", 1);
    CLEANUP(listing_unref) struct listing *other = listing_of("a1", 100);

    news_between(c, old, now);
    assert_int_equal(heard.n, 2);
    assert_true(heard_of(2, false)); /* b */
    assert_true(heard_of(6, true));  /* f */
    heard.n = 0;
    news_between(c, NULL, now);
    news_between(c, now, now);
    assert_int_equal(heard.n, 0);
    news_between(c, old, other); /* another life of a; the rest is gone */
    assert_int_equal(heard.n, 5);
    assert_true(heard_of(1, true) && heard_of(7, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_first_look_is_no_news, set_up, close_catalogue),
        cmocka_unit_test_setup_teardown(test_a_reading_that_finds_another_row, set_up,
                                        close_catalogue),
        cmocka_unit_test_setup_teardown(test_a_reading_that_finds_none, set_up, close_catalogue),
        cmocka_unit_test_setup_teardown(test_a_row_says_since_when_it_is_known, set_up,
                                        close_catalogue),
        cmocka_unit_test_setup_teardown(test_the_first_listing_tells_of_those_known_before, set_up,
                                        close_catalogue),
        cmocka_unit_test_setup_teardown(test_a_refresh_tells_of_changed_rows_only, set_up,
                                        close_catalogue),
        cmocka_unit_test_setup_teardown(test_a_pass_over_everything_tells_what_differs,
                                        set_up_without_changes, close_catalogue),
        cmocka_unit_test_setup_teardown(test_own_commands, set_up, close_catalogue),
        cmocka_unit_test_setup_teardown(test_forgetting_tells_of_everything, set_up,
                                        close_catalogue),
        cmocka_unit_test_setup_teardown(test_a_listing_after_forgetting_tells_what_differs, set_up,
                                        close_catalogue),
        cmocka_unit_test_setup_teardown(test_gone_while_the_listing_loads, set_up, close_catalogue),
        cmocka_unit_test_setup_teardown(test_between_two_listings, set_up, close_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
