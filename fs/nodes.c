#include "fs/nodes.h"

#include <stdlib.h>

#include "fs/folders.h"

#define CAP_MIN     64
#define PROBES_MAX  64 /* of group numbers: 2^-38 a step, so this is never reached */
#define KIND_SHIFT  (NODE_INDEX_BITS + NODE_HUB_BITS)
#define VIEW_SHIFT  (KIND_SHIFT + 12)
#define SPACE_SHIFT NODE_INDEX_BITS

struct held {
    uint64_t key; /* space and index; 0 = free, since no held space is 0 */
    uint64_t count : 56;
    uint64_t marks : 8;
    struct text *text;
};

node node_pack(unsigned view, unsigned kind, uint64_t index)
{
    if (kind == 0)
        return NODE_ROOT;
    return (uint64_t)view << VIEW_SHIFT | (uint64_t)kind << KIND_SHIFT | (index & NODE_INDEX_MASK);
}

unsigned node_hub(node n)
{
    return (unsigned)(n >> NODE_INDEX_BITS) & NODE_HUB_MAX;
}

node node_root_of(unsigned hub)
{
    return (uint64_t)hub << NODE_INDEX_BITS | NODE_ROOT;
}

bool node_is_root(node n)
{
    return n == node_root_of(node_hub(n));
}

node node_beside(node other, node n)
{
    return n | (uint64_t)node_hub(other) << NODE_INDEX_BITS;
}

unsigned node_view(node n)
{
    return (unsigned)(n >> VIEW_SHIFT);
}

unsigned node_kind(node n)
{
    return (unsigned)(n >> KIND_SHIFT) & (NODE_KIND_MAX - 1);
}

uint64_t node_index(node n)
{
    return n & NODE_INDEX_MASK;
}

static uint64_t key_of(enum node_space space, uint64_t index)
{
    return (uint64_t)space << SPACE_SHIFT | index;
}

/* Slots are counted up by one: they must be spread, or runs grow long (splitmix64's finisher). */
static uint64_t spread(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

void nodes_init(struct nodes *n)
{
    memset(n, 0, sizeof(*n));
    lock_init(&n->lock, RANK_INODES);
}

void nodes_fini(struct nodes *n)
{
    for (size_t i = 0; i < n->cap; i++)
        text_unref(n->slots[i].text);
    free(n->slots);
    lock_fini(&n->lock);
    memset(n, 0, sizeof(*n));
}

/* The entry of a key, or the free one where it belongs. */
static struct held *find_locked(const struct nodes *n, uint64_t key)
{
    size_t i = spread(key) & (n->cap - 1);

    while (n->slots[i].key != 0 && n->slots[i].key != key)
        i = (i + 1) & (n->cap - 1);
    return &n->slots[i];
}

static enum err resize_locked(struct nodes *n, size_t cap)
{
    struct nodes bigger = { .slots = calloc(cap, sizeof(struct held)), .cap = cap };

    if (!bigger.slots)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < n->cap; i++)
        if (n->slots[i].key != 0)
            *find_locked(&bigger, n->slots[i].key) = n->slots[i];
    free(n->slots);
    n->slots = bigger.slots;
    n->cap = cap;
    return OK;
}

static enum err hold_locked(struct nodes *n, uint64_t key, struct str text, unsigned marks)
{
    struct held *h;

    if (n->cap == 0 || n->used * 3 >= n->cap * 2) {
        enum err err = resize_locked(n, n->cap ? 2 * n->cap : CAP_MIN);

        if (err != OK)
            return err;
    }
    h = find_locked(n, key);
    if (h->key == 0) {
        h->text = text_new(text);
        if (!h->text)
            return ERR_NO_MEMORY;
        h->key = key;
        n->used++;
    } else if (!str_eq(text_str(h->text), text)) {
        return ERR_BUSY;
    }
    h->count++;
    h->marks |= marks & 0xff;
    return OK;
}

