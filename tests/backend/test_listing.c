#include "backend/listing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/base/clock.h"
#include "tests/backend/unit.h"

static const struct listing_filter all = { .kind = FILTER_ALL };

static struct row row_of(const char *key, enum status status, uint32_t slot)
{
    return (struct row){ .id = str_c(key),
                         .key = str_c(key),
                         .name = STR("Flow"),
                         .status = status,
                         .status_text = str_c(status_name(status)),
                         .created = TICKS_NONE,
                         .updated = TICKS_NONE,
                         .completed = TICKS_NONE,
                         .scheduled = TICKS_NONE,
                         .stamp = 1,
                         .slot = slot };
}

static void append(struct listing *l, const struct row *rows, size_t n)
{
    struct block *b = block_new();
    for (size_t i = 0; i < n; i++)
        assert_int_equal(block_add(b, &rows[i]), OK);
    assert_int_equal(block_freeze(b), OK);
    assert_int_equal(listing_append(l, b), OK);
}

static struct listing *small(void)
{
    struct listing *l = listing_new(1000);
    struct row rows[3] = { row_of("a", STATUS_RUNNING, 1), row_of("b", STATUS_FAILED, 2),
                           row_of("c", STATUS_UNKNOWN, 3) };
    rows[2].status_text = STR("Odd");
    rows[1].name = STR("Other");
    rows[1].created = TICKS_PER_DAY * 3 + 5;
    rows[2].created = -1;
    append(l, rows, 2);
    append(l, rows + 2, 1);
    return l;
}

static void take(struct listing *l, const struct listing_filter *f, const char *want)
{
    struct call call;
    call_init(&call, 1000);
    char got[64] = "";
    size_t len = 0;
    uint64_t cursor = 0;
    for (;;) {
        struct row row;
        struct str id;
        uint32_t slot;
        bool more, more_ids;
        uint64_t names = cursor;
        assert_int_equal(listing_next(l, &call, f, &cursor, &row, &more), OK);
        assert_int_equal(listing_next_id(l, &call, f, &names, &id, &slot, &more_ids), OK);
        assert_int_equal(more, more_ids);
        if (!more)
            break;
        assert_true(names == cursor && slot == row.slot && str_eq(id, row.id));
        len += (size_t)snprintf(got + len, sizeof got - len, STR_FMT " ", STR_ARG(row.id));
    }
    assert_string_equal(got, want);
}

static void test_filters(void **state)
{
    struct listing *l = small();
    listing_complete(l);
    take(l, &all, "a b c ");
    take(l, &(struct listing_filter){ .kind = FILTER_STATUS, .status = STATUS_FAILED }, "b ");
    take(l, &(struct listing_filter){ .kind = FILTER_STATUS, .status = STATUS_PENDING }, "");
    take(l, &(struct listing_filter){ .kind = FILTER_STATUS_TEXT, .text = STR("Odd") }, "c ");
    take(l, &(struct listing_filter){ .kind = FILTER_STATUS_TEXT, .text = STR("Even") }, "");
    take(l, &(struct listing_filter){ .kind = FILTER_NAME, .text = STR("Flow") }, "a c ");
    take(l, &(struct listing_filter){ .kind = FILTER_DAY, .day = TICKS_PER_DAY * 3 }, "b ");
    take(l, &(struct listing_filter){ .kind = FILTER_DAY, .day = -TICKS_PER_DAY }, "c ");
    assert_int_equal(listing_count(l), 3);
    assert_int_equal(listing_count_status(l, STATUS_UNKNOWN), 1);
    assert_int_equal(listing_as_of_ms(l), 1000);
    assert_true(listing_bytes(l) > 0);
    listing_unref(l);
}

/* Three blocks: k000 to k009, k010 to k019, k020 to k029. */
static struct listing *thirty(void)
{
    struct listing *l = listing_new(1000);
    static char keys[30][8];
    for (int b = 0; b < 3; b++) {
        struct row rows[10];
        for (int i = 0; i < 10; i++) {
            snprintf(keys[b * 10 + i], sizeof *keys, "k%03d", b * 10 + i);
            rows[i] = row_of(keys[b * 10 + i], STATUS_RUNNING, 1);
        }
        append(l, rows, 10);
    }
    return l;
}

