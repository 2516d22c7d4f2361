#include "backend/command.h"
#include "tests/backend/unit.h"

static struct instance situated(enum situation s)
{
    static const struct {
        enum status status;
        enum phase phase;
    } of[SITUATION_COUNT] = {
        [SITUATION_RUNNING] = { STATUS_RUNNING, PHASE_NONE },
        [SITUATION_SUSPENDED] = { STATUS_SUSPENDED, PHASE_NONE },
        [SITUATION_CONTINUED_AS_NEW] = { STATUS_CONTINUED_AS_NEW, PHASE_NONE },
        [SITUATION_PENDING_WAITING] = { STATUS_PENDING, PHASE_WAITING },
        [SITUATION_PENDING_SCHEDULED] = { STATUS_PENDING, PHASE_SCHEDULED },
        [SITUATION_PENDING_RESTARTED] = { STATUS_PENDING, PHASE_RESTARTED },
        [SITUATION_PENDING_REWOUND] = { STATUS_PENDING, PHASE_REWOUND },
        [SITUATION_COMPLETED] = { STATUS_COMPLETED, PHASE_NONE },
        [SITUATION_FAILED] = { STATUS_FAILED, PHASE_NONE },
        [SITUATION_TERMINATED] = { STATUS_TERMINATED, PHASE_NONE },
        [SITUATION_CANCELED] = { STATUS_CANCELED, PHASE_NONE },
        [SITUATION_UNKNOWN] = { STATUS_UNKNOWN, PHASE_NONE },
    };
    struct instance in = { .row.status = of[s].status, .phase = of[s].phase };
    in.row.status_text = STR("Odd");
    return in;
}

/* One letter per situation in the order of the enum: y sent, b busy, n wrong state. */
static void test_B28_every_verb_in_every_situation(void **state)
{
    static const struct {
        enum command_kind kind;
        const char *verdicts;
    } table[] = {
        /*                R S C w s r w C F T C U */
        { CMD_EVENT, "yyyybbynnnnn" },   { CMD_TERMINATE, "yyyyybynnnnn" },
        { CMD_SUSPEND, "ynyybbynnnnn" }, { CMD_RESUME, "nynnnnnnnnnn" },
        { CMD_REWIND, "nnnnnnynynnn" },  { CMD_RESTART, "nnnnnnnyyyyn" },
        { CMD_START, "yyyyyyyyyyyy" },   { CMD_SIGNAL, "yyyyyyyyyyyy" },
        { CMD_PURGE, "bbbbbbbyyyyb" },
    };
    for (size_t t = 0; t < ARRAY_LEN(table); t++) {
        for (int s = 0; s < SITUATION_COUNT; s++) {
            struct instance in = situated((enum situation)s);
            assert_int_equal(situation_of(&in), s);
            struct call call;
            call_init(&call, 1000);
            char want = table[t].verdicts[s];
            enum err err = command_check(table[t].kind, &in, &call);
            assert_int_equal(err, want == 'y' ? OK : want == 'b' ? ERR_BUSY : ERR_WRONG_STATE);
            if (err == OK)
                continue;
            assert_non_null(strstr(call.text, command_defs[table[t].kind].name));
            const char *named =
                s == SITUATION_UNKNOWN ? "'Odd'" : situation_name((enum situation)s);
            assert_non_null(strstr(call.text, named));
        }
    }
}

static void test_T127_a_stale_pending_row(void **state)
{
    struct instance in = { .row.status = STATUS_PENDING, .phase = PHASE_ENDED };
    struct call call;
    call_init(&call, 1000);
    assert_int_equal(command_check(CMD_EVENT, &in, &call), ERR_WRONG_STATE);
    assert_int_equal(command_check(CMD_TERMINATE, &in, &call), ERR_WRONG_STATE);
    assert_int_equal(command_check(CMD_PURGE, &in, &call), ERR_BUSY);
    assert_int_equal(command_check(CMD_REWIND, &in, &call), OK);
}

static void test_offered_by_status(void **state)
{
    /* R Completed CaN Failed Canceled Terminated Pending Suspended Unknown */
    static const struct {
        enum command_kind kind;
        const char *offered;
    } table[] = {
        { CMD_EVENT, "ynynnnyyn" },  { CMD_TERMINATE, "ynynnnyyn" }, { CMD_SUSPEND, "ynynnnynn" },
        { CMD_RESUME, "nnnnnnnyn" }, { CMD_REWIND, "nnnynnnnn" },    { CMD_RESTART, "nynyyynnn" },
        { CMD_START, "nnnnnnnnn" },  { CMD_SIGNAL, "nnnnnnnnn" },    { CMD_PURGE, "nynyyynnn" },
    };
    for (size_t t = 0; t < ARRAY_LEN(table); t++)
        for (int s = 0; s < STATUS_COUNT; s++)
            assert_int_equal(command_offered(table[t].kind, (enum status)s),
                             table[t].offered[s] == 'y');
}

static void test_every_verb_has_a_name_of_its_own(void **state)
{
    for (int a = 0; a < CMD_COUNT; a++) {
        assert_non_null(command_defs[a].name);
        assert_int_equal(command_defs[a].allowed & command_defs[a].busy, 0);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(command_defs[a].name, command_defs[b].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_B28_every_verb_in_every_situation),
        cmocka_unit_test(test_T127_a_stale_pending_row),
        cmocka_unit_test(test_offered_by_status),
        cmocka_unit_test(test_every_verb_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
