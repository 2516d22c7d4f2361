#include <stdlib.h>

#include "backend/base/clock.h"
#include "backend/base/lock.h"
#include "fs/park.h"
#include "tests/fs/check.h"

#define TICKETS 200

struct guest {
    struct ticket ticket;
    struct stage *stage;
};

struct stage {
    struct lock lock;
    struct cond changed;
    struct park *park;
    struct guest guests[TICKETS];
    enum err answer; /* what the hub says */
    unsigned asked, woken;
    uint64_t known;          /* of the last question */
    uint64_t now_known;      /* of the next ticket */
    enum err heard[TICKETS]; /* what each was told */
    size_t length[TICKETS];  /* of the text */
};

static enum err ask(void *ctx, struct call *call, node n, uint64_t known, struct text **ret)
{
    struct stage *s = ctx;

    (void)n;
    LOCK_SCOPE(&s->lock);
    s->known = known;
    s->asked++;
    cond_wake_all(&s->changed);
    if (s->answer == OK)
        *ret = text_new(STR("Completed\n"));
    return s->answer == OK ? OK : call_fail(call, s->answer, "as told");
}

static void wake(struct ticket *t, enum err err, struct text *text, const struct call *why)
{
    struct guest *g = (struct guest *)((char *)t - offsetof(struct guest, ticket));
    struct stage *s = g->stage;
    size_t i = (size_t)(g - s->guests);

    (void)why;
    LOCK_SCOPE(&s->lock);
    s->heard[i] = err;
    s->length[i] = text_str(text).len;
    s->woken++;
    cond_wake_all(&s->changed);
}

static struct stage *stage_new(int64_t grace_ms)
{
    struct stage *s = calloc(1, sizeof *s);
    struct park_ops ops = { .ask = ask, .ctx = s, .grace_ms = grace_ms };

    assert_non_null(s);
    lock_init(&s->lock, RANK_HANDLE);
    cond_init(&s->changed);
    s->answer = ERR_BUSY;
    s->park = park_new(&ops);
    return s;
}

static void stage_free(struct stage *s)
{
    park_stop(s->park);
    park_free(s->park);
    cond_fini(&s->changed);
    lock_fini(&s->lock);
    free(s);
}

static void add(struct stage *s, size_t i, node n)
{
    struct call call;

    call_init(&call, 1000);
    s->guests[i] = (struct guest){ { .node = n, .known = s->now_known, .wake = wake }, s };
    assert_int_equal(park_add(s->park, &call, &s->guests[i].ticket), OK);
}

static void say(struct stage *s, enum err answer)
{
    LOCK_SCOPE(&s->lock);
    s->answer = answer;
}

static void wait_for(struct stage *s, const unsigned *counter, unsigned n)
{
    LOCK_SCOPE(&s->lock);
    while (*counter < n)
        cond_wait(&s->changed, &s->lock);
}

static void test_everyone_is_woken_and_each_node_asked_once_a_round(void **state)
{
    struct stage *s = stage_new(60000);

    for (size_t i = 0; i < 50; i++)
        add(s, i, 7);
    wait_for(s, &s->asked, 2);
    say(s, OK);
    wait_for(s, &s->woken, 50);
    assert_true(s->asked < 50);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(s->heard[i], OK);
        assert_int_equal(s->length[i], 10);
    }
    assert_int_equal(park_count(s->park), 0);
    stage_free(s);
}

static void test_many_nodes(void **state)
{
    struct stage *s = stage_new(60000);

    say(s, OK);
    for (size_t i = 0; i < TICKETS; i++)
        add(s, i, i + 1);
    wait_for(s, &s->woken, TICKETS);
    stage_free(s);
}

static void test_purged_meanwhile(void **state)
{
    struct stage *s = stage_new(60000);

    add(s, 0, 7);
    say(s, ERR_NOT_FOUND);
    wait_for(s, &s->woken, 1);
    assert_int_equal(s->heard[0], ERR_NOT_FOUND);
    stage_free(s);
}

static void test_a_passing_failure_is_borne(void **state)
{
    struct stage *s = stage_new(60000);

    add(s, 0, 7);
    say(s, ERR_UNREACHABLE);
    wait_for(s, &s->asked, 2);
    assert_int_equal(park_count(s->park), 1);
    say(s, OK);
    wait_for(s, &s->woken, 1);
    assert_int_equal(s->heard[0], OK);
    stage_free(s);
}

static void test_a_failure_that_lasts_is_told(void **state)
{
    struct stage *s = stage_new(1);

    add(s, 0, 7);
    say(s, ERR_UNREACHABLE);
    wait_for(s, &s->woken, 1);
    assert_int_equal(s->heard[0], ERR_UNREACHABLE);
    stage_free(s);
}

static void test_R5_an_interrupted_one_is_taken_back(void **state)
{
    struct stage *s = stage_new(60000);

    add(s, 0, 7);
    add(s, 1, 7);
    assert_true(park_remove(s->park, &s->guests[0].ticket));
    assert_false(park_remove(s->park, &s->guests[0].ticket));
    say(s, OK);
    wait_for(s, &s->woken, 1);
    assert_int_equal(s->length[0], 0);
    assert_int_equal(s->length[1], 10);
    assert_false(park_remove(s->park, &s->guests[1].ticket));
    stage_free(s);
}

static void test_one_that_was_cancelled_before_is_not_parked(void **state)
{
    struct stage *s = stage_new(60000);
    struct call call;

    call_init(&call, 1000);
    call_cancel(&call);
    assert_int_equal(park_add(s->park, &call, &s->guests[0].ticket), ERR_CANCELLED);
    assert_int_equal(park_count(s->park), 0);
    stage_free(s);
}

static void test_what_tickets_know_is_asked_for(void **state)
{
    struct stage *s = stage_new(60000);

    s->now_known = 5;
    add(s, 0, 7);
    add(s, 1, 7);
    wait_for(s, &s->asked, 1);
    assert_int_equal(s->known, 5);
    s->now_known = 6; /* they differ: any answer is news to one of them */
    add(s, 2, 7);
    wait_for(s, &s->asked, 3);
    assert_int_equal(s->known, 0);
    stage_free(s);
}

static void test_F43_the_end_wakes_everyone(void **state)
{
    struct stage *s = stage_new(60000);
    struct call call;

    add(s, 0, 7);
    add(s, 1, 8);
    park_stop(s->park);
    assert_int_equal(s->woken, 2);
    assert_int_equal(s->heard[0], ERR_CANCELLED);
    assert_int_equal(s->heard[1], ERR_CANCELLED);
    call_init(&call, 1000);
    assert_int_equal(park_add(s->park, &call, &s->guests[2].ticket), ERR_CANCELLED);
    stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everyone_is_woken_and_each_node_asked_once_a_round),
        cmocka_unit_test(test_many_nodes),
        cmocka_unit_test(test_purged_meanwhile),
        cmocka_unit_test(test_a_passing_failure_is_borne),
        cmocka_unit_test(test_a_failure_that_lasts_is_told),
        cmocka_unit_test(test_R5_an_interrupted_one_is_taken_back),
        cmocka_unit_test(test_one_that_was_cancelled_before_is_not_parked),
        cmocka_unit_test(test_what_tickets_know_is_asked_for),
        cmocka_unit_test(test_F43_the_end_wakes_everyone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
