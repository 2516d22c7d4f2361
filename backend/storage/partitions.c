#include "backend/storage/partitions.h"

#include "backend/base/jsonread.h"
#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "backend/storage/blobs.h"
#include "backend/storage/queues.h"
#include "backend/storage/tables.h"

#define TASK_HUB_BLOB     "taskhub.json"
#define TASK_HUB_BLOB_MAX (16 * KIB) /* it has 100 bytes */
#define WAY_OUT           "say --partitions, or name the project whose host.json says it"

/* -- what the sources say -- */

static bool read_task_hub(struct str json, struct str hub, struct arena *arena, int64_t *ret)
{
    struct jsonread r;
    struct str name, value = STR_NONE;

    if (str_starts(json, STR("\xef\xbb\xbf")))
        json = str_slice(json, 3, json.len);
    jsonread_init(&r, json, arena);
    if (!jsonread_object(&r))
        return false;
    while (jsonread_member(&r, &name)) {
        if (str_eq_nocase(name, STR("TaskHubName")))
            (void)jsonread_string(&r, &value);
        else if (str_eq_nocase(name, STR("PartitionCount")))
            (void)jsonread_i64(&r, ret);
        else
            jsonread_skip(&r);
    }
    return jsonread_ok(&r) && str_eq_nocase(value, hub);
}

unsigned partitions_of_task_hub(struct str json, struct str hub)
{
    struct arena arena;
    int64_t count = 0;

    arena_init(&arena);
    bool good = read_task_hub(json, hub, &arena, &count) && count >= 1 && count <= PARTITIONS_MAX;
    arena_fini(&arena);
    return good ? (unsigned)count : 0;
}

void partition_set_add(struct partition_set *set, struct str queue_name)
{
    unsigned index;

    if (!partition_parse_queue(queue_name, set->hub, &index))
        return;
    if (index < PARTITIONS_MAX)
        set->seen |= 1u << index;
    else
        set->beyond = true;
}

unsigned partition_set_count(const struct partition_set *set)
{
    return (unsigned)__builtin_popcount(set->seen);
}

unsigned partition_set_dense(const struct partition_set *set)
{
    unsigned n = partition_set_count(set);

    return n && !set->beyond && set->seen == (1u << n) - 1 ? n : 0;
}

/* -- asking them; each gives 0 when it says nothing -- */

static enum err ask_metadata(struct storage *s, struct call *call, unsigned *ret)
{
    char queue[QUEUE_NAME_MAX];
    struct queue_metadata metadata;

    partition_resource(queue, str_c(s->hub_lower), "workitems");
    enum err err = queues_metadata(s, call, queue, &metadata);
    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        return OK;
    }
    if (err == OK && metadata.task_hub[0])
        *ret = partitions_of_task_hub(str_c(metadata.task_hub), str_c(s->hub.name));
    return err;
}

static enum err read_row_keys(struct str page, struct partition_set *set)
{
    struct arena arena;
    struct jsonread r;
    struct str name, key;

    arena_init(&arena);
    jsonread_init(&r, page, &arena);
    (void)jsonread_object(&r);
    while (jsonread_member(&r, &name)) {
        if (!str_eq(name, STR("value")) || !jsonread_array(&r)) {
            jsonread_skip(&r);
            continue;
        }
        while (jsonread_element(&r)) {
            if (!jsonread_object(&r)) {
                jsonread_skip(&r);
                continue;
            }
            while (jsonread_member(&r, &name)) {
                if (!str_eq(name, STR("RowKey")))
                    jsonread_skip(&r);
                else if (jsonread_string(&r, &key))
                    partition_set_add(set, key);
            }
        }
    }
    bool good = jsonread_ok(&r);
    arena_fini(&arena);
    return good ? OK : ERR_BROKEN;
}

static enum err ask_table(struct storage *s, struct call *call, unsigned *ret)
{
    struct table_query query = { .table = str_c(s->partitions_table), .select = "RowKey" };
    struct partition_set set = { .hub = str_c(s->hub_lower) };
    struct pages pages;
    enum err err;

    if (!s->partitions_table[0])
        return OK;
    pages_init(&pages, s, &query);
    while ((err = pages_next(&pages, call)) == OK && pages_more(&pages)) {
        if (read_row_keys(pages_body(&pages), &set) != OK &&
            (err = pages_damaged(&pages, call)) != OK)
            break;
    }
    pages_fini(&pages);
    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        return OK;
    }
    if (err != OK)
        return err;
    if (set.beyond)
        return call_fail(call, ERR_INVALID, "table %s names more than %d control queues; %s",
                         s->partitions_table, PARTITIONS_MAX, WAY_OUT);
    *ret = partition_set_count(&set);
    /* host.json wins only if the user says so: only a word here. */
    if (*ret && s->host_partitions && (unsigned)s->host_partitions != *ret)
        log_debug("partitions table=%s count=%u host.json=%d", s->partitions_table, *ret,
                  s->host_partitions);
    return OK;
}

