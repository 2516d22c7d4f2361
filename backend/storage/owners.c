#include "backend/storage/owners.h"

#include "backend/base/jsonread.h"
#include "backend/base/limits.h"
#include "backend/storage/columns.h"
#include "backend/storage/refusal.h"
#include "backend/storage/tables.h"

#define LEASE_BLOB_MAX (16 * KIB) /* they have 100 bytes */
#define COLUMNS        "RowKey,CurrentOwner,NextOwner,LastRenewal,ExpiresAt,IsDraining"

const char *owner_state_name(enum owner_state s)
{
    static const char *const names[] = { [OWNER_UNTOLD] = "",
                                         [OWNER_FREE] = "free",
                                         [OWNER_HELD] = "owned",
                                         [OWNER_DRAINING] = "draining",
                                         [OWNER_HANDOVER] = "handover" };

    return names[s];
}

static bool is_held(const struct owner *o)
{
    return o->state == OWNER_HELD || o->state == OWNER_DRAINING || o->state == OWNER_HANDOVER;
}

/* Names go into a table of columns and into sentences. */
static void set_name(char *dst, size_t size, struct str name)
{
    name = str_head_utf8(name, size - 1);
    for (size_t i = 0; i < name.len; i++)
        dst[i] = (unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f ? '?' : name.p[i];
    dst[name.len] = '\0';
}

/* -- the table -- */

enum { ROW_KEY, CURRENT, NEXT, RENEWED, EXPIRES, DRAINING, ROW_COLUMNS };

static enum owner_state state_of(const struct column *c, ticks now)
{
    bool current = column_str(&c[CURRENT]).len, next = column_str(&c[NEXT]).len;
    ticks expires = column_time(&c[EXPIRES]);

    if ((!current && !next) || expires == TICKS_NONE || now >= expires)
        return OWNER_FREE;
    if (next)
        return OWNER_HANDOVER;
    return column_bool(&c[DRAINING], false) ? OWNER_DRAINING : OWNER_HELD;
}

static void note_row(struct owners *o, const struct column *c, struct str hub, ticks now)
{
    unsigned index;

    if (!partition_parse_queue(column_str(&c[ROW_KEY]), hub, &index) || index >= OWNERS_MAX)
        return;
    struct owner *p = &o->partitions[index];
    p->state = state_of(c, now);
    p->renewed = column_time(&c[RENEWED]);
    set_name(p->current, sizeof(p->current), column_str(&c[CURRENT]));
    set_name(p->next, sizeof(p->next), column_str(&c[NEXT]));
    if (p->state == OWNER_FREE)
        p->current[0] = p->next[0] = '\0';
}

enum err owners_read_page(struct owners *o, struct str page, struct str hub, ticks now)
{
    static const struct str names[ROW_COLUMNS] = { { "RowKey", 6 },    { "CurrentOwner", 12 },
                                                   { "NextOwner", 9 }, { "LastRenewal", 11 },
                                                   { "ExpiresAt", 9 }, { "IsDraining", 10 } };
    struct column c[ROW_COLUMNS];
    struct arena arena;
    struct jsonread r;

    arena_init(&arena);
    jsonread_init(&r, page, &arena);
    bool good = columns_page(&r);
    while (good && jsonread_element(&r)) {
        good = columns_read(&r, names, c, ROW_COLUMNS);
        if (good)
            note_row(o, c, hub, now);
    }
    good = good && columns_page_end(&r);
    enum err err = good ? OK : columns_broken(&r);
    arena_fini(&arena);
    return err;
}

static ticks service_now(const struct http_response *response)
{
    int64_t ahead_s = 0;

    (void)refusal_clock_error(response, &ahead_s);
    return clock_wall() - ahead_s * TICKS_PER_SEC;
}

static enum err read_table(struct storage *s, struct call *call, struct owners *o)
{
    struct table_query query = { .table = str_c(s->partitions_table), .select = COLUMNS };
    struct pages pages;
    enum err err;

    if (!s->partitions_table[0])
        return OK;
    pages_init(&pages, s, &query);
    while ((err = pages_next(&pages, call)) == OK && pages_more(&pages)) {
        if (owners_read_page(o, pages_body(&pages), str_c(s->hub_lower),
                             service_now(&pages.response)) != OK &&
            (err = pages_damaged(&pages, call)) != OK)
            break;
    }
    pages_fini(&pages);
    if (err != ERR_NOT_FOUND)
        return err;
    wire_forgive(call);
    return OK;
}

/* -- the leases -- */

/* The text member of a small blob; "" when it is gone meanwhile or says nothing. */
static enum err read_member(struct storage *s, struct call *call, enum container container,
                            struct str blob, const char *member, char *ret, size_t size)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct arena arena;
    struct jsonread r;
    struct str name, value;
    enum err err = blobs_get(s, call, container, blob, LEASE_BLOB_MAX, &response);

    ret[0] = '\0';
    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        return OK;
    }
    if (err != OK)
        return err;
    arena_init(&arena);
    jsonread_init(&r, buf_str(&response.body), &arena);
    (void)jsonread_object(&r);
    while (jsonread_member(&r, &name))
        if (!str_eq(name, str_c(member)))
            jsonread_skip(&r);
        else if (jsonread_string(&r, &value))
            set_name(ret, size, value);
    arena_fini(&arena);
    return OK;
}

