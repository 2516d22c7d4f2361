#include "fs/plots.h"

#include <stdio.h>
#include <stdlib.h>

#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "backend/flight.h"
#include "fs/folders.h"

#define HUB_NAME_MIN 3
#define HUB_NAME_MAX 54 /* with "Instances" the table service's 63 */

/* A hub that was found once: its number, and its tree when somebody looked into it. */
struct plot {
    unsigned number;             /* I */
    unsigned caps;               /* L */
    bool listed;                 /* L: by the last discovery */
    bool gone;                   /* L: deleted by this mount; one of that name is another one */
    struct tree *tree;           /* L: NULL, then fixed */
    struct catalogue *catalogue; /* L: the same */
    char name[HUB_NAME_MAX + 1]; /* I */
};

void plots_init(struct plots *all, const struct forest_hubs *hubs, const struct tree_settings *tree)
{
    *all = (struct plots){ .hubs = *hubs, .tree = *tree };
    lock_init(&all->lock, RANK_FOREST);
}

void plots_fini(struct plots *all)
{
    for (unsigned i = 1; i <= all->count; i++) {
        tree_free(all->at[i]->tree);
        catalogue_free(all->at[i]->catalogue);
        free(all->at[i]);
    }
    lock_fini(&all->lock);
}

void plots_forget(struct plots *all)
{
    LOCK_SCOPE(&all->lock);
    all->stale = true;
}

/* -- by number -- */

struct tree *plots_tree(struct plots *all, unsigned number)
{
    LOCK_SCOPE(&all->lock);
    return all->at[number] ? all->at[number]->tree : NULL;
}

void plots_each(struct plots *all, void (*visit)(void *ctx, struct tree *tree), void *ctx)
{
    lock_take(&all->lock);
    unsigned n = all->count;
    lock_drop(&all->lock);
    for (unsigned i = 1; i <= n; i++) {
        struct tree *t = plots_tree(all, i);

        if (t)
            visit(ctx, t);
    }
}

const char *plots_name(struct plots *all, unsigned number)
{
    LOCK_SCOPE(&all->lock);
    return all->at[number]->name;
}

struct hub *plots_hub(struct plots *all, unsigned number)
{
    LOCK_SCOPE(&all->lock);
    return catalogue_hub(all->at[number]->catalogue);
}

void plots_gone(struct plots *all, unsigned number)
{
    LOCK_SCOPE(&all->lock);
    all->at[number]->listed = false;
    all->at[number]->gone = true;
}

enum err plots_list(struct plots *all, struct lister *l)
{
    LOCK_SCOPE(&all->lock);
    for (unsigned i = 1; i <= all->count; i++) {
        enum err err = OK;

        if (all->at[i]->listed)
            err = lister_add(l, str_c(all->at[i]->name), node_root_of(i));
        if (err != OK)
            return err;
    }
    return OK;
}

/* -- discovery -- */

static struct plot *find_locked(struct plots *all, struct str name)
{
    for (unsigned i = 1; i <= all->count; i++)
        if (!all->at[i]->gone && str_eq(str_c(all->at[i]->name), name))
            return all->at[i];
    return NULL;
}

static struct plot *find_or_add_locked(struct plots *all, struct call *call, struct str name)
{
    struct plot *p = find_locked(all, name);

