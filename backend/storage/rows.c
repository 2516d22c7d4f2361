#include "backend/storage/rows.h"

#include "backend/base/limits.h"
#include "backend/storage/keys.h"

enum name {
    ROW_KEY,
    ROW_STAMP,
    ROW_NAME,
    ROW_VERSION,
    ROW_STATUS,
    ROW_CREATED,
    ROW_UPDATED,
    ROW_COMPLETED,
    ROW_SCHEDULED,
    ROW_CUSTOM,
    ROW_LISTED, /* the names above are those of a listing */
    ROW_EXECUTION = ROW_LISTED,
    ROW_GENERATION,
    ROW_HUB,
    ROW_INPUT,
    ROW_INPUT_BLOB,
    ROW_OUTPUT,
    ROW_OUTPUT_BLOB,
    ROW_TAGS,
    ROW_COUNT
};

/* STR() is no constant expression, hence the spelled-out form. */
#define NAME(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct str names[ROW_COUNT] = {
    [ROW_KEY] = NAME("PartitionKey"),
    [ROW_STAMP] = NAME("Timestamp"),
    [ROW_NAME] = NAME("Name"),
    [ROW_VERSION] = NAME("Version"),
    [ROW_STATUS] = NAME("RuntimeStatus"),
    [ROW_CREATED] = NAME("CreatedTime"),
    [ROW_UPDATED] = NAME("LastUpdatedTime"),
    [ROW_COMPLETED] = NAME("CompletedTime"),
    [ROW_SCHEDULED] = NAME("ScheduledStartTime"),
    [ROW_CUSTOM] = NAME("CustomStatus"),
    [ROW_EXECUTION] = NAME("ExecutionId"),
    [ROW_GENERATION] = NAME("Generation"),
    [ROW_HUB] = NAME("TaskHubName"),
    [ROW_INPUT] = NAME("Input"),
    [ROW_INPUT_BLOB] = NAME("InputBlobName"),
    [ROW_OUTPUT] = NAME("Output"),
    [ROW_OUTPUT_BLOB] = NAME("OutputBlobName"),
    [ROW_TAGS] = NAME("Tags"),
};

const char *rows_select(enum list_what what)
{
    switch (what) {
    case LIST_INSTANCES:
        return ROWS_SELECT;
    case LIST_ENTITIES:
        return ROWS_SELECT_ENTITIES;
    case LIST_KEYS:
        return ROWS_SELECT_KEYS;
    }
    return NULL;
}

/* Fills row from columns; the id is the unescaped key, made in id when it differs. */
static enum err row_fill(struct row *row, const struct column *c, struct buf *id)
{
    *row = (struct row){
        .key = column_str(&c[ROW_KEY]),
        .name = column_str(&c[ROW_NAME]),
        .version = column_str(&c[ROW_VERSION]),
        .status_text = column_str(&c[ROW_STATUS]),
        .created = column_time(&c[ROW_CREATED]),
        .updated = column_time(&c[ROW_UPDATED]),
        .completed = column_time(&c[ROW_COMPLETED]),
        .scheduled = column_time(&c[ROW_SCHEDULED]),
        .stamp = column_time(&c[ROW_STAMP]),
    };
    row->status = status_parse(row->status_text);
    row->id = row->key;
    if (!memchr(row->key.len ? row->key.p : "", '^', row->key.len))
        return OK;
    buf_clear(id);
    (void)key_unescape(id, row->key); /* a lone '^' is of versions that did not escape: kept */
    row->id = buf_str(id);
    return buf_err(id);
}

/* -- a page -- */

struct page {
    const struct rows_wanted *wanted;
    struct block *block;
    bool past;
    struct arena arena;
    struct buf id;
};

static bool in_block(const struct block *b, struct str key)
{
    size_t i = block_lower_bound(b, key);

    return i < block_count(b) && str_eq(block_key(b, i), key);
}

static bool is_hidden_entity(struct page *p, const struct column *c)
{
    struct entity_state state;

    entity_state_read_status(&state, column_str(&c[ROW_CUSTOM]), &p->arena);
    return state.empty;
}

