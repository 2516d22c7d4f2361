#include "backend/block.h"

#include <stdio.h>
#include <stdlib.h>

#include "backend/intern.h"
#include "tests/backend/unit.h"

static struct row row_of(const char *key, enum status status)
{
    return (struct row){ .id = str_c(key),
                         .key = str_c(key),
                         .name = STR("Flow"),
                         .status = status,
                         .status_text = str_c(status_name(status)),
                         .created = 1,
                         .updated = 2,
                         .completed = TICKS_NONE,
                         .scheduled = 4,
                         .stamp = 5,
                         .slot = 6 };
}

static void assert_row(const struct row *a, const struct row *b)
{
    assert_true(str_eq(a->id, b->id));
    assert_true(str_eq(a->key, b->key));
    assert_true(str_eq(a->name, b->name));
    assert_true(str_eq(a->version, b->version));
    assert_true(str_eq(a->status_text, b->status_text));
    assert_int_equal(a->status, b->status);
    assert_true(a->created == b->created && a->updated == b->updated);
    assert_true(a->completed == b->completed && a->scheduled == b->scheduled);
    assert_true(a->stamp == b->stamp && a->slot == b->slot);
}

static void add(struct block *b, const struct row *row)
{
    assert_int_equal(block_add(b, row), OK);
}

static void test_a_row_comes_back_as_it_went_in(void **state)
{
    struct row rows[4] = { row_of("a", STATUS_RUNNING), row_of("b^2Fc", STATUS_UNKNOWN),
                           row_of("d", STATUS_FAILED), row_of("@e@f", STATUS_RUNNING) };
    rows[0].version = STR("2.1");
    rows[1].id = STR("b/c");
    rows[1].status_text = STR("Odd");
    rows[2].name = STR("");
    rows[3].name = rows[3].id; /* entities: nothing to intern */
    struct block *b = block_new();
    add(b, &rows[3]); /* @ sorts first */
    for (int i = 0; i < 3; i++)
        add(b, &rows[i]);
    assert_int_equal(block_freeze(b), OK);
    struct row got;
    for (int i = 0; i < 4; i++) {
        block_row(b, i == 3 ? 0 : (size_t)i + 1, &got);
        assert_row(&got, &rows[i]);
        assert_true(str_eq(block_id(b, i == 3 ? 0 : (size_t)i + 1), rows[i].id));
    }
    assert_int_equal(block_name(b, 0), 0);
    assert_str(intern_str(block_name(b, 1)), "Flow");
    assert_int_equal(block_status_counts(b)[STATUS_RUNNING], 2);
    assert_int_equal(block_status_counts(b)[STATUS_UNKNOWN], 1);
    assert_int_equal(block_slot(b, 2), 6);
    block_set_slot(b, 2, 99);
    assert_int_equal(block_slot(b, 2), 99);
    block_unref(b);
}

static void test_what_cannot_be_interned_is_kept_in_the_block(void **state)
{
    static char longest[60000];
    memset(longest, 'n', sizeof longest);
    struct row row = row_of("k", STATUS_UNKNOWN);
    row.id = STR("other");
    row.name = (struct str){ longest, sizeof longest };
    row.version = (struct str){ longest, sizeof longest - 1 };
    row.status_text = (struct str){ longest, sizeof longest - 2 };
    struct block *b = block_new();
    add(b, &row);
    assert_int_equal(block_freeze(b), OK);
    struct row got;
    block_row(b, 0, &got);
    assert_row(&got, &row);
    assert_int_equal(block_name(b, 0), 0);
    block_unref(b);
}

