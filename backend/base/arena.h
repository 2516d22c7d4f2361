/* arena: many small allocations freed together.
 * Ownership: everything handed out lives until arena_fini (or arena_reset).
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
void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned for any type; NULL without memory */
char *arena_bytes(struct arena *a, size_t n); /* not zeroed, not aligned */
struct str arena_str(struct arena *a, struct str s); /* a copy, NUL behind it; p NULL without memory */

#endif
