#include <stdio.h>

#include "fs/bars.h"
#include "tests/fs/check.h"
#include "tests/fs/recorded.h"
#include "tests/fs/story.h"

static struct story s;

static void expect_span(const struct bar *bar, size_t i, double from, double to,
                        enum span_look look)
{
    assert_true(i < bar->n_spans);
    assert_int_equal(bar->spans[i].from, at(from));
    assert_int_equal(bar->spans[i].to, at(to));
    assert_int_equal(bar->spans[i].look, look);
}

static void test_a_sequence(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;

    begins(&s, 2);
    decides(&s, EVENT_TASK_SCHEDULED, 2, "A");
    rest(&s, 2.1);
    turn(&s, 4);
    comes(&s, EVENT_TASK_COMPLETED, 3.5, 0);
    decides(&s, EVENT_TASK_SCHEDULED, 4, "B");
    rest(&s, 4.1);
    turn(&s, 6);
    comes(&s, EVENT_TASK_COMPLETED, 5.5, 1);
    ends(&s, 6, "Completed");
    b = story_bars(&s, 100, BARS_MAX);

    assert_int_equal(b->count, 3);
    assert_false(b->open);
    assert_int_equal(b->begun, at(2));
    assert_int_equal(b->from, at(0));
    assert_int_equal(b->to, at(6));
    assert_int_equal(b->of_kind[BAR_ACTIVITY], 2);
    assert_int_equal(b->bars[0].kind, BAR_RUN);
    assert_int_equal(b->bars[0].n_spans, 3);
    expect_span(&b->bars[0], 0, 2, 2.1, SPAN_RUNNING);
    assert_str(b->bars[1].name, "A");
    expect_span(&b->bars[1], 0, 2, 3.5, SPAN_RUNNING);
    expect_span(&b->bars[2], 0, 4, 5.5, SPAN_RUNNING);
    assert_int_equal(b->bars[2].state, BAR_DONE);
}

/* TimerFired carries the moment at which the timer was made. */
static void test_a_timer_ends_when_due_or_when_woken(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;

    begins(&s, 1);
    sets_timer(&s, 1, 5);
    sets_timer(&s, 1, 10);
    rest(&s, 1);
    turn(&s, 7);
    comes(&s, EVENT_TIMER_FIRED, 1, 0);
    s.h->events[s.h->count - 1].fire_at = at(5);
    comes(&s, EVENT_TIMER_FIRED, 1, 1);
    s.h->events[s.h->count - 1].fire_at = at(10);
    ends(&s, 7, "Completed");
    b = story_bars(&s, 100, BARS_MAX);

    expect_span(&b->bars[1], 0, 1, 5, SPAN_WAITING);
    expect_span(&b->bars[2], 0, 1, 7, SPAN_WAITING);
    assert_int_equal(b->bars[1].planned, 4 * TICKS_PER_SEC);
}

static void test_what_nobody_waits_for_any_more(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;

    begins(&s, 1);
    sets_timer(&s, 1, 600);
    rest(&s, 1);
    turn(&s, 9);
    told(&s, EVENT_RAISED, 8)->name = STR("Approve");
    ends(&s, 9, "Completed");
    b = story_bars(&s, 100, BARS_MAX);

    assert_int_equal(b->bars[1].state, BAR_DROPPED);
    assert_int_equal(b->bars[1].to, at(9));
    assert_int_equal(b->bars[2].kind, BAR_EVENT);
    expect_span(&b->bars[2], 0, 1, 8, SPAN_WAITING);
}

static void test_an_event_that_came_early_is_a_point(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;

    turn(&s, 4);
    told(&s, EVENT_EXECUTION_STARTED, 3)->name = STR("Flow");
    told(&s, EVENT_RAISED, 1)->name = STR("Tick");
    ends(&s, 4, "Completed");
    b = story_bars(&s, 100, BARS_MAX);

    expect_span(&b->bars[1], 0, 1, 1, SPAN_WAITING);
    assert_int_equal(b->from, at(1)); /* carried over from before this run */
}

