#include "fs/hubs.h"

#include <stdio.h>

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

static enum err discover(void *ctx, struct call *call, forest_found emit, void *emit_ctx)
{
    struct hubs *h = ctx;
    struct relay relay = { emit, emit_ctx };

    return registry_discover(h->scheme, &h->config, &h->settings, call, relay_hub, &relay);
}

static enum err open_named(struct hubs *h, struct call *call, const char *name, struct hub **ret)
{
    struct config config = h->config; /* the secret in it stays h's */

    snprintf(config.hub, sizeof(config.hub), "%s", name);
    return registry_open(h->scheme, &config, &h->settings, call, ret);
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

/* -- opening -- */

static enum err resolve(struct hubs *h, struct call *call)
{
    const struct options *o = h->options;
    struct config_request request = { .source = o->source,
                                      .all_hubs = o->all_hubs,
                                      .hub = o->hub,
                                      .connection = o->connection,
                                      .project = o->project,
                                      .partitions = (int)o->partitions };
    const char *name = o->hub ? o->hub : o->source ? o->source : "demo";

    if (!o->demo)
        return config_resolve(&request, call, &h->config);
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
    return h->options->http_key_file ? keyfile_read(h->options->http_key_file, call, &h->key) : OK;
}

enum err hubs_open(struct hubs *h, const struct options *options, struct call *call)
{
    h->options = options;
    h->scheme = options->demo ? "demo" : "azure";
    h->settings = (struct hub_settings){ .timeout_ms = options->timeout_ms,
                                         .connections = (int)options->connections,
                                         .payload_max_bytes = (size_t)options->max_payload,
                                         .leftovers = options->allow_delete_hub };
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
    secret_fini(&h->key);
    config_fini(&h->config);
}

/* -- telling -- */

void hubs_plant(struct hubs *h, struct forest_settings *ret)
{
    ret->tree.catalogue = h->only;
    ret->tree.http = (struct tree_http){ .base = h->http_base[0] ? h->http_base : NULL,
                                         .connection = h->config.connection,
                                         .key = &h->key };
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