static void assert_apart(struct listing *l, const char *a, const char *b, uint64_t max,
                         uint64_t want)
{
    uint64_t from = listing_seek(l, str_c(a)), to = listing_seek(l, str_c(b));
    assert_int_equal(listing_apart(l, from, to, max), want);
}

static void assert_at(struct listing *l, const char *key, const char *want)
{
    struct row row;
    struct call call;
    bool more;
    uint64_t cursor = listing_seek(l, str_c(key));
    call_init_local(&call);
    assert_int_equal(listing_next(l, &call, &all, &cursor, &row, &more), OK);
    assert_str(row.id, want);
}

static void test_places(void **state)
{
    struct listing *l = thirty();
    for (int complete = 0; complete < 2; complete++) {
        assert_apart(l, "k000", "k000", 100, 0);
        assert_apart(l, "k000", "k001", 100, 1);
        assert_apart(l, "k001", "k000", 100, 0);
        assert_apart(l, "k008", "k021", 100, 13);
        assert_apart(l, "k008", "k021", 5, 5);
        assert_apart(l, "a", "z", 100, 30);
        assert_apart(l, "k008", "k0085", 100, 1);
        assert_at(l, "k0095", "k010");
        assert_at(l, "a", "k000");
        listing_complete(l);
    }
    listing_unref(l);
    l = listing_new(1000);
    assert_int_equal(listing_seek(l, STR("a")), 0);
    listing_unref(l);
}

struct groups_seen {
    char text[128];
    size_t len;
};

static void see_group(void *ctx, struct str value, uint64_t count)
{
    struct groups_seen *s = ctx;
    s->len += (size_t)snprintf(s->text + s->len, sizeof s->text - s->len, STR_FMT "=%u ",
                               STR_ARG(value), (unsigned)count);
}

static void test_groups(void **state)
{
    struct listing *l = small();
    struct call call;
    call_init_local(&call);
    struct groups_seen s = { 0 };
    assert_int_equal(listing_names(l, &call, see_group, &s), ERR_WOULD_BLOCK);
    listing_complete(l);
    for (int twice = 0; twice < 2; twice++) { /* counted once, kept */
        s = (struct groups_seen){ 0 };
        assert_int_equal(listing_statuses(l, &call, see_group, &s), OK);
        assert_string_equal(s.text, "Failed=1 Odd=1 Running=1 ");
        s = (struct groups_seen){ 0 };
        assert_int_equal(listing_names(l, &call, see_group, &s), OK);
        assert_string_equal(s.text, "Flow=2 Other=1 ");
        s = (struct groups_seen){ 0 };
        assert_int_equal(listing_days(l, &call, see_group, &s), OK);
        assert_string_equal(s.text, "1969-12-31=1 1970-01-04=1 ");
    }
    listing_unref(l);
}

static void test_a_local_call_never_waits(void **state)
{
    struct listing *l = small();
    struct call call;
    call_init_local(&call);
    uint64_t cursor = 0;
    struct str id;
    uint32_t slot;
    struct row row;
    bool more;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(listing_next(l, &call, &all, &cursor, &row, &more), OK);
        assert_true(more);
    }
    assert_int_equal(listing_next(l, &call, &all, &cursor, &row, &more), ERR_WOULD_BLOCK);
    assert_int_equal(listing_next_id(l, &call, &all, &cursor, &id, &slot, &more), ERR_WOULD_BLOCK);
    assert_true(listing_find(l, STR("b"), &row));
    assert_false(listing_find(l, STR("bb"), &row));
    assert_false(listing_find(l, STR(""), &row));
    listing_complete(l);
    assert_int_equal(listing_next(l, &call, &all, &cursor, &row, &more), OK);
    assert_false(more);
    assert_true(listing_find(l, STR("c"), &row));
    assert_int_equal(row.slot, 3);
    listing_unref(l);
}

