#include "fs/kinds.h"

unsigned kinds_view_below(const struct kind *dir, unsigned view)
{
    return dir->dir->view != VIEW_PLAIN ? (unsigned)dir->dir->view : view;
}

enum node_class kind_class(unsigned number)
{
    return (enum node_class)(number >> KIND_ROW_BITS);
}

static enum node_class class_of(const struct kind *k)
{
    if (k->is_message)
        return CLASS_FILE_MESSAGE;
    if (!k->file)
        return k->dir->class;
    return k->file->is_command || k->file->store ? CLASS_FILE_ACTION : CLASS_FILE;
}

static struct kind *find(struct kinds *k, const struct dir_def *dir, const struct file_def *file,
                         bool is_message)
{
    for (unsigned i = 0; i < k->count; i++)
        if (k->rows[i].dir == dir && k->rows[i].file == file && k->rows[i].is_message == is_message)
            return &k->rows[i];
    return NULL;
}

/* The row's entry, made if it is new; its parent in this view. NULL when there are too many. */
static struct kind *enter(struct kinds *k, struct kind row, unsigned view, unsigned parent)
{
    struct kind *known = find(k, row.dir, row.file, row.is_message);

    if (!known) {
        if (k->count == KINDS_MAX)
            return NULL;
        row.number = (unsigned short)((unsigned)class_of(&row) << KIND_ROW_BITS | k->count);
        known = &k->rows[k->count++];
        *known = row;
    }
    known->parent[view] = (unsigned short)parent;
    return known;
}

/* A command that is not there may be written all the same (command.h, hidden_pending). */
static bool has_commands(const struct dir_def *dir)
{
    for (const struct file_def *f = dir->files; f && f->name; f++)
        if (f->is_command)
            return true;
    return false;
}

static enum err walk(struct kinds *k, const struct dir_def *dir, unsigned view, unsigned parent)
{
    struct kind *self = enter(k, (struct kind){ .dir = dir }, view, parent);
    unsigned below;

    if (!self)
        return ERR_TOO_BIG;
    below = kinds_view_below(self, view);
    for (const struct file_def *f = dir->files; f && f->name; f++)
        if (!enter(k, (struct kind){ .dir = dir, .file = f }, below, self->number))
            return ERR_TOO_BIG;
    if ((dir->takes_messages || has_commands(dir)) &&
        !enter(k, (struct kind){ .dir = dir, .is_message = true }, below, self->number))
        return ERR_TOO_BIG;
    for (const struct dir_def *const *d = dir->dirs; d && *d; d++) {
        enum err err = walk(k, *d, below, self->number);

        if (err != OK)
            return err;
    }
    return dir->child ? walk(k, dir->child, below, self->number) : OK;
}

enum err kinds_init(struct kinds *k, const struct dir_def *root)
{
    memset(k, 0, sizeof(*k));
    return walk(k, root, VIEW_PLAIN, 0);
}

const struct kind *kinds_get(const struct kinds *k, unsigned number)
{
    unsigned row = number & (KINDS_MAX - 1);

    return row < k->count && k->rows[row].number == number ? &k->rows[row] : NULL;
}

const struct kind *kinds_of_dir(const struct kinds *k, const struct dir_def *dir)
{
    return find((struct kinds *)k, dir, NULL, false);
}

const struct kind *kinds_of_file(const struct kinds *k, const struct dir_def *dir,
                                 const struct file_def *file)
{
    return find((struct kinds *)k, dir, file, false);
}

const struct kind *kinds_of_message(const struct kinds *k, const struct dir_def *dir)
{
    return find((struct kinds *)k, dir, NULL, true);
}
