#include <stdio.h>
#include <sys/stat.h>

#include "fs/forest.h"
#include "fs/nodes.h"
#include "fs/progress.h"
#include "tests/fs/check.h"
#include "tests/fs/fakehub.h"

#define LONG_MS  3600000
#define HUBS_MAX 8

/* An account with fake hubs. */
struct account {
    const char *names[HUBS_MAX];     /* NULL = not there (any more) */
    struct fakehub *fakes[HUBS_MAX]; /* planted ones */
    struct hub_ops ops[HUBS_MAX];
    unsigned discoveries, plants, asked_for_leftovers;
    enum err fail, fail_remove;
    const char *leftover;
    unsigned removed;
};

static struct account account;

static enum err discover(void *ctx, struct call *call, forest_found emit, void *emit_ctx)
{
    enum err err = OK;

    (void)ctx;
    account.discoveries++;
    if (account.fail)
        return call_fail(call, account.fail, "the account is told to fail");
    for (size_t i = 0; err == OK && i < HUBS_MAX; i++)
        if (account.names[i])
            err = emit(emit_ctx, str_c(account.names[i]), CAP_REMOVE | CAP_INSPECT | CAP_ENTITIES);
    return err;
}

static enum err remove_fake(struct hub *hub, struct call *call)
{
    if (account.fail_remove)
        return call_fail(call, account.fail_remove, "%s is in use", hub->name);
    account.removed++;
    for (size_t i = 0; i < HUBS_MAX; i++)
        if (account.names[i] && str_eq(str_c(account.names[i]), str_c(hub->name)))
            account.names[i] = NULL;
    return OK;
}

static struct catalogue *plant(void *ctx, struct str name, unsigned caps)
{
    struct catalogue_settings settings = { LONG_MS, 1 << 20, 1 << 20 };
    struct fakehub *f = fakehub_new();

    (void)ctx;
    /* A table for each hub: threads of the others read theirs. */
    struct hub_ops *ops = &account.ops[account.plants];
    *ops = *f->hub.ops;
    ops->caps |= caps;
    ops->remove = remove_fake;
    f->hub.ops = ops;
    snprintf(f->hub.name, sizeof(f->hub.name), STR_FMT, STR_ARG(name));
    fakehub_add(f, "same", "Flow",
                str_starts(name, STR("Shop")) ? STATUS_COMPLETED : STATUS_RUNNING);
    fakehub_add(f, f->hub.name, "Flow", STATUS_COMPLETED);
    account.fakes[account.plants++] = f;
    return catalogue_new(&f->hub, &settings);
}

static enum err leftovers(void *ctx, struct call *call, struct str hub, unsigned *ret_caps)
{
    (void)ctx;
    account.asked_for_leftovers++;
    if (!account.leftover || !str_eq(hub, str_c(account.leftover)))
        return call_fail(call, ERR_NOT_FOUND, "nothing is left");
    *ret_caps = CAP_REMOVE;
    return OK;
}

struct scene {
    struct forest *f;
    struct failures *failures;
    struct progress *progress;
    struct call call;
    struct buf out;
};

static void begin_with(struct scene *s, bool remove, int64_t ttl_ms)
{
    account = (struct account){ .names = { "Shop", "ShopTwo", "Other" } };
    *s = (struct scene){ .failures = failures_new(),
                         .progress = progress_new(),
                         .out = BUF_INIT(1 << 20) };
    struct forest_settings settings = {
        .tree = { .failures = s->failures,
                  .progress = s->progress,
                  .purge = true,
                  .ttl_ms = ttl_ms,
                  .version = "1.2.3" },
        .hubs = { .discover = discover, .plant = plant, .leftovers = leftovers, .remove = remove },
    };
    s->f = forest_new(&settings);
    assert_non_null(s->f);
    call_init(&s->call, 60000);
}

static void begin(struct scene *s)
{
    begin_with(s, true, LONG_MS);
}

