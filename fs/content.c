#include "fs/tree_internal.h"

void rendered_fini(struct rendered *r)
{
    r->text = text_unref(r->text);
}

void content_fini(struct content *c)
{
    c->text = text_unref(c->text);
}

static enum err show(struct tree *t, struct call *call, const struct place *p,
                     const struct row *row, const struct details *details, struct text **ret)
{
    const struct file_def *f = p->kind->file;
    struct view v = { t, row, details, place_text(p) };
    CLEANUP_BUF struct buf out = BUF_INIT(FROZEN_MAX_BYTES);
    struct text *text;
    enum err err = OK;

    if (f->fetch)
        err = f->fetch(t, call, &out);
    else if (f->show)
        err = f->show(&v, &out);
    if (err == OK)
        err = buf_err(&out);
    if (err == ERR_TOO_BIG)
        return call_fail(call, err, "%s is bigger than %u MiB", f->name, FROZEN_MAX_BYTES / MIB);
    if (err != OK)
        return err;
    text = text_take(&out);
    if (!text)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    *ret = text;
    return OK;
}

enum err content_from_row(struct tree *t, struct call *call, const struct place *p,
                          const struct row *row, struct text **ret)
{
    return show(t, call, p, row, NULL, ret);
}

/* The same bytes for the same state of the row: the framework writes the row after the history, and
 * the length tells apart what a failing checkpoint may leave. */
static uint64_t version_of(struct tree *t, const struct file_def *f, const struct row *row,
                           const struct text *text)
{
    uint64_t x;

    if (f->constant)
        return 1;
    if (!row || row->stamp == TICKS_NONE || file_is_writable(f) ||
        (f->ages && !row_is_finished(row)))
        return atomic_fetch_add(&t->versions, 1) << 1; /* even: never equal to the others */
    x = (uint64_t)row->stamp * UINT64_C(0x9e3779b97f4a7c15);
    x ^= (text->len + 1) * UINT64_C(0xc2b2ae3d27d4eb4f);
    x ^= (uint64_t)f->parts << 40;
    return (x ^ x >> 29) | 1;
}

static void describe(struct tree *t, const struct file_def *f, const struct row *row,
                     struct rendered *ret)
{
    ret->live = row ? !row_is_finished(row) || file_is_writable(f) : !f->constant;
    ret->mtime = row ? row_time(row, f->time) : sizes_changed(t);
    ret->life_ms = attrs_life_ms(t, row);
    ret->version = version_of(t, f, row, ret->text);
}

static enum err not_present(struct call *call, const struct file_def *f)
{
    return call_fail(call, ERR_NOT_FOUND, "there is no %s in this state", f->name);
}

static enum err render_from_row(struct tree *t, struct call *call, const struct place *p,
                                struct rendered *ret)
{
    CLEANUP_SUBJECT struct subject s = { 0 };
    enum err err = subject_get(t, call, p, &s);

    if (err != OK)
        return err;
    if (!file_is_present(p->kind->file, s.row))
        return not_present(call, p->kind->file);
    err = show(t, call, p, s.row, NULL, &ret->text);
    if (err == OK)
        describe(t, p->kind->file, s.row, ret);
    return err;
}

static enum err render_from_parts(struct tree *t, struct call *call, const struct place *p,
                                  struct rendered *ret)
{
    const struct file_def *f = p->kind->file;
    struct details details = { 0 };
    enum err err = catalogue_details(t->catalogue, call, place_text(p), f->parts,
                                     t->settings.ttl_ms, &details);

    if (err != OK)
        return err;
    if (!place_is_current(t, p))
        err = call_fail(call, ERR_NOT_FOUND, "the instance was deleted and started again");
    else if (!file_is_present(f, &details.instance->row))
        err = not_present(call, f);
    else
        err = show(t, call, p, &details.instance->row, &details, &ret->text);
    if (err == OK)
        describe(t, f, &details.instance->row, ret);
    details_fini(&details);
    return err;
}

/* Nothing needs to be fetched where the row says that there is nothing. */
static enum err render_empty(struct tree *t, struct call *call, const struct place *p,
                             struct rendered *ret, bool *ret_empty)
{
    CLEANUP_SUBJECT struct subject s = { 0 };
    enum err err = subject_get(t, call, p, &s);

    if (err != OK || !s.row || !p->kind->file->empty(s.row))
        return err;
    ret->text = text_new(STR_NONE);
    if (!ret->text)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    describe(t, p->kind->file, s.row, ret);
    *ret_empty = true;
    return OK;
}

enum err content_render(struct tree *t, struct call *call, const struct place *p,
                        struct rendered *ret)
{
    const struct file_def *f = p->kind->file;
    bool empty = false;
    enum err err;

    memset(ret, 0, sizeof(*ret));
    if (f->parts == 0)
        return render_from_row(t, call, p, ret);
    if (f->empty) {
        err = render_empty(t, call, p, ret, &empty);
        if (err != OK || empty)
            return err;
    }
    return render_from_parts(t, call, p, ret);
}

static enum err must_be_file(struct call *call, const struct place *p)
{
    if (!p->kind->file && !p->kind->is_message)
        return call_fail(call, ERR_BUG, "a directory was read as a file");
    return OK;
}

/* What is open for writing a message reads as empty (O_RDWR). */
static enum err read_message(struct tree *t, struct call *call, node n, struct content *ret)
{
    ret->live = true;
    attrs_message(t, n, &ret->attr);
    ret->text = text_new(STR_NONE);
    return ret->text ? OK : call_fail(call, ERR_NO_MEMORY, "out of memory");
}

