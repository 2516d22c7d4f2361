#include <stdio.h>
#include <stdlib.h>

#include "backend/listing_build.h"
#include "tests/backend/unit.h"

enum { KEYS = 4000 };

/* The naive model: one cell a key. */
struct model {
    bool there[KEYS];
    enum status status[KEYS];
    uint32_t slot[KEYS];
};

static void key_of(int k, char ret[8])
{
    snprintf(ret, 8, "%05d", k);
}

static struct row row_of(const char *key, enum status status, uint32_t slot)
{
    return (struct row){ .id = str_c(key),
                         .key = str_c(key),
                         .status = status,
                         .status_text = str_c(status_name(status)),
                         .created = TICKS_NONE,
                         .stamp = TICKS_NONE,
                         .slot = slot };
}

static void check(struct listing *l, const struct model *m)
{
    static const struct listing_filter all = { .kind = FILTER_ALL };
    struct call call;
    call_init_local(&call);
    uint64_t cursor = 0, count = 0, running = 0;
    struct row row;
    bool more;
    for (int k = 0; k < KEYS; k++) {
        char key[8];
        key_of(k, key);
        assert_int_equal(listing_find(l, str_c(key), &row), m->there[k]);
        if (!m->there[k])
            continue;
        assert_int_equal(listing_next(l, &call, &all, &cursor, &row, &more), OK);
        assert_true(more);
        assert_str(row.key, key);
        assert_int_equal(row.status, m->status[k]);
        assert_int_equal(row.slot, m->slot[k]);
        count++;
        running += row.status == STATUS_RUNNING;
    }
    assert_int_equal(listing_next(l, &call, &all, &cursor, &row, &more), OK);
    assert_false(more);
    assert_int_equal(listing_count(l), count);
    assert_int_equal(listing_count_status(l, STATUS_RUNNING), running);
    for (size_t i = 0; i < l->n_blocks; i++)
        assert_in_range(block_count(l->blocks[i]), 1, BLOCK_ROWS_MAX);
}

/* Random changes: new, changed with and without a slot of their own, gone, gone and changed. */
static struct listing *step(struct listing *l, struct model *m, int n, int spread, uint32_t *slot)
{
    char(*keys)[8] = calloc((size_t)n, sizeof *keys);
    struct row *rows = calloc((size_t)n, sizeof *rows);
    struct str *gone = calloc((size_t)n, sizeof *gone);
    size_t n_rows = 0, n_gone = 0;
    int base = (int)(random() % (KEYS - spread + 1));
    for (int i = 0; i < n; i++) {
        int k = base + (int)(random() % spread);
        key_of(k, keys[i]);
        if (random() % 3 == 0) {
            gone[n_gone++] = str_c(keys[i]);
            bool also_changed = false;
            for (size_t j = 0; j < n_rows; j++)
                also_changed = also_changed || str_eq(rows[j].key, gone[n_gone - 1]);
            m->there[k] = m->there[k] && also_changed;
            continue;
        }
        bool keep = m->there[k] && random() % 2;
        for (size_t j = 0; j < n_gone; j++)
            keep = keep && !str_eq(gone[j], str_c(keys[i]));
        for (size_t j = 0; j < n_rows; j++)
            keep = keep && !str_eq(rows[j].key, str_c(keys[i]));
        m->status[k] = random() % 2 ? STATUS_RUNNING : STATUS_FAILED;
        m->slot[k] = keep ? m->slot[k] : ++*slot;
        m->there[k] = true;
        rows[n_rows++] = row_of(keys[i], m->status[k], keep ? 0 : m->slot[k]);
    }
    struct listing *merged = listing_merge(l, rows, n_rows, gone, n_gone, 7);
    assert_non_null(merged);
    listing_unref(l);
    free(keys);
    free(rows);
    free(gone);
    return merged;
}

