/* What news of an instance make doubtful of that which was told: in the views where something of it
 * is known, its directory and what is in it, names that come and go with its state, and its name in
 * groups that it may have left. Walks the tables, so a new file or view needs nothing here. */
#include <stdlib.h>

#include "fs/dirs.h"
#include "fs/names.h"
#include "fs/tree_internal.h"

/* One instance in one view. */
struct stale {
    struct tree *t;
    const struct catalogue_news *news;
    const struct kind *kind; /* of its directory */
    unsigned view;
    bool inside; /* is anything known of what is in it? */
    node root;   /* of the hub */
    stale_node node;
    stale_name name;
    void *ctx;
    struct str file_name; /* of its directory */
    struct str status;    /* the group that it is in for all we know; empty = not known */
};

static node node_in(const struct stale *s, const struct kind *kind, unsigned view, uint64_t index)
{
    return node_beside(s->root, node_pack(view, kind->number, index));
}

static node own_node(const struct stale *s, const struct kind *kind)
{
    return node_in(s, kind, s->view, s->news->slot);
}

static bool stale_init(struct stale *s, struct tree *t, const struct catalogue_news *news,
                       void *ctx)
{
    *s = (struct stale){ .t = t,
                         .news = news,
                         .kind = kinds_of_dir(&t->kinds, &dir_instance),
                         .root = node_root_of(t->settings.hub),
                         .ctx = ctx };
    return s->kind; /* the top of several hubs has no instances */
}

uint64_t *tree_held_slots(struct tree *t, size_t *ret_count)
{
    return nodes_held_slots(&t->nodes, ret_count);
}

/* -- attributes -- */

static void emit_inside(const struct stale *s)
{
    const struct dir_def *dir = s->kind->dir;
    const struct kinds *kinds = &s->t->kinds;

    for (const struct file_def *f = dir->files; f && f->name; f++)
        s->node(s->ctx, own_node(s, kinds_of_file(kinds, dir, f)), false);
    for (const struct dir_def *const *d = dir->dirs; d && *d; d++)
        s->node(s->ctx, own_node(s, kinds_of_dir(kinds, *d)), true);
}

void tree_stale_nodes(struct tree *t, const struct catalogue_news *news, stale_node emit, void *ctx)
{
    unsigned marks = nodes_marks(&t->nodes, SPACE_SLOT, news->slot);
    struct stale s;

    if (marks == 0 || !stale_init(&s, t, news, ctx))
        return;
    s.node = emit;
    for (s.view = 0; s.view < VIEW_COUNT; s.view++) {
        if (marks & (NODE_MARK(s.view) | NODE_MARK_INSIDE(s.view)))
            emit(ctx, own_node(&s, s.kind), true);
        if (marks & NODE_MARK_INSIDE(s.view))
            emit_inside(&s);
    }
}

/* -- view directories -- */

static const struct kind *parent_of(const struct stale *s, const struct kind *kind)
{
    return kinds_get(&s->t->kinds, kind->parent[s->view]);
}

static void emit_group(void *ctx, struct str text)
{
    const struct stale *s = ctx;
    uint64_t index;

    if (nodes_find_folder(&s->t->nodes, text, &index))
        s->node(s->ctx, node_in(s, parent_of(s, s->kind), s->view, index), false);
}

void tree_stale_views(struct tree *t, const struct catalogue_news *news, stale_node emit, void *ctx)
{
    struct stale s;

    if (!stale_init(&s, t, news, ctx))
        return;
    s.node = emit;
    for (s.view = 0; s.view < VIEW_COUNT; s.view++) {
        const struct kind *parent = parent_of(&s, s.kind);

        if (parent->dir->holders) {
            parent->dir->holders(news, emit_group, &s);
            parent = parent_of(&s, parent);
        }
        emit(ctx, node_in(&s, parent, VIEW_PLAIN, 0), false);
    }
}

/* -- names -- */

static void emit_names_inside(const struct stale *s)
{
    const struct dir_def *dir = s->kind->dir;
    node own = own_node(s, s->kind);

    for (const struct file_def *f = dir->files; f && f->name; f++)
        if (f->present)
            s->name(s->ctx, own, str_c(f->name));
    for (const struct dir_def *const *d = dir->dirs; d && *d; d++)
        if ((*d)->present)
            s->name(s->ctx, own, str_c((*d)->name));
}

/* Who stands in the directory would be put out, so the group where it still is stays untouched. */
static void emit_name_in_group(void *ctx, struct str text)
{
    const struct stale *s = ctx;
    uint64_t index;

    if (!s->news->gone && str_eq(text, s->status))
        return;
    if (nodes_find_folder(&s->t->nodes, text, &index))
        s->name(s->ctx, node_in(s, parent_of(s, s->kind), s->view, index), s->file_name);
}

static void emit_names(const struct stale *s)
{
    const struct kind *parent = parent_of(s, s->kind);

    if (!s->news->gone && s->inside)
        emit_names_inside(s);
    if (!s->news->gone && s->view != VIEW_STATUS)
        return; /* it stays where it is: name and day of creation do not change */
    if (parent->dir->holders)
        parent->dir->holders(s->news, emit_name_in_group, (void *)s);
    else
        s->name(s->ctx, node_in(s, parent, VIEW_PLAIN, 0), s->file_name);
}

void tree_stale_names(struct tree *t, const struct catalogue_news *news, stale_name emit, void *ctx)
{
    unsigned marks = nodes_marks(&t->nodes, SPACE_SLOT, news->slot);
    CLEANUP(text_unref) struct text *id = nodes_text(&t->nodes, SPACE_SLOT, news->slot);
    char file_name[NAME_MAX_BYTES + 1];
    struct row_hold hold = { 0 };
    struct call memory;
    struct stale s;

    if (marks == 0 || !id || !stale_init(&s, t, news, ctx))
        return;
    s.name = emit;
    s.file_name = (struct str){ file_name, name_from_id(file_name, text_str(id)) };
    call_init_local(&memory);
    if (catalogue_row(t->catalogue, &memory, text_str(id), INT64_MAX, &hold) == OK)
        s.status = hold.row.status_text;
    for (s.view = 0; s.view < VIEW_COUNT; s.view++) {
        s.inside = marks & NODE_MARK_INSIDE(s.view);
        if (s.inside || marks & NODE_MARK(s.view))
            emit_names(&s);
    }
    row_hold_fini(&hold);
}
