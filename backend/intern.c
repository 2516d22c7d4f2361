#include "backend/intern.h"

#include <stdlib.h>

#include "backend/base/lock.h"
#include "backend/base/map.h"

#define INTERN_TEXT_MAX                                                                            \
    4096 /* bytes; longer texts are no function names and stay with their block */

/* The one table of the process (a mutable global on purpose). A number is published by whoever got
 * it from intern(), so readers of strings[] need no lock. */
static struct lock table_lock = { PTHREAD_MUTEX_INITIALIZER, RANK_INTERN };
static struct map numbers;             /* L */
static struct str strings[INTERN_MAX]; /* L to write */
static uint32_t count;                 /* L; number 0 is the empty text, so never more than 65535 */

static char *copy_text(struct str s)
{
    char *copy = malloc(s.len);
    return copy ? memcpy(copy, s.p, s.len) : NULL;
}

static uint32_t add_locked(struct str s)
{
    if (count + 1 >= INTERN_MAX)
        return 0;
    char *copy = copy_text(s);
    if (!copy)
        return 0;
    uint32_t n = count + 1;
    if (map_set(&numbers, s, (void *)(uintptr_t)n) != OK) {
        free(copy);
        return 0;
    }
    strings[n] = (struct str){ copy, s.len };
    count = n;
    return n;
}

uint32_t intern(struct str s)
{
    if (!s.len || s.len > INTERN_TEXT_MAX)
        return 0;
    LOCK_SCOPE(&table_lock);
    uintptr_t n = (uintptr_t)map_get(&numbers, s);
    return n ? (uint32_t)n : add_locked(s);
}

struct str intern_str(uint32_t n)
{
    return n < INTERN_MAX ? strings[n] : STR_NONE;
}

bool intern_full(void)
{
    LOCK_SCOPE(&table_lock);
    return count + 1 >= INTERN_MAX;
}
