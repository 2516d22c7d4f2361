/* What is read before it is asked for, and what never is. Requests are counted, not timed: windows
 * are read by other threads, but a reader waits for the one that holds what it wants. */
#include "tests/backend/catalogue_fixture.h"

static void open_with(int rows, size_t cache_max_bytes)
{
    f = fake_hub_new(ALL_CAPS | CAP_SPANS);
    struct catalogue_settings settings = { FOREVER, cache_max_bytes, 64 * MIB };
    c = catalogue_new(&f->hub, &settings);
    assert_non_null(c);
    for (int i = 0; i < rows; i++) {
        char id[64];
        snprintf(id, sizeof id, "id-%05d", i);
        fake_put(f, id, NULL, i % 25 == 0 ? STATUS_FAILED : STATUS_COMPLETED);
    }
    listing_unref(open_listing(LIST_INSTANCES));
    await_listed();
}

static int set_up(void **state)
{
    open_with(600, 64 * MIB);
    return 0;
}

static enum err look_with(struct call *call, const char *id, unsigned parts)
{
    struct details d = { 0 };
    enum err err = catalogue_details(c, call, str_c(id), parts, FOREVER, &d);
    if (err == OK) {
        assert_str(d.instance->row.id, id);
        if (parts & PART_OUTPUT)
            assert_str(text_str(d.output), "\"out\"");
        if (parts & (PART_EVENTS | PART_HISTORY))
            assert_true(d.history && d.history->count >= 1);
    }
    details_fini(&d);
    return err;
}

static enum err look(const char *id, unsigned parts)
{
    struct call call;
    call_init(&call, 20000);
    return look_with(&call, id, parts);
}

static void look_at(int i, unsigned parts)
{
    char id[64];
    snprintf(id, sizeof id, "id-%05d", i);
    assert_int_equal(look(id, parts), OK);
}

static void walk(int from, int to, int step, unsigned parts)
{
    for (int i = from; i < to; i += step)
        look_at(i, parts);
}

static unsigned asked(const unsigned *counter)
{
    return fake_asked(f, counter);
}

/* Nothing under way any more. */
static void settle_windows(void)
{
    for (bool busy = true; busy;) {
        LOCK_SCOPE(&c->lock);
        busy = c->ahead.windows;
    }
}

static struct catalogue_stats stats_now(void)
{
    struct catalogue_stats stats;
    catalogue_stats(c, &stats);
    return stats;
}

/* -- what begins nothing -- */

static void test_a_single_look_reads_itself_only(void **state)
{
    look_at(10, PART_OUTPUT | PART_EVENTS);
    look_at(11, PART_OUTPUT | PART_EVENTS);
    look_at(11, PART_INPUT);
    look_at(10, PART_OUTPUT);
    assert_int_equal(asked(&f->gets), 2);
    assert_int_equal(asked(&f->spans) + asked(&f->many_histories), 0);
    assert_int_equal(stats_now().read_ahead, 0);
}

static void test_looks_here_and_there(void **state)
{
    for (int i = 0; i < 40; i++)
        look_at(i * 257 % 600, PART_OUTPUT);
    assert_int_equal(asked(&f->spans), 0);
}

static void test_backwards(void **state)
{
    for (int i = 200; i > 150; i--)
        look_at(i, PART_OUTPUT);
    assert_int_equal(asked(&f->spans), 0);
}

static void test_names_and_rows(void **state)
{
    for (int i = 0; i < 600; i++) {
        char id[64];
        struct row_hold h = { 0 };
        snprintf(id, sizeof id, "id-%05d", i);
        assert_int_equal(row(id, FOREVER, &h), OK);
        row_hold_fini(&h);
    }
    assert_int_equal(asked(&f->gets) + asked(&f->spans), 0);
}

static void test_long_ago_is_no_walk(void **state)
{
    for (int i = 0; i < 8; i++) {
        look_at(i, PART_OUTPUT);
        LOCK_SCOPE(&c->lock);
        for (int s = 0; s < AHEAD_STREAMS; s++)
            c->ahead.streams[s].used_ms -= AHEAD_IDLE_MS + 1;
    }
    assert_int_equal(asked(&f->gets), 8);
    assert_int_equal(asked(&f->spans), 0);
}

