#include "fs/fuse_notify.h"

static void invalidate(struct mount *m, node n, off_t offset)
{
    if (m->session)
        (void)fuse_lowlevel_notify_inval_inode(m->session, n, offset, 0);
}

/* Below zero: attributes only, which waits for nothing (fuse facts F2). */
static void attributes(void *ctx, node n)
{
    invalidate(ctx, n, -1);
}

static void listing(void *ctx, node dir)
{
    invalidate(ctx, dir, 0);
}

static void name(void *ctx, node dir, struct str s)
{
    const struct mount *m = ctx;

    if (m->session)
        (void)fuse_lowlevel_notify_inval_entry(m->session, dir, s.p, s.len);
}

struct notify_kernel fuse_notify_kernel(struct mount *m)
{
    return (struct notify_kernel){
        .attributes = attributes, .listing = listing, .name = name, .ctx = m
    };
}
