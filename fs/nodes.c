#include "fs/nodes.h"

#include <stdlib.h>

#include "backend/base/clock.h"
#include "fs/folders.h"

#define CAP_MIN     64
#define PROBES_MAX  64 /* of group numbers: 2^-38 a step, so this is never reached */
#define KIND_SHIFT  (NODE_INDEX_BITS + NODE_HUB_BITS)
#define VIEW_SHIFT  (KIND_SHIFT + 12)
#define SPACE_SHIFT NODE_INDEX_BITS

#define PAGE_BITS    5
#define PAGE_SLOTS   (1u << PAGE_BITS)
#define SECONDS_BITS 16 /* they go round in 18 hours; a longer life is remembered as a quarter */
#define SECONDS_MASK ((1u << SECONDS_BITS) - 1)

/* What is known of an index that the kernel holds. */
struct held {
    uint64_t count : 40; /* 0 = not held */
    uint64_t marks : 8;
    uint64_t until_s : SECONDS_BITS; /* of the clock: how long the kernel believes the name */
    struct text *text;
};

/* Instances whose slots are neighbours. A listing gives slots in the order of its rows, so who
 * walks it goes through pages from front to end, and a held instance costs little more than its id.
 */
struct page {
    unsigned used;
    struct held slots[PAGE_SLOTS];
};

/* A place of the table: a page of instances, or one of anything else, whose numbers have no
 * neighbours. */
struct bin {
    uint64_t key; /* space and index, or the page's number; 0 = free, since no held space is 0 */
    union {
        struct page *page;
        struct held *one;
    };
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
    return (uint64_t)space << SPACE_SHIFT | (space == SPACE_SLOT ? index >> PAGE_BITS : index);
}

static bool is_page(const struct bin *b)
{
    return b->key >> SPACE_SHIFT == SPACE_SLOT;
}

/* Pages are counted up by one: they must be spread, or runs grow long (splitmix64's finisher). */
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

static void bin_free(struct bin *b)
{
    for (unsigned i = 0; b->key != 0 && is_page(b) && i < PAGE_SLOTS; i++)
        text_unref(b->page->slots[i].text);
    if (b->key != 0 && !is_page(b))
        text_unref(b->one->text);
    free(b->page);
}

void nodes_fini(struct nodes *n)
{
    for (size_t i = 0; i < n->cap; i++)
        bin_free(&n->bins[i]);
    free(n->bins);
    lock_fini(&n->lock);
    memset(n, 0, sizeof(*n));
}

/* The bin of a key, or the free one where it belongs. */
static struct bin *bin_locked(const struct nodes *n, uint64_t key)
{
    size_t i = spread(key) & (n->cap - 1);

    while (n->bins[i].key != 0 && n->bins[i].key != key)
        i = (i + 1) & (n->cap - 1);
    return &n->bins[i];
}

/* NULL: it is not held. */
static struct held *find_locked(const struct nodes *n, enum node_space space, uint64_t index)
{
    struct bin *b = n->cap ? bin_locked(n, key_of(space, index)) : NULL;
    struct held *h;

    if (!b || b->key == 0)
        return NULL;
    h = is_page(b) ? &b->page->slots[index % PAGE_SLOTS] : b->one;
    return h->count ? h : NULL;
}

static enum err resize_locked(struct nodes *n, size_t cap)
{
    struct nodes bigger = { .bins = calloc(cap, sizeof(struct bin)), .cap = cap };

    if (!bigger.bins)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < n->cap; i++)
        if (n->bins[i].key != 0)
            *bin_locked(&bigger, n->bins[i].key) = n->bins[i];
    free(n->bins);
    n->bins = bigger.bins;
    n->cap = cap;
    return OK;
}

/* The bin of a key, made if need be; NULL without memory. */
static struct bin *bin_make_locked(struct nodes *n, uint64_t key)
{
    struct bin *b;

    if (n->cap == 0 || n->used * 3 >= n->cap * 2)
        if (resize_locked(n, n->cap ? 2 * n->cap : CAP_MIN) != OK)
            return NULL;
    b = bin_locked(n, key);
    if (b->key != 0)
        return b;
    struct bin made = { .key = key };
    void *cell = calloc(1, is_page(&made) ? sizeof(*made.page) : sizeof(*made.one));

    if (!cell)
        return NULL;
    if (is_page(&made))
        made.page = cell;
    else
        made.one = cell;
    *b = made;
    n->used++;
    return b;
}

/* Takes a cell out and closes the gap, so that no marks of the dead remain. */
static void bin_remove_locked(struct nodes *n, struct bin *b)
{
    size_t mask = n->cap - 1, gap = (size_t)(b - n->bins);

    free(b->page);
    *b = (struct bin){ 0 };
    n->used--;
    for (size_t i = (gap + 1) & mask; n->bins[i].key != 0; i = (i + 1) & mask) {
        size_t home = spread(n->bins[i].key) & mask;

        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        n->bins[gap] = n->bins[i];
        n->bins[i] = (struct bin){ 0 };
        gap = i;
    }
    /* A failed attempt to shrink only costs memory. */
    if (n->cap > CAP_MIN && n->used < n->cap / 8)
        (void)!resize_locked(n, n->cap / 2);
}

