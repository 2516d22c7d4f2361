#include "fs/tree_internal.h"

void memo_init(struct memo *m)
{
    lock_init(&m->lock, RANK_INODES);
    map_init(&m->map);
}

static void clear_locked(struct memo *m)
{
    struct str key;
    void *value;

    for (size_t i = 0; map_next(&m->map, &i, &key, &value);)
        text_unref(value);
    map_fini(&m->map);
    map_init(&m->map);
}

void memo_fini(struct memo *m)
{
    clear_locked(m);
    map_fini(&m->map);
    lock_fini(&m->lock);
}

void memo_clear(struct memo *m)
{
    LOCK_SCOPE(&m->lock);
    clear_locked(m);
}

enum err memo_put(struct memo *m, struct str key, struct str value)
{
    struct text *copy = text_new(value);
    enum err err;

    if (!copy)
        return ERR_NO_MEMORY;
    LOCK_SCOPE(&m->lock);
    if (map_count(&m->map) >= MEMO_MAX)
        clear_locked(m);
    text_unref(map_del(&m->map, key));
    err = map_set(&m->map, key, copy);
    if (err != OK)
        text_unref(copy);
    return err;
}

struct text *memo_get(struct memo *m, struct str key)
{
    LOCK_SCOPE(&m->lock);
    return text_ref(map_get(&m->map, key));
}
