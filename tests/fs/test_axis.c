#include "fs/axis.h"
#include "tests/fs/check.h"
#include "tests/fs/story.h"

/* An activity of a second, a sleep, an activity of a second. */
static void sleeps(struct story *s, double from, double length)
{
    double awake = from + length;

    begins(s, 0);
    decides(s, EVENT_TASK_SCHEDULED, 0, "A");
    rest(s, 0);
    turn(s, from);
    comes(s, EVENT_TASK_COMPLETED, from, 0);
    sets_timer(s, from, awake);
    rest(s, from);
    turn(s, awake);
    comes(s, EVENT_TIMER_FIRED, from, 1);
    decides(s, EVENT_TASK_SCHEDULED, awake, "B");
    rest(s, awake);
    turn(s, awake + 1);
    comes(s, EVENT_TASK_COMPLETED, awake + 1, 2);
    ends(s, awake + 1, "Completed");
}

static size_t folds_of(double length, struct axis *ret)
{
    CLEANUP(bars_free) struct bars *bars = NULL;
    struct story s;

    story_init(&s);
    sleeps(&s, 1, length);
    bars = story_bars(&s, 0, BARS_MAX);
    assert_non_null(bars);
    assert_int_equal(axis_init(ret, bars), OK);
    story_fini(&s);
    return ret->n;
}

static void test_only_long_stretches_are_folded(void **state)
{
    struct axis a;

    assert_int_equal(folds_of(4.9, &a), 0);
    assert_int_equal(folds_of(7, &a), 0); /* long, but not beside two seconds of work */
    assert_int_equal(a.visible, 9 * TICKS_PER_SEC);
    assert_int_equal(folds_of(3600, &a), 1);
    assert_true(a.folds[0].from > at(1) && a.folds[0].to < at(3601));
    assert_true(a.visible < 3 * TICKS_PER_SEC);
    assert_int_equal(folds_of(7 * 86400, &a), 1);
}

static void test_moments_keep_their_order(void **state)
{
    struct axis a;
    struct scale scale = { &a, 100, 5 };
    double last = 0;

    assert_int_equal(folds_of(86400, &a), 1);
    assert_true(scale_at(&scale, at(-1)) == 0);
    assert_true(scale_at(&scale, at(0)) == 0);
    assert_true(scale_at(&scale, a.to) == 100);
    assert_true(scale_at(&scale, a.to + 1) == 100);
    for (double t = 0; t < 86402; t = t < 2 || t > 86399 ? t + 0.1 : t + 100) {
        double x = scale_at(&scale, at(t));

        assert_true(x >= last && x <= 100);
        last = x;
    }
    assert_true(scale_at(&scale, a.folds[0].to) - scale_at(&scale, a.folds[0].from) < 5.001);
    /* Both seconds of work are as wide. */
    assert_true(scale_at(&scale, at(1)) > 40 && scale_at(&scale, at(86401)) < 60);
}

static void test_marks_are_multiples_outside_folds(void **state)
{
    ticks step = TICKS_PER_SEC / 2, mark;
    struct axis a;
    unsigned n = 0;

    assert_int_equal(folds_of(86400, &a), 1);
    mark = a.from;
    while (axis_mark(&a, step, &mark)) {
        assert_int_equal(mark % step, 0);
        assert_true(mark < a.folds[0].from || mark > a.folds[0].to);
        n++;
    }
    assert_int_equal(n, 4); /* 0.5, 1, 86401, 86401.5; both ends have none */
}

/* Polling every hour for a week: a picture of nothing but folds would show nothing. */
static void test_too_many_stretches_are_not_folded(void **state)
{
    CLEANUP(bars_free) struct bars *bars = NULL;
    struct story s;
    struct axis a;

    story_init(&s);
    begins(&s, 0);
    for (int i = 0; i < 168; i++) {
        int64_t id = decides(&s, EVENT_TASK_SCHEDULED, i * 3600, "Poll");

        rest(&s, i * 3600);
        turn(&s, i * 3600 + 1);
        comes(&s, EVENT_TASK_COMPLETED, i * 3600 + 1, id);
        id = sets_timer(&s, i * 3600 + 1, (i + 1) * 3600);
        rest(&s, i * 3600 + 1);
        turn(&s, (i + 1) * 3600);
        comes(&s, EVENT_TIMER_FIRED, i * 3600 + 1, id);
    }
    ends(&s, 168 * 3600, "Completed");
    bars = story_bars(&s, 0, BARS_MAX);
    assert_int_equal(axis_init(&a, bars), OK);
    assert_int_equal(a.n, 0);
    story_fini(&s);
}

/* One long wait is what there is to see, not a gap in it. */
static void test_a_single_wait_is_the_picture(void **state)
{
    CLEANUP(bars_free) struct bars *bars = NULL;
    struct story s;
    struct axis a;

    story_init(&s);
    begins(&s, 1);
    sets_timer(&s, 1, 7 * 86400);
    rest(&s, 1);
    bars = story_bars(&s, 86400, BARS_MAX);
    assert_int_equal(axis_init(&a, bars), OK);
    assert_int_equal(a.n, 0);
    assert_int_equal(a.to, at(86400));
    story_fini(&s);
}

static void expect_label(const char *moment, ticks step, const char *before, const char *expected)
{
    CLEANUP_BUF struct buf b = BUF_INIT(64);
    ticks t, last = TICKS_NONE;

    assert_true(ticks_parse(str_c(moment), &t));
    if (before)
        assert_true(ticks_parse(str_c(before), &last));
    axis_label(&b, t, step, last);
    assert_str(buf_str(&b), expected);
}

static void test_labels(void **state)
{
    expect_label("2026-11-24T09:00:01Z", TICKS_PER_SEC, NULL, "09:00:01");
    expect_label("2026-11-24T09:00:01.5Z", TICKS_PER_SEC / 2, NULL, "09:00:01.5");
    expect_label("2026-11-24T09:00:01.25Z", TICKS_PER_SEC / 20, NULL, "09:00:01.25");
    expect_label("2026-11-24T09:05:00Z", 300 * TICKS_PER_SEC, "2026-11-24T09:00:00Z", "09:05");
    expect_label("2026-11-25T09:05:00Z", 300 * TICKS_PER_SEC, "2026-11-24T09:00:00Z",
                 "11-25 09:05");
    expect_label("2026-12-01T00:00:00Z", TICKS_PER_DAY, "2026-11-24T09:00:00Z", "12-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_long_stretches_are_folded),
        cmocka_unit_test(test_moments_keep_their_order),
        cmocka_unit_test(test_marks_are_multiples_outside_folds),
        cmocka_unit_test(test_too_many_stretches_are_not_folded),
        cmocka_unit_test(test_a_single_wait_is_the_picture),
        cmocka_unit_test(test_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