    if (p)
        return p;
    if (all->count == NODE_HUB_MAX || name.len > HUB_NAME_MAX) {
        call->err = call_fail(call, ERR_TOO_MANY,
                              "a mount has room for %u hubs; mount the one that "
                              "is wanted: ACCOUNT/HUB",
                              NODE_HUB_MAX);
        return NULL;
    }
    p = calloc(1, sizeof(*p));
    if (!p) {
        call->err = call_fail(call, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    p->number = ++all->count;
    snprintf(p->name, sizeof(p->name), STR_FMT, STR_ARG(name));
    all->at[p->number] = p;
    return p;
}

/* What a discovery found, until it is complete (R3). */
static enum err on_found(void *ctx, struct str hub, unsigned caps)
{
    struct folders *found = ctx;

    folders_add(found, hub, caps);
    return found->err;
}

static enum err adopt_locked(struct plots *all, struct call *call, const struct folders *found)
{
    for (unsigned i = 1; i <= all->count; i++)
        all->at[i]->listed = false;
    for (size_t i = 0; i < found->count; i++) {
        struct plot *p = find_or_add_locked(all, call, found->items[i].name);

        if (!p)
            return call->err;
        p->caps = (unsigned)found->items[i].count;
        p->listed = true;
    }
    all->known = true;
    all->stale = false;
    return OK;
}

/* Is the account out of reach, rather than unwilling? */
static bool is_out_of_reach(enum err err)
{
    return err == ERR_UNREACHABLE || err == ERR_TIMEOUT || err == ERR_PAUSED ||
           err == ERR_THROTTLED || err == ERR_BROKEN;
}

/* With the lock before and after, not while the account is asked. */
static enum err discover_locked(struct plots *all, struct call *call)
{
    const struct forest_hubs *hubs = &all->hubs;
    struct flight *mine = flight_new();
    int64_t begun_ms = clock_now_ms();
    struct folders found;

    if (!mine)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    all->discovering = mine;
    lock_drop(&all->lock);
    folders_init(&found);
    enum err err = hubs->discover(hubs->ctx, call, on_found, &found);
    lock_take(&all->lock);
    if (err == OK) {
        err = adopt_locked(all, call, &found);
    } else if (all->known && is_out_of_reach(err)) {
        log_warning("hubs of the account: %s; those of the last discovery are shown", call->text);
        err = OK;
    }
    if (err == OK)
        all->discovered_ms = begun_ms;
    all->discovering = NULL;
    flight_land(mine, err, call);
    folders_fini(&found);
    return err;
}

static bool is_current_locked(const struct plots *all, int64_t max_age_ms)
{
    return all->known && !all->stale && clock_now_ms() - all->discovered_ms <= max_age_ms;
}

enum err plots_discover(struct plots *all, struct call *call, int64_t max_age_ms)
{
    enum err err = OK;

    LOCK_SCOPE(&all->lock);
    while (err == OK && !is_current_locked(all, max_age_ms)) {
        if (call->local)
            return ERR_WOULD_BLOCK;
        if (!all->discovering)
            return discover_locked(all, call);
        err = flight_wait(all->discovering, &all->lock, call);
    }
    return err;
}

/* -- one hub -- */

/* What a table can be called (B14): nobody is asked for anything else. */
static bool is_hub_name(struct str name)
{
    if (name.len < HUB_NAME_MIN || name.len > HUB_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i] | 0x20;
        bool letter = c >= 'a' && c <= 'z';

        if (!letter && (i == 0 || name.p[i] < '0' || name.p[i] > '9'))
            return false;
    }
    return true;
}

static struct plot *find_listed(struct plots *all, struct str name)
{
    LOCK_SCOPE(&all->lock);
    struct plot *p = find_locked(all, name);
    return p && p->listed ? p : NULL;
}

/* Only a deletion has to do with it, so only a mount that may delete looks for it. */
static enum err find_leftovers(struct plots *all, struct call *call, struct str name,
                               struct plot **ret)
{
    const struct forest_hubs *hubs = &all->hubs;
    unsigned caps = 0;

    if (!hubs->remove || !hubs->leftovers)
        return call_fail(call, ERR_NOT_FOUND, "the account has no such hub");
    if (call->local)
        return ERR_WOULD_BLOCK;
    enum err err = hubs->leftovers(hubs->ctx, call, name, &caps);
    if (err != OK)
        return err;
    LOCK_SCOPE(&all->lock);
    *ret = find_or_add_locked(all, call, name);
    if (!*ret)
        return call->err;
    (*ret)->caps = caps;
    return OK;
}

static enum err find_hub(struct plots *all, struct call *call, struct str name, struct plot **ret)
{
    if (!is_hub_name(name))
        return call_fail(call, ERR_NOT_FOUND, "a hub cannot be called so");
    *ret = find_listed(all, name);
    if (*ret)
        return OK;
    enum err err = plots_discover(all, call, TTL_NEGATIVE_MS);
    if (err != OK)
        return err;
    *ret = find_listed(all, name);
    return *ret ? OK : find_leftovers(all, call, name, ret);
}

static enum err plant(struct plots *all, struct call *call, struct plot *plot)
{
    struct tree_settings settings = all->tree;
    struct catalogue *c = all->hubs.plant(all->hubs.ctx, str_c(plot->name), plot->caps);
    struct tree *tree = NULL;

    if (c) {
        settings.catalogue = c;
        settings.prefix = plot->name;
        settings.hub = plot->number;
        tree = tree_new(&settings);
    }
    if (!tree) {
        catalogue_free(c);
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    }
    lock_take(&all->lock);
    bool late = plot->tree; /* somebody else was faster */
    if (!late) {
        plot->tree = tree;
        plot->catalogue = c;
    }
    lock_drop(&all->lock);
    if (late) {
        tree_free(tree);
        catalogue_free(c);
    }
    return OK;
}

enum err plots_find(struct plots *all, struct call *call, struct str name, unsigned *ret_number)
{
    struct plot *p = NULL;
    enum err err = find_hub(all, call, name, &p);

    if (err != OK)
        return err;
    *ret_number = p->number;
    return plots_tree(all, p->number) ? OK : plant(all, call, p);
}