static enum err begin_locked(struct nodes *n, enum node_space space, uint64_t index,
                             struct str text, struct held **ret)
{
    struct bin *b = bin_make_locked(n, key_of(space, index));
    struct text *copy = b ? text_new(text) : NULL;

    if (!copy) {
        if (b && (!is_page(b) || b->page->used == 0))
            bin_remove_locked(n, b);
        return ERR_NO_MEMORY;
    }
    if (is_page(b))
        b->page->used++;
    *ret = is_page(b) ? &b->page->slots[index % PAGE_SLOTS] : b->one;
    (*ret)->text = copy;
    n->held++;
    return OK;
}

static enum err hold_locked(struct nodes *n, enum node_space space, uint64_t index, struct str text,
                            unsigned marks)
{
    struct held *h = find_locked(n, space, index);
    enum err err = OK;

    if (!h)
        err = begin_locked(n, space, index, text, &h);
    else if (!str_eq(text_str(h->text), text))
        err = ERR_BUSY;
    if (err != OK)
        return err;
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
    return hold_locked(n, space, index, text, marks);
}

enum err nodes_hold_folder(struct nodes *n, struct str text, uint64_t *ret)
{
    uint64_t first = folder_number(text);

    LOCK_SCOPE(&n->lock);
    for (uint64_t i = 0; i < PROBES_MAX; i++) {
        uint64_t index = (first + i) & NODE_INDEX_MASK;
        enum err err = hold_locked(n, SPACE_FOLDER, index, text, 0);

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
    for (uint64_t i = 0; i < PROBES_MAX; i++) {
        uint64_t index = (first + i) & NODE_INDEX_MASK;
        const struct held *h = find_locked(n, SPACE_FOLDER, index);

        if (!h)
            return false;
        if (str_eq(text_str(h->text), text)) {
            *ret = index;
            return true;
        }
    }
    return false;
}

static void end_locked(struct nodes *n, enum node_space space, uint64_t index, struct held *h)
{
    struct bin *b = bin_locked(n, key_of(space, index));

    text_unref(h->text);
    *h = (struct held){ 0 };
    n->held--;
    if (!is_page(b) || --b->page->used == 0)
        bin_remove_locked(n, b);
}

void nodes_forget(struct nodes *n, enum node_space space, uint64_t index, uint64_t count)
{
    struct held *h;

    if (space == SPACE_NONE)
        return;
    LOCK_SCOPE(&n->lock);
    h = find_locked(n, space, index);
    if (!h)
        return;
    if (h->count > count)
        h->count -= count;
    else
        end_locked(n, space, index, h);
}

struct text *nodes_text(struct nodes *n, enum node_space space, uint64_t index)
{
    LOCK_SCOPE(&n->lock);
    const struct held *h = find_locked(n, space, index);
    return h ? text_ref(h->text) : NULL;
}

unsigned nodes_marks(struct nodes *n, enum node_space space, uint64_t index)
{
    LOCK_SCOPE(&n->lock);
    const struct held *h = find_locked(n, space, index);
    return h ? (unsigned)h->marks : 0;
}

void nodes_told(struct nodes *n, uint64_t slot, int64_t until_ms)
{
    int64_t most_ms = clock_now_ms() + (int64_t)(SECONDS_MASK / 4) * 1000;
    uint64_t until_s = (uint64_t)(until_ms < most_ms ? until_ms : most_ms) / 1000;

    LOCK_SCOPE(&n->lock);
    struct held *h = find_locked(n, SPACE_SLOT, slot);
    if (h)
        h->until_s = until_s & SECONDS_MASK;
}

bool nodes_is_due(struct nodes *n, uint64_t slot, int64_t at_ms)
{
    uint64_t at_s = (uint64_t)at_ms / 1000;

    LOCK_SCOPE(&n->lock);
    const struct held *h = find_locked(n, SPACE_SLOT, slot);
    /* Round the clock: ahead by less than half of it is still to come. */
    return h && h->marks && ((h->until_s - at_s) & SECONDS_MASK) > SECONDS_MASK / 2;
}

uint64_t *nodes_held_slots(struct nodes *n, size_t *ret_count)
{
    uint64_t *ret;
    size_t count = 0;

    LOCK_SCOPE(&n->lock);
    *ret_count = 0;
    ret = malloc((n->held + 1) * sizeof(*ret));
    if (!ret)
        return NULL;
    for (size_t i = 0; i < n->cap; i++) {
        const struct bin *b = &n->bins[i];

        for (unsigned k = 0; b->key != 0 && is_page(b) && k < PAGE_SLOTS; k++)
            if (b->page->slots[k].count)
                ret[count++] = (b->key & NODE_INDEX_MASK) << PAGE_BITS | k;
    }
    *ret_count = count;
    return ret;
}

size_t nodes_count(struct nodes *n)
{
    LOCK_SCOPE(&n->lock);
    return n->held;
}
