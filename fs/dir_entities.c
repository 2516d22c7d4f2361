#include <stdlib.h>

#include "fs/dirs.h"
#include "fs/folders.h"
#include "fs/format.h"

/* Entities may not be there yet: the first signal makes them. */
static bool is_there(const struct row *row)
{
    return row != NULL;
}

static enum err entity_state_show(const struct view *v, struct buf *out)
{
    struct entity_state state;
    struct arena arena;

    arena_init(&arena);
    memset(&state, 0, sizeof(state));
    entity_state_read(&state, text_str(v->details->input), text_str(v->details->custom), &arena);
    if (state.has_state)
        format_payload(out, state.state);
    arena_fini(&arena);
    return OK;
}

static const struct file_def entity_files[] = {
    { .name = "status",
      .about = "who, what, when: one \"Key:<TAB>value\" a line",
      .mode = 0444,
      .present = is_there,
      .show = instance_status_show },
    { .name = "state",
      .about = "the entity's state, JSON as stored",
      .mode = 0444,
      .parts = PART_INPUT | PART_CUSTOM,
      .present = is_there,
      .show = entity_state_show },
    { 0 },
};

static const struct dir_def dir_signal = {
    .name = "signal",
    .about = "write JSON to signal/OPERATION to signal the entity",
    .class = CLASS_DIR_INSIDE,
    .space = SPACE_FOLDER,
    .row = ROW_ENTITY,
    .takes_messages = true,
    .message = CMD_SIGNAL,
};

static const struct dir_def *const entity_dirs[] = { &dir_signal, NULL };

static const struct dir_def dir_entity = {
    .about = "one entity",
    .class = CLASS_DIR_VIEW,
    .space = SPACE_FOLDER,
    .row = ROW_ENTITY,
    .files = entity_files,
    .dirs = entity_dirs,
};

/* -- the listing's ids, taken apart -- */

static enum err each_entity(struct listing *l, struct call *call, listing_group emit, void *ctx,
                            const struct str *only_name)
{
    struct listing_filter filter = { .kind = FILTER_ALL };
    uint64_t cursor = 0;

    for (bool more = true;;) {
        struct str name, key;
        struct row row;
        enum err err = listing_next(l, call, &filter, &cursor, &row, &more);

        if (err != OK || !more)
            return err;
        if (!id_split_entity(row.id, &name, &key))
            continue;
        if (!only_name)
            emit(ctx, name, 1);
        else if (str_eq(name, *only_name))
            emit(ctx, key, 1);
    }
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct folder *)a)->name, ((const struct folder *)b)->name);
}

/* One folder a name, with the sum of the counts. */
static void merge_equal(struct folders *f)
{
    size_t n = 0;

    if (f->count == 0)
        return;
    qsort(f->items, f->count, sizeof(f->items[0]), by_name);
    for (size_t i = 1; i < f->count; i++) {
        if (str_eq(f->items[i].name, f->items[n].name))
            f->items[n].count += f->items[i].count;
        else
            f->items[++n] = f->items[i];
    }
    f->count = n + 1;
}

static enum err entity_names(struct listing *l, struct call *call, struct str text,
                             struct folders *ret)
{
    enum err err = each_entity(l, call, folders_emit, ret, NULL);

    merge_equal(ret);
    return err;
}

static enum err entity_keys(struct listing *l, struct call *call, struct str text,
                            struct folders *ret)
{
    return each_entity(l, call, folders_emit, ret, &text);
}

static bool key_admits(struct str text, struct str name)
{
    return true;
}

/* Signals go to lower-case names always (storage messages 4.8). */
static bool name_admits(struct str text, struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] == '@' || (name.p[i] >= 'A' && name.p[i] <= 'Z'))
            return false;
    return name.len > 0;
}

static void entity_id(struct buf *ret, struct str text, struct str name)
{
    buf_add_ch(ret, '@');
    buf_add(ret, text);
    buf_add_ch(ret, '@');
    buf_add(ret, name);
}

static const struct dir_def dir_entity_name = {
    .about = "the entities of one name, by key",
    .class = CLASS_DIR_VIEW,
    .space = SPACE_FOLDER,
    .child = &dir_entity,
    .what = LIST_ENTITIES,
    .folders = entity_keys,
    .admits = key_admits,
    .compose = entity_id,
};

const struct dir_def dir_entities = {
    .name = "entities",
    .about = "entities: status, state, and signal/ to write to",
    .class = CLASS_DIR_VIEW,
    .child = &dir_entity_name,
    .what = LIST_ENTITIES,
    .folders = entity_names,
    .admits = name_admits,
};
