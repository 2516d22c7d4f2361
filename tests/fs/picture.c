#include "tests/fs/picture.h"

#include "tests/fs/check.h"

void picture_draw(struct buf *out,
                  enum err (*picture)(const struct history *, const struct row *, ticks,
                                      struct buf *),
                  struct story *s, double now)
{
    assert_int_equal(history_link(s->h), OK);
    assert_int_equal(picture(s->h, &s->row, at(now), out), OK);
    assert_int_equal(buf_err(out), OK);
}

size_t count_of(struct str text, struct str part)
{
    size_t n = 0;

    for (size_t i = 0; i + part.len <= text.len; i++)
        n += str_starts(str_slice(text, i, text.len), part);
    return n;
}

static struct str element_name(struct str tag)
{
    size_t n = 0;

    while (n < tag.len && tag.p[n] != ' ' && tag.p[n] != '/')
        n++;
    return str_slice(tag, 0, n);
}

/* Attributes are name="value", and no value holds a quote. */
static void expect_attributes(struct str tag)
{
    size_t quotes = 0;

    for (size_t i = 0; i < tag.len; i++) {
        quotes += tag.p[i] == '"';
        assert_true(tag.p[i] != '<' && tag.p[i] != '&');
    }
    assert_int_equal(quotes % 2, 0);
}

static void expect_entities(struct str text)
{
    static const char *const known[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#39;" };

    for (size_t i = 0; i < text.len; i++) {
        bool ok = text.p[i] != '&';

        for (size_t k = 0; !ok && k < ARRAY_LEN(known); k++)
            ok = str_starts(str_slice(text, i, text.len), str_c(known[k]));
        assert_true(ok);
    }
}

size_t expect_well_formed(struct str xml)
{
    struct str open[32];
    size_t depth = 0, elements = 0;

    assert_true(str_is_utf8(xml));
    assert_false(str_has(xml, STR("\xef\xbf\xbf")));
    for (size_t i = 0; i < xml.len; i++)
        assert_true((unsigned char)xml.p[i] >= 0x20 || xml.p[i] == '\n');
    while (xml.len > 0) {
        struct str text = str_cut(&xml, '<'), tag;

        expect_entities(text);
        if (xml.len == 0)
            break;
        tag = str_cut(&xml, '>');
        if (str_starts(tag, STR("/"))) {
            assert_true(depth > 0);
            assert_true(str_eq(open[--depth], str_slice(tag, 1, tag.len)));
            continue;
        }
        expect_attributes(tag);
        elements++;
        if (str_ends(tag, STR("/")))
            continue;
        assert_true(depth < ARRAY_LEN(open));
        open[depth++] = element_name(tag);
    }
    assert_int_equal(depth, 0);
    return elements;
}
