#include <stdlib.h>

#include "fs/gather.h"
#include "tests/fs/check.h"

struct case_ {
    struct gather g;
    struct call call;
    uint64_t at; /* where the next write goes */
    enum gather_step step;
};

static void begin(struct case_ *c, enum body_kind body)
{
    gather_init(&c->g, body, false);
    call_init_local(&c->call);
    c->at = 0;
    c->step = GATHER_KEEP;
}

static enum err put_bytes(struct case_ *c, struct str bytes)
{
    enum err err = gather_write(&c->g, &c->call, c->at, bytes, &c->step);

    if (!err)
        c->at += bytes.len;
    return err;
}

static enum err put(struct case_ *c, const char *text)
{
    return put_bytes(c, str_c(text));
}

static void assert_value(struct case_ *c, const char *expected)
{
    struct str value;

    assert_int_equal(c->step, GATHER_COMMIT);
    assert_true(gather_value(&c->g, &value));
    assert_str(value, expected);
}

static void assert_no_data(struct case_ *c)
{
    struct str value;

    assert_int_equal(c->step, GATHER_COMMIT);
    assert_false(gather_value(&c->g, &value));
}

/* Everything in one write, in a new gather. */
static enum err once(enum body_kind body, struct str bytes)
{
    struct case_ c;

    begin(&c, body);
    enum err err = put_bytes(&c, bytes);
    if (err)
        assert_int_equal(c.step, GATHER_KEEP);
    gather_fini(&c.g);
    return err;
}

static void test_R1_a_value_commits_in_the_write_that_completes_it(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "{\"a\":"), OK);
    assert_int_equal(c.step, GATHER_KEEP);
    assert_int_equal(put(&c, "[1,2]"), OK);
    assert_int_equal(c.step, GATHER_KEEP);
    assert_int_equal(put(&c, "}"), OK);
    assert_value(&c, "{\"a\":[1,2]}");
    gather_fini(&c.g);
}

static void test_R1_each_kind_of_value(void **state)
{
    static const char *const values[] = { "true", "false", "null", "\"x\"",
                                          "[]",   "{}",    "7\n",  "-1.5e3 " };

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct case_ c;

        begin(&c, BODY_JSON);
        assert_int_equal(put(&c, values[i]), OK);
        assert_value(&c, values[i]);
        gather_fini(&c.g);
    }
}

static void test_R1_a_number_waits_for_white_space_or_the_close(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "4"), OK);
    assert_int_equal(c.step, GATHER_KEEP);
    assert_int_equal(put(&c, "2"), OK);
    assert_int_equal(c.step, GATHER_KEEP);
    assert_int_equal(gather_flush(&c.g, &c.call, &c.step), OK);
    assert_value(&c, "42");
    gather_outcome(&c.g, OK, false);
    assert_int_equal(gather_flush(&c.g, &c.call, &c.step), OK);
    assert_int_equal(c.step, GATHER_KEEP);
    gather_fini(&c.g);
}

static void test_R1_flush_before_the_write_does_nothing(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    assert_int_equal(gather_flush(&c.g, &c.call, &c.step), OK);
    assert_int_equal(c.step, GATHER_KEEP);
    assert_int_equal(put(&c, "{}"), OK);
    assert_value(&c, "{}");
    gather_fini(&c.g);
}

static void test_R1_an_unfinished_value_is_refused_at_flush(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "[1,"), OK);
    assert_int_equal(gather_flush(&c.g, &c.call, &c.step), ERR_INVALID);
    assert_int_equal(c.step, GATHER_KEEP);
    assert_non_null(strstr(c.call.text, "before the JSON value was complete"));
    /* It was not the last descriptor: the value can still be completed. */
    assert_int_equal(put(&c, "2]"), OK);
    assert_value(&c, "[1,2]");
    gather_fini(&c.g);
}

static void test_R1_white_space_after_the_value_is_accepted(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "{}"), OK);
    gather_outcome(&c.g, OK, false);
    assert_int_equal(put(&c, "\n \t\r\n"), OK);
    assert_int_equal(c.step, GATHER_KEEP);
    gather_fini(&c.g);
}

