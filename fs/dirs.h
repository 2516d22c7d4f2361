/* dirs: the tables of all directories, one dir_*.c a kind.
 * Threads: constants. */
#ifndef FS_DIRS_H
#define FS_DIRS_H

#include "fs/filedef.h"

extern const struct dir_def dir_root;
extern const struct dir_def dir_instances;
extern const struct dir_def dir_instance; /* in any view */
extern const struct dir_def dir_by_status;
extern const struct dir_def dir_by_name;
extern const struct dir_def dir_by_created;
extern const struct dir_def dir_start;
extern const struct dir_def dir_entities;
extern const struct dir_def dir_machine;
extern const struct dir_def dir_account; /* the root of a mount of all hubs: the hubs are not in its
                                            table (forest.h) */

/* dir_history.c: what the files of an instance say of its events. */
enum err instance_history_show(const struct view *v, struct buf *out);
enum err instance_history_json_show(const struct view *v, struct buf *out);
enum err instance_history_jsonl_show(const struct view *v, struct buf *out);
enum err instance_parent_show(const struct view *v, struct buf *out);
enum err instance_children_show(const struct view *v, struct buf *out);

/* The name of an event; of a completion that of its decision. Lives as long as the history. */
struct str instance_event_name(const struct history *h, size_t i);

/* dir_urls.c: ERR_NOT_FOUND when no HTTP endpoint was given: then the file is not there. */
enum err instance_urls_show(const struct view *v, struct buf *out);

/* dir_failure.c: why it failed. */
enum err instance_failure_show(const struct view *v, struct buf *out);

/* dir_pictures.c: its events drawn. */
enum err instance_timeline_show(const struct view *v, struct buf *out);
enum err instance_timeline_svg_show(const struct view *v, struct buf *out);
enum err instance_history_mmd_show(const struct view *v, struct buf *out);

/* dir_status.c: what they say of its row. */
enum err instance_status_show(const struct view *v, struct buf *out);
enum err instance_status_json_show(const struct view *v, struct buf *out);

#endif
