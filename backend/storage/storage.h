/* storage: a task hub in an Azure Storage account, as Microsoft's engine keeps it: two tables,
 * control queues, one container for large payloads.
 * This header is the room's frame: its struct, and who implements which row of hub_ops. provider.h
 * opens it, wire.h carries every request; tables.h, queues.h and blobs.h speak to the services.
 * Ownership: hub_close frees it. Threads: letters at the members. I fixed before publication, L
 * under lock. */
#ifndef BACKEND_STORAGE_STORAGE_H
#define BACKEND_STORAGE_STORAGE_H

#include "backend/base/lock.h"
#include "backend/hub.h"
#include "backend/net/http.h"
#include "backend/registry.h"
#include "backend/storage/account.h"
#include "backend/storage/messages.h"

#define TABLE_NAME_MAX 160 /* a hub name and a suffix; the service takes 63 characters */

/* What a client's sign callback is given. */
struct wire_context {
    struct storage *storage;
    enum service service;
};

/* What access.h works with. */
struct access {
    struct lock lock;         /* RANK_HUB */
    unsigned edition;         /* L: counts the credentials that were taken over */
    struct hub_reread reread; /* I */
};

struct storage {
    struct hub hub; /* first: a struct hub * is cast to this. hub.name as the tables spell it */
    struct account account; /* I; but key and sas L under access.lock */
    struct access access;
    struct http_client *clients[SERVICE_COUNT];  /* I */
    struct wire_context contexts[SERVICE_COUNT]; /* I */
    char hub_lower[128];                         /* I: for queues and containers */
    char instances[TABLE_NAME_MAX];              /* I: tables as the account spells them */
    char history[TABLE_NAME_MAX];                /* I */
    char partitions_table[TABLE_NAME_MAX];       /* I: "" = the account has none */
    int connections;                             /* I: per service */
    size_t payload_max_bytes;                    /* I */
    int user_partitions;                         /* I: --partitions, or 0 */
    int host_partitions;                         /* I: host.json's, or 0 */

    struct message_clock clock; /* A: numbers of the messages sent */
    atomic_bool no_payloads;    /* A: nobody has made the payloads' container yet (blobs.h) */

    struct lock lock; /* RANK_HUB */
    int partitions;   /* L: as discovered; 0 = not yet (partitions.h) */
};

static inline struct storage *storage_of(struct hub *hub)
{
    return (struct storage *)hub;
}

/* Rows of hub_ops; contracts in hub.h. listing.c, read.c: */
MUST_CHECK enum err storage_list(struct hub *hub, struct call *call, const struct list_query *query,
                                 hub_emit emit, void *ctx);
MUST_CHECK enum err storage_get(struct hub *hub, struct call *call, struct str id, struct str key,
                                unsigned needs, struct instance **ret);
MUST_CHECK enum err storage_history(struct hub *hub, struct call *call, const struct instance *in,
                                    bool resolve, struct history **ret);
MUST_CHECK enum err storage_payload(struct hub *hub, struct call *call, struct str ref,
                                    struct text **ret);
/* span.c: */
MUST_CHECK enum err storage_span(struct hub *hub, struct call *call, const struct key_span *span,
                                 hub_emit_instance emit, void *ctx);
MUST_CHECK enum err storage_histories(struct hub *hub, struct call *call,
                                      const struct span_histories *wanted, hub_emit_history emit,
                                      void *ctx);
/* send.h, purge.h, inspect.h and remove.h declare the others. */

#endif
