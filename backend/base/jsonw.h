/* jsonw: writes JSON into a buf, with commas where they belong.
 * Strings are escaped as Json.NET does it: \b \f \n \r \t, other controls as \u00xx (lower-case
 * hex), U+0085, U+2028, U+2029 as \u; everything else raw (storage messages 3.2). Threads: private.
 */
#ifndef BACKEND_BASE_JSONW_H
#define BACKEND_BASE_JSONW_H

#include "backend/base/clock.h"

struct jsonw {
    struct buf *out;
    bool comma; /* the next name or element needs one */
};

void jsonw_init(struct jsonw *w, struct buf *out);
void jsonw_object(struct jsonw *w);
void jsonw_object_end(struct jsonw *w);
void jsonw_array(struct jsonw *w);
void jsonw_array_end(struct jsonw *w);
void jsonw_name(struct jsonw *w, const char *name);
void jsonw_str(struct jsonw *w, struct str s);
void jsonw_i64(struct jsonw *w, int64_t v);
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_raw(struct jsonw *w, struct str json); /* already JSON */

/* Just the escaped string with its quotes. Bytes that are not UTF-8: a lone surrogate in its
 * three-byte form becomes its \ud8xx escape again, any other bad byte becomes U+FFFD. */
void json_quote(struct buf *b, struct str s);

#endif
