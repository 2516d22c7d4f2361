#include "backend/registry.h"

#include "backend/memory/memory.h"
#include "backend/storage/provider.h"

struct backend {
    const char *scheme;
    enum err (*open)(const struct config *config, const struct hub_settings *settings,
                     struct call *call, struct hub **ret);
    enum err (*discover)(const struct config *config, const struct hub_settings *settings,
                         struct call *call, registry_emit emit, void *ctx);
};

static const struct backend backends[] = {
    { .scheme = "azure", .open = storage_open, .discover = storage_discover },
    { .scheme = "demo", .open = memory_open, .discover = memory_discover },
};

static const struct backend *find(const char *scheme)
{
    for (size_t i = 0; i < ARRAY_LEN(backends); i++)
        if (str_eq(str_c(backends[i].scheme), str_c(scheme)))
            return &backends[i];
    return NULL;
}

enum err registry_open(const char *scheme, const struct config *config,
                       const struct hub_settings *settings, struct call *call, struct hub **ret)
{
    const struct backend *b = find(scheme);

    return b ? b->open(config, settings, call, ret)
             : call_fail(call, ERR_BUG, "no backend is called '%s'", scheme);
}

enum err registry_discover(const char *scheme, const struct config *config,
                           const struct hub_settings *settings, struct call *call,
                           registry_emit emit, void *ctx)
{
    const struct backend *b = find(scheme);

    return b ? b->discover(config, settings, call, emit, ctx)
             : call_fail(call, ERR_BUG, "no backend is called '%s'", scheme);
}