/* Was it seen, or should it have been? */
static enum err before_page(const struct page *p, struct str key, bool *ret_skip)
{
    const struct block *previous = p->wanted->previous;
    size_t n = previous ? block_count(previous) : 0;

    *ret_skip = n && str_cmp_utf16(key, block_key(previous, n - 1)) <= 0;
    return *ret_skip && !in_block(previous, key) ? ERR_DAMAGED : OK;
}

static enum err page_add(struct page *p, const struct column *c)
{
    struct str key = column_str(&c[ROW_KEY]);
    struct row row;
    bool skip;
    enum err err;

    if (c[ROW_KEY].kind != COLUMN_STRING)
        return ERR_BROKEN; /* the service has no row without a key */
    if (p->wanted->until.len && str_cmp_utf16(key, p->wanted->until) >= 0) {
        p->past = true;
        return OK;
    }
    if (p->wanted->what == LIST_ENTITIES && is_hidden_entity(p, c))
        return OK;
    if ((err = before_page(p, key, &skip)) != OK || skip)
        return err;
    if ((err = row_fill(&row, c, &p->id)) != OK)
        return err;
    return block_add(p->block, &row);
}

static enum err page_read(struct page *p, struct str text)
{
    struct jsonread r;
    struct column columns[ROW_LISTED];
    enum err err;

    jsonread_init(&r, text, &p->arena);
    if (!columns_page(&r))
        return columns_broken(&r);
    while (jsonread_element(&r)) {
        if (!columns_read(&r, names, columns, ROW_LISTED))
            return columns_broken(&r);
        if ((err = page_add(p, columns)) != OK)
            return err;
    }
    return columns_page_end(&r) ? block_freeze(p->block) : columns_broken(&r);
}

enum err rows_block(struct str page, const struct rows_wanted *wanted, struct block **ret,
                    bool *ret_past)
{
    struct page p = { .wanted = wanted, .block = block_new(), .id = BUF_INIT(KEY_MAX_BYTES) };
    enum err err = ERR_NO_MEMORY;

    arena_init(&p.arena);
    if (p.block)
        err = page_read(&p, page);
    arena_fini(&p.arena);
    buf_fini(&p.id);
    if (err == OK) {
        *ret = p.block;
        *ret_past = p.past;
    } else {
        (void)block_unref(p.block);
    }
    return err;
}

/* -- one row -- */

/* Copies into the instance what still lies in the document. */
static bool own(struct instance *in, struct str *s)
{
    struct str copy;

    if (!s->len)
        return true;
    copy = arena_str(&in->arena, *s);
    if (!copy.p)
        return false;
    *s = copy;
    return true;
}

static size_t owned_bytes(const struct instance *in)
{
    const struct str texts[] = { in->row.id,
                                 in->row.key,
                                 in->row.name,
                                 in->row.version,
                                 in->row.status_text,
                                 in->execution_id,
                                 in->task_hub,
                                 in->etag,
                                 in->tags,
                                 in->input.text,
                                 in->input.ref,
                                 in->output.text,
                                 in->output.ref,
                                 in->custom_status.text };
    size_t n = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        n += texts[i].len ? texts[i].len + 1 : 0;
    return n;
}

/* Most ids are their own keys. */
static bool own_key(struct instance *in)
{
    bool same = in->row.key.p == in->row.id.p && in->row.key.len == in->row.id.len;

    if (!own(in, &in->row.id))
        return false;
    if (same)
        in->row.key = in->row.id;
    return same || own(in, &in->row.key);
}

static bool own_cell(struct instance *in, struct cell *c)
{
    return own(in, &c->text) && own(in, &c->ref);
}

static void cells_fill(struct instance *in, const struct column *c, const struct cell_place *place,
                       struct arena *arena)
{
    static const struct column none = { .kind = COLUMN_ABSENT };

