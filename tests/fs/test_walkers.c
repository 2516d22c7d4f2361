#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/base/clock.h"
#include "fs/walkers.h"
#include "tests/fs/check.h"

#define ME    100
#define OTHER 200
#define DIR_A ((node)0x1000)
#define DIR_B ((node)0x2000)
#define VIEW  ((node)0x3000)

static const struct str entries[] = { { "status", 6 }, { "input", 5 }, { "output", 6 } };

static int setup(void **state)
{
    *state = walkers_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    walkers_free(*state);
    return 0;
}

static struct walk *open_instance(struct walkers *w, int process, node dir)
{
    struct walk *walk = NULL;

    assert_int_equal(walkers_open_instance(w, process, dir, entries, ARRAY_LEN(entries), &walk),
                     OK);
    return walk;
}

static struct walk *open_view(struct walkers *w, int process)
{
    struct walk *walk = NULL;

    assert_int_equal(walkers_open_above(w, process, VIEW, &walk), OK);
    return walk;
}

static enum err complete(struct walkers *w, int process, node dir)
{
    struct call call;

    call_init(&call, 1000);
    return walkers_complete(w, &call, process, dir);
}

static enum err above(struct walkers *w, int process)
{
    struct call call;

    call_init(&call, 1000);
    return walkers_above(w, &call, process);
}

static void *process_of_thread(void *arg)
{
    *(int *)arg = walkers_process((int)syscall(SYS_gettid));
    return NULL;
}

static void test_the_process_of_a_thread(void **state)
{
    pthread_t thread;
    int process = -1;

    assert_int_equal(walkers_process(getpid()), getpid());
    assert_int_equal(pthread_create(&thread, NULL, process_of_thread, &process), 0);
    pthread_join(thread, NULL);
    assert_int_equal(process, getpid());
    assert_int_equal(walkers_process(0), 0);
    assert_int_equal(walkers_process(-1), 0);
}

static void test_R8_walking_is_having_it_open_now(void **state)
{
    struct walkers *w = *state;

    assert_false(walkers_walks(w, ME, DIR_A));
    struct walk *walk = open_instance(w, ME, DIR_A);
    assert_true(walkers_walks(w, ME, DIR_A));
    assert_false(walkers_walks(w, OTHER, DIR_A));
    assert_false(walkers_walks(w, ME, DIR_B));
    walkers_close(w, walk);
    assert_false(walkers_walks(w, ME, DIR_A));
}

static void test_R8_two_descriptors(void **state)
{
    struct walkers *w = *state;
    struct walk *first = open_instance(w, ME, DIR_A);
    struct walk *second = open_instance(w, ME, DIR_A);

    walkers_close(w, first);
    assert_true(walkers_walks(w, ME, DIR_A));
    walkers_close(w, second);
    assert_false(walkers_walks(w, ME, DIR_A));
}

static void test_R8_who_never_opened_it_may_remove(void **state)
{
    struct walkers *w = *state;
    struct walk *walk = open_instance(w, OTHER, DIR_A);

    assert_int_equal(complete(w, ME, DIR_A), OK);
    walkers_close(w, walk);
}

static void test_R8_an_entry_left_out(void **state)
{
    struct walkers *w = *state;
    struct call call;
    struct walk *walk = open_instance(w, ME, DIR_A);

    assert_int_equal(complete(w, ME, DIR_A), ERR_NOT_EMPTY);
    walkers_unlinked(w, ME, DIR_A, STR("status"));
    walkers_unlinked(w, ME, DIR_A, STR("output"));
    walkers_unlinked(w, OTHER, DIR_A, STR("input"));
    walkers_unlinked(w, ME, DIR_B, STR("input"));
    call_init(&call, 1000);
    assert_int_equal(walkers_complete(w, &call, ME, DIR_A), ERR_NOT_EMPTY);
    assert_non_null(strstr(call.text, "'input'"));
    walkers_close(w, walk);
    /* Closed a moment ago: perl's rmtree removes only then. */
    assert_int_equal(complete(w, ME, DIR_A), ERR_NOT_EMPTY);
    walkers_unlinked(w, ME, DIR_A, STR("input"));
    assert_int_equal(complete(w, ME, DIR_A), OK);
}

