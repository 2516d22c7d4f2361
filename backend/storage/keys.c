#include "backend/storage/keys.h"

/* The unit that follows '^' is moved by this much for a control character. */
#define CONTROL_SHIFT 0xC0u

/* One code point of s at *i, or a single byte when it is not UTF-8. Surrogates in their three-byte
 * form (jsonread.h) are read like any other unit. */
static uint32_t code_next(struct str s, size_t *i, bool *ret_valid)
{
    const unsigned char *p = (const unsigned char *)s.p + *i;
    size_t left = s.len - *i;
    size_t more = p[0] < 0x80 ? 0 : p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : 1;
    uint32_t code = p[0] & (0x7Fu >> (more ? more + 1 : 0));

    *ret_valid = p[0] < 0x80 || (p[0] >= 0xC2 && p[0] <= 0xF4 && more < left);
    for (size_t k = 1; *ret_valid && k <= more; k++) {
        *ret_valid = (p[k] & 0xC0u) == 0x80;
        code = code << 6 | (p[k] & 0x3Fu);
    }
    if (code > 0x10FFFF || (more == 2 && code < 0x800) || (more == 3 && code < 0x10000))
        *ret_valid = false;
    if (!*ret_valid) {
        *i += 1;
        return p[0];
    }
    *i += more + 1;
    return code;
}

static void code_add(struct buf *b, uint32_t c)
{
    char out[4];

    if (c < 0x80) {
        buf_add_ch(b, (char)c);
    } else if (c < 0x800) {
        out[0] = (char)(0xC0u | c >> 6);
        out[1] = (char)(0x80u | (c & 0x3Fu));
        buf_add(b, (struct str){ out, 2 });
    } else if (c < 0x10000) {
        out[0] = (char)(0xE0u | c >> 12);
        out[1] = (char)(0x80u | (c >> 6 & 0x3Fu));
        out[2] = (char)(0x80u | (c & 0x3Fu));
        buf_add(b, (struct str){ out, 3 });
    } else {
        out[0] = (char)(0xF0u | c >> 18);
        out[1] = (char)(0x80u | (c >> 12 & 0x3Fu));
        out[2] = (char)(0x80u | (c >> 6 & 0x3Fu));
        out[3] = (char)(0x80u | (c & 0x3Fu));
        buf_add(b, (struct str){ out, 4 });
    }
}

static const char *escape_of(unsigned char c)
{
    switch (c) {
    case '^':
        return "^^";
    case '/':
        return "^0";
    case '\\':
        return "^1";
    case '#':
        return "^2";
    case '?':
        return "^3";
    default:
        return NULL;
    }
}

void key_escape(struct buf *b, struct str id)
{
    for (size_t i = 0; i < id.len;) {
        size_t from = i;
        bool valid;
        uint32_t c = code_next(id, &i, &valid);
        const char *escape = c < 0x80 ? escape_of((unsigned char)c) : NULL;

        if (escape) {
            buf_add_c(b, escape);
        } else if (valid && (c < 0x20 || (c >= 0x7F && c < 0xA0))) {
            buf_add_ch(b, '^');
            code_add(b, c + CONTROL_SHIFT);
        } else {
            buf_add(b, str_slice(id, from, i));
        }
    }
}

/* What stands for the unit behind '^'. A character beyond the BMP is two units, of which only the
 * first is moved; what results may be a pair again, or two units that stand alone. */
static void unescape_unit(struct buf *b, uint32_t c)
{
    static const char plain[] = "/\\#?";
    uint32_t high, low;

    if (c >= '0' && c <= '3') {
        buf_add_ch(b, plain[c - '0']);
    } else if (c < CONTROL_SHIFT) {
        code_add(b, c);
    } else if (c < 0x10000) {
        code_add(b, c - CONTROL_SHIFT);
    } else {
        high = 0xD800u + ((c - 0x10000) >> 10) - CONTROL_SHIFT;
        low = 0xDC00u + ((c - 0x10000) & 0x3FFu);
        if (high >= 0xD800) {
            code_add(b, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
        } else {
            code_add(b, high);
            code_add(b, low);
        }
    }
}

bool key_unescape(struct buf *b, struct str key)
{
    for (size_t i = 0; i < key.len;) {
        size_t from = i;
        bool valid;

        if (key.p[i] != '^') {
            const char *mark = memchr(key.p + i, '^', key.len - i);

            i = mark ? (size_t)(mark - key.p) : key.len;
            buf_add(b, str_slice(key, from, i));
            continue;
        }
        if (++i == key.len) {
            buf_add_ch(b, '^');
            return false;
        }
        from = i;
        uint32_t c = code_next(key, &i, &valid);
        if (valid)
            unescape_unit(b, c);
        else
            buf_add(b, str_slice(key, from, i));
    }
    return true;
}

void key_literal(struct buf *b, struct str text)
{
    buf_add_ch(b, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '\'')
            buf_add_ch(b, '\'');
        buf_add_ch(b, text.p[i]);
    }
    buf_add_ch(b, '\'');
}

void key_literal_time(struct buf *b, ticks t)
{
    buf_add_c(b, "datetime'");
    ticks_print(b, t);
    buf_add_ch(b, '\'');
}

void key_term(struct buf *filter, const char *column, const char *operator, struct str key)
{
    buf_printf(filter, "%s%s %s ", filter->len ? " and " : "", column, operator);
    key_literal(filter, key);
}

void key_term_no_entities(struct buf *filter, struct str from, struct str to)
{
    if (str_cmp_utf16(from, STR("A")) < 0 && (!to.len || str_cmp_utf16(to, STR("@")) > 0))
        buf_printf(filter, "%s(PartitionKey lt '@' or PartitionKey ge 'A')",
                   filter->len ? " and " : "");
}

/* The code point that begins the next range in the order of UTF-16 units; 0: there is none. The
 * unit behind U+D7FF is a lone surrogate, which UTF-8 cannot say; all that it would bound begins
 * with a pair, so the first pair bounds the same. */
static uint32_t code_after(uint32_t c)
{
    if (c == 0xD7FF)
        return 0x10000;
    if (c == 0x10FFFF)
        return 0xE000;
    if (c == 0xFFFF)
        return 0;
    return c + 1;
}

bool key_prefix_bounds(struct str id_prefix, struct buf *lower, struct buf *upper)
{
    size_t last = 0;
    uint32_t c = 0;
    bool valid;
    struct str key;

    if (!id_prefix.len)
        return false;
    key_escape(lower, id_prefix);
    key = buf_str(lower);
    for (size_t i = 0; i < key.len;) {
        last = i;
        c = code_next(key, &i, &valid);
    }
    c = code_after(c);
    if (c) {
        buf_add(upper, str_slice(key, 0, last));
        code_add(upper, c);
    }
    return true;
}

static void address_key(struct buf *b, struct str key)
{
    struct buf literal = BUF_INIT(2 * KEY_MAX_BYTES + 2);

    key_literal(&literal, key);
    if (buf_err(&literal) == OK)
        buf_add_url(b, buf_str(&literal), "'");
    else
        b->err = b->err ? b->err : literal.err;
    buf_fini(&literal);
}

void key_address(struct buf *b, struct str table, struct str partition_key, struct str row_key)
{
    buf_add_url(b, table, "");
    buf_add_c(b, "(PartitionKey=");
    address_key(b, partition_key);
    buf_add_c(b, ",RowKey=");
    address_key(b, row_key);
    buf_add_ch(b, ')');
}
