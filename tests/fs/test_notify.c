#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fs/nodes.h"
#include "fs/notify.h"
#include "tests/fs/fakehub.h"

#define LONG_MS   3600000
#define TOLD_MAX  65536
#define PLENTY_MS 20000 /* for what happens at once */

/* A forest over a fake hub, and a kernel that writes down what it is told. */
struct fixture {
    struct fakehub *hub;
    struct catalogue *catalogue;
    struct failures *failures;
    struct forest *forest;
    struct notify *notify;
    struct call call;
    struct lock lock;
    struct cond changed;
    size_t calls;         /* L */
    size_t listings;      /* L */
    bool hold, held;      /* L: calls wait while hold is set; one does */
    size_t gone_at;       /* L: calls when the name "done" was told */
    char names[TOLD_MAX]; /* L: every "node/name " */
    char nodes[TOLD_MAX]; /* L: every "node " */
};

static void note_locked(struct fixture *x, char *list, const char *text)
{
    size_t len = strlen(list);

    assert_true(len + strlen(text) < TOLD_MAX);
    memcpy(list + len, text, strlen(text) + 1);
    x->calls++;
    x->held = true;
    cond_wake_all(&x->changed);
    while (x->hold)
        cond_wait(&x->changed, &x->lock);
    x->held = false;
}

static void on_attributes(void *ctx, node n)
{
    struct fixture *x = ctx;
    char text[64];

    snprintf(text, sizeof(text), "%llx ", (unsigned long long)n);
    LOCK_SCOPE(&x->lock);
    note_locked(x, x->nodes, text);
}

static void on_listing(void *ctx, node n)
{
    struct fixture *x = ctx;

    on_attributes(ctx, n);
    LOCK_SCOPE(&x->lock);
    x->listings++;
}

static void on_name(void *ctx, node dir, struct str name)
{
    struct fixture *x = ctx;
    char text[512];

    snprintf(text, sizeof(text), "%llx/" STR_FMT " ", (unsigned long long)dir, STR_ARG(name));
    LOCK_SCOPE(&x->lock);
    note_locked(x, x->names, text);
    if (str_eq(name, STR("done")))
        x->gone_at = x->calls;
}

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    struct catalogue_settings settings = { LONG_MS, 64 << 20, 64 << 20 };
    struct notify_kernel kernel = { on_attributes, on_listing, on_name, x };

    x->hub = fakehub_new();
    fakehub_add(x->hub, "run", "OrderFlow", STATUS_RUNNING);
    fakehub_add(x->hub, "done", "OrderFlow", STATUS_COMPLETED);
    fakehub_add(x->hub, "bad", "OrderFlow", STATUS_FAILED);
    x->catalogue = catalogue_new(&x->hub->hub, &settings);
    x->failures = failures_new();
    lock_init(&x->lock, RANK_LOG);
    cond_init(&x->changed);
    x->notify = notify_new();
    assert_non_null(x->notify);
    assert_true(notify_start(x->notify, &kernel));
    struct forest_settings forest = { .tree = { .catalogue = x->catalogue,
                                                .failures = x->failures,
                                                .purge = true,
                                                .ttl_ms = LONG_MS,
                                                .told_ms = NOTIFY_TOLD_MS,
                                                .news = notify_news,
                                                .news_ctx = x->notify,
                                                .version = "1" } };
    x->forest = forest_new(&forest);
    assert_non_null(x->forest);
    notify_plant(x->notify, x->forest);
    call_init(&x->call, 10000);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;

    assert_true(notify_stop(x->notify));
    forest_free(x->forest);
    catalogue_free(x->catalogue);
    notify_free(x->notify);
    failures_free(x->failures);
    cond_fini(&x->changed);
    lock_fini(&x->lock);
    free(x);
    return 0;
}

/* Every step of the path stays held, as the kernel would. */
static node look_up(struct fixture *x, const char *path)
{
    struct str rest = str_c(path);
    struct attr a = { .node = NODE_ROOT };

    while (rest.len > 0) {
        int64_t negative_ms;
        enum err err =
            forest_lookup(x->forest, &x->call, a.node, str_cut(&rest, '/'), &a, &negative_ms);

        if (err != OK)
            fail_msg("%s: %s", path, x->call.text);
    }
    return a.node;
}

