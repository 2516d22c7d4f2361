/* columns: the wanted cells of one row of a table, picked out of its JSON object.
 * Every column is optional and of doubtful type (storage tables 3.1, 13 no. 2): what is not a
 * string where a string is wanted counts as absent (B31); the first of duplicates wins (B33).
 * Ownership: values are slices of the page, or lie in the reader's arena.
 * Threads: private. */
#ifndef BACKEND_STORAGE_COLUMNS_H
#define BACKEND_STORAGE_COLUMNS_H

#include "backend/base/clock.h"
#include "backend/base/jsonread.h"

struct column {
    enum { COLUMN_ABSENT, COLUMN_NULL, COLUMN_STRING, COLUMN_OTHER } kind;
    struct str text; /* STRING: decoded; OTHER: the JSON text */
};

/* Reads the next value of the reader, which must be an object: names[i] goes to ret[i]. False: it
 * is no object (and nothing was consumed), or broken. */
bool columns_read(struct jsonread *r, const struct str *names, struct column *ret, size_t n);

struct str column_str(const struct column *c); /* "" unless it is a string */
/* As column_str, and the text null counts as absent (storage tables 5.4). */
struct str column_str_not_null(const struct column *c);
ticks column_time(const struct column *c); /* TICKS_NONE unless readable */
int64_t column_i64(const struct column *c, int64_t otherwise);
bool column_bool(const struct column *c, bool otherwise);

/* Enters {"value":[...]}; then rows are the elements. False: not such a document. */
bool columns_page(struct jsonread *r);
/* Why reading failed: ERR_BROKEN, or ERR_NO_MEMORY when the text was not to blame. */
enum err columns_broken(const struct jsonread *r);
/* After the last row: is the rest of the document as it must be? */
bool columns_page_end(struct jsonread *r);

#endif
