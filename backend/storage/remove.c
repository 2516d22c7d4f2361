#include "backend/storage/remove.h"

#include <stdio.h>
#include <stdlib.h>

#include "backend/storage/columns.h"
#include "backend/storage/discovery.h"
#include "backend/storage/keys.h"
#include "backend/storage/owners.h"
#include "backend/storage/queues.h"
#include "backend/storage/tables.h"

#define FILTER_MAX   (4 * KIB)
#define FIXED_STEPS  7 /* work items, three tables, three containers */
#define WHY_MAX      400
#define COLUMNS      "PartitionKey,RuntimeStatus,TaskHubName"
#define TABLES_OF_IT 3

enum { TABLE_INSTANCES, TABLE_HISTORY, TABLE_PARTITIONS };

/* What is there to delete. */
struct remains {
    struct storage *s;
    struct call *call;
    bool queues[OWNERS_MAX];                   /* control queues, by index */
    char tables[TABLES_OF_IT][TABLE_NAME_MAX]; /* as the account spells them; "" = not there */
    unsigned deleted;
};

/* -- listing it -- */

static enum err on_queue(void *ctx, struct str name)
{
    struct remains *r = ctx;
    unsigned index;

    if (partition_parse_queue(name, str_c(r->s->hub_lower), &index) && index < OWNERS_MAX)
        r->queues[index] = true;
    return OK;
}

static enum err on_table(void *ctx, struct str name)
{
    static const char *const suffixes[TABLES_OF_IT] = { "Instances", "History", "Partitions" };
    struct remains *r = ctx;
    size_t hub = strlen(r->s->hub.name);

    if (name.len >= TABLE_NAME_MAX ||
        !str_eq_nocase(str_slice(name, 0, hub), str_c(r->s->hub.name)))
        return OK;
    for (int i = 0; i < TABLES_OF_IT; i++)
        if (str_eq(str_slice(name, hub, name.len), str_c(suffixes[i])))
            snprintf(r->tables[i], TABLE_NAME_MAX, STR_FMT, STR_ARG(name));
    return OK;
}

static enum err list_remains(struct remains *r)
{
    char prefix[QUEUE_NAME_MAX];

    partition_resource(prefix, str_c(r->s->hub_lower), "control-");
    enum err err = discovery_tables(r->s, r->call, on_table, r);
    return err == OK ? queues_list(r->s, r->call, prefix, on_queue, r) : err;
}

/* -- may it go? -- */

static enum err check_owners(struct remains *r)
{
    struct owners *o = malloc(sizeof(*o));

    if (!o)
        return call_fail(r->call, ERR_NO_MEMORY, "out of memory");
    enum err err = owners_read(r->s, r->call, o);
    int held = err == OK ? owners_first_held(o) : -1;
    if (held >= 0)
        err = call_fail(r->call, ERR_BUSY,
                        "task hub %s is in use: partition %d is held by %s; stop its app, which "
                        "lets go within a minute",
                        r->s->hub.name, held,
                        o->partitions[held].current[0] ? o->partitions[held].current
                                                       : o->partitions[held].next);
    else if (err == OK && owners_alive(o))
        err =
            call_fail(r->call, ERR_BUSY,
                      "task hub %s is in use: an app (%s) holds its lease; stop it, and the lease "
                      "ends within a minute",
                      r->s->hub.name, o->app_owner[0] ? o->app_owner : "it does not say which");
    free(o);
    return err;
}

enum { ROW_KEY, ROW_STATUS, ROW_HUB, ROW_COLUMNS };

/* Rows of another hub mean that these tables are a tracking store that several hubs share. */
static enum err judge_row(struct remains *r, const struct column *c)
{
    struct str hub = column_str(&c[ROW_HUB]), status = column_str(&c[ROW_STATUS]);
    struct str key = column_str(&c[ROW_KEY]);
    static const char *const finished[] = { "Completed", "Failed", "Terminated", "Canceled" };

