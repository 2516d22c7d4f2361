#include "backend/base/jsonread.h"

#include <endian.h>

#include "backend/base/limits.h"

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

static inline const char *skip_blank(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p <= ' ') {
        if (*p != ' ' && *p != '\n' && *p != '\r' && *p != '\t')
            break;
        p++;
    }
    return p;
}

/* A high bit in each byte that ends a run of plain string bytes: a quote, a backslash, a control
 * character. Marks above the lowest may be wrong (borrow), the lowest is exact. */
static inline uint64_t marks(uint64_t w)
{
    uint64_t quote = w ^ EACH_BYTE('"');
    uint64_t slash = w ^ EACH_BYTE('\\');
    return (((quote - EACH_BYTE(1)) & ~quote) | ((slash - EACH_BYTE(1)) & ~slash) |
            ((w - EACH_BYTE(0x20)) & ~w)) &
           EACH_BYTE(0x80);
}

/* Eight bytes a step: pages are mostly strings, and this loop is most of the time of a listing. */
static inline const char *skip_plain(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, sizeof w);
        uint64_t m = marks(le64toh(w));
        if (m)
            return p + (__builtin_ctzll(m) >> 3);
        p += 8;
    }
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    return p;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The unit of a \uXXXX whose four digits begin at p; -1: not four digits. */
static int unit_value(const char *p, const char *end)
{
    if (end - p < 4)
        return -1;
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* From a backslash to behind its escape; NULL: no such escape. */
static const char *skip_escape(const char *p, const char *end)
{
    if (end - p < 2)
        return NULL;
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        return unit_value(p + 2, end) < 0 ? NULL : p + 6;
    default:
        return NULL;
    }
}

/* From behind the opening quote to the closing one; NULL: no proper string. */
static inline const char *find_quote(const char *p, const char *end, bool *ret_escapes)
{
    for (;;) {
        p = skip_plain(p, end);
        if (p == end)
            return NULL;
        if (*p == '"')
            return p;
        if (*p != '\\')
            return NULL;
        *ret_escapes = true;
        p = skip_escape(p, end);
        if (!p)
            return NULL;
    }
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* At least one digit, or NULL. */
static const char *need_digits(const char *p, const char *end)
{
    const char *behind = skip_digits(p, end);
    return behind == p ? NULL : behind;
}

/* From the first byte of a number to behind it; NULL: not a number. What follows is judged by
 * whoever expects a comma, a bracket or the end there, so 007 fails as "0 and more". */
static const char *skip_number(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    if (p < end && *p == '0')
        p++;
    else if (!(p = need_digits(p, end)))
        return NULL;
    if (p < end && *p == '.' && !(p = need_digits(p + 1, end)))
        return NULL;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = need_digits(p, end);
    }
    return p;
}

static const char *skip_word(const char *p, const char *end, struct str word)
{
    if ((size_t)(end - p) < word.len || memcmp(p, word.p, word.len) != 0)
        return NULL;
    return p + word.len;
}

/* From the first byte of a string, number, true, false or null to behind it; NULL: none of them. */
static inline const char *skip_scalar(const char *p, const char *end)
{
    bool escapes = false;
    if (p == end)
        return NULL;
    switch (*p) {
    case '"':
        p = find_quote(p + 1, end, &escapes);
        return p ? p + 1 : NULL;
    case 't':
        return skip_word(p, end, STR("true"));
    case 'f':
        return skip_word(p, end, STR("false"));
    case 'n':
        return skip_word(p, end, STR("null"));
    default:
        return skip_number(p, end);
    }
}

/* From where a name must stand to behind its colon; NULL: no name. */
static const char *skip_name(const char *p, const char *end)
{
    p = skip_blank(p, end);
    if (p == end || *p != '"')
        return NULL;
    p = skip_scalar(p, end);
    if (!p)
        return NULL;
    p = skip_blank(p, end);
    return p < end && *p == ':' ? p + 1 : NULL;
}

