#include "backend/listing_build.h"
#include "tests/backend/catalogue_fixture.h"

static int set_up(void **state)
{
    open_catalogue(ALL_CAPS, FOREVER);
    fake_put(f, "run", NULL, STATUS_RUNNING);
    fake_put(f, "done", NULL, STATUS_COMPLETED);
    fake_put(f, "a/b", "a^2Fb", STATUS_RUNNING);
    return 0;
}

static void test_P4_one_read_serves_row_and_cells(void **state)
{
    assert_int_equal(status_now("run", INT64_MAX), STATUS_RUNNING); /* lookup */
    assert_int_equal(status_now("run", FOREVER), STATUS_RUNNING);   /* open status */
    struct call call;
    call_init(&call, 1000);
    struct details d = { 0 };
    assert_int_equal(catalogue_details(c, &call, STR("run"), PART_OUTPUT | PART_INPUT, FOREVER, &d),
                     OK);
    assert_str(text_str(d.output), "\"out\"");
    assert_str(text_str(d.input), "{\"in\":1}");
    details_fini(&d);
    assert_int_equal(f->gets, 1);
    assert_int_equal(f->lists + f->changes + f->keys, 0); /* mounting and looking up list nothing */
}

static void test_an_unfinished_row_ages(void **state)
{
    assert_int_equal(status_now("run", FOREVER), STATUS_RUNNING);
    fake_put(f, "run", NULL, STATUS_SUSPENDED);
    assert_int_equal(status_now("run", FOREVER), STATUS_RUNNING);
    time_passes();
    assert_int_equal(status_now("run", INT64_MAX), STATUS_RUNNING); /* any age */
    assert_int_equal(f->gets, 1);
    assert_int_equal(status_now("run", FOREVER), STATUS_SUSPENDED);
    assert_int_equal(f->gets, 2);
}

static void test_age_zero_always_asks_and_once(void **state)
{
    assert_int_equal(status_now("run", 0), STATUS_RUNNING);
    assert_int_equal(f->gets, 1);
    clock_sleep_ms(3);
    assert_int_equal(status_now("run", 0), STATUS_RUNNING);
    assert_int_equal(f->gets, 2);
}

static void test_L15_a_finished_row_may_be_older(void **state)
{
    assert_int_equal(status_now("done", 0), STATUS_COMPLETED);
    clock_sleep_ms(3);
    assert_int_equal(status_now("done", 0), STATUS_COMPLETED);
    assert_int_equal(f->gets, 1);
    time_passes();
    assert_int_equal(status_now("done", 0), STATUS_COMPLETED);
    assert_int_equal(f->gets, 2);
}

static void test_L15_not_there_is_believed_for_a_second(void **state)
{
    struct row_hold h = { 0 };
    assert_int_equal(row("new", INT64_MAX, &h), ERR_NOT_FOUND);
    fake_put(f, "new", NULL, STATUS_PENDING);
    assert_int_equal(row("new", INT64_MAX, &h), ERR_NOT_FOUND);
    assert_int_equal(f->gets, 1);
    time_passes();
    assert_int_equal(status_now("new", INT64_MAX), STATUS_PENDING);
    assert_int_equal(f->gets, 2);
}

static void test_local_calls_take_what_is_there(void **state)
{
    struct call call;
    struct row_hold h = { 0 };
    call_init_local(&call);
    assert_int_equal(catalogue_row(c, &call, STR("run"), INT64_MAX, &h), ERR_WOULD_BLOCK);
    assert_int_equal(f->gets, 0);
    assert_int_equal(status_now("run", INT64_MAX), STATUS_RUNNING);
    assert_int_equal(catalogue_row(c, &call, STR("run"), INT64_MAX, &h), OK);
    row_hold_fini(&h);
    time_passes();
    assert_int_equal(catalogue_row(c, &call, STR("run"), 5, &h), ERR_WOULD_BLOCK);
    assert_int_equal(f->gets, 1);
    row_hold_fini(&h); /* accepts a zeroed one */
}

static void test_the_listing_serves_rows(void **state)
{
    assert_listed(LIST_INSTANCES, "a/b:R done:C run:R ");
    struct row_hold h = { 0 };
    assert_int_equal(row("run", FOREVER, &h), OK);
    assert_non_null(h.listing);
    row_hold_fini(&h);
    assert_int_equal(status_now("a/b", FOREVER), STATUS_RUNNING); /* its key is another */
    assert_int_equal(row("a^2Fb", INT64_MAX, &h), ERR_NOT_FOUND); /* a key is no id */
    assert_int_equal(f->gets, 1);
}

