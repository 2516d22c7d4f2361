#include "backend/worker.h"

#include "backend/base/clock.h"
#include "backend/base/limits.h"
#include "backend/base/lock.h"
#include "tests/backend/unit.h"

struct scene {
    struct lock lock;
    struct worker worker;
    int runs;
    enum err err;
};

static void *run_once(void *arg)
{
    struct scene *s = arg;
    LOCK_SCOPE(&s->lock);
    s->runs++;
    s->worker.live = false;
    return NULL;
}

/* Works until it is told to end. */
static void *run_on(void *arg)
{
    struct scene *s = arg;
    while ((s->err = call_check(&s->worker.call)) == OK)
        clock_sleep_ms(1);
    return run_once(arg);
}

static void start(struct scene *s, void *(*run)(void *))
{
    struct call call;
    call_init(&call, 1000);
    LOCK_SCOPE(&s->lock);
    assert_int_equal(worker_start(&s->worker, run, s, &call), OK);
    assert_true(s->worker.live && s->worker.started);
}

static bool is_live(struct scene *s)
{
    LOCK_SCOPE(&s->lock);
    return s->worker.live;
}

static void test_one_after_the_other(void **state)
{
    struct scene s = { .runs = 0 };
    lock_init(&s.lock, RANK_CATALOGUE);
    for (int i = 0; i < 3; i++) {
        start(&s, run_once);
        while (is_live(&s))
            clock_sleep_ms(1);
        assert_int_equal(s.worker.call.patience_ms, CALL_TIMEOUT_MS);
    }
    worker_end(&s.worker);
    assert_int_equal(s.runs, 3);
    assert_false(s.worker.started);
    lock_fini(&s.lock);
}

static void test_the_end_cancels(void **state)
{
    struct scene s = { .runs = 0 };
    lock_init(&s.lock, RANK_CATALOGUE);
    start(&s, run_on);
    worker_end(&s.worker);
    assert_int_equal(s.runs, 1);
    assert_int_equal(s.err, ERR_CANCELLED);
    lock_fini(&s.lock);
}

static void test_one_that_never_began(void **state)
{
    struct worker w = { .live = false };
    worker_end(&w);
    assert_false(w.started);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_the_end_cancels),
        cmocka_unit_test(test_one_that_never_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
