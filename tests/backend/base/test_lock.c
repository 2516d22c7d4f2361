#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/base/clock.h"
#include "backend/base/lock.h"

static struct lock outer, inner, twin;
static struct cond woken;

static int init_locks(void **state)
{
    lock_init(&outer, RANK_HANDLE);
    lock_init(&inner, RANK_LOG);
    lock_init(&twin, RANK_LOG);
    cond_init(&woken);
    return 0;
}

static int fini_locks(void **state)
{
    cond_fini(&woken);
    lock_fini(&twin);
    lock_fini(&inner);
    lock_fini(&outer);
    return 0;
}

static void test_right_order(void **state)
{
    lock_take(&outer);
    lock_take(&inner);
    lock_assert_held(&outer);
    lock_assert_held(&inner);
    lock_drop(&outer); /* dropping may follow any order */
    lock_drop(&inner);
    lock_take(&outer);
    lock_drop(&outer);
}

static void test_scope(void **state)
{
    {
        LOCK_SCOPE(&outer);
        LOCK_SCOPE(&inner);

        assert_int_not_equal(pthread_mutex_trylock(&outer.mutex), 0);
        assert_int_not_equal(pthread_mutex_trylock(&inner.mutex), 0);
    }
    assert_int_equal(pthread_mutex_trylock(&outer.mutex), 0);
    assert_int_equal(pthread_mutex_trylock(&inner.mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&inner.mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&outer.mutex), 0);
}

#ifndef NDEBUG

/* Runs what must abort in a process of its own; gives what it said last. */
static void check_abort(void (*wrong)(void), const char *first, const char *second)
{
    char said[512] = "";
    int ends[2], status;
    size_t len = 0;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit no_core = { 0, 0 };

        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], STDERR_FILENO);
        wrong();
        _exit(0);
    }
    close(ends[1]);
    while ((n = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0)
        len += (size_t)n;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, first));
    assert_non_null(strstr(said, second));
}

static void take_in_wrong_order(void)
{
    lock_take(&inner);
    lock_take(&outer);
}

static void take_equal_rank(void)
{
    lock_take(&inner);
    lock_take(&twin);
}

static void take_twice(void)
{
    lock_take(&outer);
    lock_take(&outer);
}

static void drop_what_is_not_held(void)
{
    lock_take(&outer);
    lock_drop(&inner);
}

static void assert_what_is_not_held(void)
{
    lock_assert_held(&outer);
}

static void wait_under_an_inner_lock(void)
{
    lock_take(&outer);
    lock_take(&inner);
    (void)cond_wait_until(&woken, &outer, 0);
}

static void test_mistakes_abort_and_name_both(void **state)
{
    check_abort(take_in_wrong_order, "takes handle", "holding log");
    check_abort(take_equal_rank, "takes log", "holding log");
    check_abort(take_twice, "takes handle", "holding handle");
    check_abort(drop_what_is_not_held, "log", "not held");
    check_abort(assert_what_is_not_held, "handle", "not held");
    check_abort(wait_under_an_inner_lock, "takes handle", "holding log");
}

#endif

static void test_wait_ends_at_its_time(void **state)
{
    LOCK_SCOPE(&outer);

    /* Loops, because a wait may end early without a reason. */
    while (cond_wait_until(&woken, &outer, clock_now_ms() + 5))
        ;
    while (cond_wait_until(&woken, &outer, -5))
        ;
    lock_assert_held(&outer);
    lock_take(&inner); /* the order is still known */
    lock_drop(&inner);
}

/* Two threads hand a number to and fro; every wake-up is needed. */
static struct game {
    int turn; /* L: outer */
    int64_t until_ms;
} game;

static void *play(void *arg)
{
    int me = arg ? 1 : 0;

    for (int i = 0; i < 500; i++) {
        LOCK_SCOPE(&outer);

        while (game.turn % 2 != me) {
            if (game.until_ms == 0)
                cond_wait(&woken, &outer);
            else if (!cond_wait_until(&woken, &outer, game.until_ms))
                return NULL;
        }
        game.turn++;
        if (i % 2)
            cond_wake_one(&woken);
        else
            cond_wake_all(&woken);
    }
    return NULL;
}

static void test_wake_ups_arrive(void **state)
{
    const int64_t limits_ms[] = { 0, INT64_MAX, clock_now_ms() + 600000 };

    for (size_t i = 0; i < 3; i++) {
        pthread_t a, b;

        game = (struct game){ .until_ms = limits_ms[i] };
        assert_int_equal(pthread_create(&a, NULL, play, NULL), 0);
        assert_int_equal(pthread_create(&b, NULL, play, &game), 0);
        assert_int_equal(pthread_join(a, NULL), 0);
        assert_int_equal(pthread_join(b, NULL), 0);
        assert_int_equal(game.turn, 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_order),
        cmocka_unit_test(test_scope),
#ifndef NDEBUG
        cmocka_unit_test(test_mistakes_abort_and_name_both),
#endif
        cmocka_unit_test(test_wait_ends_at_its_time),
        cmocka_unit_test(test_wake_ups_arrive),
    };

    return cmocka_run_group_tests(tests, init_locks, fini_locks);
}