/* The brackets that are open while a value is skipped: one bit each, set for an object. */
struct brackets {
    unsigned open, max;
    unsigned char object[JSON_DEPTH_MAX / 8 + 1];
};

static bool brackets_push(struct brackets *b, bool object)
{
    if (b->open >= b->max)
        return false;
    unsigned char bit = (unsigned char)(1u << (b->open & 7));
    if (object)
        b->object[b->open >> 3] |= bit;
    else
        b->object[b->open >> 3] &= (unsigned char)~bit;
    b->open++;
    return true;
}

static inline bool brackets_in_object(const struct brackets *b)
{
    unsigned top = b->open - 1;
    return b->object[top >> 3] >> (top & 7) & 1;
}

/* From an opening bracket to where the first value inside must stand, or behind the closing one. */
static const char *enter(const char *p, const char *end, struct brackets *b, bool *ret_value_due)
{
    bool object = *p == '{';
    if (!brackets_push(b, object))
        return NULL;
    p = skip_blank(p + 1, end);
    *ret_value_due = p == end || *p != (object ? '}' : ']');
    if (*ret_value_due)
        return object ? skip_name(p, end) : p;
    b->open--;
    return p + 1;
}

/* From behind a value inside brackets to where the next must stand, or behind the outermost closing
 * bracket. */
static const char *go_on(const char *p, const char *end, struct brackets *b, bool *ret_value_due)
{
    while (b->open) {
        bool object = brackets_in_object(b);
        p = skip_blank(p, end);
        if (p == end)
            return NULL;
        if (*p == ',') {
            *ret_value_due = true;
            return object ? skip_name(p + 1, end) : p + 1;
        }
        if (*p != (object ? '}' : ']'))
            return NULL;
        p++;
        b->open--;
    }
    *ret_value_due = false;
    return p;
}

/* From the first byte of any value to behind it. depth is what may still be nested. */
static const char *skip_value(const char *p, const char *end, unsigned depth)
{
    if (p < end && *p != '{' && *p != '[')
        return skip_scalar(p, end);
    struct brackets b; /* bits are written before they are read */
    b.open = 0;
    b.max = depth;
    bool due = true;
    while (due) {
        p = skip_blank(p, end);
        if (p == end)
            return NULL;
        if (*p == '{' || *p == '[') {
            p = enter(p, end, &b, &due);
        } else {
            p = skip_scalar(p, end);
            due = false;
        }
        if (p && !due)
            p = go_on(p, end, &b, &due);
        if (!p)
            return NULL;
    }
    return p;
}

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

enum json_kind jsonread_peek(struct jsonread *r)
{
    if (r->bad)
        return JSON_BAD;
    r->at = skip_blank(r->at, r->end);
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
    const char *p = skip_blank(r->at, r->end);
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
    uint32_t c = (uint32_t)unit_value(p + 2, end);
    p += 6;
    if (c >= 0xd800 && c < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        uint32_t low = (uint32_t)unit_value(p + 2, end);
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

/* raw was checked by find_quote. No escape is shorter than what it stands for. */
static bool decode(struct arena *arena, struct str raw, struct str *ret)
{
    char *bytes = arena ? arena_bytes(arena, raw.len) : NULL;
    if (!bytes)
        return false;
    char *to = bytes;
    const char *p = raw.p, *end = raw.p + raw.len;
    while (p < end) {
        const char *plain = skip_plain(p, end);
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
    const char *quote = find_quote(++p, r->end, &escapes);
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
    const char *p = skip_blank(r->at, r->end);
    if (p == r->end || *p != '"')
        return fail(r);
    struct str name;
    p = read_string(r, p, &name);
    if (!p)
        return fail(r);
    p = skip_blank(p, r->end);
    if (p == r->end || *p != ':')
        return fail(r);
    r->at = p + 1;
    *ret_name = name;
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
    if (!read_to(r, skip_number(from, r->end)))
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
    const char *from = skip_blank(r->at, r->end);
    if (!read_to(r, skip_value(from, r->end, JSON_DEPTH_MAX - r->depth)))
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
    r->at = skip_blank(r->at, r->end);
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
