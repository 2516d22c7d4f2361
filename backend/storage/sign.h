/* sign: Shared Key signatures of requests, for tables and for blobs and queues.
 * Knows the strings to sign (storage messages 8.2, 8.3; vectors S1-S14); not when to sign.
 * Ownership: appends to the caller's buffers. Threads: any. */
#ifndef BACKEND_STORAGE_SIGN_H
#define BACKEND_STORAGE_SIGN_H

#include "backend/base/limits.h"
#include "backend/net/http.h"
#include "backend/storage/account.h"

#define SIGN_TEXT_MAX (64 * KIB) /* a URL and a dozen headers; above it ERR_TOO_BIG */

/* What is signed beside the request's own headers. */
struct sign_moment {
    struct str date;    /* value of x-ms-date */
    struct str version; /* value of x-ms-version */
};

/* The text that the signature is made of (exposed for the vectors and for debugging). path-as-sent
 * is taken from r->url. */
void sign_text_tables(struct buf *b, const struct account *a, const struct http_request *r,
                      const struct sign_moment *moment);
MUST_CHECK enum err sign_text_blobs(struct buf *b, const struct account *a,
                                    const struct http_request *r, const struct sign_moment *moment);

/* Appends "SharedKey {account}:{signature}", the value of Authorization. */
MUST_CHECK enum err sign_request(struct buf *b, const struct account *a, enum service service,
                                 const struct http_request *r, const struct sign_moment *moment);

#endif
