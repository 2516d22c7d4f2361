#include "backend/hub.h"

#include <stdlib.h>

#include "backend/base/limits.h"
#include "tests/backend/fake_hub.h"
#include "tests/backend/unit.h"

#define ALL_CAPS (CAP_REWIND | CAP_RESTART | CAP_ENTITIES | CAP_CHANGES)

static struct fake_hub *f;
static struct call call;

static int set_up(void **state)
{
    f = fake_hub_new(ALL_CAPS);
    fake_put(f, "run", NULL, STATUS_RUNNING);
    fake_put(f, "done", NULL, STATUS_COMPLETED);
    fake_put(f, "bad", NULL, STATUS_FAILED);
    fake_put(f, "@c@k", NULL, STATUS_RUNNING);
    call_init(&call, 5000);
    return 0;
}

static int tear_down(void **state)
{
    hub_close(&f->hub);
    hub_close(NULL);
    return 0;
}

static enum err send(enum command_kind kind, const char *id, const char *name, struct str data)
{
    struct command cmd = {
        .kind = kind, .id = str_c(id), .name = str_c(name), .has_data = data.p != NULL, .data = data
    };
    return hub_send(&f->hub, &call, &cmd, NULL);
}

static void test_B28_the_state_is_read_before_sending(void **state)
{
    assert_int_equal(send(CMD_EVENT, "run", "Go", STR("{}")), OK);
    assert_int_equal(f->gets, 1);
    assert_int_equal(send(CMD_EVENT, "done", "Go", STR("{}")), ERR_WRONG_STATE);
    assert_non_null(strstr(call.text, "Completed"));
    assert_int_equal(send(CMD_EVENT, "nobody", "Go", STR("{}")), ERR_NOT_FOUND);
    assert_int_equal(send(CMD_REWIND, "done", "", STR_NONE), ERR_WRONG_STATE);
    assert_int_equal(send(CMD_REWIND, "bad", "", STR_NONE), OK);
    assert_int_equal(f->sends, 2);
}

static enum err count_instance(void *ctx, struct instance *in)
{
    ++*(size_t *)ctx;
    instance_unref(in);
    return OK;
}

static enum err count_history(void *ctx, size_t i, struct history *h, size_t rows)
{
    assert_non_null(h->links); /* as from hub_history */
    ++*(size_t *)ctx;
    history_unref(h);
    return OK;
}

static void test_many_at_once_if_it_can(void **state)
{
    const struct key_span span = { STR("a"), STR("z") };
    struct instance *in = NULL;
    size_t n = 0;
    assert_int_equal(hub_get(&f->hub, &call, STR("run"), STR_NONE, NEED_CELLS, &in), OK);
    const struct span_histories wanted = { &in, 1, 100 };
    assert_int_equal(hub_span(&f->hub, &call, &span, count_instance, &n), ERR_UNSUPPORTED);
    assert_int_equal(hub_histories(&f->hub, &call, &wanted, count_history, &n), ERR_UNSUPPORTED);
    assert_int_equal(f->spans + f->many_histories, 0);
    ((struct hub_ops *)f->hub.ops)->caps |= CAP_SPANS;
    assert_int_equal(hub_span(&f->hub, &call, &span, count_instance, &n), OK);
    assert_int_equal(n, 3);
    assert_int_equal(hub_histories(&f->hub, &call, &wanted, count_history, &n), OK);
    assert_int_equal(n, 4);
    assert_int_equal(
        hub_histories(&f->hub, &call, &(struct span_histories){ 0 }, count_history, &n), OK);
    assert_int_equal(f->many_histories, 1);
    call_cancel(&call);
    assert_int_equal(hub_span(&f->hub, &call, &span, count_instance, &n), ERR_CANCELLED);
    instance_unref(in);
}

static void test_starts_and_signals_are_not_read_first(void **state)
{
    struct receipt receipt;
    struct command cmd = { .kind = CMD_START, .id = STR("new"), .name = STR("Flow") };
    assert_int_equal(hub_send(&f->hub, &call, &cmd, &receipt), OK);
    assert_string_equal(receipt.instance_id, "new");
    assert_int_equal(send(CMD_SIGNAL, "@c@k", "add", STR("5")), OK);
    assert_int_equal(f->gets, 0);
}

