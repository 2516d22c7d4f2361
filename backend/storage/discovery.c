#include "backend/storage/discovery.h"

#include <stdio.h>
#include <stdlib.h>

#include "backend/base/grow.h"
#include "backend/base/limits.h"
#include "backend/base/map.h"
#include "backend/storage/columns.h"
#include "backend/storage/wire.h"

#define TABLES_MAX   50000 /* of one account; five hundred hubs with a hundred tables each */
#define PAGES_MAX    1000  /* of the list: one for 1000 tables, and some empty ones */
#define DISTANCE_MAX 64    /* bytes of a name that are compared */
#define HUB_NAME_MIN 3     /* characters (storage tables 1.2) */
#define NAMES_SHOWN  8     /* hubs in the sentence "no such hub" */
#define TOKEN_MAX    (4 * KIB)

struct tables {
    struct arena arena;
    struct str *names;
    size_t count, cap;
};

static enum err tables_add(struct tables *t, struct str name)
{
    struct str *names;

    if (t->count == TABLES_MAX)
        return ERR_TOO_BIG;
    names = grow(t->names, t->count, &t->cap, sizeof(*names));
    if (!names)
        return ERR_NO_MEMORY;
    t->names = names;
    t->names[t->count] = arena_str(&t->arena, name);
    return t->names[t->count++].p ? OK : ERR_NO_MEMORY;
}

static enum err page_read(struct tables *t, struct str body)
{
    static const struct str names[] = { { "TableName", 9 } };
    struct column name;
    struct jsonread r;
    enum err err;

    jsonread_init(&r, body, &t->arena);
    if (!columns_page(&r))
        return columns_broken(&r);
    while (jsonread_element(&r)) {
        if (!columns_read(&r, names, &name, 1))
            return columns_broken(&r);
        if (column_str(&name).len && (err = tables_add(t, column_str(&name))) != OK)
            return err;
    }
    return columns_page_end(&r) ? OK : columns_broken(&r);
}

/* One page; token becomes that of the next, or empty. */
static enum err page_get(struct storage *s, struct call *call, struct buf *token, struct tables *t)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ };
    struct str next;
    enum err err;

    wire_url(&url, s, SERVICE_TABLES);
    buf_add_c(&url, "/Tables");
    if (token->len) {
        buf_add_c(&url, "?NextTableName=");
        buf_add_url(&url, buf_str(token), "");
    }
    if ((err = buf_err(&url)) != OK)
        return call_fail(call, ERR_BROKEN, "the token of the table list is too long");
    r.url = buf_str(&url);
    if ((err = wire_send(s, call, SERVICE_TABLES, &r, &response)) != OK)
        return err;
    err = page_read(t, buf_str(&response.body));
    if (err == ERR_BROKEN)
        return call_fail(call, err, "the list of tables is not what the service calls JSON");
    if (err != OK)
        return call_fail(call, err, "account %s: too many tables", s->account.name);
    buf_clear(token);
    if (response_header(&response, "x-ms-continuation-nexttablename", &next))
        buf_add(token, next);
    return buf_err(token);
}

static enum err tables_list(struct storage *s, struct call *call, struct tables *t)
{
    CLEANUP_BUF struct buf token = BUF_INIT(TOKEN_MAX);
    enum err err = OK;

    for (int pages = 0; pages < PAGES_MAX; pages++) {
        err = page_get(s, call, &token, t);
        if (err != OK || !token.len)
            return err;
    }
    return call_fail(call, ERR_BROKEN, "the list of tables does not end");
}

/* -- hubs among tables -- */

static bool cut_suffix(struct str name, struct str suffix, struct str *ret)
{
    if (name.len <= suffix.len || !str_ends(name, suffix))
        return false;
    *ret = str_slice(name, 0, name.len - suffix.len);
    return true;
}

static void lower(struct buf *b, struct str s)
{
    buf_clear(b);
    for (size_t i = 0; i < s.len; i++)
        buf_add_ch(b, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i]);
}

enum err discovery_hubs(const struct str *tables, size_t n, discovery_emit emit, void *ctx)
{
    CLEANUP_BUF struct buf key = BUF_INIT(KIB);
    struct map histories;
    enum err err = OK;
    struct str hub;

