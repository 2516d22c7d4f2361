#include "backend/base/jsonread.h"

#include "backend/base/jsonscan.h"
#include "backend/base/limits.h"

void jsonread_init(struct jsonread *r, struct str document, struct arena *arena)
{
    const char *p = document.p ? document.p : "";
    *r = (struct jsonread){ .at = p, .end = p + document.len, .start = p, .arena = arena };
}

static bool fail(struct jsonread *r)
{
    r->bad = true;
    return false;
}

/* Counts a value as read up to p; NULL: what stood there was none. */
static bool read_to(struct jsonread *r, const char *p)
{
    if (!p)
        return fail(r);
    r->at = p;
    r->due = false;
    r->first = false;
    return true;
}

static inline enum json_kind kind_of(char c)
{
    switch (c) {
    case '"':
        return JSON_STRING;
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER : JSON_BAD;
    }
}

enum json_kind jsonread_peek_any(struct jsonread *r)
{
    if (r->bad)
        return JSON_BAD;
    r->at = jsonscan_blank(r->at, r->end);
    if (r->at == r->end && r->depth == 0)
        return JSON_END;
    if (r->at < r->end && r->depth > 0 && !r->due && (*r->at == '}' || *r->at == ']'))
        return JSON_END;
    enum json_kind kind = r->at == r->end ? JSON_BAD : kind_of(*r->at);
    if (kind == JSON_BAD)
        r->bad = true;
    return kind;
}

static bool enter_bracket(struct jsonread *r, enum json_kind kind)
{
    if (jsonread_peek(r) != kind)
        return false;
    if (r->depth >= JSON_DEPTH_MAX)
        return fail(r);
    r->at++;
    r->depth++;
    r->first = true;
    r->due = false;
    return true;
}

bool jsonread_object(struct jsonread *r)
{
    return enter_bracket(r, JSON_OBJECT);
}

bool jsonread_array(struct jsonread *r)
{
    return enter_bracket(r, JSON_ARRAY);
}

/* Behind the comma, or before the first entry; false: behind the closing bracket, or bad. */
static bool next_entry(struct jsonread *r, char closing)
{
    if (r->due)
        jsonread_skip(r);
    if (r->bad)
        return false;
    const char *p = jsonscan_blank(r->at, r->end);
    if (p == r->end || r->depth == 0)
        return fail(r);
    if (*p == closing) {
        r->depth--;
        (void)read_to(r, p + 1);
        return false;
    }
    if (!r->first) {
        if (*p != ',')
            return fail(r);
        p++;
    }
    r->at = p;
    r->first = false;
    r->due = true;
    return true;
}

bool jsonread_element(struct jsonread *r)
{
    return next_entry(r, ']');
}

static char *put_char(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* Decodes the \uXXXX at p, two of them when they are a pair; the end was checked before. */
static const char *decode_unit(const char *p, const char *end, char **to)
{
    uint32_t c = (uint32_t)jsonscan_unit(p + 2, end);
    p += 6;
    if (c >= 0xd800 && c < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        uint32_t low = (uint32_t)jsonscan_unit(p + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            p += 6;
        }
    }
    *to = put_char(*to, c);
    return p;
}

static char simple_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c; /* quote, backslash, slash */
    }
}

/* raw was checked by jsonscan_string. No escape is shorter than what it stands for. */
static bool decode(struct arena *arena, struct str raw, struct str *ret)
{
    char *bytes = arena ? arena_bytes(arena, raw.len) : NULL;
    if (!bytes)
        return false;
    char *to = bytes;
    const char *p = raw.p, *end = raw.p + raw.len;
    while (p < end) {
        const char *plain = jsonscan_plain(p, end);
        memcpy(to, p, (size_t)(plain - p));
        to += plain - p;
        p = plain;
        if (p == end)
            break;
        if (p[1] == 'u') {
            p = decode_unit(p, end, &to);
        } else {
            *to++ = simple_escape(p[1]);
            p += 2;
        }
    }
    *ret = (struct str){ bytes, (size_t)(to - bytes) };
    return true;
}

