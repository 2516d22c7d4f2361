#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <pthread.h>

#include "fs/names.h"
#include "fs/tree_internal.h"
#include "tests/fs/mounted.h"

static int setup(void **state)
{
    struct mounted *m = mounted_new();
    struct fake_instance *in;

    fakehub_add(m->hub, "order-1", "OrderFlow", STATUS_RUNNING);
    in = fakehub_add(m->hub, "order-2", "OrderFlow", STATUS_COMPLETED);
    fake_set(&in->input, "{\"id\":2}");
    fake_set(&in->output, "\"done\"");
    fakehub_add(m->hub, "ship-1", "Ship", STATUS_FAILED);
    fakehub_add(m->hub, "wait-1", "Ship", STATUS_PENDING);
    fakehub_add(m->hub, "a/b", "odd name/%", STATUS_SUSPENDED);
    in = fakehub_add(m->hub, "@counter@a@b", "@counter@a@b", STATUS_RUNNING);
    fake_set(&in->input, "{\"exists\":true,\"state\":\"{\\\"value\\\":5}\",\"sorter\":{}}");
    fake_set(&in->custom, "{\"entityExists\":true}");
    in = fakehub_add(m->hub, "@counter@gone", "@counter@gone", STATUS_RUNNING);
    fake_set(&in->input, "{\"sorter\":{}}");
    fake_set(&in->custom, "{}");
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    mounted_free(*state);
    return 0;
}

static void test_root(void **state)
{
    assert_string_equal(mounted_ls(*state, ""),
                        "README instances/ by-status/ by-name/ by-created/ start/ entities/ "
                        ".taskhubfs/ ");
}

static void test_B11_B13_names_of_ours_and_odd_ones(void **state)
{
    struct mounted *m = *state;
    struct attr a;

    fakehub_add(m->hub, ".taskhubfs", "", STATUS_COMPLETED);
    fakehub_add(m->hub, "instances", ".", STATUS_COMPLETED);
    fakehub_add(m->hub, "README", "by-name", STATUS_COMPLETED);
    mounted_refresh(m);
    assert_non_null(strstr(mounted_ls(m, "instances"), "%2Etaskhubfs/ README/ "));
    assert_non_null(strstr(mounted_cat(m, "instances/%2Etaskhubfs/status"), "\t.taskhubfs\n"));
    assert_int_equal(mounted_path(m, "instances/.taskhubfs", &a), ERR_NOT_FOUND);
    assert_string_equal(mounted_ls(m, "by-name"),
                        "%/ %2E/ OrderFlow/ Ship/ by-name/ odd name%2F%25/ ");
    assert_string_equal(mounted_ls(m, "by-name/%"), "%2Etaskhubfs/ ");
    assert_string_equal(mounted_ls(m, "by-name/%2E"), "instances/ ");
    assert_int_equal(mounted_path(m, ".taskhubfs/version", &a), OK);
}

static void test_views_list(void **state)
{
    struct mounted *m = *state;

    assert_string_equal(mounted_ls(m, "instances"), "a%2Fb/ order-1/ order-2/ ship-1/ wait-1/ ");
    assert_string_equal(mounted_ls(m, "by-status"),
                        "Pending/ Running/ Suspended/ ContinuedAsNew/ Completed/ Failed/ "
                        "Terminated/ Canceled/ ");
    assert_string_equal(mounted_ls(m, "by-status/Failed"), "ship-1/ ");
    assert_string_equal(mounted_ls(m, "by-status/Canceled"), "");
    assert_string_equal(mounted_ls(m, "by-name"), "OrderFlow/ Ship/ odd name%2F%25/ ");
    assert_string_equal(mounted_ls(m, "by-name/Ship"), "ship-1/ wait-1/ ");
    assert_string_equal(mounted_ls(m, "by-name/odd name%2F%25"), "a%2Fb/ ");
    assert_string_equal(mounted_ls(m, "by-created"), "2026-11-24/ ");
    assert_string_equal(mounted_ls(m, "by-created/2026-11-24"),
                        "a%2Fb/ order-1/ order-2/ ship-1/ wait-1/ ");
    assert_string_equal(mounted_ls(m, "by-created/1999-01-01"), "");
    assert_string_equal(mounted_ls(m, "start"), "OrderFlow/ Ship/ odd name%2F%25/ ");
    assert_string_equal(mounted_ls(m, "start/Anything"), "");
    assert_string_equal(mounted_ls(m, "entities"), "counter/ ");
    assert_string_equal(mounted_ls(m, "entities/counter"), "a@b/ ");
}

