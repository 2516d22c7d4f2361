#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/fs/mounted.h"

static int setup(void **state)
{
    struct mounted *m = mounted_new();

    fakehub_add(m->hub, "run", "OrderFlow", STATUS_RUNNING);
    fakehub_add(m->hub, "done", "OrderFlow", STATUS_COMPLETED);
    fakehub_add(m->hub, "bad", "OrderFlow", STATUS_FAILED);
    fakehub_add(m->hub, "held", "OrderFlow", STATUS_SUSPENDED);
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    mounted_free(*state);
    return 0;
}

static void expect_sent(struct mounted *m, enum command_kind kind, const char *id, const char *name,
                        const char *data)
{
    assert_int_equal(m->hub->sends, 1);
    assert_int_equal(m->hub->last.kind, kind);
    assert_string_equal(m->hub->last.id, id);
    assert_string_equal(m->hub->last.name, name);
    assert_string_equal(m->hub->last.data, data);
}

static void test_event(void **state)
{
    struct mounted *m = *state;

    assert_int_equal(mounted_write(m, "by-status/Running/run/events/Approve%2Fx", "{\"ok\":true}"),
                     OK);
    expect_sent(m, CMD_EVENT, "run", "Approve/x", "{\"ok\":true}");
}

static void test_start(void **state)
{
    struct mounted *m = *state;

    mounted_ls(m, "instances");
    assert_int_equal(mounted_write(m, "start/Ship/new 1", "{}"), OK);
    expect_sent(m, CMD_START, "new 1", "Ship", "{}");
    assert_true(m->hub->last.has_data);
    /* What this mount did itself is visible at once. */
    assert_true(str_has(str_c(mounted_ls(m, "instances")), STR("new 1/ ")));
    assert_int_equal(mounted_write(m, "start/Ship/new 1", "{}"), ERR_EXISTS);
    assert_int_equal(m->hub->sends, 1);
}

static void test_signal(void **state)
{
    struct mounted *m = *state;

    assert_int_equal(mounted_write(m, "entities/counter/a@b/signal/add", "5"), OK);
    expect_sent(m, CMD_SIGNAL, "@counter@a@b", "add", "5");
}

static void test_verbs(void **state)
{
    struct mounted *m = *state;

    assert_int_equal(mounted_write(m, "instances/run/terminate", "buggy"), OK);
    expect_sent(m, CMD_TERMINATE, "run", "", "buggy");
    assert_int_equal(mounted_write(m, "instances/held/resume", ""), OK);
    assert_int_equal(m->hub->last.kind, CMD_RESUME);
    assert_false(m->hub->last.has_data);
    assert_int_equal(mounted_write(m, "instances/bad/rewind", "again"), OK);
    assert_int_equal(m->hub->last.kind, CMD_REWIND);
}

static void test_restart_reads_as_what_it_started(void **state)
{
    struct mounted *m = *state;
    struct attr a;

    assert_string_equal(mounted_cat(m, "instances/done/restart"), "");
    assert_int_equal(mounted_write(m, "instances/done/restart", "copy"), OK);
    assert_string_equal(mounted_cat(m, "instances/done/restart"), "copy\n");
    assert_int_equal(mounted_path(m, "instances/done/restart", &a), OK);
    assert_int_equal(a.size, 5);
    assert_string_equal(mounted_cat(m, "instances/bad/restart"), "");
    assert_int_equal(mounted_write(m, "instances/done/restart", ""), OK);
    assert_string_equal(mounted_cat(m, "instances/done/restart"), "generated\n");
}

