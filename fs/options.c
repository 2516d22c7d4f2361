#include "fs/options.h"

#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "fs/option_conflicts.h"
#include "fs/option_names.h"
#include "fs/option_values.h"

#define WORDS_MAX_BYTES (16 * KIB) /* all -o texts; the kernel's own limit is a page */

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
    char text[OPTION_NAME_MAX + 1];
    size_t len = name.len < OPTION_NAME_MAX ? name.len : OPTION_NAME_MAX;

    memcpy(text, name.p, len);
    text[len] = '\0';
    const char *near = option_nearest(text);
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
    const struct option_row *row = option_named(name);
    if (!row || row->place == PLACE_ARGUMENT)
        return unknown(why, "-o ", name);
    if (!check_value(row, has_value, why))
        return false;
    const char *text = keep(o, value);
    if (!text) {
        buf_add_c(why, "the -o words are too long");
        return false;
    }
    return option_set(o, row, text, why);
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
    const struct option_row *row = option_named(name);
    const char *value = rest.p;

    if (!row || row->place == PLACE_WORD)
        return unknown(why, "--", name);
    if (row->value && !value)
        value = next_arg(a);
    if (!check_value(row, value != NULL, why))
        return false;
    return option_set(o, row, value, why);
}

/* -f, -fd, -o words, -owords */
static bool parse_letters(struct options *o, const char *arg, struct args *a, struct buf *why)
{
    for (const char *p = arg + 1; *p; p++) {
        const struct option_row *row = option_lettered(*p);
        bool wants = *p == 'o' || (row && row->value);
        const char *value = !wants ? NULL : p[1] ? p + 1 : next_arg(a);

        if (*p != 'o' && !row)
            return unknown(why, "-", (struct str){ p, 1 });
        if (wants && !value) {
            buf_printf(why, "option -%c: needs a value", *p);
            return false;
        }
        if (!(*p == 'o' ? parse_words(o, value, why) : option_set(o, row, value, why)))
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
    return set_places(o, places, n, why) && options_agree(o, why);
}