static void end(struct scene *s)
{
    forest_free(s->f);
    progress_free(s->progress);
    failures_free(s->failures);
    buf_fini(&s->out);
}

static enum err look(struct scene *s, const char *path, struct attr *ret)
{
    struct str rest = str_c(path);
    enum err err = OK;

    call_init(&s->call, 60000);
    *ret = (struct attr){ .node = NODE_ROOT };
    while (err == OK && rest.len) {
        int64_t negative_ms;

        err = forest_lookup(s->f, &s->call, ret->node, str_cut(&rest, '/'), ret, &negative_ms);
    }
    return err;
}

static node at(struct scene *s, const char *path)
{
    struct attr a;
    enum err err = look(s, path, &a);

    if (err != OK)
        fail_msg("%s: %s (%s)", path, err_name(err), s->call.text);
    return a.node;
}

static const char *ls(struct scene *s, const char *path)
{
    node dir = at(s, path);
    struct lister *l = NULL;
    struct entry e = { 0 };
    bool more = true;

    buf_clear(&s->out);
    assert_int_equal(forest_opendir(s->f, &s->call, dir, &l), OK);
    while (lister_entry(l, &s->call, e.next, &e, &more) == OK && more) {
        buf_add(&s->out, e.name);
        buf_add_c(&s->out, S_ISDIR(e.attr.mode) ? "/ " : " ");
    }
    lister_free(l);
    return buf_c(&s->out);
}

static const char *cat(struct scene *s, const char *path)
{
    struct content c;
    node file = at(s, path);

    assert_int_equal(forest_read(s->f, &s->call, file, &c), OK);
    buf_clear(&s->out);
    buf_add(&s->out, text_str(c.text));
    content_fini(&c);
    return buf_c(&s->out);
}

/* -- side by side -- */

static void test_the_root_lists_hubs_and_opens_none(void **state)
{
    struct scene s;
    struct attr a;

    begin(&s);
    assert_string_equal(ls(&s, ""), ".taskhubfs/ Shop/ ShopTwo/ Other/ ");
    assert_int_equal(account.plants, 0);
    assert_int_equal(look(&s, "Shop", &a), OK);
    assert_true(S_ISDIR(a.mode));
    assert_int_equal(account.plants, 1);
    assert_int_equal(fakehub_requests(account.fakes[0]), 0);
    assert_string_equal(ls(&s, "Shop"), "README instances/ by-status/ by-name/ by-created/ start/ "
                                        "entities/ .taskhubfs/ ");
    assert_int_equal(fakehub_requests(account.fakes[0]), 0);
    end(&s);
}

static void test_the_same_id_in_two_hubs(void **state)
{
    struct scene s;

    begin(&s);
    node one = at(&s, "Shop/instances/same/status"), two = at(&s, "Other/instances/same/status");
    assert_true(one != two);
    assert_int_equal(node_kind(one), node_kind(two));
    assert_int_not_equal(node_hub(one), node_hub(two));
    assert_non_null(strstr(cat(&s, "Shop/instances/same/status"), "RuntimeStatus:\tCompleted"));
    assert_non_null(strstr(cat(&s, "Other/instances/same/status"), "RuntimeStatus:\tRunning"));
    assert_string_equal(ls(&s, "Shop/instances"), "Shop/ same/ ");
    assert_string_equal(ls(&s, "ShopTwo/by-status/Completed"), "ShopTwo/ same/ ");
    end(&s);
}

