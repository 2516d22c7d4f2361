#include "backend/registry.h"

#include "backend/memory/memory.h"
#include "backend/storage/storage.h"

struct backend {
    const char *scheme;
    enum err (*open)(const struct config *config, const struct hub_settings *settings,
                     struct call *call, struct hub **ret);
};

static const struct backend backends[] = {
    { .scheme = "azure", .open = storage_open },
    { .scheme = "demo", .open = memory_open },
};

enum err registry_open(const char *scheme, const struct config *config,
                       const struct hub_settings *settings, struct call *call, struct hub **ret)
{
    for (size_t i = 0; i < ARRAY_LEN(backends); i++)
        if (str_eq(str_c(backends[i].scheme), str_c(scheme)))
            return backends[i].open(config, settings, call, ret);
    return call_fail(call, ERR_BUG, "no backend is called '%s'", scheme);
}