static void test_without_a_listing(void **state)
{
    catalogue_forget(c);
    walk(0, 20, 1, PART_OUTPUT);
    assert_int_equal(asked(&f->gets), 20);
    assert_int_equal(asked(&f->spans), 0);
}

static void test_what_we_read_again_ourselves(void **state)
{
    for (int i = 0; i < 10; i++) {
        char id[64];
        snprintf(id, sizeof id, "id-%05d", i);
        LOCK_SCOPE(&c->lock);
        struct entry *e = entry_make_locked(c, str_c(id));
        e->changed = ++c->clock;
        entry_set_dirty_locked(c, e);
    }
    listing_unref(open_listing(LIST_INSTANCES));
    assert_int_equal(asked(&f->gets), 10);
    assert_int_equal(asked(&f->spans), 0);
}

/* Sees what is at hand of id-NNNNN and its successors, until something is not. */
static int glance_along(int from, int to)
{
    for (int i = from; i < to; i++) {
        char id[64];
        struct call call;
        snprintf(id, sizeof id, "id-%05d", i);
        call_init_local(&call);
        call.glance = true;
        if (look_with(&call, id, PART_OUTPUT) != OK)
            return i;
        settle_windows();
    }
    return to;
}

static void test_names_draw_no_window_after_window(void **state)
{
    catalogue_free(c);
    open_with(5000, 64 * MIB);
    walk(0, 200, 1, PART_OUTPUT); /* somebody reads, and stops */
    settle_windows();
    unsigned rows = asked(&f->span_rows);
    /* Somebody else lists directories, or the same one wants no more than sizes. */
    int seen = glance_along(200, 5000);
    assert_true(asked(&f->span_rows) > rows);
    assert_true(asked(&f->span_rows) <= 200 + 3 * AHEAD_ROWS);
    assert_true(seen < 200 + 3 * AHEAD_ROWS);
    unsigned gets = asked(&f->gets);
    look_at(seen, PART_OUTPUT); /* the same one: it goes on */
    assert_true(glance_along(seen + 1, 5000) > seen + AHEAD_ROWS / 2);
    assert_int_equal(asked(&f->gets), gets);
}

/* -- what begins windows -- */

static void test_a_walk_costs_few_requests(void **state)
{
    walk(0, 600, 1, PART_OUTPUT);
    assert_int_equal(asked(&f->gets), AHEAD_BEGIN - 1);
    assert_true(asked(&f->spans) <= 4);
    assert_int_equal(asked(&f->span_rows), 600 - (AHEAD_BEGIN - 1)); /* none twice */
    struct catalogue_stats stats = stats_now();
    assert_int_equal(stats.read_ahead, 600 - (AHEAD_BEGIN - 1));
    assert_int_equal(stats.read_ahead_used, stats.read_ahead);
    assert_int_equal(c->ahead.bytes, 0);
    assert_null(c->ahead.newest);
    walk(0, 600, 1, PART_OUTPUT | PART_INPUT);
    assert_int_equal(asked(&f->gets), AHEAD_BEGIN - 1);
    assert_true(asked(&f->spans) <= 4);
}

static void test_windows_begin_small(void **state)
{
    walk(0, AHEAD_BEGIN, 1, PART_OUTPUT);
    settle_windows();
    assert_int_equal(asked(&f->spans), 1);
    assert_int_equal(asked(&f->span_rows), AHEAD_FIRST);
    assert_string_equal(f->last_from, "id-00002");
}

static void test_what_is_there_is_answered_at_once(void **state)
{
    walk(0, AHEAD_BEGIN, 1, PART_OUTPUT);
    settle_windows();
    struct call call;
    call_init_local(&call);
    assert_int_equal(look_with(&call, "id-00005", PART_OUTPUT), OK);
    assert_int_equal(look_with(&call, "id-00300", PART_OUTPUT), ERR_WOULD_BLOCK);
}

static void test_two_walks_at_once(void **state)
{
    for (int i = 0; i < 300; i++) {
        look_at(i, PART_OUTPUT);
        look_at(300 + i, PART_OUTPUT);
    }
    assert_int_equal(asked(&f->gets), 2 * (AHEAD_BEGIN - 1));
    assert_true(asked(&f->spans) <= 8);
    assert_true(asked(&f->span_rows) <= 900);
}