static void test_freezing_sorts_and_keeps_the_last_of_equals(void **state)
{
    struct block *b = block_new();
    struct row row = row_of("m", STATUS_RUNNING);
    add(b, &row);
    row = row_of("a", STATUS_RUNNING);
    add(b, &row);
    row = row_of("m", STATUS_COMPLETED);
    add(b, &row);
    row = row_of("m", STATUS_FAILED);
    add(b, &row);
    assert_int_equal(block_freeze(b), OK);
    assert_int_equal(block_count(b), 2);
    assert_str(block_key(b, 0), "a");
    assert_int_equal(block_status(b, 1), STATUS_FAILED);
    assert_int_equal(block_status_counts(b)[STATUS_RUNNING], 1);
    assert_int_equal(block_status_counts(b)[STATUS_COMPLETED], 0);
    block_unref(b);
}

/* Keys are ordered by UTF-16 units: a character beyond the BMP comes before U+FFFD. */
static void test_the_order_is_that_of_the_tables(void **state)
{
    struct block *b = block_new();
    struct row row = row_of("\xEF\xBF\xBD", STATUS_RUNNING);
    add(b, &row);
    row = row_of("\xF0\x9F\x9A\x80", STATUS_RUNNING);
    add(b, &row);
    assert_int_equal(block_freeze(b), OK);
    assert_str(block_key(b, 0), "\xF0\x9F\x9A\x80");
    block_unref(b);
}

static void test_full_and_too_long(void **state)
{
    struct block *b = block_new();
    char key[16];
    for (int i = 0; i < BLOCK_ROWS_MAX; i++) {
        snprintf(key, sizeof key, "%06d", i);
        struct row row = row_of(key, STATUS_RUNNING);
        add(b, &row);
    }
    struct row row = row_of("x", STATUS_RUNNING);
    assert_int_equal(block_add(b, &row), ERR_TOO_BIG);
    block_unref(b);
    static char longest[70000];
    b = block_new();
    row.key = (struct str){ longest, sizeof longest };
    assert_int_equal(block_add(b, &row), ERR_TOO_BIG);
    assert_int_equal(block_freeze(b), OK);
    assert_int_equal(block_count(b), 0);
    block_unref(b);
    assert_null(block_unref(NULL));
}

static void test_P7_bytes_per_row(void **state)
{
    struct block *b = block_new();
    char key[40];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%032d", i);
        struct row row = row_of(key, STATUS_COMPLETED);
        row.version = STR("1");
        add(b, &row);
    }
    assert_int_equal(block_freeze(b), OK);
    assert_true(block_bytes(b) <= 1000 * (80 + 32));
    block_unref(b);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void test_random_rows_against_a_sorted_array(void **state)
{
    srandom(7);
    for (int round = 0; round < 200; round++) {
        size_t n = (size_t)random() % 60;
        char keys[60][8];
        struct block *b = block_new();
        for (size_t i = 0; i < n; i++) {
            snprintf(keys[i], sizeof keys[i], "%02ld", random() % 100);
            struct row row = row_of(keys[i], STATUS_RUNNING);
            add(b, &row);
        }
        assert_int_equal(block_freeze(b), OK);
        qsort(keys, n, sizeof keys[0], by_text);
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (i == 0 || strcmp(keys[i], keys[i - 1]))
                memmove(keys[m++], keys[i], sizeof keys[0]);
        assert_int_equal(block_count(b), m);
        for (size_t i = 0; i < m; i++)
            assert_str(block_key(b, i), keys[i]);
        char probe[8];
        snprintf(probe, sizeof probe, "%02ld", random() % 100);
        size_t at = 0;
        while (at < m && strcmp(keys[at], probe) < 0)
            at++;
        assert_int_equal(block_lower_bound(b, str_c(probe)), at);
        block_unref(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_comes_back_as_it_went_in),
        cmocka_unit_test(test_what_cannot_be_interned_is_kept_in_the_block),
        cmocka_unit_test(test_freezing_sorts_and_keeps_the_last_of_equals),
        cmocka_unit_test(test_the_order_is_that_of_the_tables),
        cmocka_unit_test(test_full_and_too_long),
        cmocka_unit_test(test_P7_bytes_per_row),
        cmocka_unit_test(test_random_rows_against_a_sorted_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
