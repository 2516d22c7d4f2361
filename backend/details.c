/* What the files of one instance are made of: payloads and history, fetched once for all who ask
 * and kept while the row has not changed. */
#include "backend/catalogue_private.h"

void details_fini(struct details *d)
{
    d->instance = instance_unref(d->instance);
    d->input = text_unref(d->input);
    d->output = text_unref(d->output);
    d->custom = text_unref(d->custom);
    d->history = history_unref(d->history);
}

/* One call's work on one version of one instance. */
struct work {
    struct catalogue *c;
    struct call *call;
    struct instance *in;
    bool asked;
};

/* The entry, as long as it still holds the version we work on. */
static struct entry *entry_of_locked(const struct work *w)
{
    struct entry *e = entry_find_locked(w->c, w->in->row.id);
    return e && same_version(e->in, w->in) ? e : NULL;
}

/* The right to fetch, waited for if somebody else has it (then *ret_mine is NULL: look again).
 * Without an entry one fetches for oneself alone. */
static enum err lead_locked(struct work *w, struct entry *e, enum flying what,
                            struct flight **ret_mine)
{
    *ret_mine = NULL;
    if (w->call->local)
        return ERR_WOULD_BLOCK;
    w->asked = true;
    return e ? entry_lead_locked(w->c, e, what, w->call, ret_mine) : OK;
}

/* -- payloads -- */

static struct text **kept_text(struct entry *e, enum flying what)
{
    return what == FLY_INPUT ? &e->input : what == FLY_OUTPUT ? &e->output : &e->custom;
}

static enum err check_size(const struct work *w, size_t len)
{
    size_t max = w->c->settings.payload_max_bytes;
    if (max && len > max)
        return call_fail(w->call, ERR_TOO_BIG, "the payload has %zu bytes, the limit is %zu", len,
                         max);
    return OK;
}

static enum err new_text(const struct work *w, struct str s, struct text **ret)
{
    enum err err = check_size(w, s.len);
    if (err != OK)
        return err;
    *ret = text_new(s);
    return *ret ? OK : call_fail(w->call, ERR_NO_MEMORY, "no memory for a payload");
}

static bool is_url(struct str s)
{
    return str_starts(s, STR("http://")) || str_starts(s, STR("https://"));
}

static enum err fetch_text(const struct work *w, const struct cell *cell, struct text **ret)
{
    struct text *t = NULL;
    enum err err = hub_payload(w->c->hub, w->call, cell->ref, &t);
    if (err == ERR_NOT_FOUND && is_url(cell->text)) /* B43: the cell itself is all there is */
        return new_text(w, cell->text, ret);
    if (err == ERR_NOT_FOUND)
        return call_fail(w->call, err, "payload blob missing: " STR_FMT, STR_ARG(cell->ref));
    if (err == OK)
        err = check_size(w, text_str(t).len);
    if (err == OK)
        *ret = t;
    else
        text_unref(t);
    return err;
}

static void keep_text_locked(struct work *w, struct entry *e, enum flying what, struct text *t)
{
    if (!same_version(e->in, w->in))
        return; /* the row has moved on while we fetched */
    struct text **kept = kept_text(e, what);
    text_unref(*kept);
    *kept = text_ref(t);
    entry_weigh_locked(w->c, e);
}

/* What is kept, or the right to fetch it. */
static enum err find_text(struct work *w, enum flying what, struct text **ret, struct entry **ret_e,
                          struct flight **ret_mine)
{
    LOCK_SCOPE(&w->c->lock);
    enum err err;
    *ret_mine = NULL;
    do {
        *ret_e = entry_of_locked(w);
        *ret = *ret_e ? text_ref(*kept_text(*ret_e, what)) : NULL;
        if (*ret)
            return OK;
        err = lead_locked(w, *ret_e, what, ret_mine);
    } while (err == OK && *ret_e && !*ret_mine);
    return err;
}

static enum err get_text(struct work *w, const struct cell *cell, enum flying what,
                         struct text **ret)
{
    if (cell->kind == CELL_NONE)
        return OK;
    if (cell->kind == CELL_TEXT)
        return new_text(w, cell->text, ret);
    struct entry *e;
    struct flight *mine;
    enum err err = find_text(w, what, ret, &e, &mine);
    if (err != OK || *ret)
        return err;
    err = fetch_text(w, cell, ret);
    if (!mine)
        return err;
    LOCK_SCOPE(&w->c->lock);
    if (err == OK)
        keep_text_locked(w, e, what, *ret);
    entry_land_locked(w->c, e, what, mine, err, w->call);
    return err;
}

/* -- history -- */

static bool is_elsewhere(const struct event *e)
{
    return e->input.kind == CELL_REF || e->result.kind == CELL_REF || e->reason.kind == CELL_REF ||
           e->details.kind == CELL_REF || e->failure_details.kind == CELL_REF ||
           e->tags.kind == CELL_REF;
}