static void test_a_cancelled_reader_leaves(void **state)
{
    struct listing *l = listing_new(0);
    struct call call;
    call_init(&call, 60000);
    call_cancel(&call);
    uint64_t cursor = 0;
    struct row row;
    bool more;
    assert_int_equal(listing_next(l, &call, &all, &cursor, &row, &more), ERR_CANCELLED);
    listing_unref(l);
}

static void test_F38_rows_that_come_twice_are_refused(void **state)
{
    struct listing *l = small();
    struct row row = row_of("c", STATUS_RUNNING, 9);
    struct block *b = block_new();
    assert_int_equal(block_add(b, &row), OK);
    assert_int_equal(block_freeze(b), OK);
    assert_int_equal(listing_append(l, b), ERR_BROKEN);
    assert_int_equal(listing_count(l), 3);
    b = block_new();
    assert_int_equal(block_freeze(b), OK);
    assert_int_equal(listing_append(l, b), OK); /* empty: nothing happens */
    listing_unref(l);
}

/* -- readers while it grows -- */

enum { PAGES = 40, PAGE = 25, READERS = 4 };

struct reader {
    struct listing *l;
    uint64_t rows;
    enum err err;
    char text[CALL_TEXT_MAX];
};

static void *read_all(void *arg)
{
    struct reader *r = arg;
    struct call call;
    call_init(&call, 60000);
    uint64_t cursor = 0;
    bool more = true;
    while (more && r->err == OK) {
        struct row row;
        r->err = listing_next(r->l, &call, &all, &cursor, &row, &more);
        if (r->err == OK && more) {
            char want[16];
            snprintf(want, sizeof want, "%08u", (unsigned)r->rows);
            if (!str_eq(row.id, str_c(want)))
                r->err = ERR_BUG;
            r->rows++;
        }
    }
    memcpy(r->text, call.text, sizeof r->text);
    return NULL;
}

static void grow(struct listing *l)
{
    for (int p = 0; p < PAGES; p++) {
        struct block *b = block_new();
        for (int i = 0; i < PAGE; i++) {
            char key[16];
            snprintf(key, sizeof key, "%08d", p * PAGE + i);
            struct row row = row_of(key, STATUS_RUNNING, 1);
            assert_int_equal(block_add(b, &row), OK);
        }
        assert_int_equal(block_freeze(b), OK);
        assert_int_equal(listing_append(l, b), OK);
    }
}

static void run_readers(struct listing *l, struct reader *readers, bool fail)
{
    pthread_t threads[READERS];
    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){ .l = l };
        pthread_create(&threads[i], NULL, read_all, &readers[i]);
    }
    grow(l);
    struct call call;
    call_init(&call, 1000);
    if (fail) {
        assert_int_equal(call_fail(&call, ERR_UNREACHABLE, "no way"), ERR_UNREACHABLE);
        listing_fail(l, &call);
    } else {
        listing_complete(l);
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
}

static void test_readers_follow_a_loading_listing(void **state)
{
    struct listing *l = listing_new(0);
    struct reader readers[READERS];
    run_readers(l, readers, false);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(readers[i].err, OK);
        assert_int_equal(readers[i].rows, PAGES * PAGE);
    }
    listing_unref(l);
}

static void test_R3_a_failed_listing_is_an_error_at_its_end(void **state)
{
    struct listing *l = listing_new(0);
    struct reader readers[READERS];
    run_readers(l, readers, true);
    assert_int_equal(listing_state(l), LISTING_FAILED);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(readers[i].err, ERR_UNREACHABLE);
        assert_string_equal(readers[i].text, "no way");
        assert_int_equal(readers[i].rows, PAGES * PAGE);
    }
    listing_unref(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_a_local_call_never_waits),
        cmocka_unit_test(test_a_cancelled_reader_leaves),
        cmocka_unit_test(test_F38_rows_that_come_twice_are_refused),
        cmocka_unit_test(test_readers_follow_a_loading_listing),
        cmocka_unit_test(test_R3_a_failed_listing_is_an_error_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
