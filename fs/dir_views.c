#include "fs/dirs.h"
#include "fs/folders.h"

/* -- by-status -- */

/* Always listed, empty or not, so that `ls by-status/Failed` never fails (mount layout 1). */
static const enum status always[] = { STATUS_PENDING,          STATUS_RUNNING,   STATUS_SUSPENDED,
                                      STATUS_CONTINUED_AS_NEW, STATUS_COMPLETED, STATUS_FAILED,
                                      STATUS_TERMINATED,       STATUS_CANCELED };

static bool status_admits(struct str text, struct str name)
{
    return status_parse(name) != STATUS_UNKNOWN;
}

static void add_unknown_status(void *ctx, struct str name, uint64_t count)
{
    if (status_parse(name) == STATUS_UNKNOWN)
        folders_add(ctx, name, count);
}

static enum err status_folders(struct listing *l, struct call *call, struct str text,
                               struct folders *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        folders_add(ret, str_c(status_name(always[i])), 0);
    enum err err = listing_statuses(l, call, add_unknown_status, ret);

    /* The counts are exact only now that the listing is complete. */
    for (size_t i = 0; err == OK && i < ARRAY_LEN(always) && i < ret->count; i++)
        ret->items[i].count = listing_count_status(l, always[i]);
    return err;
}

static bool status_rows(struct str text, struct listing_filter *ret)
{
    enum status status = status_parse(text);

    if (status != STATUS_UNKNOWN)
        *ret = (struct listing_filter){ .kind = FILTER_STATUS, .status = status };
    else
        *ret = (struct listing_filter){ .kind = FILTER_STATUS_TEXT, .text = text };
    return true;
}

/* It may have come from any of them. */
static void status_holders(const struct catalogue_news *news, void (*emit)(void *, struct str),
                           void *ctx)
{
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        emit(ctx, str_c(status_name(always[i])));
    if (news->status_text.len)
        emit(ctx, news->status_text);
}

static const struct dir_def dir_one_status = {
    .about = "the instances of one runtime status",
    .class = CLASS_DIR_VIEW,
    .space = SPACE_FOLDER,
    .child = &dir_instance,
    .what = LIST_INSTANCES,
    .rows = status_rows,
    .holders = status_holders,
};

const struct dir_def dir_by_status = {
    .name = "by-status",
    .about = "the same instances, grouped by runtime status",
    .class = CLASS_DIR_VIEW,
    .view = VIEW_STATUS,
    .child = &dir_one_status,
    .what = LIST_INSTANCES,
    .folders = status_folders,
    .admits = status_admits,
};

/* -- by-name -- */

static enum err name_folders(struct listing *l, struct call *call, struct str text,
                             struct folders *ret)
{
    return listing_names(l, call, folders_emit, ret);
}

static bool name_rows(struct str text, struct listing_filter *ret)
{
    *ret = (struct listing_filter){ .kind = FILTER_NAME, .text = text };
    return true;
}

static void name_holders(const struct catalogue_news *news, void (*emit)(void *, struct str),
                         void *ctx)
{
    if (news->name.len)
        emit(ctx, news->name);
}

static const struct dir_def dir_one_name = {
    .about = "the instances of one orchestrator",
    .class = CLASS_DIR_VIEW,
    .space = SPACE_FOLDER,
    .child = &dir_instance,
    .what = LIST_INSTANCES,
    .rows = name_rows,
    .holders = name_holders,
};

const struct dir_def dir_by_name = {
    .name = "by-name",
    .about = "the same instances, grouped by orchestrator",
    .class = CLASS_DIR_VIEW,
    .view = VIEW_NAME,
    .child = &dir_one_name,
    .what = LIST_INSTANCES,
    .folders = name_folders,
};

/* -- by-created -- */

static bool day_admits(struct str text, struct str name)
{
    ticks day;

    return ticks_parse_day(name, &day);
}

static enum err day_folders(struct listing *l, struct call *call, struct str text,
                            struct folders *ret)
{
    return listing_days(l, call, folders_emit, ret);
}

static bool day_rows(struct str text, struct listing_filter *ret)
{
    *ret = (struct listing_filter){ .kind = FILTER_DAY };
    return ticks_parse_day(text, &ret->day);
}

static void day_holders(const struct catalogue_news *news, void (*emit)(void *, struct str),
                        void *ctx)
{
    CLEANUP_BUF struct buf day = BUF_INIT(32);

    if (news->created == TICKS_NONE)
        return;
    ticks_print_day(&day, news->created);
    emit(ctx, buf_str(&day));
}

static const struct dir_def dir_one_day = {
    .about = "the instances created on one UTC day",
    .class = CLASS_DIR_VIEW,
    .space = SPACE_FOLDER,
    .child = &dir_instance,
    .what = LIST_INSTANCES,
    .rows = day_rows,
    .holders = day_holders,
};

const struct dir_def dir_by_created = {
    .name = "by-created",
    .about = "the same instances, grouped by UTC day of creation",
    .class = CLASS_DIR_VIEW,
    .view = VIEW_DAY,
    .child = &dir_one_day,
    .what = LIST_INSTANCES,
    .folders = day_folders,
    .admits = day_admits,
};
