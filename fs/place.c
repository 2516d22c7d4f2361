#include "fs/tree_internal.h"

enum node_space place_space(const struct kind *kind)
{
    return kind->is_message ? SPACE_MESSAGE : kind->dir->space;
}

static unsigned mark_of(const struct kind *kind, unsigned view)
{
    if (place_space(kind) != SPACE_SLOT)
        return 0;
    return !kind->file && kind->dir->class == CLASS_DIR_INSTANCE ? NODE_MARK(view)
                                                                 : NODE_MARK_INSIDE(view);
}

enum err place_hold(struct tree *t, const struct kind *kind, unsigned view, uint64_t index,
                    struct str text)
{
    return nodes_hold_marked(&t->nodes, place_space(kind), index, text, mark_of(kind, view));
}

void place_told(struct tree *t, const struct kind *kind, const struct attr *a)
{
    if (place_space(kind) == SPACE_SLOT && !kind->file && kind->dir->class == CLASS_DIR_INSTANCE)
        nodes_told(&t->nodes, node_index(a->node), clock_now_ms() + a->entry_ms);
}

enum err place_of(struct tree *t, struct call *call, node n, struct place *ret)
{
    const struct kind *kind = kinds_get(&t->kinds, node_kind(n));
    struct place p = { .node = n, .view = node_view(n), .kind = kind, .index = node_index(n) };

    if (!kind || p.view >= VIEW_COUNT || (kind->number == 0 && !node_is_root(n)))
        return call_fail(call, ERR_NOT_FOUND, "there is no such file");
    if (place_space(kind) != SPACE_NONE) {
        p.text = nodes_text(&t->nodes, place_space(kind), p.index);
        if (!p.text)
            return call_fail(call, ERR_NOT_FOUND, "this file is not known any more");
    }
    *ret = p;
    return OK;
}

struct place place_fixed(const struct place *dir, const struct kind *kind)
{
    unsigned view = kinds_view_below(dir->kind, dir->view);
    uint64_t index = place_space(kind) == SPACE_NONE ? 0 : dir->index;

    return (struct place){ .node = node_beside(dir->node, node_pack(view, kind->number, index)),
                           .view = view,
                           .kind = kind,
                           .index = index,
                           .text = place_space(kind) == SPACE_NONE ? NULL : dir->text };
}

void place_fini(struct place *p)
{
    p->text = text_unref(p->text);
}

void subject_fini(struct subject *s)
{
    row_hold_fini(&s->hold);
    s->row = NULL;
}

/* Counts old rows within one freshness period. */
static bool many_are_stale(struct tree *t)
{
    int64_t now = clock_now_ms();

    if (now - atomic_load(&t->stale_since_ms) > t->settings.ttl_ms) {
        atomic_store(&t->stale_since_ms, now);
        atomic_store(&t->stale_count, 0);
    }
    return atomic_fetch_add(&t->stale_count, 1) >= STALE_SINGLY_MAX;
}

/* A walk over many instances outlives the freshness of the listing: one refresh of it is cheaper
 * than a request a row. If it fails, the row that is wanted is asked for and says why. */
static void refresh_if_many(struct tree *t, struct call *call, struct str id)
{
    enum list_what what = id_is_entity(id) ? LIST_ENTITIES : LIST_INSTANCES;
    struct listing *l = catalogue_listing_now(t->catalogue, what);
    bool complete = l && listing_state(l) == LISTING_COMPLETE;
    struct listing *fresh = NULL;

    listing_unref(l);
    if (complete && many_are_stale(t) && catalogue_listing(t->catalogue, call, what, &fresh) == OK)
        listing_unref(fresh);
}

enum err tree_row(struct tree *t, struct call *call, struct str id, struct row_hold *ret)
{
    int64_t ttl_ms = t->settings.ttl_ms;
    struct call memory;
    enum err err;

    if (call->local)
        return catalogue_row(t->catalogue, call, id, ttl_ms, ret);
    call_init_local(&memory);
    err = catalogue_row(t->catalogue, &memory, id, ttl_ms, ret);
    if (err == OK)
        return OK;
    if (err != ERR_WOULD_BLOCK)
        return call_fail(call, err, "%s", memory.text);
    refresh_if_many(t, call, id);
    return catalogue_row(t->catalogue, call, id, ttl_ms, ret);
}

bool slot_matches(const struct place *p, const struct row *row)
{
    return place_space(p->kind) != SPACE_SLOT || row->slot == 0 || row->slot == p->index;
}

/* A purge seen here or elsewhere may have given the id to a new instance. */
bool place_is_current(struct tree *t, const struct place *p)
{
    struct row_hold hold = { 0 };
    struct call memory;
    bool same = true;

    call_init_local(&memory);
    if (catalogue_row(t->catalogue, &memory, place_text(p), INT64_MAX, &hold) == OK) {
        same = slot_matches(p, &hold.row);
        row_hold_fini(&hold);
    }
    return same;
}

/* Deleted and empty entities keep their rows (storage tables 9.4); the listing leaves them out. */
static enum err entity_is_there(struct tree *t, struct call *call, struct str id,
                                const struct row_hold *hold, bool *ret)
{
    struct details details = { 0 };
    struct entity_state state;
    struct arena arena;
    enum err err;

    *ret = true;
    if (hold->listing)
        return OK;
    err = catalogue_details(t->catalogue, call, id, PART_CELLS, t->settings.ttl_ms, &details);
    if (err != OK)
        return err;
    arena_init(&arena);
    memset(&state, 0, sizeof(state));
    entity_state_read_status(&state, details.instance->custom_status.text, &arena);
    *ret = !state.empty;
    arena_fini(&arena);
    details_fini(&details);
    return OK;
}

static enum err entity_subject(struct tree *t, struct call *call, const struct place *p,
                               struct subject *ret)
{
    bool there = false;
    enum err err = tree_row(t, call, place_text(p), &ret->hold);

    if (err == OK)
        err = entity_is_there(t, call, place_text(p), &ret->hold, &there);
    if (err == OK && there)
        ret->row = &ret->hold.row;
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err instance_subject(struct call *call, const struct place *p, enum err err,
                                 struct subject *ret)
{
    if (err == OK && !slot_matches(p, &ret->hold.row))
        err = call_fail(call, ERR_NOT_FOUND, "the instance was deleted and started again");
    if (err == OK)
        ret->row = &ret->hold.row;
    else
        subject_fini(ret);
    return err;
}

enum err subject_at_hand(struct tree *t, struct call *call, const struct place *p,
                         struct subject *ret)
{
    memset(ret, 0, sizeof(*ret));
    return instance_subject(
        call, p, catalogue_row(t->catalogue, call, place_text(p), INT64_MAX, &ret->hold), ret);
}

enum err subject_get(struct tree *t, struct call *call, const struct place *p, struct subject *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (p->kind->dir->row == ROW_NONE || p->kind->is_message)
        return OK;
    if (p->kind->dir->row == ROW_INSTANCE)
        return instance_subject(call, p, tree_row(t, call, place_text(p), &ret->hold), ret);
    enum err err = entity_subject(t, call, p, ret);

    if (err != OK)
        subject_fini(ret);
    return err;
}
