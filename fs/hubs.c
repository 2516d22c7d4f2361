#include "fs/hubs.h"

#include <stdio.h>
#include <unistd.h>

#include "backend/base/log.h"
#include "backend/lazy.h"
#include "fs/keyfile.h"

#define CONNECTION_NAME "AzureWebJobsStorage"
#define HTTP_PATH       "/runtime/webhooks/durabletask" /* management API 1: Functions 2 and later */
#define SHARE_MIN       (4u << 20) /* bytes for caches that a hub gets, however many there are */

/* -- one hub -- */

static struct catalogue *catalogue_of(const struct hubs *h, struct hub *hub, size_t share)
{
    const struct options *o = h->options;
    size_t max = (size_t)o->max_memory / (share ? share : 1);
    struct catalogue_settings settings = { .ttl_ms = o->ttl_ms,
                                           .cache_max_bytes = max > SHARE_MIN ? max : SHARE_MIN,
                                           .payload_max_bytes = (size_t)o->max_payload };

    struct catalogue *c = hub ? catalogue_new(hub, &settings) : NULL;
    if (!c)
        hub_close(hub);
    return c;
}

static enum err open_only(struct hubs *h, struct call *call)
{
    struct hub *hub = NULL;
    enum err err = registry_open(h->scheme, &h->config, &h->settings, call, &hub);

    if (err != OK)
        return err;
    snprintf(h->account, sizeof(h->account), "%s", hub->account);
    h->only = catalogue_of(h, hub, 1);
    return h->only ? OK : call_fail(call, ERR_NO_MEMORY, "out of memory");
}

/* -- all hubs -- */

/* Finds the account's name out as well. */
static enum err count_hub(void *ctx, const struct registry_hub *hub)
{
    struct hubs *h = ctx;

    h->count++;
    snprintf(h->account, sizeof(h->account), "%s", hub->account);
    return OK;
}

struct relay {
    forest_found emit;
    void *ctx;
};

static enum err relay_hub(void *ctx, const struct registry_hub *hub)
{
    const struct relay *r = ctx;

    return r->emit(r->ctx, hub->name, hub->caps);
}

/* The configuration with the connection string that was read last; config_fini. */
static enum err config_now(struct hubs *h, struct call *call, struct config *ret)
{
    *ret = h->config;
    ret->connection_string = (struct secret)SECRET_NONE;
    LOCK_SCOPE(&h->lock);
    if (secret_set(&ret->connection_string, secret_reveal(&h->connection)) != OK)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    return OK;
}

static enum err discover(void *ctx, struct call *call, forest_found emit, void *emit_ctx)
{
    struct hubs *h = ctx;
    struct relay relay = { emit, emit_ctx };
    struct config config;
    enum err err = config_now(h, call, &config);

    if (err == OK)
        err = registry_discover(h->scheme, &config, &h->settings, call, relay_hub, &relay);
    config_fini(&config);
    return err;
}

static enum err open_named(struct hubs *h, struct call *call, const char *name, struct hub **ret)
{
    struct config config;
    enum err err = config_now(h, call, &config);

    snprintf(config.hub, sizeof(config.hub), "%s", name);
    if (err == OK)
        err = registry_open(h->scheme, &config, &h->settings, call, ret);
    config_fini(&config);
    return err;
}

static enum err open_late(void *ctx, struct call *call, const char *name, struct hub **ret)
{
    return open_named(ctx, call, name, ret);
}

static enum err leftovers(void *ctx, struct call *call, struct str name, unsigned *ret_caps)
{
    char text[sizeof(((struct config *)0)->hub)];
    struct hub *hub = NULL;

    snprintf(text, sizeof(text), STR_FMT, STR_ARG(name));
    enum err err = open_named(ctx, call, text, &hub);
    if (err != OK)
        return err;
    *ret_caps = hub->ops->caps;
    hub_close(hub);
    return OK;
}

