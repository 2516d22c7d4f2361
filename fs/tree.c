#include "fs/tree.h"

#include <stdlib.h>

#include "fs/dirs.h"
#include "fs/names.h"
#include "fs/tree_internal.h"

struct tree *tree_new(const struct tree_settings *settings)
{
    struct tree *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    if (kinds_init(&t->kinds, &dir_root) != OK) {
        free(t);
        return NULL;
    }
    t->settings = *settings;
    t->catalogue = settings->catalogue;
    t->mounted = clock_wall();
    nodes_init(&t->nodes);
    sizes_init(&t->sizes);
    memo_init(&t->restarts);
    memo_init(&t->shortened);
    atomic_init(&t->messages, 1);
    atomic_init(&t->versions, 1);
    atomic_init(&t->stale_since_ms, 0);
    atomic_init(&t->stale_count, 0);
    return t;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    memo_fini(&t->shortened);
    memo_fini(&t->restarts);
    sizes_fini(&t->sizes);
    nodes_fini(&t->nodes);
    free(t);
}

enum node_class tree_class(node n)
{
    return n == NODE_ROOT ? CLASS_DIR_VIEW : kind_class(node_kind(n));
}

void tree_forget(struct tree *t, node n, uint64_t count)
{
    const struct kind *kind = kinds_get(&t->kinds, n == NODE_ROOT ? 0 : node_kind(n));

    if (kind)
        nodes_forget(&t->nodes, place_space(kind), node_index(n), count);
}

enum err tree_hold(struct tree *t, const struct attr *a, struct str id)
{
    const struct kind *kind = kinds_get(&t->kinds, a->node == NODE_ROOT ? 0 : node_kind(a->node));

    if (!kind)
        return ERR_BUG;
    return nodes_hold(&t->nodes, place_space(kind), node_index(a->node), id);
}

uint64_t tree_instance_count(struct tree *t)
{
    struct listing *l = catalogue_listing_now(t->catalogue, LIST_INSTANCES);
    uint64_t n = l ? listing_count(l) : 0;

    listing_unref(l);
    return n;
}

enum err tree_folders(struct tree *t, struct call *call, const struct place *dir,
                      struct folders *ret)
{
    CLEANUP(listing_unref) struct listing *l = NULL;
    enum err err = catalogue_listing(t->catalogue, call, place_dir(dir)->what, &l);

    if (err == OK)
        err = place_dir(dir)->folders(l, call, place_text(dir), ret);
    if (err == OK && ret->err != OK)
        err = call_fail(call, ret->err, "out of memory");
    return err;
}

/* -- attributes -- */

enum err tree_attr(struct tree *t, struct call *call, node n, bool exact, struct attr *ret)
{
    CLEANUP_PLACE struct place p = { 0 };
    CLEANUP_SUBJECT struct subject s = { 0 };
    enum err err = place_of(t, call, n, &p);

    if (err != OK)
        return err;
    if (p.kind->is_message) {
        attrs_message(t, n, ret);
        return OK;
    }
    err = subject_get(t, call, &p, &s);
    if (err != OK)
        return err;
    if (!p.kind->file) {
        attrs_dir(t, p.kind, n, place_text(&p), s.row, ret);
        return OK;
    }
    if (!file_is_present(p.kind->file, s.row))
        return call_fail(call, ERR_NOT_FOUND, "there is no %s in this state", p.kind->file->name);
    return attrs_file(t, call, &p, s.row, exact, ret);
}

/* -- lookup -- */

static const struct kind *fixed_child(const struct tree *t, const struct place *dir,
                                      struct str name)
{
    const struct dir_def *def = place_dir(dir);

    for (const struct file_def *f = def->files; f && f->name; f++)
        if (str_eq(name, str_c(f->name)))
            return kinds_of_file(&t->kinds, def, f);
    for (const struct dir_def *const *d = def->dirs; d && *d; d++)
        if (str_eq(name, str_c((*d)->name)))
            return kinds_of_dir(&t->kinds, *d);
    return NULL;
}