    if (hub.len && !str_eq_nocase(hub, str_c(r->s->hub.name)))
        return call_fail(r->call, ERR_BUSY,
                         "the tables of task hub %s also hold instances of hub " STR_FMT
                         ": they are not deleted",
                         r->s->hub.name, STR_ARG(hub));
    if (str_starts(key, STR("@")))
        return OK; /* an entity: it is never finished */
    for (size_t i = 0; i < ARRAY_LEN(finished); i++)
        if (str_eq(status, str_c(finished[i])))
            return OK;
    return call_fail(
        r->call, ERR_BUSY, "task hub %s has unfinished instances: " STR_FMT " is %s" STR_FMT,
        r->s->hub.name, STR_ARG(key), status.len ? "" : "without a status", STR_ARG(status));
}

/* *ret_read false: the page is damaged. */
static enum err judge_page(struct remains *r, struct str page, bool *ret_read)
{
    static const struct str names[ROW_COLUMNS] = { { "PartitionKey", 12 },
                                                   { "RuntimeStatus", 13 },
                                                   { "TaskHubName", 11 } };
    struct column c[ROW_COLUMNS];
    struct arena arena;
    struct jsonread json;
    enum err err = OK;

    arena_init(&arena);
    jsonread_init(&json, page, &arena);
    *ret_read = columns_page(&json);
    while (err == OK && *ret_read && jsonread_element(&json)) {
        *ret_read = columns_read(&json, names, c, ROW_COLUMNS);
        if (*ret_read)
            err = judge_row(r, c);
    }
    *ret_read = *ret_read && (err != OK || columns_page_end(&json));
    arena_fini(&arena);
    return err;
}

/* Only rows that speak against it come over the wire. */
static void filter_objections(const struct remains *r, struct buf *filter)
{
    buf_add_c(filter, "((PartitionKey lt '@' or PartitionKey ge 'A') and RuntimeStatus ne "
                      "'Completed' and RuntimeStatus ne 'Failed' and RuntimeStatus ne "
                      "'Terminated' and RuntimeStatus ne 'Canceled') or TaskHubName ne ");
    key_literal(filter, str_c(r->s->hub.name));
}

static enum err check_instances(struct remains *r)
{
    CLEANUP_BUF struct buf filter = BUF_INIT(FILTER_MAX);
    struct table_query query = { .table = str_c(r->tables[TABLE_INSTANCES]), .select = COLUMNS };
    struct pages pages;
    enum err err;

    if (!r->tables[TABLE_INSTANCES][0])
        return OK;
    filter_objections(r, &filter);
    if ((err = buf_err(&filter)) != OK)
        return call_fail(r->call, err, "out of memory");
    query.filter = buf_str(&filter);
    pages_init(&pages, r->s, &query);
    while ((err = pages_next(&pages, r->call)) == OK && pages_more(&pages)) {
        bool read = false;

        err = judge_page(r, pages_body(&pages), &read);
        if (err == OK && !read)
            err = pages_damaged(&pages, r->call);
        if (err != OK)
            break;
    }
    pages_fini(&pages);
    if (err != ERR_NOT_FOUND)
        return err;
    wire_forgive(r->call); /* the table went meanwhile */
    return OK;
}

/* -- deleting -- */

static enum err step(struct remains *r, enum err err, bool was_there)
{
    if (err != OK)
        return err;
    r->deleted += was_there;
    call_step(r->call, 1);
    return OK;
}

static enum err delete_queue(struct remains *r, const char *queue)
{
    bool was_there = false;
    enum err err = queues_delete(r->s, r->call, queue, &was_there);

    return step(r, err, was_there);
}

static enum err delete_queues(struct remains *r)
{
    char queue[QUEUE_NAME_MAX];
    enum err err = OK;

    for (unsigned i = 0; err == OK && i < OWNERS_MAX; i++) {
        if (!r->queues[i])
            continue;
        partition_queue(queue, str_c(r->s->hub_lower), i);
        err = delete_queue(r, queue);
    }
    partition_resource(queue, str_c(r->s->hub_lower), "workitems");
    return err == OK ? delete_queue(r, queue) : err;
}

static enum err delete_table(struct remains *r, int table)
{
    bool was_there = false;
    enum err err = OK;

    if (r->tables[table][0])
        err = tables_drop(r->s, r->call, str_c(r->tables[table]), &was_there);
    return step(r, err, was_there);
}

