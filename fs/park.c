#include <stdlib.h>

#include "backend/base/clock.h"
#include "backend/base/lock.h"
#include "backend/base/log.h"
#include "backend/base/map.h"
#include "fs/park.h"

/* Everyone who waits for one node. */
struct watch {
    node node;                 /* I */
    uint64_t known;            /* L: of all tickets, 0 = they differ */
    int64_t answered_ms;       /* L: when the hub last said anything about it */
    struct ticket *tickets;    /* L: never empty while the watch is in the park */
    struct watch *prev, *next; /* L */
};

struct park {
    struct lock lock;
    struct cond changed;
    struct park_ops ops;              /* I */
    struct map by_node;               /* L: node -> struct watch */
    struct watch *watches;            /* L */
    size_t n_watches, n_tickets;      /* L */
    struct call *asking[PARK_ASKERS]; /* L: calls under way, to be cancelled at the end */
    bool running;                     /* L: the poller thread is there */
    bool stopping;                    /* L */
};

/* One round: the nodes as they were when it began. */
struct question {
    node node;
    uint64_t known;
};

struct round {
    struct park *park;
    struct question *nodes;
    size_t n;
    atomic_size_t next; /* A */
    atomic_uint askers; /* A */
};

static struct str node_key(const node *n)
{
    return (struct str){ (const char *)n, sizeof *n };
}

struct park *park_new(const struct park_ops *ops)
{
    struct park *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->ops = *ops;
    lock_init(&p->lock, RANK_PARK);
    cond_init(&p->changed);
    map_init(&p->by_node);
    return p;
}

void park_free(struct park *p)
{
    if (!p)
        return;
    map_fini(&p->by_node);
    cond_fini(&p->changed);
    lock_fini(&p->lock);
    free(p);
}

static void watch_remove_locked(struct park *p, struct watch *w)
{
    *(w->prev ? &w->prev->next : &p->watches) = w->next;
    if (w->next)
        w->next->prev = w->prev;
    map_del(&p->by_node, node_key(&w->node));
    p->n_watches--;
    free(w);
}

static struct watch *watch_add_locked(struct park *p, node n, uint64_t known)
{
    struct watch *w = map_get(&p->by_node, node_key(&n));

    if (w) {
        if (w->known != known)
            w->known = 0;
        return w;
    }
    w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    *w = (struct watch){ .node = n, .known = known, .answered_ms = clock_now_ms() };
    if (map_set(&p->by_node, node_key(&n), w)) {
        free(w);
        return NULL;
    }
    w->next = p->watches;
    if (w->next)
        w->next->prev = w;
    p->watches = w;
    p->n_watches++;
    return w;
}

/* -- the poller -- */

/* Takes all tickets of a node out of the park. */
static struct ticket *take_tickets(struct park *p, node n)
{
    LOCK_SCOPE(&p->lock);
    struct watch *w = map_get(&p->by_node, node_key(&n));
    if (!w)
        return NULL;
    struct ticket *list = w->tickets;
    for (struct ticket *t = list; t; t = t->next) {
        t->parked = false;
        p->n_tickets--;
    }
    watch_remove_locked(p, w);
    return list;
}

static void wake_all(struct park *p, node n, enum err err, struct text *text,
                     const struct call *why)
{
    struct ticket *next;

    for (struct ticket *t = take_tickets(p, n); t; t = next) {
        next = t->next;
        t->wake(t, err, text, why);
    }
}

static bool is_passing(enum err err)
{
    return err == ERR_UNREACHABLE || err == ERR_TIMEOUT || err == ERR_THROTTLED ||
           err == ERR_PAUSED || err == ERR_BROKEN;
}

/* Does the waiting go on after this answer? */
static bool goes_on(struct park *p, node n, enum err err)
{
    int64_t now = clock_now_ms();

    LOCK_SCOPE(&p->lock);
    if (err == ERR_CANCELLED)
        return true; /* park_stop wakes them */
    struct watch *w = map_get(&p->by_node, node_key(&n));
    if (!w)
        return true;
    if (err == ERR_BUSY) {
        w->answered_ms = now;
        return true;
    }
    return is_passing(err) && now - w->answered_ms < p->ops.grace_ms;
}

static bool asking_begin(struct park *p, unsigned slot, struct call *call)
{
    LOCK_SCOPE(&p->lock);
    p->asking[slot] = call;
    return !p->stopping;
}

static void asking_end(struct park *p, unsigned slot)
{
    LOCK_SCOPE(&p->lock);
    p->asking[slot] = NULL;
}

static void ask(struct park *p, unsigned slot, struct question q)
{
    CLEANUP(text_unref) struct text *text = NULL;
    struct call call;

    call_init(&call, p->ops.grace_ms);
    enum err err = ERR_CANCELLED;
    if (asking_begin(p, slot, &call))
        err = p->ops.ask(p->ops.ctx, &call, q.node, q.known, &text);
    asking_end(p, slot);
    if (err == OK || !goes_on(p, q.node, err))
        wake_all(p, q.node, err, text, &call);
}

