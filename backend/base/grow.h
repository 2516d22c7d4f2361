/* grow: room for one more element in an array that doubles when it is full.
 * Ownership: as of realloc: the caller keeps what is returned, and frees it.
 * Threads: as the array's. Errors: NULL without memory, and the array is as it was. */
#ifndef BACKEND_BASE_GROW_H
#define BACKEND_BASE_GROW_H

#include <stddef.h>

#include "backend/base/attr.h"

/* p: count elements of size bytes, room for *cap; NULL and 0 in the beginning. */
MUST_CHECK void *grow(void *p, size_t count, size_t *cap, size_t size);

#endif
