/* secret: a key, signature or token; no format prints it, its end wipes it.
 * Ownership: embedded; secret_fini wipes and frees.
 * Threads: fixed after it was set. */
#ifndef BACKEND_BASE_SECRET_H
#define BACKEND_BASE_SECRET_H

#include "backend/base/err.h"
#include "backend/base/str.h"

struct secret {
    unsigned char *bytes_;
    size_t len_;
};

#define SECRET_NONE                                                                                \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/* Copies; wipes what was there. */
MUST_CHECK enum err secret_set(struct secret *s, struct str bytes);
void secret_fini(struct secret *s);
bool secret_is_set(const struct secret *s);
/* Borrowed, for the one place that signs or sends it. */
struct str secret_reveal(const struct secret *s);

#endif