static struct catalogue *plant(void *ctx, struct str name, unsigned caps)
{
    struct hubs *h = ctx;
    const struct lazy_settings settings = {
        .scheme = h->scheme, .account = h->account, .caps = caps, .open = open_late, .ctx = h
    };

    return catalogue_of(h, lazy_new(name, &settings), h->count);
}

/* -- reading again -- */

static enum err remember(struct hubs *h, struct call *call, struct str connection)
{
    LOCK_SCOPE(&h->lock);
    if (secret_set(&h->connection, connection) != OK)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    return OK;
}

static enum err reread(void *ctx, struct call *call, struct secret *ret)
{
    struct hubs *h = ctx;
    enum err err = h->connection_file[0] ? keyfile_read_connection(h->connection_file, call, ret)
                                         : config_reread(&h->config, call, ret);

    if (err == OK && secret_is_set(ret))
        err = remember(h, call, secret_reveal(ret));
    return err;
}

static void reread_refused(void *ctx, const char *why)
{
    (void)ctx;
    log_warning("the connection string was read again in vain, the old one stays: %s", why);
}

static void reload_key(struct hubs *h)
{
    struct secret fresh = SECRET_NONE;
    struct call call;

    if (!h->key_file[0])
        return;
    call_init(&call, INT64_MAX);
    if (keyfile_read(h->key_file, &call, &fresh) != OK) {
        log_warning("the old key stays: %s", call.text);
        return;
    }
    lock_take(&h->lock);
    struct secret old = h->key;
    h->key = fresh;
    lock_drop(&h->lock);
    secret_fini(&old);
}

void hubs_reload(struct hubs *h)
{
    struct secret connection = SECRET_NONE;
    struct call call;

    reload_key(h);
    if (h->options->demo || h->only) /* whose hub reads it when it forgets */
        return;
    call_init(&call, INT64_MAX);
    if (reread(h, &call, &connection) != OK)
        reread_refused(h, call.text);
    secret_fini(&connection);
}

static void add_key(void *ctx, struct buf *out)
{
    struct hubs *h = ctx;

    LOCK_SCOPE(&h->lock);
    if (!secret_is_set(&h->key))
        return;
    buf_add_c(out, "&code=");
    buf_add(out, secret_reveal(&h->key));
}

/* -- opening -- */

static enum err make_absolute(const char *path, struct call *call, char ret[PATH_MAX])
{
    char cwd[PATH_MAX] = "";
    int n = 0;

    if (path)
        n = path[0] == '/' || !getcwd(cwd, sizeof(cwd))
                ? snprintf(ret, PATH_MAX, "%s", path)
                : snprintf(ret, PATH_MAX, "%s/%s", cwd, path);
    return n < PATH_MAX ? OK : call_fail(call, ERR_INVALID, "%s: the path is too long", path);
}

static enum err resolve(struct hubs *h, struct call *call)
{
    const struct options *o = h->options;
    struct secret text = SECRET_NONE;
    struct config_request request = { .source = o->source,
                                      .all_hubs = o->all_hubs,
                                      .hub = o->hub,
                                      .connection = o->connection,
                                      .project = o->project,
                                      .partitions = (int)o->partitions };
    const char *name = o->hub ? o->hub : o->source ? o->source : "demo";

    if (!o->demo) {
        enum err err = make_absolute(o->connection_file, call, h->connection_file);
        if (err == OK && h->connection_file[0]) {
            err = keyfile_read_connection(h->connection_file, call, &text);
            request.connection_text = &text;
            request.connection_file = h->connection_file;
        }
        if (err == OK)
            err = config_resolve(&request, call, &h->config);
        secret_fini(&text);
        if (err == OK)
            err = remember(h, call, secret_reveal(&h->config.connection_string));
        return err;
    }
    h->config.all_hubs = o->all_hubs || strchr(name, '/');
    snprintf(h->config.hub, sizeof(h->config.hub), "%s", h->config.all_hubs ? "" : name);
    snprintf(h->config.hub_from, sizeof(h->config.hub_from), "%s",
             o->hub || o->source ? "option" : "default");
    snprintf(h->config.connection, sizeof(h->config.connection), "Storage");
    return OK;
}