static void test_R1_nothing_is_sent_twice_whatever_the_result(void **state)
{
    static const enum err outcomes[] = { OK, ERR_WRONG_STATE, ERR_UNKNOWN_OUTCOME,
                                         ERR_UNREACHABLE };

    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        struct case_ c;

        begin(&c, BODY_JSON);
        assert_int_equal(put(&c, "{}"), OK);
        gather_outcome(&c.g, outcomes[i], false);
        assert_int_equal(put(&c, "{}"), ERR_INVALID);
        assert_int_equal(c.step, GATHER_KEEP);
        assert_int_equal(gather_flush(&c.g, &c.call, &c.step), OK);
        assert_int_equal(c.step, GATHER_KEEP);
        gather_fini(&c.g);
    }
}

static void test_R1_the_same_bytes_after_EINTR_get_the_outcome_again(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "{\"a\""), OK);
    uint64_t at = c.at;
    assert_int_equal(put(&c, ":1}"), OK);
    gather_outcome(&c.g, ERR_UNKNOWN_OUTCOME, true);
    c.at = at;
    assert_int_equal(put(&c, ":1}"), ERR_UNKNOWN_OUTCOME);
    assert_int_equal(c.step, GATHER_KEEP);
    assert_int_equal(put(&c, ":2}"), ERR_INVALID);
    gather_fini(&c.g);
}

static void test_R1_what_was_cancelled_before_it_left_can_be_written_again(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "{\"a\""), OK);
    uint64_t at = c.at;
    assert_int_equal(put(&c, ":1}"), OK);
    gather_outcome(&c.g, ERR_CANCELLED, true);
    c.at = at;
    assert_int_equal(put(&c, ":1}"), OK);
    assert_value(&c, "{\"a\":1}");
    gather_fini(&c.g);
}

static void test_R1_text_is_one_write(void **state)
{
    struct case_ c;

    begin(&c, BODY_TEXT);
    assert_int_equal(put(&c, "no more stock\n"), OK);
    assert_value(&c, "no more stock");
    gather_outcome(&c.g, OK, false);
    assert_int_equal(put(&c, "and again\n"), ERR_TOO_BIG);
    assert_int_equal(put(&c, "\n"), ERR_TOO_BIG);
    assert_int_equal(c.step, GATHER_KEEP);
    gather_fini(&c.g);
}

static void test_R1_text_repeated_after_EINTR(void **state)
{
    struct case_ c;

    begin(&c, BODY_TEXT);
    assert_int_equal(put(&c, "stop\n"), OK);
    gather_outcome(&c.g, ERR_UNKNOWN_OUTCOME, true);
    c.at = 0;
    assert_int_equal(put(&c, "stop\n"), ERR_UNKNOWN_OUTCOME);
    gather_fini(&c.g);
}

static void test_a_write_while_another_is_being_sent(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "{}"), OK);
    assert_int_equal(put(&c, "\n"), ERR_BUSY);
    assert_int_equal(gather_flush(&c.g, &c.call, &c.step), OK);
    assert_int_equal(c.step, GATHER_KEEP);
    gather_fini(&c.g);
}

static void test_B16_not_json(void **state)
{
    assert_int_equal(once(BODY_JSON, STR("hello\n")), ERR_INVALID);
    assert_int_equal(once(BODY_JSON, STR("{a:1}\n")), ERR_INVALID);
    assert_int_equal(once(BODY_JSON, STR("'x'\n")), ERR_INVALID);
}

static void test_B16_the_reason_names_the_byte_and_its_place(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "{\"a\":1,"), OK);
    assert_int_equal(put(&c, "b}"), ERR_INVALID);
    assert_non_null(strstr(c.call.text, "0x62"));
    assert_non_null(strstr(c.call.text, "offset 7"));
    /* Refused for good. */
    assert_int_equal(put(&c, "\"b\":2}"), ERR_INVALID);
    assert_int_equal(gather_flush(&c.g, &c.call, &c.step), OK);
    gather_fini(&c.g);
}

static void test_B17_numbers_that_are_none(void **state)
{
    static const char *const bad[] = { "007\n", "+1\n", ".5\n", "1.\n", "NaN\n", "Infinity\n" };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(once(BODY_JSON, str_c(bad[i])), ERR_INVALID);
}

