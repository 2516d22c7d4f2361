/* jsonread: a pull reader over one JSON document, without a tree and without recursion.
 * Pages of a table have up to 8 MiB, and a lone surrogate or \u0000 in one cell must not lose the
 * page (B30): cJSON fails there, so pages, messages and cells are read with this.
 * Knows RFC 8259; not what the members mean. Raw bytes that are not UTF-8 pass through strings as
 * they are (one cell must not lose the page); json_valid refuses them. Depth at most JSON_DEPTH_MAX
 * (L11).
 * Ownership: borrows the document; texts without escapes are slices of it, others are decoded into
 * the arena given at init. \u0000 becomes a NUL byte, a lone surrogate its three-byte form (ED A0
 * 80
 * ...), which names.h escapes and str_is_utf8 refuses.
 * Threads: private to one thread. */
#ifndef BACKEND_BASE_JSONREAD_H
#define BACKEND_BASE_JSONREAD_H

#include "backend/base/arena.h"
#include "backend/base/err.h"

enum json_kind {
    JSON_END, /* of the innermost object or array, or of the document */
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_BAD /* not JSON, or too deep; sticky */
};

struct jsonread {
    const char *at, *end, *start;
    struct arena *arena;
    unsigned depth;
    bool bad;
    bool no_memory; /* bad because the arena could not grow (ERR_NO_MEMORY, not a broken peer) */
    bool first;     /* private: a bracket was entered and nothing read yet */
    bool due;       /* private: a member or element was announced, its value not read yet */
};

/* arena may be NULL for a reader that only skips, or wants no text with escapes. */
void jsonread_init(struct jsonread *r, struct str document, struct arena *arena);

/* The kind of the value that comes next; nothing is consumed. */
enum json_kind jsonread_peek_any(struct jsonread *r);
static inline enum json_kind jsonread_peek(struct jsonread *r)
{
    if (!r->bad && r->at < r->end && *r->at == '"') /* as nearly always in a table */
        return JSON_STRING;
    return jsonread_peek_any(r);
}

/* Enter: consumes the bracket. Then, for an object, jsonread_member gives each name (false at the
 * end, which is consumed) and the value may be read or skipped (left alone, the next call skips
 * it); for an array jsonread_element. */
bool jsonread_object(struct jsonread *r); /* false (and nothing consumed): not an object */
bool jsonread_array(struct jsonread *r);
bool jsonread_member(struct jsonread *r, struct str *ret_name);
bool jsonread_element(struct jsonread *r);
/* jsonread_member for who knows which name comes next: true if it does, without white space, as
 * programs write it. False: nothing was consumed, ask jsonread_member. */
bool jsonread_member_is(struct jsonread *r, struct str name);

/* Values: false when the next value is of another kind; then it is skipped (B31: a wrong type is
 * treated as absent). */
bool jsonread_string(struct jsonread *r, struct str *ret);
bool jsonread_i64(struct jsonread *r, int64_t *ret); /* a number or a string of digits (Int64) */
bool jsonread_bool(struct jsonread *r, bool *ret);
void jsonread_skip(struct jsonread *r);
struct str jsonread_raw(struct jsonread *r); /* skips the value and gives its exact bytes */

bool jsonread_ok(const struct jsonread *r); /* nothing bad so far */
bool jsonread_done(struct jsonread *r);     /* ok, and only white space is left */

/* Is this exactly one valid JSON value (with white space around)? */
bool json_valid(struct str text);

/* True when text is a JSON string; its decoded value. */
bool json_unquote(struct str text, struct arena *arena, struct str *ret);

#endif
