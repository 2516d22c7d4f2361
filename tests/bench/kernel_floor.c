/* kernel_floor: the same tree of instances, answered from arrays that were filled before the mount:
 * no file system behind FUSE can be faster.
 *   kernel_floor FILE MOUNTPOINT     FILE: "id<TAB>status<TAB>milliseconds" lines, ids ascending
 * Stays in the foreground, prints "mounted" when it is, ends with the mount.
 * Same mount options and cache flags as the product, timeouts of hours, readdirplus with node ids
 * only for listers that look up what they were given. Threads: one; more make one client no faster.
 */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOURS     36000.0
#define SMALL_DIR 1000 /* entries: up to here node ids are always given */
#define TEXT_MAX  512
#define STATUSES  8

enum {
    KIND_ROOT,
    KIND_INSTANCES,
    KIND_BY_STATUS,
    KIND_STATUS,
    KIND_INSTANCE,
    KIND_EVENTS,
    KIND_FILE
};

struct row {
    const char *id, *status;
    long long ms;
};

static const char *const statuses[STATUSES] = { "Pending",        "Running",   "Suspended",
                                                "ContinuedAsNew", "Completed", "Failed",
                                                "Terminated",     "Canceled" };
static const char *const files[] = { "status",    "input",   "output", "custom-status",
                                     "history",   "failure", "parent", "children",
                                     "terminate", "suspend", "resume", "rewind",
                                     "restart",   NULL };

/* Everything there is; filled before the mount, then only looked at. */
struct tree {
    struct row *rows;
    size_t count;
    size_t *of_status[STATUSES], counts[STATUSES];
    size_t lookups; /* by now: a lister whose entries are looked up wants attributes */
};

struct dir {
    size_t lookups;
    bool full;
};

/* view: 0 instances, else 1 + a status; what: one of files, or a status. */
static fuse_ino_t pack(unsigned view, unsigned kind, unsigned what, size_t index)
{
    return (fuse_ino_t)view << 60 | (fuse_ino_t)kind << 54 | (fuse_ino_t)what << 48 | (index + 2);
}

static unsigned view_of(fuse_ino_t n)
{
    return (unsigned)(n >> 60);
}

static unsigned kind_of(fuse_ino_t n)
{
    return n == FUSE_ROOT_ID ? KIND_ROOT : (unsigned)(n >> 54) & 63;
}

static unsigned what_of(fuse_ino_t n)
{
    return (unsigned)(n >> 48) & 63;
}

static const struct row *row_of(const struct tree *t, fuse_ino_t n)
{
    return &t->rows[(n & 0xffffffffffff) - 2];
}

static unsigned status_number(const char *status)
{
    unsigned s = 0;

    while (s < STATUSES && strcmp(statuses[s], status) != 0)
        s++;
    return s;
}

static bool is_there(const struct row *r, unsigned file)
{
    unsigned s = status_number(r->status);
    bool finished = s >= 4;

    switch (file) {
    case 5:
    case 11:
        return s == 5;
    case 8:
        return !finished;
    case 9:
        return s == 0 || s == 1 || s == 3;
    case 10:
        return s == 2;
    case 12:
        return finished;
    default:
        return true;
    }
}