/* xargs -P: neighbours taken in turns by several. */
static void test_one_walk_in_pieces(void **state)
{
    for (int piece = 0; piece < 600; piece += 200)
        for (int i = 0; i < 50; i++)
            for (int p = 0; p < 4; p++)
                look_at(piece + p * 50 + i, PART_OUTPUT);
    assert_true(asked(&f->gets) <= 4 * AHEAD_BEGIN);
    assert_true(asked(&f->spans) <= 12);
    assert_true(asked(&f->span_rows) <= 640);
}

static void test_a_sparse_walk_keeps_what_it_wants(void **state)
{
    walk(0, 600, 25, PART_OUTPUT); /* by-status/Failed */
    settle_windows();
    assert_true(asked(&f->gets) < 24);
    assert_true(asked(&f->spans) > 0);
    for (struct entry *e = c->newest; e; e = e->older)
        assert_int_equal(e->in->row.status, STATUS_FAILED);
}

static void test_too_sparse_to_pay(void **state)
{
    walk(0, 600, 75, PART_OUTPUT);
    assert_int_equal(asked(&f->gets), 8);
    assert_int_equal(asked(&f->spans), 0);
}

static void test_entities_are_walks_of_their_own(void **state)
{
    for (int i = 0; i < 50; i++) {
        char id[64];
        snprintf(id, sizeof id, "@counter@%02d", i);
        fake_put(f, id, NULL, STATUS_RUNNING);
    }
    listing_unref(open_listing(LIST_ENTITIES));
    for (bool loading = true; loading;) {
        LOCK_SCOPE(&c->lock);
        loading = !c->shelves[1].current;
    }
    for (int i = 0; i < 50; i++) {
        char id[64];
        snprintf(id, sizeof id, "@counter@%02d", i);
        assert_int_equal(look(id, PART_INPUT), OK);
        look_at(i, PART_OUTPUT);
    }
    assert_int_equal(asked(&f->gets), 2 * (AHEAD_BEGIN - 1));
}

/* -- what happens meanwhile -- */

static void *look_at_third(void *arg)
{
    return (void *)(intptr_t)look_with(arg, "id-00002", PART_OUTPUT);
}

/* A window of id-00002 to id-00017 stands at the gate, and its reader waits. */
static pthread_t begin_gated(struct call *call)
{
    pthread_t thread;
    walk(0, AHEAD_BEGIN - 1, 1, PART_OUTPUT);
    fake_gate(f, true);
    assert_int_equal(pthread_create(&thread, NULL, look_at_third, call), 0);
    fake_wait_for(f, 1);
    return thread;
}

static enum err end_gated(pthread_t thread)
{
    void *err;
    fake_gate(f, false);
    pthread_join(thread, &err);
    settle_windows();
    return (enum err)(intptr_t)err;
}

static void test_a_changed_row_is_not_believed(void **state)
{
    struct call call;
    call_init(&call, 20000);
    pthread_t thread = begin_gated(&call);
    lock_take(&c->lock);
    struct entry *e = entry_make_locked(c, STR("id-00010"));
    e->changed = e->touched = ++c->clock; /* a command of ours */
    lock_drop(&c->lock);
    assert_int_equal(end_gated(thread), OK);
    unsigned gets = asked(&f->gets);
    look_at(9, PART_OUTPUT);
    assert_int_equal(asked(&f->gets), gets);
    look_at(10, PART_OUTPUT);
    assert_int_equal(asked(&f->gets), gets + 1);
}

static void test_a_change_that_is_forgotten_is_not_undone(void **state)
{
    struct call call;
    call_init(&call, 20000);
    pthread_t thread = begin_gated(&call);
    lock_take(&c->lock);
    struct entry *e = entry_make_locked(c, STR("id-00010"));
    e->touched = ++c->clock;
    entry_drop_locked(c, e); /* memory was wanted */
    lock_drop(&c->lock);
    assert_int_equal(end_gated(thread), OK); /* it asks by itself */
    LOCK_SCOPE(&c->lock);
    assert_null(map_get(&c->entries, STR("id-00010")));
}

static void test_refresh_voids_what_is_under_way(void **state)
{
    struct call call;
    call_init(&call, 20000);
    pthread_t thread = begin_gated(&call);
    catalogue_forget(c);
    assert_int_equal(end_gated(thread), OK);
    LOCK_SCOPE(&c->lock);
    assert_null(map_get(&c->entries, STR("id-00010")));
}

