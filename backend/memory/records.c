#include "backend/memory/memory_internal.h"

struct record *memory_find(struct memory *m, struct str id)
{
    return map_get(&m->records, id);
}

void memory_touch(struct memory *m, struct record *r)
{
    ticks now = clock_wall();
    m->last_stamp = now > m->last_stamp ? now : m->last_stamp + 1;
    r->stamp = m->last_stamp;
}

struct record *memory_add(struct memory *m, struct record *r)
{
    if (!r || !r->id || map_set(&m->records, text_str(r->id), r)) {
        record_free(r);
        return NULL;
    }
    memory_touch(m, r);
    return r;
}

void memory_remove(struct memory *m, struct record *r)
{
    map_del(&m->records, text_str(r->id));
    record_free(r);
}