    cell_of_instance(&in->input, place, &c[ROW_INPUT], &c[ROW_INPUT_BLOB], true, arena);
    cell_of_instance(&in->output, place, &c[ROW_OUTPUT], &c[ROW_OUTPUT_BLOB], true, arena);
    cell_of_instance(&in->custom_status, place, &c[ROW_CUSTOM], &none, false, arena);
    if (str_eq(in->custom_status.text, STR("null")))
        in->custom_status = (struct cell){ .kind = CELL_NONE };
    in->tags = column_str_not_null(&c[ROW_TAGS]);
}

static enum err instance_fill(struct instance *in, const struct column *c,
                              const struct cell_place *place, struct str etag, unsigned needs,
                              struct arena *arena)
{
    CLEANUP_BUF struct buf id = BUF_INIT(KEY_MAX_BYTES);
    enum err err = row_fill(&in->row, c, &id);

    if (err != OK)
        return err;
    in->execution_id = column_str(&c[ROW_EXECUTION]);
    in->task_hub = column_str(&c[ROW_HUB]);
    in->generation = column_i64(&c[ROW_GENERATION], -1);
    in->etag = etag;
    in->needs = needs;
    if (needs & NEED_CELLS)
        cells_fill(in, c, place, arena);
    return arena_reserve(&in->arena, owned_bytes(in)) && own_key(in) && own(in, &in->row.name) &&
                   own(in, &in->row.version) && own(in, &in->row.status_text) &&
                   own(in, &in->execution_id) && own(in, &in->task_hub) && own(in, &in->etag) &&
                   own(in, &in->tags) && own_cell(in, &in->input) && own_cell(in, &in->output) &&
                   own_cell(in, &in->custom_status)
               ? OK
               : ERR_NO_MEMORY;
}

/* The next value of the reader as an instance. */
static enum err instance_read(struct jsonread *r, const struct cell_place *place, struct str etag,
                              unsigned needs, struct instance **ret)
{
    CLEANUP(instance_unref) struct instance *in = NULL;
    struct column columns[ROW_COUNT];
    enum err err;

    if (!columns_read(r, names, columns, ROW_COUNT) || columns[ROW_KEY].kind != COLUMN_STRING)
        return columns_broken(r);
    if (!(in = instance_new()))
        return ERR_NO_MEMORY;
    err = instance_fill(in, columns, place, etag, needs, r->arena);
    if (err == OK) {
        *ret = in;
        in = NULL;
    }
    return err;
}

enum err rows_instance(struct str json, const struct cell_place *place, struct str etag,
                       unsigned needs, struct instance **ret)
{
    CLEANUP(instance_unref) struct instance *in = NULL;
    struct jsonread r;
    struct arena arena;
    enum err err;

    arena_init(&arena);
    jsonread_init(&r, json, &arena);
    err = instance_read(&r, place, etag, needs, &in);
    if (err == OK && !jsonread_done(&r))
        err = columns_broken(&r);
    arena_fini(&arena);
    if (err == OK) {
        *ret = in;
        in = NULL;
    }
    return err;
}

static enum err instances_read(struct jsonread *r, const struct cell_place *place,
                               struct instance **ret, size_t max, size_t *ret_n)
{
    if (!columns_page(r))
        return columns_broken(r);
    while (jsonread_element(r)) {
        enum err err = *ret_n < max ? instance_read(r, place, STR_NONE, NEED_CELLS, &ret[*ret_n])
                                    : ERR_TOO_BIG;

        if (err != OK)
            return err;
        ++*ret_n;
    }
    return columns_page_end(r) ? OK : columns_broken(r);
}

enum err rows_instances(struct str page, const struct cell_place *place, struct instance **ret,
                        size_t max, size_t *ret_n)
{
    struct jsonread r;
    struct arena arena;
    enum err err;

    arena_init(&arena);
    jsonread_init(&r, page, &arena);
    *ret_n = 0;
    err = instances_read(&r, place, ret, max, ret_n);
    arena_fini(&arena);
    while (err != OK && *ret_n)
        (void)instance_unref(ret[--*ret_n]);
    return err;
}
