#include "backend/base/text.h"

#include <stdlib.h>

struct text *text_new(struct str bytes)
{
    struct text *t;

    if (bytes.len > SIZE_MAX - sizeof(*t) - 1)
        return NULL;
    t = malloc(sizeof(*t) + bytes.len + 1);
    if (!t)
        return NULL;
    t->refs = 1;
    t->len = bytes.len;
    if (bytes.len)
        memcpy(t->p, bytes.p, bytes.len);
    t->p[bytes.len] = '\0';
    return t;
}

/* The buffer's own block becomes the text: a payload of 64 MiB must not exist twice. */
struct text *text_take(struct buf *b)
{
    size_t len = b->len;
    enum err err = buf_err(b);
    struct text *t = NULL;

    if (!err && len <= SIZE_MAX - sizeof(*t) - 1)
        t = realloc(b->p, sizeof(*t) + len + 1);
    if (!t) {
        buf_fini(b);
        b->err = err ? err : ERR_NO_MEMORY; /* the caller may want to know which */
        return NULL;
    }
    if (len)
        memmove(t->p, t, len);
    t->p[len] = '\0';
    t->refs = 1;
    t->len = len;
    buf_init(b, b->max);
    return t;
}

struct text *text_ref(struct text *t)
{
    if (t)
        __atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED);
    return t;
}

struct text *text_unref(struct text *t)
{
    if (t && __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(t);
    return NULL;
}
