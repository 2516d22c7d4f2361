#include "backend/instance.h"

#include <stdlib.h>

static const char *const status_names[STATUS_COUNT] = {
    [STATUS_RUNNING] = "Running",
    [STATUS_COMPLETED] = "Completed",
    [STATUS_CONTINUED_AS_NEW] = "ContinuedAsNew",
    [STATUS_FAILED] = "Failed",
    [STATUS_CANCELED] = "Canceled",
    [STATUS_TERMINATED] = "Terminated",
    [STATUS_PENDING] = "Pending",
    [STATUS_SUSPENDED] = "Suspended",
    [STATUS_UNKNOWN] = "Unknown",
};

const char *status_name(enum status s)
{
    return (unsigned)s < STATUS_COUNT ? status_names[s] : status_names[STATUS_UNKNOWN];
}

enum status status_parse(struct str text)
{
    for (int s = 0; s < STATUS_UNKNOWN; s++)
        if (str_eq(text, str_c(status_names[s])))
            return (enum status)s;
    return STATUS_UNKNOWN;
}

bool status_is_finished(enum status s)
{
    return s == STATUS_COMPLETED || s == STATUS_FAILED || s == STATUS_CANCELED ||
           s == STATUS_TERMINATED;
}

bool row_is_finished(const struct row *r)
{
    return status_is_finished(r->status);
}

ticks row_completed(const struct row *r)
{
    return row_is_finished(r) ? r->completed : TICKS_NONE;
}

bool id_is_entity(struct str id)
{
    return id.len > 0 && id.p[0] == '@';
}

bool id_split_entity(struct str id, struct str *ret_name, struct str *ret_key)
{
    if (!id_is_entity(id))
        return false;
    const char *at = memchr(id.p + 1, '@', id.len - 1);
    if (!at)
        return false;
    size_t second = (size_t)(at - id.p);
    *ret_name = str_slice(id, 1, second);
    *ret_key = str_slice(id, second + 1, id.len);
    return true;
}

struct instance *instance_new(void)
{
    struct instance *in = calloc(1, sizeof *in);
    if (!in)
        return NULL;
    in->refs = 1;
    arena_init(&in->arena);
    in->row.status = STATUS_UNKNOWN;
    in->row.created = in->row.updated = in->row.completed = in->row.scheduled = TICKS_NONE;
    in->row.stamp = TICKS_NONE;
    in->generation = -1;
    return in;
}

struct instance *instance_ref(struct instance *in)
{
    if (in)
        __atomic_add_fetch(&in->refs, 1, __ATOMIC_RELAXED);
    return in;
}

struct instance *instance_unref(struct instance *in)
{
    if (in && __atomic_sub_fetch(&in->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        arena_fini(&in->arena);
        free(in);
    }
    return NULL;
}