static void test_B32_unknown_status_has_a_directory(void **state)
{
    struct mounted *m = *state;
    struct fake_instance *in = fakehub_add(m->hub, "odd", "Ship", STATUS_RUNNING);

    fake_set(&in->status, "Dreaming");
    assert_true(str_has(str_c(mounted_ls(m, "by-status")), STR("Canceled/ Dreaming/ ")));
    assert_string_equal(mounted_ls(m, "by-status/Dreaming"), "odd/ ");
}

static void test_instance_lists_what_its_state_offers(void **state)
{
    struct mounted *m = *state;
    static const char common[] = "status input output custom-status history ";

    assert_int_equal(strncmp(mounted_ls(m, "instances/order-1"), common, strlen(common)), 0);
    assert_string_equal(buf_c(&m->out) + strlen(common),
                        "parent children terminate suspend events/ ");
    mounted_ls(m, "instances/order-2");
    assert_string_equal(buf_c(&m->out) + strlen(common), "parent children restart ");
    mounted_ls(m, "by-status/Failed/ship-1");
    assert_string_equal(buf_c(&m->out) + strlen(common), "failure parent children rewind restart ");
    mounted_ls(m, "instances/a%2Fb");
    assert_string_equal(buf_c(&m->out) + strlen(common),
                        "parent children terminate resume events/ ");
    assert_string_equal(mounted_ls(m, "instances/order-1/events"), "");
}

static void expect_missing(struct mounted *m, const char *path)
{
    struct attr a;

    assert_int_equal(mounted_path(m, path, &a), ERR_NOT_FOUND);
}

static void test_what_is_not_there(void **state)
{
    struct mounted *m = *state;

    expect_missing(m, "nothing");
    expect_missing(m, "instances/nobody");
    expect_missing(m, "instances/@counter@a@b");
    expect_missing(m, "instances/%61");
    expect_missing(m, "by-status/Completed/order-1");
    expect_missing(m, "by-status/Dreaming");
    expect_missing(m, "by-name/Nope");
    expect_missing(m, "by-created/2026-02-30");
    expect_missing(m, "by-created/yesterday");
    expect_missing(m, "instances/order-2/terminate");
    expect_missing(m, "instances/order-2/failure");
    expect_missing(m, "instances/order-1/events/Approve");
    expect_missing(m, "entities/Counter");
    expect_missing(m, "entities/counter/nobody/status");
    expect_missing(m, "entities/counter/gone/state");
}

static void test_what_can_be_entered_unlisted(void **state)
{
    struct mounted *m = *state;

    assert_string_equal(mounted_ls(m, "instances/order-2/events"), "");
    assert_string_equal(mounted_ls(m, "entities/lamp/hall"), "signal/ ");
    assert_string_equal(mounted_ls(m, "entities/counter/gone"), "signal/ ");
    assert_string_equal(mounted_ls(m, "entities/counter/a@b"), "status state signal/ ");
    assert_string_equal(mounted_ls(m, "entities/counter/%"), "signal/ ");
    mounted_node(m, "instances/order-1/history.jsonl");
    mounted_node(m, "instances/order-1/wait");
}

static void test_looking_up_starts_no_listing(void **state)
{
    struct mounted *m = *state;

    mounted_node(m, "instances/order-1/status");
    mounted_node(m, "by-status/Failed/ship-1");
    mounted_ls(m, "");
    mounted_ls(m, "instances/order-1");
    expect_missing(m, "instances/nobody");
    assert_int_equal(m->hub->lists, 0);
    assert_int_equal(m->hub->gets, 3);
    assert_int_equal(m->hub->histories, 0);
}

