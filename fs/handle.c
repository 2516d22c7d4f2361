#include <stdlib.h>

#include "backend/base/limits.h"
#include "backend/base/map.h"
#include "fs/handle.h"

/* Which version of a file the kernel's pages hold: 256,000 files, a few that share a slot. What is
 * forgotten only costs a keep. */
#define SEEN_SETS 65536
#define SEEN_WAYS 4

struct seen {
    node node;
    uint64_t version;
};

/* Readers of one payload share its bytes, so they count once. */
struct frozen {
    size_t refs;
};

struct handles {
    struct lock lock;
    size_t count;        /* L */
    struct handle *open; /* L: all of them */
    size_t bytes;        /* L */
    struct map newest;   /* L: node -> struct reader with bytes, linked to older ones */
    struct map frozen;   /* L: text pointer -> struct frozen */
    struct seen *seen;   /* L: SEEN_SETS times SEEN_WAYS */
};

static struct str node_key(const node *n)
{
    return (struct str){ (const char *)n, sizeof *n };
}

static struct str text_key(struct text *const *t)
{
    return (struct str){ (const char *)t, sizeof(struct text *) };
}

struct handles *handles_new(void)
{
    struct handles *hs = calloc(1, sizeof *hs);

    if (!hs)
        return NULL;
    hs->seen = calloc(SEEN_SETS, SEEN_WAYS * sizeof *hs->seen);
    if (!hs->seen) {
        free(hs);
        return NULL;
    }
    lock_init(&hs->lock, RANK_HANDLE);
    map_init(&hs->newest);
    map_init(&hs->frozen);
    return hs;
}

void handles_free(struct handles *hs)
{
    if (!hs)
        return;
    map_fini(&hs->newest);
    map_fini(&hs->frozen);
    lock_fini(&hs->lock);
    free(hs->seen);
    free(hs);
}

/* -- the budget -- */

static enum err admit_locked(struct handles *hs, struct call *call, struct handle *h)
{
    if (hs->count >= HANDLES_MAX)
        return call_fail(call, ERR_TOO_MANY, "%u files are open already, which is the limit",
                         HANDLES_MAX);
    hs->count++;
    h->next = hs->open;
    if (h->next)
        h->next->prev = h;
    hs->open = h;
    return OK;
}

static void leave_locked(struct handles *hs, struct handle *h)
{
    hs->count--;
    *(h->prev ? &h->prev->next : &hs->open) = h->next;
    if (h->next)
        h->next->prev = h->prev;
    h->prev = h->next = NULL;
}

static enum err charge_locked(struct handles *hs, struct call *call, size_t bytes)
{
    if (bytes > FROZEN_MAX_BYTES - hs->bytes)
        return call_fail(call, ERR_TOO_MANY,
                         "open files hold %zu bytes and %zu more are asked for, above the limit of "
                         "%u",
                         hs->bytes, bytes, FROZEN_MAX_BYTES);
    hs->bytes += bytes;
    return OK;
}

static enum err freeze_locked(struct handles *hs, struct call *call, struct text *t)
{
    if (!t)
        return OK;
    struct frozen *f = map_get(&hs->frozen, text_key(&t));
    if (f) {
        f->refs++;
        return OK;
    }
    enum err err = charge_locked(hs, call, t->len);
    if (err)
        return err;
    f = calloc(1, sizeof *f);
    if (!f || map_set(&hs->frozen, text_key(&t), f)) {
        free(f);
        hs->bytes -= t->len;
        return call_fail(call, ERR_NO_MEMORY, "no memory for an open file");
    }
    f->refs = 1;
    return OK;
}

static void thaw_locked(struct handles *hs, struct text *t)
{
    if (!t)
        return;
    struct frozen *f = map_get(&hs->frozen, text_key(&t));
    if (!f || --f->refs > 0)
        return;
    map_del(&hs->frozen, text_key(&t));
    free(f);
    hs->bytes -= t->len;
}

enum err handles_charge(struct handles *hs, struct call *call, size_t bytes)
{
    LOCK_SCOPE(&hs->lock);
    return charge_locked(hs, call, bytes);
}

void handles_discharge(struct handles *hs, size_t bytes)
{
    LOCK_SCOPE(&hs->lock);
    hs->bytes -= bytes;
}

size_t handles_count(struct handles *hs)
{
    LOCK_SCOPE(&hs->lock);
    return hs->count;
}

size_t handles_frozen(struct handles *hs)
{
    LOCK_SCOPE(&hs->lock);
    return hs->bytes;
}

/* -- readers -- */

