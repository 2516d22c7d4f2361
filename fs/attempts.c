#include "fs/attempts.h"

void attempts_init(struct attempts *a)
{
    map_init(&a->by_work);
    arena_init(&a->arena);
}

void attempts_fini(struct attempts *a)
{
    map_fini(&a->by_work);
    arena_fini(&a->arena);
}

enum err attempts_work(struct attempts *a, enum bar_kind kind, const struct event *e,
                       struct work **ret)
{
    CLEANUP_BUF struct buf key = BUF_INIT(SIZE_MAX);
    struct work *w;
    enum err err;

    buf_add_ch(&key, (char)('a' + kind));
    buf_add(&key, e->name);
    buf_add_ch(&key, '\0');
    /* Inputs in blobs have a name of their own each time. */
    if (e->input.kind == CELL_TEXT)
        buf_add(&key, e->input.text);
    *ret = map_get(&a->by_work, buf_str(&key));
    if (*ret)
        return OK;
    w = arena_alloc(&a->arena, sizeof(*w));
    err = w ? map_set(&a->by_work, buf_str(&key), w) : ERR_NO_MEMORY;
    *ret = err == OK ? w : NULL;
    return err;
}

unsigned work_tried(struct work *w)
{
    if (!w || w->unretried == 0)
        return 1;
    w->unretried--;
    return w->last + 1;
}

void work_failed(struct work *w, unsigned which)
{
    if (!w)
        return;
    w->last = which;
    w->unretried++;
}
