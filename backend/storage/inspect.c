#include "backend/storage/inspect.h"

#include <stdlib.h>

#include "backend/storage/owners.h"
#include "backend/storage/queues.h"

#define NO_QUEUE (-2) /* of a partition that is written down and has none */

struct inspection {
    struct storage *s;
    struct call *call;
    struct owners owners;
    int64_t messages[OWNERS_MAX]; /* -1 = not told */
    int64_t workitems;
};

static enum err on_queue(void *ctx, struct str name)
{
    struct inspection *in = ctx;
    unsigned index;

    if (partition_parse_queue(name, str_c(in->s->hub_lower), &index) && index < OWNERS_MAX)
        in->messages[index] = -1;
    return OK;
}

static enum err count_queue(struct inspection *in, const char *queue, int64_t *ret)
{
    struct queue_metadata metadata = { .messages = -1 };
    enum err err = queues_metadata(in->s, in->call, queue, &metadata);

    if (err == ERR_NOT_FOUND) {
        wire_forgive(in->call);
        *ret = NO_QUEUE;
        return OK;
    }
    if (err == OK)
        *ret = metadata.messages;
    return err;
}

static enum err count_queues(struct inspection *in)
{
    struct str hub = str_c(in->s->hub_lower);
    char name[QUEUE_NAME_MAX];

    for (unsigned i = 0; i < OWNERS_MAX; i++)
        in->messages[i] = NO_QUEUE;
    partition_resource(name, hub, "control-");
    enum err err = queues_list(in->s, in->call, name, on_queue, in);
    for (unsigned i = 0; err == OK && i < OWNERS_MAX; i++) {
        if (in->messages[i] == NO_QUEUE)
            continue;
        partition_queue(name, hub, i);
        err = count_queue(in, name, &in->messages[i]);
    }
    partition_resource(name, hub, "workitems");
    return err == OK ? count_queue(in, name, &in->workitems) : err;
}

/* -- lines -- */

static void print_count(struct buf *out, int64_t messages)
{
    if (messages >= 0)
        buf_printf(out, "%lld", (long long)messages);
}

static void print_partition(const struct inspection *in, unsigned i, struct buf *out)
{
    const struct owner *o = &in->owners.partitions[i];
    char queue[QUEUE_NAME_MAX];

    partition_queue(queue, str_c(in->s->hub_lower), i);
    buf_printf(out, "%s\t", queue);
    print_count(out, in->messages[i]);
    buf_printf(out, "\t%s", o->current);
    if (o->state == OWNER_HANDOVER)
        buf_printf(out, "%s> %s", o->current[0] ? " " : "", o->next);
    buf_printf(out, "\t%s\t", owner_state_name(o->state));
    ticks_print(out, o->renewed);
    buf_add_ch(out, '\n');
}

static void print(const struct inspection *in, struct buf *out)
{
    const struct owners *o = &in->owners;
    char name[QUEUE_NAME_MAX];

    for (unsigned i = 0; i < OWNERS_MAX; i++)
        if (in->messages[i] != NO_QUEUE || o->partitions[i].state != OWNER_UNTOLD)
            print_partition(in, i, out);
    if (in->workitems != NO_QUEUE) {
        partition_resource(name, str_c(in->s->hub_lower), "workitems");
        buf_printf(out, "%s\t", name);
        print_count(out, in->workitems);
        buf_add_c(out, "\t\t\t\n");
    }
    partition_resource(name, str_c(in->s->hub_lower), "applease");
    buf_printf(out, "%s\t\t%s\t%s\t\n", name, o->app_owner,
               o->app_lease[0] ? o->app_lease : "none");
    buf_printf(out, "worker\t\t\t%s\t\n", owners_alive(o) ? "alive" : "none");
}

enum err storage_inspect(struct hub *hub, struct call *call, struct buf *ret)
{
    struct inspection *in = calloc(1, sizeof(*in));

    if (!in)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    in->s = storage_of(hub);
    in->call = call;
    enum err err = count_queues(in);
    if (err == OK)
        err = owners_read(in->s, call, &in->owners);
    if (err == OK)
        print(in, ret);
    free(in);
    return err;
}