/* Nothing lies elsewhere: then the events are the whole history already. */
static bool is_self_contained(const struct history *h)
{
    for (size_t i = 0; i < h->count; i++)
        if (is_elsewhere(&h->events[i]))
            return false;
    return true;
}

/* Takes over the reference. */
static void put_history_locked(struct catalogue *c, struct entry *e, struct history *h,
                               bool resolved)
{
    history_unref(e->history);
    e->history = h;
    e->resolved = resolved;
    entry_weigh_locked(c, e);
}

static void keep_history_locked(struct work *w, struct entry *e, struct history *h, bool resolved)
{
    if (same_version(e->in, w->in) && !(e->history && e->resolved && !resolved))
        put_history_locked(w->c, e, history_ref(h), resolved);
}

bool entry_learn_history_locked(struct catalogue *c, struct entry *e, const struct instance *in,
                                struct history *h)
{
    bool wanted = same_version(e->in, in) && !e->history;
    if (wanted)
        put_history_locked(c, e, h, is_self_contained(h));
    else
        history_unref(h);
    return wanted;
}

static struct history *kept_history(const struct entry *e, bool resolve)
{
    return e && e->history && (e->resolved || !resolve) ? history_ref(e->history) : NULL;
}

/* It may be read with others; not if it is there already, but for its payloads. */
static enum err await_history_locked(struct work *w, const struct entry *e, struct ahead_wait *wait,
                                     bool *ret_again)
{
    *ret_again = false;
    if (!e || e->history || w->call->local)
        return OK;
    w->asked = true;
    return ahead_await_locked(w->c, w->call, w->in->row.id, AHEAD_HISTORIES, wait, ret_again);
}

static enum err find_history(struct work *w, bool resolve, struct history **ret,
                             struct entry **ret_e, struct flight **ret_mine)
{
    struct ahead_wait wait = { 0 };
    LOCK_SCOPE(&w->c->lock);
    enum err err;
    bool again;
    *ret_mine = NULL;
    do {
        *ret_e = entry_of_locked(w);
        *ret = kept_history(*ret_e, resolve);
        if (*ret_e && (*ret_e)->history)
            ahead_hit_locked(w->c, w->call, *ret_e, AHEAD_HISTORIES);
        if (*ret)
            return OK;
        err = await_history_locked(w, *ret_e, &wait, &again);
        if (err == OK && !again)
            err = lead_locked(w, *ret_e, FLY_HISTORY, ret_mine);
    } while (err == OK && (again || (*ret_e && !*ret_mine)));
    return err;
}

static enum err fetch_history(const struct work *w, bool resolve, struct history **ret)
{
    enum err err = hub_history(w->c->hub, w->call, w->in, resolve, ret);
    if (err == OK && !*ret)
        return call_fail(w->call, ERR_BUG, "an answer without a history");
    return err;
}

static enum err get_history(struct work *w, bool resolve, struct history **ret)
{
    struct entry *e;
    struct flight *mine;
    enum err err = find_history(w, resolve, ret, &e, &mine);
    if (err != OK || *ret)
        return err;
    err = fetch_history(w, resolve, ret);
    if (!mine)
        return err;
    bool resolved = err == OK && (resolve || is_self_contained(*ret));
    LOCK_SCOPE(&w->c->lock);
    if (err == OK)
        keep_history_locked(w, e, *ret, resolved);
    entry_land_locked(w->c, e, FLY_HISTORY, mine, err, w->call);
    return err;
}

/* -- all of it -- */

static enum err get_parts(struct work *w, unsigned parts, struct details *d)
{
    enum err err = OK;
    if (parts & PART_INPUT)
        err = get_text(w, &w->in->input, FLY_INPUT, &d->input);
    if (err == OK && (parts & PART_OUTPUT))
        err = get_text(w, &w->in->output, FLY_OUTPUT, &d->output);
    if (err == OK && (parts & PART_CUSTOM))
        err = get_text(w, &w->in->custom_status, FLY_CUSTOM, &d->custom);
    if (err == OK && (parts & (PART_EVENTS | PART_HISTORY)))
        err = get_history(w, parts & PART_HISTORY, &d->history);
    return err;
}

enum err catalogue_details(struct catalogue *c, struct call *call, struct str id, unsigned parts,
                           int64_t max_age_ms, struct details *ret)
{
    struct details d = { 0 };
    bool asked;
    enum err err = instance_fetch_walking(c, call, id, max_age_ms, &d.instance, &asked);
    struct work w = { c, call, d.instance, asked };
    if (err == OK)
        err = get_parts(&w, parts, &d);
    if (err != ERR_WOULD_BLOCK) {
        LOCK_SCOPE(&c->lock);
        count_use_locked(c, w.asked);
    }
    if (err == OK)
        *ret = d;
    else
        details_fini(&d);
    return err;
}