static void *ask_some(void *arg)
{
    struct round *r = arg;
    unsigned slot = atomic_fetch_add(&r->askers, 1);
    size_t i;

    while ((i = atomic_fetch_add(&r->next, 1)) < r->n)
        ask(r->park, slot, r->nodes[i]);
    return NULL;
}

/* With few nodes this thread does it alone; helpers live for the round. */
static void ask_round(struct round *r)
{
    pthread_t helpers[PARK_ASKERS - 1];
    unsigned n = 0;

    while (n < PARK_ASKERS - 1 && r->n > (n + 1) * PARK_ASKERS &&
           pthread_create(&helpers[n], NULL, ask_some, r) == 0)
        n++;
    ask_some(r);
    while (n > 0)
        pthread_join(helpers[--n], NULL);
}

/* The nodes that are waited for; the park's lock is held. NULL without memory: next time. */
static struct question *nodes_locked(struct park *p, size_t *ret_n)
{
    struct question *nodes = malloc(p->n_watches * sizeof *nodes + 1);

    *ret_n = 0;
    for (const struct watch *w = p->watches; nodes && w; w = w->next)
        nodes[(*ret_n)++] = (struct question){ w->node, w->known };
    return nodes;
}

static void sleep_locked(struct park *p, int64_t until)
{
    bool in_time = true;

    while (in_time && !p->stopping && p->watches)
        in_time = cond_wait_until(&p->changed, &p->lock, until);
}

static void *poller_main(void *arg)
{
    struct park *p = arg;

    lock_take(&p->lock);
    while (!p->stopping && p->watches) {
        int64_t until = clock_now_ms() + PARK_PERIOD_MS;
        sleep_locked(p, until);
        struct round r = { .park = p };
        r.nodes = nodes_locked(p, &r.n);
        lock_drop(&p->lock);
        ask_round(&r);
        free(r.nodes);
        lock_take(&p->lock);
    }
    p->running = false;
    cond_wake_all(&p->changed);
    lock_drop(&p->lock);
    return NULL;
}

static bool start_poller(struct park *p)
{
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attr, poller_main, p);
    pthread_attr_destroy(&attr);
    return !failed;
}

/* -- who waits -- */

static void ticket_link_locked(struct park *p, struct watch *w, struct ticket *t)
{
    t->prev = NULL;
    t->next = w->tickets;
    if (t->next)
        t->next->prev = t;
    w->tickets = t;
    t->parked = true;
    p->n_tickets++;
}

enum err park_add(struct park *p, struct call *call, struct ticket *t)
{
    LOCK_SCOPE(&p->lock);
    if (p->stopping)
        return call_fail(call, ERR_CANCELLED, "the mount is ending");
    /* An interrupt that came before would find nothing to take back. */
    if (call_cancelled(call))
        return call_fail(call, ERR_CANCELLED, "interrupted");
    struct watch *w = watch_add_locked(p, t->node, t->known);
    if (!w)
        return call_fail(call, ERR_NO_MEMORY, "no memory for one more who waits");
    ticket_link_locked(p, w, t);
    if (!p->running && start_poller(p))
        p->running = true;
    if (p->running)
        return OK;
    p->n_tickets--;
    t->parked = false;
    watch_remove_locked(p, w);
    return call_fail(call, ERR_TOO_MANY, "no thread can be started to wait");
}

bool park_remove(struct park *p, struct ticket *t)
{
    LOCK_SCOPE(&p->lock);
    if (!t->parked)
        return false;
    struct watch *w = map_get(&p->by_node, node_key(&t->node));
    *(t->prev ? &t->prev->next : &w->tickets) = t->next;
    if (t->next)
        t->next->prev = t->prev;
    t->parked = false;
    p->n_tickets--;
    if (!w->tickets)
        watch_remove_locked(p, w);
    if (!p->watches)
        cond_wake_all(&p->changed);
    return true;
}

size_t park_count(struct park *p)
{
    LOCK_SCOPE(&p->lock);
    return p->n_tickets;
}

static bool any_node(struct park *p, node *ret)
{
    LOCK_SCOPE(&p->lock);
    if (!p->watches)
        return false;
    *ret = p->watches->node;
    return true;
}

void park_stop(struct park *p)
{
    struct call ended;
    node n;

    lock_take(&p->lock);
    p->stopping = true;
    for (size_t i = 0; i < PARK_ASKERS; i++)
        if (p->asking[i])
            call_cancel(p->asking[i]);
    cond_wake_all(&p->changed);
    while (p->running)
        cond_wait(&p->changed, &p->lock);
    lock_drop(&p->lock);
    call_init(&ended, 0);
    while (any_node(p, &n))
        wake_all(p, n, ERR_CANCELLED, NULL, &ended);
}
