#include "tests/backend/catalogue_fixture.h"

static int set_up(void **state)
{
    open_catalogue(ALL_CAPS, FOREVER);
    fake_put(f, "run", NULL, STATUS_RUNNING);
    fake_put(f, "big", NULL, STATUS_COMPLETED);
    fake_set_output_ref(f, "big", "blob-1");
    fake_put(f, "url", NULL, STATUS_COMPLETED);
    fake_set_output_ref(f, "url", "url-1");
    return 0;
}

static enum err details(const char *id, unsigned parts, int64_t max_age_ms, struct details *ret,
                        struct call *call)
{
    call_init(call, 20000);
    *ret = (struct details){ 0 };
    return catalogue_details(c, call, str_c(id), parts, max_age_ms, ret);
}

static void test_cells_come_with_the_row(void **state)
{
    struct call call;
    struct details d;
    assert_int_equal(details("run", PART_CELLS, FOREVER, &d, &call), OK);
    assert_non_null(d.instance);
    assert_null(d.input);
    details_fini(&d);
    assert_int_equal(details("run", PART_INPUT | PART_OUTPUT | PART_CUSTOM, FOREVER, &d, &call),
                     OK);
    assert_str(text_str(d.output), "\"out\"");
    assert_null(d.custom); /* there is none */
    details_fini(&d);
    details_fini(&d); /* accepts a finished one */
    assert_int_equal(f->gets, 1);
    assert_int_equal(f->payloads + f->histories, 0);
}

static void test_a_listed_row_needs_one_read(void **state)
{
    assert_listed(LIST_INSTANCES, "big:C run:R url:C ");
    struct call call;
    struct details d;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(details("run", PART_OUTPUT, FOREVER, &d, &call), OK);
        details_fini(&d);
    }
    assert_int_equal(f->gets, 1);
}

static void test_P4_a_payload_elsewhere_is_fetched_once(void **state)
{
    struct call call;
    struct details d;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(details("big", PART_OUTPUT, FOREVER, &d, &call), OK);
        assert_str(text_str(d.output), "blob-1");
        details_fini(&d);
    }
    assert_int_equal(f->gets, 1);
    assert_int_equal(f->payloads, 1);
}

static void test_B43_a_missing_blob(void **state)
{
    struct call call;
    struct details d;
    f->payload_missing = true;
    assert_int_equal(details("big", PART_OUTPUT, FOREVER, &d, &call), ERR_NOT_FOUND);
    assert_non_null(strstr(call.text, "payload blob missing"));
    assert_null(d.instance); /* untouched on failure */
    assert_int_equal(details("url", PART_OUTPUT, FOREVER, &d, &call), OK);
    assert_str(text_str(d.output), "https://account/container/blob");
    details_fini(&d);
}

static void test_L1_a_payload_above_the_limit(void **state)
{
    struct call call;
    struct details d;
    c->settings.payload_max_bytes = 5;
    assert_int_equal(details("run", PART_OUTPUT, FOREVER, &d, &call), OK); /* five bytes */
    details_fini(&d);
    assert_int_equal(details("big", PART_OUTPUT, FOREVER, &d, &call), ERR_TOO_BIG);
}

static void test_parts_go_when_the_row_changes(void **state)
{
    struct call call;
    struct details d;
    assert_int_equal(details("big", PART_OUTPUT | PART_HISTORY, FOREVER, &d, &call), OK);
    details_fini(&d);
    time_passes();
    assert_int_equal(details("big", PART_OUTPUT | PART_HISTORY, 1000, &d, &call), OK);
    details_fini(&d);
    assert_int_equal(f->gets, 2); /* asked, and found unchanged */
    assert_int_equal(f->payloads, 1);
    assert_int_equal(f->histories, 1);
    fake_set_output_ref(f, "big", "blob-2");
    time_passes();
    assert_int_equal(details("big", PART_OUTPUT | PART_HISTORY, 1000, &d, &call), OK);
    assert_str(text_str(d.output), "blob-2");
    details_fini(&d);
    assert_int_equal(f->payloads, 2);
    assert_int_equal(f->histories, 2);
}

static void test_a_younger_listing_makes_details_old(void **state)
{
    struct call call;
    struct details d;
    assert_listed(LIST_INSTANCES, "big:C run:R url:C ");
    await_listed();
    assert_int_equal(details("run", PART_CELLS, FOREVER, &d, &call), OK);
    details_fini(&d);
    fake_put(f, "run", NULL, STATUS_SUSPENDED);
    time_passes();
    assert_listed(LIST_INSTANCES, "big:C run:S url:C ");
    assert_int_equal(details("run", PART_CELLS, INT64_MAX, &d, &call), OK);
    assert_int_equal(d.instance->row.status, STATUS_SUSPENDED);
    details_fini(&d);
    assert_int_equal(f->gets, 2);
}

