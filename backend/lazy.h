/* lazy: a hub in front of a hub that is opened by its first use, once however many ask. A mount of
 * a whole account has one of these a hub, so that a hub which is slow, broken or of no interest
 * costs the others nothing (F67).
 * After the hub was removed, or when forgetting, the hub behind is let go, and the next use opens
 * it anew: a hub of this name that was made again is another one.
 * Knows how to open; not what a hub is made of.
 * Ownership: lazy_new gives a hub that hub_close frees; what its settings point to lives longer.
 * Threads: any; no lock is held while a hub is opened or works. */
#ifndef BACKEND_LAZY_H
#define BACKEND_LAZY_H

#include "backend/hub.h"

struct lazy_settings {
    const char *scheme;  /* of the hub behind */
    const char *account; /* for messages; may be "" */
    unsigned caps;       /* of the hub behind (enum hub_cap) */
    MUST_CHECK enum err (*open)(void *ctx, struct call *call, const char *hub, struct hub **ret);
    void *ctx;
};

/* NULL without memory, or for a name that is too long. */
struct hub *lazy_new(struct str hub, const struct lazy_settings *settings);

#endif
