#include "fs/names.h"
#include "fs/tree_internal.h"

static void add_segment(struct buf *ret, struct str segment)
{
    if (ret->len > 0)
        buf_add_ch(ret, '/');
    buf_add(ret, segment);
}

static void add_spelt(struct buf *ret, struct str id)
{
    char name[NAME_MAX_BYTES + 1];
    size_t len = name_from_id(name, id);

    add_segment(ret, (struct str){ name, len });
}

/* The group that an instance is in, in this view: the node does not know it, its row does. */
static void add_group_of_row(struct tree *t, unsigned view, struct str id, struct buf *ret)
{
    struct row_hold hold = { 0 };
    struct call memory;

    call_init_local(&memory);
    if (catalogue_row(t->catalogue, &memory, id, INT64_MAX, &hold) != OK) {
        add_segment(ret, STR("*"));
        return;
    }
    if (view == VIEW_STATUS) {
        add_spelt(ret, hold.row.status_text);
    } else if (view == VIEW_NAME) {
        add_spelt(ret, hold.row.name);
    } else {
        buf_add_ch(ret, '/');
        ticks_print_day(ret, hold.row.created);
    }
    row_hold_fini(&hold);
}

static void add_dir_path(struct tree *t, const struct kind *kind, unsigned view, struct str text,
                         struct buf *ret)
{
    const struct kind *parent = kinds_get(&t->kinds, kind->parent[view]);
    const struct dir_def *dir = kind->dir;
    struct str key, name;

    if (kind->number == 0)
        return;
    if (dir->name) {
        unsigned above = dir->space == SPACE_NONE ? VIEW_PLAIN : view;

        add_dir_path(t, parent, above, text, ret);
        add_segment(ret, str_c(dir->name));
        return;
    }
    if (dir->space == SPACE_SLOT && view != VIEW_PLAIN) {
        add_dir_path(t, kinds_get(&t->kinds, parent->parent[view]), VIEW_PLAIN, STR_NONE, ret);
        add_group_of_row(t, view, text, ret);
        add_spelt(ret, text);
        return;
    }
    if (dir->row == ROW_ENTITY && id_split_entity(text, &name, &key)) {
        add_dir_path(t, parent, view, name, ret);
        add_spelt(ret, key);
        return;
    }
    add_dir_path(t, parent, VIEW_PLAIN, text, ret);
    add_spelt(ret, text);
}

void tree_path(struct tree *t, node n, struct str child, struct buf *ret)
{
    CLEANUP_PLACE struct place p = { 0 };
    struct call memory;

    call_init_local(&memory);
    bool known = place_of(t, &memory, n, &p) == OK;
    bool is_message = known && p.kind->is_message;
    if (t->settings.prefix && !is_message)
        add_segment(ret, str_c(t->settings.prefix));
    if (!known) {
        add_segment(ret, STR("(forgotten)"));
    } else if (is_message) {
        add_segment(ret, place_text(&p)); /* its whole path */
    } else {
        const struct kind *dir = kinds_of_dir(&t->kinds, p.kind->dir);

        add_dir_path(t, dir, p.view, place_text(&p), ret);
        if (p.kind->file)
            add_segment(ret, str_c(p.kind->file->name));
    }
    if (child.len > 0)
        add_segment(ret, child);
}