enum err nodes_hold_marked(struct nodes *n, enum node_space space, uint64_t index, struct str text,
                           unsigned marks)
{
    if (space == SPACE_NONE)
        return OK;
    LOCK_SCOPE(&n->lock);
    return hold_locked(n, key_of(space, index), text, marks);
}

enum err nodes_hold_folder(struct nodes *n, struct str text, uint64_t *ret)
{
    uint64_t first = folder_number(text);

    LOCK_SCOPE(&n->lock);
    for (uint64_t i = 0; i < PROBES_MAX; i++) {
        uint64_t index = (first + i) & NODE_INDEX_MASK;
        enum err err = hold_locked(n, key_of(SPACE_FOLDER, index), text, 0);

        if (err == OK)
            *ret = index;
        if (err != ERR_BUSY)
            return err;
    }
    return ERR_BUSY;
}

bool nodes_find_folder(struct nodes *n, struct str text, uint64_t *ret)
{
    uint64_t first = folder_number(text);

    LOCK_SCOPE(&n->lock);
    for (uint64_t i = 0; n->cap > 0 && i < PROBES_MAX; i++) {
        uint64_t index = (first + i) & NODE_INDEX_MASK;
        const struct held *h = find_locked(n, key_of(SPACE_FOLDER, index));

        if (h->key == 0)
            return false;
        if (str_eq(text_str(h->text), text)) {
            *ret = index;
            return true;
        }
    }
    return false;
}

/* Takes an entry out and closes the gap, so that no marks of the dead remain. */
static void remove_locked(struct nodes *n, struct held *h)
{
    size_t mask = n->cap - 1, gap = (size_t)(h - n->slots);

    text_unref(h->text);
    *h = (struct held){ 0 };
    n->used--;
    for (size_t i = (gap + 1) & mask; n->slots[i].key != 0; i = (i + 1) & mask) {
        size_t home = spread(n->slots[i].key) & mask;

        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        n->slots[gap] = n->slots[i];
        n->slots[i] = (struct held){ 0 };
        gap = i;
    }
}

void nodes_forget(struct nodes *n, enum node_space space, uint64_t index, uint64_t count)
{
    struct held *h;

    if (space == SPACE_NONE)
        return;
    LOCK_SCOPE(&n->lock);
    if (n->cap == 0)
        return;
    h = find_locked(n, key_of(space, index));
    if (h->key == 0)
        return;
    if (h->count > count) {
        h->count -= count;
        return;
    }
    remove_locked(n, h);
    /* A failed attempt to shrink only costs memory. */
    if (n->cap > CAP_MIN && n->used < n->cap / 8)
        (void)!resize_locked(n, n->cap / 2);
}

struct text *nodes_text(struct nodes *n, enum node_space space, uint64_t index)
{
    LOCK_SCOPE(&n->lock);
    if (n->cap == 0)
        return NULL;
    return text_ref(find_locked(n, key_of(space, index))->text);
}

unsigned nodes_marks(struct nodes *n, enum node_space space, uint64_t index)
{
    LOCK_SCOPE(&n->lock);
    return n->cap ? (unsigned)find_locked(n, key_of(space, index))->marks : 0;
}

uint64_t *nodes_held(struct nodes *n, enum node_space space, size_t *ret_count)
{
    uint64_t *ret;
    size_t count = 0;

    LOCK_SCOPE(&n->lock);
    *ret_count = 0;
    ret = malloc((n->used + 1) * sizeof(*ret));
    if (!ret)
        return NULL;
    for (size_t i = 0; i < n->cap; i++)
        if (n->slots[i].key != 0 && n->slots[i].key >> SPACE_SHIFT == (uint64_t)space)
            ret[count++] = n->slots[i].key & NODE_INDEX_MASK;
    *ret_count = count;
    return ret;
}

size_t nodes_count(struct nodes *n)
{
    LOCK_SCOPE(&n->lock);
    return n->used;
}
