/* arena: many small allocations freed together.
 * Ownership: everything handed out lives until arena_fini.
 * Threads: private to one thread while it grows; frozen, anyone may read what it holds. */
#ifndef BACKEND_BASE_ARENA_H
#define BACKEND_BASE_ARENA_H

#include "backend/base/str.h"

struct arena {
    struct arena_chunk *chunks;
    size_t used;  /* bytes handed out */
    size_t total; /* bytes allocated */
};

void arena_init(struct arena *a);
void arena_fini(struct arena *a);

/* Before anything is handed out: n bytes of text will come, so take no more than these. False: no
 * memory. */
bool arena_reserve(struct arena *a, size_t n);
/* Zeroed, aligned for any type; NULL without memory. */
void *arena_alloc(struct arena *a, size_t n);
/* Neither zeroed nor aligned; NULL without memory. */
char *arena_bytes(struct arena *a, size_t n);
/* A copy with a NUL behind it; p is NULL without memory. */
struct str arena_str(struct arena *a, struct str s);

#endif
