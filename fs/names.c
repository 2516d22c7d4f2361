#include "fs/names.h"

#include "backend/base/digest.h"
#include "backend/base/word.h"

#define NAME_CUT_BYTES 218 /* mount layout 2: what a shortened name keeps of the id's spelling */
#define HASH_BYTES     16

static const char hex_upper[] = "0123456789ABCDEF";

static bool must_escape(unsigned char c, bool first)
{
    return c < 0x20 || c == 0x7f || c == '/' || c == '%' || (first && c == '.');
}

/* Not 0 if one of eight bytes is among those of must_escape (wherever it stands), or not ASCII. A
 * borrow may mark too many of them, but only above one that is. */
static uint64_t not_plain(uint64_t w)
{
    uint64_t slash = w ^ WORD_EACH('/'), percent = w ^ WORD_EACH('%'), del = w ^ WORD_EACH(0x7f);

    return ((w - WORD_EACH(0x20)) | (slash - WORD_EACH(1)) | (percent - WORD_EACH(1)) |
            (del - WORD_EACH(1)) | w) &
           WORD_TOPS;
}

/* Most ids are their own names: a million of them are listed in one go. True: ret has the name,
 * terminated; else it has anything. */
static bool copy_plain(char ret[NAME_MAX_BYTES + 1], struct str id)
{
    size_t i = 0;

    if (id.len == 0 || id.len > NAME_MAX_BYTES || id.p[0] == '.')
        return false;
    for (; id.len - i >= WORD_BYTES; i += WORD_BYTES) {
        if (not_plain(word_at(id.p + i)))
            return false;
        memcpy(ret + i, id.p + i, WORD_BYTES);
    }
    for (; i < id.len; i++) {
        if ((unsigned char)id.p[i] >= 0x80 || must_escape((unsigned char)id.p[i], false))
            return false;
        ret[i] = id.p[i];
    }
    ret[i] = '\0';
    return true;
}

/* Length of the whole UTF-8 character at p, 0 if there is none. */
static size_t character_len(const char *p, size_t left)
{
    unsigned char lead = (unsigned char)*p;
    size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

    if (lead < 0x80)
        return 1;
    if (n > left || !str_is_utf8((struct str){ p, n }))
        return 0;
    return n;
}

/* One unit of the spelling (a character or an escape) of id at *at; its length. */
static size_t next_unit(struct str id, size_t *at, char unit[4])
{
    const char *p = id.p + *at;
    size_t n = character_len(p, id.len - *at);

    if (n == 0 || must_escape((unsigned char)*p, *at == 0)) {
        unit[0] = '%';
        unit[1] = hex_upper[(unsigned char)*p >> 4];
        unit[2] = hex_upper[(unsigned char)*p & 15];
        *at += 1;
        return 3;
    }
    memcpy(unit, p, n);
    *at += n;
    return n;
}

static size_t add_hash(char *ret, size_t len, struct str id)
{
    static const char hex_lower[] = "0123456789abcdef";
    unsigned char hash[32];

    digest_sha256(id, hash);
    ret[len++] = '%';
    ret[len++] = '~';
    for (size_t i = 0; i < HASH_BYTES; i++) {
        ret[len++] = hex_lower[hash[i] >> 4];
        ret[len++] = hex_lower[hash[i] & 15];
    }
    ret[len] = '\0';
    return len;
}

size_t name_from_id(char ret[NAME_MAX_BYTES + 1], struct str id)
{
    size_t len = 0, cut = 0;

    if (copy_plain(ret, id))
        return id.len;
    if (id.len == 0)
        ret[len++] = '%';
    for (size_t at = 0; at < id.len;) {
        char unit[4];
        size_t n = next_unit(id, &at, unit);

        if (len + n > NAME_MAX_BYTES)
            return add_hash(ret, cut, id);
        memcpy(ret + len, unit, n);
        len += n;
        if (len <= NAME_CUT_BYTES)
            cut = len;
    }
    ret[len] = '\0';
    return len;
}

static int hex_digit(char c, const char *digits)
{
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

static bool has_hash_shape(struct str name)
{
    size_t tail = 2 + 2 * HASH_BYTES;
    const char *p;

    if (name.len < tail || name.len > NAME_CUT_BYTES + tail)
        return false;
    p = name.p + name.len - tail;
    if (p[0] != '%' || p[1] != '~')
        return false;
    for (size_t i = 2; i < tail; i++)
        if (hex_digit(p[i], "0123456789abcdef") < 0)
            return false;
    return true;
}

static bool decode(struct buf *ret, struct str name)
{
    if (name.len == 1 && name.p[0] == '%')
        return true;
    for (size_t i = 0; i < name.len; i++) {
        int high, low;

        if (name.p[i] != '%') {
            buf_add_ch(ret, name.p[i]);
            continue;
        }
        if (name.len - i < 3)
            return false;
        high = hex_digit(name.p[i + 1], hex_upper);
        low = hex_digit(name.p[i + 2], hex_upper);
        if (high < 0 || low < 0)
            return false;
        buf_add_ch(ret, (char)(high << 4 | low));
        i += 2;
    }
    return buf_err(ret) == OK;
}

enum name_kind name_to_id(struct buf *ret, struct str name)
{
    char again[NAME_MAX_BYTES + 1];
    size_t len;

    if (name.len == 0 || name.len > NAME_MAX_BYTES)
        return NAME_BAD;
    if (has_hash_shape(name))
        return NAME_SHORTENED;
    buf_clear(ret);
    if (copy_plain(again, name)) {
        buf_add(ret, name);
        return buf_err(ret) == OK ? NAME_PLAIN : NAME_BAD;
    }
    if (!decode(ret, name))
        return NAME_BAD;
    /* Exactly one spelling may resolve, or one directory would have two names (fuse facts D). */
    len = name_from_id(again, buf_str(ret));
    return str_eq((struct str){ again, len }, name) ? NAME_PLAIN : NAME_BAD;
}
