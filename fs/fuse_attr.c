#include <sys/stat.h>

#include "fs/fuse_attr.h"

#define TIMEOUT_MAX_MS (INT64_C(30) * 24 * 3600 * 1000) /* any long time will do */
#define BLOCK_BYTES    512

double timeout_from_ms(int64_t ms)
{
    if (ms <= 0)
        return 0;
    return (double)(ms < TIMEOUT_MAX_MS ? ms : TIMEOUT_MAX_MS) / 1000.0;
}

void stat_from_attr(struct stat *ret, const struct attr *a)
{
    *ret =
        (struct stat){ .st_ino = a->node,
                       .st_mode = a->mode,
                       .st_nlink = 1, /* also of directories: find must not guess leaves from it */
                       .st_uid = a->uid,
                       .st_gid = a->gid,
                       .st_size = (off_t)a->size,
                       .st_blksize = 4096 };
    if (S_ISREG(a->mode))
        ret->st_blocks = (blkcnt_t)((a->size + BLOCK_BYTES - 1) / BLOCK_BYTES);
    ticks_to_timespec(a->mtime, &ret->st_mtim);
    ticks_to_timespec(a->ctime, &ret->st_ctim);
    ret->st_atim = ret->st_mtim;
}

void entry_from_attr(struct fuse_entry_param *ret, const struct attr *a)
{
    *ret =
        (struct fuse_entry_param){ .ino = a->node,
                                   .attr_timeout = a->size_exact ? timeout_from_ms(a->attr_ms) : 0,
                                   .entry_timeout = timeout_from_ms(a->entry_ms) };
    stat_from_attr(&ret->attr, a);
}
