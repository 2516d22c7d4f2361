#include "fs/plots.h"
#include "tests/fs/check.h"
#include "tests/fs/fakehub.h"

#define HUBS_MAX 4

/* An account with two hubs that are found, and one of which something is left. */
static struct {
    const char *names[HUBS_MAX]; /* NULL = not there (any more) */
    struct fakehub *planted[HUBS_MAX];
    unsigned discoveries, plants, leftovers;
    enum err fail;
} account;

static enum err discover(void *ctx, struct call *call, forest_found emit, void *emit_ctx)
{
    enum err err = OK;

    account.discoveries++;
    if (account.fail)
        return call_fail(call, account.fail, "the account is told to fail");
    for (size_t i = 0; err == OK && i < HUBS_MAX; i++)
        if (account.names[i])
            err = emit(emit_ctx, str_c(account.names[i]), 0);
    return err;
}

static struct catalogue *plant(void *ctx, struct str name, unsigned caps)
{
    static const struct catalogue_settings settings = { 3600000, 1 << 20, 1 << 20 };
    struct fakehub *f = fakehub_new();

    account.planted[account.plants++] = f;
    return catalogue_new(&f->hub, &settings);
}

static enum err leftovers(void *ctx, struct call *call, struct str hub, unsigned *ret_caps)
{
    account.leftovers++;
    *ret_caps = 0;
    return str_eq(hub, STR("Rest")) ? OK : call_fail(call, ERR_NOT_FOUND, "nothing is left");
}

static struct plots all;
static struct call call;

static void begin(bool remove)
{
    const struct forest_hubs hubs = {
        .discover = discover, .plant = plant, .leftovers = leftovers, .remove = remove
    };
    const struct tree_settings tree = { .version = "1.2.3" };

    memset(&account, 0, sizeof(account));
    account.names[0] = "Shop";
    account.names[1] = "Other";
    plots_init(&all, &hubs, &tree);
    call_init(&call, 60000);
}

static int teardown(void **state)
{
    plots_fini(&all);
    return 0;
}

static unsigned number_of(const char *name)
{
    unsigned number = 0;

    assert_int_equal(plots_find(&all, &call, str_c(name), &number), OK);
    return number;
}

static void expect_absent(const char *name)
{
    unsigned number;

    assert_int_equal(plots_find(&all, &call, str_c(name), &number), ERR_NOT_FOUND);
}

static void discover_anew(void)
{
    plots_forget(&all);
    assert_int_equal(plots_discover(&all, &call, 3600000), OK);
}

static void count_tree(void *ctx, struct tree *tree)
{
    assert_non_null(tree);
    ++*(unsigned *)ctx;
}

static void test_a_tree_is_made_when_its_name_is_looked_up(void **state)
{
    unsigned trees = 0;

    begin(false);
    assert_int_equal(plots_discover(&all, &call, 0), OK);
    assert_int_equal(account.plants, 0);
    assert_null(plots_tree(&all, 1));
    assert_int_equal(number_of("Shop"), 1);
    assert_int_equal(number_of("Shop"), 1);
    assert_int_equal(account.plants, 1);
    assert_non_null(plots_tree(&all, 1));
    assert_string_equal(plots_name(&all, 1), "Shop");
    assert_ptr_equal(plots_hub(&all, 1), &account.planted[0]->hub);
    plots_each(&all, count_tree, &trees);
    assert_int_equal(trees, 1);
}

static void test_a_number_is_never_used_again(void **state)
{
    begin(false);
    assert_int_equal(number_of("Shop"), 1);
    account.names[0] = "New";
    discover_anew();
    expect_absent("Shop");
    assert_int_equal(number_of("New"), 3);
    account.names[2] = "Shop";
    discover_anew();
    assert_int_equal(number_of("Shop"), 1);
}

static void test_what_was_deleted_here_comes_back_as_another(void **state)
{
    begin(false);
    assert_int_equal(number_of("Shop"), 1);
    plots_gone(&all, 1);
    assert_non_null(plots_tree(&all, 1)); /* for who still has it open */
    discover_anew();
    assert_int_equal(number_of("Shop"), 3);
    assert_ptr_not_equal(plots_tree(&all, 3), plots_tree(&all, 1));
    discover_anew();
    assert_int_equal(number_of("Shop"), 3);
}

static void test_F68_the_last_discovery_is_good_enough(void **state)
{
    begin(false);
    account.fail = ERR_UNREACHABLE;
    assert_int_equal(plots_discover(&all, &call, 0), ERR_UNREACHABLE);
    account.fail = OK;
    assert_int_equal(plots_discover(&all, &call, 0), OK);
    account.fail = ERR_UNREACHABLE;
    plots_forget(&all);
    assert_int_equal(plots_discover(&all, &call, 0), OK);
    assert_int_equal(number_of("Other"), 2);
    account.fail = ERR_DENIED; /* that is an answer */
    plots_forget(&all);
    assert_int_equal(plots_discover(&all, &call, 0), ERR_DENIED);
}

static void test_leftovers_are_for_who_may_delete(void **state)
{
    begin(false);
    expect_absent("Rest");
    assert_int_equal(account.leftovers, 0);
    plots_fini(&all);
    begin(true);
    expect_absent("Nothing");
    assert_int_equal(number_of("Rest"), 3);
    assert_int_equal(account.leftovers, 2);
}

static void test_a_local_call_asks_nobody(void **state)
{
    struct call local;
    unsigned number;

    begin(true);
    call_init_local(&local);
    assert_int_equal(plots_find(&all, &local, STR("Shop"), &number), ERR_WOULD_BLOCK);
    assert_int_equal(plots_find(&all, &local, STR("no-hub"), &number), ERR_NOT_FOUND);
    assert_int_equal(account.discoveries, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_tree_is_made_when_its_name_is_looked_up),
        TEST(test_a_number_is_never_used_again),
        TEST(test_what_was_deleted_here_comes_back_as_another),
        TEST(test_F68_the_last_discovery_is_good_enough),
        TEST(test_leftovers_are_for_who_may_delete),
        TEST(test_a_local_call_asks_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
