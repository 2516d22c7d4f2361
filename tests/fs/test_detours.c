#include "fs/detours.h"
#include "tests/fs/check.h"

#define ME    100
#define OTHER 200
#define ABOVE ((node)0x3000)
#define NAME  STR("order-17")

static const struct attr dir = { .node = 0x1000, .entry_ms = 5000, .attr_ms = 5000 };
static const struct attr dir_b = { .node = 0x2000 };

struct scene {
    struct detours *d;
    unsigned let_go;
};

static void let_go(void *ctx, node n)
{
    struct scene *s = ctx;

    (void)n;
    s->let_go++;
}

static int setup(void **state)
{
    static struct scene scene;

    scene = (struct scene){ .d = detours_new(let_go, &scene) };
    *state = &scene;
    return scene.d ? 0 : -1;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    detours_free(s->d);
    return 0;
}

static enum detour_return back(struct detours *d, int tid, struct str name, enum err *ret)
{
    struct call call;
    node held = 0;

    call_init(&call, 1000);
    enum detour_return how = detours_return(d, tid, ABOVE, name, &call, ret, &held);
    if (how != DETOUR_NONE)
        assert_int_equal(held, dir.node);
    return how;
}

static void do_work(struct detours *d, int tid, enum err err)
{
    struct call call;
    node of = 0;

    call_init(&call, 1000);
    if (err)
        err = call_fail(&call, err, "because");
    assert_true(detours_take(d, tid, ABOVE, &of));
    assert_int_equal(of, dir.node);
    detours_done(d, tid, err, &call);
}

static void test_the_lookup_of_the_directory_above_does_the_work(void **state)
{
    struct detours *d = ((struct scene *)*state)->d;
    struct attr shown;
    enum err err;

    assert_false(detours_any(d, ME));
    assert_true(detours_begin(d, ME, ABOVE, NAME, &dir));
    assert_true(detours_any(d, ME));
    assert_false(detours_any(d, OTHER));
    assert_false(detours_awaits(d, ME, ABOVE + 1));
    assert_false(detours_awaits(d, OTHER, ABOVE));
    assert_true(detours_awaits(d, ME, ABOVE));
    assert_false(detours_shows(d, ME, ABOVE, NAME, &shown)); /* not done yet */
    do_work(d, ME, OK);
    assert_false(detours_awaits(d, ME, ABOVE)); /* once */
    assert_true(detours_shows(d, ME, ABOVE, NAME, &shown));
    assert_int_equal(shown.node, dir.node);
    assert_int_equal(shown.entry_ms, 0); /* for this one RMDIR only */
    assert_int_equal(shown.attr_ms, 0);
    assert_false(detours_shows(d, OTHER, ABOVE, NAME, &shown));
    assert_false(detours_shows(d, ME, ABOVE, STR("order-18"), &shown));
    assert_int_equal(back(d, ME, NAME, &err), DETOUR_DONE);
    assert_int_equal(err, OK);
    assert_int_equal(back(d, ME, NAME, &err), DETOUR_NONE);
    assert_false(detours_any(d, ME));
}

static void test_a_failure_comes_back_with_its_sentence(void **state)
{
    struct detours *d = ((struct scene *)*state)->d;
    struct call call;
    enum err err;
    node held;

    assert_true(detours_begin(d, ME, ABOVE, NAME, &dir));
    do_work(d, ME, ERR_BUSY);
    call_init(&call, 1000);
    assert_int_equal(detours_return(d, ME, ABOVE, NAME, &call, &err, &held), DETOUR_DONE);
    assert_int_equal(err, ERR_BUSY);
    assert_int_equal(call.err, ERR_BUSY);
    assert_string_equal(call.text, "because");
}

static void test_without_a_lookup_rmdir_does_the_work(void **state)
{
    struct detours *d = ((struct scene *)*state)->d;
    enum err err;

    assert_true(detours_begin(d, ME, ABOVE, NAME, &dir));
    assert_int_equal(back(d, OTHER, NAME, &err), DETOUR_NONE);
    assert_int_equal(back(d, ME, STR("order-18"), &err), DETOUR_NONE);
    assert_int_equal(back(d, ME, NAME, &err), DETOUR_UNDONE);
}

static void test_who_did_not_return_is_not_sent_again(void **state)
{
    struct scene *s = *state;
    enum err err;

    assert_false(detours_begin(s->d, 0, ABOVE, NAME, &dir)); /* who asks is not known */
    assert_true(detours_begin(s->d, ME, ABOVE, NAME, &dir));
    /* Somewhere ESTALE may be an error, not an invitation: the next who tries is served at once. */
    assert_false(detours_begin(s->d, OTHER, ABOVE, NAME, &dir));
    /* The same thread with another directory: the first one was given up. */
    assert_false(detours_begin(s->d, ME, ABOVE, STR("order-18"), &dir_b));
    assert_int_equal(s->let_go, 1);
    assert_int_equal(back(s->d, ME, NAME, &err), DETOUR_NONE);
    assert_true(detours_begin(s->d, OTHER, ABOVE, NAME, &dir));
    assert_int_equal(s->let_go, 1);
}

static void test_work_under_way_is_not_given_up(void **state)
{
    struct scene *s = *state;
    enum err err;
    node of;

    assert_true(detours_begin(s->d, ME, ABOVE, NAME, &dir));
    assert_true(detours_take(s->d, ME, ABOVE, &of));
    assert_false(detours_take(s->d, ME, ABOVE, &of));
    assert_int_equal(back(s->d, ME, NAME, &err), DETOUR_NONE);
    assert_false(detours_begin(s->d, ME, ABOVE, NAME, &dir_b));
    assert_int_equal(s->let_go, 0);
    /* Others may remove the same at the same time: each its own outcome. */
    assert_true(detours_begin(s->d, OTHER, ABOVE, NAME, &dir));
    detours_done(s->d, ME, OK, NULL);
    assert_int_equal(back(s->d, ME, NAME, &err), DETOUR_DONE);
    assert_int_equal(back(s->d, OTHER, NAME, &err), DETOUR_UNDONE);
}

static void test_no_more_than_can_be_worked_on(void **state)
{
    struct detours *d = ((struct scene *)*state)->d;
    struct attr each = dir;

    for (int i = 0; i < DETOURS_MAX; i++) {
        each.node = 0x10000 + (node)i;
        assert_true(detours_begin(d, ME + i, ABOVE, NAME, &each));
    }
    each.node = 1;
    assert_false(detours_begin(d, ME + DETOURS_MAX, ABOVE, NAME, &each));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_lookup_of_the_directory_above_does_the_work, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_failure_comes_back_with_its_sentence, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_without_a_lookup_rmdir_does_the_work, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_did_not_return_is_not_sent_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_work_under_way_is_not_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_more_than_can_be_worked_on, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
