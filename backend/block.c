#include "backend/block.h"

#include <stdlib.h>

#include "backend/intern.h"

/* 64 bytes; names and the like are numbers of intern.h, which fit 16 bits. */
struct packed {
    ticks created, updated, completed, scheduled, stamp;
    uint32_t slot;
    uint32_t text; /* offset in the block's text: key, id unless it equals the key, own copies */
    uint16_t key_len, id_len;
    uint16_t name, version, status_text;
    uint8_t status, flags;
};

_Static_assert(sizeof(struct packed) == 64, "P7: 128 bytes and the id per instance, this included");
_Static_assert(INTERN_MAX <= 65536, "numbers of texts are kept in 16 bits");

enum flag {
    ID_IS_KEY = 1,
    NAME_IS_ID = 2, /* entities: the name of each is its id, nothing to intern */
    OWN_NAME = 4,   /* the text follows in the block: length (4 bytes), bytes; in this order */
    OWN_VERSION = 8,
    OWN_STATUS = 16,
};

#define RECENT                                                                                     \
    8 /* texts whose numbers the block under construction remembers: saves intern's lock */

struct block {
    int refs; /* A */
    uint32_t count, cap;
    struct packed *rows;
    char *text;
    size_t text_len, text_cap;
    uint32_t counts[STATUS_COUNT];
    uint16_t recent[RECENT];
};

struct block *block_new(void)
{
    struct block *b = calloc(1, sizeof *b);
    if (b)
        b->refs = 1;
    return b;
}

struct block *block_ref(struct block *b)
{
    if (b)
        __atomic_add_fetch(&b->refs, 1, __ATOMIC_RELAXED);
    return b;
}

struct block *block_unref(struct block *b)
{
    if (b && __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        free(b->rows);
        free(b->text);
        free(b);
    }
    return NULL;
}

/* -- filling -- */

static enum err grow_rows(struct block *b)
{
    if (b->count < b->cap)
        return OK;
    uint32_t cap = b->cap ? b->cap * 2 : 64;
    struct packed *rows = reallocarray(b->rows, cap, sizeof *rows);
    if (!rows)
        return ERR_NO_MEMORY;
    b->rows = rows;
    b->cap = cap;
    return OK;
}

static enum err grow_text(struct block *b, size_t more)
{
    if (more > UINT32_MAX / 2 || b->text_len + more > UINT32_MAX / 2)
        return ERR_TOO_BIG; /* offsets have 32 bits; a page has 8 MiB at most */
    if (b->text_len + more <= b->text_cap)
        return OK;
    size_t cap = b->text_cap ? b->text_cap : 4096;
    while (cap < b->text_len + more)
        cap *= 2;
    char *text = realloc(b->text, cap);
    if (!text)
        return ERR_NO_MEMORY;
    b->text = text;
    b->text_cap = cap;
    return OK;
}

static void put(struct block *b, struct str s)
{
    if (s.len)
        memcpy(b->text + b->text_len, s.p, s.len);
    b->text_len += s.len;
}

static void put_own(struct block *b, struct str s)
{
    uint32_t len = (uint32_t)s.len;
    put(b, (struct str){ (const char *)&len, sizeof len });
    put(b, s);
}

static uint16_t number_of(struct block *b, struct str s)
{
    if (!s.len)
        return 0;
    unsigned at = (unsigned)(s.len + (unsigned char)s.p[s.len - 1]) % RECENT;
    if (b->recent[at] && str_eq(intern_str(b->recent[at]), s))
        return b->recent[at];
    uint16_t n = (uint16_t)intern(s);
    if (n)
        b->recent[at] = n;
    return n;
}

static uint8_t flag_if(bool yes, enum flag f)
{
    return yes ? (uint8_t)f : 0;
}