static enum err read_waiting(struct tree *t, struct call *call, const struct place *p,
                             struct content *ret)
{
    CLEANUP_SUBJECT struct subject s = { 0 };
    enum err err = subject_get(t, call, p, &s);

    ret->waits = ret->live = true;
    if (err == OK)
        err = attrs_file(t, call, p, s.row, s.hold.known_ms, false, &ret->attr);
    return err;
}

enum err tree_read(struct tree *t, struct call *call, node file, struct content *ret)
{
    CLEANUP_PLACE struct place p = { 0 };
    struct rendered r;
    enum err err = place_of(t, call, file, &p);

    memset(ret, 0, sizeof(*ret));
    if (err == OK)
        err = must_be_file(call, &p);
    if (err != OK)
        return err;
    if (p.kind->is_message)
        return read_message(t, call, file, ret);
    if (p.kind->file->waits)
        return read_waiting(t, call, &p, ret);
    err = content_render(t, call, &p, &r);
    if (err != OK)
        return err;
    attrs_rendered(t, &p, &r, &ret->attr);
    ret->text = r.text;
    ret->version = r.version;
    ret->live = r.live;
    ret->follows = p.kind->file->follows && r.live;
    return OK;
}

/* Where the longest end of old that the new rendering begins with (or that begins with it) starts;
 * always at the beginning of a line. */
static size_t overlap_at(struct str old, struct str now)
{
    for (size_t at = 0; at < old.len;) {
        struct str end = str_slice(old, at, old.len);
        const char *next;

        if (str_starts(now, end) || str_starts(end, now))
            return at;
        next = memchr(end.p, '\n', end.len);
        at = next ? (size_t)(next - old.p) + 1 : old.len;
    }
    return old.len;
}

/* What was read stays: a rendering that does not continue it follows it (mount layout 3.3). */
static enum err continued(struct call *call, struct text *old, struct text *now, struct text **ret)
{
    size_t at = overlap_at(text_str(old), text_str(now));
    CLEANUP_BUF struct buf out = BUF_INIT(FROZEN_MAX_BYTES);

    if (at + now->len <= old->len) {
        *ret = text_ref(old);
        return OK;
    }
    if (at == 0) {
        *ret = text_ref(now);
        return OK;
    }
    buf_add(&out, str_slice(text_str(old), 0, at));
    buf_add(&out, text_str(now));
    if (buf_err(&out) != OK)
        return call_fail(call, buf_err(&out), "what was followed has grown too big");
    *ret = text_take(&out);
    return *ret ? OK : call_fail(call, ERR_NO_MEMORY, "out of memory");
}

enum err tree_follow(struct tree *t, struct call *call, node file, struct text *old,
                     struct text **ret)
{
    CLEANUP_PLACE struct place p = { 0 };
    struct rendered r;
    enum err err = place_of(t, call, file, &p);

    if (err == OK)
        err = must_be_file(call, &p);
    if (err != OK)
        return err;
    if (p.kind->is_message || !p.kind->file->follows) {
        *ret = text_ref(old);
        return OK;
    }
    err = content_render(t, call, &p, &r);
    if (err != OK)
        return err;
    err = continued(call, old, r.text, ret);
    rendered_fini(&r);
    return err;
}

enum err tree_moved(struct tree *t, struct call *call, node file, int64_t max_age_ms,
                    uint64_t *ret_number, bool *ret_finished)
{
    CLEANUP_PLACE struct place p = { 0 };
    struct row_hold hold = { 0 };
    enum err err = place_of(t, call, file, &p);

    if (err == OK && (!p.kind->file || !p.kind->file->follows))
        err = call_fail(call, ERR_BUG, "this file does not grow");
    if (err == OK)
        err = catalogue_row(t->catalogue, call, place_text(&p), max_age_ms, &hold);
    if (err != OK)
        return err;
    if (slot_matches(&p, &hold.row)) {
        *ret_number = (uint64_t)hold.row.stamp << 1 | 1;
        *ret_finished = row_is_finished(&hold.row);
    } else
        err = call_fail(call, ERR_NOT_FOUND, "the instance was deleted");
    row_hold_fini(&hold);
    return err;
}

bool tree_waits(struct tree *t, node file)
{
    const struct kind *kind = kinds_get(&t->kinds, node_kind(file));

    return kind && kind->file && kind->file->waits;
}

enum err tree_waited(struct tree *t, struct call *call, node file, int64_t max_age_ms,
                     struct text **ret)
{
    CLEANUP_PLACE struct place p = { 0 };
    struct row_hold hold = { 0 };
    enum err err = place_of(t, call, file, &p);

    if (err == OK && (!p.kind->file || !p.kind->file->waits))
        err = call_fail(call, ERR_BUG, "this file does not wait");
    if (err == OK)
        err = catalogue_row(t->catalogue, call, place_text(&p), max_age_ms, &hold);
    if (err != OK)
        return err;
    if (!slot_matches(&p, &hold.row))
        err = call_fail(call, ERR_NOT_FOUND, "the instance was deleted");
    else if (!row_is_finished(&hold.row))
        err = call_fail(call, ERR_BUSY, "the instance is not finished");
    else
        err = show(t, call, &p, &hold.row, NULL, ret);
    row_hold_fini(&hold);
    return err;
}
