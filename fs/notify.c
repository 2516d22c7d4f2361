#include "fs/notify.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "backend/base/log.h"
#include "fs/nodes.h"

#define STAMPS     16384 /* a collision only tells something twice */
#define DIRS       4096  /* a collision only makes a name wait for the wrong request */
#define VIEWS_SEEN 256

struct item {
    unsigned hub;
    struct catalogue_news news;
};

/* Grows up to NEWS_MAX. */
struct items {
    struct item *at;
    size_t n, cap;
};

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
    struct cond told;                    /* a portion was told, or a call has ended */
    struct items queue;                  /* L */
    bool lost;                           /* L: news for which there was no room */
    uint64_t n_taken, n_told;            /* L: portions that were begun, that are told */
    bool retry;                          /* L: a directory was left by a request */
    bool halted, ended;                  /* L */
    bool calling;                        /* L: the thread may be in the kernel */
    atomic_uint dirs[DIRS];              /* A: requests in the directory with this hash */
    atomic_size_t n_back;                /* A: of back */
    atomic_uint_fast64_t moment;         /* A */
    atomic_uint_fast64_t floor;          /* A: the last news of everything */
    atomic_uint_fast64_t stamps[STAMPS]; /* A: the last news of an instance with this hash */
    /* The thread's own: */
    struct items back;              /* names that could not be told yet */
    struct views views[VIEWS_SEEN]; /* told in this portion */
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

/* -- beginning and end -- */

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
    free(n->queue.at);
    free(n->back.at);
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

static bool push(struct items *items, const struct item *item)
{
    if (items->n == items->cap) {
        size_t cap = items->cap ? 2 * items->cap : 64;
        struct item *at = cap <= NEWS_MAX ? realloc(items->at, cap * sizeof(*at)) : NULL;

        if (!at)
            return false;
        items->at = at;
        items->cap = cap;
    }
    items->at[items->n++] = *item;
    return true;
}

void notify_news(void *ctx, unsigned hub, const struct catalogue_news *news)
{
    struct notify *n = ctx;
    struct item item = { hub, *news };
    uint64_t now = atomic_fetch_add(&n->moment, 1) + 1;

    atomic_store(news->slot ? &n->stamps[stamp_at(hub, news->slot)] : &n->floor, now);
    LOCK_SCOPE(&n->lock);
    if (n->halted)
        return;
    if (!n->lost && !push(&n->queue, &item)) {
        n->lost = true;
        n->queue.n = 0;
    }
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
    n->calling = !n->halted;
    return n->calling;
}

static void end_call(struct notify *n)
{
    LOCK_SCOPE(&n->lock);
    n->calling = false;
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
    /* Without room it shows when the name's own time is over, or its attributes are asked for. */
    if (telling.held_back && push(&n->back, item))
        atomic_store(&n->n_back, n->back.n);
}

typedef void (*tell_item)(struct notify *n, struct tree *t, const struct item *item);

/* News of everything: whatever the kernel holds. */
static void each_held(struct notify *n, struct tree *t, unsigned hub, tell_item tell)
{
    size_t count;
    uint64_t *slots = tree_held_slots(t, &count);

    for (size_t i = 0; i < count; i++) {
        struct item item = { hub, { .slot = (uint32_t)slots[i], .created = TICKS_NONE } };

        tell(n, t, &item);
    }
    free(slots);
}

static void each_news(struct notify *n, const struct items *items, tell_item tell)
{
    for (size_t i = 0; i < items->n; i++) {
        const struct item *item = &items->at[i];
        struct tree *t = forest_tree(n->forest, item->hub);

        if (t && item->news.slot)
            tell(n, t, item);
        else if (t)
            each_held(n, t, item->hub, tell);
    }
}

static void tell_everything(struct notify *n)
{
    for (unsigned hub = 0; hub <= NODE_HUB_MAX; hub++) {
        struct tree *t = forest_tree(n->forest, hub);

        if (!t)
            continue;
        each_held(n, t, hub, tell_nodes);
        each_held(n, t, hub, tell_names);
    }
}

static void tell(struct notify *n, const struct items *items, bool lost)
{
    struct items back = n->back;

    n->back = (struct items){ 0 };
    atomic_store(&n->n_back, 0);
    memset(n->views, 0, sizeof(n->views));
    if (lost)
        tell_everything(n);
    each_news(n, items, tell_nodes);
    each_news(n, items, tell_views);
    each_news(n, items, tell_names);
    each_news(n, &back, tell_names);
    free(back.at);
}

static void *work(void *ctx)
{
    struct notify *n = ctx;
    struct items items;
    bool lost;

    lock_take(&n->lock);
    for (;;) {
        while (!n->ended && !n->queue.n && !n->lost && !n->retry)
            cond_wait(&n->work, &n->lock);
        if (n->ended)
            break;
        items = n->queue;
        lost = n->lost;
        n->queue = (struct items){ 0 };
        n->lost = n->retry = false;
        n->n_taken++;
        lock_drop(&n->lock);
        tell(n, &items, lost);
        free(items.at);
        lock_take(&n->lock);
        n->n_told++;
        cond_wake_all(&n->told);
    }
    lock_drop(&n->lock);
    return NULL;
}

bool notify_start(struct notify *n, const struct notify_kernel *kernel)
{
    n->kernel = *kernel;
    n->started = pthread_create(&n->thread, NULL, work, n) == 0;
    if (!n->started)
        log_warning("no thread to tell the kernel of changes with: it is asked more often instead");
    return n->started;
}

void notify_settle(struct notify *n)
{
    int64_t until = clock_now_ms() + NOTIFY_SETTLE_MS;

    LOCK_SCOPE(&n->lock);
    if (!n->started)
        return;
    uint64_t wanted = n->n_taken + (n->queue.n || n->lost);
    while (n->n_told < wanted && !n->halted && cond_wait_until(&n->told, &n->lock, until))
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
    if (!n->started)
        return true;
    notify_halt(n);
    lock_take(&n->lock);
    n->ended = true;
    bool stuck = n->calling;
    cond_wake_all(&n->work);
    lock_drop(&n->lock);
    if (stuck)
        return false;
    pthread_join(n->thread, NULL);
    n->started = false;
    return true;
}
