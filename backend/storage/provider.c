#include "backend/storage/provider.h"

#include <stdio.h>
#include <stdlib.h>

#include "backend/base/limits.h"
#include "backend/storage/access.h"
#include "backend/storage/blobs.h"
#include "backend/storage/discovery.h"
#include "backend/storage/inspect.h"
#include "backend/storage/partitions.h"
#include "backend/storage/purge.h"
#include "backend/storage/remove.h"
#include "backend/storage/send.h"
#include "backend/storage/wire.h"

static void storage_close(struct hub *hub)
{
    struct storage *s = storage_of(hub);

    for (int i = 0; i < SERVICE_COUNT; i++)
        http_client_free(s->clients[i]);
    access_fini(s);
    lock_fini(&s->lock);
    free(s);
}

static void storage_stats(struct hub *hub, struct hub_stats *ret)
{
    struct storage *s = storage_of(hub);
    struct hub_stats sum = { 0 };
    uint64_t *const requests[SERVICE_COUNT] = {
        [SERVICE_TABLES] = &sum.table_requests,
        [SERVICE_QUEUES] = &sum.queue_requests,
        [SERVICE_BLOBS] = &sum.blob_requests,
    };

    for (int i = 0; i < SERVICE_COUNT; i++) {
        struct http_stats one = { 0 };

        http_client_stats(s->clients[i], &one);
        *requests[i] = one.requests;
        sum.bytes_in += one.bytes_in;
        sum.bytes_out += one.bytes_out;
        sum.retries += one.retries;
        sum.errors += one.errors;
        sum.latency_ms_total += one.latency_ms_total;
    }
    *ret = sum;
}

static void storage_forget(struct hub *hub)
{
    struct storage *s = storage_of(hub);

    access_reread(s);
    partitions_forget(s);
    blobs_forget(s);
    for (int i = 0; i < SERVICE_COUNT; i++)
        http_client_drop_connections(s->clients[i]);
}

static const struct hub_ops storage_ops = {
    .scheme = "azure",
    .caps = CAP_REWIND | CAP_RESTART | CAP_ENTITIES | CAP_CHANGES | CAP_INSPECT | CAP_REMOVE |
            CAP_SPANS,
    .close = storage_close,
    .list = storage_list,
    .get = storage_get,
    .history = storage_history,
    .span = storage_span,
    .histories = storage_histories,
    .payload = storage_payload,
    .send = storage_send,
    .purge = storage_purge,
    .inspect = storage_inspect,
    .remove = storage_remove,
    .stats = storage_stats,
    .forget = storage_forget,
};

static enum err clients_open(struct storage *s, struct call *call)
{
    for (int i = 0; i < SERVICE_COUNT; i++) {
        struct http_settings settings = { .connections = s->connections,
                                          .sign = wire_sign,
                                          .renew = wire_renew,
                                          .ctx = &s->contexts[i] };

        s->contexts[i] = (struct wire_context){ s, (enum service)i };
        s->clients[i] = http_client_new(&settings);
        if (!s->clients[i])
            return call_fail(call, ERR_NO_MEMORY, "no memory for connections");
    }
    return OK;
}

static struct storage *storage_new(const struct config *config, const struct hub_settings *settings)
{
    struct storage *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->hub.ops = &storage_ops;
    s->connections = settings->connections > 0 ? settings->connections : CONNECTIONS_MAX;
    s->payload_max_bytes =
        settings->payload_max_bytes ? settings->payload_max_bytes : PAYLOAD_MAX_BYTES;
    s->user_partitions = config->partitions;
    s->host_partitions = config->host_partitions;
    lock_init(&s->lock, RANK_HUB);
    access_init(s, &settings->reread);
    return s;
}

/* Connections to the account; which hub is not settled yet. */
static enum err account_open(const struct config *config, const struct hub_settings *settings,
                             struct call *call, struct storage **ret)
{
    struct storage *s = storage_new(config, settings);
    enum err err;

    if (!s)
        return call_fail(call, ERR_NO_MEMORY, "no memory for a hub");
    err = account_parse(&s->account, secret_reveal(&config->connection_string), call);
    if (err == OK && config->account[0] && !str_eq(str_c(config->account), str_c(s->account.name)))
        err =
            call_fail(call, ERR_INVALID,
                      "%s/ was asked for, but the connection string (%s) is for account '%s'; give "
                      "--connection=NAME of the right one",
                      config->account, config->connection_from, s->account.name);
    if (err == OK)
        err = clients_open(s, call);
    if (err != OK) {
        storage_close(&s->hub);
        return err;
    }
    snprintf(s->hub.account, sizeof(s->hub.account), "%s", s->account.name);
    *ret = s;
    return OK;
}

enum err storage_open(const struct config *config, const struct hub_settings *settings,
                      struct call *call, struct hub **ret)
{
    struct storage *s = NULL;
    enum err err = account_open(config, settings, call, &s);

    if (err != OK)
        return err;
    err = discovery_find(s, call, str_c(config->hub));
    if (err == ERR_NOT_FOUND && settings->leftovers)
        err = remove_find_leftovers(s, call, str_c(config->hub));
    if (err != OK) {
        storage_close(&s->hub);
        return err;
    }
    *ret = &s->hub;
    return OK;
}

enum err storage_discover(const struct config *config, const struct hub_settings *settings,
                          struct call *call, registry_emit emit, void *ctx)
{
    struct storage *s = NULL;
    enum err err = account_open(config, settings, call, &s);

    if (err != OK)
        return err;
    err = discovery_all(s, call, emit, ctx);
    storage_close(&s->hub);
    return err;
}