static void test_a_deleted_row_is_not_found(void **state)
{
    fake_del(f, "id-00005");
    walk(0, 5, 1, PART_OUTPUT);
    assert_int_equal(look("id-00005", PART_OUTPUT), ERR_NOT_FOUND);
    walk(6, 40, 1, PART_OUTPUT);
    assert_int_equal(asked(&f->gets), AHEAD_BEGIN);
}

static void test_a_new_row_becomes_known(void **state)
{
    fake_put(f, "id-00005b", NULL, STATUS_RUNNING);
    walk(0, 40, 1, PART_OUTPUT);
    assert_int_equal(status_now("id-00005b", INT64_MAX), STATUS_RUNNING);
    assert_int_equal(asked(&f->gets), AHEAD_BEGIN - 1);
}

static void test_a_younger_reading_counts(void **state)
{
    struct call call;
    call_init(&call, 20000);
    pthread_t thread = begin_gated(&call);
    lock_take(&c->lock);
    struct entry *e = entry_make_locked(c, STR("id-00010"));
    struct instance *in = instance_new();
    in->row.id = in->row.key = STR("id-00010");
    in->row.stamp = f->now + FAKE_STEP;
    in->row.status = STATUS_TERMINATED;
    entry_learn_locked(c, e, in, ++c->clock, clock_now_ms());
    lock_drop(&c->lock);
    assert_int_equal(end_gated(thread), OK);
    assert_int_equal(status_now("id-00010", INT64_MAX), STATUS_TERMINATED);
}

static void test_an_interrupted_reader(void **state)
{
    struct call call;
    call_init(&call, 20000);
    pthread_t thread = begin_gated(&call);
    call_cancel(&call);
    void *err;
    pthread_join(thread, &err);
    assert_int_equal((enum err)(intptr_t)err, ERR_CANCELLED);
    fake_gate(f, false);
    settle_windows();
    look_at(10, PART_OUTPUT); /* what he began is there for others */
    assert_int_equal(asked(&f->gets), AHEAD_BEGIN - 1);
}

static void test_the_end_does_not_wait(void **state)
{
    struct call call;
    call_init(&call, 20000);
    pthread_t thread = begin_gated(&call);
    call_cancel(&call);
    pthread_join(thread, NULL);
    /* Gated for ever: what is under way is cancelled. */
}

static void test_a_failed_window_is_not_repeated(void **state)
{
    f->fail_many = ERR_BROKEN;
    walk(0, 100, 1, PART_OUTPUT);
    assert_int_equal(asked(&f->gets), 100);
    assert_int_equal(asked(&f->spans), 1);
    f->fail_many = OK;
    lock_take(&c->lock);
    c->ahead.paused_until_ms = 0;
    lock_drop(&c->lock);
    walk(100, 200, 1, PART_OUTPUT);
    assert_true(asked(&f->gets) <= 100 + AHEAD_BEGIN);
}

static bool is_late(void)
{
    LOCK_SCOPE(&c->lock);
    return c->ahead.windows && c->ahead.windows->late;
}

static void test_nobody_waits_for_ever(void **state)
{
    struct call call;
    f->gate_many = true;
    walk(0, AHEAD_BEGIN - 1, 1, PART_OUTPUT);
    call_init(&call, 2000); /* he waits for half of it */
    assert_int_equal(look_with(&call, "id-00002", PART_OUTPUT), OK);
    assert_true(is_late());
    assert_int_equal(asked(&f->gets), AHEAD_BEGIN);
    walk(AHEAD_BEGIN, 200, 1, PART_OUTPUT); /* and these do not, nor does anything else begin */
    assert_int_equal(asked(&f->gets), 200);
    assert_int_equal(asked(&f->spans), 1);
}

static void test_a_late_window_that_goes_on(void **state)
{
    test_nobody_waits_for_ever(state);
    lock_take(&f->lock);
    f->gate_many = false;
    cond_wake_all(&f->changed);
    lock_drop(&f->lock);
    settle_windows();
    walk(200, 600, 1, PART_OUTPUT);
    assert_true(asked(&f->gets) <= 200 + AHEAD_BEGIN);
}

static void test_a_reader_sees_his_own_error(void **state)
{
    walk(0, AHEAD_BEGIN - 1, 1, PART_OUTPUT);
    fake_fail(f, ERR_DENIED);
    assert_int_equal(look("id-00002", PART_OUTPUT), ERR_DENIED);
    fake_fail(f, OK);
    look_at(3, PART_OUTPUT);
}

