#include "backend/base/map.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define MAP_FIRST_CAP 16

/* Empty: both pointers NULL. Deleted: key NULL, value = gone. */
struct map_slot {
    char *key;
    void *value;
    uint32_t len;
    uint32_t hash; /* low half; spares most comparisons, and the hashing when growing */
};

static char gone[1];

void map_init(struct map *m)
{
    *m = (struct map){ 0 };
}

void map_fini(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].key);
    free(m->slots);
    map_init(m);
}

size_t map_count(const struct map *m)
{
    return m->live;
}

/* SipHash-1-3 (Aumasson and Bernstein): instance ids come from whoever may start an instance, and
 * must not be able to line up in one chain. */
#define SIP_ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = SIP_ROTATE(v[1], 13) ^ v[0];
    v[3] = SIP_ROTATE(v[3], 16) ^ v[2];
    v[0] = SIP_ROTATE(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = SIP_ROTATE(v[1], 17) ^ v[2];
    v[3] = SIP_ROTATE(v[3], 21) ^ v[0];
    v[2] = SIP_ROTATE(v[2], 32);
}

static uint32_t map_hash(const struct map *m, struct str key)
{
    uint64_t v[4] = { m->seed[0] ^ UINT64_C(0x736f6d6570736575),
                      m->seed[1] ^ UINT64_C(0x646f72616e646f6d),
                      m->seed[0] ^ UINT64_C(0x6c7967656e657261),
                      m->seed[1] ^ UINT64_C(0x7465646279746573) };
    size_t left = key.len;
    const char *p = key.p;
    uint64_t word;

    for (; left >= sizeof(word); left -= sizeof(word), p += sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = 0;
    if (left)
        memcpy(&word, p, left);
    word ^= (uint64_t)key.len << 56;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return (uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

static void map_seed(struct map *m)
{
    if (getrandom(m->seed, sizeof(m->seed), 0) == (ssize_t)sizeof(m->seed))
        return;
    /* A kernel without getrandom: an address and the time are still hard to guess from outside. */
    struct timespec now = { 0 };

    (void)clock_gettime(CLOCK_REALTIME, &now);
    m->seed[0] = (uint64_t)(uintptr_t)m ^ (uint64_t)now.tv_nsec << 32;
    m->seed[1] = (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)&now << 16;
}

/* The slot of key, NULL when absent. There is always an empty slot, so the search ends. */
static struct map_slot *map_find(const struct map *m, struct str key)
{
    if (m->live == 0 || key.len > UINT32_MAX)
        return NULL;
    uint32_t hash = map_hash(m, key);

    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->slots[i];

        if (!s->key && !s->value)
            return NULL;
        if (s->key && s->hash == hash && str_eq(key, (struct str){ s->key, s->len }))
            return s;
    }
}

static struct map_slot *map_free_slot(struct map_slot *slots, size_t cap, uint32_t hash)
{
    size_t i = hash & (cap - 1);

    while (slots[i].value)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

/* A table for the live entries and as many again; deleted ones stay behind. */
static enum err map_rebuild(struct map *m)
{
    size_t cap = MAP_FIRST_CAP;
    struct map_slot *slots;

    while (cap < (m->live + 1) * 2)
        cap *= 2;
    slots = calloc(cap, sizeof(*slots));
    if (!slots)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].key)
            *map_free_slot(slots, cap, m->slots[i].hash) = m->slots[i];
    }
    if (m->cap == 0)
        map_seed(m);
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
    m->used = m->live;
    return OK;
}

void *map_get(const struct map *m, struct str key)
{
    const struct map_slot *s = map_find(m, key);

    return s ? s->value : NULL;
}

enum err map_set(struct map *m, struct str key, void *value)
{
    struct map_slot *s = map_find(m, key);
    char *copy;

    if (!value)
        return ERR_BUG; /* would look like an empty slot */
    if (key.len > UINT32_MAX)
        return ERR_TOO_BIG;
    if (s) {
        s->value = value;
        return OK;
    }
    if ((m->used + 1) * 4 > m->cap * 3) {
        enum err err = map_rebuild(m);

        if (err)
            return err;
    }
    copy = str_dup_c(key);
    if (!copy)
        return ERR_NO_MEMORY;
    uint32_t hash = map_hash(m, key);

    *map_free_slot(m->slots, m->cap, hash) =
        (struct map_slot){ copy, value, (uint32_t)key.len, hash };
    m->used++;
    m->live++;
    return OK;
}

void *map_del(struct map *m, struct str key)
{
    struct map_slot *s = map_find(m, key);
    void *value;

    if (!s)
        return NULL;
    value = s->value;
    free(s->key);
    /* Stays a step of the chains that pass here; nothing moves, because someone may be walking. */
    *s = (struct map_slot){ .value = gone };
    m->live--;
    return value;
}

bool map_next(const struct map *m, size_t *i, struct str *ret_key, void **ret_value)
{
    for (; *i < m->cap; ++*i) {
        const struct map_slot *s = &m->slots[*i];

        if (!s->key)
            continue;
        *ret_key = (struct str){ s->key, s->len };
        *ret_value = s->value;
        ++*i;
        return true;
    }
    return false;
}
