#include "backend/storage/columns.h"

/* Rows of a page have their columns in the same order, so the search begins behind the last find.
 */
static size_t column_find(const struct str *names, size_t n, struct str name, size_t from)
{
    for (size_t k = 0; k < n; k++) {
        size_t i = from + k < n ? from + k : from + k - n; /* from is n at most */

        if (names[i].len == name.len && memcmp(names[i].p, name.p, name.len) == 0)
            return i;
    }
    return n;
}

static void column_read(struct jsonread *r, struct column *c)
{
    switch (jsonread_peek(r)) {
    case JSON_STRING:
        if (jsonread_string(r, &c->text))
            c->kind = COLUMN_STRING;
        break;
    case JSON_NULL:
        jsonread_skip(r);
        c->kind = COLUMN_NULL;
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
        c->text = jsonread_raw(r);
        c->kind = COLUMN_OTHER;
        break;
    case JSON_END:
    case JSON_BAD:
        jsonread_skip(r);
        break;
    }
}

/* The next column that is wanted; the values of others are left for the reader to skip. */
static bool next_column(struct jsonread *r, const struct str *names, size_t n, size_t from,
                        size_t *ret)
{
    struct str name;

    /* Columns of a row come in the order in which they were asked for, so guessing is best. */
    if (from < n && jsonread_member_is(r, names[from])) {
        *ret = from;
        return true;
    }
    while (jsonread_member(r, &name)) {
        *ret = column_find(names, n, name, from);
        if (*ret < n)
            return true;
    }
    return false;
}

bool columns_read(struct jsonread *r, const struct str *names, struct column *ret, size_t n)
{
    size_t i = 0, from = 0;

    memset(ret, 0, n * sizeof(*ret));
    if (!jsonread_object(r))
        return false;
    while (next_column(r, names, n, from, &i)) {
        if (ret[i].kind != COLUMN_ABSENT)
            continue;
        column_read(r, &ret[i]);
        from = i + 1;
    }
    return jsonread_ok(r);
}

struct str column_str(const struct column *c)
{
    return c->kind == COLUMN_STRING ? c->text : STR_NONE;
}

struct str column_str_not_null(const struct column *c)
{
    struct str s = column_str(c);

    return str_eq(s, STR("null")) ? STR_NONE : s;
}

ticks column_time(const struct column *c)
{
    ticks t = TICKS_NONE;

    (void)ticks_parse(column_str(c), &t);
    return t;
}

int64_t column_i64(const struct column *c, int64_t otherwise)
{
    int64_t v = otherwise;

    if (c->kind == COLUMN_STRING || c->kind == COLUMN_OTHER)
        (void)str_to_i64(c->text, &v);
    return v;
}

bool column_bool(const struct column *c, bool otherwise)
{
    if (c->kind != COLUMN_OTHER)
        return otherwise;
    return str_eq(c->text, STR("true")) || (otherwise && !str_eq(c->text, STR("false")));
}

bool columns_page(struct jsonread *r)
{
    struct str name;

    if (!jsonread_object(r))
        return false;
    while (jsonread_member(r, &name)) {
        if (str_eq(name, STR("value")))
            return jsonread_array(r);
        jsonread_skip(r);
    }
    return false;
}

enum err columns_broken(const struct jsonread *r)
{
    return r->no_memory ? ERR_NO_MEMORY : ERR_BROKEN;
}

bool columns_page_end(struct jsonread *r)
{
    struct str name;

    while (jsonread_member(r, &name))
        jsonread_skip(r);
    return jsonread_done(r);
}
