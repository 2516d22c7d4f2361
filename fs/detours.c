#include "fs/detours.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "backend/base/clock.h"
#include "backend/base/lock.h"

struct detour {
    struct detour *next;                /* L */
    int tid;                            /* I */
    node above;                         /* I */
    char *name;                         /* I */
    struct attr dir;                    /* I */
    int64_t since_ms;                   /* I */
    enum { SENT, WORKING, DONE } state; /* L */
    enum err err;                       /* L: of the work */
    struct call why;                    /* L: its sentence */
};

struct detours {
    void (*let_go)(void *ctx, node n); /* I */
    void *ctx;                         /* I */
    struct lock lock;
    struct detour *first; /* L */
    atomic_uint n;        /* A: changes under the lock */
};

struct detours *detours_new(void (*let_go)(void *ctx, node n), void *ctx)
{
    struct detours *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->let_go = let_go;
    d->ctx = ctx;
    lock_init(&d->lock, RANK_OPENDIRS);
    return d;
}

static void detour_free(struct detour *t)
{
    free(t->name);
    free(t);
}

void detours_free(struct detours *d)
{
    if (!d)
        return;
    while (d->first) {
        struct detour *t = d->first;

        d->first = t->next;
        detour_free(t);
    }
    lock_fini(&d->lock);
    free(d);
}

static struct detour *find_locked(struct detours *d, int tid)
{
    struct detour *t = d->first;

    while (t && t->tid != tid)
        t = t->next;
    return t;
}

static void unlink_locked(struct detours *d, struct detour *t)
{
    struct detour **at = &d->first;

    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    atomic_fetch_sub(&d->n, 1);
}

static bool is_of(const struct detour *t, node above, struct str name)
{
    return t->above == above && str_eq(str_c(t->name), name);
}

/* Takes out whatever this thread left behind (it can be on one detour only), and who is lost. */
static struct detour *take_lost_locked(struct detours *d, int tid)
{
    struct detour *lost = NULL, *next;
    int64_t now = clock_now_ms();

    for (struct detour *t = d->first; t; t = next) {
        next = t->next;
        if (t->state == WORKING || (t->tid != tid && now - t->since_ms < DETOUR_LOST_MS))
            continue;
        unlink_locked(d, t);
        t->next = lost;
        lost = t;
    }
    return lost;
}

static bool was_sent_before_locked(struct detours *d, node dir)
{
    for (const struct detour *t = d->first; t; t = t->next)
        if (t->state == SENT && t->dir.node == dir)
            return true;
    return false;
}

static struct detour *detour_new(int tid, node above, struct str name, const struct attr *dir)
{
    struct detour *t = calloc(1, sizeof(*t));
    char *copy = str_dup_c(name);

    if (!t || !copy) {
        free(t);
        free(copy);
        return NULL;
    }
    t->tid = tid;
    t->above = above;
    t->name = copy;
    t->dir = *dir;
    /* What is told of it meanwhile is for the one RMDIR that comes, not for any later look. */
    t->dir.entry_ms = t->dir.attr_ms = 0;
    t->since_ms = clock_now_ms();
    return t;
}

static bool add_locked(struct detours *d, struct detour *t)
{
    if (atomic_load(&d->n) >= DETOURS_MAX || find_locked(d, t->tid) ||
        was_sent_before_locked(d, t->dir.node))
        return false;
    t->next = d->first;
    d->first = t;
    atomic_fetch_add(&d->n, 1);
    return true;
}

bool detours_begin(struct detours *d, int tid, node above, struct str name, const struct attr *dir)
{
    struct detour *t = tid > 0 ? detour_new(tid, above, name, dir) : NULL;

    if (!t)
        return false;
    lock_take(&d->lock);
    bool added = add_locked(d, t);
    struct detour *lost = take_lost_locked(d, added ? 0 : tid);
    lock_drop(&d->lock);
    if (!added)
        detour_free(t);
    while (lost) {
        t = lost;
        lost = t->next;
        d->let_go(d->ctx, t->dir.node);
        detour_free(t);
    }
    return added;
}

bool detours_any(struct detours *d, int tid)
{
    if (atomic_load_explicit(&d->n, memory_order_relaxed) == 0 || tid <= 0)
        return false;
    LOCK_SCOPE(&d->lock);
    return find_locked(d, tid);
}

static struct detour *find_awaiting_locked(struct detours *d, int tid, node found)
{
    struct detour *t = find_locked(d, tid);

    if (!t || t->state != SENT || t->above != found)
        return NULL;
    return clock_now_ms() - t->since_ms < DETOUR_CARRY_MS ? t : NULL;
}

bool detours_awaits(struct detours *d, int tid, node found)
{
    LOCK_SCOPE(&d->lock);
    return find_awaiting_locked(d, tid, found);
}

bool detours_take(struct detours *d, int tid, node found, node *ret)
{
    LOCK_SCOPE(&d->lock);
    struct detour *t = find_awaiting_locked(d, tid, found);
    if (!t)
        return false;
    t->state = WORKING;
    *ret = t->dir.node;
    return true;
}

static void copy_failure(struct call *to, const struct call *from)
{
    to->err = from->err;
    to->http_status = from->http_status;
    memcpy(to->code, from->code, sizeof(to->code));
    memcpy(to->request_id, from->request_id, sizeof(to->request_id));
    memcpy(to->text, from->text, sizeof(to->text));
}

void detours_done(struct detours *d, int tid, enum err err, const struct call *why)
{
    LOCK_SCOPE(&d->lock);
    struct detour *t = find_locked(d, tid);
    if (!t || t->state != WORKING)
        return;
    t->state = DONE;
    t->err = err;
    if (err != OK)
        copy_failure(&t->why, why);
}

bool detours_shows(struct detours *d, int tid, node above, struct str name, struct attr *ret)
{
    LOCK_SCOPE(&d->lock);
    const struct detour *t = find_locked(d, tid);
    if (!t || t->state != DONE || !is_of(t, above, name))
        return false;
    *ret = t->dir;
    return true;
}

static struct detour *take_back(struct detours *d, int tid, node above, struct str name)
{
    LOCK_SCOPE(&d->lock);
    struct detour *t = find_locked(d, tid);
    if (!t || t->state == WORKING || !is_of(t, above, name))
        return NULL;
    unlink_locked(d, t);
    return t;
}

enum detour_return detours_return(struct detours *d, int tid, node above, struct str name,
                                  struct call *call, enum err *ret, node *ret_held)
{
    struct detour *t = take_back(d, tid, above, name);

    if (!t)
        return DETOUR_NONE;
    enum detour_return back = t->state == DONE ? DETOUR_DONE : DETOUR_UNDONE;
    *ret = t->err;
    *ret_held = t->dir.node;
    if (t->err != OK)
        copy_failure(call, &t->why);
    detour_free(t);
    return back;
}