/* -- memory -- */

static void test_unused_keeps_to_its_share(void **state)
{
    catalogue_free(c);
    open_with(600, 400 * KIB);
    for (int i = 0; i < 600; i++) {
        look_at(i, PART_OUTPUT);
        LOCK_SCOPE(&c->lock);
        assert_true(c->ahead.bytes <= ahead_share_locked(c) * 5 / 4 + AHEAD_PORTION * 4 * KIB);
    }
    assert_true(asked(&f->gets) < 100);
    assert_true(asked(&f->span_rows) <= 700);
}

static void test_no_room_no_window(void **state)
{
    catalogue_free(c);
    open_with(100, 8 * KIB);
    walk(0, 100, 1, PART_OUTPUT);
    assert_true(asked(&f->span_rows) <= 100);
    LOCK_SCOPE(&c->lock);
    assert_true(c->ahead.bytes <= 8 * KIB);
}

static void test_what_a_walk_left_gives_way_to_another(void **state)
{
    catalogue_free(c);
    open_with(600, 400 * KIB);
    walk(0, 40, 1, PART_OUTPUT); /* and then he stops */
    settle_windows();
    lock_take(&c->lock);
    assert_true(c->ahead.bytes > 0);
    uint32_t stopped = 0;
    for (int s = 0; s < AHEAD_STREAMS; s++) {
        if (c->ahead.streams[s].number)
            stopped = c->ahead.streams[s].number;
        c->ahead.streams[s].used_ms -= AHEAD_IDLE_MS + 1;
    }
    lock_drop(&c->lock);
    walk(400, 600, 1, PART_OUTPUT);
    LOCK_SCOPE(&c->lock);
    for (struct entry *e = c->ahead.oldest; e; e = e->ahead.newer)
        assert_int_not_equal(e->ahead.marks[AHEAD_CELLS].stream, stopped);
}

/* -- histories -- */

static void test_histories_of_a_walk(void **state)
{
    walk(0, 600, 1, PART_HISTORY);
    assert_int_equal(asked(&f->gets), AHEAD_BEGIN - 1);
    assert_true(asked(&f->histories) <= AHEAD_BEGIN);
    assert_true(asked(&f->many_histories) >= 2 && asked(&f->many_histories) <= 30);
    struct catalogue_stats stats = stats_now();
    assert_int_equal(stats.read_ahead_used, stats.read_ahead);
}

static void test_rows_alone_ask_for_no_history(void **state)
{
    walk(0, 600, 1, PART_OUTPUT);
    assert_int_equal(asked(&f->histories) + asked(&f->many_histories), 0);
}

static void test_payloads_elsewhere_are_not_read_ahead(void **state)
{
    for (int i = 0; i < 600; i += 50) {
        char id[64];
        snprintf(id, sizeof id, "id-%05d", i);
        fake_set_output_ref(f, id, "blob");
    }
    walk(0, 600, 1, PART_EVENTS);
    assert_int_equal(asked(&f->payloads), 0);
    unsigned alone = asked(&f->histories);
    walk(0, 600, 1, PART_HISTORY);
    assert_int_equal(asked(&f->histories) - alone, 12); /* those that have some, each by itself */
}

static void test_a_long_history_is_read_alone(void **state)
{
    for (int i = 0; i < 3; i++) {
        char id[64];
        snprintf(id, sizeof id, "long-%d", i * 40);
        fake_put(f, id, NULL, STATUS_COMPLETED);
    }
    f->long_rows = AHEAD_LONG + 1;
    for (int i = 0; i < 100; i++) {
        char id[64];
        snprintf(id, sizeof id, i % 40 ? "m-%03d" : "long-%d", i);
        if (i % 40)
            fake_put(f, id, NULL, STATUS_COMPLETED);
    }
    time_passes();
    listing_unref(open_listing(LIST_INSTANCES));
    walk(560, 600, 1, PART_EVENTS);
    for (int i = 0; i < 3; i++) {
        char id[64];
        snprintf(id, sizeof id, "long-%d", i == 0 ? 0 : i == 1 ? 40 : 80);
        assert_int_equal(look(id, PART_EVENTS), OK);
    }
    for (int i = 1; i < 100; i++) {
        char id[64];
        snprintf(id, sizeof id, "m-%03d", i);
        if (i % 40)
            assert_int_equal(look(id, PART_EVENTS), OK);
    }
    assert_true(asked(&f->histories) < 40); /* after such a one, a few are read alone */
}

