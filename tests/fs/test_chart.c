#include "fs/chart.h"
#include "tests/fs/check.h"

static struct bar bars[1000];

static void lay_out(struct chart *c, struct timeline *t, struct bars *all, size_t count)
{
    *all = (struct bars){ .bars = bars, .count = count, .from = 100, .to = 300 };
    *t = (struct timeline){ .bars = all, .axis = { .from = 100, .to = 300, .visible = 200 } };
    chart_init(c, t, NULL);
}

static void test_the_axis_is_repeated_above_every_forty_bars(void **state)
{
    struct chart c;
    struct timeline t;
    struct bars all;

    lay_out(&c, &t, &all, REPEAT_ROWS);
    assert_int_equal(chart_strips(&c), 1);
    lay_out(&c, &t, &all, 2 * REPEAT_ROWS + 1);
    assert_int_equal(chart_strips(&c), 3);
    assert_true(chart_row_y(&c, 2 * REPEAT_ROWS) == chart_strip_y(&c, 2) + STRIP_HEIGHT);
    assert_true(chart_strip_end(&c, 1) == chart_strip_y(&c, 2));
    assert_true(chart_strip_end(&c, 2) == chart_rows_end(&c));
}

static void test_rows_follow_each_other(void **state)
{
    static const size_t counts[] = { 1, 40, 41, 150, 151, 1000 };

    for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
        struct chart c;
        struct timeline t;
        struct bars all;

        lay_out(&c, &t, &all, counts[k]);
        assert_true(c.font < c.row_height);
        for (size_t i = 1; i < counts[k]; i++) {
            double room = i % REPEAT_ROWS == 0 ? STRIP_HEIGHT : 0;

            assert_true(chart_row_y(&c, i) == chart_row_y(&c, i - 1) + c.row_height + room);
        }
        assert_true(chart_rows_end(&c) == chart_row_y(&c, counts[k] - 1) + c.row_height);
    }
}

static void test_a_note_takes_room_above_the_bars(void **state)
{
    struct chart c;
    struct timeline t;
    struct bars all;
    double y;

    lay_out(&c, &t, &all, 3);
    y = chart_row_y(&c, 0);
    all.incomplete = true;
    assert_true(chart_row_y(&c, 0) > y);
}

static void test_moments_lie_within_the_chart(void **state)
{
    struct chart c;
    struct timeline t;
    struct bars all;

    lay_out(&c, &t, &all, 3);
    assert_true(chart_x(&c, 0) == CHART_X);
    assert_true(chart_x(&c, 200) == CHART_X + CHART_WIDTH / 2);
    assert_true(chart_x(&c, 1000) == CHART_X + CHART_WIDTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_axis_is_repeated_above_every_forty_bars),
        cmocka_unit_test(test_rows_follow_each_other),
        cmocka_unit_test(test_a_note_takes_room_above_the_bars),
        cmocka_unit_test(test_moments_lie_within_the_chart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