static void test_an_unlisted_name_is_looked_up(void **state)
{
    assert_listed(LIST_INSTANCES, "a/b:R done:C run:R ");
    fake_put(f, "new", NULL, STATUS_PENDING);
    assert_int_equal(status_now("new", INT64_MAX), STATUS_PENDING);
    assert_int_equal(f->gets, 1);
    assert_listed(LIST_INSTANCES, "a/b:R done:C new:P run:R "); /* and is listed from now on */
    assert_int_equal(f->changes, 0);
}

static void test_a_row_that_a_read_showed_gone_leaves_the_listing(void **state)
{
    assert_listed(LIST_INSTANCES, "a/b:R done:C run:R ");
    await_listed();
    fake_del(f, "run");
    struct row_hold h = { 0 };
    assert_int_equal(status_now("run", INT64_MAX), STATUS_RUNNING);
    time_passes();
    listing_confirm(c->shelves[0].current, clock_now_ms()); /* the listing is young again */
    assert_int_equal(row("run", -1, &h), ERR_NOT_FOUND);
    assert_listed(LIST_INSTANCES, "a/b:R done:C ");
    assert_int_equal(row("run", INT64_MAX, &h), ERR_NOT_FOUND);
}

static void test_a_message_makes_the_next_look_fresh(void **state)
{
    assert_int_equal(status_now("run", FOREVER), STATUS_RUNNING);
    assert_int_equal(send(CMD_EVENT, "run", "E", "1"), OK); /* reads the row afresh itself */
    unsigned gets = f->gets;
    assert_int_equal(status_now("run", INT64_MAX), STATUS_RUNNING);
    assert_int_equal(f->gets, gets);
    assert_int_equal(status_now("run", FOREVER), STATUS_RUNNING);
    assert_int_equal(f->gets, gets + 1);
    assert_int_equal(status_now("run", FOREVER), STATUS_RUNNING);
    assert_int_equal(f->gets, gets + 1);
}

static void test_errors_pass_and_are_not_kept(void **state)
{
    struct row_hold h = { 0 };
    fake_fail(f, ERR_UNREACHABLE);
    struct call call;
    call_init(&call, 1000);
    assert_int_equal(catalogue_row(c, &call, STR("run"), INT64_MAX, &h), ERR_UNREACHABLE);
    assert_string_equal(call.text, "the fake hub was told to fail");
    fake_fail(f, OK);
    assert_int_equal(status_now("run", INT64_MAX), STATUS_RUNNING);
}

/* -- many at once -- */

enum { READERS = 8 };

struct reader {
    struct call call;
    enum err err;
};

static void *read_row(void *arg)
{
    struct reader *r = arg;
    struct row_hold h = { 0 };
    r->err = catalogue_row(c, &r->call, STR("run"), FOREVER, &h);
    row_hold_fini(&h);
    return NULL;
}

static void start(struct reader *readers, pthread_t *threads)
{
    for (int i = 0; i < READERS; i++) {
        readers[i].err = ERR_BUG;
        call_init(&readers[i].call, 20000);
        pthread_create(&threads[i], NULL, read_row, &readers[i]);
    }
}

static void test_P12_one_fetch_for_all(void **state)
{
    struct reader readers[READERS];
    pthread_t threads[READERS];
    fake_gate(f, true);
    start(readers, threads);
    fake_wait_for(f, 1);
    clock_sleep_ms(20); /* the others reach the flight, or come later and find the row */
    fake_gate(f, false);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].err, OK);
    }
    assert_int_equal(f->gets, 1);
}

static void test_a_failure_is_everybodys(void **state)
{
    struct reader readers[READERS];
    pthread_t threads[READERS];
    fake_gate(f, true);
    start(readers, threads);
    fake_wait_for(f, 1);
    clock_sleep_ms(200); /* all others are waiting by now, or fail by themselves */
    fake_fail(f, ERR_DENIED);
    fake_gate(f, false);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].err, ERR_DENIED);
        assert_string_equal(readers[i].call.text, "the fake hub was told to fail");
    }
}

static void test_if_the_leader_leaves_another_takes_over(void **state)
{
    struct reader readers[READERS];
    pthread_t threads[READERS];
    fake_gate(f, true);
    readers[0].err = ERR_BUG;
    call_init(&readers[0].call, 20000);
    pthread_create(&threads[0], NULL, read_row, &readers[0]);
    fake_wait_for(f, 1); /* the leader is known */
    for (int i = 1; i < READERS; i++) {
        readers[i].err = ERR_BUG;
        call_init(&readers[i].call, 20000);
        pthread_create(&threads[i], NULL, read_row, &readers[i]);
    }
    call_cancel(&readers[0].call);
    pthread_join(threads[0], NULL);
    assert_int_equal(readers[0].err, ERR_CANCELLED);
    fake_wait_for(f, 1);
    call_cancel(&readers[1].call); /* whoever leads now: this one leaves within its slice */
    pthread_join(threads[1], NULL);
    assert_int_equal(readers[1].err, ERR_CANCELLED);
    fake_gate(f, false);
    for (int i = 2; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].err, OK);
    }
}

