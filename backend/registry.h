/* registry: one row a backend: how a hub of that scheme is opened, and which hubs there are.
 * Ownership: registry_open gives a hub that hub_close frees.
 * Threads: any. */
#ifndef BACKEND_REGISTRY_H
#define BACKEND_REGISTRY_H

#include "backend/config.h"
#include "backend/hub.h"

/* How a hub gets its connection string again. */
struct hub_reread {
    /* From where it came. OK and ret as it was: it cannot change (an environment variable). Else
     * ERR_INVALID with a sentence. Any thread, no lock is held. NULL = nobody can. */
    enum err (*read)(void *ctx, struct call *call, struct secret *ret);
    /* What could not be read, or not be used, and why; the hub goes on with the old one. */
    void (*refused)(void *ctx, const char *why);
    void *ctx;
};

struct hub_settings {
    int64_t timeout_ms;       /* --timeout */
    int connections;          /* --connections, per service */
    size_t payload_max_bytes; /* --max-payload */
    /* Open also what an interrupted deletion has left of a hub: it answers ERR_NOT_FOUND to
     * everything, but hub_remove finishes the work. */
    bool leftovers;
    struct hub_reread reread;
};

/* Opens and proves it: the account has answered an authenticated request and the hub exists, spelt
 * as its tables spell it.
 * ERR_NOT_FOUND (exit 10; the sentence lists near names), ERR_UNREACHABLE (11), ERR_DENIED,
 * ERR_KEY_REJECTED, ERR_KEY_EXPIRED (12), ERR_INVALID (13). */
MUST_CHECK enum err registry_open(const char *scheme, const struct config *config,
                                  const struct hub_settings *settings, struct call *call,
                                  struct hub **ret);

/* One hub; borrowed for the callback. Anything but OK ends the discovery with that error. */
struct registry_hub {
    struct str name;     /* as its tables spell it */
    const char *account; /* as struct hub has it */
    unsigned caps;       /* enum hub_cap */
};
typedef enum err (*registry_emit)(void *ctx, const struct registry_hub *hub);

/* Every hub of the account (config->hub is not looked at). Errors as registry_open; an account
 * without any hub is OK. */
MUST_CHECK enum err registry_discover(const char *scheme, const struct config *config,
                                      const struct hub_settings *settings, struct call *call,
                                      registry_emit emit, void *ctx);

#endif