static void test_P4_status_costs_one_request(void **state)
{
    struct mounted *m = *state;

    mounted_cat(m, "instances/order-2/status");
    assert_int_equal(fakehub_requests(m->hub), 1);
    mounted_cat(m, "instances/order-2/status");
    assert_int_equal(fakehub_requests(m->hub), 1);
    assert_string_equal(mounted_cat(m, "instances/order-2/output"), "\"done\"\n");
    assert_true(fakehub_requests(m->hub) <= 2);
}

static void test_listed_status_files_cost_nothing(void **state)
{
    struct mounted *m = *state;
    unsigned before;

    mounted_ls(m, "instances");
    before = fakehub_requests(m->hub);
    mounted_cat(m, "instances/order-1/status");
    mounted_cat(m, "by-name/Ship/ship-1/status");
    mounted_ls(m, "instances/order-2");
    assert_int_equal(fakehub_requests(m->hub), before);
}

static void test_each_view_has_its_nodes(void **state)
{
    struct mounted *m = *state;
    node plain = mounted_node(m, "instances/ship-1");
    node status = mounted_node(m, "by-status/Failed/ship-1");
    node name = mounted_node(m, "by-name/Ship/ship-1");
    node day = mounted_node(m, "by-created/2026-11-24/ship-1");

    assert_true(plain != status && plain != name && plain != day && status != name);
    assert_int_equal(tree_class(plain), CLASS_DIR_INSTANCE);
    assert_int_equal(tree_class(day), CLASS_DIR_INSTANCE);
    assert_int_equal(tree_class(mounted_node(m, "instances")), CLASS_DIR_VIEW);
    assert_int_equal(tree_class(mounted_node(m, "instances/order-1/events")), CLASS_DIR_INSIDE);
    assert_int_equal(tree_class(mounted_node(m, "start/X")), CLASS_DIR_MESSAGES);
    assert_int_equal(tree_class(mounted_node(m, "instances/ship-1/status")), CLASS_FILE);
    assert_int_equal(tree_class(mounted_node(m, "instances/ship-1/rewind")), CLASS_FILE_ACTION);
}

/* Listing and lookup must agree on node, mode, size and time. */
static void check_listing_agrees(struct mounted *m, const char *path)
{
    node dir = mounted_node(m, path);
    struct lister *l = NULL;
    struct entry e = { 0 };
    bool more;

    assert_int_equal(tree_opendir(m->tree, &m->call, dir, &l), OK);
    while (lister_entry(l, &m->call, e.next, &e, &more) == OK && more) {
        struct attr a;
        int64_t negative_ms;
        enum err err = tree_lookup(m->tree, &m->call, dir, e.name, &a, &negative_ms);

        assert_int_equal(err, OK);
        assert_int_equal(a.node, e.attr.node);
        assert_int_equal(a.mode, e.attr.mode);
        assert_int_equal(a.mtime, e.attr.mtime);
        if (e.complete)
            assert_int_equal(a.size, e.attr.size);
        assert_int_equal(tree_hold(m->tree, &e.attr, e.id), OK);
        tree_forget(m->tree, a.node, 2);
    }
    lister_free(l);
    tree_forget(m->tree, dir, 1);
}

static void test_listing_and_lookup_agree(void **state)
{
    struct mounted *m = *state;
    static const char *const paths[] = { "instances",
                                         "by-status",
                                         "by-status/Failed",
                                         "by-name",
                                         "by-name/Ship",
                                         "by-created",
                                         "start",
                                         "entities",
                                         "entities/counter",
                                         "entities/counter/a@b",
                                         "",
                                         "instances/order-1",
                                         "by-status/Failed/ship-1" };

    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        check_listing_agrees(m, paths[i]);
}