/* Reads the string whose opening quote is at p; gives what is behind it, or NULL. */
static inline const char *read_string(struct jsonread *r, const char *p, struct str *ret)
{
    bool escapes = false;
    const char *quote = jsonscan_plain(++p, r->end);
    if (quote == r->end || *quote != '"')
        quote = jsonscan_string(p, r->end, &escapes);
    if (!quote)
        return NULL;
    struct str raw = { p, (size_t)(quote - p) };
    if (!escapes) {
        *ret = raw;
    } else if (!decode(r->arena, raw, ret)) {
        r->no_memory = true;
        return NULL;
    }
    return quote + 1;
}

bool jsonread_member(struct jsonread *r, struct str *ret_name)
{
    if (!next_entry(r, '}'))
        return false;
    const char *p = jsonscan_blank(r->at, r->end);
    if (p == r->end || *p != '"')
        return fail(r);
    struct str name;
    p = read_string(r, p, &name);
    if (!p)
        return fail(r);
    p = jsonscan_blank(p, r->end);
    if (p == r->end || *p != ':')
        return fail(r);
    r->at = p + 1;
    *ret_name = name;
    return true;
}

bool jsonread_member_is(struct jsonread *r, struct str name)
{
    const char *p = r->at;
    if (r->bad || r->due || r->depth == 0)
        return false;
    if (!r->first) {
        if (p == r->end || *p != ',')
            return false;
        p++;
    }
    if ((size_t)(r->end - p) < name.len + 3 || p[0] != '"' || p[name.len + 1] != '"' ||
        p[name.len + 2] != ':' || memcmp(p + 1, name.p, name.len) != 0)
        return false;
    r->at = p + name.len + 3;
    r->first = false;
    r->due = true;
    return true;
}

/* True when a value of that kind comes next; any other is skipped. */
static bool want(struct jsonread *r, enum json_kind kind)
{
    if (jsonread_peek(r) == kind)
        return true;
    jsonread_skip(r);
    return false;
}

bool jsonread_string(struct jsonread *r, struct str *ret)
{
    return want(r, JSON_STRING) && read_to(r, read_string(r, r->at, ret));
}

bool jsonread_i64(struct jsonread *r, int64_t *ret)
{
    struct str digits = STR_NONE;
    if (jsonread_peek(r) == JSON_STRING)
        return jsonread_string(r, &digits) && str_to_i64(digits, ret);
    if (!want(r, JSON_NUMBER))
        return false;
    const char *from = r->at;
    if (!read_to(r, jsonscan_number(from, r->end)))
        return false;
    return str_to_i64((struct str){ from, (size_t)(r->at - from) }, ret);
}

bool jsonread_bool(struct jsonread *r, bool *ret)
{
    enum json_kind kind = jsonread_peek(r);
    jsonread_skip(r);
    if (r->bad || (kind != JSON_TRUE && kind != JSON_FALSE))
        return false;
    *ret = kind == JSON_TRUE;
    return true;
}

void jsonread_skip(struct jsonread *r)
{
    (void)jsonread_raw(r);
}

struct str jsonread_raw(struct jsonread *r)
{
    if (r->bad)
        return STR_NONE;
    const char *from = jsonscan_blank(r->at, r->end);
    if (!read_to(r, jsonscan_value(from, r->end, JSON_DEPTH_MAX - r->depth)))
        return STR_NONE;
    return (struct str){ from, (size_t)(r->at - from) };
}

bool jsonread_ok(const struct jsonread *r)
{
    return !r->bad;
}

bool jsonread_done(struct jsonread *r)
{
    if (r->bad || r->depth)
        return false;
    r->at = jsonscan_blank(r->at, r->end);
    return r->at == r->end;
}

bool json_valid(struct str text)
{
    struct jsonread r;
    jsonread_init(&r, text, NULL);
    jsonread_skip(&r);
    return jsonread_done(&r) && str_is_utf8(text);
}

bool json_unquote(struct str text, struct arena *arena, struct str *ret)
{
    struct jsonread r;
    struct str value;
    jsonread_init(&r, text, arena);
    if (!jsonread_string(&r, &value) || !jsonread_done(&r))
        return false;
    *ret = value;
    return true;
}
