/* str: borrowed text, a pointer and a length; not terminated, may hold any byte.
 * Knows bytes and UTF-8 counting; never allocates.
 * Ownership: borrowed. Whoever declares a str says in its header whose life it shares.
 * Threads: values. */
#ifndef BACKEND_BASE_STR_H
#define BACKEND_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p; /* NULL only when len is 0 */
    size_t len;    /* bytes */
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE     ((struct str){ NULL, 0 })
#define STR_FMT      "%.*s"                           /* in a format ... */
#define STR_ARG(s)   (int)(s).len, (s).p ? (s).p : "" /* ... and among its arguments */

static inline struct str str_c(const char *c)
{
    return (struct str){ c, c ? strlen(c) : 0 };
}

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII letters only */
int str_cmp(struct str a, struct str b);        /* by bytes, then by length */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_has(struct str s, struct str part);
struct str str_slice(struct str s, size_t from, size_t to); /* clamped */
struct str str_trim(struct str s);                          /* blanks, tabs, CR, LF at both ends */

/* Cuts s at the first sep: returns what stood before it and leaves the rest in *s (empty, p NULL,
 * when there was none). */
struct str str_cut(struct str *s, char sep);

/* Order of Azure Tables keys: by UTF-16 code unit, computed on UTF-8 (storage tables 2.3; Azurite
 * facts 5.1). Differs from str_cmp only for characters beyond the BMP. */
int str_cmp_utf16(struct str a, struct str b);

/* How many UTF-16 code units valid UTF-8 makes (storage tables 4.2). */
size_t str_utf16_len(struct str s);

bool str_is_utf8(struct str s); /* strict: no overlong forms, no surrogates, at most U+10FFFF */

/* Length in bytes of the character that s begins with, 0 when s is empty or begins with none; *ret
 * becomes its code point. */
size_t str_utf8_at(struct str s, uint32_t *ret);

/* The first bytes of s, at most max, never ending within a character. */
struct str str_head_utf8(struct str s, size_t max);

/* Decimal digits only, no sign, no blank; false leaves *ret as it was. */
bool str_to_u64(struct str s, uint64_t *ret);
bool str_to_i64(struct str s, int64_t *ret); /* one leading '-' allowed */

/* A terminated copy (malloc; NULL without memory). */
char *str_dup_c(struct str s);

#endif
