#include "fs/fuse_follow.h"

/* What forest_moved says of the file, as far as memory knows; 0 = nothing. */
static uint64_t number_now(struct request *r)
{
    uint64_t number = 0;
    bool finished;
    struct call call;

    call_init_local(&call);
    enum err err = forest_moved(r->mount->forest, &call, r->node, INT64_MAX, &number, &finished);
    return err == OK ? number : 0;
}

enum err follow(struct request *r, struct reader *reader)
{
    struct mount *m = r->mount;
    CLEANUP(text_unref) struct text *old = reader_text(m->handles, reader);
    CLEANUP(text_unref) struct text *now = NULL;

    uint64_t number = number_now(r);

    enum err err = forest_follow(m->forest, &r->call, r->node, old, &now);
    if (err == ERR_NOT_FOUND)
        return OK; /* purged: it grows no more, what was read stays */
    if (!err)
        err = reader_replace(m->handles, &r->call, reader, old, now);
    if (!err)
        atomic_store(&reader->taken, number);
    return err;
}
