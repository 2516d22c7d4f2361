#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "backend/base/call.h"
#include "backend/base/clock.h"

static void test_begins_without_a_failure(void **state)
{
    struct call c;

    call_init(&c, 30000);
    assert_int_equal(c.err, OK);
    assert_string_equal(c.text, "");
    assert_string_equal(c.code, "");
    assert_int_equal(c.http_status, 0);
    assert_false(c.local);
    assert_false(call_cancelled(&c));
    assert_int_equal(call_check(&c), OK);
    assert_in_range(call_left_ms(&c), 1, 30000);
}

static void test_no_deadline(void **state)
{
    struct call c;

    call_init_local(&c);
    assert_true(c.local);
    assert_true(c.deadline_ms == INT64_MAX);
    assert_true(call_left_ms(&c) == INT64_MAX);
    assert_int_equal(call_check(&c), OK);

    call_init(&c, INT64_MAX);
    assert_false(c.local);
    assert_true(call_left_ms(&c) == INT64_MAX);
}

static void test_deadline_passed(void **state)
{
    struct call c;

    call_init(&c, 0);
    assert_int_equal(call_left_ms(&c), 0);
    assert_int_equal(call_check(&c), ERR_TIMEOUT);
    assert_int_equal(c.err, ERR_TIMEOUT);
    assert_non_null(strstr(c.text, "time limit"));

    call_init(&c, -1000);
    assert_int_equal(call_left_ms(&c), 0);
}

static void test_progress_starts_patience_anew(void **state)
{
    struct call c;

    call_init(&c, 0);
    call_progress(&c); /* a fixed deadline stays */
    assert_int_equal(call_check(&c), ERR_TIMEOUT);
    c.patience_ms = 60000;
    call_progress(&c);
    assert_int_equal(call_check(&c), OK);
    assert_in_range(call_left_ms(&c), 1, 60000);

    /* It never takes time away. */
    call_init(&c, INT64_MAX);
    c.patience_ms = 5;
    call_progress(&c);
    assert_true(c.deadline_ms == INT64_MAX);
}

static void *cancel(void *arg)
{
    call_cancel(arg);
    return NULL;
}

static void test_cancelled_from_another_thread(void **state)
{
    struct call c;
    pthread_t thread;

    call_init_local(&c);
    assert_int_equal(pthread_create(&thread, NULL, cancel, &c), 0);
    while (!call_cancelled(&c))
        clock_sleep_ms(1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(call_check(&c), ERR_CANCELLED);
    assert_string_not_equal(c.text, "");
}

static void test_fail_keeps_the_sentence(void **state)
{
    struct call c;

    call_init(&c, 1000);
    assert_int_equal(call_fail(&c, ERR_DENIED, "GET %s: %d", "table", 403), ERR_DENIED);
    assert_int_equal(c.err, ERR_DENIED);
    assert_string_equal(c.text, "GET table: 403");

    /* Its own text may be an argument. */
    assert_int_equal(call_fail(&c, ERR_BROKEN, "history: %s", c.text), ERR_BROKEN);
    assert_string_equal(c.text, "history: GET table: 403");
}

static void test_fail_with_success_is_our_bug(void **state)
{
    struct call c;

    call_init(&c, 1000);
    assert_int_equal(call_fail(&c, OK, "nothing"), ERR_BUG);
    assert_int_equal(c.err, ERR_BUG);
}

static void test_fail_disarms_foreign_text(void **state)
{
    struct call c;

    call_init(&c, 1000);
    /* Escape, line feed, DEL, U+009B (a control sequence in two bytes), and a broken character. */
    assert_int_equal(call_fail(&c, ERR_BROKEN, "a\x1b[2J\nb\x7f\xc2\x9b\xff\xc3\xa4\xe2\x82"),
                     ERR_BROKEN);
    assert_string_equal(c.text, "a?[2J?b???\xc3\xa4??");
}

static void test_fail_cuts_between_characters(void **state)
{
    char euros[CALL_TEXT_MAX * 2];
    struct call c;

    call_init(&c, 1000);
    for (size_t shift = 0; shift < 4; shift++) {
        memset(euros, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof(euros); i += 3)
            memcpy(euros + i, "\xe2\x82\xac", 4);
        assert_int_equal(call_fail(&c, ERR_INVALID, "%s", euros), ERR_INVALID);
        assert_true(str_is_utf8(str_c(c.text)));
        assert_null(strchr(c.text, '?'));
        assert_in_range(strlen(c.text), CALL_TEXT_MAX - 3, CALL_TEXT_MAX - 1);
    }
}

static void test_fail_cuts_four_byte_characters(void **state)
{
    char faces[CALL_TEXT_MAX * 2];
    struct call c;

    call_init(&c, 1000);
    for (size_t shift = 0; shift < 4; shift++) {
        memset(faces, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof(faces); i += 4)
            memcpy(faces + i, "\xf0\x9f\x98\x80", 5);
        assert_int_equal(call_fail(&c, ERR_INVALID, "%s", faces), ERR_INVALID);
        assert_true(str_is_utf8(str_c(c.text)));
        assert_null(strchr(c.text, '?'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins_without_a_failure),
        cmocka_unit_test(test_no_deadline),
        cmocka_unit_test(test_deadline_passed),
        cmocka_unit_test(test_progress_starts_patience_anew),
        cmocka_unit_test(test_cancelled_from_another_thread),
        cmocka_unit_test(test_fail_keeps_the_sentence),
        cmocka_unit_test(test_fail_with_success_is_our_bug),
        cmocka_unit_test(test_fail_disarms_foreign_text),
        cmocka_unit_test(test_fail_cuts_between_characters),
        cmocka_unit_test(test_fail_cuts_four_byte_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
