#include "fs/backlog.h"

#include <stdlib.h>

#define CAP_MIN  64
#define KEPT_MAX 4096 /* items for which room is kept while there are none */

/* Room at the end, by moving what is left to the front or by growing. */
static bool make_room(struct items *items)
{
    size_t left = items->n - items->first;

    if (items->first > left) {
        memcpy(items->at, items->at + items->first, left * sizeof(*items->at));
        items->first = 0;
        items->n = left;
        return true;
    }
    size_t cap = items->cap ? 2 * items->cap : CAP_MIN;
    struct item *at = items->cap < BACKLOG_MAX ? reallocarray(items->at, cap, sizeof(*at)) : NULL;
    if (!at)
        return false;
    items->at = at;
    items->cap = cap;
    return true;
}

bool items_push(struct items *items, const struct item *item)
{
    if (items->n == items->cap && !make_room(items))
        return false;
    items->at[items->n++] = *item;
    return true;
}

void items_fini(struct items *items)
{
    free(items->at);
    *items = (struct items){ 0 };
}

static size_t pop(struct items *items, struct item *ret, size_t max)
{
    size_t n = items->n - items->first;

    n = n < max ? n : max;
    if (n)
        memcpy(ret, items->at + items->first, n * sizeof(*ret));
    items->first += n;
    if (items->first == items->n)
        items->first = items->n = 0;
    if (!items->n && items->cap > KEPT_MAX) /* of a burst */
        items_fini(items);
    return n;
}

void backlog_fini(struct backlog *b)
{
    items_fini(&b->own);
    items_fini(&b->other);
}

static void add_all(struct backlog *b, unsigned hub)
{
    b->taken[LANE_ALL]++;
    if (!b->all[hub])
        b->n_all++;
    b->all[hub] = true;
}

static void overflow(struct backlog *b, enum notify_lane lane)
{
    struct items *items = lane == LANE_OWN ? &b->own : &b->other;

    b->told[lane] += items->n - items->first;
    items->first = items->n = 0;
    for (unsigned hub = 0; hub <= NODE_HUB_MAX; hub++)
        add_all(b, hub);
}

void backlog_add(struct backlog *b, const struct item *item)
{
    enum notify_lane lane = item->news.own ? LANE_OWN : LANE_OTHER;

    if (!item->news.slot)
        add_all(b, item->hub);
    else if (items_push(lane == LANE_OWN ? &b->own : &b->other, item))
        b->taken[lane]++;
    else
        overflow(b, lane);
}

bool backlog_take(struct backlog *b, struct portion *ret)
{
    ret->lane = LANE_OWN;
    ret->n = pop(&b->own, ret->items, PORTION_ITEMS);
    if (ret->n)
        return true;
    ret->lane = LANE_OTHER;
    ret->n = pop(&b->other, ret->items, PORTION_ITEMS);
    return ret->n;
}

void backlog_told(struct backlog *b, const struct portion *p)
{
    b->told[p->lane] += p->n;
}

bool backlog_take_all(struct backlog *b, unsigned *ret_hub)
{
    for (unsigned hub = 0; b->n_all && hub <= NODE_HUB_MAX; hub++) {
        if (!b->all[hub])
            continue;
        b->all[hub] = false;
        b->n_all--;
        *ret_hub = hub;
        return true;
    }
    return false;
}

void backlog_told_all(struct backlog *b)
{
    if (!b->n_all) /* else some of what was taken is still to come */
        b->told[LANE_ALL] = b->taken[LANE_ALL];
}