static enum err on_queue(void *ctx, struct str name)
{
    partition_set_add(ctx, name);
    return OK;
}

static enum err ask_queues(struct storage *s, struct call *call, struct partition_set *set)
{
    char prefix[QUEUE_NAME_MAX];

    set->hub = str_c(s->hub_lower);
    partition_resource(prefix, set->hub, "control-");
    return queues_list(s, call, prefix, on_queue, set);
}

/* ownership/{queue} of the safe manager, default/{queue} of the legacy one. */
static enum err on_lease(void *ctx, struct str name)
{
    struct str rest = name;
    struct str folder = str_cut(&rest, '/');

    if (str_eq(folder, STR("ownership")) || str_eq(folder, STR("default")))
        partition_set_add(ctx, rest);
    return OK;
}

static enum err read_task_hub_blob(struct storage *s, struct call *call, unsigned *ret)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    enum err err =
        blobs_get(s, call, CONTAINER_LEASES, STR(TASK_HUB_BLOB), TASK_HUB_BLOB_MAX, &response);

    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        return OK;
    }
    if (err == OK)
        *ret = partitions_of_task_hub(buf_str(&response.body), str_c(s->hub.name));
    return err;
}

/* The blob holds the count of whoever opened the hub last, a client included (storage
 * messages 1.2); only when leases and queues agree with it, or host.json decides, is it believed.
 */
static enum err ask_blob(struct storage *s, struct call *call, const struct partition_set *queues,
                         unsigned *ret)
{
    struct partition_set leases = { .hub = str_c(s->hub_lower) };
    unsigned told = 0;
    enum err err = read_task_hub_blob(s, call, &told);

    if (err != OK || !told)
        return err;
    err = blobs_list(s, call, CONTAINER_LEASES, STR_NONE, false, on_lease, &leases);
    if (err != OK)
        return err;
    unsigned leased = partition_set_count(&leases);
    unsigned queued = partition_set_count(queues);
    if ((!leased || leased == told) && (!queued || queued == told))
        *ret = told;
    else if (s->host_partitions)
        *ret = (unsigned)s->host_partitions;
    else
        return call_fail(call, ERR_INVALID,
                         "taskhub.json of %s says %u partitions, but there are %u leases and %u "
                         "control queues: somebody opened the hub with another count; %s",
                         s->hub.name, told, leased, queued, WAY_OUT);
    return OK;
}

static enum err discover(struct storage *s, struct call *call, unsigned *ret)
{
    struct partition_set queues = { 0 };
    enum err err = ask_metadata(s, call, ret);

    if (err == OK && !*ret)
        err = ask_table(s, call, ret);
    if (err != OK || *ret)
        return err;
    err = ask_queues(s, call, &queues);
    if (err == OK)
        err = ask_blob(s, call, &queues, ret);
    if (err != OK || *ret)
        return err;
    /* Queues alone are an upper bound: every client with a wrong count makes some. */
    unsigned n = partition_set_dense(&queues);
    if (n)
        return call_fail(
            call, ERR_INVALID,
            "nothing but its %u control queues tells how many partitions hub %s has; %s", n,
            s->hub.name, WAY_OUT);
    return call_fail(call, ERR_INVALID,
                     "how many partitions hub %s has is not written anywhere; %s", s->hub.name,
                     WAY_OUT);
}

enum err partitions_find(struct storage *s, struct call *call, unsigned *ret)
{
    unsigned count = s->user_partitions > 0 ? (unsigned)s->user_partitions : 0;

    if (!count) {
        lock_take(&s->lock);
        count = (unsigned)s->partitions;
        lock_drop(&s->lock);
    }
    if (!count) {
        enum err err = discover(s, call, &count);
        if (err != OK)
            return err;
        lock_take(&s->lock);
        s->partitions = (int)count;
        lock_drop(&s->lock);
    }
    *ret = count;
    return OK;
}

void partitions_forget(struct storage *s)
{
    lock_take(&s->lock);
    s->partitions = 0;
    lock_drop(&s->lock);
}

enum err partitions_queue(struct storage *s, struct call *call, struct str id,
                          char ret[QUEUE_NAME_MAX])
{
    unsigned count;
    enum err err = partitions_find(s, call, &count);

    if (err == OK)
        partition_queue(ret, str_c(s->hub_lower), partition_of(id, count));
    return err;
}
