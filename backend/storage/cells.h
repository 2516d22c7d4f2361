/* cells: is a cell's text the payload itself, or does it name the blob that holds it?
 * Knows the five forms of storage tables 4.3 and the rule of 4.5; fetches nothing.
 * A URL's host is never looked at, let alone asked: only the name inside this hub's own container
 * counts (B42).
 * Ownership: cells borrow from their arguments or lie in the arena given. Threads: private. */
#ifndef BACKEND_STORAGE_CELLS_H
#define BACKEND_STORAGE_CELLS_H

#include "backend/instance.h"
#include "backend/storage/columns.h"

/* Where cells are read: what a blob URL must look like. */
struct cell_place {
    struct str account; /* name, for path-style URLs */
    struct str hub_lower;
};

/* The blob that a text of the Instances row names, as URL or as a bare start message name; false:
 * the text is the payload. */
bool cell_blob_path(const struct cell_place *place, struct str text, struct arena *arena,
                    struct str *ret_name);

/* A cell of the Instances table: value and its ...BlobName companion. may_be_url: Input and Output
 * only. */
void cell_of_instance(struct cell *ret, const struct cell_place *place, const struct column *value,
                      const struct column *blob_name, bool may_be_url, struct arena *arena);
/* A cell of the History table: the companion wins. */
void cell_of_history(struct cell *ret, const struct column *value, const struct column *blob_name);

/* May this be the name of a blob: no empty, "." or ".." segment, no NUL (a URL would lead
 * elsewhere). */
bool cell_is_blob_name(struct str name);
/* Does a blob of this name hold a whole start message, whose input is the payload? */
bool cell_is_start_message(struct str blob_name);

#endif
