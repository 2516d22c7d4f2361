#include <stddef.h>

#include "backend/base/limits.h"
#include "fs/options.h"

#define DAY_MS    (INT64_C(86400) * 1000)
#define GIB_BYTES (INT64_C(1) << 30)

#define AT(member) offsetof(struct options, member)

const struct option_row option_rows[] = {
    { .name = "hub",
      .kind = OPTION_TEXT,
      .offset = AT(hub),
      .value = "NAME",
      .about = "the task hub (default: SOURCE, or what the project says)" },
    { .name = "all-hubs",
      .kind = OPTION_FLAG,
      .offset = AT(all_hubs),
      .about = "mount every hub of the account side by side" },
    { .name = "connection",
      .kind = OPTION_TEXT,
      .offset = AT(connection),
      .value = "NAME",
      .about = "name of the setting or environment variable that holds the connection string "
               "(default AzureWebJobsStorage)" },
    { .name = "connection-file",
      .kind = OPTION_TEXT,
      .offset = AT(connection_file),
      .value = "FILE",
      .about = "file with the connection string, which only its owner can read" },
    { .name = "project",
      .kind = OPTION_TEXT,
      .offset = AT(project),
      .value = "DIR",
      .about = "directory of the Functions project (host.json, local.settings.json)" },
    { .name = "partitions",
      .kind = OPTION_NUMBER,
      .offset = AT(partitions),
      .min = 1,
      .max = 16,
      .value = "N",
      .about = "number of control queues, if it cannot be found out" },
    { .name = "http-url",
      .kind = OPTION_TEXT,
      .offset = AT(http_url),
      .value = "URL",
      .about = "the app's address, for the file urls of an instance" },
    { .name = "http-key-file",
      .kind = OPTION_TEXT,
      .offset = AT(http_key_file),
      .value = "FILE",
      .about = "file with the app's system key, for the same" },
    { .name = "demo",
      .kind = OPTION_FLAG,
      .offset = AT(demo),
      .about = "mount a made-up hub in memory, to look around" },
    { .name = "cache-ttl",
      .kind = OPTION_SECONDS,
      .offset = AT(ttl_ms),
      .min = 0,
      .max = DAY_MS,
      .value = "SECONDS",
      .about = "how old a listing may be when it is opened (default 5)" },
    { .name = "timeout",
      .kind = OPTION_SECONDS,
      .offset = AT(timeout_ms),
      .min = 1000,
      .max = 3600000,
      .value = "SECONDS",
      .about = "time limit of one file operation (default 30)" },
    { .name = "connections",
      .kind = OPTION_NUMBER,
      .offset = AT(connections),
      .min = 1,
      .max = 64,
      .value = "N",
      .about = "connections to each service at once (default 16)" },
    { .name = "max-payload",
      .kind = OPTION_BYTES,
      .offset = AT(max_payload),
      .min = KIB,
      .max = GIB_BYTES,
      .value = "BYTES",
      .about = "largest payload that is read (default 64M)" },
    { .name = "max-memory",
      .kind = OPTION_BYTES,
      .offset = AT(max_memory),
      .min = 16 * MIB,
      .max = 64 * GIB_BYTES,
      .value = "BYTES",
      .about = "memory for caches (default 512M)" },
    { .name = "ro",
      .kind = OPTION_FLAG,
      .place = PLACE_WORD,
      .offset = AT(read_only),
      .about = "read only: nothing is sent or purged" },
    { .name = "rw",
      .kind = OPTION_UNFLAG,
      .place = PLACE_WORD,
      .offset = AT(read_only),
      .about = "read and write (default)" },
    { .name = "no-purge",
      .kind = OPTION_FLAG,
      .offset = AT(no_purge),
      .about = "rmdir and rm -r of instances are refused" },
    { .name = "allow-tree-delete",
      .kind = OPTION_FLAG,
      .offset = AT(allow_tree_delete),
      .about = "allow a recursive delete that begins above the instances" },
    { .name = "allow-delete-hub",
      .kind = OPTION_FLAG,
      .offset = AT(allow_delete_hub),
      .about = "rmdir of a hub deletes it, if nobody needs it any more" },
    { .name = "allow-other",
      .kind = OPTION_FLAG,
      .offset = AT(allow_other),
      .about = "let other users in, with modes and owners checked" },
    { .name = "auto-unmount",
      .kind = OPTION_FLAG,
      .offset = AT(auto_unmount),
      .about = "unmount even if this program is killed" },
    { .name = "uid",
      .kind = OPTION_NUMBER,
      .offset = AT(uid),
      .min = 0,
      .max = UINT32_MAX - 1,
      .value = "N",
      .about = "owner of all files (default: who mounts)" },
    { .name = "gid",
      .kind = OPTION_NUMBER,
      .offset = AT(gid),
      .min = 0,
      .max = UINT32_MAX - 1,
      .value = "N",
      .about = "group of all files (default: who mounts)" },
    { .name = "umask",
      .kind = OPTION_OCTAL,
      .offset = AT(umask),
      .min = 0,
      .max = 0777,
      .value = "OCTAL",
      .about = "permission bits taken off all files (default 000)" },
    { .name = "log-level",
      .kind = OPTION_LEVEL,
      .offset = AT(log_level),
      .value = "LEVEL",
      .about = "error, warning, info or debug (default warning)" },
    { .name = "foreground",
      .letter = 'f',
      .kind = OPTION_FLAG,
      .place = PLACE_ARGUMENT,
      .offset = AT(foreground),
      .about = "stay in the foreground, log to stderr" },
    { .name = "debug",
      .letter = 'd',
      .kind = OPTION_FLAG,
      .offset = AT(debug),
      .about = "the same, and show what the kernel asks" },
    { .name = "unmount",
      .letter = 'u',
      .kind = OPTION_TEXT,
      .place = PLACE_ARGUMENT,
      .offset = AT(unmount),
      .value = "MOUNTPOINT",
      .about = "unmount and end" },
    { .name = "help",
      .letter = 'h',
      .kind = OPTION_FLAG,
      .place = PLACE_ARGUMENT,
      .offset = AT(help),
      .about = "show this and end" },
    { .name = "version",
      .letter = 'V',
      .kind = OPTION_FLAG,
      .place = PLACE_ARGUMENT,
      .offset = AT(version),
      .about = "show the version and end" },
    /* Words that mount(8) hands on and the kernel understands. */
    { .name = "exec", .kind = OPTION_KERNEL, .place = PLACE_WORD },
    { .name = "noexec", .kind = OPTION_KERNEL, .place = PLACE_WORD },
    { .name = "nosuid", .kind = OPTION_KERNEL, .place = PLACE_WORD },
    { .name = "nodev", .kind = OPTION_KERNEL, .place = PLACE_WORD },
    { .name = "sync", .kind = OPTION_KERNEL, .place = PLACE_WORD },
    { .name = "async", .kind = OPTION_KERNEL, .place = PLACE_WORD },
    { .name = "dirsync", .kind = OPTION_KERNEL, .place = PLACE_WORD },
    { .name = "atime", .kind = OPTION_KERNEL, .place = PLACE_WORD },
    { .name = "noatime", .kind = OPTION_KERNEL, .place = PLACE_WORD },
    { .name = "nodiratime", .kind = OPTION_KERNEL, .place = PLACE_WORD },
    /* Words of mount tables that are for others (B57). */
    { .name = "suid", .kind = OPTION_IGNORED, .place = PLACE_WORD }, /* no file here is a program */
    { .name = "dev", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "_netdev", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "nofail", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "noauto", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "auto", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "user", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "users", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "nouser", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "owner", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "group", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "defaults", .kind = OPTION_IGNORED, .place = PLACE_WORD },
    { .name = "relatime", .kind = OPTION_IGNORED, .place = PLACE_WORD },
};

