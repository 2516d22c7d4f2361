#include "backend/base/jsonw.h"

#include <inttypes.h>

void jsonw_init(struct jsonw *w, struct buf *out)
{
    *w = (struct jsonw){ .out = out };
}

static void separate(struct jsonw *w)
{
    if (w->comma)
        buf_add_ch(w->out, ',');
    w->comma = true;
}

static void open_bracket(struct jsonw *w, char bracket)
{
    separate(w);
    buf_add_ch(w->out, bracket);
    w->comma = false;
}

static void close_bracket(struct jsonw *w, char bracket)
{
    buf_add_ch(w->out, bracket);
    w->comma = true;
}

void jsonw_object(struct jsonw *w)
{
    open_bracket(w, '{');
}

void jsonw_object_end(struct jsonw *w)
{
    close_bracket(w, '}');
}

void jsonw_array(struct jsonw *w)
{
    open_bracket(w, '[');
}

void jsonw_array_end(struct jsonw *w)
{
    close_bracket(w, ']');
}

void jsonw_name(struct jsonw *w, const char *name)
{
    separate(w);
    json_quote(w->out, str_c(name));
    buf_add_ch(w->out, ':');
    w->comma = false;
}

void jsonw_str(struct jsonw *w, struct str s)
{
    separate(w);
    json_quote(w->out, s);
}

void jsonw_i64(struct jsonw *w, int64_t v)
{
    separate(w);
    buf_printf(w->out, "%" PRId64, v);
}

void jsonw_bool(struct jsonw *w, bool v)
{
    separate(w);
    buf_add_c(w->out, v ? "true" : "false");
}

void jsonw_null(struct jsonw *w)
{
    separate(w);
    buf_add_c(w->out, "null");
}

void jsonw_raw(struct jsonw *w, struct str json)
{
    separate(w);
    buf_add(w->out, json);
}

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The character of several bytes at p; 0 and *ret_len 1 for a byte that begins none. Surrogates
 * are let through: they have an escape, other bad bytes have none. */
static uint32_t wide_char(const unsigned char *p, size_t left, size_t *ret_len)
{
    *ret_len = 1;
    if (left >= 2 && p[0] >= 0xc2 && p[0] <= 0xdf && is_tail(p[1])) {
        *ret_len = 2;
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    }
    if (left >= 3 && (p[0] & 0xf0) == 0xe0 && is_tail(p[1]) && is_tail(p[2])) {
        uint32_t c = (uint32_t)(p[0] & 0xf) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
        *ret_len = c < 0x800 ? 1 : 3;
        return c < 0x800 ? 0 : c;
    }
    if (left >= 4 && (p[0] & 0xf8) == 0xf0 && is_tail(p[1]) && is_tail(p[2]) && is_tail(p[3])) {
        uint32_t c = (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
                     (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
        bool good = c >= 0x10000 && c <= 0x10ffff;
        *ret_len = good ? 4 : 1;
        return good ? c : 0;
    }
    return 0;
}

/* The letter behind the backslash for what has a short escape, else 0. */
static char short_escape(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void quote_narrow(struct buf *b, unsigned char c)
{
    char letter = short_escape(c);
    if (letter)
        buf_add(b, (struct str){ (char[]){ '\\', letter }, 2 });
    else
        buf_printf(b, "\\u%04x", c);
}

/* Json.NET escapes the three line ends that JavaScript once took for such. */
static void quote_wide(struct buf *b, uint32_t c, struct str bytes)
{
    if (c == 0)
        buf_add(b, STR("\xef\xbf\xbd"));
    else if (c == 0x85 || c == 0x2028 || c == 0x2029 || (c >= 0xd800 && c <= 0xdfff))
        buf_printf(b, "\\u%04x", (unsigned)c);
    else
        buf_add(b, bytes);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

void json_quote(struct buf *b, struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    buf_add_ch(b, '"');
    for (size_t i = 0; i < s.len;) {
        size_t run = i;
        while (run < s.len && is_plain(p[run]))
            run++;
        buf_add(b, (struct str){ s.p + i, run - i });
        i = run;
        if (i == s.len)
            break;
        if (p[i] < 0x80) {
            quote_narrow(b, p[i++]);
        } else {
            size_t n;
            uint32_t c = wide_char(p + i, s.len - i, &n);
            quote_wide(b, c, (struct str){ s.p + i, n });
            i += n;
        }
    }
    buf_add_ch(b, '"');
}
