#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "backend/net/pool.h"

#define TICKS_PER_MS (TICKS_PER_SEC / 1000)

static struct call new_call(int64_t timeout_ms)
{
    struct call call;
    call_init(&call, timeout_ms);
    return call;
}

static void test_L12_a_slot_is_of_one_caller(void **state)
{
    struct pool p;
    struct slot *a, *b, *c = NULL;
    struct call call = new_call(60000), short_call = new_call(50);
    assert_int_equal(pool_init(&p, 2), OK);
    assert_int_equal(pool_take(&p, &call, &a), OK);
    assert_int_equal(pool_take(&p, &call, &b), OK);
    assert_ptr_not_equal(a, b);
    assert_non_null(a->multi);
    assert_non_null(a->easy);
    assert_int_equal(pool_take(&p, &short_call, &c), ERR_TIMEOUT);
    assert_null(c);
    pool_put(&p, a);
    assert_int_equal(pool_take(&p, &call, &c), OK);
    assert_ptr_equal(a, c);
    pool_put(&p, b);
    pool_put(&p, c);
    pool_fini(&p);
}

static void test_the_warmest_slot_is_taken_first(void **state)
{
    struct pool p;
    struct slot *a, *b, *c;
    struct call call = new_call(60000);
    assert_int_equal(pool_init(&p, 3), OK);
    assert_int_equal(pool_take(&p, &call, &a), OK);
    assert_int_equal(pool_take(&p, &call, &b), OK);
    pool_put(&p, a);
    pool_put(&p, b);
    assert_int_equal(pool_take(&p, &call, &c), OK);
    assert_ptr_equal(c, b);
    pool_put(&p, c);
    pool_fini(&p);
}

struct waiter {
    struct pool *pool;
    struct call *call;
    struct slot *slot;
    enum err err;
};

static void *take(void *ctx)
{
    struct waiter *w = ctx;
    w->err = pool_take(w->pool, w->call, &w->slot);
    return NULL;
}

static void test_R5_waiting_for_a_slot_is_interrupted(void **state)
{
    struct pool p;
    struct slot *held;
    struct call call = new_call(60000), waiting = new_call(INT64_MAX);
    struct waiter w = { .pool = &p, .call = &waiting };
    pthread_t thread;
    assert_int_equal(pool_init(&p, 1), OK);
    assert_int_equal(pool_take(&p, &call, &held), OK);
    assert_int_equal(pthread_create(&thread, NULL, take, &w), 0);
    call_cancel(&waiting);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(w.err, ERR_CANCELLED);
    pool_put(&p, held);
    pool_fini(&p);
}

static void test_a_slot_that_comes_back_wakes_a_waiter(void **state)
{
    struct pool p;
    struct slot *held;
    struct call call = new_call(60000), waiting = new_call(60000);
    struct waiter w = { .pool = &p, .call = &waiting };
    pthread_t thread;
    assert_int_equal(pool_init(&p, 1), OK);
    assert_int_equal(pool_take(&p, &call, &held), OK);
    assert_int_equal(pthread_create(&thread, NULL, take, &w), 0);
    pool_put(&p, held);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(w.err, OK);
    assert_ptr_equal(w.slot, held);
    pool_put(&p, w.slot);
    pool_fini(&p);
}

/* The handles are what holds connections: a new generation means new handles. */
static unsigned generation_of(struct pool *p)
{
    struct slot *s;
    struct call call = new_call(60000);
    assert_int_equal(pool_take(p, &call, &s), OK);
    unsigned g = s->generation;
    pool_put(p, s);
    return g;
}

static void test_dropping_reaches_slots_that_are_out(void **state)
{
    struct pool p;
    struct slot *s;
    struct call call = new_call(60000);
    assert_int_equal(pool_init(&p, 1), OK);
    assert_int_equal(pool_take(&p, &call, &s), OK);
    unsigned before = s->generation;
    pool_drop_connections(&p);
    assert_int_equal(s->generation, before); /* not under its user's feet */
    pool_put(&p, s);
    assert_int_equal(generation_of(&p), before + 1);
    assert_int_equal(generation_of(&p), before + 1);
    pool_fini(&p);
}

static void test_F20_a_clock_jump_of_more_than_a_minute_drops_connections(void **state)
{
    struct pool p;
    assert_int_equal(pool_init(&p, 1), OK);
    pool_note_clocks(&p, 1000, 5000 * TICKS_PER_MS);
    unsigned before = p.generation;
    pool_note_clocks(&p, 901000, 905000 * TICKS_PER_MS); /* a quiet quarter of an hour */
    assert_int_equal(p.generation, before);
    pool_note_clocks(&p, 902000, (906000 + CLOCK_JUMP_MS) * TICKS_PER_MS);
    assert_int_equal(p.generation, before);
    pool_note_clocks(&p, 903000, (907001 + 2 * CLOCK_JUMP_MS) * TICKS_PER_MS);
    assert_int_equal(p.generation, before + 1);
    pool_note_clocks(&p, 904000, 908000 * TICKS_PER_MS); /* and back (F56) */
    assert_int_equal(p.generation, before + 2);
    pool_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_L12_a_slot_is_of_one_caller),
        cmocka_unit_test(test_the_warmest_slot_is_taken_first),
        cmocka_unit_test(test_R5_waiting_for_a_slot_is_interrupted),
        cmocka_unit_test(test_a_slot_that_comes_back_wakes_a_waiter),
        cmocka_unit_test(test_dropping_reaches_slots_that_are_out),
        cmocka_unit_test(test_F20_a_clock_jump_of_more_than_a_minute_drops_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
