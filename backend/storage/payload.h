/* payload: the text that a CELL_REF names, out of its blob: inflated, checked, and taken out of the
 * start message when that is what the blob holds (storage tables 4.5).
 * Ownership: a text is the caller's reference. Threads: any. */
#ifndef BACKEND_STORAGE_PAYLOAD_H
#define BACKEND_STORAGE_PAYLOAD_H

#include "backend/storage/storage.h"

/* The payload in the stored bytes of a blob of that name; at most max bytes inflated. ERR_TOO_BIG,
 * ERR_DAMAGED (gzip, UTF-8, message). A start message without an input is an empty text. */
MUST_CHECK enum err payload_unpack(struct call *call, struct str name, struct str stored,
                                   size_t max, struct text **ret);

/* Fetches it. ERR_NOT_FOUND: it is gone, "payload blob missing" (B43). */
MUST_CHECK enum err payload_get(struct storage *s, struct call *call, struct str name,
                                struct text **ret);

#endif