static void test_every_node_of_a_hub_is_its_own(void **state)
{
    static const char *const paths[] = {
        "Shop",
        "Shop/README",
        "Shop/instances",
        "Shop/instances/same",
        "Shop/by-name/Flow",
        "Shop/by-name/Flow/same/history",
        "Shop/.taskhubfs/stats",
        "Shop/start/New",
        "Shop/instances/same/wait",
        "Shop/by-created/2026-11-24/same",
        "Shop/entities/x/y/signal",
    };
    struct scene s;

    begin(&s);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        node n = at(&s, paths[i]);
        CLEANUP_BUF struct buf path = BUF_INIT(4096);

        assert_int_equal(node_hub(n), 1);
        forest_path(s.f, n, STR_NONE, &path);
        assert_string_equal(buf_c(&path), paths[i]);
    }
    assert_true(forest_is_hub(at(&s, "Shop")));
    assert_false(forest_is_hub(at(&s, "Shop/instances")));
    assert_false(forest_is_hub(NODE_ROOT));
    assert_int_equal(tree_class(at(&s, "Shop")), CLASS_DIR_VIEW);
    end(&s);
}

static void test_writing_goes_to_its_hub(void **state)
{
    struct scene s;
    struct target target;
    struct receipt receipt;
    struct attr a;

    begin(&s);
    node dir = at(&s, "Other/instances/same/events");
    assert_int_equal(forest_create(s.f, &s.call, dir, STR("Go"), &target, &a), OK);
    assert_int_equal(node_hub(a.node), node_hub(dir));
    CLEANUP_BUF struct buf path = BUF_INIT(4096);
    forest_path(s.f, a.node, STR_NONE, &path);
    assert_string_equal(buf_c(&path), "Other/instances/same/events/Go");
    assert_int_equal(forest_act(s.f, &s.call, &target, true, STR("1"), &receipt), OK);
    assert_string_equal(account.fakes[0]->last.id, "same");
    target_fini(&target);
    forest_forget(s.f, a.node, 1);
    end(&s);
}

static void test_purging_goes_to_its_hub(void **state)
{
    struct scene s;
    struct attr a;

    begin(&s);
    node one = at(&s, "Shop/instances/same");
    at(&s, "ShopTwo/instances/same");
    assert_int_equal(forest_purge(s.f, &s.call, one), OK);
    assert_int_equal(look(&s, "Shop/instances/same", &a), ERR_NOT_FOUND);
    assert_int_equal(look(&s, "ShopTwo/instances/same", &a), OK);
    end(&s);
}

static void test_the_mount_speaks_for_all(void **state)
{
    struct scene s;

    begin(&s);
    assert_string_equal(ls(&s, ".taskhubfs"), "version config stats errors progress refresh ");
    ls(&s, "Shop/instances");
    ls(&s, "Other/instances");
    assert_non_null(strstr(cat(&s, ".taskhubfs/stats"), "\"Completed\":3"));
    assert_non_null(strstr(cat(&s, "Shop/.taskhubfs/stats"), "\"Completed\":2"));
    assert_int_equal(forest_instance_count(s.f), 4);
    assert_string_equal(cat(&s, ".taskhubfs/version"), "1.2.3\n");
    end(&s);
}

static void test_refresh_of_the_mount_is_for_all(void **state)
{
    struct scene s;
    struct target target;
    struct receipt receipt;

    begin(&s);
    ls(&s, "Shop/instances");
    unsigned before = fakehub_requests(account.fakes[0]);
    node file = at(&s, ".taskhubfs/refresh");
    assert_int_equal(forest_target(s.f, &s.call, file, &target), OK);
    assert_int_equal(forest_act(s.f, &s.call, &target, false, STR_NONE, &receipt), OK);
    target_fini(&target);
    unsigned discoveries = account.discoveries;
    ls(&s, "");
    assert_int_equal(account.discoveries, discoveries + 1);
    ls(&s, "Shop/instances");
    assert_true(fakehub_requests(account.fakes[0]) > before);
    end(&s);
}

/* -- which hubs there are -- */