static struct seen *seen_set(struct handles *hs, node n)
{
    uint64_t x = (n ^ n >> 32) * UINT64_C(0x9e3779b97f4a7c15);

    return &hs->seen[(x >> 48) % SEEN_SETS * SEEN_WAYS];
}

/* The slot of a file, or the one to use for it. */
static struct seen *seen_slot(struct handles *hs, node n)
{
    struct seen *set = seen_set(hs, n), *spare = NULL;

    for (size_t i = 0; i < SEEN_WAYS; i++) {
        if (set[i].node == n)
            return &set[i];
        if (!spare && set[i].node == 0)
            spare = &set[i];
    }
    return spare ? spare : &set[(n >> 7) % SEEN_WAYS];
}

static void note_seen(struct handles *hs, const struct reader *r)
{
    if (r->pages == PAGES_FRESH)
        *seen_slot(hs, r->h.node) = (struct seen){ r->h.node, r->version };
}

/* Two versions of one file must never meet in the page cache, which is one per node (R4). */
static bool other_version_open_locked(struct handles *hs, node n, uint64_t version)
{
    const struct reader *r = map_get(&hs->newest, node_key(&n));

    for (; r; r = r->older)
        if (r->pages != PAGES_NONE && r->version != version)
            return true;
    return false;
}

static enum reader_pages pages_locked(struct handles *hs, node n, const struct content *c)
{
    const struct seen *seen = seen_slot(hs, n);

    if (c->live || c->waits || c->follows || other_version_open_locked(hs, n, c->version))
        return PAGES_NONE;
    if (seen->node == n && seen->version == c->version)
        return PAGES_KEEP;
    return PAGES_FRESH;
}

static struct reader *reader_new(const struct attr *attr, const struct content *c)
{
    struct reader *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    *r = (struct reader){ .h = { .kind = HANDLE_READER, .node = attr->node },
                          .refs = 1,
                          .waits = c->waits,
                          .follows = c->follows,
                          .version = c->version,
                          .attr = *attr,
                          .text = c->text };
    r->attr.size = c->text ? c->text->len : 0;
    r->attr.size_exact = true;
    return r;
}

static enum err link_reader_locked(struct handles *hs, struct call *call, struct reader *r)
{
    if (!r->text)
        return OK;
    r->older = map_get(&hs->newest, node_key(&r->h.node));
    if (map_set(&hs->newest, node_key(&r->h.node), r))
        return call_fail(call, ERR_NO_MEMORY, "no memory for an open file");
    return OK;
}

static void unlink_reader_locked(struct handles *hs, struct reader *r)
{
    struct reader *at = map_get(&hs->newest, node_key(&r->h.node));

    if (at == r) {
        /* Replacing the value of a key that is there needs no memory, so it cannot fail. */
        if (!r->older || map_set(&hs->newest, node_key(&r->h.node), r->older))
            map_del(&hs->newest, node_key(&r->h.node));
        return;
    }
    for (; at; at = at->older)
        if (at->older == r) {
            at->older = r->older;
            return;
        }
}

enum err handles_open_reader(struct handles *hs, struct call *call, const struct attr *attr,
                             struct content *content, struct reader **ret)
{
    struct reader *r = reader_new(attr, content);

    if (!r)
        return call_fail(call, ERR_NO_MEMORY, "no memory for an open file");
    LOCK_SCOPE(&hs->lock);
    enum err err = admit_locked(hs, call, &r->h);
    if (err)
        goto out;
    err = freeze_locked(hs, call, r->text);
    if (err)
        goto out_count;
    r->pages = pages_locked(hs, attr->node, content);
    err = link_reader_locked(hs, call, r);
    if (err)
        goto out_frozen;
    content->text = NULL;
    *ret = r;
    return OK;
out_frozen:
    thaw_locked(hs, r->text);
out_count:
    leave_locked(hs, &r->h);
out:
    free(r);
    return err;
}

static void unref_locked(struct handles *hs, struct reader *r)
{
    if (--r->refs > 0)
        return;
    thaw_locked(hs, r->text);
    r->text = text_unref(r->text);
    free(r);
}

void handles_unref(struct handles *hs, struct reader *r)
{
    if (!r)
        return;
    LOCK_SCOPE(&hs->lock);
    unref_locked(hs, r);
}

struct reader *handles_newest(struct handles *hs, node file)
{
    LOCK_SCOPE(&hs->lock);
    struct reader *r = map_count(&hs->newest) ? map_get(&hs->newest, node_key(&file)) : NULL;
    if (r)
        r->refs++;
    return r;
}