static void pack_names(struct block *b, const struct row *row, struct packed *p)
{
    bool name_is_id = row->name.len && str_eq(row->name, row->id);
    p->name = name_is_id ? 0 : number_of(b, row->name);
    p->version = number_of(b, row->version);
    p->status_text = row->status == STATUS_UNKNOWN ? number_of(b, row->status_text) : 0;
    p->flags = flag_if(str_eq(row->id, row->key), ID_IS_KEY) | flag_if(name_is_id, NAME_IS_ID);
    p->flags |= flag_if(!name_is_id && row->name.len && !p->name, OWN_NAME);
    p->flags |= flag_if(row->version.len && !p->version, OWN_VERSION);
    p->flags |= flag_if(row->status == STATUS_UNKNOWN && row->status_text.len && !p->status_text,
                        OWN_STATUS);
}

static size_t text_need(const struct row *row, unsigned flags)
{
    size_t need = row->key.len;
    if (!(flags & ID_IS_KEY))
        need += row->id.len;
    if (flags & OWN_NAME)
        need += sizeof(uint32_t) + row->name.len;
    if (flags & OWN_VERSION)
        need += sizeof(uint32_t) + row->version.len;
    if (flags & OWN_STATUS)
        need += sizeof(uint32_t) + row->status_text.len;
    return need;
}

static void put_texts(struct block *b, const struct row *row, unsigned flags)
{
    put(b, row->key);
    if (!(flags & ID_IS_KEY))
        put(b, row->id);
    if (flags & OWN_NAME)
        put_own(b, row->name);
    if (flags & OWN_VERSION)
        put_own(b, row->version);
    if (flags & OWN_STATUS)
        put_own(b, row->status_text);
}

enum err block_add(struct block *b, const struct row *row)
{
    if (b->count >= BLOCK_ROWS_MAX || row->key.len > UINT16_MAX || row->id.len > UINT16_MAX)
        return ERR_TOO_BIG;
    struct packed p = {
        .created = row->created,
        .updated = row->updated,
        .completed = row->completed,
        .scheduled = row->scheduled,
        .stamp = row->stamp,
        .slot = row->slot,
        .key_len = (uint16_t)row->key.len,
        .id_len = (uint16_t)row->id.len,
        .status = (uint8_t)((unsigned)row->status < STATUS_COUNT ? row->status : STATUS_UNKNOWN),
    };
    pack_names(b, row, &p);
    enum err err = grow_rows(b);
    if (err == OK)
        err = grow_text(b, text_need(row, p.flags));
    if (err != OK)
        return err;
    p.text = (uint32_t)b->text_len;
    put_texts(b, row, p.flags);
    b->rows[b->count++] = p;
    b->counts[p.status]++;
    return OK;
}

void block_set_slot(struct block *b, size_t i, uint32_t slot)
{
    b->rows[i].slot = slot;
}

/* -- freezing -- */

static bool is_ascending(const struct block *b)
{
    for (size_t i = 1; i < b->count; i++)
        if (str_cmp_utf16(block_key(b, i - 1), block_key(b, i)) >= 0)
            return false;
    return true;
}

static int order_cmp(const void *pa, const void *pb, void *ctx)
{
    const struct block *b = ctx;
    uint32_t i = *(const uint32_t *)pa, j = *(const uint32_t *)pb;
    int c = str_cmp_utf16(block_key(b, i), block_key(b, j));
    return c ? c : (i < j ? -1 : i > j);
}

/* Pages come sorted; this is for providers that gather rows otherwise. */
static enum err sort_rows(struct block *b)
{
    uint32_t *order = malloc(b->count * sizeof *order);
    struct packed *rows = malloc(b->count * sizeof *rows);
    if (!order || !rows) {
        free(order);
        free(rows);
        return ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < b->count; i++)
        order[i] = i;
    qsort_r(order, b->count, sizeof *order, order_cmp, b);
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        if (i + 1 < b->count && str_eq(block_key(b, order[i]), block_key(b, order[i + 1])))
            continue; /* an older copy of the next */
        rows[n++] = b->rows[order[i]];
    }
    free(order);
    free(b->rows);
    b->rows = rows;
    b->cap = b->count;
    b->count = n;
    return OK;
}

