#include "fs/format.h"

#include "backend/base/jsonread.h"
#include "backend/base/jsonw.h"

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* How many bytes at the beginning need no escape. Text is valid UTF-8 nearly always, so the caller
 * checks that once and copies runs. */
static size_t plain_run(struct str s, bool backslash_is_plain)
{
    size_t n = 0;

    while (n < s.len && !is_control(s.p[n]) && (backslash_is_plain || s.p[n] != '\\'))
        n++;
    return n;
}

static void add_control(struct buf *out, char c)
{
    static const char short_forms[] = "btnvfr"; /* 8 to 13; JSON has no \v */

    if (c >= 8 && c <= 13 && c != 11) {
        buf_add_ch(out, '\\');
        buf_add_ch(out, short_forms[c - 8]);
    } else {
        buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
    }
}

/* Bytes that are not UTF-8 in the spelling that json_quote gives them. */
static void make_utf8(struct buf *ret, struct str s)
{
    CLEANUP_BUF struct buf quoted = BUF_INIT(6 * s.len + 2);
    struct str body;

    json_quote(&quoted, s);
    body = buf_str(&quoted);
    if (buf_err(&quoted) != OK || body.len < 2)
        return;
    body = str_slice(body, 1, body.len - 1);
    for (size_t i = 0; i < body.len; i++) {
        /* A quote needs no escape outside of quotes. */
        if (body.p[i] == '\\' && i + 1 < body.len) {
            if (body.p[i + 1] != '"')
                buf_add_ch(ret, '\\');
            buf_add_ch(ret, body.p[++i]);
        } else if (is_control(body.p[i])) {
            add_control(ret, body.p[i]); /* DEL, which JSON leaves alone */
        } else {
            buf_add_ch(ret, body.p[i]);
        }
    }
}

void format_escaped(struct buf *out, struct str s)
{
    if (!str_is_utf8(s)) {
        make_utf8(out, s);
        return;
    }
    while (s.len > 0) {
        size_t n = plain_run(s, false);

        buf_add(out, str_slice(s, 0, n));
        s = str_slice(s, n, s.len);
        if (s.len == 0)
            break;
        if (*s.p == '\\')
            buf_add_c(out, "\\\\");
        else
            add_control(out, *s.p);
        s = str_slice(s, 1, s.len);
    }
}

void format_readable(struct buf *out, struct str s)
{
    bool utf8 = str_is_utf8(s);

    while (s.len > 0) {
        struct str rest = s, line = str_cut(&rest, '\n');
        bool had_break = line.len < s.len;

        if (line.len > 0 && line.p[line.len - 1] == '\r')
            line.len--;
        for (size_t n = 0; line.len > 0; line = str_slice(line, n, line.len)) {
            n = utf8 ? plain_run(line, true) : line.len;
            if (n > 0 && utf8)
                buf_add(out, str_slice(line, 0, n));
            else if (n > 0)
                format_escaped(out, line);
            else if (*line.p == '\t')
                buf_add_ch(out, '\t'), n = 1;
            else
                add_control(out, *line.p), n = 1;
        }
        if (had_break)
            buf_add_ch(out, '\n');
        s = rest;
    }
}

void format_line(struct buf *out, const char *key, struct str value)
{
    if (value.len == 0)
        return;
    buf_add_c(out, key);
    buf_add_c(out, ":\t");
    format_escaped(out, value);
    buf_add_ch(out, '\n');
}

void format_time_line(struct buf *out, const char *key, ticks value)
{
    if (value == TICKS_NONE)
        return;
    buf_add_c(out, key);
    buf_add_c(out, ":\t");
    ticks_print(out, value);
    buf_add_ch(out, '\n');
}

void format_payload(struct buf *out, struct str payload)
{
    buf_add(out, payload);
    if (payload.len > 0 && payload.p[payload.len - 1] != '\n')
        buf_add_ch(out, '\n');
}

void format_json_line(struct buf *out, struct str json)
{
    /* Inside a string a raw tab or line break cannot occur, so every one stands between tokens. */
    while (json.len > 0) {
        size_t n = 0;

        while (n < json.len && json.p[n] != '\t' && json.p[n] != '\n' && json.p[n] != '\r')
            n++;
        buf_add(out, str_slice(json, 0, n));
        if (n < json.len)
            buf_add_ch(out, ' ');
        json = str_slice(json, n + 1, json.len);
    }
}

void format_json_column(struct buf *out, struct str stored)
{
    if (stored.len == 0)
        return;
    if (json_valid(stored))
        format_json_line(out, str_trim(stored));
    else
        json_quote(out, stored);
}

void format_json_value(struct buf *out, struct str stored)
{
    if (str_trim(stored).len == 0)
        buf_add_c(out, "\"\"");
    else if (json_valid(stored))
        buf_add(out, str_trim(stored));
    else
        json_quote(out, stored);
}