static void *look_at_events(void *arg)
{
    return (void *)(intptr_t)look_with(arg, "id-00002", PART_EVENTS);
}

static void test_refresh_voids_histories_under_way(void **state)
{
    struct call call;
    call_init(&call, 20000);
    walk(0, 30, 1, PART_OUTPUT); /* the rows are known */
    settle_windows();
    walk(0, AHEAD_BEGIN - 1, 1, PART_EVENTS);
    pthread_t thread;
    void *err;
    fake_gate(f, true);
    assert_int_equal(pthread_create(&thread, NULL, look_at_events, &call), 0);
    fake_wait_for(f, 1);
    assert_int_equal(asked(&f->many_histories), 1);
    lock_take(&c->lock);
    struct entry *e = map_get(&c->entries, STR("id-00010"));
    struct instance *in = instance_ref(e->in);
    lock_drop(&c->lock);
    catalogue_forget(c);
    lock_take(&c->lock); /* it was read again, and is the same */
    e = entry_make_locked(c, STR("id-00010"));
    entry_learn_locked(c, e, in, ++c->clock, clock_now_ms());
    lock_drop(&c->lock);
    fake_gate(f, false);
    pthread_join(thread, &err);
    assert_int_equal((enum err)(intptr_t)err, OK);
    settle_windows();
    lock_take(&c->lock);
    bool kept = e->history;
    lock_drop(&c->lock);
    assert_false(kept);
}

static void test_a_history_of_an_older_row_is_not_kept(void **state)
{
    struct call call;
    call_init(&call, 20000);
    walk(0, AHEAD_BEGIN + 2, 1, PART_EVENTS);
    settle_windows();
    lock_take(&c->lock);
    struct entry *e = map_get(&c->entries, STR("id-00004"));
    struct instance *old = instance_ref(e->in), *in = instance_new();
    in->row.id = in->row.key = STR("id-00004");
    in->row.stamp = old->row.stamp + 1;
    in->row.status = STATUS_RUNNING;
    entry_learn_locked(c, e, in, ++c->clock, clock_now_ms());
    assert_false(entry_learn_history_locked(c, e, old, history_new()));
    assert_null(e->history);
    lock_drop(&c->lock);
    instance_unref(old);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, close_catalogue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_single_look_reads_itself_only),
        TEST(test_looks_here_and_there),
        TEST(test_backwards),
        TEST(test_names_and_rows),
        TEST(test_names_draw_no_window_after_window),
        TEST(test_long_ago_is_no_walk),
        TEST(test_without_a_listing),
        TEST(test_what_we_read_again_ourselves),
        TEST(test_a_walk_costs_few_requests),
        TEST(test_windows_begin_small),
        TEST(test_what_is_there_is_answered_at_once),
        TEST(test_two_walks_at_once),
        TEST(test_one_walk_in_pieces),
        TEST(test_a_sparse_walk_keeps_what_it_wants),
        TEST(test_too_sparse_to_pay),
        TEST(test_entities_are_walks_of_their_own),
        TEST(test_a_changed_row_is_not_believed),
        TEST(test_a_change_that_is_forgotten_is_not_undone),
        TEST(test_refresh_voids_what_is_under_way),
        TEST(test_a_deleted_row_is_not_found),
        TEST(test_a_new_row_becomes_known),
        TEST(test_a_younger_reading_counts),
        TEST(test_an_interrupted_reader),
        TEST(test_the_end_does_not_wait),
        TEST(test_a_failed_window_is_not_repeated),
        TEST(test_nobody_waits_for_ever),
        TEST(test_a_late_window_that_goes_on),
        TEST(test_a_reader_sees_his_own_error),
        TEST(test_unused_keeps_to_its_share),
        TEST(test_no_room_no_window),
        TEST(test_what_a_walk_left_gives_way_to_another),
        TEST(test_histories_of_a_walk),
        TEST(test_rows_alone_ask_for_no_history),
        TEST(test_payloads_elsewhere_are_not_read_ahead),
        TEST(test_a_long_history_is_read_alone),
        TEST(test_refresh_voids_histories_under_way),
        TEST(test_a_history_of_an_older_row_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