static void test_B17_an_unfinished_number_at_its_end(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "1."), OK);
    assert_int_equal(gather_flush(&c.g, &c.call, &c.step), ERR_INVALID);
    gather_fini(&c.g);
}

static void test_B18_raw_controls_and_bad_utf8(void **state)
{
    assert_int_equal(once(BODY_JSON, STR("\"a\tb\"\n")), ERR_INVALID);
    assert_int_equal(once(BODY_JSON, STR("\"a\xff\"\n")), ERR_INVALID);
    assert_int_equal(once(BODY_JSON, STR("\xef\xbb\xbf{}\n")), ERR_INVALID);
}

static void test_B19_B21_bytes_unchanged(void **state)
{
    static const char *const good[] = {
        "\"\\ud800\"", "\"\\u0000\"", "123456789012345678901234567890\n",
        "1.0\n",       "1e400\n",     "{\"a\":1,\"a\":2}"
    };

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct case_ c;

        begin(&c, BODY_JSON);
        assert_int_equal(put(&c, good[i]), OK);
        assert_value(&c, good[i]);
        gather_fini(&c.g);
    }
}

static void test_B20_two_values(void **state)
{
    struct case_ c;

    assert_int_equal(once(BODY_JSON, STR("{}{}")), ERR_INVALID);
    assert_int_equal(once(BODY_JSON, STR("1 2\n")), ERR_INVALID);
    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "{}"), OK);
    gather_outcome(&c.g, OK, false);
    assert_int_equal(put(&c, " {}"), ERR_INVALID);
    gather_fini(&c.g);
}

static struct str filled(char *p, size_t n, const char *begin, const char *end)
{
    memset(p, 'x', n);
    memcpy(p, begin, strlen(begin));
    memcpy(p + n - strlen(end), end, strlen(end));
    return (struct str){ p, n };
}

static void test_B22_nesting(void **state)
{
    char deep[JSON_DEPTH_MAX + 1];

    memset(deep, '[', sizeof deep);
    assert_int_equal(once(BODY_JSON, (struct str){ deep, JSON_DEPTH_MAX }), OK);
    assert_int_equal(once(BODY_JSON, (struct str){ deep, JSON_DEPTH_MAX + 1 }), ERR_INVALID);
}

static void test_B23_L2_json_size(void **state)
{
    char *p = malloc(JSON_WRITE_MAX_BYTES + 1);

    assert_non_null(p);
    assert_int_equal(once(BODY_JSON, filled(p, JSON_WRITE_MAX_BYTES, "\"", "\"")), OK);
    assert_int_equal(once(BODY_JSON, filled(p, JSON_WRITE_MAX_BYTES + 1, "\"", "\"")), ERR_TOO_BIG);
    free(p);
}

static void test_B23_L2_as_soon_as_exceeded(void **state)
{
    char *p = malloc(MIB);
    struct case_ c;
    enum err err = OK;
    unsigned n;

    assert_non_null(p);
    begin(&c, BODY_JSON);
    assert_int_equal(put(&c, "\""), OK);
    memset(p, 'x', MIB);
    for (n = 0; !err && n < 20; n++)
        err = put_bytes(&c, (struct str){ p, MIB });
    assert_int_equal(err, ERR_TOO_BIG);
    assert_int_equal(n, 16);
    gather_fini(&c.g);
    free(p);
}

static void test_B25_no_data(void **state)
{
    static const char *const blank[] = { "\n", "   ", " \n", "\r\n" };

    for (size_t i = 0; i < ARRAY_LEN(blank); i++) {
        struct case_ c;

        begin(&c, BODY_JSON);
        assert_int_equal(put(&c, ""), OK);
        assert_int_equal(c.step, GATHER_KEEP);
        assert_int_equal(put(&c, blank[i]), OK);
        assert_no_data(&c);
        gather_fini(&c.g);
    }
}

static void test_B25_text_without_data(void **state)
{
    struct case_ c;

    begin(&c, BODY_TEXT);
    assert_int_equal(put(&c, ""), OK);
    assert_int_equal(c.step, GATHER_KEEP);
    assert_int_equal(put(&c, "\n"), OK);
    assert_no_data(&c);
    gather_fini(&c.g);
}

