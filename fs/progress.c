#include "fs/progress.h"

#include <stdlib.h>

#include "backend/base/lock.h"

struct progress {
    struct lock lock;             /* RANK_LOG: innermost, it only copies numbers */
    struct running *first, *last; /* L */
};

struct progress *progress_new(void)
{
    struct progress *p = calloc(1, sizeof(*p));

    if (p)
        lock_init(&p->lock, RANK_LOG);
    return p;
}

void progress_free(struct progress *p)
{
    if (!p)
        return;
    lock_fini(&p->lock);
    free(p);
}

static void set_what(struct running *r, struct str what)
{
    what = str_head_utf8(what, sizeof(r->what) - 1);
    for (size_t i = 0; i < what.len; i++)
        r->what[i] = (unsigned char)what.p[i] < 0x20 || what.p[i] == 0x7f ? '?' : what.p[i];
    r->what[what.len] = '\0';
}

void progress_begin(struct progress *p, struct running *r, const struct call *call, struct str what)
{
    if (!p)
        return;
    *r = (struct running){ .since = clock_wall(), .call = call };
    set_what(r, what);
    LOCK_SCOPE(&p->lock);
    r->prev = p->last;
    *(r->prev ? &r->prev->next : &p->first) = r;
    p->last = r;
}

void progress_end(struct progress *p, struct running *r)
{
    if (!p)
        return;
    LOCK_SCOPE(&p->lock);
    *(r->prev ? &r->prev->next : &p->first) = r->next;
    *(r->next ? &r->next->prev : &p->last) = r->prev;
}

void progress_print_line(struct buf *out, ticks since, struct str what, uint64_t done, uint64_t of)
{
    ticks_print(out, since);
    buf_printf(out, "\t" STR_FMT "\t%llu\t", STR_ARG(what), (unsigned long long)done);
    if (of)
        buf_printf(out, "%llu", (unsigned long long)of);
    buf_add_ch(out, '\n');
}

void progress_print(struct progress *p, struct buf *out)
{
    if (!p)
        return;
    LOCK_SCOPE(&p->lock);
    for (const struct running *r = p->first; r; r = r->next)
        progress_print_line(out, r->since, str_c(r->what), atomic_load(&r->call->done),
                            atomic_load(&r->call->of));
}
