#include "fs/columns.h"

struct range {
    uint32_t first, last;
};

static const struct range wide[] = {
    { 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x23e9, 0x23ec },   { 0x2614, 0x2615 },
    { 0x26a1, 0x26a1 },   { 0x26bd, 0x26be },   { 0x2705, 0x2705 },   { 0x274c, 0x274e },
    { 0x2753, 0x2757 },   { 0x2795, 0x2797 },   { 0x2b50, 0x2b55 },   { 0x2e80, 0x303e },
    { 0x3041, 0xa4cf },   { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
    { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x16fe0, 0x18cff },
    { 0x1b000, 0x1b2ff }, { 0x1f18e, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f64f },
    { 0x1f680, 0x1f6ff }, { 0x1f7e0, 0x1f7f0 }, { 0x1f900, 0x1f9ff }, { 0x1fa70, 0x1faff },
    { 0x20000, 0x3fffd },
};

static const struct range none[] = {
    { 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a },
    { 0x064b, 0x065f }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f },
    { 0x202a, 0x202e }, { 0x2060, 0x2064 }, { 0x2066, 0x206f }, { 0x20d0, 0x20f0 },
    { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0xe0000, 0xe01ef },
};

static bool in_ranges(const struct range *ranges, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n && ranges[i].first <= c; i++)
        if (c <= ranges[i].last)
            return true;
    return false;
}

/* The character at the beginning of s: its bytes, and its columns. */
static size_t next_char(struct str s, size_t *ret_columns)
{
    uint32_t c;
    size_t n = str_utf8_at(s, &c);

    *ret_columns = 1;
    if (n == 0)
        return 1;
    if (in_ranges(wide, ARRAY_LEN(wide), c))
        *ret_columns = 2;
    else if (in_ranges(none, ARRAY_LEN(none), c))
        *ret_columns = 0;
    return n;
}

/* How many bytes fit into width columns. */
static size_t fitting(struct str s, size_t width, size_t *ret_columns)
{
    size_t at = 0, columns = 0, c;

    while (at < s.len) {
        size_t n = next_char(str_slice(s, at, s.len), &c);

        if (columns + c > width)
            break;
        columns += c;
        at += n;
    }
    *ret_columns = columns;
    return at;
}

size_t columns_of(struct str s)
{
    size_t columns;

    (void)fitting(s, SIZE_MAX / 2, &columns);
    return columns;
}

size_t columns_add(struct buf *out, struct str s, size_t width)
{
    size_t columns, n = fitting(s, width, &columns);

    if (n == s.len || width == 0) {
        buf_add(out, str_slice(s, 0, n));
        return columns;
    }
    n = fitting(s, width - 1, &columns);
    buf_add(out, str_slice(s, 0, n));
    buf_add_c(out, "…");
    return columns + 1;
}

static void add_blanks(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_add_ch(out, ' ');
}

void columns_add_left(struct buf *out, struct str s, size_t width)
{
    size_t used = columns_add(out, s, width);

    add_blanks(out, width - used);
}

void columns_add_right(struct buf *out, struct str s, size_t width)
{
    size_t used = columns_of(s);

    add_blanks(out, used < width ? width - used : 0);
    (void)columns_add(out, s, width);
}