static void test_a_listing_confirms_details(void **state)
{
    struct call call;
    struct details d;
    assert_listed(LIST_INSTANCES, "big:C run:R url:C ");
    await_listed();
    assert_int_equal(details("run", PART_CELLS, FOREVER, &d, &call), OK);
    details_fini(&d);
    time_passes();
    assert_listed(LIST_INSTANCES, "big:C run:R url:C "); /* refreshed: nothing changed */
    assert_int_equal(details("run", PART_CELLS, FOREVER, &d, &call), OK);
    details_fini(&d);
    assert_int_equal(f->gets, 1);
}

static void test_events_and_history(void **state)
{
    struct call call;
    struct details d;
    assert_int_equal(details("big", PART_EVENTS, FOREVER, &d, &call), OK);
    assert_int_equal(d.history->count, 2); /* unresolved */
    details_fini(&d);
    assert_int_equal(details("big", PART_HISTORY, FOREVER, &d, &call), OK);
    assert_int_equal(d.history->count, 1);
    details_fini(&d);
    assert_int_equal(f->histories, 2);
    assert_int_equal(details("big", PART_EVENTS, FOREVER, &d, &call),
                     OK); /* the better one serves */
    details_fini(&d);
    assert_int_equal(details("run", PART_EVENTS, FOREVER, &d, &call), OK);
    details_fini(&d);
    assert_int_equal(details("run", PART_HISTORY, FOREVER, &d, &call), OK); /* nothing elsewhere */
    details_fini(&d);
    assert_int_equal(f->histories, 3);
}

static void test_local_calls_fetch_nothing(void **state)
{
    struct call call;
    struct details d = { 0 };
    call_init_local(&call);
    assert_int_equal(catalogue_details(c, &call, STR("big"), PART_CELLS, INT64_MAX, &d),
                     ERR_WOULD_BLOCK);
    assert_int_equal(status_now("big", INT64_MAX), STATUS_COMPLETED);
    assert_int_equal(catalogue_details(c, &call, STR("big"), PART_CELLS, INT64_MAX, &d), OK);
    details_fini(&d);
    assert_int_equal(catalogue_details(c, &call, STR("big"), PART_OUTPUT, INT64_MAX, &d),
                     ERR_WOULD_BLOCK);
    assert_int_equal(catalogue_details(c, &call, STR("big"), PART_EVENTS, INT64_MAX, &d),
                     ERR_WOULD_BLOCK);
    assert_int_equal(f->payloads + f->histories, 0);
}

/* -- many at once -- */

enum { READERS = 8 };

struct reader {
    const char *id;
    unsigned parts;
    struct call call;
    enum err err;
    bool right;
};

static void *read_one(void *arg)
{
    struct reader *r = arg;
    struct details d = { 0 };
    r->err = catalogue_details(c, &r->call, str_c(r->id), r->parts, FOREVER, &d);
    r->right =
        r->err == OK && (!(r->parts & PART_OUTPUT) || str_eq(text_str(d.output), STR("blob-1")));
    details_fini(&d);
    return NULL;
}

static void start(struct reader *r, pthread_t *thread, unsigned parts)
{
    *r = (struct reader){ .id = "big", .parts = parts, .err = ERR_BUG };
    call_init(&r->call, 20000);
    pthread_create(thread, NULL, read_one, r);
}

static void test_P12_one_payload_for_many_readers(void **state)
{
    struct reader readers[READERS];
    pthread_t threads[READERS];
    assert_int_equal(status_now("big", FOREVER), STATUS_COMPLETED);
    fake_gate(f, true);
    for (int i = 0; i < READERS; i++)
        start(&readers[i], &threads[i], PART_OUTPUT | PART_HISTORY);
    fake_wait_for(f, 1);
    clock_sleep_ms(20);
    fake_gate(f, false);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(readers[i].right);
    }
    assert_int_equal(f->payloads, 1);
    assert_int_equal(f->histories, 1);
    assert_int_equal(f->gets, 1);
}

static void test_a_cancelled_leader_is_followed_by_the_next(void **state)
{
    struct reader readers[3];
    pthread_t threads[3];
    assert_int_equal(status_now("big", FOREVER), STATUS_COMPLETED);
    fake_gate(f, true);
    start(&readers[0], &threads[0], PART_OUTPUT);
    fake_wait_for(f, 1);
    start(&readers[1], &threads[1], PART_OUTPUT);
    start(&readers[2], &threads[2], PART_OUTPUT);
    call_cancel(&readers[0].call);
    pthread_join(threads[0], NULL);
    assert_int_equal(readers[0].err, ERR_CANCELLED);
    fake_wait_for(f, 1);
    fake_gate(f, false);
    for (int i = 1; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_true(readers[i].right);
    }
    assert_int_equal(f->payloads, 2);
}