/* What failed has started nothing; of what may have been started the id is needed to find out. */
static void test_restart_after_failures(void **state)
{
    struct mounted *m = *state;

    assert_int_equal(mounted_write(m, "instances/done/restart", "copy"), OK);
    m->hub->fail_send = ERR_EXISTS;
    assert_int_equal(mounted_write(m, "instances/done/restart", "other"), ERR_EXISTS);
    assert_string_equal(mounted_cat(m, "instances/done/restart"), "copy\n");
    m->hub->fail_send = ERR_UNREACHABLE;
    assert_int_equal(mounted_write(m, "instances/done/restart", ""), ERR_UNREACHABLE);
    assert_string_equal(mounted_cat(m, "instances/done/restart"), "copy\n");
    m->hub->fail_send = ERR_UNKNOWN_OUTCOME;
    assert_int_equal(mounted_write(m, "instances/done/restart", ""), ERR_UNKNOWN_OUTCOME);
    assert_string_equal(mounted_cat(m, "instances/done/restart"), "perhaps\n");
}

static void expect_refused(struct mounted *m, const char *path, enum err want, const char *reason)
{
    enum err err = mounted_write(m, path, "1");

    if (err != want)
        fail_msg("%s: %s instead of %s", path, err_name(err), err_name(want));
    if (reason && !str_has(str_c(m->call.text), str_c(reason)))
        fail_msg("%s: %s", path, m->call.text);
    assert_int_equal(m->hub->sends, 0);
}

static void test_B28_wrong_states(void **state)
{
    struct mounted *m = *state;

    expect_refused(m, "instances/done/events/E", ERR_WRONG_STATE, "Completed");
    expect_refused(m, "instances/done/terminate", ERR_WRONG_STATE, "Completed");
    expect_refused(m, "instances/run/resume", ERR_WRONG_STATE, "Running");
    expect_refused(m, "instances/done/rewind", ERR_WRONG_STATE, "Completed");
    expect_refused(m, "instances/run/restart", ERR_WRONG_STATE, "Running");
}

/* A Pending instance may be one whose rewind was cut off, or whose history has ended: nothing but
 * the fresh phase tells, so these two verbs are not listed, yet can be written. */
static void test_hidden_verbs_of_pending(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "wait", "Flow", STATUS_PENDING);
    struct attr a;

    expect_refused(m, "instances/wait/rewind", ERR_WRONG_STATE, "Pending, waiting");
    expect_refused(m, "instances/wait/restart", ERR_WRONG_STATE, "Pending, waiting");
    expect_refused(m, "instances/wait/resume", ERR_WRONG_STATE, "Pending");
    in->phase = PHASE_REWOUND;
    assert_int_equal(mounted_path(m, "instances/wait/rewind", &a), ERR_NOT_FOUND);
    expect_refused(m, "instances/wait/restart", ERR_WRONG_STATE, "rewound");
    assert_int_equal(mounted_write(m, "instances/wait/rewind", "again"), OK);
    assert_int_equal(m->hub->last.kind, CMD_REWIND);
    in->phase = PHASE_ENDED;
    assert_int_equal(mounted_write(m, "instances/wait/restart", "anew"), OK);
    assert_int_equal(m->hub->last.kind, CMD_RESTART);
    assert_false(str_has(str_c(mounted_ls(m, "instances/wait")), STR("rewind")));
}

/* Only a refusal needs a fresh row: a state that has changed since is seen. */
static void test_refusals_come_from_fresh_rows(void **state)
{
    struct mounted *m = *state;

    mounted_cat(m, "instances/held/status");
    fakehub_set_status(m->hub, fakehub_find(m->hub, "held"), STATUS_RUNNING);
    m->settings.ttl_ms = 0;
    mounted_again(m);
    clock_sleep_ms(2); /* what was read within this millisecond has no age */
    assert_int_equal(mounted_write(m, "instances/held/suspend", "x"), OK);
}

static void test_F66_not_writable(void **state)
{
    struct mounted *m = *state;

    expect_refused(m, "instances/run/status", ERR_FORBIDDEN, "status");
    expect_refused(m, "instances/run/new-file", ERR_FORBIDDEN, NULL);
    expect_refused(m, "instances/new-file", ERR_FORBIDDEN, NULL);
    expect_refused(m, "README", ERR_FORBIDDEN, NULL);
    expect_refused(m, "by-status/Failed/x", ERR_FORBIDDEN, NULL);
    expect_refused(m, "entities/counter/k/new-file", ERR_FORBIDDEN, NULL);
}

