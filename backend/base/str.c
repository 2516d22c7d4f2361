#include "backend/base/str.h"

#include <stdlib.h>

#include "backend/base/word.h"

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static unsigned char ascii_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower((unsigned char)a.p[i]) != ascii_lower((unsigned char)b.p[i]))
            return false;
    }
    return true;
}

static int cmp_len(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    return c ? c : cmp_len(a.len, b.len);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0);
}

bool str_has(struct str s, struct str part)
{
    if (part.len == 0)
        return true;
    return s.len >= part.len && memmem(s.p, s.len, part.p, part.len) != NULL;
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (struct str){ s.p ? s.p + from : NULL, to - from };
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.p[s.len - 1]))
        s.len--;
    while (s.len && is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    return s;
}

struct str str_cut(struct str *s, char sep)
{
    const char *at = s->len ? memchr(s->p, sep, s->len) : NULL;
    struct str head = *s;

    if (!at) {
        *s = STR_NONE;
        return head;
    }
    head.len = (size_t)(at - s->p);
    s->p = at + 1;
    s->len -= head.len + 1;
    return head;
}

/* UTF-16 code units of bytes that need not be valid: a lone surrogate in its three-byte form is one
 * unit, a byte that makes no sense counts as itself. */
struct units {
    const unsigned char *p, *end;
    int low; /* second half of a pair, to be given next; 0 = none */
};

static int units_next(struct units *u)
{
    const unsigned char *p = u->p;
    ptrdiff_t left = u->end - p;
    int low = u->low;

    if (low) {
        u->low = 0;
        return low;
    }
    if (left == 0)
        return -1;
    if (p[0] >= 0xf0 && left >= 4) {
        int c = (p[0] & 7) << 18 | (p[1] & 63) << 12 | (p[2] & 63) << 6 | (p[3] & 63);
        u->p += 4;
        u->low = 0xdc00 + (c & 0x3ff);
        return 0xd800 + ((c - 0x10000) >> 10);
    }
    if (p[0] >= 0xe0 && p[0] < 0xf0 && left >= 3) {
        u->p += 3;
        return (p[0] & 15) << 12 | (p[1] & 63) << 6 | (p[2] & 63);
    }
    if (p[0] >= 0xc0 && p[0] < 0xe0 && left >= 2) {
        u->p += 2;
        return (p[0] & 31) << 6 | (p[1] & 63);
    }
    u->p++;
    return p[0];
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static bool is_ascii(char c)
{
    return (unsigned char)c < 0x80;
}

/* Keys of one table often begin alike: eight bytes at a step. */
static size_t first_difference(const char *a, const char *b, size_t n)
{
    size_t i = 0;

    for (; n - i >= WORD_BYTES; i += WORD_BYTES) {
        uint64_t other = word_at(a + i) ^ word_at(b + i);

        if (other)
            return i + word_first(other);
    }
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

int str_cmp_utf16(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    size_t i = first_difference(a.p, b.p, n);

    if (i == n)
        return cmp_len(a.len, b.len);
    if (is_ascii(a.p[i]) && is_ascii(b.p[i]))
        return (unsigned char)a.p[i] < (unsigned char)b.p[i] ? -1 : 1;

    /* Within a character the first bytes are equal: then the order is that of the bytes. */
    const unsigned char *pa = (const unsigned char *)a.p, *pb = (const unsigned char *)b.p;
    struct units ua = { pa + i, pa + a.len, 0 }, ub = { pb + i, pb + b.len, 0 };
    int x, y;

    do {
        x = units_next(&ua);
        y = units_next(&ub);
    } while (x == y && x >= 0);
    return (x > y) - (x < y);
}

size_t str_utf16_len(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (!is_continuation(s.p[i]))
            n += (unsigned char)s.p[i] >= 0xf0 ? 2 : 1;
    }
    return n;
}

/* Length and smallest value by first byte: rejects continuations, 0xc0, 0xc1 and 0xf5 upwards. */
static size_t utf8_form(unsigned char first, uint32_t *ret_min)
{
    if (first < 0x80) {
        *ret_min = 0;
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        *ret_min = 0x80;
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *ret_min = 0x800;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *ret_min = 0x10000;
        return 4;
    }
    return 0;
}

size_t str_utf8_at(struct str s, uint32_t *ret)
{
    uint32_t min = 0, c;
    size_t n = s.len ? utf8_form((unsigned char)s.p[0], &min) : 0;

    if (n == 0 || n > s.len)
        return 0;
    c = n == 1 ? (unsigned char)s.p[0] : (unsigned char)s.p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (!is_continuation(s.p[i]))
            return 0;
        c = c << 6 | ((unsigned char)s.p[i] & 0x3fu);
    }
    if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return n;
}

struct str str_head_utf8(struct str s, size_t max)
{
    if (s.len <= max)
        return s;
    s.len = max;
    /* s.p[max] exists: it tells whether the cut goes through a character. */
    for (int back = 0; back < 3 && s.len > 0 && is_continuation(s.p[s.len]); back++)
        s.len--;
    return s;
}

/* To the first byte beyond ASCII, eight at a step. */
static struct str skip_ascii(struct str s)
{
    while (s.len >= WORD_BYTES && !(word_at(s.p) & WORD_TOPS)) {
        s.p += WORD_BYTES;
        s.len -= WORD_BYTES;
    }
    for (; s.len && is_ascii(s.p[0]); s.p++)
        s.len--;
    return s;
}

bool str_is_utf8(struct str s)
{
    uint32_t c;

    for (s = skip_ascii(s); s.len; s = skip_ascii(s)) {
        size_t n = str_utf8_at(s, &c);

        if (n == 0)
            return false;
        s = str_slice(s, n, s.len);
    }
    return true;
}

bool str_to_u64(struct str s, uint64_t *ret)
{
    uint64_t v = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

bool str_to_i64(struct str s, int64_t *ret)
{
    bool negative = s.len && s.p[0] == '-';
    uint64_t v;

    if (!str_to_u64(negative ? str_slice(s, 1, s.len) : s, &v))
        return false;
    if (v > (uint64_t)INT64_MAX + negative)
        return false;
    *ret = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

char *str_dup_c(struct str s)
{
    char *copy = malloc(s.len + 1);

    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.p, s.len);
    copy[s.len] = '\0';
    return copy;
}
