#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/base/limits.h"
#include "backend/storage/ranges.h"

/* A table in memory, and fetchers that all get their pages at the same moment: a round is what one
 * request takes. Counts of requests and rounds are exact, so they are asserted. */
#define FETCHERS 16

struct table {
    char **keys; /* sorted */
    size_t n;
};

struct worker {
    struct range *range;
    char from[256], upper[256]; /* what was asked for when the round began */
    bool behind;                /* from itself is not wanted */
};

struct run {
    const struct table *table;
    struct ranges ranges;
    struct worker workers[FETCHERS];
    size_t requests, rounds, emitted;
};

static struct str key_at(const struct table *t, size_t i)
{
    return str_c(t->keys[i]);
}

static size_t lower_bound(const struct table *t, struct str key, bool behind)
{
    size_t low = 0, high = t->n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = str_cmp_utf16(key_at(t, mid), key);

        if (order < 0 || (behind && order == 0))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void copy_key(char dst[256], struct str key)
{
    assert_true(key.len < 256);
    snprintf(dst, 256, STR_FMT, STR_ARG(key));
}

static void ask(struct run *r, struct worker *w)
{
    w->behind = w->range->cursor.len > 0;
    copy_key(w->from, w->behind ? buf_str(&w->range->cursor) : buf_str(&w->range->lower));
    copy_key(w->upper, buf_str(&w->range->upper));
    r->requests++;
}

/* The page that was asked for, cut at the bound that the range has by now. */
static void answer(struct run *r, struct worker *w)
{
    const struct table *t = r->table;
    struct block *block = block_new();
    size_t i = lower_bound(t, str_c(w->from), w->behind), n = 0;
    size_t end = w->upper[0] ? lower_bound(t, str_c(w->upper), false) : t->n;
    bool more = end - i > PAGE_ROWS, past = false;

    assert_non_null(block);
    for (; i < end && n < PAGE_ROWS; i++, n++) {
        struct row row = { .id = key_at(t, i), .key = key_at(t, i) };

        past = w->range->upper.len && str_cmp_utf16(row.key, buf_str(&w->range->upper)) >= 0;
        if (past)
            break;
        assert_int_equal(block_add(block, &row), OK);
    }
    assert_int_equal(block_freeze(block), OK);
    assert_int_equal(ranges_add(&r->ranges, w->range, block, more && !past), OK);
    if (!more || past)
        w->range = NULL;
}

static void drain(struct run *r, bool *ret_end)
{
    struct block *block;

    while ((block = ranges_next(&r->ranges, ret_end))) {
        for (size_t i = 0; i < block_count(block); i++) {
            assert_true(r->emitted < r->table->n);
            assert_true(str_eq(block_key(block, i), key_at(r->table, r->emitted)));
            r->emitted++;
        }
        block = block_unref(block);
    }
}

static void hire(struct run *r, int workers)
{
    for (int i = 0; i < workers; i++)
        if (!r->workers[i].range)
            assert_int_equal(ranges_take(&r->ranges, &r->workers[i].range), OK);
}

/* Lists the whole table; every key must come once and in order. The first page is fetched alone. */
static struct run list_table(const struct table *t, struct str lower, struct str upper)
{
    struct run r = { .table = t };
    bool end = false;

    assert_int_equal(ranges_init(&r.ranges, lower, upper), OK);
    while (!end) {
        hire(&r, r.rounds ? FETCHERS : 1);
        for (int i = 0; i < FETCHERS; i++)
            if (r.workers[i].range)
                ask(&r, &r.workers[i]);
        for (int i = 0; i < FETCHERS; i++)
            if (r.workers[i].range)
                answer(&r, &r.workers[i]);
        r.rounds++;
        assert_true(r.rounds < 100000);
        drain(&r, &end);
    }
    assert_int_equal(r.emitted, t->n);
    ranges_fini(&r.ranges);
    return r;
}

/* The same against a server that answers one request at a time, in the order in which they came: a
 * fetcher that got its answer asks again before the others have theirs. */
static struct run list_in_turn(const struct table *t)
{
    struct run r = { .table = t };
    int queue[FETCHERS], waiting = 0;
    bool end = false;

    assert_int_equal(ranges_init(&r.ranges, STR_NONE, STR_NONE), OK);
    while (!end) {
        for (int i = 0; i < (r.requests ? FETCHERS : 1); i++) {
            bool asked = false;

            for (int j = 0; j < waiting; j++)
                asked |= queue[j] == i;
            if (!asked && !r.workers[i].range)
                assert_int_equal(ranges_take(&r.ranges, &r.workers[i].range), OK);
            if (asked || !r.workers[i].range)
                continue;
            ask(&r, &r.workers[i]);
            queue[waiting++] = i;
        }
        assert_true(waiting > 0);
        answer(&r, &r.workers[queue[0]]);
        memmove(queue, queue + 1, (size_t)--waiting * sizeof(*queue));
        assert_true(r.requests < 100000);
        drain(&r, &end);
    }
    assert_int_equal(r.emitted, t->n);
    ranges_fini(&r.ranges);
    return r;
}

static int compare_keys(const void *x, const void *y)
{
    return str_cmp_utf16(str_c(*(char *const *)x), str_c(*(char *const *)y));
}

typedef void (*make_key)(char key[256], size_t i, uint64_t random);

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 16;
}

static struct table table_new(size_t n, make_key make)
{
    struct table t = { calloc(n + 1, sizeof(char *)), n };
    uint64_t seed = 42;
    size_t kept = 0;