static void test_a_discovery_is_believed_for_a_while(void **state)
{
    struct scene s;
    struct attr a;

    begin(&s);
    assert_int_equal(forest_discover(s.f, &s.call), OK);
    ls(&s, "");
    ls(&s, "");
    assert_int_equal(look(&s, "Shop", &a), OK);
    assert_int_equal(account.discoveries, 1);
    end(&s);
    begin_with(&s, true, 0);
    ls(&s, "");
    clock_sleep_ms(2);
    account.names[3] = "Young";
    account.names[0] = NULL;
    assert_string_equal(ls(&s, ""), ".taskhubfs/ ShopTwo/ Other/ Young/ ");
    assert_int_equal(look(&s, "Shop", &a), ERR_NOT_FOUND);
    end(&s);
}

static void test_a_hub_that_comes_back_is_the_same_directory(void **state)
{
    struct scene s;
    struct attr a;

    begin_with(&s, true, 0);
    node before = at(&s, "Shop");
    account.names[0] = NULL;
    clock_sleep_ms(2);
    ls(&s, "");
    assert_int_equal(look(&s, "Shop", &a), ERR_NOT_FOUND);
    account.names[0] = "Shop";
    clock_sleep_ms(2);
    ls(&s, "");
    assert_true(at(&s, "Shop") == before);
    end(&s);
}

static void test_local_calls_do_not_ask(void **state)
{
    struct scene s;
    struct call local;
    struct lister *l;
    struct attr a;
    int64_t negative_ms;

    begin(&s);
    call_init_local(&local);
    assert_int_equal(forest_opendir(s.f, &local, NODE_ROOT, &l), ERR_WOULD_BLOCK);
    assert_int_equal(forest_lookup(s.f, &local, NODE_ROOT, STR("Shop"), &a, &negative_ms),
                     ERR_WOULD_BLOCK);
    assert_int_equal(account.discoveries, 0);
    assert_int_equal(forest_discover(s.f, &s.call), OK);
    assert_int_equal(forest_opendir(s.f, &local, NODE_ROOT, &l), OK);
    lister_free(l);
    assert_int_equal(forest_lookup(s.f, &local, NODE_ROOT, STR("Shop"), &a, &negative_ms), OK);
    end(&s);
}

static void test_F68_out_of_reach(void **state)
{
    struct scene s;
    struct lister *l;

    begin_with(&s, true, 0);
    account.fail = ERR_UNREACHABLE;
    assert_int_equal(forest_opendir(s.f, &s.call, NODE_ROOT, &l), ERR_UNREACHABLE);
    account.fail = OK;
    ls(&s, "");
    clock_sleep_ms(2);
    account.fail = ERR_UNREACHABLE;
    assert_string_equal(ls(&s, ""), ".taskhubfs/ Shop/ ShopTwo/ Other/ ");
    /* What is refused is not hidden behind what was once allowed. */
    clock_sleep_ms(2);
    account.fail = ERR_DENIED;
    assert_int_equal(forest_opendir(s.f, &s.call, NODE_ROOT, &l), ERR_DENIED);
    end(&s);
}

static void test_B14_names_that_no_hub_has(void **state)
{
    static const char *const names[] = {
        "ab",   "1hub",  "my-hub",      "a.b",
        ".git", "hub x", "h\xc3\xbcxx", "a1234567890123456789012345678901234567890123456789012345",
    };
    struct scene s;
    struct attr a;

    begin(&s);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(look(&s, names[i], &a), ERR_NOT_FOUND);
    assert_int_equal(account.discoveries + account.asked_for_leftovers, 0);
    end(&s);
}

/* -- deleting -- */

static void test_removing_needs_the_option(void **state)
{
    struct scene s;
    struct attr a;

    begin_with(&s, false, LONG_MS);
    assert_int_equal(forest_remove(s.f, &s.call, at(&s, "Shop")), ERR_FORBIDDEN);
    assert_non_null(strstr(s.call.text, "--allow-delete-hub"));
    assert_int_equal(look(&s, "Gone", &a), ERR_NOT_FOUND);
    assert_int_equal(account.asked_for_leftovers, 0);
    assert_int_equal(account.removed, 0);
    end(&s);
}