static void test_names(void **state)
{
    static char longest[2000];
    memset(longest, 'n', sizeof longest - 1);
    assert_int_equal(send(CMD_EVENT, "run", "", STR("1")), ERR_INVALID);
    assert_int_equal(send(CMD_EVENT, "run", longest, STR("1")), ERR_TOO_BIG);
    assert_int_equal(send(CMD_EVENT, "run", "\xC3", STR("1")), ERR_INVALID);
    assert_int_equal(send(CMD_START, "x", "", STR("1")), ERR_INVALID);
    assert_int_equal(send(CMD_SIGNAL, "@c@k", "", STR("1")), ERR_INVALID);
    assert_int_equal(f->gets + f->sends, 0);
}

static void test_B16_B20_json_is_checked_again(void **state)
{
    assert_int_equal(send(CMD_EVENT, "run", "E", STR("hello")), ERR_INVALID);
    assert_int_equal(send(CMD_EVENT, "run", "E", STR("1 2")), ERR_INVALID);
    assert_int_equal(send(CMD_EVENT, "run", "E", STR("")), ERR_INVALID);
    assert_int_equal(send(CMD_START, "x", "F", STR("{a:1}")), ERR_INVALID);
    assert_int_equal(send(CMD_EVENT, "run", "E", STR_NONE), OK); /* no data */
    assert_int_equal(f->sends, 1);
}

static void test_B23_json_too_big(void **state)
{
    size_t n = JSON_WRITE_MAX_BYTES + 1;
    char *big = malloc(n);
    memset(big, '1', n);
    assert_int_equal(send(CMD_EVENT, "run", "E", (struct str){ big, n }), ERR_TOO_BIG);
    assert_int_equal(send(CMD_EVENT, "run", "E", (struct str){ big, n - 1 }), OK);
    free(big);
}

static void test_B26_reasons(void **state)
{
    static char longest[REASON_MAX_BYTES + 1];
    memset(longest, 'r', sizeof longest);
    assert_int_equal(send(CMD_TERMINATE, "run", "", STR("a\0b")), ERR_INVALID);
    assert_int_equal(send(CMD_TERMINATE, "run", "", STR("\xFF")), ERR_INVALID);
    struct str reason = { longest, sizeof longest };
    assert_int_equal(send(CMD_SUSPEND, "run", "", reason), ERR_TOO_BIG);
    assert_int_equal(f->gets, 0);
    reason.len--;
    assert_int_equal(send(CMD_SUSPEND, "run", "", reason), OK);
    assert_int_equal(send(CMD_TERMINATE, "run", "", STR("line\nline")), OK);
}

