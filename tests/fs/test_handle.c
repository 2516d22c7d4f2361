#include <stdlib.h>

#include "backend/base/limits.h"
#include "fs/handle.h"
#include "tests/fs/check.h"

#define FILE_A ((node)0x1234)
#define FILE_B ((node)0x5678)

static int setup(void **state)
{
    *state = handles_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    handles_close_all(*state, NULL, NULL);
    handles_free(*state);
    return 0;
}

static struct content content_of(const char *text, uint64_t version)
{
    return (struct content){ .text = text_new(str_c(text)), .version = version };
}

static struct reader *open_content(struct handles *hs, node n, struct content c)
{
    struct attr attr = { .node = n, .size = 999, .attr_ms = 5000 };
    struct reader *r = NULL;
    struct call call;

    call_init_local(&call);
    assert_int_equal(handles_open_reader(hs, &call, &attr, &c, &r), OK);
    assert_null(c.text);
    return r;
}

static struct reader *open_text(struct handles *hs, node n, const char *text, uint64_t version)
{
    return open_content(hs, n, content_of(text, version));
}

static void assert_reads(struct handles *hs, struct reader *r, const char *expected)
{
    struct text *t = reader_read(hs, r);

    assert_str(text_str(t), expected);
    text_unref(t);
}

static uint64_t size_told(struct handles *hs, node n)
{
    struct attr attr = { .node = n, .size = 999 };

    handles_override(hs, &attr);
    return attr.size;
}

static void test_R4_size_is_that_of_the_bytes(void **state)
{
    struct handles *hs = *state;
    struct reader *r = open_text(hs, FILE_A, "hello", 1);
    struct attr attr;

    reader_attr(hs, r, &attr);
    assert_int_equal(attr.size, 5);
    assert_true(attr.size_exact);
    assert_reads(hs, r, "hello");
    handles_close(hs, &r->h);
}

static void test_R4_attributes_are_those_of_the_newest_open(void **state)
{
    struct handles *hs = *state;

    assert_int_equal(size_told(hs, FILE_A), 999);
    struct reader *first = open_text(hs, FILE_A, "1", 1);
    struct reader *second = open_text(hs, FILE_A, "22", 2);
    struct reader *third = open_text(hs, FILE_A, "333", 3);
    assert_int_equal(size_told(hs, FILE_A), 3);
    assert_int_equal(size_told(hs, FILE_B), 999);
    handles_close(hs, &second->h);
    assert_int_equal(size_told(hs, FILE_A), 3);
    handles_close(hs, &third->h);
    assert_int_equal(size_told(hs, FILE_A), 1);
    assert_reads(hs, first, "1");
    handles_close(hs, &first->h);
    assert_int_equal(size_told(hs, FILE_A), 999);
    assert_null(handles_newest(hs, FILE_A));
}

/* It is never read, but with the size that was told there can be no pages. */
static void test_R4_an_empty_file_is_kept_once_its_size_was_told(void **state)
{
    struct handles *hs = *state;
    struct attr told;
    struct reader *r = open_text(hs, FILE_A, "", 1);

    handles_close(hs, &r->h);
    r = open_text(hs, FILE_A, "", 1);
    assert_int_equal(r->pages, PAGES_FRESH);
    reader_attr(hs, r, &told);
    assert_int_equal(told.size, 0);
    handles_close(hs, &r->h);
    r = open_text(hs, FILE_A, "", 1);
    assert_int_equal(r->pages, PAGES_KEEP);
    handles_close(hs, &r->h);
    r = open_text(hs, FILE_A, "more", 2);
    assert_int_equal(r->pages, PAGES_FRESH);
    reader_attr(hs, r, &told); /* with this size there may be old ones */
    handles_close(hs, &r->h);
    r = open_text(hs, FILE_A, "more", 2);
    assert_int_equal(r->pages, PAGES_FRESH);
    handles_close(hs, &r->h);
}

#define MANY 90000 /* ten thousand instances with all their files */

static void test_pages_of_many_files_are_kept(void **state)
{
    struct handles *hs = *state;
    unsigned kept = 0;

    for (int round = 0; round < 2; round++)
        for (node i = 0; i < MANY; i++) {
            /* Numbers as nodes have them: a kind high up, a slot below. */
            struct reader *r = open_text(hs, (3 + i % 9) << 48 | (i / 9 + 1), "x", 1);

            kept += r->pages == PAGES_KEEP;
            assert_reads(hs, r, "x");
            handles_close(hs, &r->h);
        }
    assert_true(kept > MANY / 100 * 98);
}