static void recount(struct block *b)
{
    memset(b->counts, 0, sizeof b->counts);
    for (size_t i = 0; i < b->count; i++)
        b->counts[b->rows[i].status]++;
}

static void trim(struct block *b)
{
    if (b->count && b->cap > b->count) {
        struct packed *rows = realloc(b->rows, b->count * sizeof *rows);
        if (rows) {
            b->rows = rows;
            b->cap = b->count;
        }
    }
    if (b->text_len && b->text_cap > b->text_len) {
        char *text = realloc(b->text, b->text_len);
        if (text) {
            b->text = text;
            b->text_cap = b->text_len;
        }
    }
}

enum err block_freeze(struct block *b)
{
    if (!is_ascending(b)) {
        enum err err = sort_rows(b);
        if (err != OK)
            return err;
        recount(b);
    }
    trim(b);
    return OK;
}

/* -- reading -- */

size_t block_count(const struct block *b)
{
    return b->count;
}

static struct str take_own(const char **at)
{
    uint32_t len;
    memcpy(&len, *at, sizeof len);
    struct str s = { *at + sizeof len, len };
    *at += sizeof len + len;
    return s;
}

static struct str status_text_of(const struct packed *p)
{
    return p->status == STATUS_UNKNOWN ? intern_str(p->status_text)
                                       : str_c(status_name((enum status)p->status));
}

/* A block whose only key is empty has no text, and nothing may be added to NULL. */
static const char *text_at(const struct block *b, size_t i)
{
    return b->text ? b->text + b->rows[i].text : "";
}

void block_row(const struct block *b, size_t i, struct row *ret)
{
    const struct packed *p = &b->rows[i];
    const char *at = text_at(b, i);
    struct str key = { at, p->key_len }, id = block_id(b, i);
    at = id.p + id.len;
    *ret = (struct row){
        .id = id,
        .key = key,
        .name = p->flags & NAME_IS_ID ? id : intern_str(p->name),
        .version = intern_str(p->version),
        .status_text = status_text_of(p),
        .status = (enum status)p->status,
        .created = p->created,
        .updated = p->updated,
        .completed = p->completed,
        .scheduled = p->scheduled,
        .stamp = p->stamp,
        .slot = p->slot,
    };
    if (p->flags & OWN_NAME)
        ret->name = take_own(&at);
    if (p->flags & OWN_VERSION)
        ret->version = take_own(&at);
    if (p->flags & OWN_STATUS)
        ret->status_text = take_own(&at);
}

struct str block_key(const struct block *b, size_t i)
{
    return (struct str){ text_at(b, i), b->rows[i].key_len };
}

struct str block_id(const struct block *b, size_t i)
{
    const struct packed *p = &b->rows[i];
    const char *key = text_at(b, i);

    return p->flags & ID_IS_KEY ? (struct str){ key, p->key_len }
                                : (struct str){ key + p->key_len, p->id_len };
}

uint32_t block_slot(const struct block *b, size_t i)
{
    return b->rows[i].slot;
}

enum status block_status(const struct block *b, size_t i)
{
    return (enum status)b->rows[i].status;
}

uint32_t block_name(const struct block *b, size_t i)
{
    return b->rows[i].name;
}

ticks block_created(const struct block *b, size_t i)
{
    return b->rows[i].created;
}

ticks block_stamp(const struct block *b, size_t i)
{
    return b->rows[i].stamp;
}

const uint32_t *block_status_counts(const struct block *b)
{
    return b->counts;
}

size_t block_lower_bound(const struct block *b, struct str k)
{
    size_t lo = 0, hi = b->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (str_cmp_utf16(block_key(b, mid), k) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

size_t block_bytes(const struct block *b)
{
    return sizeof *b + b->cap * sizeof *b->rows + b->text_cap;
}