static bool told_node(struct fixture *x, node n)
{
    char text[64];

    snprintf(text, sizeof(text), "%llx ", (unsigned long long)n);
    LOCK_SCOPE(&x->lock);
    return strstr(x->nodes, text);
}

static bool told_name(struct fixture *x, node dir, const char *name)
{
    char text[512];

    snprintf(text, sizeof(text), "%llx/%s ", (unsigned long long)dir, name);
    LOCK_SCOPE(&x->lock);
    return strstr(x->names, text);
}

static void forget_told(struct fixture *x)
{
    notify_settle(x->notify, LANE_ALL);
    LOCK_SCOPE(&x->lock);
    x->nodes[0] = x->names[0] = '\0';
    x->calls = x->listings = 0;
}

static size_t calls(struct fixture *x)
{
    LOCK_SCOPE(&x->lock);
    return x->calls;
}

static void news_of(struct fixture *x, node n, bool gone)
{
    struct catalogue_news news = {
        .slot = (uint32_t)node_index(n), .gone = gone, .created = 1, .name = STR("OrderFlow")
    };

    notify_news(x->notify, 0, &news);
}

static void await_name(struct fixture *x, node dir, const char *name)
{
    int64_t end = clock_now_ms() + PLENTY_MS;

    while (!told_name(x, dir, name))
        assert_true(clock_now_ms() < end);
}

/* Everything of it where something of it is known, and nothing else. */
static void test_a_change_is_told_where_it_is_known(void **state)
{
    struct fixture *x = *state;
    node status = look_up(x, "instances/bad/status");
    node dir = look_up(x, "instances/bad"), by_name = look_up(x, "by-name/OrderFlow/bad");
    node other = look_up(x, "instances/done/status"), view = look_up(x, "instances");

    forget_told(x);
    news_of(x, dir, false);
    notify_settle(x->notify, LANE_ALL);
    assert_true(told_node(x, dir) && told_node(x, status) && told_node(x, by_name));
    assert_true(told_node(x, view)); /* it counts */
    assert_false(told_node(x, other));
    assert_false(told_node(
        x, node_beside(by_name, node_pack(VIEW_NAME, node_kind(status), node_index(status)))));
    assert_false(told_node(x, node_pack(VIEW_STATUS, node_kind(dir), node_index(dir))));
    assert_true(told_name(x, dir, "rewind") && told_name(x, dir, "terminate"));
    assert_true(told_name(x, dir, "events") && told_name(x, dir, "failure"));
    assert_false(told_name(x, dir, "status")); /* always there */
    assert_false(told_name(x, view, "bad"));   /* it stays where it is */
    assert_true(x->listings >= 2);
}

static void test_what_nobody_knows_is_not_told(void **state)
{
    struct fixture *x = *state;
    node n = look_up(x, "instances/done");

    forest_forget(x->forest, n, 1);
    forget_told(x);
    struct catalogue_news news = { .slot = (uint32_t)node_index(n), .created = TICKS_NONE };
    notify_news(x->notify, 0, &news);
    notify_settle(x->notify, LANE_ALL);
    assert_int_equal(calls(x), 0);
}

static void test_one_that_is_gone_leaves_every_view(void **state)
{
    struct fixture *x = *state;
    node dir = look_up(x, "instances/done");

    look_up(x, "by-name/OrderFlow/done");
    look_up(x, "by-status/Completed/done");
    look_up(x, "by-created/2026-11-24/done");
    assert_int_equal(forest_purge(x->forest, &x->call, dir), OK);
    notify_settle(x->notify, LANE_ALL);
    assert_true(told_node(x, dir));
    assert_true(told_name(x, look_up(x, "instances"), "done"));
    assert_true(told_name(x, look_up(x, "by-name/OrderFlow"), "done"));
    assert_true(told_name(x, look_up(x, "by-status/Completed"), "done"));
    assert_true(told_name(x, look_up(x, "by-created/2026-11-24"), "done"));
}

