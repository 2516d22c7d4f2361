#include "backend/base/json.h"

#include <stdarg.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "backend/base/jsonread.h"

#define EXACT_MAX                                                                                  \
    9007199254740992.0 /* 2^53: beyond it a double no longer tells neighbours apart                \
                        */

static cJSON *tree(const struct json *j)
{
    return (cJSON *)(uintptr_t)j;
}

static struct json *from_tree(const cJSON *j)
{
    return (struct json *)(uintptr_t)j;
}

/* From an opening quote to behind the closing one. */
static size_t string_end(const char *p, size_t i, size_t len)
{
    for (i++; i < len && p[i] != '"'; i++)
        if (p[i] == '\\')
            i++;
    return i < len ? i + 1 : len;
}

/* The end of a comment that begins at i; i itself when none begins or it does not end. */
static size_t comment_end(const char *p, size_t i, size_t len)
{
    if (p[i] != '/' || i + 1 >= len)
        return i;
    if (p[i + 1] == '/') {
        const char *newline = memchr(p + i, '\n', len - i);
        return newline ? (size_t)(newline - p) : len;
    }
    if (p[i + 1] != '*')
        return i;
    const char *close = memmem(p + i + 2, len - i - 2, "*/", 2);
    return close ? (size_t)(close - p) + 2 : i;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* What the last characters that are neither white space nor comment were. */
struct trail {
    size_t last, before; /* positions + 1; 0 = none */
};

static bool comma_is_extra(const char *p, const struct trail *t)
{
    return t->last && p[t->last - 1] == ',' && t->before && !strchr("[{,:", p[t->before - 1]);
}

/* Turns in place what configuration files may hold beyond JSON into blanks: a byte order mark,
 * comments, a comma before a closing bracket. */
static void blank_extras(char *p, size_t len)
{
    struct trail t = { 0, 0 };
    size_t i = 0;
    if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        memset(p, ' ', 3);
    while (i < len) {
        size_t end = comment_end(p, i, len);
        if (end > i) {
            memset(p + i, ' ', end - i);
            i = end;
            continue;
        }
        if (is_blank(p[i])) {
            i++;
            continue;
        }
        if ((p[i] == ']' || p[i] == '}') && comma_is_extra(p, &t))
            p[t.last - 1] = ' ';
        end = p[i] == '"' ? string_end(p, i, len) : i + 1;
        t = (struct trail){ end, t.last };
        i = end;
    }
}

/* cJSON would cut a text there, and half a setting is none. */
static bool has_nul(struct str text)
{
    const char *p = text.p, *end = text.p + text.len;
    while ((p = memmem(p, (size_t)(end - p), "\\u0000", 6))) {
        size_t slashes = 1;
        while (p - slashes >= text.p && p[-(ptrdiff_t)slashes] == '\\')
            slashes++;
        if (slashes % 2)
            return true;
        p++;
    }
    return false;
}

struct json *json_parse(struct str document)
{
    char *copy = str_dup_c(document);
    if (!copy)
        return NULL;
    blank_extras(copy, document.len);
    cJSON *root = NULL;
    struct str text = { copy, document.len };
    if (json_valid(text) && !has_nul(text)) /* cJSON alone takes 007 and the like */
        root = cJSON_ParseWithLength(copy, document.len);
    explicit_bzero(copy, document.len);
    free(copy);
    return from_tree(root);
}

/* No deeper than json_valid lets a document be. */
static void wipe(cJSON *j)
{
    for (; j; j = j->next) {
        if (j->valuestring)
            explicit_bzero(j->valuestring, strlen(j->valuestring));
        wipe(j->child);
    }
}

struct json *json_free(struct json *j)
{
    wipe(tree(j));
    cJSON_Delete(tree(j));
    return NULL;
}

const struct json *json_member(const struct json *object, const char *name)
{
    if (!json_is_object(object))
        return NULL;
    return from_tree(cJSON_GetObjectItemCaseSensitive(tree(object), name));
}

const struct json *json_member_nocase(const struct json *object, const char *name)
{
    if (!json_is_object(object))
        return NULL;
    return from_tree(cJSON_GetObjectItem(tree(object), name));
}

const struct json *json_path(const struct json *j, ...)
{
    va_list names;
    const char *name;
    va_start(names, j);
    while (j && (name = va_arg(names, const char *)))
        j = json_member_nocase(j, name);
    va_end(names);
    return j;
}

bool json_is_object(const struct json *j)
{
    return cJSON_IsObject(tree(j));
}

bool json_get_str(const struct json *j, struct str *ret)
{
    if (!cJSON_IsString(tree(j)))
        return false;
    *ret = str_c(tree(j)->valuestring);
    return true;
}

bool json_get_i64(const struct json *j, int64_t *ret)
{
    struct str digits;
    if (json_get_str(j, &digits))
        return str_to_i64(digits, ret);
    if (!cJSON_IsNumber(tree(j)))
        return false;
    double v = tree(j)->valuedouble;
    if (!(v > -EXACT_MAX && v < EXACT_MAX) || v != (double)(int64_t)v)
        return false;
    *ret = (int64_t)v;
    return true;
}

bool json_get_bool(const struct json *j, bool *ret)
{
    if (!cJSON_IsBool(tree(j)))
        return false;
    *ret = cJSON_IsTrue(tree(j));
    return true;
}

const struct json *json_first(const struct json *object)
{
    return json_is_object(object) ? from_tree(tree(object)->child) : NULL;
}

const struct json *json_next(const struct json *member)
{
    return member ? from_tree(tree(member)->next) : NULL;
}

struct str json_name(const struct json *member)
{
    return member ? str_c(tree(member)->string) : STR_NONE;
}
