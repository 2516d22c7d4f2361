#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "fs/options.h"

#define WORDS_MAX_BYTES (16 * KIB) /* all -o texts; the kernel's own limit is a page */
#define GIB_BYTES       (INT64_C(1) << 30)
#define NEAR_MAX        3 /* letters that a misspelt name may differ in */
#define NAME_LONGEST    48

void options_init(struct options *o)
{
    *o = (struct options){ .ttl_ms = TTL_LIST_MS,
                           .timeout_ms = CALL_TIMEOUT_MS,
                           .connections = CONNECTIONS_MAX,
                           .max_payload = PAYLOAD_MAX_BYTES,
                           .max_memory = CACHE_MAX_BYTES,
                           .uid = -1,
                           .gid = -1,
                           .log_level = LOG_LEVEL_WARNING };
    buf_init(&o->kernel, KIB);
    buf_init(&o->words, WORDS_MAX_BYTES);
}

void options_fini(struct options *o)
{
    buf_fini(&o->kernel);
    buf_fini(&o->words);
}

/* -- names -- */

static bool same_name(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (a.p[i] != b.p[i] && !(strchr("-_", a.p[i]) && strchr("-_", b.p[i])))
            return false;
    return true;
}

static const struct option_row *find_row(struct str name)
{
    for (size_t i = 0; i < option_row_count; i++)
        if (same_name(name, str_c(option_rows[i].name)))
            return &option_rows[i];
    return NULL;
}

static const struct option_row *find_letter(char letter)
{
    for (size_t i = 0; i < option_row_count; i++)
        if (letter && option_rows[i].letter == letter)
            return &option_rows[i];
    return NULL;
}

/* Levenshtein distance; names are short, so one row of numbers is enough. */
static size_t distance(struct str a, struct str b)
{
    size_t row[NAME_LONGEST + 1];

    if (a.len > NAME_LONGEST || b.len > NAME_LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t up = row[j];
            size_t best = diagonal + (a.p[i - 1] != b.p[j - 1]);

            best = best < up + 1 ? best : up + 1;
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            diagonal = up;
        }
    }
    return row[b.len];
}

const char *options_nearest(const char *name)
{
    const char *nearest = NULL;
    size_t best = NEAR_MAX + 1;

    for (size_t i = 0; i < option_row_count; i++) {
        size_t d = distance(str_c(name), str_c(option_rows[i].name));

        if (d < best && d < strlen(option_rows[i].name)) {
            best = d;
            nearest = option_rows[i].name;
        }
    }
    return nearest;
}

bool options_is_secret(const char *text)
{
    static const char *const marks[] = { "AccountKey=", "SharedAccessSignature=", "sig=",
                                         "code=",       "x-functions-key",        "Bearer ",
                                         "SharedKey " };

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strcasestr(text, marks[i]))
            return true;
    return false;
}

/* -- values -- */

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

static bool set(struct options *o, const struct option_row *row, const char *text, struct buf *why)
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

/* -- the command line -- */

/* Copied from the argument to the options, which own it: -o words are cut out of their list. */
static const char *keep(struct options *o, struct str s)
{
    size_t at = o->words.len;

    if (s.len + 1 > o->words.max - at || !o->words.p)
        return NULL;
    buf_add(&o->words, s);
    buf_add_ch(&o->words, '\0');
    return o->words.p + at;
}

static bool unknown(struct buf *why, const char *dashes, struct str name)
{
    char text[NAME_LONGEST + 1];
    size_t len = name.len < NAME_LONGEST ? name.len : NAME_LONGEST;

    memcpy(text, name.p, len);
    text[len] = '\0';
    const char *near = options_nearest(text);
    buf_printf(why, "there is no option %s%s", dashes, text);
    if (near)
        buf_printf(why, "; did you mean %s%s?", dashes, near);
    else
        buf_add_c(why, "; --help lists them all");
    return false;
}