/* It left the other groups, as far as anybody knows; who stands in the one where it is stays. */
static void test_a_change_of_state_takes_it_out_of_other_groups(void **state)
{
    struct fixture *x = *state;
    node dir = look_up(x, "by-status/Failed/bad"), failed = look_up(x, "by-status/Failed");
    node running = look_up(x, "by-status/Running");

    forget_told(x);
    news_of(x, dir, false);
    notify_settle(x->notify, LANE_ALL);
    assert_false(told_name(x, failed, "bad"));
    assert_true(told_name(x, running, "bad"));
    struct receipt receipt;
    struct command rewind = { .kind = CMD_REWIND, .id = STR("bad") };
    assert_int_equal(catalogue_send(x->catalogue, &x->call, &rewind, &receipt), OK);
    notify_settle(x->notify, LANE_ALL);
    assert_true(told_name(x, failed, "bad"));
}

/* The kernel would wait for the request. */
static void test_names_wait_for_a_directory_in_use(void **state)
{
    struct fixture *x = *state;
    node dir = look_up(x, "instances/done"), view = look_up(x, "instances");

    forget_told(x);
    notify_enter(x->notify, view);
    news_of(x, dir, true);
    notify_settle(x->notify, LANE_ALL);
    assert_true(told_node(x, dir));
    assert_false(told_name(x, view, "done"));
    notify_leave(x->notify, view);
    await_name(x, view, "done");
}

static void test_everything_is_told_of_what_is_held(void **state)
{
    struct fixture *x = *state;
    node a = look_up(x, "instances/done/status"), b = look_up(x, "by-name/OrderFlow/bad");

    forget_told(x);
    forest_drop_cached(x->forest);
    notify_settle(x->notify, LANE_ALL);
    assert_true(told_node(x, a) && told_node(x, b));
}

/* The thread may wait in the kernel for a directory; who acted does not wait for the thread. */
static void test_own_attributes_are_told_by_who_acted(void **state)
{
    struct fixture *x = *state;
    node dir = look_up(x, "by-name/OrderFlow/done"), file = look_up(x, "instances/done/status");
    node other = look_up(x, "instances/bad");

    forget_told(x);
    notify_own(x->notify, file);
    assert_true(told_node(x, file) && told_node(x, dir));
    assert_true(told_node(x, look_up(x, "instances/done")));
    assert_false(told_node(x, other));
    assert_int_equal(x->listings, 0);
    assert_string_equal(x->names, "");
    notify_own(x->notify, look_up(x, "instances")); /* no instance */
    notify_halt(x->notify);
    size_t before = calls(x);
    notify_own(x->notify, file);
    assert_int_equal(calls(x), before);
}

#define MANY 500

/* Whoever gave a command looks at once; whoever dropped everything can wait. */
static void test_own_effects_come_before_all_else(void **state)
{
    struct fixture *x = *state;
    node done = look_up(x, "instances/done");
    char path[64];

    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof(path), "instances/many-%d", i);
        fakehub_add(x->hub, path + sizeof("instances/") - 1, "Many", STATUS_COMPLETED);
        look_up(x, path);
    }
    forget_told(x);
    lock_take(&x->lock);
    x->hold = true;
    lock_drop(&x->lock);
    forest_drop_cached(x->forest);
    lock_take(&x->lock);
    while (!x->held)
        cond_wait(&x->changed, &x->lock);
    lock_drop(&x->lock);
    struct catalogue_news news = {
        .slot = (uint32_t)node_index(done), .gone = true, .own = true, .created = TICKS_NONE
    };
    notify_news(x->notify, 0, &news);
    lock_take(&x->lock);
    x->hold = false;
    cond_wake_all(&x->changed);
    lock_drop(&x->lock);
    notify_settle(x->notify, LANE_OWN);
    await_name(x, look_up(x, "instances"), "done");
    for (int i = 0; i < PLENTY_MS / NOTIFY_SETTLE_MS && calls(x) < MANY; i++)
        notify_settle(x->notify, LANE_ALL);
    assert_true(calls(x) >= MANY);
    assert_in_range(x->gone_at, 1, MANY / 2);
}

