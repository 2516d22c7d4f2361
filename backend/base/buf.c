#include "backend/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST_CAP 256

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf)BUF_INIT(max);
}

void buf_fini(struct buf *b)
{
    free(b->p);
    *b = (struct buf)BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->err = OK;
}

static bool buf_fail(struct buf *b, enum err err)
{
    b->err = err;
    return false;
}

/* Room for n more bytes and a NUL that is never counted, so that buf_c cannot fail later. */
static bool buf_reserve(struct buf *b, size_t n)
{
    size_t need, cap;
    char *p;

    if (b->err)
        return false;
    if (b->len > b->max || n > b->max - b->len)
        return buf_fail(b, ERR_TOO_BIG);
    if (__builtin_add_overflow(b->len + n, 1, &need))
        return buf_fail(b, ERR_TOO_BIG);
    if (need <= b->cap)
        return true;
    cap = b->cap > SIZE_MAX / 2 ? need : b->cap * 2;
    if (cap < BUF_FIRST_CAP)
        cap = BUF_FIRST_CAP;
    if (cap > b->max)
        cap = b->max + 1; /* need is at most that */
    if (cap < need)
        cap = need;
    p = realloc(b->p, cap);
    if (!p)
        return buf_fail(b, ERR_NO_MEMORY);
    b->p = p;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, struct str s)
{
    if (!buf_reserve(b, s.len) || s.len == 0)
        return;
    memcpy(b->p + b->len, s.p, s.len);
    b->len += s.len;
}

void buf_add_c(struct buf *b, const char *s)
{
    buf_add(b, str_c(s));
}

void buf_add_ch(struct buf *b, char c)
{
    if (buf_reserve(b, 1))
        b->p[b->len++] = c;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    size_t room;
    int n;

    if (!buf_reserve(b, 0))
        return;
    room = b->cap - b->len;
    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(b->p + b->len, room, fmt, ap);
    va_end(ap);
    if (n < 0)
        (void)buf_fail(b, ERR_BUG);
    else if (buf_reserve(b, (size_t)n)) {
        if ((size_t)n >= room)
            (void)vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

char *buf_space(struct buf *b, size_t n)
{
    return buf_reserve(b, n) ? b->p + b->len : NULL;
}

void buf_grown(struct buf *b, size_t n)
{
    if (b->err)
        return;
    if (b->cap == 0 ? n > 0 : n > b->cap - 1 - b->len) {
        (void)buf_fail(b, ERR_BUG);
        return;
    }
    b->len += n;
}

static bool url_plain(unsigned char c, const char *keep)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
        return true;
    return c != '\0' && (strchr("-_.~", c) || strchr(keep, c));
}

void buf_add_url(struct buf *b, struct str s, const char *keep)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (url_plain(c, keep)) {
            buf_add_ch(b, (char)c);
            continue;
        }
        buf_add(b, (struct str){ (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3 });
    }
}

void buf_add_xml(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        switch (s.p[i]) {
        case '&':
            buf_add_c(b, "&amp;");
            break;
        case '<':
            buf_add_c(b, "&lt;");
            break;
        case '>':
            buf_add_c(b, "&gt;");
            break;
        case '"':
            buf_add_c(b, "&quot;");
            break;
        default:
            buf_add_ch(b, s.p[i]);
        }
    }
}

enum err buf_err(const struct buf *b)
{
    return b->err;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){ b->p, b->len };
}

const char *buf_c(struct buf *b)
{
    if (!b->p || b->err == ERR_NO_MEMORY)
        return "";
    b->p[b->len] = '\0';
    return b->p;
}