static enum err delete_container(struct remains *r, enum container container)
{
    bool was_there = false;
    enum err err = blobs_delete_container(r->s, r->call, container, &was_there);

    return step(r, err, was_there);
}

static enum err delete_all(struct remains *r)
{
    enum err err = delete_queues(r);

    if (err == OK)
        err = delete_table(r, TABLE_INSTANCES);
    if (err == OK)
        err = delete_table(r, TABLE_HISTORY);
    if (err == OK)
        err = delete_container(r, CONTAINER_PAYLOADS);
    if (err == OK)
        err = delete_container(r, CONTAINER_LEASES);
    if (err == OK)
        err = delete_table(r, TABLE_PARTITIONS);
    return err == OK ? delete_container(r, CONTAINER_APPLEASE) : err;
}

/* The first sentence says why; this one adds where it stopped. */
static enum err stopped(struct remains *r, enum err err)
{
    char why[WHY_MAX];
    uint64_t done = atomic_load(&r->call->done), of = atomic_load(&r->call->of);

    snprintf(why, sizeof(why), "%.*s", WHY_MAX - 1, r->call->text);
    return call_fail(r->call, err,
                     "task hub %s is deleted in part: %llu of %llu queues, tables and containers "
                     "are still to go; repeat it. %s",
                     r->s->hub.name, (unsigned long long)(of - done), (unsigned long long)of, why);
}

static uint64_t count_steps(const struct remains *r)
{
    uint64_t n = FIXED_STEPS;

    for (int i = 0; i < OWNERS_MAX; i++)
        n += r->queues[i];
    return n;
}

static enum err run(struct remains *r)
{
    enum err err = list_remains(r);

    if (err == OK)
        err = check_owners(r);
    if (err == OK)
        err = check_instances(r);
    if (err != OK)
        return err;
    call_steps(r->call, count_steps(r));
    err = delete_all(r);
    return err == OK || !r->deleted ? err : stopped(r, err);
}

enum err storage_remove(struct hub *hub, struct call *call)
{
    struct remains r = { .s = storage_of(hub), .call = call };
    enum err err = call_check(call);

    return err == OK ? run(&r) : err;
}

/* -- leftovers -- */

static enum err look_for_any(struct remains *r, bool *ret)
{
    char queue[QUEUE_NAME_MAX], lease[LEASE_STATE_MAX];
    struct queue_metadata metadata;
    enum err err = list_remains(r);

    for (int i = 0; i < TABLES_OF_IT; i++)
        *ret |= r->tables[i][0] != '\0';
    for (int i = 0; i < OWNERS_MAX; i++)
        *ret |= r->queues[i];
    for (int c = 0; err == OK && !*ret && c < CONTAINERS; c++) {
        err = blobs_container_lease(r->s, r->call, (enum container)c, lease);
        *ret = err == OK && lease[0];
    }
    if (err != OK || *ret)
        return err;
    partition_resource(queue, str_c(r->s->hub_lower), "workitems");
    err = queues_metadata(r->s, r->call, queue, &metadata);
    *ret = err == OK;
    if (err != ERR_NOT_FOUND)
        return err;
    wire_forgive(r->call);
    return OK;
}

enum err remove_find_leftovers(struct storage *s, struct call *call, struct str hub)
{
    struct remains r = { .s = s, .call = call };
    char why[CALL_TEXT_MAX];
    bool any = false;

    snprintf(why, sizeof(why), "%s", call->text);
    wire_forgive(call);
    if (!discovery_set_names(s, hub))
        return call_fail(call, ERR_NOT_FOUND, "%s", why);
    enum err err = look_for_any(&r, &any);
    if (err != OK)
        return err;
    if (!any)
        return call_fail(call, ERR_NOT_FOUND, "%s", why);
    if (r.tables[TABLE_INSTANCES][0])
        snprintf(s->instances, sizeof(s->instances), "%s", r.tables[TABLE_INSTANCES]);
    snprintf(s->partitions_table, sizeof(s->partitions_table), "%s", r.tables[TABLE_PARTITIONS]);
    return OK;
}
