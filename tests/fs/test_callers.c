#include <stdlib.h>

#include "backend/base/clock.h"
#include "backend/base/lock.h"
#include "fs/callers.h"
#include "tests/fs/check.h"

/* A job that waits until it is let go or cancelled. */
struct task {
    struct job job;
    struct call call;
    struct stage *stage;
    enum err seen;
};

struct stage {
    struct lock lock;
    struct cond changed;
    unsigned running, ended;
    bool open;
};

static void task_work(struct job *job)
{
    struct task *t = (struct task *)job;
    struct stage *s = t->stage;

    LOCK_SCOPE(&s->lock);
    s->running++;
    cond_wake_all(&s->changed);
    while (!s->open && (t->seen = call_check(&t->call)) == OK)
        cond_wait_until(&s->changed, &s->lock, clock_now_ms() + 20);
}

static void task_end(struct job *job)
{
    struct stage *s = ((struct task *)job)->stage;

    LOCK_SCOPE(&s->lock);
    s->ended++;
    cond_wake_all(&s->changed);
}

static void stage_init(struct stage *s)
{
    *s = (struct stage){ 0 };
    lock_init(&s->lock, RANK_HANDLE);
    cond_init(&s->changed);
}

static void stage_fini(struct stage *s)
{
    cond_fini(&s->changed);
    lock_fini(&s->lock);
}

static void stage_open(struct stage *s)
{
    LOCK_SCOPE(&s->lock);
    s->open = true;
    cond_wake_all(&s->changed);
}

static void wait_for(struct stage *s, const unsigned *counter, unsigned n)
{
    LOCK_SCOPE(&s->lock);
    while (*counter < n)
        cond_wait(&s->changed, &s->lock);
}

static void task_init(struct task *t, struct stage *s)
{
    *t = (struct task){ .job = { .work = task_work, .end = task_end, .call = &t->call },
                        .stage = s };
    call_init(&t->call, 60000);
}

static void test_jobs_run_and_end(void **state)
{
    struct callers *c = callers_new();
    struct task tasks[CALLERS_MAX * 3];
    struct stage s;

    stage_init(&s);
    stage_open(&s);
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
        task_init(&tasks[i], &s);
        assert_int_equal(callers_submit(c, &tasks[i].job), OK);
    }
    wait_for(&s, &s.ended, ARRAY_LEN(tasks));
    assert_int_equal(s.running, ARRAY_LEN(tasks));
    assert_true(callers_stop(c, 60000, 60000));
    callers_free(c);
    stage_fini(&s);
}

static void test_R5_a_cancelled_job_that_waits_is_hurried(void **state)
{
    struct callers *c = callers_new();
    struct task tasks[CALLERS_MAX + 2];
    struct stage s;

    stage_init(&s);
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
        task_init(&tasks[i], &s);
        assert_int_equal(callers_submit(c, &tasks[i].job), OK);
    }
    wait_for(&s, &s.running, CALLERS_MAX);
    struct task *last = &tasks[CALLERS_MAX + 1];
    call_cancel(&last->call);
    callers_hurry(c, &last->job);
    wait_for(&s, &s.ended, 1);
    assert_int_equal(last->seen, ERR_CANCELLED);
    lock_take(&s.lock);
    assert_int_equal(s.running, CALLERS_MAX + 1); /* the other one still waits */
    lock_drop(&s.lock);
    stage_open(&s);
    wait_for(&s, &s.ended, ARRAY_LEN(tasks));
    assert_true(callers_stop(c, 60000, 60000));
    callers_free(c);
    stage_fini(&s);
}

static void test_F43_stop_cancels_what_does_not_end(void **state)
{
    struct callers *c = callers_new();
    struct task tasks[3], late;
    struct stage s;

    stage_init(&s);
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
        task_init(&tasks[i], &s);
        assert_int_equal(callers_submit(c, &tasks[i].job), OK);
    }
    wait_for(&s, &s.running, ARRAY_LEN(tasks));
    assert_true(callers_stop(c, 10, 60000));
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
        assert_int_equal(tasks[i].seen, ERR_CANCELLED);
    task_init(&late, &s);
    assert_int_equal(callers_submit(c, &late.job), ERR_CANCELLED);
    callers_free(c);
    stage_fini(&s);
}

/* One hub that does not answer takes what is its own, and no more. */
static void test_F67_a_slow_group_keeps_no_other_waiting(void **state)
{
    enum { SLOW = CALLERS_MAX + 20 };
    struct callers *c = callers_new();
    struct task slow[SLOW], quick, hurried;
    struct stage closed, opened;

    stage_init(&closed);
    stage_init(&opened);
    opened.open = true;
    for (size_t i = 0; i < SLOW; i++) {
        task_init(&slow[i], &closed);
        slow[i].job.group = 7;
        assert_int_equal(callers_submit(c, &slow[i].job), OK);
    }
    wait_for(&closed, &closed.running, CALLERS_MAX);
    task_init(&quick, &opened);
    quick.job.group = 8;
    assert_int_equal(callers_submit(c, &quick.job), OK);
    wait_for(&opened, &opened.ended, 1);
    lock_take(&closed.lock);
    assert_int_equal(closed.running, CALLERS_MAX);
    lock_drop(&closed.lock);
    /* One that is held is told of its end as well. */
    task_init(&hurried, &closed);
    hurried.job.group = 7;
    assert_int_equal(callers_submit(c, &hurried.job), OK);
    call_cancel(&hurried.call);
    callers_hurry(c, &hurried.job);
    wait_for(&closed, &closed.ended, 1);
    assert_int_equal(hurried.seen, ERR_CANCELLED);
    stage_open(&closed);
    wait_for(&closed, &closed.ended, SLOW + 1);
    assert_true(callers_stop(c, 60000, 60000));
    callers_free(c);
    stage_fini(&opened);
    stage_fini(&closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs_run_and_end),
        cmocka_unit_test(test_R5_a_cancelled_job_that_waits_is_hurried),
        cmocka_unit_test(test_F67_a_slow_group_keeps_no_other_waiting),
        cmocka_unit_test(test_F43_stop_cancels_what_does_not_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