static void test_B12_event_names(void **state)
{
    struct mounted *m = *state;

    expect_refused(m, "instances/run/events/.E.swp", ERR_FORBIDDEN, NULL);
    expect_refused(m, "instances/run/events/E~", ERR_FORBIDDEN, NULL);
    expect_refused(m, "instances/run/events/4913", ERR_FORBIDDEN, NULL);
    expect_refused(m, "instances/run/events/sedAb12Cd", ERR_FORBIDDEN, NULL);
    expect_refused(m, "instances/run/events/a%2fb", ERR_BAD_NAME, NULL);
    expect_refused(m, "instances/run/events/a%", ERR_BAD_NAME, NULL);
    expect_refused(m, "instances/run/events/x%~0123456789abcdef0123456789abcdef", ERR_BAD_NAME,
                   NULL);
    expect_refused(m, "instances/run/events/%", ERR_INVALID, NULL);
}

static void test_new_ids(void **state)
{
    struct mounted *m = *state;
    char path[400] = "start/Ship/";

    expect_refused(m, "start/Ship/a%2Fb", ERR_INVALID, "#");
    expect_refused(m, "start/Ship/a#b", ERR_INVALID, NULL);
    expect_refused(m, "start/Ship/a?b", ERR_INVALID, NULL);
    expect_refused(m, "start/Ship/a\\b", ERR_INVALID, NULL);
    expect_refused(m, "start/Ship/a%0Ab", ERR_INVALID, NULL);
    expect_refused(m, "start/Ship/a%FF", ERR_INVALID, NULL);
    expect_refused(m, "start/Ship/@a", ERR_INVALID, "@");
    expect_refused(m, "start/Ship/%", ERR_INVALID, NULL);
    expect_refused(m, "start/Ship/done", ERR_EXISTS, NULL);
    expect_refused(m, "entities/counter/a%2Fb/signal/add", ERR_INVALID, "key");
    memset(path + 11, 'x', 255);
    path[266] = '\0';
    assert_int_equal(mounted_write(m, path, "1"), OK);
}

static void test_read_only(void **state)
{
    struct mounted *m = *state;

    m->settings.read_only = true;
    mounted_again(m);
    expect_refused(m, "instances/run/terminate", ERR_READ_ONLY, NULL);
    expect_refused(m, "instances/run/events/E", ERR_READ_ONLY, NULL);
    expect_refused(m, "start/Ship/new", ERR_READ_ONLY, NULL);
    expect_refused(m, ".taskhubfs/refresh", ERR_READ_ONLY, NULL);
    assert_int_equal(tree_purge(m->tree, &m->call, mounted_node(m, "instances/done")),
                     ERR_READ_ONLY);
}

static void test_refresh(void **state)
{
    struct mounted *m = *state;
    unsigned before;

    mounted_cat(m, "instances/run/status");
    before = fakehub_requests(m->hub);
    assert_int_equal(mounted_write(m, ".taskhubfs/refresh", "x"), OK);
    mounted_cat(m, "instances/run/status");
    assert_int_equal(fakehub_requests(m->hub), before + 1);
    assert_int_equal(m->hub->sends, 0);
}

static void test_messages_are_nodes_that_go(void **state)
{
    struct mounted *m = *state;
    CLEANUP_BUF struct buf path = BUF_INIT(4096);
    struct target target;
    struct content c;
    struct attr a, b;
    node dir = mounted_node(m, "instances/run/events");

    assert_int_equal(tree_create(m->tree, &m->call, dir, STR("E"), &target, &a), OK);
    target_fini(&target);
    assert_int_equal(tree_create(m->tree, &m->call, dir, STR("E"), &target, &b), OK);
    assert_int_equal(target.body, BODY_JSON);
    assert_int_equal(target.node, b.node);
    target_fini(&target);
    assert_true(a.node != b.node);
    assert_int_equal(a.mode, S_IFREG | 0644);
    assert_int_equal(a.entry_ms, 0);
    assert_int_equal(tree_class(a.node), CLASS_FILE_MESSAGE);
    tree_path(m->tree, a.node, STR_NONE, &path);
    assert_string_equal(buf_c(&path), "instances/run/events/E");
    assert_int_equal(tree_read(m->tree, &m->call, a.node, &c), OK);
    assert_int_equal(c.text->len, 0);
    content_fini(&c);
    tree_forget(m->tree, a.node, 1);
    tree_forget(m->tree, b.node, 1);
    assert_int_equal(tree_attr(m->tree, &m->call, a.node, false, &b), ERR_NOT_FOUND);
}

