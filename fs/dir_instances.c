#include "fs/dirs.h"

static bool every_instance(struct str text, struct listing_filter *ret)
{
    *ret = (struct listing_filter){ .kind = FILTER_ALL };
    return true;
}

const struct dir_def dir_instances = {
    .name = "instances",
    .about = "every orchestration instance",
    .class = CLASS_DIR_VIEW,
    .child = &dir_instance,
    .what = LIST_INSTANCES,
    .rows = every_instance,
};
