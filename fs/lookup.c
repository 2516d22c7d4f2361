#include "fs/names.h"
#include "fs/tree_internal.h"

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
        *negative_ms = attrs_inside_ms(t, s.row, s.hold.known_ms);
        return call_fail(call, ERR_NOT_FOUND, "there is no %s in this state", kind->file->name);
    }
    if (kind->file)
        err = attrs_file(t, call, &child, s.row, s.hold.known_ms, false, ret);
    else
        attrs_dir(t, kind, child.node, place_text(&child), s.row, s.hold.known_ms, ret);
    if (err == OK)
        err = place_hold(t, kind, child.view, child.index, place_text(dir));
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

        attrs_dir(t, kind, node_beside(dir->node, node_pack(view, kind->number, hold.row.slot)), id,
                  &hold.row, hold.known_ms, ret);
        err = place_hold(t, kind, view, hold.row.slot, id);
        place_told(t, kind, ret);
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
        attrs_dir(t, kind, node_beside(dir->node, node_pack(view, kind->number, child.index)),
                  buf_str(&text), s.row, s.hold.known_ms, ret);
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
        *negative_ms = place_dir(&dir)->takes_messages ? 0 : CONSTANT_MS;
        return call_fail(call, ERR_NOT_FOUND, "there is no such file");
    }
    if (str_starts(name, STR("."))) {
        /* Spelt %2E in names of data; programs look for .git and the like at every step. */
        *negative_ms = CONSTANT_MS;
        return call_fail(call, ERR_NOT_FOUND, "there is no such file");
    }
    err = tree_decode_entry(t, call, &dir, name, &id);
    if (err != OK)
        return err;
    return place_dir(&dir)->folders ? lookup_folder(t, call, &dir, buf_str(&id), ret)
                                    : lookup_row(t, call, &dir, buf_str(&id), ret);
}
