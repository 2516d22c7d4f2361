#include "backend/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#define ARENA_FIRST_CHUNK ((size_t)4096)
#define ARENA_LAST_CHUNK  ((size_t)1 << 20)

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, cap;
    alignas(max_align_t) char p[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena){ 0 };
}

void arena_fini(struct arena *a)
{
    struct arena_chunk *c = a->chunks;

    while (c) {
        struct arena_chunk *next = c->next;

        free(c);
        c = next;
    }
    arena_init(a);
}

static struct arena_chunk *chunk_new(struct arena *a, size_t cap)
{
    struct arena_chunk *c;

    if (cap > SIZE_MAX - sizeof(*c))
        return NULL;
    c = malloc(sizeof(*c) + cap);
    if (!c)
        return NULL;
    c->next = NULL;
    c->used = 0;
    c->cap = cap;
    a->total += sizeof(*c) + cap;
    return c;
}

bool arena_reserve(struct arena *a, size_t n)
{
    if (!a->chunks)
        a->chunks = chunk_new(a, n);
    return a->chunks;
}

/* The first chunk of the list is the one being filled. A request that would waste much of it gets a
 * chunk of its own behind it, so that small ones go on filling the first. */
static struct arena_chunk *arena_grow(struct arena *a, size_t n)
{
    size_t cap = a->chunks ? a->total : ARENA_FIRST_CHUNK;
    struct arena_chunk *c;

    if (cap > ARENA_LAST_CHUNK)
        cap = ARENA_LAST_CHUNK;
    bool own = n > cap / 4;
    if (own)
        cap = n;
    c = chunk_new(a, cap);
    if (!c)
        return NULL;
    if (own && a->chunks) {
        c->next = a->chunks->next;
        a->chunks->next = c;
    } else {
        c->next = a->chunks;
        a->chunks = c;
    }
    return c;
}

static char *arena_take(struct arena *a, size_t n, size_t align)
{
    struct arena_chunk *c = a->chunks;
    size_t at = c ? (c->used + align - 1) / align * align : 0;

    if (!c || at > c->cap || n > c->cap - at) {
        c = arena_grow(a, n);
        if (!c)
            return NULL;
        at = 0;
    }
    c->used = at + n;
    a->used += n;
    return c->p + at;
}

void *arena_alloc(struct arena *a, size_t n)
{
    void *p = arena_take(a, n, alignof(max_align_t));

    if (p)
        memset(p, 0, n);
    return p;
}

char *arena_bytes(struct arena *a, size_t n)
{
    return arena_take(a, n, 1);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = s.len < SIZE_MAX ? arena_bytes(a, s.len + 1) : NULL;

    if (!p)
        return STR_NONE;
    if (s.len)
        memcpy(p, s.p, s.len);
    p[s.len] = '\0';
    return (struct str){ p, s.len };
}
