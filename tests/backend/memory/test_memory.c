/* The memory hub keeps the contract of every backend, and its demo tells the stories it promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "backend/memory/memory.h"
#include "tests/backend/contract.h"

static struct call call;

static int open_empty(void **state)
{
    struct hub *hub = NULL;
    call_init(&call, 1000);
    if (memory_open_empty(&call, &hub))
        return -1;
    *state = hub;
    return 0;
}

static int open_demo(void **state)
{
    struct hub *hub = NULL;
    call_init(&call, 1000);
    if (memory_open(NULL, NULL, &call, &hub))
        return -1;
    *state = hub;
    return 0;
}

static int closes(void **state)
{
    hub_close(*state);
    return 0;
}

static void test_contract_missing(void **state)
{
    contract_missing(*state);
}

static void test_contract_start(void **state)
{
    contract_start(*state);
}

static void test_contract_refusals(void **state)
{
    contract_refusals(*state);
}

static void test_contract_unfinished(void **state)
{
    contract_unfinished(*state);
}

static void test_contract_span(void **state)
{
    contract_span(*state);
}

static void test_contract_histories(void **state)
{
    contract_histories(*state);
}

static void test_contract_list_order(void **state)
{
    contract_list_order(*state);
}

static enum err count_statuses(void *ctx, struct block *b)
{
    uint32_t *total = ctx;
    for (int s = 0; s < STATUS_COUNT; s++)
        total[s] += block_status_counts(b)[s];
    block_unref(b);
    return OK;
}

static void test_demo_has_every_state(void **state)
{
    uint32_t n[STATUS_COUNT] = { 0 };
    struct list_query q = { .what = LIST_INSTANCES, .changed_since = TICKS_NONE };
    assert_int_equal(hub_list(*state, &call, &q, count_statuses, n), OK);
    assert_true(n[STATUS_COMPLETED] >= 150);
    assert_true(n[STATUS_FAILED] >= 5);
    assert_true(n[STATUS_RUNNING] >= 5);
    assert_true(n[STATUS_PENDING] >= 1);
    assert_true(n[STATUS_SUSPENDED] >= 1);
    assert_true(n[STATUS_TERMINATED] >= 1);
}

static void send(struct hub *hub, enum command_kind kind, const char *id, const char *name,
                 const char *data)
{
    struct command c = { .kind = kind,
                         .id = str_c(id),
                         .name = str_c(name),
                         .has_data = data != NULL,
                         .data = str_c(data) };
    call_init(&call, 1000);
    if (hub_send(hub, &call, &c, NULL))
        fail_msg("%s %s: %s", command_defs[kind].name, id, call.text);
}

static struct instance *get(struct hub *hub, const char *id)
{
    struct instance *in = NULL;
    call_init(&call, 1000);
    assert_int_equal(hub_get(hub, &call, str_c(id), STR_NONE, NEED_CELLS | NEED_PHASE, &in), OK);
    return in;
}

static void test_demo_approval_completes_with_the_event(void **state)
{
    send(*state, CMD_EVENT, "approval-1", "Approve", "{\"ok\":true}");
    struct instance *in = get(*state, "approval-1");
    assert_int_equal(in->row.status, STATUS_COMPLETED);
    assert_true(str_eq(in->output.text, STR("{\"ok\":true}")));
    instance_unref(in);
}

/* As the framework does it: an event is kept until somebody waits for it. */
static void test_demo_keeps_early_events(void **state)
{
    send(*state, CMD_SUSPEND, "approval-3", "", "hold");
    send(*state, CMD_EVENT, "approval-3", "approve", "7");
    struct instance *in = get(*state, "approval-3");
    assert_int_equal(in->row.status, STATUS_SUSPENDED);
    instance_unref(in);
    send(*state, CMD_RESUME, "approval-3", "", NULL);
    in = get(*state, "approval-3");
    assert_int_equal(in->row.status, STATUS_COMPLETED);
    assert_true(str_eq(in->output.text, STR("7")));
    instance_unref(in);
}

