/* blobs: the blobs of a hub: large payloads and messages, the leases, and the
 * containers themselves.
 * Knows the blob service; not what is in a blob.
 * Names are given raw; they are percent-encoded here, segment by segment.
 * Ownership: a response is the caller's. Threads: any. Source: storage messages 3.7, storage tables
 * 4.3, 8.4. */
#ifndef BACKEND_STORAGE_BLOBS_H
#define BACKEND_STORAGE_BLOBS_H

#include "backend/storage/wire.h"

enum container {
    CONTAINER_PAYLOADS, /* {hub_lc}-largemessages */
    CONTAINER_LEASES,   /* {hub_lc}-leases */
    CONTAINER_APPLEASE, /* {hub_lc}-applease */
};
#define CONTAINERS 3

/* Appends the address of a payload as rows hold it (storage tables 4.3, forms C and D). */
void blobs_url(struct buf *b, const struct storage *s, enum container container, struct str name);

/* The bytes as stored (gzip), at most max of them. ERR_NOT_FOUND: no such blob or container;
 * ERR_TOO_BIG. */
MUST_CHECK enum err blobs_get(struct storage *s, struct call *call, enum container container,
                              struct str name, size_t max, struct http_response *ret);

/* Stores content, gzipped, among the payloads; makes the container if it is not there yet, and only
 * then. */
MUST_CHECK enum err blobs_put(struct storage *s, struct call *call, struct str name,
                              struct str content);

/* Deletes a payload; one that is not there is success. *ret_was_there may be NULL. */
MUST_CHECK enum err blobs_delete(struct storage *s, struct call *call, struct str name,
                                 bool *ret_was_there);

/* Every blob whose name begins with prefix, over all pages; with stop_at_slash those with a further
 * '/' behind it are left out (delimiter=/). A container that is not there has none. name is
 * borrowed for the callback; anything but OK ends the listing with that error. */
typedef enum err (*blobs_emit)(void *ctx, struct str name);
MUST_CHECK enum err blobs_list(struct storage *s, struct call *call, enum container container,
                               struct str prefix, bool stop_at_slash, blobs_emit emit, void *ctx);

/* The same for all of a container, with the state of each blob's lease. */
typedef enum err (*blobs_lease)(void *ctx, struct str name, struct str lease_state);
MUST_CHECK enum err blobs_list_leases(struct storage *s, struct call *call,
                                      enum container container, blobs_lease emit, void *ctx);

#define LEASE_STATE_MAX 16 /* "available", "leased", "expired", "breaking", "broken" */
/* The state of the container's own lease; "" = there is no such container. */
MUST_CHECK enum err blobs_container_lease(struct storage *s, struct call *call,
                                          enum container container, char ret[LEASE_STATE_MAX]);
/* Deletes a container with all its blobs. One that is not there, or already being deleted, is
 * success. ERR_BUSY: it is leased. *ret_was_there may be NULL. */
MUST_CHECK enum err blobs_delete_container(struct storage *s, struct call *call,
                                           enum container container, bool *ret_was_there);

/* Nobody had made the payloads' container when it was last asked for: a purge need not list it
 * again. Forgotten when this process makes it, and by blobs_forget. */
bool blobs_none(const struct storage *s);
void blobs_forget(struct storage *s);

#endif
