#include <stdlib.h>
#include <sys/stat.h>

#include "fs/lister.h"
#include "fs/names.h"
#include "fs/tree_internal.h"

/* From the listing of a name to a look at it; find reads a hundred thousand names before it looks
 * at the first. */
#define DUE_MS 2000

/* An open directory: its fixed entries, then groups or rows. Offsets: fixed entries 0 ... n_fixed -
 * 1, then trees, groups by position or the listing's own cursor. */
struct lister {
    struct tree *tree;
    struct place dir;
    struct subject subject; /* frozen: which files are there does not change while it is open */
    const struct kind *fixed[LISTER_FIXED_MAX];
    size_t n_fixed;
    const struct kind *child;
    unsigned view;        /* of the entries */
    bool bare;            /* the reader wants node and type only */
    int64_t due_ms;       /* names that the kernel knows until then are told anew; 0 = none is */
    struct folders trees; /* what lister_add put in: names, and the nodes as counts */
    struct folders folders;
    bool by_rows;
    struct listing_filter filter;
    struct listing *listing;
    bool loads;      /* it did when the directory was opened */
    struct buf text; /* of the current entry */
    char name[NAME_MAX_BYTES + 1];
};

void lister_free(struct lister *l)
{
    if (!l)
        return;
    folders_fini(&l->trees);
    folders_fini(&l->folders);
    buf_fini(&l->text);
    listing_unref(l->listing);
    subject_fini(&l->subject);
    place_fini(&l->dir);
    free(l);
}

static enum err add_fixed(struct lister *l, struct call *call, const struct kind *kind)
{
    if (l->n_fixed == LISTER_FIXED_MAX)
        return call_fail(call, ERR_BUG, "a directory has more than %d fixed entries",
                         LISTER_FIXED_MAX);
    l->fixed[l->n_fixed++] = kind;
    return OK;
}

static enum err collect_fixed(struct lister *l, struct call *call)
{
    const struct dir_def *dir = l->dir.kind->dir;
    const struct row *row = l->subject.row;
    const struct kinds *kinds = &l->tree->kinds;
    enum err err = OK;

    for (const struct file_def *f = dir->files; err == OK && f && f->name; f++)
        if (!f->hidden && file_is_present(f, row))
            err = add_fixed(l, call, kinds_of_file(kinds, dir, f));
    for (const struct dir_def *const *d = dir->dirs; err == OK && d && *d; d++)
        if (!(*d)->present || (*d)->present(row))
            err = add_fixed(l, call, kinds_of_dir(kinds, *d));
    return err;
}

static enum err open_data(struct lister *l, struct call *call)
{
    const struct dir_def *dir = l->dir.kind->dir;

    if (!dir->child)
        return OK;
    l->child = kinds_of_dir(&l->tree->kinds, dir->child);
    if (dir->folders)
        return tree_folders(l->tree, call, &l->dir, &l->folders);
    l->by_rows = dir->rows(place_text(&l->dir), &l->filter);
    if (!l->by_rows)
        return OK;
    enum err err = catalogue_listing(l->tree->catalogue, call, dir->what, &l->listing);

    l->loads = err == OK && listing_state(l->listing) != LISTING_COMPLETE;
    return err;
}

enum err tree_opendir(struct tree *t, struct call *call, node dir, struct lister **ret)
{
    struct lister *l = calloc(1, sizeof(*l));
    enum err err;

    if (!l)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    l->tree = t;
    folders_init(&l->trees);
    folders_init(&l->folders);
    buf_init(&l->text, FROZEN_MAX_BYTES);
    err = place_of(t, call, dir, &l->dir);
    if (err == OK && (l->dir.kind->file || l->dir.kind->is_message))
        err = call_fail(call, ERR_BUG, "a file was opened as a directory");
    if (err == OK) {
        l->view = kinds_view_below(l->dir.kind, l->dir.view);
        err = subject_get(t, call, &l->dir, &l->subject);
    }
    if (err == OK)
        err = collect_fixed(l, call);
    if (err == OK)
        err = open_data(l, call);
    if (err != OK) {
        lister_free(l);
        return err;
    }
    *ret = l;
    return OK;
}

static uint32_t fixed_mode(const struct kind *kind)
{
    return kind->file ? S_IFREG | kind->file->mode : S_IFDIR | 0755;
}

static enum err fixed_entry(struct lister *l, const struct kind *kind, struct entry *ret)
{
    struct tree *t = l->tree;
    struct place p = place_fixed(&l->dir, kind);
    struct call memory;
    enum err err = OK;

    ret->id = place_text(&p);
    ret->name = str_c(kind->file ? kind->file->name : kind->dir->name);
    if (l->bare) {
        ret->attr = (struct attr){ .node = p.node, .mode = fixed_mode(kind) };
        return OK;
    }
    if (kind->file) {
        call_init_local(&memory);
        err =
            attrs_file(t, &memory, &p, l->subject.row, l->subject.hold.known_ms, false, &ret->attr);
        ret->complete = err == OK && ret->attr.size_exact;
        if (err != OK)
            ret->attr = (struct attr){ .node = p.node, .mode = fixed_mode(kind) };
        return OK;
    }
    attrs_dir(t, kind, p.node, place_text(&p), l->subject.row, l->subject.hold.known_ms,
              &ret->attr);
    ret->complete = true;
    return OK;
}

static node child_node(const struct lister *l, uint64_t index)
{
    return node_beside(l->dir.node, node_pack(l->view, l->child->number, index));
}