static void test_R4_pages_are_kept_for_the_same_version_only(void **state)
{
    struct handles *hs = *state;
    struct reader *r = open_text(hs, FILE_A, "one", 1);

    assert_int_equal(r->pages, PAGES_FRESH);
    handles_close(hs, &r->h);
    r = open_text(hs, FILE_A, "one", 1); /* the first was never read: nothing is cached for sure */
    assert_int_equal(r->pages, PAGES_FRESH);
    assert_reads(hs, r, "one");
    handles_close(hs, &r->h);
    r = open_text(hs, FILE_A, "one", 1);
    assert_int_equal(r->pages, PAGES_KEEP);
    handles_close(hs, &r->h);
    r = open_text(hs, FILE_A, "two", 2);
    assert_int_equal(r->pages, PAGES_FRESH);
    handles_close(hs, &r->h);
}

static void test_R4_two_versions_never_share_the_page_cache(void **state)
{
    struct handles *hs = *state;
    struct reader *old = open_text(hs, FILE_A, "one", 1);
    struct reader *other = open_text(hs, FILE_B, "x", 7);
    struct reader *now = open_text(hs, FILE_A, "two", 2);

    assert_int_equal(other->pages, PAGES_FRESH);
    assert_int_equal(now->pages, PAGES_NONE);
    handles_close(hs, &old->h);
    handles_close(hs, &now->h);
    handles_close(hs, &other->h);
    now = open_text(hs, FILE_A, "two", 2);
    assert_int_equal(now->pages, PAGES_FRESH);
    handles_close(hs, &now->h);
}

static void test_R4_live_files_bypass_the_page_cache(void **state)
{
    struct handles *hs = *state;
    struct content c = content_of("now", 1);

    c.live = true;
    struct reader *r = open_content(hs, FILE_A, c);
    assert_int_equal(r->pages, PAGES_NONE);
    handles_close(hs, &r->h);
}

static void test_a_followed_file_grows(void **state)
{
    struct handles *hs = *state;
    struct content c = content_of("a\n", 1);
    struct attr attr = { .node = FILE_A, .attr_ms = 5000 };
    struct call call;

    c.live = c.follows = true;
    struct reader *r = open_content(hs, FILE_A, c);
    struct text *old = reader_text(hs, r);
    struct text *now = text_new(STR("a\nb\n"));
    call_init_local(&call);
    assert_int_equal(reader_replace(hs, &call, r, old, now), OK);
    assert_reads(hs, r, "a\nb\n");
    assert_int_equal(handles_frozen(hs), 4);
    /* Somebody else was faster: what came first stays. */
    struct text *late = text_new(STR("a\nc\n"));
    assert_int_equal(reader_replace(hs, &call, r, old, late), OK);
    assert_reads(hs, r, "a\nb\n");
    handles_override(hs, &attr);
    assert_int_equal(attr.size, 4);
    assert_int_equal(attr.attr_ms, 0);
    text_unref(old);
    text_unref(now);
    text_unref(late);
    handles_close(hs, &r->h);
    assert_int_equal(handles_frozen(hs), 0);
}

static void test_a_reference_outlives_the_close(void **state)
{
    struct handles *hs = *state;
    struct reader *r = open_text(hs, FILE_A, "kept", 1);
    struct reader *ref = handles_newest(hs, FILE_A);

    assert_ptr_equal(ref, r);
    handles_close(hs, &r->h);
    assert_reads(hs, ref, "kept");
    handles_unref(hs, ref);
    assert_int_equal(handles_frozen(hs), 0);
    assert_int_equal(handles_count(hs), 0);
}

static void test_L14_shared_bytes_count_once(void **state)
{
    struct handles *hs = *state;
    struct text *t = text_new(STR("0123456789"));
    struct reader *r[64];

    for (size_t i = 0; i < ARRAY_LEN(r); i++)
        r[i] = open_content(hs, FILE_A, (struct content){ .text = text_ref(t), .version = 1 });
    assert_int_equal(handles_frozen(hs), 10);
    assert_int_equal(handles_count(hs), 64);
    for (size_t i = 0; i < ARRAY_LEN(r); i++)
        handles_close(hs, &r[i]->h);
    assert_int_equal(handles_frozen(hs), 0);
    text_unref(t);
}

