#include "backend/net/pool.h"

#include <stdlib.h>

#include "backend/net/net_internal.h"

static void slot_shut(struct slot *s)
{
    curl_easy_cleanup(s->easy);
    curl_multi_cleanup(s->multi);
    s->easy = NULL;
    s->multi = NULL;
}

static bool slot_open(struct slot *s)
{
    s->multi = curl_multi_init();
    s->easy = curl_easy_init();
    if (s->multi && s->easy) {
        /* A fresh connection closes the idle one instead of standing beside it. */
        curl_multi_setopt(s->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1L);
        curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, 1L);
        return true;
    }
    slot_shut(s);
    return false;
}

enum err pool_init(struct pool *p, int connections)
{
    *p = (struct pool){ .count = connections > 0 ? connections : 1 };
    p->slots = calloc((size_t)p->count, sizeof(*p->slots));
    if (!p->slots)
        return ERR_NO_MEMORY;
    for (int i = p->count - 1; i >= 0; i--) {
        p->slots[i].next = p->free;
        p->free = &p->slots[i];
    }
    lock_init(&p->lock, RANK_POOL);
    cond_init(&p->freed);
    return OK;
}

void pool_fini(struct pool *p)
{
    if (!p->slots)
        return;
    for (int i = 0; i < p->count; i++)
        slot_shut(&p->slots[i]);
    free(p->slots);
    p->slots = NULL;
    cond_fini(&p->freed);
    lock_fini(&p->lock);
}

void pool_note_clocks(struct pool *p, int64_t now_ms, ticks wall)
{
    int64_t skew = wall / (TICKS_PER_SEC / 1000) - now_ms;
    LOCK_SCOPE(&p->lock);
    int64_t moved = p->clocks_known ? skew - p->skew_ms : 0;
    if (moved > CLOCK_JUMP_MS || moved < -CLOCK_JUMP_MS)
        p->generation++;
    p->clocks_known = true;
    p->skew_ms = skew;
}

static struct slot *pop_locked(struct pool *p, bool *stale)
{
    lock_assert_held(&p->lock);
    struct slot *s = p->free;
    if (!s)
        return NULL;
    p->free = s->next;
    *stale = s->generation != p->generation;
    s->generation = p->generation;
    return s;
}

static enum err wait_for_slot(struct pool *p, struct call *call, struct slot **ret, bool *stale)
{
    LOCK_SCOPE(&p->lock);
    while (!(*ret = pop_locked(p, stale))) {
        enum err err = call_check(call);
        if (err)
            return err;
        int64_t left = call_left_ms(call);
        cond_wait_until(&p->freed, &p->lock, clock_now_ms() + (left < SLICE_MS ? left : SLICE_MS));
    }
    return OK;
}

enum err pool_take(struct pool *p, struct call *call, struct slot **ret)
{
    struct slot *s;
    bool stale = false;
    enum err err = call_check(call);
    if (err)
        return err;
    pool_note_clocks(p, clock_now_ms(), clock_wall());
    err = wait_for_slot(p, call, &s, &stale);
    if (err)
        return err;
    if (stale)
        slot_shut(s);
    if (!s->multi && !slot_open(s)) {
        pool_put(p, s);
        return call_fail(call, ERR_NO_MEMORY, "no memory for a connection");
    }
    *ret = s;
    return OK;
}

void pool_put(struct pool *p, struct slot *s)
{
    LOCK_SCOPE(&p->lock);
    s->next = p->free;
    p->free = s;
    cond_wake_one(&p->freed);
}

void pool_drop_connections(struct pool *p)
{
    LOCK_SCOPE(&p->lock);
    p->generation++;
}