/* An entity's row, if it is at hand: only for its time. */
static enum err folder_entry(struct lister *l, const struct folder *g, struct entry *ret)
{
    const struct dir_def *dir = l->dir.kind->dir;
    struct row_hold hold = { 0 };
    struct call memory;
    bool has_row = false;
    node n;

    buf_clear(&l->text);
    if (dir->compose)
        dir->compose(&l->text, place_text(&l->dir), g->name);
    else
        buf_add(&l->text, g->name);
    if (buf_err(&l->text) != OK)
        return buf_err(&l->text);
    ret->id = buf_str(&l->text);
    ret->name = (struct str){ l->name, name_from_id(l->name, g->name) };
    n = child_node(l, folder_number(ret->id));
    if (l->child->dir->row != ROW_NONE) {
        call_init_local(&memory);
        has_row = catalogue_row(l->tree->catalogue, &memory, ret->id, INT64_MAX, &hold) == OK;
    }
    attrs_dir(l->tree, l->child, n, ret->id, has_row ? &hold.row : NULL, hold.known_ms, &ret->attr);
    row_hold_fini(&hold);
    ret->complete = true;
    return OK;
}

/* What was purged here while the listing loads is not in it any more (mount layout 6). */
static bool is_passed_over(const struct lister *l, struct str id)
{
    return l->loads && catalogue_is_gone(l->tree->catalogue, id);
}

static enum err whole_row(struct lister *l, struct call *call, uint64_t *cursor, struct entry *ret,
                          bool *more)
{
    struct row row;
    enum err err;

    do
        err = listing_next(l->listing, call, &l->filter, cursor, &row, more);
    while (err == OK && *more && is_passed_over(l, row.id));
    if (err != OK || !*more)
        return err;
    ret->id = row.id;
    attrs_dir(l->tree, l->child, child_node(l, row.slot), row.id, &row,
              listing_as_of_ms(l->listing), &ret->attr);
    ret->complete = true;
    return OK;
}

/* A walk that looks at every entry costs a lookup for each whose name is not believed any more;
 * told along with the listing it costs next to nothing. */
static bool is_due(const struct lister *l, uint32_t slot)
{
    return l->due_ms && nodes_is_due(&l->tree->nodes, slot, l->due_ms);
}

/* What a reader who wants node and type only is given: no more is read of the row. */
static enum err bare_row(struct lister *l, struct call *call, uint64_t *cursor, struct entry *ret,
                         bool *more)
{
    uint64_t before = *cursor;
    uint32_t slot = 0;
    enum err err;

    do
        err = listing_next_id(l->listing, call, &l->filter, cursor, &ret->id, &slot, more);
    while (err == OK && *more && is_passed_over(l, ret->id));
    if (err == OK && *more && is_due(l, slot)) {
        *cursor = before;
        ret->due = true;
        return whole_row(l, call, cursor, ret, more);
    }
    ret->attr.node = child_node(l, slot);
    ret->attr.mode = S_IFDIR | 0755;
    return err;
}

static enum err row_entry(struct lister *l, struct call *call, uint64_t cursor, struct entry *ret,
                          bool *more)
{
    enum err err =
        l->bare ? bare_row(l, call, &cursor, ret, more) : whole_row(l, call, &cursor, ret, more);

    if (err != OK || !*more)
        return err;
    ret->name = (struct str){ l->name, name_from_id(l->name, ret->id) };
    ret->next = l->n_fixed + cursor;
    /* Only an id with so many bytes can be too long: an escape is three for one. */
    if (3 * ret->id.len > NAME_MAX_BYTES && str_has(ret->name, STR("%~")))
        err = memo_put(&l->tree->shortened, ret->name, ret->id);
    return err;
}

void lister_want(struct lister *l, bool attributes)
{
    l->bare = !attributes;
    l->due_ms = l->bare && nodes_count(&l->tree->nodes) ? clock_now_ms() + DUE_MS : 0;
}

enum err lister_add(struct lister *l, struct str name, node n)
{
    folders_add(&l->trees, name, n);
    return l->trees.err;
}

/* Its attributes are asked for when it is looked up: that is another tree's business. */
static enum err tree_entry(struct lister *l, const struct folder *tree, struct entry *ret)
{
    ret->name = (struct str){ l->name, name_from_id(l->name, tree->name) };
    ret->attr = (struct attr){ .node = tree->count, .mode = S_IFDIR | 0755 };
    return OK;
}

enum err lister_entry(struct lister *l, struct call *call, uint64_t offset, struct entry *ret,
                      bool *more)
{
    uint64_t at = offset - l->n_fixed;

    memset(ret, 0, sizeof(*ret));
    *more = true;
    ret->next = offset + 1;
    if (offset < l->n_fixed)
        return fixed_entry(l, l->fixed[offset], ret);
    if (at < l->trees.count)
        return tree_entry(l, &l->trees.items[at], ret);
    if (l->by_rows)
        return row_entry(l, call, at, ret, more);
    *more = at < l->folders.count;
    return *more ? folder_entry(l, &l->folders.items[at], ret) : OK;
}

uint64_t lister_count(struct lister *l)
{
    if (!l->by_rows)
        return l->n_fixed + l->trees.count + l->folders.count;
    if (l->filter.kind == FILTER_ALL || listing_state(l->listing) != LISTING_COMPLETE)
        return l->n_fixed + listing_count(l->listing);
    /* A few instances among a million are a small directory. */
    return l->n_fixed +
           sizes_of(l->tree, l->dir.kind, l->dir.view, place_text(&l->dir), l->subject.row);
}
