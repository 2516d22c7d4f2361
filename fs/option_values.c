#include "fs/option_values.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "backend/base/limits.h"
#include "backend/base/log.h"

#define GIB_BYTES (INT64_C(1) << 30)

struct unit {
    const char *suffix;
    int64_t factor;
};

static bool parse_scaled(int64_t *ret, const char *text, const struct unit *units, size_t n)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    double v = strtod(text, &end);
    if (errno || v > 9e15 || memchr(text, 'x', (size_t)(end - text)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(end, units[i].suffix) == 0) {
            v *= (double)units[i].factor;
            *ret = v > 9e18 ? INT64_MAX : (int64_t)v;
            return true;
        }
    return false;
}

static bool parse_seconds(int64_t *ret, const char *text)
{
    static const struct unit units[] = {
        { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }
    };

    return parse_scaled(ret, text, units, ARRAY_LEN(units));
}

static bool parse_bytes(int64_t *ret, const char *text)
{
    static const struct unit units[] = { { "", 1 },           { "K", KIB },   { "KiB", KIB },
                                         { "M", MIB },        { "MiB", MIB }, { "G", GIB_BYTES },
                                         { "GiB", GIB_BYTES } };

    return parse_scaled(ret, text, units, ARRAY_LEN(units));
}

static bool parse_octal(int64_t *ret, const char *text)
{
    char *end;

    if (*text < '0' || *text > '7')
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 8);
    return !errno && *end == '\0';
}

static bool parse_number(const struct option_row *row, const char *text, int64_t *ret)
{
    if (row->kind == OPTION_SECONDS)
        return parse_seconds(ret, text);
    if (row->kind == OPTION_BYTES)
        return parse_bytes(ret, text);
    if (row->kind == OPTION_OCTAL)
        return parse_octal(ret, text);
    return str_to_i64(str_c(text), ret);
}

static bool set_number(struct options *o, const struct option_row *row, const char *text,
                       struct buf *why)
{
    int64_t v;

    if (!parse_number(row, text, &v) || v < row->min || v > row->max) {
        buf_printf(why, "option %s: '%s' is not between ", row->name, text);
        options_print_value(row, row->min, why);
        buf_add_c(why, " and ");
        options_print_value(row, row->max, why);
        return false;
    }
    *(int64_t *)((char *)o + row->offset) = v;
    return true;
}

static bool set_level(struct options *o, const struct option_row *row, const char *text,
                      struct buf *why)
{
    enum log_level level;

    if (!log_parse_level(&level, text)) {
        buf_printf(why, "option %s: '%s' is none of error, warning, info, debug", row->name, text);
        return false;
    }
    *(int *)((char *)o + row->offset) = (int)level;
    return true;
}

static bool set_text(struct options *o, const struct option_row *row, const char *text,
                     struct buf *why)
{
    if (!*text) {
        buf_printf(why, "option %s: needs a value (%s)", row->name, row->value);
        return false;
    }
    *(const char **)((char *)o + row->offset) = text;
    return true;
}

bool option_set(struct options *o, const struct option_row *row, const char *text, struct buf *why)
{
    o->given[row - option_rows] = true;
    switch (row->kind) {
    case OPTION_FLAG:
    case OPTION_UNFLAG:
        *(bool *)((char *)o + row->offset) = row->kind == OPTION_FLAG;
        return true;
    case OPTION_TEXT:
        return set_text(o, row, text, why);
    case OPTION_NUMBER:
    case OPTION_SECONDS:
    case OPTION_BYTES:
    case OPTION_OCTAL:
        return set_number(o, row, text, why);
    case OPTION_LEVEL:
        return set_level(o, row, text, why);
    case OPTION_KERNEL:
        if (o->kernel.len)
            buf_add_ch(&o->kernel, ',');
        buf_add_c(&o->kernel, row->name);
        return true;
    case OPTION_IGNORED:
        break;
    }
    return true;
}
