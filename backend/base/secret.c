#include "backend/base/secret.h"

#include <stdlib.h>

enum err secret_set(struct secret *s, struct str bytes)
{
    unsigned char *copy = NULL;

    if (bytes.len) {
        copy = malloc(bytes.len);
        if (!copy)
            return ERR_NO_MEMORY;
        memcpy(copy, bytes.p, bytes.len); /* before the wipe: bytes may be our own */
    }
    secret_fini(s);
    s->bytes_ = copy;
    s->len_ = bytes.len;
    return OK;
}

void secret_fini(struct secret *s)
{
    if (s->bytes_)
        explicit_bzero(s->bytes_, s->len_);
    free(s->bytes_);
    *s = (struct secret)SECRET_NONE;
}

bool secret_is_set(const struct secret *s)
{
    return s->len_ > 0;
}

struct str secret_reveal(const struct secret *s)
{
    return (struct str){ (const char *)s->bytes_, s->len_ };
}
