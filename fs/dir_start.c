#include "fs/dirs.h"
#include "fs/folders.h"

/* Any orchestrator can be started, seen in the hub or not. */
static bool start_admits(struct str text, struct str name)
{
    return name.len > 0;
}

static enum err start_folders(struct listing *l, struct call *call, struct str text,
                              struct folders *ret)
{
    return listing_names(l, call, folders_emit, ret);
}

static const struct dir_def dir_orchestrator = {
    .about = "write input JSON to start/ORCHESTRATOR/NEW-ID",
    .class = CLASS_DIR_MESSAGES,
    .space = SPACE_FOLDER,
    .takes_messages = true,
    .message = CMD_START,
};

const struct dir_def dir_start = {
    .name = "start",
    .about = "write input JSON to start/ORCHESTRATOR/NEW-ID to start an instance",
    .class = CLASS_DIR_VIEW,
    .child = &dir_orchestrator,
    .what = LIST_INSTANCES,
    .folders = start_folders,
    .admits = start_admits,
};
