/* failures: the last failed operations with their reasons: what .taskhubfs/errors shows.
 * One JSON object a line:
 * {"time","op","path","errno","reason","status","code","requestId","pid","uid", "count"}; lines
 * equal in op, path, errno and reason within 10 s are folded with a count (R7). Each is logged
 * once, too. Ownership: embedded in nothing; failures_new/failures_free. Threads: any. */
#ifndef FS_FAILURES_H
#define FS_FAILURES_H

#include "backend/base/buf.h"
#include "backend/base/call.h"

struct failures;

struct failures *failures_new(void);
void failures_free(struct failures *f); /* accepts NULL */
/* path: as a user of the mount would write it, without the mount point. ERR_NOT_FOUND and
 * ERR_CANCELLED are not recorded, except as an unknown outcome. */
void failures_add(struct failures *f, const char *op, struct str path, enum err err,
                  const struct call *call, int pid, int uid);
void failures_print(struct failures *f, struct buf *out);

#endif
