/* text: immutable bytes shared by reference count (a payload, a rendered file).
 * Knows bytes only.
 * Ownership: text_new and text_take give one reference; text_unref accepts NULL and returns NULL.
 * Threads: any; the count is atomic, the bytes never change. */
#ifndef BACKEND_BASE_TEXT_H
#define BACKEND_BASE_TEXT_H

#include "backend/base/buf.h"

struct text {
    int refs; /* A */
    size_t len;
    char p[]; /* len bytes and a NUL that is not counted */
};

struct text *text_new(struct str bytes); /* copies; NULL without memory */
struct text *text_take(struct buf *b);   /* the buffer's bytes; empties b; NULL on its failure */
struct text *text_ref(struct text *t);   /* accepts NULL */
struct text *text_unref(struct text *t);
static inline struct str text_str(const struct text *t)
{
    return t ? (struct str){ t->p, t->len } : STR_NONE;
}
DEFINE_CLEANUP(struct text, text_unref)

#endif
