#include "fs/folders.h"

#include <stdlib.h>

#include "backend/base/digest.h"

void folders_init(struct folders *g)
{
    memset(g, 0, sizeof(*g));
    arena_init(&g->arena);
}

void folders_fini(struct folders *g)
{
    free(g->items);
    arena_fini(&g->arena);
    memset(g, 0, sizeof(*g));
}

static bool grow(struct folders *g)
{
    size_t cap = g->cap ? 2 * g->cap : 32;
    struct folder *items = realloc(g->items, cap * sizeof(*items));

    if (!items)
        return false;
    g->items = items;
    g->cap = cap;
    return true;
}

void folders_add(struct folders *g, struct str name, uint64_t count)
{
    struct str copy;

    if (g->err != OK)
        return;
    copy = arena_str(&g->arena, name);
    if (!copy.p || (g->count == g->cap && !grow(g))) {
        g->err = ERR_NO_MEMORY;
        return;
    }
    g->items[g->count++] = (struct folder){ copy, count };
}

void folders_emit(void *ctx, struct str name, uint64_t count)
{
    folders_add(ctx, name, count);
}

const struct folder *folders_find(const struct folders *g, struct str name)
{
    for (size_t i = 0; i < g->count; i++)
        if (str_eq(g->items[i].name, name))
            return &g->items[i];
    return NULL;
}

uint64_t folder_number(struct str text)
{
    unsigned char hash[32];
    uint64_t n = 0;

    digest_sha256(text, hash);
    for (int i = 0; i < 6; i++)
        n = n << 8 | hash[i];
    return n;
}