static void test_B26_reasons(void **state)
{
    struct case_ c;

    begin(&c, BODY_TEXT);
    assert_int_equal(put(&c, "one\ntwo\n\n"), OK);
    assert_value(&c, "one\ntwo\n");
    gather_fini(&c.g);
    assert_int_equal(once(BODY_TEXT, STR("a\0b\n")), ERR_INVALID);
    assert_int_equal(once(BODY_TEXT, STR("a\xff")), ERR_BAD_NAME);
}

static void test_B26_L3_reason_size(void **state)
{
    char p[REASON_MAX_BYTES + 2];

    assert_int_equal(once(BODY_TEXT, filled(p, REASON_MAX_BYTES, "x", "x")), OK);
    assert_int_equal(once(BODY_TEXT, filled(p, REASON_MAX_BYTES + 1, "x", "\n")), OK);
    assert_int_equal(once(BODY_TEXT, filled(p, REASON_MAX_BYTES + 1, "x", "x")), ERR_TOO_BIG);
    assert_int_equal(once(BODY_TEXT, filled(p, REASON_MAX_BYTES + 2, "x", "\n")), ERR_TOO_BIG);
}

static void test_B27_offsets(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    c.at = 5;
    assert_int_equal(put(&c, "{}"), ERR_INVALID);
    c.at = 0;
    assert_int_equal(put(&c, "[1"), OK);
    c.at = 0;
    assert_int_equal(put(&c, ",2"), ERR_INVALID);
    c.at = 3;
    assert_int_equal(put(&c, ",2"), ERR_INVALID);
    c.at = 2;
    assert_int_equal(put(&c, "]"), OK);
    assert_value(&c, "[1]");
    gather_fini(&c.g);
}

static void test_B27_append_has_no_offsets(void **state)
{
    struct case_ c;

    begin(&c, BODY_JSON);
    c.g.append = true;
    assert_int_equal(put(&c, "[1"), OK);
    c.at = 0;
    assert_int_equal(put(&c, "]"), OK);
    assert_value(&c, "[1]");
    gather_fini(&c.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_R1_a_value_commits_in_the_write_that_completes_it),
        cmocka_unit_test(test_R1_each_kind_of_value),
        cmocka_unit_test(test_R1_a_number_waits_for_white_space_or_the_close),
        cmocka_unit_test(test_R1_flush_before_the_write_does_nothing),
        cmocka_unit_test(test_R1_an_unfinished_value_is_refused_at_flush),
        cmocka_unit_test(test_R1_white_space_after_the_value_is_accepted),
        cmocka_unit_test(test_R1_nothing_is_sent_twice_whatever_the_result),
        cmocka_unit_test(test_R1_the_same_bytes_after_EINTR_get_the_outcome_again),
        cmocka_unit_test(test_R1_what_was_cancelled_before_it_left_can_be_written_again),
        cmocka_unit_test(test_R1_text_is_one_write),
        cmocka_unit_test(test_R1_text_repeated_after_EINTR),
        cmocka_unit_test(test_a_write_while_another_is_being_sent),
        cmocka_unit_test(test_B16_not_json),
        cmocka_unit_test(test_B16_the_reason_names_the_byte_and_its_place),
        cmocka_unit_test(test_B17_numbers_that_are_none),
        cmocka_unit_test(test_B17_an_unfinished_number_at_its_end),
        cmocka_unit_test(test_B18_raw_controls_and_bad_utf8),
        cmocka_unit_test(test_B19_B21_bytes_unchanged),
        cmocka_unit_test(test_B20_two_values),
        cmocka_unit_test(test_B22_nesting),
        cmocka_unit_test(test_B23_L2_json_size),
        cmocka_unit_test(test_B23_L2_as_soon_as_exceeded),
        cmocka_unit_test(test_B25_no_data),
        cmocka_unit_test(test_B25_text_without_data),
        cmocka_unit_test(test_B26_reasons),
        cmocka_unit_test(test_B26_L3_reason_size),
        cmocka_unit_test(test_B27_offsets),
        cmocka_unit_test(test_B27_append_has_no_offsets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
