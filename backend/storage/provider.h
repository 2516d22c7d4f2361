/* provider: opens hubs of Azure Storage accounts, and finds out which there are.
 * Knows every other file of the room, since it fills the table of operations; none knows it.
 * Ownership: storage_open gives a hub that hub_close frees. Threads: any. */
#ifndef BACKEND_STORAGE_PROVIDER_H
#define BACKEND_STORAGE_PROVIDER_H

#include "backend/registry.h"

/* The registry's row (registry_open without the scheme). Three requests at most: it lists the
 * account's tables and takes the spelling of the hub from them (storage tables 1.2). */
MUST_CHECK enum err storage_open(const struct config *config, const struct hub_settings *settings,
                                 struct call *call, struct hub **ret);

/* The registry's other row. One request for 1000 tables. */
MUST_CHECK enum err storage_discover(const struct config *config,
                                     const struct hub_settings *settings, struct call *call,
                                     registry_emit emit, void *ctx);

#endif
