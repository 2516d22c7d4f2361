/* fixture: recorded rows of the genuine engine (tests/data/genuine-hub) for the tests of this room.
 * Ownership: the caller's buffer. Threads: the test's own. */
#ifndef TESTS_BACKEND_STORAGE_FIXTURE_H
#define TESTS_BACKEND_STORAGE_FIXTURE_H

#include "backend/base/buf.h"
#include "backend/base/jsonread.h"

/* Reads a file below genuine-hub/, or fails the test. */
void fixture_read(struct buf *b, const char *path);
/* The page {"value":[...]} with those rows of a page whose PartitionKey is key. */
void fixture_partition(struct buf *b, struct str page, const char *key);
/* The one row of that key, alone. */
void fixture_row(struct buf *b, struct str page, const char *key);

extern const char *const fixture_lines[2]; /* "v2.9.1", "v1.17.5" */
extern const char *const fixture_hubs[2];  /* "GenuineHub", "GenuineHubV1" */

#endif