    assert_non_null(t.keys);
    for (size_t i = 0; i < n; i++) {
        char key[256];

        make(key, i, next_random(&seed));
        t.keys[i] = strdup(key);
        assert_non_null(t.keys[i]);
    }
    qsort(t.keys, n, sizeof(char *), compare_keys);
    for (size_t i = 0; i < n; i++)
        if (kept && strcmp(t.keys[kept - 1], t.keys[i]) == 0)
            free(t.keys[i]);
        else
            t.keys[kept++] = t.keys[i];
    t.n = kept;
    return t;
}

static void table_free(struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->keys[i]);
    free(t->keys);
}

/* P2: requests at most rows/1000 * 1.15 and 100 to spare; and so few rounds that sixteen fetchers
 * are busy most of the time. */
static void assert_cheap(const char *what, size_t n, make_key make, size_t spare)
{
    struct table t = table_new(n, make);
    struct run r = list_table(&t, STR_NONE, STR_NONE);
    size_t pages = t.n / PAGE_ROWS;

    if (r.requests > pages * 115 / 100 + spare || r.rounds > pages / FETCHERS * 3 / 2 + 12)
        fail_msg("%s: %zu rows in %zu requests and %zu rounds", what, t.n, r.requests, r.rounds);
    table_free(&t);
}

static void make_random(char key[256], size_t i, uint64_t random)
{
    snprintf(key, 256, "%016llx%016llx", (unsigned long long)(random * 0x9E3779B97F4A7C15u),
             (unsigned long long)i);
}

static void make_prefix(char key[256], size_t i, uint64_t random)
{
    snprintf(key, 256, "order-2026-%07zu", i);
}

static void make_counter(char key[256], size_t i, uint64_t random)
{
    snprintf(key, 256, "order-2026-%zu", i);
}

static void make_time(char key[256], size_t i, uint64_t random)
{
    size_t ms = i * 7919;

    snprintf(key, 256, "2026-11-%02zuT%02zu:%02zu:%02zu.%03zu-%08llx", 1 + ms / 86400000 % 28,
             ms / 3600000 % 24, ms / 60000 % 60, ms / 1000 % 60, ms % 1000,
             (unsigned long long)(random & 0xFFFFFFFF));
}

static void make_two_heaps(char key[256], size_t i, uint64_t random)
{
    snprintf(key, 256, "%s-%06zu", i % 2 ? "zebra" : "ant", i);
}

static void make_words(char key[256], size_t i, uint64_t random)
{
    static const char *const words[] = { "Invoice", "order", "Payment", "user", "x",
                                         "42",      "müll",  "日本",    "🚀" };

    snprintf(key, 256, "%s/%llu:%zu", words[random % ARRAY_LEN(words)],
             (unsigned long long)(random % 1000), i);
}

static void make_one_digit(char key[256], size_t i, uint64_t random)
{
    memset(key, 'a', 255);
    key[i % 255] = '\0';
}

static void test_P2_random_ids(void **state)
{
    assert_cheap("random", 100000, make_random, 100);
}

static void test_P2_ids_with_one_prefix(void **state)
{
    assert_cheap("prefix", 100000, make_prefix, 100);
    assert_cheap("counter", 100000, make_counter, 100);
}

static void test_P2_ids_that_are_times(void **state)
{
    assert_cheap("time", 100000, make_time, 100);
}

static void test_P2_heaps_and_words(void **state)
{
    assert_cheap("two heaps", 100000, make_two_heaps, 100);
    assert_cheap("words", 100000, make_words, 200);
}

static void test_small_tables_of_any_size(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 999, 1000, 1001, 1999, 2000, 2001, 5000 };
    static const make_key makers[] = { make_random,    make_prefix, make_counter,  make_time,
                                       make_two_heaps, make_words,  make_one_digit };

    for (size_t m = 0; m < ARRAY_LEN(makers); m++)
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            struct table t = table_new(sizes[i], makers[m]);
            struct run r = list_table(&t, STR_NONE, STR_NONE);

            if (t.n <= PAGE_ROWS)
                assert_int_equal(r.requests, 1);
            table_free(&t);
        }
}

static void test_a_slow_server_is_not_asked_without_end(void **state)
{
    static const make_key makers[] = { make_random, make_prefix,    make_counter,
                                       make_time,   make_two_heaps, make_words };

    for (size_t m = 0; m < ARRAY_LEN(makers); m++) {
        struct table t = table_new(10000, makers[m]);
        struct run r = list_in_turn(&t);

        /* Words lie in heaps that no count of pages leads to. */
        if (r.requests > (makers[m] == make_words ? 120 : 60))
            fail_msg("maker %zu: %zu rows in %zu requests", m, t.n, r.requests);
        table_free(&t);
    }
}

static void make_entity(char key[256], size_t i, uint64_t random)
{
    snprintf(key, 256, "@%s@%llu-%zu", random % 2 ? "counter" : "cart",
             (unsigned long long)(random % 100000), i);
}

static void test_bounds_are_kept(void **state)
{
    struct table t = table_new(20000, make_entity);
    struct run r = list_table(&t, STR("@"), STR("A"));

    assert_true(r.requests <= 20 * 115 / 100 + 100);
    table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P2_random_ids),
        cmocka_unit_test(test_P2_ids_with_one_prefix),
        cmocka_unit_test(test_P2_ids_that_are_times),
        cmocka_unit_test(test_P2_heaps_and_words),
        cmocka_unit_test(test_small_tables_of_any_size),
        cmocka_unit_test(test_a_slow_server_is_not_asked_without_end),
        cmocka_unit_test(test_bounds_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