const size_t option_row_count = ARRAY_LEN(option_rows);

_Static_assert(ARRAY_LEN(option_rows) <= OPTION_ROWS_MAX, "given has room for every row");

void options_print_value(const struct option_row *row, int64_t v, struct buf *out)
{
    if (row->kind == OPTION_SECONDS && v % 1000)
        buf_printf(out, "%lld ms", (long long)v);
    else if (row->kind == OPTION_SECONDS)
        buf_printf(out, "%lld", (long long)(v / 1000));
    else if (row->kind == OPTION_OCTAL)
        buf_printf(out, "%03llo", (unsigned long long)v);
    else
        buf_printf(out, "%lld", (long long)v);
}

/* -- what is shown -- */

static void help_row(const struct option_row *row, struct buf *out)
{
    CLEANUP_BUF struct buf left = BUF_INIT(KIB);

    if (row->letter)
        buf_printf(&left, "-%c, ", row->letter);
    buf_printf(&left, row->place == PLACE_WORD ? "-o %s" : "--%s", row->name);
    if (row->value)
        buf_printf(&left, "=%s", row->value);
    buf_printf(out, "  %-26s %s\n", buf_c(&left), row->about);
}

void options_help(struct buf *out)
{
    buf_add_c(out,
              "usage: taskhubfs [OPTIONS] [SOURCE] MOUNTPOINT\n"
              "Mounts a Durable Functions task hub as files.\n\n"
              "SOURCE is HUB, ACCOUNT/HUB or azurite/HUB; ACCOUNT/ and azurite/ are all hubs of "
              "an account.\nWithout it the project in or above the current directory says "
              "which. Options of the\nmount can also be given as -o NAME[=VALUE], as in "
              "fstab.\n\n");
    for (size_t i = 0; i < option_row_count; i++)
        if (option_rows[i].about)
            help_row(&option_rows[i], out);
    buf_add_c(out, "\nexit status: 0 ended or unmounted, 1 usage, 2 system, 10 no such hub, 11 "
                   "unreachable,\n12 access refused, 13 configuration, 14 mount point.\n");
}

static const char *level_name(int level)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };

    return (size_t)level < ARRAY_LEN(names) ? names[level] : "?";
}

static void print_row(const struct options *o, const struct option_row *row, struct buf *out)
{
    const void *at = (const char *)o + row->offset;

    buf_printf(out, "%s\t", row->name);
    if (row->kind == OPTION_FLAG)
        buf_add_c(out, *(const bool *)at ? "yes" : "no");
    else if (row->kind == OPTION_TEXT)
        buf_add_c(out, *(const char *const *)at ? *(const char *const *)at : "");
    else if (row->kind == OPTION_LEVEL)
        buf_add_c(out, level_name(*(const int *)at));
    else
        options_print_value(row, *(const int64_t *)at, out);
    buf_printf(out, "\t%s\n", o->given[row - option_rows] ? "option" : "default");
}

void options_print(const struct options *o, struct buf *out)
{
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];

        /* Where the hub lives is told by who resolved it; the rest ends the program. */
        if (!row->about || row->kind == OPTION_UNFLAG || row->offset == AT(hub) ||
            row->offset == AT(connection) || row->offset == AT(connection_file) ||
            row->offset == AT(partitions) || row->offset == AT(help) ||
            row->offset == AT(version) || row->offset == AT(unmount))
            continue;
        print_row(o, row, out);
    }
}