static bool is_for_others(struct str word)
{
    return str_starts(word, STR("x-")) || str_starts(word, STR("comment=")) ||
           str_starts(word, STR("X-"));
}

static bool check_value(const struct option_row *row, bool has_value, struct buf *why)
{
    if (row->value && !has_value)
        buf_printf(why, "option %s: needs a value (%s)", row->name, row->value);
    else if (!row->value && has_value)
        buf_printf(why, "option %s: takes no value", row->name);
    else
        return true;
    return false;
}

/* One word of -o: NAME or NAME=VALUE. */
static bool parse_word(struct options *o, struct str word, struct buf *why)
{
    struct str value = word;
    struct str name = str_cut(&value, '=');
    bool has_value = value.p != NULL;

    if (word.len == 0 || is_for_others(word))
        return true;
    const struct option_row *row = find_row(name);
    if (!row || row->place == PLACE_ARGUMENT)
        return unknown(why, "-o ", name);
    if (!check_value(row, has_value, why))
        return false;
    const char *text = keep(o, value);
    if (!text) {
        buf_add_c(why, "the -o words are too long");
        return false;
    }
    return set(o, row, text, why);
}

static bool parse_words(struct options *o, const char *list, struct buf *why)
{
    struct str rest = str_c(list);

    while (rest.len)
        if (!parse_word(o, str_cut(&rest, ','), why))
            return false;
    return true;
}

struct args {
    char **at; /* the next one */
    char **end;
};

static const char *next_arg(struct args *a)
{
    return a->at < a->end ? *a->at++ : NULL;
}

static bool parse_long(struct options *o, const char *arg, struct args *a, struct buf *why)
{
    struct str rest = str_c(arg + 2);
    struct str name = str_cut(&rest, '=');
    const struct option_row *row = find_row(name);
    const char *value = rest.p;

    if (!row || row->place == PLACE_WORD)
        return unknown(why, "--", name);
    if (row->value && !value)
        value = next_arg(a);
    if (!check_value(row, value != NULL, why))
        return false;
    return set(o, row, value, why);
}

/* -f, -fd, -o words, -owords */
static bool parse_letters(struct options *o, const char *arg, struct args *a, struct buf *why)
{
    for (const char *p = arg + 1; *p; p++) {
        const struct option_row *row = find_letter(*p);
        bool wants = *p == 'o' || (row && row->value);
        const char *value = !wants ? NULL : p[1] ? p + 1 : next_arg(a);

        if (*p != 'o' && !row)
            return unknown(why, "-", (struct str){ p, 1 });
        if (wants && !value) {
            buf_printf(why, "option -%c: needs a value", *p);
            return false;
        }
        if (!(*p == 'o' ? parse_words(o, value, why) : set(o, row, value, why)))
            return false;
        if (wants)
            return true;
    }
    return true;
}

static bool refuse_secret(struct buf *why)
{
    buf_add_c(why,
              "an argument looks like a key, signature or token; arguments can be read by every "
              "user of this machine, so nothing was done. Put the connection string into an "
              "environment variable or into local.settings.json, and say only its name: "
              "--connection=NAME; or into a file that only you can read: --connection-file=FILE");
    return false;
}

static bool set_places(struct options *o, const char **places, size_t n, struct buf *why)
{
    if (o->help || o->version || o->unmount)
        return true;
    if (n == 0) {
        buf_add_c(why, "MOUNTPOINT is missing: taskhubfs [OPTIONS] [SOURCE] MOUNTPOINT");
        return false;
    }
    o->mountpoint = places[n - 1];
    o->source = n == 2 ? places[0] : NULL;
    return true;
}

