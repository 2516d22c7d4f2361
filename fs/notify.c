#include "fs/notify.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "backend/base/log.h"

#define STAMPS     16384 /* a collision only tells something twice */
#define DIRS       4096  /* a collision only makes a name wait for the wrong request */
#define VIEWS_SEEN 256

/* What decides in which views an instance counts. Texts are interned, so pointers tell. */
struct views {
    unsigned hub;
    const char *name, *status_text;
    ticks day;
};

struct notify {
    struct notify_kernel kernel; /* I */
    struct forest *forest;       /* I */
    pthread_t thread;
    bool started;
    struct lock lock;
    struct cond work;                    /* something to do, or the end */
    struct cond told;                    /* something was told, or a call has ended */
    struct backlog backlog;              /* L */
    bool retry;                          /* L: a directory was left by a request */
    bool halted, ended;                  /* L */
    unsigned calling;                    /* L: threads that may be in the kernel */
    atomic_uint dirs[DIRS];              /* A: requests in the directory with this hash */
    atomic_size_t n_back;                /* A: of back */
    atomic_uint_fast64_t moment;         /* A */
    atomic_uint_fast64_t floor;          /* A: the last news of everything */
    atomic_uint_fast64_t stamps[STAMPS]; /* A: the last news of an instance with this hash */
    /* The thread's own: */
    struct items back;              /* names that could not be told yet */
    struct views views[VIEWS_SEEN]; /* told in this portion */
    struct sweep {                  /* telling everything of a hub, a portion at a time */
        bool active;
        unsigned hub;
        uint64_t *slots;
        size_t n, at;
    } sweep;
};