static void test_a_row_that_changes_meanwhile_is_not_mixed(void **state)
{
    struct reader r;
    pthread_t thread;
    assert_int_equal(status_now("big", FOREVER), STATUS_COMPLETED);
    fake_gate(f, true);
    start(&r, &thread, PART_OUTPUT);
    fake_wait_for(f, 1);
    fake_set_output_ref(f, "big", "blob-2");
    fake_gate(f, false);
    pthread_join(thread, NULL);
    assert_true(r.right); /* the version that it began with */
    struct call call;
    struct details d;
    time_passes();
    assert_int_equal(details("big", PART_OUTPUT, 1000, &d, &call), OK);
    assert_str(text_str(d.output), "blob-2");
    details_fini(&d);
}

/* -- budget -- */

static void test_L13_the_oldest_details_go(void **state)
{
    char id[16];
    for (int i = 0; i < 400; i++) {
        snprintf(id, sizeof id, "i%03d", i);
        fake_put(f, id, NULL, STATUS_COMPLETED);
    }
    c->settings.cache_max_bytes = 100 * KIB;
    struct call call;
    struct details d;
    for (int i = 0; i < 400; i++) {
        snprintf(id, sizeof id, "i%03d", i);
        assert_int_equal(details(id, PART_HISTORY, FOREVER, &d, &call), OK);
        details_fini(&d);
        struct catalogue_stats stats;
        catalogue_stats(c, &stats);
        assert_true(stats.cache_bytes <= 100 * KIB);
    }
    unsigned gets = f->gets;
    assert_int_equal(details("i399", PART_HISTORY, FOREVER, &d, &call), OK);
    details_fini(&d);
    assert_int_equal(f->gets, gets);
    assert_int_equal(details("i000", PART_HISTORY, FOREVER, &d, &call), OK);
    details_fini(&d);
    assert_int_equal(f->gets, gets + 1);
}

static void test_without_any_room_everything_still_works(void **state)
{
    c->settings.cache_max_bytes = 0;
    assert_listed(LIST_INSTANCES, "big:C run:R url:C ");
    struct call call;
    struct details d;
    assert_int_equal(details("big", PART_OUTPUT | PART_HISTORY, FOREVER, &d, &call), OK);
    assert_str(text_str(d.output), "blob-1");
    details_fini(&d);
    assert_int_equal(send(CMD_START, "new", "Flow", NULL), OK);
    assert_int_equal(status_now("run", 0), STATUS_RUNNING);
    assert_listed(LIST_INSTANCES, "big:C new:P run:R url:C ");
}

static void test_hits_and_misses(void **state)
{
    struct call call;
    struct details d;
    struct catalogue_stats stats;
    assert_int_equal(details("big", PART_OUTPUT, FOREVER, &d, &call), OK);
    details_fini(&d);
    assert_int_equal(details("big", PART_OUTPUT, FOREVER, &d, &call), OK);
    details_fini(&d);
    assert_int_equal(status_now("big", FOREVER), STATUS_COMPLETED);
    catalogue_stats(c, &stats);
    assert_int_equal(stats.misses, 1);
    assert_int_equal(stats.hits, 2);
    assert_false(stats.listed);
}

int main(void)
{
#define UNIT(t) cmocka_unit_test_setup_teardown(t, set_up, close_catalogue)
    const struct CMUnitTest tests[] = {
        UNIT(test_cells_come_with_the_row),
        UNIT(test_a_listed_row_needs_one_read),
        UNIT(test_P4_a_payload_elsewhere_is_fetched_once),
        UNIT(test_B43_a_missing_blob),
        UNIT(test_L1_a_payload_above_the_limit),
        UNIT(test_parts_go_when_the_row_changes),
        UNIT(test_a_younger_listing_makes_details_old),
        UNIT(test_a_listing_confirms_details),
        UNIT(test_events_and_history),
        UNIT(test_local_calls_fetch_nothing),
        UNIT(test_P12_one_payload_for_many_readers),
        UNIT(test_a_cancelled_leader_is_followed_by_the_next),
        UNIT(test_a_row_that_changes_meanwhile_is_not_mixed),
        UNIT(test_L13_the_oldest_details_go),
        UNIT(test_without_any_room_everything_still_works),
        UNIT(test_hits_and_misses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
