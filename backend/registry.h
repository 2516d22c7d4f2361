/* registry: one row a backend: how a hub of that scheme is opened.
 * Ownership: registry_open gives a hub that hub_close frees.
 * Threads: called while starting. */
#ifndef BACKEND_REGISTRY_H
#define BACKEND_REGISTRY_H

#include "backend/config.h"
#include "backend/hub.h"

struct hub_settings {
    int64_t timeout_ms;       /* --timeout */
    int connections;          /* --connections, per service */
    size_t payload_max_bytes; /* --max-payload */
};

/* Opens and proves it: the account has answered an authenticated request and the hub exists, spelt
 * as its tables spell it.
 * ERR_NOT_FOUND (exit 10; the sentence lists near names), ERR_UNREACHABLE (11), ERR_DENIED,
 * ERR_KEY_REJECTED, ERR_KEY_EXPIRED (12), ERR_INVALID (13). */
MUST_CHECK enum err registry_open(const char *scheme, const struct config *config,
                                  const struct hub_settings *settings, struct call *call,
                                  struct hub **ret);

#endif
