/* jsoncheck: decides byte by byte whether what a user writes is one JSON value (RFC 8259, strict).
 * A write commits in the write(2) that completes the value (faults and limits R1, B16-B25), so the
 * question is always "what is it so far?". The bytes themselves are kept by the caller, unchanged.
 * Ownership: embedded, no memory. Threads: private to one handle. */
#ifndef BACKEND_BASE_JSONCHECK_H
#define BACKEND_BASE_JSONCHECK_H

#include "backend/base/limits.h"
#include "backend/base/str.h"

enum jsoncheck_state {
    JSONCHECK_BLANK,    /* white space only so far */
    JSONCHECK_OPEN,     /* the beginning of a value */
    JSONCHECK_NUMBER,   /* a complete number that more digits could continue; white space ends it */
    JSONCHECK_COMPLETE, /* a value, perhaps white space behind it */
    JSONCHECK_BAD
};

struct jsoncheck {
    enum jsoncheck_state state;
    uint64_t bytes;     /* accepted so far */
    uint64_t bad_at;    /* offset of the byte that cannot be, when BAD */
    const char *reason; /* why, a constant sentence part, when BAD */
    unsigned depth;
    unsigned char lex, sub;                      /* private: position inside a token */
    bool in_name;                                /* private: the string is a member's name */
    uint32_t unicode;                            /* private */
    unsigned char stack[JSON_DEPTH_MAX / 8 + 1]; /* private: one bit a level, object or array */
};

void jsoncheck_init(struct jsoncheck *c);
/* Feeds bytes; returns the state after them. Sticky when BAD. */
enum jsoncheck_state jsoncheck_feed(struct jsoncheck *c, struct str bytes);

#endif
