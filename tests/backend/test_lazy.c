#include "tests/backend/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "backend/base/clock.h"
#include "backend/lazy.h"
#include "tests/backend/fake_hub.h"

#define CAPS (CAP_CHANGES | CAP_ENTITIES)

/* Opens fakes; one that was told to waits until it may. */
struct opener {
    struct lock lock;
    struct cond changed;
    bool gate;
    unsigned waiting, opened, closed;
    enum err fail;
    struct fake_hub *last;
    char asked[64];
};

static void (*close_fake)(struct hub *hub);
static atomic_uint closed;

static void count_close(struct hub *hub)
{
    atomic_fetch_add(&closed, 1);
    close_fake(hub);
}

static enum err open_fake(void *ctx, struct call *call, const char *name, struct hub **ret)
{
    struct opener *o = ctx;

    LOCK_SCOPE(&o->lock);
    o->opened++;
    o->waiting++;
    cond_wake_all(&o->changed);
    while (o->gate && call_check(call) == OK)
        cond_wait_until(&o->changed, &o->lock, clock_now_ms() + 20);
    o->waiting--;
    snprintf(o->asked, sizeof(o->asked), "%s", name);
    if (call_check(call) != OK)
        return call->err;
    if (o->fail)
        return call_fail(call, o->fail, "told to fail");
    o->last = fake_hub_new(CAPS);
    fake_put(o->last, "a", NULL, STATUS_COMPLETED);
    struct hub_ops *ops = (struct hub_ops *)o->last->hub.ops; /* each fake has its own */
    close_fake = ops->close;
    ops->close = count_close;
    *ret = &o->last->hub;
    return OK;
}

struct scene {
    struct opener o;
    struct hub *hub;
    struct call call;
};

static void begin(struct scene *s)
{
    *s = (struct scene){ 0 };
    lock_init(&s->o.lock, RANK_HANDLE);
    cond_init(&s->o.changed);
    atomic_store(&closed, 0);
    s->hub = lazy_new(
        STR("Shop"),
        &(struct lazy_settings){
            .scheme = "azure", .account = "acct", .caps = CAPS, .open = open_fake, .ctx = &s->o });
    assert_non_null(s->hub);
    call_init(&s->call, 60000);
}

static void end(struct scene *s)
{
    hub_close(s->hub);
    cond_fini(&s->o.changed);
    lock_fini(&s->o.lock);
}

static enum err get(struct hub *hub, struct call *call)
{
    struct instance *in = NULL;
    enum err err = hub_get(hub, call, STR("a"), STR("a"), NEED_ROW, &in);

    instance_unref(in);
    return err;
}

static void test_opened_by_the_first_use(void **state)
{
    struct scene s;

    begin(&s);
    assert_string_equal(s.hub->name, "Shop");
    assert_string_equal(s.hub->account, "acct");
    assert_true(hub_can(s.hub, CAP_ENTITIES));
    assert_false(hub_can(s.hub, CAP_REMOVE));
    assert_int_equal(s.o.opened, 0);
    assert_int_equal(get(s.hub, &s.call), OK);
    assert_int_equal(get(s.hub, &s.call), OK);
    assert_int_equal(s.o.opened, 1);
    assert_string_equal(s.o.asked, "Shop");
    assert_int_equal(s.o.last->gets, 2);
    end(&s);
    assert_int_equal(atomic_load(&closed), 1);
}

static void test_a_local_call_opens_nothing(void **state)
{
    struct scene s;
    struct call local;

    begin(&s);
    call_init_local(&local);
    assert_int_equal(get(s.hub, &local), ERR_WOULD_BLOCK);
    assert_int_equal(s.o.opened, 0);
    end(&s);
}

static void test_a_failure_is_tried_again(void **state)
{
    struct scene s;

    begin(&s);
    s.o.fail = ERR_UNREACHABLE;
    assert_int_equal(get(s.hub, &s.call), ERR_UNREACHABLE);
    assert_string_equal(s.call.text, "told to fail");
    s.o.fail = OK;
    assert_int_equal(get(s.hub, &s.call), OK);
    end(&s);
}

static void test_forgetting_opens_anew(void **state)
{
    struct scene s;
    struct hub_stats before, after;

    begin(&s);
    assert_int_equal(get(s.hub, &s.call), OK);
    hub_stats(s.hub, &before);
    hub_forget(s.hub);
    assert_int_equal(atomic_load(&closed), 1);
    hub_stats(s.hub, &after);
    assert_true(after.table_requests >= before.table_requests);
    assert_int_equal(get(s.hub, &s.call), OK);
    assert_int_equal(s.o.opened, 2);
    end(&s);
    assert_int_equal(atomic_load(&closed), 2);
}

/* -- many at once -- */

#define USERS 8

struct user {
    pthread_t thread;
    struct scene *s;
    enum err err;
};

static void *use(void *arg)
{
    struct user *u = arg;
    struct call call;

    call_init(&call, 60000);
    u->err = get(u->s->hub, &call);
    return NULL;
}

static void open_gate(struct opener *o)
{
    LOCK_SCOPE(&o->lock);
    o->gate = false;
    cond_wake_all(&o->changed);
}

static void test_many_open_once(void **state)
{
    struct scene s;
    struct user users[USERS];

    begin(&s);
    s.o.gate = true;
    for (int i = 0; i < USERS; i++) {
        users[i] = (struct user){ .s = &s };
        assert_int_equal(pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
    }
    lock_take(&s.o.lock);
    while (s.o.waiting == 0)
        cond_wait(&s.o.changed, &s.o.lock);
    lock_drop(&s.o.lock);
    open_gate(&s.o);
    for (int i = 0; i < USERS; i++) {
        pthread_join(users[i].thread, NULL);
        assert_int_equal(users[i].err, OK);
    }
    assert_int_equal(s.o.opened, 1);
    end(&s);
}

/* Who is using it when it is let go keeps it until it is done. */
static void test_a_user_outlives_forgetting(void **state)
{
    struct scene s;
    struct user u = { .s = &s };

    begin(&s);
    assert_int_equal(get(s.hub, &s.call), OK);
    struct fake_hub *fake = s.o.last;
    fake_gate(fake, true);
    assert_int_equal(pthread_create(&u.thread, NULL, use, &u), 0);
    fake_wait_for(fake, 1);
    hub_forget(s.hub);
    assert_int_equal(atomic_load(&closed), 0);
    fake_gate(fake, false);
    pthread_join(u.thread, NULL);
    assert_int_equal(u.err, OK);
    assert_int_equal(atomic_load(&closed), 1);
    end(&s);
}

static void test_names_too_long(void **state)
{
    char name[200];

    memset(name, 'a', sizeof(name));
    assert_null(lazy_new((struct str){ name, sizeof(name) },
                         &(struct lazy_settings){ .scheme = "azure", .account = "" }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opened_by_the_first_use),
        cmocka_unit_test(test_a_local_call_opens_nothing),
        cmocka_unit_test(test_a_failure_is_tried_again),
        cmocka_unit_test(test_forgetting_opens_anew),
        cmocka_unit_test(test_many_open_once),
        cmocka_unit_test(test_a_user_outlives_forgetting),
        cmocka_unit_test(test_names_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