/* Which partitions have a blob, and which are leased: a bit each. */
struct leases {
    struct str hub;
    bool seen[OWNERS_MAX], held[OWNERS_MAX], legacy[OWNERS_MAX], intent[OWNERS_MAX];
};

static enum err on_lease(void *ctx, struct str name, struct str state)
{
    struct leases *l = ctx;
    struct str rest = name, folder = str_cut(&rest, '/');
    bool leased = str_eq(state, STR("leased"));
    unsigned i;

    if (!partition_parse_queue(rest, l->hub, &i) || i >= OWNERS_MAX)
        return OK;
    if (str_eq(folder, STR("intent"))) {
        l->intent[i] |= leased;
    } else if (str_eq(folder, STR("ownership")) || str_eq(folder, STR("default"))) {
        l->seen[i] = true;
        l->held[i] |= leased;
        l->legacy[i] |= leased && str_eq(folder, STR("default"));
    }
    return OK;
}

static enum err read_owner(struct storage *s, struct call *call, const char *folder, unsigned i,
                           char *ret, size_t size)
{
    CLEANUP_BUF struct buf blob = BUF_INIT(KIB);
    char queue[QUEUE_NAME_MAX];

    partition_queue(queue, str_c(s->hub_lower), i);
    buf_printf(&blob, "%s/%s", folder, queue);
    return read_member(s, call, CONTAINER_LEASES, buf_str(&blob), "Owner", ret, size);
}

/* While a blob of ownership is leased its owner works; who has announced itself beside it is only
 * looked at when nobody does. */
static enum err note_lease(struct storage *s, struct call *call, const struct leases *l, unsigned i,
                           struct owner *p)
{
    if (is_held(p) || !l->seen[i])
        return OK;
    p->renewed = TICKS_NONE;
    p->state = l->held[i] ? OWNER_HELD : l->intent[i] ? OWNER_HANDOVER : OWNER_FREE;
    if (l->held[i])
        return read_owner(s, call, l->legacy[i] ? "default" : "ownership", i, p->current,
                          sizeof(p->current));
    return l->intent[i] ? read_owner(s, call, "intent", i, p->next, sizeof(p->next)) : OK;
}

static enum err read_leases(struct storage *s, struct call *call, struct owners *o)
{
    struct leases l = { .hub = str_c(s->hub_lower) };
    enum err err = blobs_list_leases(s, call, CONTAINER_LEASES, on_lease, &l);

    for (unsigned i = 0; err == OK && i < OWNERS_MAX; i++)
        err = note_lease(s, call, &l, i, &o->partitions[i]);
    return err;
}

static enum err read_app_lease(struct storage *s, struct call *call, struct owners *o)
{
    char blob[QUEUE_NAME_MAX];
    enum err err = blobs_container_lease(s, call, CONTAINER_APPLEASE, o->app_lease);

    if (err != OK || !str_eq(str_c(o->app_lease), STR("leased")))
        return err;
    partition_resource(blob, str_c(s->hub_lower), "appleaseinfo");
    return read_member(s, call, CONTAINER_APPLEASE, str_c(blob), "OwnerId", o->app_owner,
                       sizeof(o->app_owner));
}

enum err owners_read(struct storage *s, struct call *call, struct owners *ret)
{
    *ret = (struct owners){ 0 };
    for (unsigned i = 0; i < OWNERS_MAX; i++)
        ret->partitions[i].renewed = TICKS_NONE;
    enum err err = read_table(s, call, ret);
    if (err == OK)
        err = read_leases(s, call, ret);
    return err == OK ? read_app_lease(s, call, ret) : err;
}

/* -- what follows -- */

int owners_first_held(const struct owners *o)
{
    for (int i = 0; i < OWNERS_MAX; i++)
        if (is_held(&o->partitions[i]))
            return i;
    return -1;
}

bool owners_alive(const struct owners *o)
{
    return str_eq(str_c(o->app_lease), STR("leased")) || owners_first_held(o) >= 0;
}
