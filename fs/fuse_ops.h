/* fuse_ops: the table of operations for libfuse, one short function each: decode, run, reply.
 * The operations sit by noun in fuse_ops.c (names, attributes, refusals), fuse_read.c, fuse_dir.c,
 * fuse_write.c, fuse_remove.c.
 * Threads: libfuse's workers. */
#ifndef FS_FUSE_OPS_H
#define FS_FUSE_OPS_H

#include "fs/fuse_request.h"

extern const struct fuse_lowlevel_ops fuse_ops;

/* fuse_ops.c */
MUST_CHECK enum err run_lookup(struct request *r);

/* fuse_read.c */
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* fuse_write.c */
void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
               struct fuse_file_info *fi);
void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
              struct fuse_file_info *fi);
void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
MUST_CHECK enum err open_writer(struct request *r);
void release_writer(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* fuse_poll.c */
void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph);

/* fuse_dir.c */
void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi);
void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* fuse_remove.c */
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
/* The lookup of a thread that removes a directory, on its way round (detours.h). */
MUST_CHECK enum err lookup_on_detour(struct request *r);

#endif