/* -- deleting -- */

static void test_purge(void **state)
{
    struct mounted *m = *state;
    struct attr a;

    mounted_ls(m, "instances");
    assert_int_equal(tree_purge(m->tree, &m->call, mounted_node(m, "by-status/Completed/done")),
                     OK);
    assert_int_equal(m->hub->purges, 1);
    assert_null(fakehub_find(m->hub, "done"));
    assert_int_equal(mounted_path(m, "instances/done", &a), ERR_NOT_FOUND);
    assert_false(str_has(str_c(mounted_ls(m, "instances")), STR("done")));
}

static void test_purge_refused(void **state)
{
    struct mounted *m = *state;

    assert_int_equal(tree_purge(m->tree, &m->call, mounted_node(m, "instances/run")), ERR_BUSY);
    assert_int_equal(tree_purge(m->tree, &m->call, mounted_node(m, "instances")), ERR_FORBIDDEN);
    assert_int_equal(tree_purge(m->tree, &m->call, mounted_node(m, "instances/done/events")),
                     ERR_FORBIDDEN);
    m->settings.purge = false;
    mounted_again(m);
    assert_int_equal(tree_purge(m->tree, &m->call, mounted_node(m, "instances/done")),
                     ERR_FORBIDDEN);
    assert_int_equal(m->hub->purges, 0);
}

static enum err unlink_check(struct mounted *m, const char *dir, const char *name)
{
    node n = mounted_node(m, dir);

    return tree_unlink_check(m->tree, &m->call, n, str_c(name));
}

static void test_unlink_check(void **state)
{
    struct mounted *m = *state;
    unsigned before;

    assert_int_equal(unlink_check(m, "instances/done", "status"), OK);
    assert_int_equal(unlink_check(m, "instances/done", "events"), OK);
    assert_int_equal(unlink_check(m, "instances/done", "nothing"), ERR_NOT_FOUND);
    assert_int_equal(unlink_check(m, "instances/run", "status"), ERR_BUSY);
    assert_int_equal(unlink_check(m, "instances/run", "events"), ERR_BUSY);
    assert_int_equal(unlink_check(m, "instances", "done"), ERR_FORBIDDEN);
    assert_int_equal(unlink_check(m, "", "README"), ERR_FORBIDDEN);
    before = fakehub_requests(m->hub);
    assert_int_equal(unlink_check(m, "instances/done", "output"), OK);
    assert_int_equal(fakehub_requests(m->hub), before);
    m->settings.purge = false;
    mounted_again(m);
    assert_int_equal(unlink_check(m, "instances/done", "status"), ERR_FORBIDDEN);
    m->settings.read_only = true;
    mounted_again(m);
    assert_int_equal(unlink_check(m, "instances/done", "status"), ERR_READ_ONLY);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_event),
        TEST(test_start),
        TEST(test_signal),
        TEST(test_verbs),
        TEST(test_restart_reads_as_what_it_started),
        TEST(test_restart_after_failures),
        TEST(test_hidden_verbs_of_pending),
        TEST(test_B28_wrong_states),
        TEST(test_refusals_come_from_fresh_rows),
        TEST(test_F66_not_writable),
        TEST(test_B12_event_names),
        TEST(test_new_ids),
        TEST(test_read_only),
        TEST(test_refresh),
        TEST(test_messages_are_nodes_that_go),
        TEST(test_purge),
        TEST(test_purge_refused),
        TEST(test_unlink_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
