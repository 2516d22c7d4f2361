#include "tests/fs/check.h"
#include "tests/fs/mounted.h"

static const char *const names[] = { "timeline", "timeline.svg", "history.mmd" };

static int setup(void **state)
{
    *state = mounted_new();
    return 0;
}

static int teardown(void **state)
{
    mounted_free(*state);
    return 0;
}

static struct fake_instance *add(struct mounted *m, enum status status)
{
    struct fake_instance *in = fakehub_add(m->hub, "order-17", "OrderFlow", status);
    struct event *e;

    (void)fake_event(in, EVENT_ORCHESTRATOR_STARTED, 1);
    fake_event(in, EVENT_EXECUTION_STARTED, 0)->name = STR("OrderFlow");
    e = fake_event(in, EVENT_TASK_SCHEDULED, 1);
    e->event_id = 0;
    e->name = STR("Charge");
    (void)fake_event(in, EVENT_ORCHESTRATOR_COMPLETED, 1);
    if (status == STATUS_RUNNING)
        return in;
    (void)fake_event(in, EVENT_ORCHESTRATOR_STARTED, 5);
    fake_event(in, EVENT_TASK_COMPLETED, 4)->task_id = 0;
    fake_event(in, EVENT_EXECUTION_COMPLETED, 5)->orchestration_status = STR("Completed");
    (void)fake_event(in, EVENT_ORCHESTRATOR_COMPLETED, 5);
    return in;
}

static void path_of(struct buf *ret, const char *name)
{
    buf_printf(ret, "instances/order-17/%s", name);
}

static void test_each_draws_the_history(void **state)
{
    struct mounted *m = *state;

    add(m, STATUS_COMPLETED);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP_BUF struct buf path = BUF_INIT(256);
        const char *text;

        path_of(&path, names[i]);
        text = mounted_cat(m, buf_c(&path));
        assert_non_null(strstr(text, "Charge"));
        assert_non_null(strstr(text, "order-17"));
    }
}

static void read_content(struct mounted *m, const char *name, struct content *ret, uint64_t *size)
{
    CLEANUP_BUF struct buf path = BUF_INIT(256);
    struct attr a;

    path_of(&path, name);
    assert_int_equal(mounted_path(m, buf_c(&path), &a), OK);
    assert_int_equal(tree_attr(m->tree, &m->call, a.node, true, &a), OK);
    assert_true(a.size_exact);
    *size = a.size;
    assert_int_equal(tree_read(m->tree, &m->call, a.node, ret), OK);
}

static void test_R4_a_finished_one_never_changes(void **state)
{
    struct mounted *m = *state;

    add(m, STATUS_COMPLETED);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct content first, second;
        uint64_t size;

        read_content(m, names[i], &first, &size);
        assert_int_equal(first.text->len, size);
        assert_false(first.live);
        read_content(m, names[i], &second, &size);
        assert_int_equal(first.version, second.version);
        assert_true(str_eq(text_str(first.text), text_str(second.text)));
        content_fini(&first);
        content_fini(&second);
    }
}

/* Its bytes depend on the clock, so no two of them are the same version. */
static void test_R4_an_open_one_is_live(void **state)
{
    struct mounted *m = *state;

    add(m, STATUS_RUNNING);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct content first, second;
        uint64_t size;

        read_content(m, names[i], &first, &size);
        read_content(m, names[i], &second, &size);
        assert_true(first.live && second.live);
        assert_false(first.follows);
        assert_int_not_equal(first.version, second.version);
        content_fini(&first);
        content_fini(&second);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_draws_the_history),
        TEST(test_R4_a_finished_one_never_changes),
        TEST(test_R4_an_open_one_is_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
