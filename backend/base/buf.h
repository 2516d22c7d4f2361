/* buf: a growing byte buffer with a maximum from birth that fails sticky.
 * Knows bytes and printf; not what they mean.
 * Ownership: embedded; buf_fini frees. What buf_str returns lives until the next append or fini.
 * Threads: private to one thread. */
#ifndef BACKEND_BASE_BUF_H
#define BACKEND_BASE_BUF_H

#include "backend/base/err.h"
#include "backend/base/str.h"

struct buf {
    char *p;
    size_t len;   /* bytes used */
    size_t cap;   /* bytes allocated */
    size_t max;   /* bytes at most; appending beyond it fails with ERR_TOO_BIG */
    enum err err; /* first failure; everything after it is ignored */
};

#define BUF_INIT(max_bytes)                                                                        \
    {                                                                                              \
        NULL, 0, 0, (max_bytes), OK                                                                \
    }

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);  /* accepts a zeroed or finished one */
void buf_clear(struct buf *b); /* empties, keeps memory, forgets the failure */

/* Appends never report: ask buf_err once at the end. */
void buf_add(struct buf *b, struct str s);
void buf_add_c(struct buf *b, const char *s);
void buf_add_ch(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* N writable bytes at the end, not yet counted; NULL on failure. */
char *buf_space(struct buf *b, size_t n);
void buf_grown(struct buf *b, size_t n); /* counts n bytes written there */

/* Percent-encodes every byte but A-Z a-z 0-9 - _ . ~ and those in keep (may be ""). */
void buf_add_url(struct buf *b, struct str s, const char *keep);
/* XML text: & < > " escaped. */
void buf_add_xml(struct buf *b, struct str s);

MUST_CHECK enum err buf_err(const struct buf *b);
struct str buf_str(const struct buf *b);
const char *buf_c(struct buf *b); /* terminated; "" when empty or out of memory */

/* Cleanup for a buf on the stack: CLEANUP_BUF struct buf b = BUF_INIT(n); */
#define CLEANUP_BUF __attribute__((cleanup(buf_fini)))

#endif