static void test_failures_and_attempts(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;

    begins(&s, 0);
    decides(&s, EVENT_TASK_SCHEDULED, 0, "Charge");
    decides(&s, EVENT_TASK_SCHEDULED, 0, "Ship");
    rest(&s, 0);
    turn(&s, 2);
    fails(&s, EVENT_TASK_FAILED, 1, 0, "no answer");
    decides(&s, EVENT_TASK_SCHEDULED, 2, "Charge");
    rest(&s, 2);
    turn(&s, 4);
    comes(&s, EVENT_TASK_COMPLETED, 3, 2);
    comes(&s, EVENT_TASK_COMPLETED, 3, 1);
    decides(&s, EVENT_TASK_SCHEDULED, 4, "Charge");
    rest(&s, 4);
    turn(&s, 6);
    fails(&s, EVENT_TASK_FAILED, 5, 3, "no money");
    ends(&s, 6, "Failed");
    b = story_bars(&s, 100, BARS_MAX);

    assert_int_equal(b->count, 5);
    assert_int_equal(b->bars[1].state, BAR_FAILED);
    assert_str(b->bars[1].note, "no answer");
    assert_int_equal(b->bars[1].attempt, 1);
    assert_int_equal(b->bars[2].attempt, 1);
    assert_int_equal(b->bars[3].attempt, 2);
    assert_int_equal(b->bars[3].state, BAR_DONE);
    assert_int_equal(b->bars[4].attempt, 1); /* nothing was left to be tried again */
    assert_int_equal(b->bars[0].state, BAR_FAILED);
    assert_true(b->bars[0].spans[b->bars[0].n_spans - 1].failed);
}

static void test_the_first_completion_counts(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;

    begins(&s, 0);
    decides(&s, EVENT_TASK_SCHEDULED, 0, "A");
    rest(&s, 0);
    turn(&s, 2);
    comes(&s, EVENT_TASK_COMPLETED, 1, 0);
    fails(&s, EVENT_TASK_FAILED, 2, 0, "twice");
    comes(&s, EVENT_TASK_COMPLETED, 2, 77); /* of nothing we know */
    ends(&s, 3, "Completed");
    b = story_bars(&s, 100, BARS_MAX);

    assert_int_equal(b->count, 2);
    assert_int_equal(b->bars[1].to, at(1));
    assert_int_equal(b->bars[1].state, BAR_DONE);
}

static void test_open_bars_grow_to_now(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL, *later = NULL, *before = NULL;

    begins(&s, 1);
    decides(&s, EVENT_TASK_SCHEDULED, 1, "A");
    rest(&s, 1);
    b = story_bars(&s, 10, BARS_MAX);
    later = story_bars(&s, 20, BARS_MAX);
    before = story_bars(&s, -5, BARS_MAX); /* our clock runs behind */

    assert_true(b->open);
    assert_int_equal(b->count, 2);
    assert_int_equal(b->bars[1].state, BAR_OPEN);
    expect_span(&b->bars[1], 0, 1, 10, SPAN_RUNNING);
    assert_int_equal(b->to, at(10));
    assert_int_equal(later->to, at(20));
    assert_int_equal(before->to, at(1));
}

static void test_at_rest_with_nothing_under_way_an_event_is_awaited(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL, *running = NULL;

    begins(&s, 1);
    running = story_bars(&s, 10, BARS_MAX);
    assert_int_equal(running->count, 1); /* its turn has not ended */
    expect_span(&running->bars[0], 0, 1, 10, SPAN_RUNNING);
    rest(&s, 2);
    b = story_bars(&s, 10, BARS_MAX);
    assert_int_equal(b->count, 2);
    assert_int_equal(b->bars[1].kind, BAR_EVENT);
    assert_int_equal(b->bars[1].state, BAR_OPEN);
    expect_span(&b->bars[1], 0, 2, 10, SPAN_WAITING);
    assert_int_equal(b->of_kind[BAR_EVENT], 0); /* none has come */
}