/* -- random ids, changes and ages from many threads; for the sanitizers -- */

static unsigned wrong; /* A: an assert of cmocka's would leave the wrong thread */

static void expect(bool what)
{
    if (!what)
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
}

static void *stir(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    for (int i = 0; i < 300; i++) {
        char id[16];
        snprintf(id, sizeof id, "id%d", rand_r(&seed) % 20);
        struct call call;
        call_init(&call, 20000);
        switch (rand_r(&seed) % 6) {
        case 0:
            fake_put(f, id, NULL, rand_r(&seed) % 2 ? STATUS_RUNNING : STATUS_COMPLETED);
            break;
        case 1: {
            struct listing *l = NULL;
            expect(catalogue_listing(c, &call, LIST_INSTANCES, &l) == OK);
            listing_unref(l);
            break;
        }
        case 2: {
            struct receipt receipt;
            enum err err = catalogue_purge(c, &call, str_c(id), &receipt);
            expect(err == OK || err == ERR_NOT_FOUND || err == ERR_BUSY);
            break;
        }
        case 3: {
            struct details d = { 0 };
            enum err err =
                catalogue_details(c, &call, str_c(id), PART_OUTPUT | PART_HISTORY, 1, &d);
            expect(err == OK || err == ERR_NOT_FOUND);
            details_fini(&d);
            break;
        }
        case 4:
            if (rand_r(&seed) % 10 == 0)
                catalogue_forget(c);
            break;
        default: {
            struct row_hold h = { 0 };
            enum err err = catalogue_row(c, &call, str_c(id), rand_r(&seed) % 3, &h);
            expect(err == OK || err == ERR_NOT_FOUND);
            if (err == OK)
                expect(str_eq(h.row.id, str_c(id)) && h.row.slot);
            row_hold_fini(&h);
        }
        }
    }
    return NULL;
}

static void test_many_threads_agree_in_the_end(void **state)
{
    c->settings.ttl_ms = 1;
    c->sweep_ms = 1;
    pthread_t threads[6];
    for (uintptr_t i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, stir, (void *)(i + 1));
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(wrong, 0);
    /* Quiet now: what is listed afresh is what the hub has, and every slot is there once. */
    struct listing *l = open_listing(LIST_INSTANCES);
    listing_unref(l);
    await_listed(); /* a load that is under way would be followed, and may have begun long ago */
    catalogue_forget(c);
    l = open_listing(LIST_INSTANCES);
    char got[512];
    list_into(l, got, sizeof got);
    assert_int_equal(listing_count(l), f->count);
    static const struct listing_filter all = { .kind = FILTER_ALL };
    uint32_t slots[64];
    size_t n = 0;
    uint64_t cursor = 0;
    for (struct row r; n < f->count; n++) {
        struct call call;
        call_init(&call, 1000);
        bool more;
        assert_int_equal(listing_next(l, &call, &all, &cursor, &r, &more), OK);
        assert_str(r.id, f->rows[n].id);
        assert_int_equal(r.status, f->rows[n].status);
        slots[n] = r.slot;
        for (size_t k = 0; k < n; k++)
            assert_int_not_equal(slots[k], slots[n]);
        assert_int_equal(slot_now(f->rows[n].id), slots[n]);
    }
    listing_unref(l);
}

int main(void)
{
#define UNIT(t) cmocka_unit_test_setup_teardown(t, set_up, close_catalogue)
    const struct CMUnitTest tests[] = {
        UNIT(test_P4_one_read_serves_row_and_cells),
        UNIT(test_an_unfinished_row_ages),
        UNIT(test_age_zero_always_asks_and_once),
        UNIT(test_L15_a_finished_row_may_be_older),
        UNIT(test_L15_not_there_is_believed_for_a_second),
        UNIT(test_local_calls_take_what_is_there),
        UNIT(test_the_listing_serves_rows),
        UNIT(test_an_unlisted_name_is_looked_up),
        UNIT(test_a_row_that_a_read_showed_gone_leaves_the_listing),
        UNIT(test_a_message_makes_the_next_look_fresh),
        UNIT(test_errors_pass_and_are_not_kept),
        UNIT(test_P12_one_fetch_for_all),
        UNIT(test_a_failure_is_everybodys),
        UNIT(test_if_the_leader_leaves_another_takes_over),
        UNIT(test_many_threads_agree_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
