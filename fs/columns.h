/* columns: how wide text is on a terminal, and text cut to a width.
 * Knows that CJK and emoji take two columns and combining marks none; not what is written.
 * Ownership: borrows. Threads: any. Source: Unicode's East Asian Width, the ranges that are Wide.
 */
#ifndef FS_COLUMNS_H
#define FS_COLUMNS_H

#include "backend/base/buf.h"

/* Columns of printable UTF-8; a byte that is none counts as one. */
size_t columns_of(struct str s);

/* Appends s, cut to at most width columns with "…" as its last character if it is wider. Returns
 * the columns appended. */
size_t columns_add(struct buf *out, struct str s, size_t width);

/* The same, filled up with blanks to exactly width. */
void columns_add_left(struct buf *out, struct str s, size_t width);
void columns_add_right(struct buf *out, struct str s, size_t width);

#endif
