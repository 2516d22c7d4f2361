#include <stdlib.h>

#include "backend/catalogue_private.h"

static void shelf_init(struct shelf *s, struct catalogue *c, enum list_what what)
{
    s->c = c;
    s->what = what;
    s->seen = TICKS_NONE;
    s->overlap_ms = OVERLAP_MS;
}

struct catalogue *catalogue_new(struct hub *hub, const struct catalogue_settings *settings)
{
    struct catalogue *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->hub = hub;
    c->settings = *settings;
    c->sweep_ms = SWEEP_MS;
    lock_init(&c->lock, RANK_CATALOGUE);
    shelf_init(&c->shelves[0], c, LIST_INSTANCES);
    shelf_init(&c->shelves[1], c, LIST_ENTITIES);
    map_init(&c->entries);
    map_init(&c->slots);
    map_init(&c->keys);
    ahead_init(&c->ahead);
    return c;
}

void catalogue_free(struct catalogue *c)
{
    if (!c)
        return;
    ahead_end(c);
    shelf_end(&c->shelves[0]);
    shelf_end(&c->shelves[1]);
    shelf_fini(&c->shelves[0]);
    shelf_fini(&c->shelves[1]);
    entries_free(c);
    ahead_fini(&c->ahead);
    struct str id;
    void *key;
    for (size_t i = 0; map_next(&c->keys, &i, &id, &key);)
        text_unref(key);
    map_fini(&c->keys);
    map_fini(&c->slots);
    lock_fini(&c->lock);
    hub_close(c->hub);
    free(c);
}

struct hub *catalogue_hub(struct catalogue *c)
{
    return c->hub;
}

static struct shelf *shelf_of(struct catalogue *c, enum list_what what)
{
    return &c->shelves[what == LIST_ENTITIES ? 1 : 0];
}

enum err catalogue_listing(struct catalogue *c, struct call *call, enum list_what what,
                           struct listing **ret)
{
    if (what == LIST_ENTITIES && !hub_can(c->hub, CAP_ENTITIES))
        return call_fail(call, ERR_UNSUPPORTED, "the %s backend knows no entities",
                         c->hub->ops->scheme);
    return shelf_open(shelf_of(c, what), call, ret);
}

struct listing *catalogue_listing_now(struct catalogue *c, enum list_what what)
{
    LOCK_SCOPE(&c->lock);
    const struct shelf *s = shelf_of(c, what);
    return listing_ref(s->current ? s->current : s->next);
}

bool catalogue_is_gone(struct catalogue *c, struct str id)
{
    /* Asked for each of a million names, while who puts them there holds the lock. */
    if (!__atomic_load_n(&shelf_of_id(c, id)->n_dirty, __ATOMIC_ACQUIRE))
        return false;
    LOCK_SCOPE(&c->lock);
    const struct entry *e = map_get(&c->entries, id);
    return e && e->dirty && e->gone && e->read > e->changed;
}

/* -- commands: what they change is void in every cache -- */

enum effect {
    EFFECT_NONE,
    EFFECT_MESSAGE, /* the worker will change the row some time */
    EFFECT_ROW      /* the row may be another already */
};

static enum effect effect_of(enum command_kind kind)
{
    switch (kind) {
    case CMD_TERMINATE: /* cancels a scheduled start in the table */
    case CMD_REWIND:
    case CMD_START:
    case CMD_PURGE:
        return EFFECT_ROW;
    case CMD_EVENT:
    case CMD_SUSPEND:
    case CMD_RESUME:
    case CMD_RESTART: /* the row it starts is the receipt's */
    case CMD_SIGNAL:
    case CMD_COUNT:
        break;
    }
    return EFFECT_MESSAGE;
}

static void take_effect_locked(struct catalogue *c, struct str id, enum effect effect)
{
    /* For a message an entry is needed only if something is cached that could now look fresh. */
    struct entry *e = entry_make_locked(c, id);
    if (!e)
        return; /* without memory it shows after the caches' usual time */
    seq now = ++c->clock;
    e->touched = now;
    if (effect == EFFECT_ROW) {
        e->changed = now;
        entry_set_dirty_locked(c, e);
        news_changed_locked(c, id, false);
    }
}

static enum effect effect_of_outcome(enum command_kind kind, enum err err)
{
    if (err == OK)
        return effect_of(kind);
    if (err == ERR_UNKNOWN_OUTCOME)
        return EFFECT_ROW;
    /* The state was read and was not what the caches made the caller believe. */
    bool surprised =
        err == ERR_WRONG_STATE || err == ERR_BUSY || err == ERR_NOT_FOUND || err == ERR_EXISTS;
    return surprised ? EFFECT_ROW : EFFECT_NONE;
}

