#include "tests/backend/contract.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>

static struct call call;

static struct call *fresh(void)
{
    call_init(&call, 20000);
    return &call;
}

static void expect(enum err got, enum err wanted)
{
    if (got != wanted)
        fail_msg("%s instead of %s: %s", err_name(got), err_name(wanted), call.text);
}

void contract_missing(struct hub *hub)
{
    struct instance *in = NULL;
    expect(hub_get(hub, fresh(), STR("nobody"), STR_NONE, NEED_ROW, &in), ERR_NOT_FOUND);
    assert_null(in);
    assert_true(call.text[0]);
    const enum command_kind kinds[] = { CMD_EVENT,  CMD_TERMINATE, CMD_SUSPEND,
                                        CMD_RESUME, CMD_REWIND,    CMD_RESTART };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct command c = { .kind = kinds[i], .id = STR("nobody"), .name = STR("E") };
        expect(hub_send(hub, fresh(), &c, NULL), ERR_NOT_FOUND);
    }
    expect(hub_purge(hub, fresh(), STR("nobody"), STR_NONE, NULL), ERR_NOT_FOUND);
}

static enum err start(struct hub *hub, struct str id, struct str data)
{
    struct command c = {
        .kind = CMD_START, .id = id, .name = STR("Flow"), .has_data = data.len > 0, .data = data
    };
    return hub_send(hub, fresh(), &c, NULL);
}

void contract_start(struct hub *hub)
{
    struct instance *in = NULL;
    expect(start(hub, STR("c-start"), STR("{\"a\": 1}")), OK);
    expect(hub_get(hub, fresh(), STR("c-start"), STR_NONE, NEED_CELLS | NEED_PHASE, &in), OK);
    assert_true(str_eq(in->row.id, STR("c-start")));
    assert_true(str_eq(in->row.name, STR("Flow")));
    assert_int_equal(in->row.status, STATUS_PENDING);
    assert_int_equal(in->phase, PHASE_WAITING);
    assert_int_equal(in->input.kind, CELL_TEXT);
    assert_true(str_eq(in->input.text, STR("{\"a\": 1}")));
    assert_int_equal(in->output.kind, CELL_NONE);
    assert_int_not_equal(in->row.stamp, TICKS_NONE);
    struct history *h = NULL;
    expect(hub_history(hub, fresh(), in, true, &h), OK);
    assert_int_equal(h->count, 0);
    history_unref(h);
    instance_unref(in);
    expect(start(hub, STR("c-start"), STR_NONE), ERR_EXISTS);
}

void contract_refusals(struct hub *hub)
{
    const struct str bad_ids[] = { STR(""),    STR("@e"),  STR("a/b"), STR("a\\b"),
                                   STR("a#b"), STR("a?b"), STR("a\nb") };
    for (size_t i = 0; i < ARRAY_LEN(bad_ids); i++)
        expect(start(hub, bad_ids[i], STR_NONE), ERR_INVALID);
    expect(start(hub, STR("c-bad"), STR("{a:1}")), ERR_INVALID);
    expect(start(hub, STR("c-refuse"), STR_NONE), OK);
    struct command nameless = { .kind = CMD_EVENT, .id = STR("c-refuse") };
    expect(hub_send(hub, fresh(), &nameless, NULL), ERR_INVALID);
    struct command nul = {
        .kind = CMD_TERMINATE, .id = STR("c-refuse"), .has_data = true, .data = STR("a\0b")
    };
    expect(hub_send(hub, fresh(), &nul, NULL), ERR_INVALID);
    struct command resume = { .kind = CMD_RESUME, .id = STR("c-refuse") };
    expect(hub_send(hub, fresh(), &resume, NULL), ERR_WRONG_STATE);
    struct instance *in = NULL;
    expect(hub_get(hub, fresh(), STR("c-bad"), STR_NONE, NEED_ROW, &in), ERR_NOT_FOUND);
}

void contract_unfinished(struct hub *hub)
{
    struct instance *in = NULL;
    expect(start(hub, STR("c-alive"), STR_NONE), OK);
    expect(hub_purge(hub, fresh(), STR("c-alive"), STR_NONE, NULL), ERR_BUSY);
    expect(hub_get(hub, fresh(), STR("c-alive"), STR_NONE, NEED_ROW, &in), OK);
    instance_unref(in);
}

struct seen {
    size_t rows;
    char last[64];
    bool entity;
};

static enum err see(void *ctx, struct block *b)
{
    struct seen *s = ctx;
    for (size_t i = 0; i < block_count(b); i++) {
        struct row row;
        block_row(b, i, &row);
        assert_true(s->rows == 0 || str_cmp_utf16(str_c(s->last), row.key) < 0);
        snprintf(s->last, sizeof(s->last), STR_FMT, STR_ARG(row.key));
        s->entity |= id_is_entity(row.id);
        s->rows++;
    }
    block_unref(b);
    return OK;
}

