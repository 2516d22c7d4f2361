/* map: a hash table from text to a pointer (open addressing, seeded SipHash).
 * Knows neither what the pointers are nor who frees them.
 * Ownership: keys are copied, values are borrowed.
 * Threads: none of its own; the owner's lock guards it. */
#ifndef BACKEND_BASE_MAP_H
#define BACKEND_BASE_MAP_H

#include "backend/base/err.h"
#include "backend/base/str.h"

struct map {
    struct map_slot *slots;
    size_t cap, used, live; /* slots; taken, also by deleted entries; entries */
    uint64_t seed[2];       /* drawn at the first insertion */
};

void map_init(struct map *m);
void map_fini(struct map *m);
size_t map_count(const struct map *m);
void *map_get(const struct map *m, struct str key); /* NULL when absent */
void *map_del(struct map *m, struct str key);       /* the value that was there */

/* The value is not NULL. ERR_NO_MEMORY leaves the map as it was. */
MUST_CHECK enum err map_set(struct map *m, struct str key, void *value);

/* Walk in no particular order: for (size_t i = 0; map_next(m, &i, &key, &value);). Deleting the
 * current entry while walking is allowed, inserting is not. key lives until the entry goes. */
bool map_next(const struct map *m, size_t *i, struct str *ret_key, void **ret_value);

#endif
