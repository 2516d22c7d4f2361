#include "backend/base/jsonscan.h"

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

int jsonscan_unit(const char *p, const char *end)
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
        return jsonscan_unit(p + 2, end) < 0 ? NULL : p + 6;
    default:
        return NULL;
    }
}

const char *jsonscan_string(const char *p, const char *end, bool *ret_escapes)
{
    for (;;) {
        p = jsonscan_plain(p, end);
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

const char *jsonscan_number(const char *p, const char *end)
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
        p = jsonscan_string(p + 1, end, &escapes);
        return p ? p + 1 : NULL;
    case 't':
        return skip_word(p, end, STR("true"));
    case 'f':
        return skip_word(p, end, STR("false"));
    case 'n':
        return skip_word(p, end, STR("null"));
    default:
        return jsonscan_number(p, end);
    }
}

/* From where a name must stand to behind its colon; NULL: no name. */
static const char *skip_name(const char *p, const char *end)
{
    p = jsonscan_blank(p, end);
    if (p == end || *p != '"')
        return NULL;
    p = skip_scalar(p, end);
    if (!p)
        return NULL;
    p = jsonscan_blank(p, end);
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
    p = jsonscan_blank(p + 1, end);
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
        p = jsonscan_blank(p, end);
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

const char *jsonscan_value(const char *p, const char *end, unsigned depth)
{
    if (p < end && *p != '{' && *p != '[')
        return skip_scalar(p, end);
    struct brackets b; /* bits are written before they are read */
    b.open = 0;
    b.max = depth;
    bool due = true;
    while (due) {
        p = jsonscan_blank(p, end);
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