static size_t content(const struct row *r, unsigned file, char text[TEXT_MAX])
{
    time_t s = (time_t)(r->ms / 1000);
    char when[32];
    struct tm tm;

    if (file != 0)
        return (size_t)snprintf(text, TEXT_MAX, "%s",
                                file == 1   ? "{\"order\":1}\n"
                                : file == 2 ? "{\"total\":1}\n"
                                            : "");
    gmtime_r(&s, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
    return (size_t)snprintf(
        text, TEXT_MAX,
        "InstanceId:\t%s\nName:\tOrderFlow\nRuntimeStatus:\t%s\nCreatedTime:\t%s.0000000Z\n"
        "LastUpdatedTime:\t%s.0000000Z\nCompletedTime:\t%s.0000000Z\n",
        r->id, r->status, when, when, when);
}

static void attributes(const struct tree *t, fuse_ino_t n, struct stat *ret)
{
    unsigned kind = kind_of(n);
    char text[TEXT_MAX];

    *ret =
        (struct stat){ .st_ino = n, .st_mode = S_IFDIR | 0755, .st_nlink = 1, .st_blksize = 4096 };
    ret->st_uid = getuid();
    ret->st_gid = getgid();
    if (kind >= KIND_INSTANCE)
        ret->st_mtim.tv_sec = ret->st_ctim.tv_sec = ret->st_atim.tv_sec = row_of(t, n)->ms / 1000;
    if (kind != KIND_FILE)
        return;
    ret->st_mode = S_IFREG | (what_of(n) < 8 ? 0444 : 0644);
    ret->st_size = (off_t)content(row_of(t, n), what_of(n), text);
}

static void entry(const struct tree *t, fuse_ino_t n, struct fuse_entry_param *ret)
{
    *ret = (struct fuse_entry_param){ .ino = n, .attr_timeout = HOURS, .entry_timeout = HOURS };
    attributes(t, n, &ret->attr);
}

/* -- directories as arrays: entry i of a directory, 0 behind the end -- */

static fuse_ino_t child_of_instance(const struct tree *t, fuse_ino_t dir, size_t i,
                                    const char **ret_name)
{
    size_t index = (dir & 0xffffffffffff) - 2;

    for (unsigned f = 0; files[f]; f++)
        if (is_there(&t->rows[index], f) && i-- == 0) {
            *ret_name = files[f];
            return pack(view_of(dir), KIND_FILE, f, index);
        }
    if (i || status_number(t->rows[index].status) >= 4)
        return 0;
    *ret_name = "events";
    return pack(view_of(dir), KIND_EVENTS, 0, index);
}

static fuse_ino_t child(const struct tree *t, fuse_ino_t dir, size_t i, const char **ret_name)
{
    unsigned what = what_of(dir);
    size_t index = i;

    switch (kind_of(dir)) {
    case KIND_ROOT:
        *ret_name = i ? "by-status" : "instances";
        return i > 1 ? 0 : pack(0, i ? KIND_BY_STATUS : KIND_INSTANCES, 0, 0);
    case KIND_BY_STATUS:
        *ret_name = i < STATUSES ? statuses[i] : NULL;
        return i < STATUSES ? pack((unsigned)i + 1, KIND_STATUS, (unsigned)i, 0) : 0;
    case KIND_INSTANCES:
        if (i >= t->count)
            return 0;
        break;
    case KIND_STATUS:
        if (i >= t->counts[what])
            return 0;
        index = t->of_status[what][i];
        break;
    case KIND_INSTANCE:
        return child_of_instance(t, dir, i, ret_name);
    default:
        return 0;
    }
    *ret_name = t->rows[index].id;
    return pack(view_of(dir), KIND_INSTANCE, 0, index);
}

static int compare_row(const void *name, const void *row)
{
    return strcmp(name, ((const struct row *)row)->id);
}

static fuse_ino_t find(const struct tree *t, fuse_ino_t dir, const char *name)
{
    unsigned kind = kind_of(dir);
    const struct row *r;
    const char *other;
    fuse_ino_t n;

    if (kind == KIND_INSTANCES || kind == KIND_STATUS) {
        r = bsearch(name, t->rows, t->count, sizeof(*r), compare_row);
        return r ? pack(view_of(dir), KIND_INSTANCE, 0, (size_t)(r - t->rows)) : 0;
    }
    for (size_t i = 0; (n = child(t, dir, i, &other)); i++)
        if (strcmp(other, name) == 0)
            return n;
    return 0;
}

/* -- what the kernel asks -- */

static void on_init(void *ctx, struct fuse_conn_info *conn)
{
    (void)ctx;
    conn->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ |
                              FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    conn->want |= conn->capable & (unsigned)(FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS);
    conn->max_background = 128;
    conn->congestion_threshold = 96;
}

static void on_lookup(fuse_req_t req, fuse_ino_t dir, const char *name)
{
    struct tree *t = fuse_req_userdata(req);
    struct fuse_entry_param e = { .entry_timeout = HOURS };
    fuse_ino_t n = find(t, dir, name);

    t->lookups++;
    if (n)
        entry(t, n, &e);
    fuse_reply_entry(req, &e);
}

static void on_getattr(fuse_req_t req, fuse_ino_t n, struct fuse_file_info *fi)
{
    struct stat st;

    (void)fi;
    attributes(fuse_req_userdata(req), n, &st);
    fuse_reply_attr(req, &st, HOURS);
}

static void on_forget(fuse_req_t req, fuse_ino_t n, uint64_t count)
{
    (void)n;
    (void)count;
    fuse_reply_none(req);
}

static void on_open(fuse_req_t req, fuse_ino_t n, struct fuse_file_info *fi)
{
    (void)n;
    fi->keep_cache = fi->noflush = 1;
    fuse_reply_open(req, fi);
}

static void on_read(fuse_req_t req, fuse_ino_t n, size_t size, off_t off, struct fuse_file_info *fi)
{
    char text[TEXT_MAX];
    size_t len = content(row_of(fuse_req_userdata(req), n), what_of(n), text);

    (void)fi;
    if ((size_t)off >= len)
        off = (off_t)len;
    fuse_reply_buf(req, text + off, len - (size_t)off < size ? len - (size_t)off : size);
}

static void on_opendir(fuse_req_t req, fuse_ino_t n, struct fuse_file_info *fi)
{
    struct tree *t = fuse_req_userdata(req);
    struct dir *d = calloc(1, sizeof(*d));

    if (!d) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    d->lookups = t->lookups;
    d->full = kind_of(n) != KIND_INSTANCES && kind_of(n) != KIND_STATUS;
    d->full |= t->count <= SMALL_DIR;
    fi->fh = (uintptr_t)d;
    fi->cache_readdir = fi->keep_cache = kind_of(n) == KIND_INSTANCE;
    fuse_reply_open(req, fi);
}

static void on_releasedir(fuse_req_t req, fuse_ino_t n, struct fuse_file_info *fi)
{
    (void)n;
    free((void *)(uintptr_t)fi->fh);
    fuse_reply_err(req, 0);
}

static bool put(fuse_req_t req, char *buffer, size_t size, size_t *used, struct dir *d,
                const char *name, fuse_ino_t n, off_t next)
{
    struct fuse_entry_param e = { .attr = { .st_ino = n, .st_mode = S_IFDIR | 0755 } };

    if (d->full && next > 2)
        entry(fuse_req_userdata(req), n, &e);
    *used += fuse_add_direntry_plus(req, buffer + *used, size - *used, name, &e, next);
    return *used <= size;
}

static void on_readdirplus(fuse_req_t req, fuse_ino_t n, size_t size, off_t off,
                           struct fuse_file_info *fi)
{
    struct tree *t = fuse_req_userdata(req);
    struct dir *d = (void *)(uintptr_t)fi->fh;
    char *buffer = malloc(size);
    size_t used = 0, before = 0;
    const char *name;
    fuse_ino_t c;

    if (!buffer) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    d->full |= d->lookups != t->lookups;
    for (; off < 2 && put(req, buffer, size, &used, d, off ? ".." : ".", n, off + 1); off++)
        before = used;
    while ((c = child(t, n, (size_t)off - 2, &name)) &&
           put(req, buffer, size, &used, d, name, c, off + 1)) {
        off++;
        before = used;
    }
    d->lookups = t->lookups;
    fuse_reply_buf(req, buffer, used > size ? before : used);
    free(buffer);
}

static const struct fuse_lowlevel_ops ops = {
    .init = on_init,
    .lookup = on_lookup,
    .getattr = on_getattr,
    .forget = on_forget,
    .open = on_open,
    .read = on_read,
    .opendir = on_opendir,
    .readdirplus = on_readdirplus,
    .releasedir = on_releasedir,
};

/* -- before the mount -- */

static void add_row(struct tree *t, char *line)
{
    char *status = strchr(line, '\t'), *ms = status ? strchr(status + 1, '\t') : NULL;

    if (!ms)
        return;
    *status++ = *ms++ = '\0';
    if (!(t->count & (t->count - 1)))
        t->rows = reallocarray(t->rows, t->count ? t->count * 2 : 1, sizeof(*t->rows));
    if (!t->rows)
        abort();
    t->rows[t->count++] = (struct row){ strdup(line), strdup(status), strtoll(ms, NULL, 10) };
}

static bool load(struct tree *t, const char *path)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t cap = 0;

    while (f && getline(&line, &cap, f) > 0)
        add_row(t, line);
    free(line);
    if (f)
        fclose(f);
    for (unsigned s = 0; s < STATUSES; s++)
        t->of_status[s] = calloc(t->count + 1, sizeof(size_t));
    for (size_t i = 0; i < t->count; i++) {
        unsigned s = status_number(t->rows[i].status);

        if (s < STATUSES && t->of_status[s])
            t->of_status[s][t->counts[s]++] = i;
    }
    return t->count > 0;
}

int main(int argc, char **argv)
{
    char *words[] = { argv[0], (char *)"-osubtype=kernel_floor,fsname=floor", NULL };
    struct fuse_args args = FUSE_ARGS_INIT(2, words);
    struct tree tree = { 0 };
    struct fuse_session *session;
    int result;

    if (argc != 3 || !load(&tree, argv[1])) {
        fprintf(stderr, "usage: kernel_floor FILE MOUNTPOINT\n");
        return 2;
    }
    session = fuse_session_new(&args, &ops, sizeof(ops), &tree);
    if (!session || fuse_set_signal_handlers(session) != 0 ||
        fuse_session_mount(session, argv[2]) != 0)
        return 1;
    puts("mounted");
    fflush(stdout);
    result = fuse_session_loop(session);
    fuse_session_unmount(session);
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    return result < 0 ? 1 : 0;
}