static void test_R8_a_later_listing_counts_too(void **state)
{
    static const struct str more[] = { { "status", 6 }, { "failure", 7 } };
    struct walkers *w = *state;
    struct walk *walk = open_instance(w, ME, DIR_A);

    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        walkers_unlinked(w, ME, DIR_A, entries[i]);
    walkers_close(w, walk);
    assert_int_equal(complete(w, ME, DIR_A), OK);
    assert_int_equal(walkers_open_instance(w, ME, DIR_A, more, ARRAY_LEN(more), &walk), OK);
    assert_int_equal(complete(w, ME, DIR_A), ERR_NOT_EMPTY);
    walkers_unlinked(w, ME, DIR_A, STR("failure"));
    assert_int_equal(complete(w, ME, DIR_A), OK);
    walkers_close(w, walk);
}

static void test_R8_closed_long_ago_is_forgotten(void **state)
{
    struct walkers *w = *state;

    walkers_close(w, open_instance(w, ME, DIR_A));
    assert_int_equal(complete(w, ME, DIR_A), ERR_NOT_EMPTY);
    clock_sleep_ms(WALKERS_MEMORY_MS + 50);
    assert_int_equal(complete(w, ME, DIR_A), OK);
}

static void test_R8_many_closed_walks_are_bounded(void **state)
{
    struct walkers *w = *state;

    for (node n = 0; n < WALKERS_CLOSED_MAX + 10; n++)
        walkers_close(w, open_instance(w, ME, DIR_A + n));
    assert_int_equal(complete(w, ME, DIR_A), OK); /* the oldest went */
    assert_int_equal(complete(w, ME, DIR_A + WALKERS_CLOSED_MAX + 9), ERR_NOT_EMPTY);
}

static void test_R8_a_view_that_is_open_refuses(void **state)
{
    struct walkers *w = *state;
    struct call local;

    assert_int_equal(above(w, ME), OK);
    struct walk *walk = open_view(w, ME);
    call_init_local(&local);
    assert_int_equal(walkers_above(w, &local, ME), ERR_WOULD_BLOCK);
    assert_int_equal(above(w, ME), ERR_FORBIDDEN);
    assert_int_equal(above(w, OTHER), OK);
    /* Once waited for in vain, the next refusals come at once. */
    call_init_local(&local);
    assert_int_equal(walkers_above(w, &local, ME), ERR_FORBIDDEN);
    walkers_close(w, walk);
    assert_int_equal(above(w, ME), OK);
}

static void test_R8_two_views(void **state)
{
    struct walkers *w = *state;
    struct walk *first = open_view(w, ME);
    struct walk *second = open_view(w, ME);

    walkers_close(w, first);
    assert_int_equal(above(w, ME), ERR_FORBIDDEN);
    walkers_close(w, second);
    assert_int_equal(above(w, ME), OK);
}

struct late {
    struct walkers *w;
    struct walk *walk;
};

static void *release_late(void *arg)
{
    struct late *late = arg;

    clock_sleep_ms(5);
    walkers_close(late->w, late->walk);
    return NULL;
}

static void test_R8_a_release_on_its_way_is_waited_for(void **state)
{
    struct walkers *w = *state;
    struct late late = { w, open_view(w, ME) };
    pthread_t thread;
    enum err err;

    assert_int_equal(pthread_create(&thread, NULL, release_late, &late), 0);
    err = above(w, ME);
    pthread_join(thread, NULL);
    /* On a machine that is busy the release may come too late, then the refusal is right. */
    assert_true(err == OK || err == ERR_FORBIDDEN);
    assert_int_equal(above(w, ME), OK);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_the_process_of_a_thread),
        CASE(test_R8_walking_is_having_it_open_now),
        CASE(test_R8_two_descriptors),
        CASE(test_R8_who_never_opened_it_may_remove),
        CASE(test_R8_an_entry_left_out),
        CASE(test_R8_a_later_listing_counts_too),
        CASE(test_R8_closed_long_ago_is_forgotten),
        CASE(test_R8_many_closed_walks_are_bounded),
        CASE(test_R8_a_view_that_is_open_refuses),
        CASE(test_R8_two_views),
        CASE(test_R8_a_release_on_its_way_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