/* The history has them in the order of the queue, which is not that of time. */
static void test_suspended(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;

    begins(&s, 1);
    rest(&s, 1);
    turn(&s, 9);
    (void)told(&s, EVENT_RESUMED, 5);
    (void)told(&s, EVENT_SUSPENDED, 3);
    (void)told(&s, EVENT_SUSPENDED, 8);
    rest(&s, 9);
    b = story_bars(&s, 20, BARS_MAX);

    assert_int_equal(b->bars[0].n_spans, 4);
    expect_span(&b->bars[0], 2, 3, 5, SPAN_SUSPENDED);
    expect_span(&b->bars[0], 3, 8, 20, SPAN_SUSPENDED);
}

static void test_without_a_history(void **state)
{
    CLEANUP(bars_free) struct bars *b = bars_new(NULL, &s.row, at(5), BARS_MAX);

    assert_int_equal(b->count, 1);
    assert_int_equal(b->begun, TICKS_NONE);
    assert_int_equal(b->bars[0].from, at(0));
    assert_int_equal(b->bars[0].to, at(5));
    assert_true(b->open);
}

/* A finished instance's picture never depends on the clock. */
static void test_a_finished_row_ends_what_the_history_left_open(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL, *timeless = NULL;

    begins(&s, 1);
    decides(&s, EVENT_TASK_SCHEDULED, 1, "A");
    rest(&s, 1);
    s.row.status = STATUS_TERMINATED;
    s.row.completed = at(7);
    b = story_bars(&s, 1000, BARS_MAX);
    assert_false(b->open);
    assert_int_equal(b->to, at(7));
    assert_int_equal(b->bars[0].state, BAR_DROPPED);
    assert_int_equal(b->bars[1].state, BAR_DROPPED);

    s.row.created = s.row.updated = s.row.completed = TICKS_NONE;
    timeless = bars_new(NULL, &s.row, at(1000), BARS_MAX);
    assert_non_null(timeless);
    assert_true(timeless->to < at(0));
}

static void test_B36_unreadable_times(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;

    begins(&s, 1);
    decides(&s, EVENT_TASK_SCHEDULED, 2, "A");
    s.h->events[s.h->count - 1].time = TICKS_NONE;
    rest(&s, 3);
    turn(&s, 4);
    comes(&s, EVENT_TASK_COMPLETED, 4, 0);
    s.h->events[s.h->count - 1].time = TICKS_NONE;
    ends(&s, 5, "Completed");
    b = story_bars(&s, 100, BARS_MAX);
    expect_span(&b->bars[1], 0, 1, 4, SPAN_RUNNING); /* the youngest moment known by then */
}

/* Clocks of worker and activity host differ: nothing ends before it began. */
static void test_clocks_that_differ(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;

    begins(&s, 5);
    decides(&s, EVENT_TASK_SCHEDULED, 5, "A");
    rest(&s, 4);
    turn(&s, 6);
    comes(&s, EVENT_TASK_COMPLETED, 3, 0);
    ends(&s, 2, "Completed");
    b = story_bars(&s, 100, BARS_MAX);
    for (size_t i = 0; i < b->n_spans; i++)
        assert_true(b->spans[i].to >= b->spans[i].from);
    assert_true(b->to >= b->from);
}

static void run_tasks(int n, const char *const *names, size_t n_names)
{
    begins(&s, 0);
    for (int i = 0; i < n; i++)
        decides(&s, EVENT_TASK_SCHEDULED, 0, names[(size_t)i % n_names]);
    rest(&s, 0);
    turn(&s, n);
    for (int i = 0; i < n; i++) {
        if (i % 100 == 0)
            fails(&s, EVENT_TASK_FAILED, i + 1, i, "no");
        else
            comes(&s, EVENT_TASK_COMPLETED, i + 1, i);
    }
    ends(&s, n + 1, "Completed");
}

