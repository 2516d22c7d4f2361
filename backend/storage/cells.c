#include "backend/storage/cells.h"

#define CONTAINER_SUFFIX "-largemessages/"
#define BLOB_SUFFIX      ".json.gz"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f');
}

static struct str last_segment(struct str path)
{
    size_t at = path.len;

    while (at && path.p[at - 1] != '/')
        at--;
    return str_slice(path, at, path.len);
}

static bool ends_nocase(struct str s, struct str end)
{
    return s.len >= end.len && str_eq_nocase(str_slice(s, s.len - end.len, s.len), end);
}

bool cell_is_start_message(struct str blob_name)
{
    struct str file = last_segment(blob_name);

    return file.len >= 8 && str_eq_nocase(str_slice(file, 0, 8), STR("message-")) &&
           ends_nocase(file, STR("-ExecutionStarted.json.gz"));
}

bool cell_is_blob_name(struct str name)
{
    if (!name.len || memchr(name.p, 0, name.len))
        return false;
    for (;;) {
        const char *slash = memchr(name.p, '/', name.len);
        struct str segment = str_slice(name, 0, slash ? (size_t)(slash - name.p) : name.len);

        if (!segment.len || str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return false;
        if (!slash)
            return true;
        name = str_slice(name, segment.len + 1, name.len);
        if (!name.len)
            return false;
    }
}

/* Form E: {id}/message-{16 to 32 hex digits}-executionstarted.json.gz without a scheme. */
static bool is_start_name(struct str v)
{
    struct str file = last_segment(v);
    struct str tail = STR("-executionstarted.json.gz");
    struct str digits;

    if (v.len == file.len || str_has(v, STR("://")) || !cell_is_start_message(v) ||
        file.len < 8 + 16 + tail.len || file.len > 8 + 32 + tail.len || !cell_is_blob_name(v))
        return false;
    digits = str_slice(file, 8, file.len - tail.len);
    for (size_t i = 0; i < digits.len; i++)
        if (!is_hex(digits.p[i]))
            return false;
    return true;
}

/* Only characters that a percent-encoded path can hold, and every '%' begins an escape: then it was
 * encoded; 2.0 and 2.1 did not encode, and their paths are names as they stand. */
static bool is_encoded(struct str path)
{
    for (size_t i = 0; i < path.len; i++) {
        char c = path.p[i];

        if (c == '%') {
            if (i + 2 >= path.len || !is_hex(path.p[i + 1]) || !is_hex(path.p[i + 2]))
                return false;
        } else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-_.~@:?#&=+$,;!'()*[]/", c))) {
            return false;
        }
    }
    return true;
}

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(lower(c) - 'a' + 10);
}

/* False: an escape that must not be in a name (a slash, NUL), bytes that are not UTF-8, no memory.
 */
static bool decode(struct str path, struct arena *arena, struct str *ret)
{
    char *out = arena_bytes(arena, path.len + 1);
    size_t n = 0;

    if (!out)
        return false;
    for (size_t i = 0; i < path.len; i++) {
        char c = path.p[i];

        if (c == '%') {
            c = (char)(hex_value(path.p[i + 1]) << 4 | hex_value(path.p[i + 2]));
            i += 2;
            if (c == '/' || c == '\0')
                return false;
        }
        out[n++] = c;
    }
    *ret = (struct str){ out, n };
    return str_is_utf8(*ret);
}

/* Cuts scheme and authority off an http(s) URL; false for anything else, and for user info, query
 * and fragment, which no URL of the framework has. */
static bool url_path(struct str v, struct str *ret)
{
    size_t begin, slash;

    if (v.len > 8 && str_eq_nocase(str_slice(v, 0, 8), STR("https://")))
        begin = 8;
    else if (v.len > 7 && str_eq_nocase(str_slice(v, 0, 7), STR("http://")))
        begin = 7;
    else
        return false;
    if (memchr(v.p, '?', v.len) || memchr(v.p, '#', v.len))
        return false;
    for (slash = begin; slash < v.len && v.p[slash] != '/'; slash++)
        if (v.p[slash] == '@' || (unsigned char)v.p[slash] <= ' ')
            return false;
    if (slash == begin)
        return false;
    *ret = str_slice(v, slash, v.len);
    return ret->len > 0;
}

static bool strip(struct str *path, struct str prefix)
{
    if (!str_starts(*path, prefix))
        return false;
    *path = str_slice(*path, prefix.len, path->len);
    return true;
}

/* Strips "/{hub}-largemessages/"; false leaves the path as it was. */
static bool strip_container(struct str *path, const struct cell_place *place)
{
    struct str rest = *path;

    if (!strip(&rest, STR("/")) || !strip(&rest, place->hub_lower) ||
        !strip(&rest, STR(CONTAINER_SUFFIX)))
        return false;
    *path = rest;
    return true;
}

bool cell_blob_path(const struct cell_place *place, struct str text, struct arena *arena,
                    struct str *ret_name)
{
    struct str path, rest, name;

    if (!url_path(text, &path)) {
        if (!is_start_name(text))
            return false;
        *ret_name = text;
        return true;
    }
    if (!strip_container(&path, place)) {
        rest = path;
        if (!strip(&rest, STR("/")) || !strip(&rest, place->account) ||
            !strip_container(&rest, place))
            return false;
        path = rest;
    }
    if (!str_ends(path, STR(BLOB_SUFFIX)) || !memchr(path.p, '/', path.len))
        return false;
    name = path;
    if (is_encoded(path) && !decode(path, arena, &name))
        return false;
    if (!cell_is_blob_name(name))
        return false;
    *ret_name = name;
    return true;
}

static void cell_set_ref(struct cell *ret, struct str text, struct str name)
{
    *ret = (struct cell){ .kind = CELL_REF, .text = text, .ref = name };
}

void cell_of_instance(struct cell *ret, const struct cell_place *place, const struct column *value,
                      const struct column *blob_name, bool may_be_url, struct arena *arena)
{
    struct str text = column_str(value);
    struct str companion = column_str(blob_name);
    struct str name;

    *ret = (struct cell){ .kind = CELL_NONE };
    if (!text.len && companion.len)
        cell_set_ref(ret, text, companion);
    else if (text.len && may_be_url && cell_blob_path(place, text, arena, &name))
        cell_set_ref(ret, text, name);
    else if (value->kind == COLUMN_STRING)
        *ret = (struct cell){ .kind = CELL_TEXT, .text = text };
}

void cell_of_history(struct cell *ret, const struct column *value, const struct column *blob_name)
{
    struct str text = column_str(value);
    struct str companion = column_str(blob_name);

    *ret = (struct cell){ .kind = CELL_NONE };
    if (companion.len)
        cell_set_ref(ret, text, companion);
    else if (value->kind == COLUMN_STRING)
        *ret = (struct cell){ .kind = CELL_TEXT, .text = text };
}
