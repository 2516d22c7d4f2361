#include "fs/tree_internal.h"

void sizes_init(struct sizes *s)
{
    memset(s, 0, sizeof(*s));
    lock_init(&s->lock, RANK_INODES);
    s->changed = clock_wall();
    for (size_t i = 0; i < SIZES_MAX; i++)
        folders_init(&s->rows[i].folders);
}

void sizes_fini(struct sizes *s)
{
    for (size_t i = 0; i < SIZES_MAX; i++)
        folders_fini(&s->rows[i].folders);
    lock_fini(&s->lock);
}

/* The complete listing at hand, or NULL: stat never waits for one. */
static struct listing *listing_at_hand(struct tree *t, enum list_what what)
{
    struct listing *l = catalogue_listing_now(t->catalogue, what);

    if (l && listing_state(l) == LISTING_COMPLETE)
        return l;
    return listing_unref(l);
}

static struct sizes_row *row_locked(struct sizes *s, const struct dir_def *dir)
{
    for (size_t i = 0; i < SIZES_MAX; i++)
        if (s->rows[i].dir == dir || !s->rows[i].dir)
            return &s->rows[i];
    return NULL;
}

static bool is_current_locked(struct sizes *s, const struct dir_def *dir, struct listing *l)
{
    struct sizes_row *row = row_locked(s, dir);

    return row && row->dir == dir && row->of == l && row->as_of_ms == listing_as_of_ms(l);
}

static void keep(struct tree *t, const struct dir_def *dir, struct listing *l,
                 struct folders *folders)
{
    int64_t as_of_ms = listing_as_of_ms(l);
    struct sizes_row *row;

    LOCK_SCOPE(&t->sizes.lock);
    row = row_locked(&t->sizes, dir);
    if (!row)
        return;
    folders_fini(&row->folders);
    *row = (struct sizes_row){ dir, l, as_of_ms, *folders };
    folders_init(folders);
}

/* Counts the groups of a directory anew if the listing is another one. */
static bool renew(struct tree *t, const struct dir_def *dir, struct listing *l)
{
    struct folders folders;
    struct call call;
    bool ok;

    {
        LOCK_SCOPE(&t->sizes.lock);
        if (is_current_locked(&t->sizes, dir, l))
            return true;
    }
    call_init_local(&call);
    folders_init(&folders);
    ok = dir->folders(l, &call, STR_NONE, &folders) == OK && folders.err == OK;
    if (ok)
        keep(t, dir, l, &folders);
    folders_fini(&folders);
    return ok;
}

/* How many folders, or how many entries one of them has. */
static uint64_t count_in(struct tree *t, const struct dir_def *dir, const struct str *name)
{
    struct listing *l = listing_at_hand(t, dir->what);
    struct sizes_row *row;
    uint64_t n = 0;

    if (l && renew(t, dir, l)) {
        LOCK_SCOPE(&t->sizes.lock);
        row = row_locked(&t->sizes, dir);
        if (row && name) {
            const struct folder *g = folders_find(&row->folders, *name);

            n = g ? g->count : 0;
        } else if (row) {
            n = row->folders.count;
        }
    }
    listing_unref(l);
    return n;
}

static uint64_t count_fixed(const struct dir_def *dir, const struct row *row)
{
    uint64_t n = 0;

    for (const struct file_def *f = dir->files; f && f->name; f++)
        n += !f->hidden && file_is_present(f, row);
    for (const struct dir_def *const *d = dir->dirs; d && *d; d++)
        n += !(*d)->present || (*d)->present(row);
    return n;
}

static uint64_t count_all(struct tree *t)
{
    struct listing *l = catalogue_listing_now(t->catalogue, LIST_INSTANCES);
    uint64_t n = l ? listing_count(l) : 0;

    listing_unref(l);
    return n;
}

uint64_t sizes_of(struct tree *t, const struct kind *kind, unsigned view, struct str text,
                  const struct row *row)
{
    const struct dir_def *dir = kind->dir;
    const struct kind *parent = kinds_get(&t->kinds, kind->parent[view]);

    if (dir->takes_messages)
        return 0;
    if (!dir->rows && !dir->folders)
        return count_fixed(dir, row);
    if (dir->space == SPACE_FOLDER)
        return count_in(t, parent->dir, &text);
    return dir->rows ? count_all(t) : count_in(t, dir, NULL);
}

uint64_t sizes_of_folder(struct tree *t, const struct dir_def *dir, struct str name)
{
    return count_in(t, dir, &name);
}

ticks sizes_changed(struct tree *t)
{
    struct listing *l = t->catalogue ? catalogue_listing_now(t->catalogue, LIST_INSTANCES) : NULL;
    uint64_t count = l ? listing_count(l) : 0;
    struct sizes *s = &t->sizes;
    ticks changed;

    {
        LOCK_SCOPE(&s->lock);
        if (l && (s->seen != l || s->seen_count != count)) {
            if (s->seen)
                s->changed = clock_wall();
            s->seen = l;
            s->seen_count = count;
        }
        changed = s->changed;
    }
    listing_unref(l);
    return changed;
}