static void test_demo_loop_ends_when_terminated_and_can_be_purged(void **state)
{
    struct receipt receipt = { 0 };
    struct instance *in = NULL;
    send(*state, CMD_TERMINATE, "loop-1", "", "enough");
    in = get(*state, "loop-1");
    assert_int_equal(in->row.status, STATUS_TERMINATED);
    assert_true(str_eq(in->output.text, STR("enough")));
    in = instance_unref(in);
    assert_int_equal(hub_purge(*state, &call, STR("loop-1"), STR_NONE, &receipt), OK);
    assert_true(receipt.gone);
    assert_int_equal(hub_get(*state, &call, STR("loop-1"), STR_NONE, 0, &in), ERR_NOT_FOUND);
}

static void test_demo_suspend_resume_rewind_restart(void **state)
{
    send(*state, CMD_RESUME, "paused-1", "", NULL);
    send(*state, CMD_SUSPEND, "approval-2", "", "hold");
    send(*state, CMD_REWIND, "failing-1", "", "again");
    send(*state, CMD_RESTART, "order-1", "", "order-1-again");
    const struct {
        const char *id;
        enum status status;
        enum phase phase;
    } expected[] = { { "approval-2", STATUS_SUSPENDED, PHASE_NONE },
                     { "failing-1", STATUS_PENDING, PHASE_REWOUND },
                     { "order-1-again", STATUS_PENDING, PHASE_WAITING },
                     { "later-1", STATUS_PENDING, PHASE_SCHEDULED } };
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        struct instance *in = get(*state, expected[i].id);
        assert_int_equal(in->row.status, expected[i].status);
        assert_int_equal(in->phase, expected[i].phase);
        instance_unref(in);
    }
}

static void test_demo_large_payload_is_a_reference(void **state)
{
    struct text *t = NULL;
    struct instance *in = get(*state, "big-1");
    assert_int_equal(in->output.kind, CELL_REF);
    assert_int_equal(hub_payload(*state, &call, in->output.ref, &t), OK);
    assert_true(t->len >= 2000000);
    text_unref(t);
    instance_unref(in);
}

static void test_demo_parent_and_entity(void **state)
{
    struct history *h = NULL;
    struct arena arena;
    struct instance *in = get(*state, "parent-1:ship");
    arena_init(&arena);
    assert_int_equal(hub_history(*state, &call, in, true, &h), OK);
    assert_true(str_eq(history_parent(h, &arena), STR("parent-1")));
    arena_fini(&arena);
    history_unref(h);
    instance_unref(in);
    send(*state, CMD_SIGNAL, "@counter@steps", "add", "5");
    in = get(*state, "@counter@steps");
    assert_true(str_has(in->input.text, STR("\"47\"")));
    instance_unref(in);
}

static void test_demo_has_a_worker(void **state)
{
    struct buf out = BUF_INIT(4096);

    call_init(&call, 1000);
    assert_int_equal(hub_inspect(*state, &call, &out), OK);
    assert_non_null(strstr(buf_c(&out), "demo-control-00\t"));
    assert_non_null(strstr(buf_c(&out), "\tdemo\towned\t\n"));
    assert_non_null(strstr(buf_c(&out), "worker\t\t\talive\t\n"));
    buf_fini(&out);
}

static void test_nobody_works_in_an_empty_one(void **state)
{
    struct buf out = BUF_INIT(4096);

    call_init(&call, 1000);
    assert_int_equal(hub_inspect(*state, &call, &out), OK);
    assert_string_equal(buf_c(&out), "demo-control-00\t0\t\tfree\t\nworker\t\t\tnone\t\n");
    buf_fini(&out);
}

#define EMPTY(f) cmocka_unit_test_setup_teardown(f, open_empty, closes)
#define DEMO(f)  cmocka_unit_test_setup_teardown(f, open_demo, closes)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EMPTY(test_contract_missing),
        EMPTY(test_contract_start),
        EMPTY(test_contract_refusals),
        EMPTY(test_contract_unfinished),
        EMPTY(test_contract_list_order),
        EMPTY(test_contract_span),
        EMPTY(test_contract_histories),
        DEMO(test_demo_has_every_state),
        DEMO(test_demo_approval_completes_with_the_event),
        DEMO(test_demo_keeps_early_events),
        DEMO(test_demo_loop_ends_when_terminated_and_can_be_purged),
        DEMO(test_demo_suspend_resume_rewind_restart),
        DEMO(test_demo_large_payload_is_a_reference),
        DEMO(test_demo_parent_and_entity),
        DEMO(test_demo_has_a_worker),
        EMPTY(test_nobody_works_in_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