/* An address without a path gets that of a Functions host. */
static enum err resolve_http(struct hubs *h, struct call *call)
{
    struct str url = str_c(h->options->http_url);

    if (!url.len)
        return OK;
    while (url.len && url.p[url.len - 1] == '/')
        url.len--;
    const char *host = strstr(url.p, "://") + 3;
    bool has_path = memchr(host, '/', url.len - (size_t)(host - url.p));
    if (url.len + sizeof(HTTP_PATH) > sizeof(h->http_base))
        return call_fail(call, ERR_INVALID, "--http-url is too long");
    snprintf(h->http_base, sizeof(h->http_base), STR_FMT "%s", STR_ARG(url),
             has_path ? "" : HTTP_PATH);
    enum err err = make_absolute(h->options->http_key_file, call, h->key_file);
    return err == OK && h->key_file[0] ? keyfile_read(h->key_file, call, &h->key) : err;
}

enum err hubs_open(struct hubs *h, const struct options *options, struct call *call)
{
    h->options = options;
    lock_init(&h->lock, RANK_INTERN);
    h->scheme = options->demo ? "demo" : "azure";
    h->settings = (struct hub_settings){ .timeout_ms = options->timeout_ms,
                                         .connections = (int)options->connections,
                                         .payload_max_bytes = (size_t)options->max_payload,
                                         .leftovers = options->allow_delete_hub,
                                         .reread = { reread, reread_refused, h } };
    enum err err = resolve(h, call);
    if (err == OK)
        err = resolve_http(h, call);
    if (err != OK)
        return err;
    snprintf(h->account, sizeof(h->account), "%s", h->config.account);
    if (!h->config.all_hubs)
        return open_only(h, call);
    return registry_discover(h->scheme, &h->config, &h->settings, call, count_hub, h);
}

void hubs_close(struct hubs *h)
{
    catalogue_free(h->only);
    h->only = NULL;
    secret_fini(&h->connection);
    secret_fini(&h->key);
    if (h->options)
        lock_fini(&h->lock);
    h->options = NULL;
    config_fini(&h->config);
}

/* -- telling -- */

void hubs_plant(struct hubs *h, struct forest_settings *ret)
{
    ret->tree.catalogue = h->only;
    ret->tree.http = (struct tree_http){ .base = h->http_base[0] ? h->http_base : NULL,
                                         .connection = h->config.connection,
                                         .add_key = add_key,
                                         .ctx = h };
    if (!h->only)
        ret->hubs = (struct forest_hubs){ .discover = discover,
                                          .plant = plant,
                                          .leftovers = leftovers,
                                          .remove = h->options->allow_delete_hub,
                                          .ctx = h };
}

void hubs_name(const struct hubs *h, char *ret, size_t size)
{
    const char *account = h->account[0] ? h->account : "account";

    if (h->only)
        snprintf(ret, size, "%s@%s", catalogue_hub(h->only)->name, account);
    else
        snprintf(ret, size, "%s", account);
}

static void line(struct buf *out, const char *name, const char *value, const char *from)
{
    buf_printf(out, "%s\t%s\t%s\n", name, value, from);
}

void hubs_print(const struct hubs *h, struct buf *out)
{
    const struct config *c = &h->config;
    bool demo = h->options->demo;
    char partitions[32];

    line(out, "hub", h->only ? catalogue_hub(h->only)->name : "(all)",
         h->only ? c->hub_from : "option");
    line(out, "account", h->account, demo ? "default" : c->connection_from);
    line(out, "connection", h->options->connection ? h->options->connection : CONNECTION_NAME,
         demo ? "not used" : c->connection_from);
    snprintf(partitions, sizeof(partitions), "%d",
             c->partitions ? c->partitions : c->host_partitions);
    line(out, "partitions", partitions, c->partitions_from[0] ? c->partitions_from : "hub");
}