    map_init(&histories);
    for (size_t i = 0; i < n && err == OK; i++)
        if (cut_suffix(tables[i], STR("History"), &hub)) {
            lower(&key, hub);
            err = map_set(&histories, buf_str(&key), (void *)&tables[i]);
        }
    for (size_t i = 0; i < n && err == OK; i++)
        if (cut_suffix(tables[i], STR("Instances"), &hub)) {
            const struct str *history;

            lower(&key, hub);
            history = map_get(&histories, buf_str(&key));
            if (history)
                emit(ctx, hub, tables[i], *history);
        }
    map_fini(&histories);
    return err == OK ? buf_err(&key) : err;
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

unsigned discovery_distance(struct str a, struct str b)
{
    unsigned row[DISTANCE_MAX + 1];

    a = str_slice(a, 0, DISTANCE_MAX);
    b = str_slice(b, 0, DISTANCE_MAX);
    for (size_t k = 0; k <= b.len; k++)
        row[k] = (unsigned)k;
    for (size_t i = 0; i < a.len; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i + 1;
        for (size_t k = 0; k < b.len; k++) {
            unsigned change = diagonal + (fold(a.p[i]) != fold(b.p[k]));
            unsigned other = (row[k] < row[k + 1] ? row[k] : row[k + 1]) + 1;

            diagonal = row[k + 1];
            row[k + 1] = change < other ? change : other;
        }
    }
    return row[b.len];
}

/* -- the one that was asked for -- */

struct near {
    struct str name;
    unsigned distance;
};

struct find {
    struct str wanted;
    struct str hub, instances, history; /* found; hub.p NULL = not */
    struct near near[NAMES_SHOWN];
    size_t near_count, hubs;
};

static void find_note_near(struct find *f, struct str hub)
{
    struct near n = { hub, discovery_distance(f->wanted, hub) };
    size_t at = f->near_count;

    while (at && f->near[at - 1].distance > n.distance)
        at--;
    if (at == NAMES_SHOWN)
        return;
    if (f->near_count < NAMES_SHOWN)
        f->near_count++;
    memmove(&f->near[at + 1], &f->near[at], (f->near_count - at - 1) * sizeof(n));
    f->near[at] = n;
}

static void find_emit(void *ctx, struct str hub, struct str instances, struct str history)
{
    struct find *f = ctx;

    f->hubs++;
    find_note_near(f, hub);
    /* The exact spelling wins where the emulator has two. */
    if (str_eq_nocase(hub, f->wanted) && (!f->hub.p || str_eq(hub, f->wanted))) {
        f->hub = hub;
        f->instances = instances;
        f->history = history;
    }
}

static enum err not_found(struct storage *s, struct call *call, const struct find *f)
{
    CLEANUP_BUF struct buf list = BUF_INIT(KIB);

    for (size_t i = 0; i < f->near_count; i++) {
        buf_add_c(&list, i ? ", " : "");
        buf_add(&list, str_slice(f->near[i].name, 0, 63));
    }
    if (!f->hubs)
        return call_fail(call, ERR_NOT_FOUND, "account %s has no task hub " STR_FMT " and no other",
                         s->account.name, STR_ARG(f->wanted));
    return call_fail(call, ERR_NOT_FOUND,
                     "account %s has no task hub " STR_FMT "; it has %zu: %s%s", s->account.name,
                     STR_ARG(f->wanted), f->hubs, buf_c(&list),
                     f->hubs > f->near_count ? ", ..." : "");
}

static bool set_name(char *dst, size_t size, struct str s)
{
    if (s.len >= size)
        return false;
    snprintf(dst, size, STR_FMT, STR_ARG(s));
    return true;
}

bool discovery_set_names(struct storage *s, struct str hub)
{
    if (!set_name(s->hub.name, sizeof(s->hub.name), hub))
        return false;
    for (size_t i = 0; i <= hub.len; i++)
        s->hub_lower[i] = fold(s->hub.name[i]);
    snprintf(s->instances, sizeof(s->instances), "%sInstances", s->hub.name);
    snprintf(s->history, sizeof(s->history), "%sHistory", s->hub.name);
    return true;
}

static enum err set_names(struct storage *s, struct call *call, const struct find *f,
                          const struct tables *t)
{
    struct str prefix;

    if (!discovery_set_names(s, f->hub) ||
        !set_name(s->instances, sizeof(s->instances), f->instances) ||
        !set_name(s->history, sizeof(s->history), f->history))
        return call_fail(call, ERR_BROKEN, "a table name is longer than the service allows");
    for (size_t i = 0; i < t->count; i++)
        if (cut_suffix(t->names[i], STR("Partitions"), &prefix) && str_eq_nocase(prefix, f->hub))
            (void)set_name(s->partitions_table, sizeof(s->partitions_table), t->names[i]);
    return OK;
}

enum err discovery_find(struct storage *s, struct call *call, struct str hub)
{
    struct tables t = { 0 };
    struct find f = { .wanted = hub };
    enum err err;

    arena_init(&t.arena);
    err = tables_list(s, call, &t);
    if (err == OK && (err = discovery_hubs(t.names, t.count, find_emit, &f)) != OK)
        err = call_fail(call, err, "no memory for the list of tables");
    if (err == OK)
        err = f.hub.p ? set_names(s, call, &f, &t) : not_found(s, call, &f);
    arena_fini(&t.arena);
    free(t.names);
    return err;
}

/* -- all of them -- */

enum err discovery_tables(struct storage *s, struct call *call, discovery_table emit, void *ctx)
{
    struct tables t = { 0 };

    arena_init(&t.arena);
    enum err err = tables_list(s, call, &t);
    for (size_t i = 0; err == OK && i < t.count; i++)
        err = emit(ctx, t.names[i]);
    arena_fini(&t.arena);
    free(t.names);
    return err;
}

struct all {
    registry_emit emit;
    void *ctx;
    const struct storage *s;
    enum err err;
};

static void all_emit(void *ctx, struct str hub, struct str instances, struct str history)
{
    struct all *a = ctx;

    (void)instances;
    (void)history;
    const struct registry_hub found = { hub, a->s->hub.account, a->s->hub.ops->caps };

    if (a->err == OK && hub.len >= HUB_NAME_MIN)
        a->err = a->emit(a->ctx, &found);
}

enum err discovery_all(struct storage *s, struct call *call, registry_emit emit, void *ctx)
{
    struct tables t = { 0 };
    struct all all = { .emit = emit, .ctx = ctx, .s = s };

    arena_init(&t.arena);
    enum err err = tables_list(s, call, &t);
    if (err == OK && (err = discovery_hubs(t.names, t.count, all_emit, &all)) != OK)
        err = call_fail(call, err, "no memory for the list of tables");
    if (err == OK)
        err = all.err;
    arena_fini(&t.arena);
    free(t.names);
    return err;
}
