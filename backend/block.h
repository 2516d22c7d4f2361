/* block: a run of rows of one listing, packed: about 72 bytes and the id per instance.
 * A page that a provider fetched is parsed straight into a block, and the catalogue keeps that very
 * block: no copy per field. Blocks are frozen once handed over and shared between listings.
 * Knows rows; not where they come from.
 * Ownership: reference count; text of a row lives as long as the block.
 * Threads: one thread fills it; frozen, anyone may read. */
#ifndef BACKEND_BLOCK_H
#define BACKEND_BLOCK_H

#include "backend/base/err.h"
#include "backend/instance.h"

#define BLOCK_ROWS_MAX 1024 /* a page of the service (1000) and some room for merged changes */

struct block;

struct block *block_new(void); /* NULL without memory */
struct block *block_ref(struct block *b);
struct block *block_unref(struct block *b);
DEFINE_CLEANUP(struct block, block_unref)

/* Copies the row's text in; name, version and unknown statuses are interned (intern.h). id may
 * equal key, then it is stored once. ERR_TOO_BIG when full, ERR_NO_MEMORY. */
MUST_CHECK enum err block_add(struct block *b, const struct row *row);
size_t block_count(const struct block *b);
void block_row(const struct block *b, size_t i, struct row *ret);
void block_set_slot(struct block *b, size_t i, uint32_t slot); /* before publication only */
struct str block_key(const struct block *b, size_t i);
struct str block_id(const struct block *b, size_t i);
uint32_t block_slot(const struct block *b, size_t i);
enum status block_status(const struct block *b, size_t i);
uint32_t block_name(const struct block *b, size_t i); /* interned orchestrator name */
ticks block_created(const struct block *b, size_t i);
ticks block_stamp(const struct block *b, size_t i);
/* How many rows of each status; unknown texts together. */
const uint32_t *block_status_counts(const struct block *b);

/* Sorts by key (str_cmp_utf16) and drops all but the last row of equal keys; makes it compact. */
MUST_CHECK enum err block_freeze(struct block *b);
/* First position with key >= k. */
size_t block_lower_bound(const struct block *b, struct str k);
size_t block_bytes(const struct block *b); /* memory, for the budget */

#endif
