#include <sys/stat.h>

#include "fs/tree_internal.h"

/* What a file of unknown size claims until it is fetched: nothing that can be opened is bigger, so
 * no tool cuts it short (fuse facts A3). */
#define SIZE_GUESS FROZEN_MAX_BYTES

bool file_is_present(const struct file_def *f, const struct row *row)
{
    return !f->present || f->present(row);
}

bool file_is_writable(const struct file_def *f)
{
    return f->is_command || f->store;
}

ticks row_time(const struct row *row, enum file_time time)
{
    ticks t = TICKS_NONE;

    if (time == TIME_CREATED)
        t = row->created;
    else if (time == TIME_COMPLETED)
        t = row_completed(row);
    if (t == TICKS_NONE)
        t = row->updated;
    return t == TICKS_NONE ? row->created : t;
}

static int64_t row_life_ms(const struct tree *t, const struct row *row)
{
    int64_t ttl_ms = t->settings.ttl_ms;

    return row && row_is_finished(row) && ttl_ms < TTL_FINISHED_MS ? TTL_FINISHED_MS : ttl_ms;
}

static bool is_told(const struct tree *t, const struct row *row)
{
    return row && row_is_finished(row) && t->settings.told_ms > 0;
}

int64_t attrs_row_ms(struct tree *t, const struct row *row, int64_t known_ms)
{
    int64_t life = row_life_ms(t, row), age = row ? clock_now_ms() - known_ms : 0;

    return age < 0 ? life : age < life ? life - age : 0;
}

int64_t attrs_inside_ms(struct tree *t, const struct row *row, int64_t known_ms)
{
    return is_told(t, row) ? t->settings.told_ms : attrs_row_ms(t, row, known_ms);
}

int64_t attrs_life_ms(struct tree *t, const struct row *row)
{
    return is_told(t, row) ? t->settings.told_ms : row_life_ms(t, row);
}

static void attrs_common(struct tree *t, node n, uint32_t type, uint32_t bits, struct attr *ret)
{
    const struct tree_settings *s = &t->settings;

    memset(ret, 0, sizeof(*ret));
    if (s->read_only)
        bits &= ~(uint32_t)0222;
    ret->node = n;
    ret->mode = type | (bits & ~s->umask);
    ret->uid = s->uid;
    ret->gid = s->gid;
}

void attrs_dir(struct tree *t, const struct kind *kind, node n, struct str text,
               const struct row *row, int64_t known_ms, struct attr *ret)
{
    attrs_common(t, n, S_IFDIR, 0755, ret);
    ret->size = sizes_of(t, kind, node_view(n), text, row);
    ret->size_exact = true;
    ret->mtime = ret->ctime = row ? row_time(row, TIME_UPDATED) : sizes_changed(t);
    /* Whoever walks into an instance by its name comes by here once in the life of its row; so a
     * change that nobody has told us of is not believed longer. */
    ret->entry_ms = ret->attr_ms = kind->dir->class == CLASS_DIR_INSIDE
                                       ? attrs_inside_ms(t, row, known_ms)
                                       : attrs_row_ms(t, row, known_ms);
}

void attrs_message(struct tree *t, node n, struct attr *ret)
{
    attrs_common(t, n, S_IFREG, 0644, ret);
    ret->size_exact = true;
    ret->mtime = ret->ctime = clock_wall();
}

/* The size as far as it can be told without a request; false if it cannot. */
static enum err size_from_row(struct tree *t, struct call *call, const struct place *p,
                              const struct row *row, uint64_t *ret, bool *ret_known)
{
    const struct file_def *f = p->kind->file;
    struct text *text = NULL;
    enum err err;

    *ret = 0;
    *ret_known = f->waits || (!f->show && !f->fetch) || (row && f->empty && f->empty(row));
    if (*ret_known || f->parts != 0 || f->fetch)
        return OK;
    err = content_from_row(t, call, p, row, &text);
    if (err != OK)
        return err;
    *ret = text->len;
    *ret_known = true;
    text_unref(text);
    return OK;
}

static void take_rendered(const struct rendered *r, struct attr *ret)
{
    ret->size = r->text->len;
    ret->size_exact = true;
    ret->mtime = ret->ctime = r->mtime;
    ret->attr_ms = r->live ? 0 : r->life_ms;
}

void attrs_rendered(struct tree *t, const struct place *p, const struct rendered *r,
                    struct attr *ret)
{
    attrs_common(t, p->node, S_IFREG, p->kind->file->mode, ret);
    ret->entry_ms = r->life_ms;
    take_rendered(r, ret);
}

static enum err size_from_content(struct tree *t, struct call *call, const struct place *p,
                                  struct attr *ret)
{
    struct rendered r;
    enum err err = content_render(t, call, p, &r);

    if (err != OK)
        return err;
    take_rendered(&r, ret);
    rendered_fini(&r);
    return OK;
}

/* Names come without a fetch; an exact size of what is cached costs nothing, though. */
static enum err size_at_hand(struct tree *t, const struct place *p, struct attr *ret)
{
    struct call memory;
    enum err err;

    if (p->kind->file->fetch)
        return ERR_WOULD_BLOCK;
    call_init_local(&memory);
    memory.glance = true;
    err = size_from_content(t, &memory, p, ret);
    /* Whatever is wrong with the content, its name is there; the stat or open that wants it says.
     */
    return err == OK || err == ERR_NO_MEMORY ? err : ERR_WOULD_BLOCK;
}

static void set_lives(struct tree *t, const struct place *p, const struct row *row,
                      int64_t known_ms, struct attr *ret)
{
    const struct file_def *f = p->kind->file;
    bool stays = row && p->kind->dir->row == ROW_INSTANCE && !f->present && t->settings.told_ms > 0;

    ret->attr_ms = f->constant ? CONSTANT_MS : row ? attrs_inside_ms(t, row, known_ms) : 0;
    ret->entry_ms = f->constant ? CONSTANT_MS
                    : stays ? t->settings.told_ms /* as long as the instance, whatever its state */
                            : attrs_inside_ms(t, row, known_ms);
}

enum err attrs_file(struct tree *t, struct call *call, const struct place *p, const struct row *row,
                    int64_t known_ms, bool exact, struct attr *ret)
{
    const struct file_def *f = p->kind->file;
    bool known = false;
    enum err err;

    attrs_common(t, p->node, S_IFREG, f->mode, ret);
    ret->mtime = ret->ctime = row ? row_time(row, f->time) : sizes_changed(t);
    set_lives(t, p, row, known_ms, ret); /* an open file has attributes of its own: handle.h */
    err = size_from_row(t, call, p, row, &ret->size, &known);
    if (err != OK)
        return err;
    ret->size_exact = known;
    if (file_is_writable(f) && ret->size > 0)
        ret->attr_ms = 0; /* what it reads as may be forgotten */
    if (known)
        return OK;
    err = exact ? size_from_content(t, call, p, ret) : size_at_hand(t, p, ret);
    if (exact || err != ERR_WOULD_BLOCK)
        return err;
    ret->size = SIZE_GUESS;
    ret->attr_ms = 0;
    return OK;
}