/* Who wants names only gets the same names, nodes and types, and nothing else. */
static void check_bare_listing(struct mounted *m, const char *path)
{
    node dir = mounted_node(m, path);
    struct lister *whole = NULL, *bare = NULL;
    bool more = true;

    assert_int_equal(tree_opendir(m->tree, &m->call, dir, &whole), OK);
    assert_int_equal(tree_opendir(m->tree, &m->call, dir, &bare), OK);
    lister_want(bare, false);
    for (struct entry a = { 0 }, b = { 0 };;) {
        assert_int_equal(lister_entry(whole, &m->call, a.next, &a, &more), OK);
        bool had = more;
        assert_int_equal(lister_entry(bare, &m->call, b.next, &b, &more), OK);
        assert_int_equal(more, had);
        if (!more)
            break;
        assert_true(str_eq(a.name, b.name));
        assert_int_equal(strlen(b.name.p), b.name.len);
        assert_int_equal(a.next, b.next);
        assert_int_equal(a.attr.node, b.attr.node);
        assert_int_equal(a.attr.mode & S_IFMT, b.attr.mode & S_IFMT);
    }
    lister_free(whole);
    lister_free(bare);
    tree_forget(m->tree, dir, 1);
}

static void test_bare_listings(void **state)
{
    static const char *const paths[] = { "instances",  "by-status/Failed", "by-name/Ship",
                                         "by-created", "entities/counter", "instances/order-1" };

    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        check_bare_listing(*state, paths[i]);
}

/* The entry of a name in a bare listing; its text is gone with the lister. */
static struct entry bare_entry(struct mounted *m, node dir, struct str name)
{
    struct lister *l = NULL;
    struct entry e = { 0 };
    bool more = true;

    assert_int_equal(tree_opendir(m->tree, &m->call, dir, &l), OK);
    lister_want(l, false);
    do
        assert_int_equal(lister_entry(l, &m->call, e.next, &e, &more), OK);
    while (more && !str_eq(e.name, name));
    assert_true(more);
    lister_free(l);
    return e;
}

/* Without it a walk by who looks at each would cost a lookup for each (fuse facts E3). */
static void test_what_the_kernel_knows_too_long_is_told_anew(void **state)
{
    struct mounted *m = *state;
    struct str id = STR("order-1");
    node dir = mounted_node(m, "instances");
    struct entry e = bare_entry(m, dir, id);

    assert_false(e.due || e.complete); /* the kernel does not know it */
    e.attr.entry_ms = 3600 * 1000;
    assert_int_equal(tree_hold(m->tree, &e.attr, id), OK);
    assert_false(bare_entry(m, dir, id).due);
    e.attr.entry_ms = 0;
    assert_int_equal(tree_hold(m->tree, &e.attr, id), OK);
    struct entry due = bare_entry(m, dir, id);
    assert_true(due.due && due.complete && due.attr.size_exact);
    assert_int_equal(due.attr.node, e.attr.node);
    assert_false(bare_entry(m, dir, STR("ship-1")).due);
    tree_forget(m->tree, e.attr.node, 2);
    assert_false(bare_entry(m, dir, id).due);
    tree_forget(m->tree, dir, 1);
}

static void test_F61_offsets_can_be_rewound(void **state)
{
    struct mounted *m = *state;
    node dir = mounted_node(m, "instances");
    struct lister *l = NULL;
    struct entry first, again, e = { 0 };
    bool more;

    assert_int_equal(tree_opendir(m->tree, &m->call, dir, &l), OK);
    assert_int_equal(lister_entry(l, &m->call, 0, &first, &more), OK);
    for (e.next = first.next; lister_entry(l, &m->call, e.next, &e, &more) == OK && more;)
        ;
    assert_int_equal(lister_entry(l, &m->call, 0, &again, &more), OK);
    assert_true(more);
    assert_int_equal(first.attr.node, again.attr.node);
    assert_true(str_eq(again.name, STR("a%2Fb")));
    assert_int_equal(lister_count(l), 5);
    lister_free(l);
    assert_int_equal(tree_opendir(m->tree, &m->call, mounted_node(m, "by-status/Failed"), &l), OK);
    assert_int_equal(lister_count(l), 1);
    lister_free(l);
}