static void test_L18_above_the_limit_bars_are_grouped(void **state)
{
    static const char *const names[] = { "Resize", "Upload" };
    CLEANUP(bars_free) struct bars *b = NULL, *all = NULL;

    run_tasks(6000, names, 2);
    b = story_bars(&s, 0, BARS_MAX);
    assert_true(b->grouped);
    assert_int_equal(b->count, 3);
    assert_int_equal(b->bars[1].count, 3000);
    assert_int_equal(b->bars[1].n_spans, 3000);
    assert_int_equal(b->bars[1].failed, 60);
    assert_int_equal(b->bars[1].state, BAR_FAILED);
    assert_int_equal(b->bars[2].failed, 0);
    assert_int_equal(b->bars[2].state, BAR_DONE);
    assert_int_equal(b->of_kind[BAR_ACTIVITY], 6000);

    all = story_bars(&s, 0, 6001);
    assert_false(all->grouped);
    assert_int_equal(all->count, 6001);
}

static void test_L18_too_many_names_are_grouped_by_kind(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;
    char names[300][8];

    begins(&s, 0);
    for (int i = 0; i < 300; i++) {
        snprintf(names[i], sizeof(names[i]), "n%d", i);
        decides(&s, EVENT_TASK_SCHEDULED, i, names[i]);
    }
    rest(&s, 300);
    b = story_bars(&s, 400, 100);
    assert_true(b->count <= 100);
    assert_str(b->bars[b->count - 1].name, "others");
    assert_true(b->bars[b->count - 1].count > 200);
    assert_int_equal(b->bars[b->count - 1].state, BAR_OPEN);
}

/* -- what the genuine engine recorded -- */

static void test_genuine_rewound_activity(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;
    struct row row;
    struct history *h = recorded_history("5-final", "flaky-1", &row);

    b = bars_new(h, &row, 0, BARS_MAX);
    assert_int_equal(b->count, 4);
    assert_str(b->bars[2].name, "Flaky");
    assert_int_equal(b->bars[2].state, BAR_REWOUND);
    assert_int_equal(b->bars[3].attempt, 2);
    assert_int_equal(b->bars[3].state, BAR_DONE);
    assert_int_equal(b->bars[0].state, BAR_DONE);
    history_unref(h);
}

static void test_genuine_rewound_child(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;
    struct row row;
    struct history *h = recorded_history("5-final", "pflaky-1", &row);

    b = bars_new(h, &row, 0, BARS_MAX);
    assert_int_equal(b->count, 2);
    assert_str(b->bars[1].target, "pflaky-1:flaky");
    assert_int_equal(b->bars[1].n_spans, 2);
    assert_true(b->bars[1].spans[0].failed);
    assert_int_equal(b->bars[1].spans[1].look, SPAN_WAITING);
    assert_int_equal(b->bars[1].state, BAR_DONE);
    history_unref(h);
}

static void test_genuine_retries(void **state)
{
    CLEANUP(bars_free) struct bars *b = NULL;
    struct row row;
    struct history *h = recorded_history("5-final", "retry-1", &row);

    b = bars_new(h, &row, 0, BARS_MAX);
    assert_int_equal(b->count, 7);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(b->bars[1 + 2 * i].attempt, i + 1);
        assert_int_equal(b->bars[1 + 2 * i].state, BAR_FAILED);
        assert_int_equal(b->bars[2 + 2 * i].kind, BAR_TIMER);
    }
    history_unref(h);
}

#define TEST(name) STORY_TEST(name, &s)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_sequence),
        TEST(test_a_timer_ends_when_due_or_when_woken),
        TEST(test_what_nobody_waits_for_any_more),
        TEST(test_an_event_that_came_early_is_a_point),
        TEST(test_failures_and_attempts),
        TEST(test_the_first_completion_counts),
        TEST(test_open_bars_grow_to_now),
        TEST(test_at_rest_with_nothing_under_way_an_event_is_awaited),
        TEST(test_suspended),
        TEST(test_without_a_history),
        TEST(test_a_finished_row_ends_what_the_history_left_open),
        TEST(test_B36_unreadable_times),
        TEST(test_clocks_that_differ),
        TEST(test_L18_above_the_limit_bars_are_grouped),
        TEST(test_L18_too_many_names_are_grouped_by_kind),
        cmocka_unit_test(test_genuine_rewound_activity),
        cmocka_unit_test(test_genuine_rewound_child),
        cmocka_unit_test(test_genuine_retries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