static void test_L14_frozen_bytes(void **state)
{
    struct handles *hs = *state;
    struct content c = content_of("x", 1);
    struct attr attr = { .node = FILE_A };
    struct reader *r = NULL;
    struct call call;

    call_init_local(&call);
    assert_int_equal(handles_charge(hs, &call, FROZEN_MAX_BYTES), OK);
    assert_int_equal(handles_charge(hs, &call, 1), ERR_TOO_MANY);
    assert_int_equal(handles_open_reader(hs, &call, &attr, &c, &r), ERR_TOO_MANY);
    assert_non_null(c.text);
    assert_int_equal(handles_count(hs), 0);
    handles_discharge(hs, 1);
    assert_int_equal(handles_open_reader(hs, &call, &attr, &c, &r), OK);
    handles_close(hs, &r->h);
    handles_discharge(hs, FROZEN_MAX_BYTES - 1);
    assert_int_equal(handles_frozen(hs), 0);
}

static void test_L14_F60_handles(void **state)
{
    struct handles *hs = *state;
    struct lister_handle *l, *last = NULL;
    struct call call;

    call_init_local(&call);
    for (unsigned i = 0; i < HANDLES_MAX; i++) {
        assert_int_equal(handles_open_lister(hs, &call, FILE_A, NULL, NULL, &l), OK);
        last = l;
    }
    assert_int_equal(handles_open_lister(hs, &call, FILE_A, NULL, NULL, &l), ERR_TOO_MANY);
    handles_close(hs, &last->h);
    assert_int_equal(handles_open_lister(hs, &call, FILE_A, NULL, NULL, &l), OK);
    assert_int_equal(handles_count(hs), HANDLES_MAX);
}

static void test_F62_writers_are_independent(void **state)
{
    struct handles *hs = *state;
    struct target a = { .body = BODY_JSON }, b = { .body = BODY_TEXT };
    struct writer *first, *second;
    struct call call;

    call_init_local(&call);
    assert_int_equal(handles_open_writer(hs, &call, FILE_A, &a, false, 1, &first), OK);
    assert_int_equal(handles_open_writer(hs, &call, FILE_A, &b, true, 1, &second), OK);
    assert_int_equal(first->gather.body, BODY_JSON);
    assert_int_equal(second->gather.body, BODY_TEXT);
    assert_false(first->gather.append);
    assert_true(second->gather.append);
    handles_close(hs, &first->h);
    handles_close(hs, &second->h);
    assert_int_equal(handles_count(hs), 0);
}

static void test_an_awaited_file_has_no_bytes_yet(void **state)
{
    struct handles *hs = *state;
    struct reader *r = open_content(hs, FILE_A, (struct content){ .waits = true });
    struct text *t = text_new(STR("Completed\n"));
    struct call call;

    call_init_local(&call);
    assert_int_equal(r->pages, PAGES_NONE);
    assert_null(reader_text(hs, r));
    assert_int_equal(size_told(hs, FILE_A), 999); /* the tree says 0 */
    assert_int_equal(reader_replace(hs, &call, r, NULL, t), OK);
    assert_reads(hs, r, "Completed\n");
    text_unref(t);
    handles_close(hs, &r->h);
    assert_int_equal(handles_frozen(hs), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_R4_size_is_that_of_the_bytes),
        CASE(test_R4_attributes_are_those_of_the_newest_open),
        CASE(test_R4_an_empty_file_is_kept_once_its_size_was_told),
        CASE(test_pages_of_many_files_are_kept),
        CASE(test_R4_pages_are_kept_for_the_same_version_only),
        CASE(test_R4_two_versions_never_share_the_page_cache),
        CASE(test_R4_live_files_bypass_the_page_cache),
        CASE(test_a_followed_file_grows),
        CASE(test_a_reference_outlives_the_close),
        CASE(test_L14_shared_bytes_count_once),
        CASE(test_L14_frozen_bytes),
        CASE(test_L14_F60_handles),
        CASE(test_F62_writers_are_independent),
        CASE(test_an_awaited_file_has_no_bytes_yet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