static void test_a_removed_hub_is_gone(void **state)
{
    struct scene s;
    struct attr a;

    begin(&s);
    ls(&s, "");
    node shop = at(&s, "Shop");
    account.fail_remove = ERR_BUSY;
    assert_int_equal(forest_remove(s.f, &s.call, shop), ERR_BUSY);
    assert_string_equal(s.call.text, "Shop is in use");
    assert_string_equal(ls(&s, ""), ".taskhubfs/ Shop/ ShopTwo/ Other/ ");
    account.fail_remove = OK;
    assert_int_equal(forest_remove(s.f, &s.call, shop), OK);
    assert_string_equal(ls(&s, ""), ".taskhubfs/ ShopTwo/ Other/ ");
    assert_int_equal(look(&s, "Shop", &a), ERR_NOT_FOUND);
    assert_int_equal(account.removed, 1);
    assert_int_equal(look(&s, "ShopTwo/instances/same", &a), OK);
    end(&s);
}

static void test_what_an_interruption_left_can_be_removed(void **state)
{
    struct scene s;

    begin(&s);
    account.leftover = "Gone";
    assert_null(strstr(ls(&s, ""), "Gone"));
    assert_int_equal(forest_remove(s.f, &s.call, at(&s, "Gone")), OK);
    assert_null(strstr(ls(&s, ""), "Gone"));
    end(&s);
}

static void test_only_hubs_are_removed(void **state)
{
    struct scene s;

    begin(&s);
    assert_int_equal(forest_remove(s.f, &s.call, at(&s, "Shop/instances")), ERR_BUG);
    assert_int_equal(forest_remove(s.f, &s.call, NODE_ROOT), ERR_BUG);
    assert_int_equal(forest_remove(s.f, &s.call, node_root_of(77)), ERR_NOT_FOUND);
    assert_int_equal(account.removed, 0);
    end(&s);
}

/* -- one hub -- */

static void test_one_hub_is_the_mount(void **state)
{
    struct scene s = { .failures = failures_new(), .out = BUF_INIT(1 << 20) };
    struct account none = { 0 };

    account = none;
    struct catalogue *c = plant(NULL, STR("Shop"), 0);
    struct forest_settings settings = {
        .tree = { .catalogue = c, .failures = s.failures, .ttl_ms = LONG_MS, .version = "1" }
    };
    s.f = forest_new(&settings);
    assert_int_equal(forest_discover(s.f, &s.call), OK);
    assert_string_equal(ls(&s, "instances"), "Shop/ same/ ");
    assert_int_equal(node_hub(at(&s, "instances/same")), 0);
    assert_int_equal(forest_instance_count(s.f), 2);
    forest_drop_cached(s.f);
    assert_int_equal(forest_instance_count(s.f), 0);
    forest_free(s.f);
    catalogue_free(c);
    failures_free(s.failures);
    buf_fini(&s.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_root_lists_hubs_and_opens_none),
        cmocka_unit_test(test_the_same_id_in_two_hubs),
        cmocka_unit_test(test_every_node_of_a_hub_is_its_own),
        cmocka_unit_test(test_writing_goes_to_its_hub),
        cmocka_unit_test(test_purging_goes_to_its_hub),
        cmocka_unit_test(test_the_mount_speaks_for_all),
        cmocka_unit_test(test_refresh_of_the_mount_is_for_all),
        cmocka_unit_test(test_a_discovery_is_believed_for_a_while),
        cmocka_unit_test(test_a_hub_that_comes_back_is_the_same_directory),
        cmocka_unit_test(test_local_calls_do_not_ask),
        cmocka_unit_test(test_F68_out_of_reach),
        cmocka_unit_test(test_B14_names_that_no_hub_has),
        cmocka_unit_test(test_removing_needs_the_option),
        cmocka_unit_test(test_a_removed_hub_is_gone),
        cmocka_unit_test(test_what_an_interruption_left_can_be_removed),
        cmocka_unit_test(test_only_hubs_are_removed),
        cmocka_unit_test(test_one_hub_is_the_mount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
