#include "fs/svg.h"

void svg_number(struct buf *out, double x)
{
    long tenths = (long)(x * 10 + 0.5);

    buf_printf(out, "%ld", tenths / 10);
    if (tenths % 10)
        buf_printf(out, ".%ld", tenths % 10);
}

void svg_attribute(struct buf *out, const char *name, double x)
{
    buf_printf(out, " %s=\"", name);
    svg_number(out, x);
    buf_add_ch(out, '"');
}

/* Of printable text, U+FFFE and U+FFFF are all that no XML document may have. */
void svg_escaped(struct buf *out, struct str s)
{
    size_t from = 0;

    for (size_t i = 0; i + 2 < s.len; i++) {
        const unsigned char *p = (const unsigned char *)s.p + i;

        if (p[0] != 0xef || p[1] != 0xbf || p[2] < 0xbe)
            continue;
        buf_add_xml(out, str_slice(s, from, i));
        buf_add_c(out, "\xef\xbf\xbd");
        from = i + 3;
    }
    buf_add_xml(out, str_slice(s, from, s.len));
}

void svg_text(struct buf *out, const char *class, const char *anchor, double x, double y,
              struct str text)
{
    if (text.len == 0)
        return;
    buf_printf(out, "<text class=\"%s\"", class);
    if (anchor)
        buf_printf(out, " text-anchor=\"%s\"", anchor);
    svg_attribute(out, "x", x);
    svg_attribute(out, "y", y);
    buf_add_ch(out, '>');
    svg_escaped(out, text);
    buf_add_c(out, "</text>\n");
}

void svg_rect(struct buf *out, const char *class, double x, double y, double width, double height)
{
    buf_printf(out, "<rect class=\"%s\"", class);
    svg_attribute(out, "x", x);
    svg_attribute(out, "y", y);
    svg_attribute(out, "width", width);
    svg_attribute(out, "height", height);
    buf_add_c(out, "/>\n");
}

void svg_line(struct buf *out, const char *class, double x, double y1, double y2)
{
    buf_printf(out, "<path class=\"%s\" d=\"M", class);
    svg_number(out, x);
    buf_add_ch(out, ' ');
    svg_number(out, y1);
    buf_add_ch(out, 'V');
    svg_number(out, y2);
    buf_add_c(out, "\"/>\n");
}

void svg_mark(struct buf *out, const char *class, double x, double y, const char *d)
{
    buf_printf(out, "<path class=\"%s\" transform=\"translate(", class);
    svg_number(out, x);
    buf_add_ch(out, ' ');
    svg_number(out, y);
    buf_printf(out, ")\" d=\"%s\"/>\n", d);
}