enum err catalogue_send(struct catalogue *c, struct call *call, const struct command *cmd,
                        struct receipt *ret)
{
    struct receipt receipt;
    struct command full = *cmd;
    if (!full.key.len) {
        LOCK_SCOPE(&c->lock);
        full.key = text_str(map_get(&c->keys, cmd->id));
    }
    enum err err = hub_send(c->hub, call, &full, &receipt);
    enum effect effect = effect_of_outcome(cmd->kind, err);
    lock_take(&c->lock);
    if (effect != EFFECT_NONE)
        take_effect_locked(c, cmd->id, effect);
    if (err == OK && receipt.instance_id[0])
        take_effect_locked(c, str_c(receipt.instance_id), EFFECT_ROW);
    entries_trim_locked(c);
    lock_drop(&c->lock);
    if (ret)
        *ret = receipt;
    return err;
}

/* Gone for sure, whether by us or before us. */
static void learn_gone_locked(struct catalogue *c, struct str id)
{
    struct entry *e = entry_make_locked(c, id);
    if (!e)
        return;
    news_changed_locked(c, id, true);
    e->changed = ++c->clock; /* a reading under way may have seen it alive */
    entry_learn_locked(c, e, NULL, ++c->clock, clock_now_ms());
}

static enum err purge_now(struct catalogue *c, struct call *call, struct str id,
                          struct receipt *ret)
{
    lock_take(&c->lock);
    struct str key = text_str(map_get(&c->keys, id));
    lock_drop(&c->lock);
    enum err err = hub_purge(c->hub, call, id, key, ret);
    lock_take(&c->lock);
    if (err == OK || err == ERR_NOT_FOUND)
        learn_gone_locked(c, id);
    else if (err != ERR_WOULD_BLOCK)           /* then nothing was sent yet */
        take_effect_locked(c, id, EFFECT_ROW); /* half of it may be gone */
    entries_trim_locked(c);
    lock_drop(&c->lock);
    return err;
}

/* Two who purge the same would each get in the other's way, and both would be told that it was
 * them. Who waited looks for himself: then there is no such instance. */
static enum err lead_purge(struct catalogue *c, struct call *call, struct str id,
                           struct entry **ret_entry, struct flight **ret_mine)
{
    LOCK_SCOPE(&c->lock);
    struct entry *e = *ret_entry = entry_make_locked(c, id);
    enum err err = OK;
    *ret_mine = NULL;
    if (!e)
        return call_fail(call, ERR_NO_MEMORY, "no memory for an instance");
    while (err == OK && !*ret_mine)
        err = entry_lead_locked(c, e, FLY_PURGE, call, ret_mine);
    return err;
}

enum err catalogue_purge(struct catalogue *c, struct call *call, struct str id, struct receipt *ret)
{
    struct entry *e;
    struct flight *mine;
    if (call->local) /* done in no time, or not at all */
        return purge_now(c, call, id, ret);
    enum err err = lead_purge(c, call, id, &e, &mine);
    if (err != OK)
        return err;
    err = purge_now(c, call, id, ret);
    lock_take(&c->lock);
    entry_land_locked(c, e, FLY_PURGE, mine, err, call);
    lock_drop(&c->lock);
    return err;
}

/* -- the whole -- */

void catalogue_forget(struct catalogue *c)
{
    lock_take(&c->lock);
    shelf_forget_locked(&c->shelves[0]);
    shelf_forget_locked(&c->shelves[1]);
    entries_forget_locked(c);
    news_all_locked(c);
    lock_drop(&c->lock);
    hub_forget(c->hub);
}

bool catalogue_loading(struct catalogue *c, enum list_what what, struct catalogue_load *ret)
{
    LOCK_SCOPE(&c->lock);
    const struct shelf *s = shelf_of(c, what);
    struct listing *loading = s->rebuilt ? s->rebuilt : s->next;
    struct listing *known = s->current ? s->current : s->before;
    if (!loading || listing_state(loading) != LISTING_LOADING)
        return false;
    *ret = (struct catalogue_load){ .since_ms = listing_as_of_ms(loading),
                                    .done = listing_count(loading),
                                    .of = known ? listing_count(known) : 0 };
    return true;
}

void catalogue_stats(struct catalogue *c, struct catalogue_stats *ret)
{
    LOCK_SCOPE(&c->lock);
    *ret = (struct catalogue_stats){
        .hits = c->hits, .misses = c->misses, .cache_bytes = c->bytes, .refreshes = c->refreshes
    };
    ret->read_ahead = c->ahead.read;
    ret->read_ahead_used = c->ahead.used;
    const struct shelf *s = &c->shelves[0];
    struct listing *l = s->current ? s->current : s->next;
    ret->listed = s->current;
    if (l) {
        ret->instances = listing_count(l);
        for (int i = 0; i < STATUS_COUNT; i++)
            ret->by_status[i] = listing_count_status(l, (enum status)i);
    }
    for (int i = 0; i < 2; i++) {
        l = c->shelves[i].current ? c->shelves[i].current : c->shelves[i].next;
        ret->listing_bytes += l ? listing_bytes(l) : 0;
    }
}