void contract_list_order(struct hub *hub)
{
    struct seen all = { 0 }, changed = { 0 };
    char id[32];
    for (int i = 9; i >= 0; i--) {
        snprintf(id, sizeof(id), "c-list-%d", i);
        expect(start(hub, str_c(id), STR_NONE), OK);
    }
    struct list_query q = { .what = LIST_INSTANCES, .changed_since = TICKS_NONE };
    expect(hub_list(hub, fresh(), &q, see, &all), OK);
    assert_true(all.rows >= 10);
    assert_false(all.entity);
    struct instance *in = NULL;
    expect(hub_get(hub, fresh(), STR("c-list-0"), STR_NONE, NEED_ROW, &in), OK);
    q.changed_since = in->row.stamp;
    instance_unref(in);
    expect(hub_list(hub, fresh(), &q, see, &changed), OK);
    assert_true(changed.rows >= 1);
    assert_true(changed.rows <= all.rows);
}

/* -- many at once -- */

#define MANY 5

static struct str many_id(char buf[32], const char *prefix, int i)
{
    snprintf(buf, 32, "%s-%d", prefix, i);
    return str_c(buf);
}

static void start_many(struct hub *hub, const char *prefix, struct instance *ret[MANY])
{
    char id[32];
    for (int i = MANY - 1; i >= 0; i--) {
        expect(start(hub, many_id(id, prefix, i), STR("{\"a\":1}")), OK);
        expect(hub_get(hub, fresh(), str_c(id), STR_NONE, NEED_CELLS, &ret[i]), OK);
    }
}

struct many {
    struct instance *const *wanted;
    size_t got, rows, stop;
};

static enum err see_instance(void *ctx, struct instance *in)
{
    struct many *m = ctx;
    const struct instance *as_get = m->wanted[m->got++];
    assert_true(str_eq(in->row.id, as_get->row.id));
    assert_true(str_eq(in->row.key, as_get->row.key));
    assert_int_equal(in->row.stamp, as_get->row.stamp);
    assert_true(in->needs & NEED_CELLS);
    assert_true(str_eq(in->input.text, as_get->input.text));
    assert_true(str_eq(in->execution_id, as_get->execution_id));
    instance_unref(in);
    return m->got == m->stop ? ERR_TOO_BIG : OK;
}

void contract_span(struct hub *hub)
{
    struct instance *in[MANY];
    start_many(hub, "c-span", in);
    expect(start(hub, STR("c-spao"), STR_NONE), OK);
    struct many all = { .wanted = in };
    struct key_span span = { STR("c-span"), in[MANY - 1]->row.key };
    expect(hub_span(hub, fresh(), &span, see_instance, &all), OK);
    assert_int_equal(all.got, MANY);
    struct many middle = { .wanted = in + 1 };
    span = (struct key_span){ in[1]->row.key, in[3]->row.key };
    expect(hub_span(hub, fresh(), &span, see_instance, &middle), OK);
    assert_int_equal(middle.got, 3);
    struct many stopped = { .wanted = in + 1, .stop = 2 };
    assert_int_equal(hub_span(hub, fresh(), &span, see_instance, &stopped), ERR_TOO_BIG);
    assert_int_equal(stopped.got, 2);
    for (int i = 0; i < MANY; i++)
        instance_unref(in[i]);
}

static enum err see_history(void *ctx, size_t i, struct history *h, size_t rows)
{
    struct many *m = ctx;
    assert_int_equal(i, m->got++);
    assert_true(rows >= h->count);
    m->rows += rows;
    history_unref(h);
    return m->got == m->stop ? ERR_TOO_BIG : OK;
}

void contract_histories(struct hub *hub)
{
    struct instance *in[MANY];
    start_many(hub, "c-histories", in);
    struct command cmd = { .kind = CMD_EVENT, .id = in[3]->row.id, .name = STR("Approve") };
    for (int i = 0; i < 3; i++)
        expect(hub_send(hub, fresh(), &cmd, NULL), OK);
    struct history *alone = NULL;
    expect(hub_history(hub, fresh(), in[3], false, &alone), OK);
    struct many all = { .wanted = in };
    struct span_histories wanted = { in, MANY, 100 };
    expect(hub_histories(hub, fresh(), &wanted, see_history, &all), OK);
    assert_int_equal(all.got, MANY);
    assert_true(all.rows >= alone->count);
    struct many stopped = { .wanted = in, .stop = 2 };
    assert_int_equal(hub_histories(hub, fresh(), &wanted, see_history, &stopped), ERR_TOO_BIG);
    if (alone->count) { /* on backends where the event is in the history at once */
        struct many shorter = { .wanted = in };
        wanted.rows_max = alone->count - 1;
        expect(hub_histories(hub, fresh(), &wanted, see_history, &shorter), OK);
        assert_int_equal(shorter.got, 3);
    }
    wanted.count = 0;
    expect(hub_histories(hub, fresh(), &wanted, see_history, &all), OK);
    assert_int_equal(all.got, MANY);
    history_unref(alone);
    for (int i = 0; i < MANY; i++)
        instance_unref(in[i]);
}