static enum err lookup_fixed(struct tree *t, struct call *call, const struct place *dir,
                             const struct kind *kind, struct attr *ret, int64_t *negative_ms)
{
    struct place child = place_fixed(dir, kind);
    CLEANUP_SUBJECT struct subject s = { 0 };
    enum err err = subject_get(t, call, dir, &s);

    if (err != OK)
        return err;
    if (kind->file && !file_is_present(kind->file, s.row)) {
        *negative_ms = attrs_life_ms(t, s.row);
        return call_fail(call, ERR_NOT_FOUND, "there is no %s in this state", kind->file->name);
    }
    if (kind->file)
        err = attrs_file(t, call, &child, s.row, false, ret);
    else
        attrs_dir(t, kind, child.node, place_text(&child), s.row, ret);
    if (err == OK)
        err = nodes_hold(&t->nodes, place_space(kind), child.index, place_text(dir));
    return err;
}

struct search {
    struct str name;
    struct buf *ret;
    bool found;
};

static void match_name(struct search *s, struct str id)
{
    char spelling[NAME_MAX_BYTES + 1];

    /* An id of less bytes is never cut: an escape is three bytes for one. */
    if (s->found || 3 * id.len <= NAME_MAX_BYTES)
        return;
    if (!str_eq((struct str){ spelling, name_from_id(spelling, id) }, s->name))
        return;
    buf_clear(s->ret);
    buf_add(s->ret, id);
    s->found = true;
}

static enum err search_rows(struct tree *t, struct call *call, const struct place *dir,
                            struct search *search)
{
    CLEANUP(listing_unref) struct listing *l = NULL;
    struct listing_filter filter = { .kind = FILTER_ALL };
    enum err err = catalogue_listing(t->catalogue, call, place_dir(dir)->what, &l);
    uint64_t cursor = 0;

    for (bool more = true; err == OK && more && !search->found;) {
        struct row row;

        err = listing_next(l, call, &filter, &cursor, &row, &more);
        if (err == OK && more)
            match_name(search, row.id);
    }
    return err;
}

static enum err search_folders(struct tree *t, struct call *call, const struct place *dir,
                               struct search *search)
{
    struct folders folders;
    enum err err;

    folders_init(&folders);
    err = tree_folders(t, call, dir, &folders);
    for (size_t i = 0; err == OK && i < folders.count; i++)
        match_name(search, folders.items[i].name);
    folders_fini(&folders);
    return err;
}

static enum err find_shortened(struct tree *t, struct call *call, const struct place *dir,
                               struct str name, struct buf *ret)
{
    CLEANUP(text_unref) struct text *known = memo_get(&t->shortened, name);
    struct search search = { name, ret, false };
    enum err err;

    if (known) {
        buf_clear(ret);
        buf_add(ret, text_str(known));
        return buf_err(ret);
    }
    err = place_dir(dir)->folders ? search_folders(t, call, dir, &search)
                                  : search_rows(t, call, dir, &search);
    if (err == OK && !search.found)
        err = call_fail(call, ERR_NOT_FOUND, "no such name in the listing");
    if (err == OK)
        err = memo_put(&t->shortened, name, buf_str(ret));
    return err;
}

enum err tree_decode_entry(struct tree *t, struct call *call, const struct place *dir,
                           struct str name, struct buf *ret)
{
    switch (name_to_id(ret, name)) {
    case NAME_PLAIN:
        return OK;
    case NAME_SHORTENED:
        return find_shortened(t, call, dir, name, ret);
    case NAME_BAD:
        break;
    }
    return call_fail(call, ERR_NOT_FOUND, "this is not the spelling of any name");
}

static enum err lookup_row(struct tree *t, struct call *call, const struct place *dir,
                           struct str id, struct attr *ret)
{
    const struct kind *kind = kinds_of_dir(&t->kinds, place_dir(dir)->child);
    struct listing_filter filter;
    struct row_hold hold = { 0 };
    enum err err;

    if (id_is_entity(id) || !place_dir(dir)->rows(place_text(dir), &filter))
        return call_fail(call, ERR_NOT_FOUND, "there is no such instance here");
    err = tree_row(t, call, id, &hold);
    if (err != OK)
        return err;
    if (!filter_passes(&filter, &hold.row)) {
        err = call_fail(call, ERR_NOT_FOUND, "the instance is not in this group");
    } else {
        unsigned view = kinds_view_below(dir->kind, dir->view);

        attrs_dir(t, kind, node_pack(view, kind->number, hold.row.slot), id, &hold.row, ret);
        err = nodes_hold(&t->nodes, SPACE_SLOT, hold.row.slot, id);
    }
    row_hold_fini(&hold);
    return err;
}