static uint64_t spread(uint64_t x)
{
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

static size_t stamp_at(unsigned hub, uint64_t index)
{
    return spread((uint64_t)hub << NODE_INDEX_BITS | index) % STAMPS;
}

/* -- beginning -- */

struct notify *notify_new(void)
{
    struct notify *n = calloc(1, sizeof(*n));

    if (!n)
        return NULL;
    lock_init(&n->lock, RANK_NEWS);
    cond_init(&n->work);
    cond_init(&n->told);
    atomic_init(&n->moment, 1);
    return n;
}

void notify_free(struct notify *n)
{
    if (!n)
        return;
    backlog_fini(&n->backlog);
    items_fini(&n->back);
    free(n->sweep.slots);
    cond_fini(&n->told);
    cond_fini(&n->work);
    lock_fini(&n->lock);
    free(n);
}

void notify_plant(struct notify *n, struct forest *forest)
{
    n->forest = forest;
}

/* -- taking news -- */

void notify_news(void *ctx, unsigned hub, const struct catalogue_news *news)
{
    struct notify *n = ctx;
    struct item item = { hub, *news };
    uint64_t now = atomic_fetch_add(&n->moment, 1) + 1;

    atomic_store(news->slot ? &n->stamps[stamp_at(hub, news->slot)] : &n->floor, now);
    LOCK_SCOPE(&n->lock);
    if (n->halted || !n->started)
        return;
    backlog_add(&n->backlog, &item);
    cond_wake_one(&n->work);
}

notify_moment notify_now(struct notify *n)
{
    return atomic_load(&n->moment);
}

bool notify_since(struct notify *n, node of, notify_moment then)
{
    return atomic_load_explicit(&n->moment, memory_order_relaxed) > then &&
           (atomic_load(&n->stamps[stamp_at(node_hub(of), node_index(of))]) > then ||
            atomic_load(&n->floor) > then);
}

void notify_again(struct notify *n, node of)
{
    struct catalogue_news news = { .slot = (uint32_t)node_index(of), .created = TICKS_NONE };

    if (news.slot)
        notify_news(n, node_hub(of), &news);
}

/* -- directories in use -- */

static atomic_uint *users_of(struct notify *n, node dir)
{
    return &n->dirs[spread(dir) % DIRS];
}

void notify_enter(struct notify *n, node dir)
{
    atomic_fetch_add(users_of(n, dir), 1);
}

void notify_leave(struct notify *n, node dir)
{
    atomic_fetch_sub(users_of(n, dir), 1);
    if (atomic_load(&n->n_back) == 0)
        return;
    LOCK_SCOPE(&n->lock);
    n->retry = true;
    cond_wake_one(&n->work);
}

/* -- telling -- */

/* Whether the kernel may be called; then it is being called until end_call. */
static bool begin_call(struct notify *n)
{
    LOCK_SCOPE(&n->lock);
    if (n->halted || !n->started)
        return false;
    n->calling++;
    return true;
}

static void end_call(struct notify *n)
{
    LOCK_SCOPE(&n->lock);
    n->calling--;
    if (n->halted)
        cond_wake_all(&n->told);
}

static void tell_node(void *ctx, node of, bool is_dir)
{
    const struct notify *n = ctx;

    (is_dir ? n->kernel.listing : n->kernel.attributes)(n->kernel.ctx, of);
}

static void tell_nodes(struct notify *n, struct tree *t, const struct item *item)
{
    if (!begin_call(n))
        return;
    tree_stale_nodes(t, &item->news, tell_node, n);
    end_call(n);
}

static void tell_attributes(void *ctx, node of, bool is_dir)
{
    const struct notify *n = ctx;

    (void)is_dir;
    n->kernel.attributes(n->kernel.ctx, of);
}

/* By the thread of the request itself: a name that another one waits for must not delay it. */
void notify_own(struct notify *n, node of)
{
    const struct catalogue_news news = { .slot = (uint32_t)node_index(of) };
    struct tree *t = forest_tree(n->forest, node_hub(of));

    if (!t || !news.slot || tree_class(of) == CLASS_FILE_MESSAGE || !begin_call(n))
        return;
    tree_stale_nodes(t, &news, tell_attributes, n);
    end_call(n);
}

/* Have views that count instances like this one been told of in this portion? */
static bool views_are_told(struct notify *n, const struct item *item)
{
    const struct catalogue_news *news = &item->news;
    struct views views = { item->hub, news->name.p, news->status_text.p,
                           news->created / TICKS_PER_DAY };
    struct views *seen =
        &n->views[spread((uintptr_t)views.name ^ (uint64_t)views.day ^ item->hub) % VIEWS_SEEN];

    if (seen->name == views.name && seen->status_text == views.status_text &&
        seen->day == views.day && seen->hub == views.hub)
        return true;
    *seen = views;
    return false;
}

static void tell_views(struct notify *n, struct tree *t, const struct item *item)
{
    if (!item->news.name.len || views_are_told(n, item) || !begin_call(n))
        return;
    tree_stale_views(t, &item->news, tell_node, n);
    end_call(n);
}

struct telling {
    struct notify *n;
    bool held_back;
};

/* The kernel locks the directory. Between the look and the call a request may come, but hardly one
 * that takes long; and while requests are read it only makes us wait. */
static void tell_name(void *ctx, node dir, struct str name)
{
    struct telling *telling = ctx;
    struct notify *n = telling->n;

    if (atomic_load(users_of(n, dir)) > 0) {
        telling->held_back = true;
        return;
    }
    if (!begin_call(n))
        return;
    n->kernel.name(n->kernel.ctx, dir, name);
    end_call(n);
}

static void tell_names(struct notify *n, struct tree *t, const struct item *item)
{
    struct telling telling = { n, false };

    tree_stale_names(t, &item->news, tell_name, &telling);
    if (!telling.held_back)
        return;
    /* Without room it shows when the name's own time is over, or its attributes are asked for. */
    if (items_push(&n->back, item))
        atomic_store(&n->n_back, n->back.n);
}

static void each(struct notify *n, const struct item *items, size_t count,
                 void (*tell)(struct notify *n, struct tree *t, const struct item *item))
{
    for (size_t i = 0; i < count; i++) {
        struct tree *t = forest_tree(n->forest, items[i].hub);

        if (t)
            tell(n, t, &items[i]);
    }
}

static void tell_portion(struct notify *n, const struct portion *p)
{
    memset(n->views, 0, sizeof(n->views));
    each(n, p->items, p->n, tell_nodes);
    each(n, p->items, p->n, tell_views);
    each(n, p->items, p->n, tell_names);
}

static void tell_back(struct notify *n)
{
    struct items back = n->back;

    n->back = (struct items){ 0 };
    atomic_store(&n->n_back, 0);
    each(n, back.at, back.n, tell_names);
    items_fini(&back);
}

/* -- everything that the kernel holds of a hub -- */

static void sweep_begin(struct notify *n, unsigned hub)
{
    struct tree *t = forest_tree(n->forest, hub);

    n->sweep = (struct sweep){ .active = true, .hub = hub };
    if (t)
        n->sweep.slots = tree_held_slots(t, &n->sweep.n);
}

/* False: that was the last of it. */
static bool sweep_step(struct notify *n)
{
    struct sweep *s = &n->sweep;
    struct portion p = { .n = 0 };

    for (; p.n < PORTION_ITEMS && s->at < s->n; p.n++, s->at++)
        p.items[p.n] =
            (struct item){ s->hub, { .slot = (uint32_t)s->slots[s->at], .created = TICKS_NONE } };
    tell_portion(n, &p);
    s->active = s->at < s->n;
    if (!s->active) {
        free(s->slots);
        s->slots = NULL;
    }
    return s->active;
}

/* -- the thread -- */

/* The most urgent of what there is to do, without the lock meanwhile; false: there is nothing. */
static bool step_locked(struct notify *n)
{
    struct portion p;
    unsigned hub = 0;

    if (n->retry || backlog_take(&n->backlog, &p)) {
        bool retry = n->retry;

        n->retry = false;
        lock_drop(&n->lock);
        if (retry)
            tell_back(n);
        else
            tell_portion(n, &p);
        lock_take(&n->lock);
        if (!retry)
            backlog_told(&n->backlog, &p);
        return true;
    }
    if (!n->sweep.active && !backlog_take_all(&n->backlog, &hub))
        return false;
    lock_drop(&n->lock);
    if (!n->sweep.active)
        sweep_begin(n, hub);
    bool more = sweep_step(n);
    lock_take(&n->lock);
    if (!more)
        backlog_told_all(&n->backlog);
    return true;
}

static void *work(void *ctx)
{
    struct notify *n = ctx;

    LOCK_SCOPE(&n->lock);
    while (!n->ended) {
        if (step_locked(n))
            cond_wake_all(&n->told);
        else
            cond_wait(&n->work, &n->lock);
    }
    return NULL;
}

bool notify_start(struct notify *n, const struct notify_kernel *kernel)
{
    LOCK_SCOPE(&n->lock);
    n->kernel = *kernel;
    n->started = pthread_create(&n->thread, NULL, work, n) == 0;
    if (!n->started)
        log_warning("no thread to tell the kernel of changes with: it is asked more often instead");
    return n->started;
}

static bool is_told_locked(const struct notify *n, const uint64_t *wanted, enum notify_lane lane)
{
    for (int i = 0; i <= (int)lane; i++)
        if (n->backlog.told[i] < wanted[i])
            return false;
    return true;
}

void notify_settle(struct notify *n, enum notify_lane lane)
{
    int64_t until = clock_now_ms() + NOTIFY_SETTLE_MS;
    uint64_t wanted[LANE_ALL + 1];

    LOCK_SCOPE(&n->lock);
    memcpy(wanted, n->backlog.taken, sizeof(wanted));
    while (!n->halted && !is_told_locked(n, wanted, lane) &&
           cond_wait_until(&n->told, &n->lock, until))
        ;
}

void notify_halt(struct notify *n)
{
    int64_t until = clock_now_ms() + NOTIFY_HALT_MS;

    LOCK_SCOPE(&n->lock);
    n->halted = true;
    while (n->calling && cond_wait_until(&n->told, &n->lock, until))
        ;
}

bool notify_stop(struct notify *n)
{
    notify_halt(n);
    lock_take(&n->lock);
    bool started = n->started, stuck = n->calling;
    n->ended = true;
    cond_wake_all(&n->work);
    lock_drop(&n->lock);
    if (stuck)
        return false;
    if (started)
        pthread_join(n->thread, NULL);
    n->started = false;
    return true;
}