static void test_B4_shortened_names_are_found(void **state)
{
    struct mounted *m = *state;
    char id[320], name[NAME_MAX_BYTES + 1], path[400];

    memset(id, 'x', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    fakehub_add(m->hub, id, "Ship", STATUS_COMPLETED);
    name_from_id(name, str_c(id));
    snprintf(path, sizeof(path), "instances/%s/status", name);
    assert_true(str_has(str_c(mounted_cat(m, path)), str_c(id)));
    snprintf(path, sizeof(path), "by-status/Completed/%s/output", name);
    mounted_node(m, path);
    expect_missing(m, "instances/x%~0123456789abcdef0123456789abcdef");
}

static void test_attributes(void **state)
{
    struct mounted *m = *state;
    struct attr a;

    assert_int_equal(mounted_path(m, "instances/order-2/input", &a), OK);
    assert_int_equal(a.mode, S_IFREG | 0444);
    assert_int_equal(a.uid, 1000);
    assert_int_equal(a.gid, 1001);
    assert_int_equal(a.mtime, fakehub_find(m->hub, "order-2")->created);
    assert_int_equal(mounted_path(m, "instances/order-2/output", &a), OK);
    assert_int_equal(a.mtime, fakehub_find(m->hub, "order-2")->completed);
    assert_int_equal(mounted_path(m, "instances/order-2", &a), OK);
    assert_int_equal(a.mode, S_IFDIR | 0755);
    assert_int_equal(a.mtime, fakehub_find(m->hub, "order-2")->updated);
    assert_int_equal(mounted_path(m, "instances/order-2/restart", &a), OK);
    assert_int_equal(a.mode, S_IFREG | 0644);
    assert_int_equal(a.size, 0);
    assert_true(a.size_exact);
    assert_int_equal(mounted_write(m, "instances/order-2/restart", "again"), OK);
    assert_int_equal(mounted_path(m, "instances/order-2/restart", &a), OK);
    assert_int_equal(a.size, 6);
    assert_int_equal(a.attr_ms, 0); /* what it reads as may be forgotten */
}

static void test_read_only_has_no_write_bits(void **state)
{
    struct mounted *m = *state;
    struct attr a;

    m->settings.read_only = true;
    m->settings.umask = 0077;
    mounted_again(m);
    assert_int_equal(mounted_path(m, "instances/order-2/restart", &a), OK);
    assert_int_equal(a.mode, S_IFREG | 0400);
    assert_int_equal(mounted_path(m, "instances", &a), OK);
    assert_int_equal(a.mode, S_IFDIR | 0500);
}

static void test_R4_sizes(void **state)
{
    struct mounted *m = *state;
    struct attr a;

    assert_int_equal(mounted_path(m, "instances/order-2/input", &a), OK);
    if (!a.size_exact)
        assert_int_equal(a.attr_ms, 0);
    assert_true(a.size >= 9);
    assert_int_equal(tree_attr(m->tree, &m->call, a.node, true, &a), OK);
    assert_true(a.size_exact);
    assert_int_equal(a.size, 9);
    assert_int_equal(mounted_path(m, "instances/order-1/output", &a), OK);
    assert_true(a.size_exact);
    assert_int_equal(a.size, 0);
    assert_int_equal(mounted_path(m, "instances/order-1/status", &a), OK);
    assert_true(a.size_exact);
    assert_in_range(a.attr_ms, 1, m->settings.ttl_ms); /* as long as its row */
    assert_int_equal(a.size, strlen(mounted_cat(m, "instances/order-1/status")));
}

static void test_sizes_of_views(void **state)
{
    struct mounted *m = *state;
    struct attr a;

    assert_int_equal(mounted_path(m, "by-status/Failed", &a), OK);
    assert_int_equal(a.size, 0); /* stat waits for no listing */
    assert_int_equal(m->hub->lists, 0);
    mounted_ls(m, "by-status");
    assert_int_equal(mounted_path(m, "by-status/Failed", &a), OK);
    assert_int_equal(a.size, 1);
    assert_int_equal(mounted_path(m, "by-name/OrderFlow", &a), OK);
    assert_int_equal(a.size, 2);
    assert_int_equal(mounted_path(m, "by-created/2026-11-24", &a), OK);
    assert_int_equal(a.size, 5);
    assert_int_equal(mounted_path(m, "instances", &a), OK);
    assert_int_equal(a.size, 5);
    assert_int_equal(mounted_path(m, "by-name", &a), OK);
    assert_int_equal(a.size, 3);
    assert_int_equal(tree_instance_count(m->tree), 5);
}

static void test_local_calls_do_not_ask(void **state)
{
    struct mounted *m = *state;
    node dir = mounted_node(m, "instances");
    struct call memory;
    struct attr a;
    int64_t negative_ms;
    struct lister *l;

    call_init_local(&memory);
    assert_int_equal(tree_lookup(m->tree, &memory, dir, STR("order-1"), &a, &negative_ms),
                     ERR_WOULD_BLOCK);
    assert_int_equal(tree_opendir(m->tree, &memory, dir, &l), ERR_WOULD_BLOCK);
    assert_int_equal(fakehub_requests(m->hub), 0);
    mounted_ls(m, "instances");
    assert_int_equal(tree_lookup(m->tree, &memory, dir, STR("order-1"), &a, &negative_ms), OK);
}

/* An id that was deleted and started again is another instance: old nodes must not show it. */
static void test_nodes_of_the_dead_stay_dead(void **state)
{
    struct mounted *m = *state;
    node old = mounted_node(m, "instances/order-2");
    node file = mounted_node(m, "instances/order-2/input");
    struct content c;
    struct attr a;

    assert_int_equal(tree_purge(m->tree, &m->call, old), OK);
    assert_int_equal(tree_attr(m->tree, &m->call, old, true, &a), ERR_NOT_FOUND);
    fakehub_add(m->hub, "order-2", "OrderFlow", STATUS_COMPLETED);
    mounted_refresh(m);
    assert_true(mounted_node(m, "instances/order-2") != old);
    assert_int_equal(tree_attr(m->tree, &m->call, old, true, &a), ERR_NOT_FOUND);
    assert_int_equal(tree_read(m->tree, &m->call, file, &c), ERR_NOT_FOUND);
    assert_int_equal(tree_purge(m->tree, &m->call, old), ERR_NOT_FOUND);
    assert_int_equal(m->hub->purges, 1);
}

static void test_F59_forget_frees(void **state)
{
    struct mounted *m = *state;
    node n = mounted_node(m, "instances/order-1");
    struct attr a;

    mounted_node(m, "instances/order-1/status");
    mounted_ls(m, "instances/order-1");
    assert_int_equal(nodes_count(&m->tree->nodes), 1);
    tree_forget(m->tree, n, 2);
    assert_int_equal(nodes_count(&m->tree->nodes), 0);
    assert_int_equal(tree_attr(m->tree, &m->call, n, false, &a), ERR_NOT_FOUND);
    tree_forget(m->tree, NODE_ROOT, 100);
}

static void expect_path(struct mounted *m, const char *path)
{
    CLEANUP_BUF struct buf out = BUF_INIT(4096);

    tree_path(m->tree, mounted_node(m, path), STR_NONE, &out);
    assert_string_equal(buf_c(&out), path);
}

static void test_paths(void **state)
{
    struct mounted *m = *state;
    CLEANUP_BUF struct buf out = BUF_INIT(4096);

    expect_path(m, "");
    expect_path(m, "README");
    expect_path(m, "instances/a%2Fb/status");
    expect_path(m, "instances/order-1/events");
    expect_path(m, "by-status/Failed/ship-1/rewind");
    expect_path(m, "by-name/OrderFlow/order-1");
    expect_path(m, "by-name/OrderFlow");
    expect_path(m, "by-created/2026-11-24/order-1/history");
    expect_path(m, "start/Ship");
    expect_path(m, "entities/counter/a@b/signal");
    expect_path(m, "entities/counter/a@b/state");
    expect_path(m, "entities/counter");
    expect_path(m, ".taskhubfs/stats");
    tree_path(m->tree, mounted_node(m, "start/Ship"), STR("new"), &out);
    assert_string_equal(buf_c(&out), "start/Ship/new");
}

/* -- many at once -- */

struct walker {
    struct mounted *m;
    unsigned seed;
    unsigned wrong; /* answers that no moment explains */
    char first[240];
};

static void judge(struct walker *w, const char *what, const struct call *call, enum err err,
                  enum err also)
{
    if (err == OK || err == also)
        return;
    if (w->wrong++ == 0)
        snprintf(w->first, sizeof(w->first), "%s: %s: %.150s", what, err_name(err), call->text);
}

static void *walk(void *ctx)
{
    static const char *const dirs[] = { "instances", "by-name", "entities", "by-status" };
    static const char *const names[] = { "order-1", "OrderFlow", "counter", "Failed",
                                         "come-and-go" };
    struct walker *w = ctx;
    struct tree *t = w->m->tree;

    for (int i = 0; i < 400; i++) {
        struct attr dir, child, file;
        struct lister *l = NULL;
        struct content c;
        struct call call;
        int64_t negative_ms;
        enum err err;

        call_init(&call, 10000);
        err =
            tree_lookup(t, &call, NODE_ROOT, str_c(dirs[rand_r(&w->seed) % 4]), &dir, &negative_ms);
        judge(w, "directory", &call, err, OK);
        if (rand_r(&w->seed) % 8 == 0 && tree_opendir(t, &call, dir.node, &l) == OK)
            lister_free(l);
        err = tree_lookup(t, &call, dir.node, str_c(names[rand_r(&w->seed) % 5]), &child,
                          &negative_ms);
        judge(w, "child", &call, err, ERR_NOT_FOUND);
        if (err != OK)
            continue;
        if (tree_lookup(t, &call, child.node, STR("status"), &file, &negative_ms) == OK) {
            /* Under entities/ any name can be entered: there it is a directory. */
            bool is_file = tree_class(file.node) == CLASS_FILE;

            err = is_file ? tree_read(t, &call, file.node, &c) : ERR_NOT_FOUND;
            judge(w, "status", &call, err, ERR_NOT_FOUND);
            if (err == OK)
                content_fini(&c);
            tree_forget(t, file.node, 1);
        }
        tree_forget(t, child.node, 1);
    }
    return NULL;
}

static void test_many_at_once(void **state)
{
    struct mounted *m = *state;
    struct walker walkers[4];
    pthread_t threads[4];

    for (unsigned i = 0; i < 4; i++) {
        walkers[i] = (struct walker){ .m = m, .seed = i + 1 };
        assert_int_equal(pthread_create(&threads[i], NULL, walk, &walkers[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        fakehub_add(m->hub, "come-and-go", "Ship", STATUS_COMPLETED);
        mounted_refresh(m);
        clock_sleep_ms(1);
        fakehub_remove(m->hub, "come-and-go");
        mounted_refresh(m);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    for (unsigned i = 0; i < 4; i++)
        if (walkers[i].wrong > 0)
            fail_msg("%u: %s", walkers[i].wrong, walkers[i].first);
    assert_int_equal(nodes_count(&m->tree->nodes), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_root),
        TEST(test_B11_B13_names_of_ours_and_odd_ones),
        TEST(test_views_list),
        TEST(test_B32_unknown_status_has_a_directory),
        TEST(test_instance_lists_what_its_state_offers),
        TEST(test_what_is_not_there),
        TEST(test_what_can_be_entered_unlisted),
        TEST(test_looking_up_starts_no_listing),
        TEST(test_P4_status_costs_one_request),
        TEST(test_listed_status_files_cost_nothing),
        TEST(test_each_view_has_its_nodes),
        TEST(test_listing_and_lookup_agree),
        TEST(test_bare_listings),
        TEST(test_what_the_kernel_knows_too_long_is_told_anew),
        TEST(test_F61_offsets_can_be_rewound),
        TEST(test_B4_shortened_names_are_found),
        TEST(test_attributes),
        TEST(test_read_only_has_no_write_bits),
        TEST(test_R4_sizes),
        TEST(test_sizes_of_views),
        TEST(test_local_calls_do_not_ask),
        TEST(test_nodes_of_the_dead_stay_dead),
        TEST(test_F59_forget_frees),
        TEST(test_paths),
        TEST(test_many_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
