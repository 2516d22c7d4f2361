#include "backend/base/grow.h"

#include <stdlib.h>

#define FIRST 16

void *grow(void *p, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return p;

    size_t wanted = *cap ? *cap * 2 : FIRST;
    void *more = reallocarray(p, wanted, size);

    if (more)
        *cap = wanted;
    return more;
}