static bool check_hubs(const struct options *o, struct buf *why)
{
    size_t len = o->source ? strlen(o->source) : 0;
    bool is_account = len && o->source[len - 1] == '/';

    if ((o->all_hubs || is_account) && o->hub)
        buf_printf(why, "all hubs of the account and --hub=%s contradict each other", o->hub);
    else if (o->all_hubs && len && !is_account)
        buf_printf(why, "--all-hubs and SOURCE '%s' contradict each other: give ACCOUNT/",
                   o->source);
    else if (o->allow_delete_hub && o->read_only)
        buf_add_c(why, "-o ro and --allow-delete-hub contradict each other");
    else if (o->allow_delete_hub && !o->all_hubs && !is_account)
        buf_add_c(why, "--allow-delete-hub is for a mount of all hubs: add --all-hubs, or give "
                       "ACCOUNT/ as SOURCE");
    else
        return true;
    return false;
}

/* An address and nothing else: what follows it is made here, and a user in it could be a secret. */
static bool is_http_url(const char *url)
{
    bool http = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;

    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("?#@\"\\", *p))
            return false;
    return http && strchr(url, '/')[2] != '\0' && strchr(url, '/')[2] != '/';
}

static bool check_http(const struct options *o, struct buf *why)
{
    if (o->http_url && !is_http_url(o->http_url))
        buf_add_c(why,
                  "option http-url: the address of the app, http:// or https://, without user, "
                  "query and fragment (as http://localhost:7071)");
    else if (o->http_key_file && !o->http_url)
        buf_add_c(why, "--http-key-file is of use with --http-url only");
    else
        return true;
    return false;
}

static bool check_together(const struct options *o, struct buf *why)
{
    if (o->demo && (o->connection || o->connection_file || o->project)) {
        buf_add_c(why, "--demo has no account: it cannot be combined with --connection, "
                       "--connection-file or --project");
        return false;
    }
    if (o->connection && o->connection_file) {
        buf_add_c(why, "--connection and --connection-file contradict each other: give one");
        return false;
    }
    if (o->source && o->hub && !strchr(o->source, '/') && strcmp(o->source, o->hub) != 0) {
        buf_printf(why, "SOURCE says hub '%s' and --hub says '%s': give one", o->source, o->hub);
        return false;
    }
    if (!check_hubs(o, why) || !check_http(o, why))
        return false;
    if (o->read_only && o->allow_tree_delete) {
        buf_add_c(why, "-o ro and --allow-tree-delete contradict each other");
        return false;
    }
    if (o->no_purge && o->allow_tree_delete) {
        buf_add_c(why, "--no-purge and --allow-tree-delete contradict each other");
        return false;
    }
    return true;
}

static bool parse_all(struct options *o, struct args *a, const char **places, size_t *n,
                      struct buf *why)
{
    bool only_places = false;
    const char *arg;

    while ((arg = next_arg(a))) {
        if (only_places || arg[0] != '-' || !arg[1]) {
            if (*n == 2) {
                buf_printf(why,
                           "'%s' is one argument too many: taskhubfs [OPTIONS] [SOURCE] "
                           "MOUNTPOINT",
                           arg);
                return false;
            }
            places[(*n)++] = arg;
        } else if (strcmp(arg, "--") == 0) {
            only_places = true;
        } else if (!(arg[1] == '-' ? parse_long(o, arg, a, why) : parse_letters(o, arg, a, why))) {
            return false;
        }
    }
    return true;
}

bool options_parse(struct options *o, int argc, char **argv, struct buf *why)
{
    const char *places[2] = { NULL, NULL };
    struct args a = { argv + 1, argv + argc };
    size_t n = 0;

    /* The texts are pointed to, so their memory must not move: all of it at once. */
    if (!buf_space(&o->words, WORDS_MAX_BYTES)) {
        buf_add_c(why, "out of memory");
        return false;
    }
    for (int i = 1; i < argc; i++)
        if (options_is_secret(argv[i]))
            return refuse_secret(why);
    if (!parse_all(o, &a, places, &n, why))
        return false;
    o->foreground |= o->debug;
    return set_places(o, places, n, why) && check_together(o, why);
}
