/* options: what the user said on the command line: one table that parses, checks ranges, gives the
 * defaults and prints --help. Every long option is also an -o word, so that fstab can use it.
 * Knows names and values; opens and resolves nothing.
 * Ownership: texts are borrowed from argv or belong to the options; options_fini frees.
 * Threads: private; passed down as const afterwards. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include "backend/base/buf.h"

enum option_kind {
    OPTION_FLAG,    /* bool: set when named */
    OPTION_UNFLAG,  /* bool: cleared when named (rw) */
    OPTION_TEXT,    /* const char * */
    OPTION_NUMBER,  /* int64_t */
    OPTION_SECONDS, /* int64_t milliseconds; "5", "0.5", "500ms", "2m", "1h" */
    OPTION_BYTES,   /* int64_t; "1048576", "64M", "1G" */
    OPTION_OCTAL,   /* int64_t */
    OPTION_LEVEL,   /* enum log_level */
    OPTION_KERNEL,  /* an -o word that is passed on to the mount */
    OPTION_IGNORED, /* an -o word of mount tables that means nothing to us */
};

/* Where an option may be said. */
enum option_place {
    PLACE_BOTH,
    PLACE_ARGUMENT, /* not as an -o word */
    PLACE_WORD,     /* only as an -o word */
};

struct option_row {
    const char *name; /* --name; as an -o word '_' and '-' are the same */
    char letter;      /* -f; 0 = none */
    enum option_kind kind;
    enum option_place place;
    size_t offset;     /* of the member of struct options */
    int64_t min, max;  /* of numbers, seconds (in ms), bytes, octals */
    const char *value; /* how help calls the value; NULL = takes none */
    const char *about; /* one line */
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

#define OPTION_ROWS_MAX 64

struct options {
    const char *source, *mountpoint;
    const char *hub, *connection, *connection_file, *project, *unmount;
    int64_t partitions; /* 0 = as host.json or the default says */
    int64_t ttl_ms, timeout_ms;
    int64_t connections;
    int64_t max_payload, max_memory;
    int64_t uid, gid; /* -1 = of this process */
    int64_t umask;
    int log_level;
    bool foreground, debug, read_only, no_purge, allow_tree_delete, allow_other, auto_unmount;
    bool all_hubs, allow_delete_hub;
    const char *http_url, *http_key_file;
    bool demo, help, version;
    struct buf kernel;           /* "noexec,noatime": words for the mount */
    struct buf words;            /* owns the texts of -o */
    bool given[OPTION_ROWS_MAX]; /* by row: said by the user */
};

void options_init(struct options *o); /* the defaults */
void options_fini(struct options *o);

/* False: *why holds one sentence, or several lines, without any value that may be a secret (exit
 * 1). */
MUST_CHECK bool options_parse(struct options *o, int argc, char **argv, struct buf *why);

/* Does this look like a key, signature or token? */
bool options_is_secret(const char *text);

/* A number in the unit of its row. */
void options_print_value(const struct option_row *row, int64_t v, struct buf *out);
void options_help(struct buf *out);
/* name, TAB, value, TAB, "option" or "default": the lines of .taskhubfs/config that options make.
 */
void options_print(const struct options *o, struct buf *out);

#endif