void handles_override(struct handles *hs, struct attr *attr)
{
    LOCK_SCOPE(&hs->lock);
    if (map_count(&hs->newest) == 0)
        return;
    const struct reader *r = map_get(&hs->newest, node_key(&attr->node));
    if (!r)
        return;
    attr->size = r->attr.size;
    attr->size_exact = true;
    if (r->follows || r->pages == PAGES_NONE) /* true only as long as it is open */
        attr->attr_ms = 0;
}

struct text *reader_text(struct handles *hs, struct reader *r)
{
    LOCK_SCOPE(&hs->lock);
    return text_ref(r->text);
}

struct text *reader_read(struct handles *hs, struct reader *r)
{
    LOCK_SCOPE(&hs->lock);
    note_seen(hs, r); /* only a READ proves that the kernel has dropped the pages it had before */
    return text_ref(r->text);
}

void reader_attr(struct handles *hs, struct reader *r, struct attr *ret)
{
    LOCK_SCOPE(&hs->lock);
    *ret = r->attr;
    if (ret->size == 0)
        note_seen(hs, r); /* ... or a size with which it has none */
}

enum err reader_replace(struct handles *hs, struct call *call, struct reader *r,
                        const struct text *old, struct text *text)
{
    if (text == old)
        return OK;
    LOCK_SCOPE(&hs->lock);
    if (r->text != old)
        return OK;
    enum err err = freeze_locked(hs, call, text);
    if (err)
        return err;
    thaw_locked(hs, r->text);
    r->text = text_unref(r->text);
    r->text = text_ref(text);
    r->attr.size = text ? text->len : 0;
    return OK;
}

/* -- writers and listers -- */

enum err handles_open_writer(struct handles *hs, struct call *call, node file,
                             struct target *target, bool append, int opener, struct writer **ret)
{
    struct writer *w = calloc(1, sizeof *w);

    if (!w)
        return call_fail(call, ERR_NO_MEMORY, "no memory for an open file");
    w->h = (struct handle){ .kind = HANDLE_WRITER, .node = file };
    lock_take(&hs->lock);
    enum err err = admit_locked(hs, call, &w->h);
    lock_drop(&hs->lock);
    if (err) {
        free(w);
        return err;
    }
    lock_init(&w->lock, RANK_HANDLE);
    gather_init(&w->gather, target->body, append);
    w->target = *target;
    w->opener = opener;
    *target = (struct target){ 0 };
    *ret = w;
    return OK;
}

enum err handles_open_lister(struct handles *hs, struct call *call, node dir, struct lister *lister,
                             struct walk *walk, struct lister_handle **ret)
{
    struct lister_handle *l = calloc(1, sizeof *l);

    if (!l)
        return call_fail(call, ERR_NO_MEMORY, "no memory for an open directory");
    LOCK_SCOPE(&hs->lock);
    l->h = (struct handle){ .kind = HANDLE_LISTER, .node = dir };
    enum err err = admit_locked(hs, call, &l->h);
    if (err) {
        free(l);
        return err;
    }
    l->lister = lister;
    l->walk = walk;
    *ret = l;
    return OK;
}

static void close_reader(struct handles *hs, struct reader *r)
{
    LOCK_SCOPE(&hs->lock);
    leave_locked(hs, &r->h);
    unlink_reader_locked(hs, r);
    unref_locked(hs, r);
}

static void close_writer(struct handles *hs, struct writer *w)
{
    gather_fini(&w->gather);
    target_fini(&w->target);
    lock_fini(&w->lock);
    LOCK_SCOPE(&hs->lock);
    leave_locked(hs, &w->h);
    hs->bytes -= w->charged;
    free(w);
}

static void close_lister(struct handles *hs, struct lister_handle *l)
{
    lister_free(l->lister);
    LOCK_SCOPE(&hs->lock);
    leave_locked(hs, &l->h);
    free(l);
}

void handles_close(struct handles *hs, struct handle *h)
{
    switch (h->kind) {
    case HANDLE_READER:
        close_reader(hs, (struct reader *)h);
        break;
    case HANDLE_WRITER:
        close_writer(hs, (struct writer *)h);
        break;
    case HANDLE_LISTER:
        close_lister(hs, (struct lister_handle *)h);
        break;
    }
}

void handles_close_all(struct handles *hs, void (*before)(void *ctx, struct handle *h), void *ctx)
{
    while (hs->open) {
        struct handle *h = hs->open;

        if (before)
            before(ctx, h);
        handles_close(hs, h);
    }
}