/* More news than there is room for: all that is held is told, once. */
static void test_too_many_news(void **state)
{
    struct fixture *x = *state;
    node a = look_up(x, "instances/done/status");

    forget_told(x);
    lock_take(&x->lock);
    x->hold = true;
    lock_drop(&x->lock);
    news_of(x, a, false);
    lock_take(&x->lock);
    while (!x->held)
        cond_wait(&x->changed, &x->lock);
    x->nodes[0] = '\0';
    lock_drop(&x->lock);
    for (uint32_t i = 0; i < BACKLOG_MAX + 10; i++) {
        struct catalogue_news news = { .slot = 1000 + i, .created = TICKS_NONE };
        notify_news(x->notify, 0, &news);
    }
    lock_take(&x->lock);
    x->hold = false;
    cond_wake_all(&x->changed);
    lock_drop(&x->lock);
    await_name(x, look_up(x, "instances/done"), "rewind");
    notify_settle(x->notify, LANE_ALL);
    notify_settle(x->notify, LANE_ALL);
    assert_true(told_node(x, a));
}

static void test_moments(void **state)
{
    struct fixture *x = *state;
    node a = look_up(x, "instances/done/status"), b = look_up(x, "instances/bad");
    notify_moment then = notify_now(x->notify);

    assert_false(notify_since(x->notify, a, then));
    news_of(x, a, false);
    assert_true(notify_since(x->notify, a, then));
    assert_false(notify_since(x->notify, b, then));
    then = notify_now(x->notify);
    assert_false(notify_since(x->notify, a, then));
    forest_drop_cached(x->forest);
    assert_true(notify_since(x->notify, a, then) && notify_since(x->notify, b, then));
    forget_told(x);
    notify_again(x->notify, a);
    notify_settle(x->notify, LANE_ALL);
    assert_true(told_node(x, a));
    assert_false(told_node(x, b));
}

static void test_nothing_is_told_after_a_halt(void **state)
{
    struct fixture *x = *state;
    node a = look_up(x, "instances/done/status");

    forget_told(x);
    notify_halt(x->notify);
    news_of(x, a, false);
    notify_settle(x->notify, LANE_ALL);
    assert_int_equal(calls(x), 0);
}

/* What the tree lets the kernel believe, and for how long. */
static void test_lives(void **state)
{
    struct fixture *x = *state;
    int64_t negative_ms;
    struct attr a;
    node done = look_up(x, "instances/done"), run = look_up(x, "instances/run");

    assert_int_equal(forest_lookup(x->forest, &x->call, done, STR("status"), &a, &negative_ms), OK);
    assert_int_equal(a.entry_ms, NOTIFY_TOLD_MS);
    assert_int_equal(a.attr_ms, NOTIFY_TOLD_MS);
    assert_int_equal(forest_lookup(x->forest, &x->call, done, STR("failure"), &a, &negative_ms),
                     ERR_NOT_FOUND);
    assert_int_equal(negative_ms, NOTIFY_TOLD_MS);
    assert_int_equal(forest_lookup(x->forest, &x->call, run, STR("status"), &a, &negative_ms), OK);
    assert_int_equal(a.entry_ms, NOTIFY_TOLD_MS); /* the name stays, the rest may change */
    assert_true(a.attr_ms > 0 && a.attr_ms <= LONG_MS);
    assert_int_equal(forest_lookup(x->forest, &x->call, run, STR("terminate"), &a, &negative_ms),
                     OK);
    assert_true(a.entry_ms > 0 && a.entry_ms <= LONG_MS);
    assert_int_equal(forest_attr(x->forest, &x->call, done, true, &a), OK);
    assert_true(a.entry_ms > 0 && a.entry_ms <= LONG_MS); /* its name is not inside */
    assert_int_equal(
        forest_lookup(x->forest, &x->call, look_up(x, "instances"), STR(".git"), &a, &negative_ms),
        ERR_NOT_FOUND);
    assert_true(negative_ms > NOTIFY_TOLD_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_change_is_told_where_it_is_known),
        TEST(test_what_nobody_knows_is_not_told),
        TEST(test_one_that_is_gone_leaves_every_view),
        TEST(test_a_change_of_state_takes_it_out_of_other_groups),
        TEST(test_names_wait_for_a_directory_in_use),
        TEST(test_everything_is_told_of_what_is_held),
        TEST(test_own_attributes_are_told_by_who_acted),
        TEST(test_own_effects_come_before_all_else),
        TEST(test_too_many_news),
        TEST(test_moments),
        TEST(test_nothing_is_told_after_a_halt),
        TEST(test_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
