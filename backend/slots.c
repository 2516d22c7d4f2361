/* One number per instance and mount. A listed instance has it in its row; c->slots holds those of
 * instances that no listing has yet, and the new number of one whose listed life is over. */
#include "backend/catalogue_private.h"

#include <stdlib.h>

static uint32_t remembered_locked(struct catalogue *c, struct str id)
{
    return map_count(&c->slots) ? (uint32_t)(uintptr_t)map_get(&c->slots, id) : 0;
}

static uint32_t new_slot_locked(struct catalogue *c, struct str id)
{
    uint32_t slot = ++c->last_slot;
    /* Without memory it is forgotten and the next look gives another: harmless, names stay right.
     */
    (void)!map_set(&c->slots, id, (void *)(uintptr_t)slot);
    return slot;
}

static bool listed_slot(struct listing *l, struct str key, struct str id, uint32_t *ret)
{
    struct row row;
    if (!l || !listing_find(l, key, &row) || !str_eq(row.id, id) || !row.slot)
        return false;
    *ret = row.slot;
    return true;
}

static bool any_listed_slot_locked(struct catalogue *c, struct str id, uint32_t *ret)
{
    const struct shelf *s = shelf_of_id(c, id);
    struct str key = key_of_locked(c, id);
    return listed_slot(s->current, key, id, ret) || listed_slot(s->next, key, id, ret) ||
           listed_slot(s->rebuilt, key, id, ret) || listed_slot(s->before, key, id, ret);
}

uint32_t slot_known_locked(struct catalogue *c, struct str id)
{
    uint32_t slot = remembered_locked(c, id);
    if (!slot)
        (void)any_listed_slot_locked(c, id, &slot);
    return slot;
}

uint32_t slot_of_locked(struct catalogue *c, struct str id)
{
    uint32_t slot = slot_known_locked(c, id);
    return slot ? slot : new_slot_locked(c, id);
}

void slot_retire_locked(struct catalogue *c, struct str id)
{
    uint32_t dead;
    (void)map_del(&c->slots, id);
    if (any_listed_slot_locked(c, id, &dead))
        (void)new_slot_locked(c, id); /* overrules what the listing says until it has learned */
}

void slot_settled_locked(struct catalogue *c, struct str id)
{
    if (map_count(&c->slots))
        (void)map_del(&c->slots, id);
}

void slots_settled_locked(struct catalogue *c, struct listing *l)
{
    struct str id;
    void *value;
    for (size_t i = 0; map_next(&c->slots, &i, &id, &value);) {
        uint32_t slot;
        /* Given while no listing had it, so what was told then cannot be compared with one. */
        news_slot_locked(c, (uint32_t)(uintptr_t)value);
        if (listed_slot(l, key_of_locked(c, id), id, &slot) && slot == (uint32_t)(uintptr_t)value)
            (void)map_del(&c->slots, id);
    }
}

struct str key_of_locked(struct catalogue *c, struct str id)
{
    const struct text *key = map_count(&c->keys) ? map_get(&c->keys, id) : NULL;
    return key ? text_str(key) : id;
}

enum err key_learn_locked(struct catalogue *c, struct str id, struct str key)
{
    if (str_eq(id, key) || map_get(&c->keys, id))
        return OK;
    struct text *copy = text_new(key);
    if (!copy)
        return ERR_NO_MEMORY;
    enum err err = map_set(&c->keys, id, copy);
    if (err != OK)
        text_unref(copy);
    return err;
}

/* -- a block of a pass over everything -- */

void carry_step(struct carry *carry)
{
    static const struct listing_filter all = { .kind = FILTER_ALL };
    struct call call;
    call_init_local(&call);
    if (listing_next(carry->from, &call, &all, &carry->cursor, &carry->row, &carry->more) != OK)
        carry->more = false;
}

void carry_begin(struct carry *carry, struct listing *from)
{
    *carry = (struct carry){ .from = from };
    if (from)
        carry_step(carry);
}

/* Both sides ascend by key, so the walk goes forward only. */
static uint32_t carry_slot(struct carry *carry, struct str key)
{
    while (carry->more) {
        int cmp = str_cmp_utf16(carry->row.key, key);
        if (cmp == 0)
            return carry->row.slot;
        if (cmp > 0)
            break;
        carry_step(carry);
    }
    return 0;
}

enum err slots_give_locked(struct catalogue *c, struct carry *carry, struct block *b)
{
    for (size_t i = 0; i < block_count(b); i++) {
        struct row row;
        block_row(b, i, &row);
        uint32_t carried = carry_slot(carry, row.key);
        uint32_t slot = remembered_locked(c, row.id);
        if (!slot)
            slot = carried;
        block_set_slot(b, i, slot ? slot : ++c->last_slot);
        enum err err = key_learn_locked(c, row.id, row.key);
        if (err != OK)
            return err;
    }
    return OK;
}