static void test_ids_that_the_framework_refuses(void **state)
{
    static const char *const bad[] = { "",    "@x",   "a/b",  "a\\b",     "a#b",
                                       "a?b", "a\nb", "\x7F", "\xC2\x85", "\xFF" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(send(CMD_START, bad[i], "Flow", STR_NONE), ERR_INVALID);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(send(CMD_RESTART, "done", "", (struct str){ bad[i], strlen(bad[i]) }),
                         ERR_INVALID);
    char id[258];
    memset(id, 'i', sizeof id);
    id[257] = '\0';
    assert_int_equal(send(CMD_START, id, "Flow", STR_NONE), ERR_INVALID);
    id[256] = '\0';
    f->fail_send = ERR_EXISTS; /* the fake has no room for it; that it gets there is the point */
    assert_int_equal(send(CMD_START, id, "Flow", STR_NONE), ERR_EXISTS);
    f->fail_send = OK;
    assert_int_equal(send(CMD_START, "\xC3\xA4 \xC2\xA0", "Flow", STR_NONE), OK);
    assert_int_equal(f->gets, 0);
}

static void test_restart_under_its_own_odd_id(void **state)
{
    fake_put(f, "a/b", "a^2Fb", STATUS_COMPLETED);
    assert_int_equal(send(CMD_RESTART, "a/b", "", STR("a/b")), OK);
    assert_int_equal(send(CMD_RESTART, "done", "", STR_NONE), OK);
}

static void test_entities_take_signals_only(void **state)
{
    for (int kind = 0; kind < CMD_COUNT; kind++) {
        if (kind == CMD_SIGNAL || kind == CMD_PURGE)
            continue;
        assert_int_equal(send((enum command_kind)kind, "@c@k", "n", STR("1")), ERR_INVALID);
    }
    assert_int_equal(send(CMD_SIGNAL, "@C@k", "n", STR("1")), ERR_INVALID);
    assert_int_equal(send(CMD_SIGNAL, "@c", "n", STR("1")), ERR_INVALID);
    assert_int_equal(send(CMD_SIGNAL, "@@k", "n", STR("1")), ERR_INVALID);
    assert_int_equal(send(CMD_SIGNAL, "c", "n", STR("1")), ERR_INVALID);
    assert_int_equal(send(CMD_SIGNAL, "@c@a/b", "n", STR("1")), ERR_INVALID);
    assert_int_equal(send(CMD_SIGNAL, "@c@", "n", STR("1")), OK);
    assert_int_equal(send(CMD_SIGNAL, "@c@A@b", "n", STR_NONE), OK);
    assert_int_equal(f->sends, 2);
}

static void test_a_backend_that_cannot(void **state)
{
    struct fake_hub *plain = fake_hub_new(0);
    struct command cmd = { .kind = CMD_REWIND, .id = STR("x") };
    assert_int_equal(hub_send(&plain->hub, &call, &cmd, NULL), ERR_UNSUPPORTED);
    cmd.kind = CMD_RESTART;
    assert_int_equal(hub_send(&plain->hub, &call, &cmd, NULL), ERR_UNSUPPORTED);
    cmd = (struct command){ .kind = CMD_SIGNAL, .id = STR("@c@k"), .name = STR("n") };
    assert_int_equal(hub_send(&plain->hub, &call, &cmd, NULL), ERR_UNSUPPORTED);
    struct list_query q = { LIST_ENTITIES, TICKS_NONE };
    assert_int_equal(hub_list(&plain->hub, &call, &q, NULL, NULL), ERR_UNSUPPORTED);
    q = (struct list_query){ LIST_INSTANCES, 5 };
    assert_int_equal(hub_list(&plain->hub, &call, &q, NULL, NULL), ERR_UNSUPPORTED);
    struct buf b = BUF_INIT(100);
    assert_int_equal(hub_inspect(&plain->hub, &call, &b), ERR_UNSUPPORTED);
    assert_int_equal(hub_remove(&plain->hub, &call), ERR_UNSUPPORTED);
    struct hub_stats stats;
    hub_stats(&plain->hub, &stats);
    assert_int_equal(stats.table_requests, 0);
    hub_close(&plain->hub);
}

static void test_R8_only_finished_instances_are_purged(void **state)
{
    struct receipt receipt;
    assert_int_equal(hub_purge(&f->hub, &call, STR("run"), STR_NONE, &receipt), ERR_BUSY);
    assert_int_equal(hub_purge(&f->hub, &call, STR("nobody"), STR_NONE, &receipt), ERR_NOT_FOUND);
    assert_int_equal(hub_purge(&f->hub, &call, STR("@c@k"), STR_NONE, &receipt), ERR_BUSY);
    assert_int_equal(f->purges, 0);
    assert_int_equal(hub_purge(&f->hub, &call, STR("done"), STR_NONE, &receipt), OK);
    assert_true(receipt.gone);
    assert_int_equal(hub_purge(&f->hub, &call, STR("bad"), STR_NONE, NULL), OK);
    assert_int_equal(f->purges, 2);
}

static void test_an_ended_call_asks_nothing(void **state)
{
    call_cancel(&call);
    struct instance *in = NULL;
    struct text *t = NULL;
    assert_int_equal(hub_get(&f->hub, &call, STR("run"), STR_NONE, NEED_ROW, &in), ERR_CANCELLED);
    assert_int_equal(hub_payload(&f->hub, &call, STR("x"), &t), ERR_CANCELLED);
    assert_int_equal(hub_payload(&f->hub, &call, STR(""), &t), ERR_NOT_FOUND);
    assert_int_equal(send(CMD_START, "x", "Flow", STR_NONE), ERR_CANCELLED);
    assert_int_equal(f->gets + f->payloads + f->sends, 0);
}

int main(void)
{
#define UNIT(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        UNIT(test_B28_the_state_is_read_before_sending),
        UNIT(test_many_at_once_if_it_can),
        UNIT(test_starts_and_signals_are_not_read_first),
        UNIT(test_names),
        UNIT(test_B16_B20_json_is_checked_again),
        UNIT(test_B23_json_too_big),
        UNIT(test_B26_reasons),
        UNIT(test_ids_that_the_framework_refuses),
        UNIT(test_restart_under_its_own_odd_id),
        UNIT(test_entities_take_signals_only),
        UNIT(test_a_backend_that_cannot),
        UNIT(test_R8_only_finished_instances_are_purged),
        UNIT(test_an_ended_call_asks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