static void test_random_merges_against_an_array(void **state)
{
    srandom(11);
    struct model *m = calloc(1, sizeof *m);
    struct listing *l = listing_new(0);
    listing_complete(l);
    uint32_t slot = 0;
    static const struct {
        int n, spread;
    } kinds[] = { { 3000, KEYS }, { 20, KEYS }, { 1, KEYS }, { 400, 500 }, { 50, 20 } };
    for (int round = 0; round < 60; round++) {
        int k = (int)(random() % (long)ARRAY_LEN(kinds));
        l = step(l, m, kinds[k].n, kinds[k].spread, &slot);
        check(l, m);
    }
    listing_unref(l);
    free(m);
}

static struct listing *big(size_t blocks)
{
    struct listing *l = listing_new(0);
    for (size_t p = 0; p < blocks; p++) {
        struct block *b = block_new();
        for (int i = 0; i < 1000; i++) {
            char key[16];
            snprintf(key, sizeof key, "%08zu", p * 1000 + (size_t)i);
            struct row row = row_of(key, STATUS_RUNNING, (uint32_t)(p * 1000) + (uint32_t)i + 1);
            assert_int_equal(block_add(b, &row), OK);
        }
        assert_int_equal(block_freeze(b), OK);
        assert_int_equal(listing_append(l, b), OK);
    }
    listing_complete(l);
    return l;
}

static size_t shared(const struct listing *a, const struct listing *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_blocks; i++)
        for (size_t j = 0; j < b->n_blocks; j++)
            n += a->blocks[i] == b->blocks[j];
    return n;
}

static void test_P8_untouched_blocks_are_shared(void **state)
{
    struct listing *l = big(50);
    struct row changed[2] = { row_of("00003500", STATUS_FAILED, 0),
                              row_of("00010000", STATUS_FAILED, 0) };
    struct str gone[1] = { STR("00020999") };
    struct listing *merged = listing_merge(l, changed, 2, gone, 1, 5);
    assert_non_null(merged);
    assert_int_equal(shared(l, merged), 47);
    assert_int_equal(listing_count(merged), 49999);
    struct row row;
    assert_true(listing_find(merged, STR("00003500"), &row));
    assert_int_equal(row.slot, 3501);
    assert_int_equal(row.status, STATUS_FAILED);
    assert_false(listing_find(merged, STR("00020999"), &row));
    assert_int_equal(listing_as_of_ms(merged), 5);
    listing_unref(l);
    assert_true(listing_find(merged, STR("00049999"), &row));
    listing_unref(merged);
}

static void test_a_full_block_is_split_in_halves(void **state)
{
    struct listing *l = big(3);
    struct row changed[100];
    char keys[100][16];
    for (int i = 0; i < 100; i++) {
        snprintf(keys[i], sizeof keys[i], "00001%03dx", i * 7);
        changed[i] = row_of(keys[i], STATUS_PENDING, 9000 + (uint32_t)i);
    }
    struct listing *merged = listing_merge(l, changed, 100, NULL, 0, 5);
    assert_int_equal(merged->n_blocks, 4);
    assert_int_equal(block_count(merged->blocks[1]), 550);
    assert_int_equal(block_count(merged->blocks[2]), 550);
    listing_unref(l);
    listing_unref(merged);
}

static void test_everything_gone(void **state)
{
    struct listing *l = big(1);
    struct str gone[1000];
    char keys[1000][16];
    for (int i = 0; i < 1000; i++) {
        snprintf(keys[i], sizeof keys[i], "%08d", i);
        gone[i] = str_c(keys[i]);
    }
    struct listing *merged = listing_merge(l, NULL, 0, gone, 1000, 5);
    assert_int_equal(merged->n_blocks, 0);
    assert_int_equal(listing_count(merged), 0);
    listing_unref(l);
    listing_unref(merged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_merges_against_an_array),
        cmocka_unit_test(test_P8_untouched_blocks_are_shared),
        cmocka_unit_test(test_a_full_block_is_split_in_halves),
        cmocka_unit_test(test_everything_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
