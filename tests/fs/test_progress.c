#include "backend/base/limits.h"
#include "fs/progress.h"
#include "tests/fs/check.h"

/* Lines without their first column, which is a moment. */
static void rows(struct progress *p, struct buf *ret)
{
    CLEANUP_BUF struct buf all = BUF_INIT(64 * KIB);
    struct str rest;

    progress_print(p, &all);
    for (rest = buf_str(&all); rest.len;) {
        struct str line = str_cut(&rest, '\n');
        struct str since = str_cut(&line, '\t');
        ticks t;

        assert_true(ticks_parse(since, &t));
        buf_add(ret, line);
        buf_add_ch(ret, '|');
    }
}

static void expect(struct progress *p, const char *want)
{
    CLEANUP_BUF struct buf got = BUF_INIT(64 * KIB);

    rows(p, &got);
    assert_string_equal(buf_c(&got), want);
}

static void test_while_it_runs(void **state)
{
    struct progress *p = progress_new();
    struct running a, b, c;
    struct call ca, cb, cc;

    call_init(&ca, 1000);
    call_init(&cb, 1000);
    call_init(&cc, 1000);
    expect(p, "");
    progress_begin(p, &a, &ca, STR("purge instances/a"));
    progress_begin(p, &b, &cb, STR("delete hub Shop"));
    progress_begin(p, &c, &cc, STR("purge instances/c"));
    call_steps(&cb, 9);
    call_step(&cb, 2);
    expect(p, "purge instances/a\t0\t|delete hub Shop\t2\t9|purge instances/c\t0\t|");
    progress_end(p, &b);
    expect(p, "purge instances/a\t0\t|purge instances/c\t0\t|");
    progress_end(p, &a);
    progress_end(p, &c);
    expect(p, "");
    progress_free(p);
}

static void test_what_would_break_the_columns(void **state)
{
    struct progress *p = progress_new();
    struct running r;
    struct call call;
    char longer[2 * PROGRESS_WHAT_MAX];

    call_init(&call, 1000);
    progress_begin(p, &r, &call, STR("purge a\tb\nc"));
    expect(p, "purge a?b?c\t0\t|");
    progress_end(p, &r);
    memset(longer, 'x', sizeof(longer));
    progress_begin(p, &r, &call, (struct str){ longer, sizeof(longer) });
    assert_int_equal(strlen(r.what), PROGRESS_WHAT_MAX - 1);
    progress_end(p, &r);
    progress_free(p);
}

static void test_nobody_watches(void **state)
{
    struct running r;
    struct call call;
    struct buf out = BUF_INIT(KIB);

    call_init(&call, 1000);
    progress_begin(NULL, &r, &call, STR("x"));
    progress_end(NULL, &r);
    progress_print(NULL, &out);
    assert_int_equal(out.len, 0);
    progress_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_while_it_runs),
        cmocka_unit_test(test_what_would_break_the_columns),
        cmocka_unit_test(test_nobody_watches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
