#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fs/backlog.h"

static void add(struct backlog *b, uint32_t slot, bool own)
{
    struct item item = { 0, { .slot = slot, .own = own } };

    backlog_add(b, &item);
}

static void test_own_news_come_first_and_in_order(void **state)
{
    struct backlog b = { 0 };
    struct portion p;

    assert_false(backlog_take(&b, &p));
    for (uint32_t i = 1; i <= PORTION_ITEMS + 1; i++)
        add(&b, i, false);
    add(&b, 1000, true);
    assert_true(backlog_take(&b, &p));
    assert_int_equal(p.lane, LANE_OWN);
    assert_int_equal(p.n, 1);
    assert_int_equal(p.items[0].news.slot, 1000);
    backlog_told(&b, &p);
    assert_int_equal(b.told[LANE_OWN], b.taken[LANE_OWN]);
    assert_true(backlog_take(&b, &p));
    assert_int_equal(p.lane, LANE_OTHER);
    assert_int_equal(p.n, PORTION_ITEMS);
    for (uint32_t i = 0; i < p.n; i++)
        assert_int_equal(p.items[i].news.slot, i + 1);
    backlog_told(&b, &p);
    assert_true(b.told[LANE_OTHER] < b.taken[LANE_OTHER]);
    assert_true(backlog_take(&b, &p));
    assert_int_equal(p.n, 1);
    backlog_told(&b, &p);
    assert_int_equal(b.told[LANE_OTHER], b.taken[LANE_OTHER]);
    assert_false(backlog_take(&b, &p));
    backlog_fini(&b);
}

static void test_everything_of_a_hub(void **state)
{
    struct backlog b = { 0 };
    struct item item = { .hub = 7 };
    unsigned hub;

    assert_false(backlog_take_all(&b, &hub));
    backlog_add(&b, &item);
    backlog_add(&b, &item);
    assert_true(backlog_take_all(&b, &hub));
    assert_int_equal(hub, 7);
    item.hub = 3;
    backlog_add(&b, &item);
    backlog_told_all(&b);
    assert_true(b.told[LANE_ALL] < b.taken[LANE_ALL]);
    assert_true(backlog_take_all(&b, &hub));
    assert_int_equal(hub, 3);
    backlog_told_all(&b);
    assert_int_equal(b.told[LANE_ALL], b.taken[LANE_ALL]);
    assert_false(backlog_take_all(&b, &hub));
    backlog_fini(&b);
}

/* Exactly as many as there is room for; one more, and everything is to be told instead. */
static void test_a_full_lane(void **state)
{
    struct backlog b = { 0 };
    struct portion p;
    unsigned hub, hubs = 0;

    for (uint32_t i = 1; i <= BACKLOG_MAX; i++)
        add(&b, i, false);
    assert_int_equal(b.other.n, BACKLOG_MAX);
    assert_int_equal(b.n_all, 0);
    add(&b, 1, true);
    add(&b, BACKLOG_MAX + 1, false);
    assert_true(backlog_take(&b, &p)); /* the other lane is as it was */
    assert_int_equal(p.lane, LANE_OWN);
    backlog_told(&b, &p);
    assert_false(backlog_take(&b, &p));
    assert_int_equal(b.told[LANE_OTHER], b.taken[LANE_OTHER]);
    while (backlog_take_all(&b, &hub))
        assert_int_equal(hub, hubs++);
    assert_int_equal(hubs, NODE_HUB_MAX + 1);
    add(&b, 5, false);
    assert_true(backlog_take(&b, &p));
    assert_int_equal(p.items[0].news.slot, 5);
    backlog_fini(&b);
}

/* It goes round in the room that there is: taken at the front, added at the end. */
static void test_a_lane_that_is_never_empty(void **state)
{
    struct backlog b = { 0 };
    struct portion p;
    uint32_t in = 0, out = 0;

    for (int round = 0; round < 5000; round++) {
        for (int i = 0; i < PORTION_ITEMS; i++)
            add(&b, ++in, false);
        if (round == 0)
            continue; /* so that one portion is always left */
        assert_true(backlog_take(&b, &p));
        for (size_t i = 0; i < p.n; i++)
            assert_int_equal(p.items[i].news.slot, ++out);
        backlog_told(&b, &p);
    }
    assert_int_equal(in - out, PORTION_ITEMS);
    assert_true(b.other.cap <= 8 * PORTION_ITEMS);
    assert_int_equal(b.n_all, 0);
    backlog_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_news_come_first_and_in_order),
        cmocka_unit_test(test_everything_of_a_hub),
        cmocka_unit_test(test_a_full_lane),
        cmocka_unit_test(test_a_lane_that_is_never_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