/* Is a group of this name in the listing? The one at hand is asked first, an old one is renewed
 * before the answer is no. */
static enum err folder_exists(struct tree *t, struct call *call, const struct place *dir,
                              struct str name)
{
    struct folders folders;
    bool found;
    enum err err;

    if (sizes_of_folder(t, place_dir(dir), name) > 0)
        return OK;
    folders_init(&folders);
    err = tree_folders(t, call, dir, &folders);
    found = err == OK && folders_find(&folders, name);
    folders_fini(&folders);
    if (err != OK || found)
        return err;
    return call_fail(call, ERR_NOT_FOUND, "nothing of this name is in the hub");
}

static enum err lookup_folder(struct tree *t, struct call *call, const struct place *dir,
                              struct str name, struct attr *ret)
{
    const struct dir_def *def = place_dir(dir);
    const struct kind *kind = kinds_of_dir(&t->kinds, def->child);
    unsigned view = kinds_view_below(dir->kind, dir->view);
    CLEANUP_BUF struct buf text = BUF_INIT(FROZEN_MAX_BYTES);
    CLEANUP_SUBJECT struct subject s = { 0 };
    struct place child = { .view = view, .kind = kind };
    enum err err = OK;

    if (!def->admits || !def->admits(place_text(dir), name))
        err = folder_exists(t, call, dir, name);
    if (err != OK)
        return err;
    if (def->compose)
        def->compose(&text, place_text(dir), name);
    else
        buf_add(&text, name);
    if (buf_err(&text) != OK)
        return call_fail(call, buf_err(&text), "out of memory");
    err = nodes_hold_folder(&t->nodes, buf_str(&text), &child.index);
    if (err != OK)
        return call_fail(call, err, "this name cannot be numbered");
    child.text = nodes_text(&t->nodes, SPACE_FOLDER, child.index);
    err = subject_get(t, call, &child, &s);
    if (err == OK)
        attrs_dir(t, kind, node_pack(view, kind->number, child.index), buf_str(&text), s.row, ret);
    else
        nodes_forget(&t->nodes, SPACE_FOLDER, child.index, 1);
    place_fini(&child);
    return err;
}

enum err tree_lookup(struct tree *t, struct call *call, node parent, struct str name,
                     struct attr *ret, int64_t *negative_ms)
{
    CLEANUP_PLACE struct place dir = { 0 };
    CLEANUP_BUF struct buf id = BUF_INIT(FROZEN_MAX_BYTES);
    const struct kind *fixed;
    enum err err = place_of(t, call, parent, &dir);

    *negative_ms = 0;
    if (err != OK)
        return err;
    if (dir.kind->file || dir.kind->is_message)
        return call_fail(call, ERR_BUG, "a file was searched as a directory");
    fixed = fixed_child(t, &dir, name);
    if (fixed)
        return lookup_fixed(t, call, &dir, fixed, ret, negative_ms);
    if (!place_dir(&dir)->child) {
        /* A name that no table has stays absent; messages come and go. */
        *negative_ms = place_dir(&dir)->takes_messages ? 0 : TTL_FINISHED_MS;
        return call_fail(call, ERR_NOT_FOUND, "there is no such file");
    }
    err = tree_decode_entry(t, call, &dir, name, &id);
    if (err != OK)
        return err;
    return place_dir(&dir)->folders ? lookup_folder(t, call, &dir, buf_str(&id), ret)
                                    : lookup_row(t, call, &dir, buf_str(&id), ret);
}

/* -- paths -- */

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
    if (place_of(t, &memory, n, &p) != OK) {
        add_segment(ret, STR("(forgotten)"));
    } else if (p.kind->is_message) {
        add_segment(ret, place_text(&p));
    } else {
        const struct kind *dir = kinds_of_dir(&t->kinds, p.kind->dir);

        add_dir_path(t, dir, p.view, place_text(&p), ret);
        if (p.kind->file)
            add_segment(ret, str_c(p.kind->file->name));
    }
    if (child.len > 0)
        add_segment(ret, child);
}
