/* taskhubfs: start and stop, in order.
 * Threads: this one parses, forks (the parent only waits for the report), opens the hub, mounts,
 * and then waits in libfuse's loop. Others: the signal thread (signals.c); libfuse's workers, which
 * answer from memory and never wait (fuse_mount.c); the callers, which run what needs the network
 * (callers.c); the poller, while somebody reads a wait file or polls (park.c); and the catalogue's
 * own. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "backend/base/clock.h"
#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "fs/background.h"
#include "fs/fuse_mount.h"
#include "fs/fuse_notify.h"
#include "fs/fuse_poll.h"
#include "fs/hubs.h"
#include "fs/mountpoint.h"
#include "fs/progress.h"
#include "fs/signals.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#define MESSAGE_MAX 8192
#define SOURCE_MAX  260  /* a hub's and an account's name */
#define FINISH_MS   1000 /* of SHUTDOWN_MS: what runs may end by itself; then it is cancelled */
#define UNMOUNT_MS  300  /* of SHUTDOWN_MS: left for unmounting */

enum exit_status {
    EXIT_OK = 0,
    EXIT_USAGE = 1,
    EXIT_SYSTEM = 2,
    EXIT_NO_HUB = 10,
    EXIT_UNREACHABLE = 11,
    EXIT_REFUSED = 12,
    EXIT_CONFIG = 13,
    EXIT_MOUNTPOINT = 14,
};

struct program {
    struct options options;
    char *mountpoint;
    struct background background;
    struct signals signals;
    struct call opening; /* of the start, so that a signal can cancel it */
    struct hubs hubs;
    struct progress *progress;
    _Atomic(struct forest *) forest; /* A: SIGHUP may come while it is not there yet */
    _Atomic(struct notify *) notify; /* A: so may the end */
    struct mount mount;
    struct fuse_mount fuse;
};

/* -- signals -- */

static void on_end(void *ctx)
{
    struct program *p = ctx;

    struct notify *n = atomic_load(&p->notify);

    call_cancel(&p->opening);
    if (n)
        notify_halt(n); /* as long as somebody reads the requests that it may wait for */
    fuse_mount_end(&p->fuse);
}

static void on_reload(void *ctx)
{
    struct program *p = ctx;
    struct forest *f = atomic_load(&p->forest);

    if (!f)
        return;
    hubs_reload(&p->hubs);
    forest_drop_cached(f);
}

/* -- secrets -- */

/* Before keys are read: no core dump, no other process of this user that reads our memory.
 * Sanitizers need to look at their own process. */
static void protect_memory(void)
{
#ifndef SANITIZED
    const struct rlimit none = { 0, 0 };

    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &none);
#endif
}

/* What libfuse starts (fusermount3) has no need of our keys. */
static void scrub_environment(void)
{
    extern char **environ;
    size_t i = 0;

    while (environ[i]) {
        struct str value = str_c(environ[i]);
        char *name = str_dup_c(str_cut(&value, '='));

        if (name && options_is_secret(environ[i]) && unsetenv(name) == 0)
            i = 0; /* the array has moved */
        else
            i++;
        free(name);
    }
}

/* -- opening the hub -- */

static int exit_of(enum err err)
{
    switch ((int)err) {
    case ERR_NOT_FOUND:
        return EXIT_NO_HUB;
    case ERR_UNREACHABLE:
    case ERR_TIMEOUT:
    case ERR_THROTTLED:
    case ERR_PAUSED:
    case ERR_BROKEN:
        return EXIT_UNREACHABLE;
    case ERR_DENIED:
    case ERR_KEY_REJECTED:
    case ERR_KEY_EXPIRED:
        return EXIT_REFUSED;
    case ERR_INVALID:
    case ERR_BAD_NAME:
        return EXIT_CONFIG;
    default:
        return EXIT_SYSTEM;
    }
}

static const char *next_step(int exit_status)
{
    switch (exit_status) {
    case EXIT_NO_HUB:
        return "check the name, or start the app once, which makes the hub";
    case EXIT_UNREACHABLE:
        return "check the network, the endpoint in the connection string and the account's "
               "firewall";
    case EXIT_REFUSED:
        return "check that the key or SAS is current and has the right to read tables, queues and "
               "blobs";
    default:
        return NULL;
    }
}

static int explain(const struct program *p, enum err err, const struct call *call, struct buf *why)
{
    const struct config *c = &p->hubs.config;
    int status = exit_of(err);

    buf_printf(why, "%s", call->text[0] ? call->text : err_name(err));
    if (c->connection_from[0] && status != EXIT_CONFIG)
        buf_printf(why, "\n  hub: %s (%s)%s%s\n  credential: %s", c->all_hubs ? "all" : c->hub,
                   c->all_hubs ? "option" : c->hub_from, c->account[0] ? "\n  account: " : "",
                   c->account, c->connection_from);
    if (next_step(status))
        buf_printf(why, "\n  next: %s", next_step(status));
    return status;
}

/* -- .taskhubfs/config -- */

static void print_config(void *ctx, struct buf *out)
{
    const struct program *p = ctx;

    hubs_print(&p->hubs, out);
    buf_printf(out, "mountpoint\t%s\toption\n", p->mountpoint);
    options_print(&p->options, out);
}

/* -- building and taking apart -- */

static void let_go(void *ctx, node n)
{
    const struct mount *m = ctx;

    forest_forget(m->forest, n, 1);
}

static bool build(struct program *p)
{
    const struct options *o = &p->options;
    struct mount *m = &p->mount;
    const struct park_ops park_ops = { .ask = poll_ask, .ctx = m, .grace_ms = o->timeout_ms };

    m->options = o;
    m->failures = failures_new();
    m->handles = handles_new();
    m->walkers = walkers_new();
    m->detours = detours_new(let_go, m);
    m->callers = callers_new();
    m->park = park_new(&park_ops);
    m->polled = polled_new();
    m->notify = notify_new();
    p->progress = progress_new();
    if (!m->notify || !m->failures || !p->progress || !m->handles || !m->walkers || !m->detours ||
        !m->callers || !m->park || !m->polled)
        return false;
    struct forest_settings settings = { .tree = { .failures = m->failures,
                                                  .progress = p->progress,
                                                  .read_only = o->read_only,
                                                  .purge = !o->no_purge,
                                                  .uid = (uint32_t)o->uid,
                                                  .gid = (uint32_t)o->gid,
                                                  .umask = (uint32_t)o->umask,
                                                  .ttl_ms = o->ttl_ms,
                                                  .news = notify_news,
                                                  .news_ctx = m->notify,
                                                  .version = TASKHUBFS_VERSION,
                                                  .print_config = print_config,
                                                  .ctx = p } };
    const struct notify_kernel kernel = fuse_notify_kernel(m);
    if (notify_start(m->notify, &kernel))
        settings.tree.told_ms = NOTIFY_TOLD_MS;
    atomic_store(&p->notify, m->notify);
    hubs_plant(&p->hubs, &settings);
    m->forest = forest_new(&settings);
    if (m->forest)
        notify_plant(m->notify, m->forest);
    atomic_store(&p->forest, m->forest);
    return m->forest != NULL;
}

static void close_walk(void *ctx, struct handle *h)
{
    struct mount *m = ctx;

    if (h->kind == HANDLE_LISTER)
        walkers_close(m->walkers, ((struct lister_handle *)h)->walk);
}

static void take_apart(struct program *p)
{
    struct mount *m = &p->mount;

    if (m->handles)
        handles_close_all(m->handles, close_walk, m);
    atomic_store(&p->forest, NULL); /* the signal thread has ended */
    atomic_store(&p->notify, NULL);
    if (m->notify && !notify_stop(m->notify))
        return; /* only after a loop can it be stuck, and that end is not here (serve) */
    forest_free(m->forest);
    handles_free(m->handles);
    walkers_free(m->walkers);
    detours_free(m->detours);
    callers_free(m->callers);
    park_free(m->park);
    polled_free(m->polled);
    hubs_close(&p->hubs);
    notify_free(m->notify);
    progress_free(p->progress);
    failures_free(m->failures);
}

/* Ends what is under way (F43): parked readers at once, operations within the time that is left.
 * False: one did not end, so nothing may be freed under it. */
static bool wind_up(struct program *p, bool asked)
{
    int64_t finish_ms = asked ? FINISH_MS : 0; /* the mount is gone: nobody hears an answer */

    park_stop(p->mount.park);
    return callers_stop(p->mount.callers, finish_ms, SHUTDOWN_MS - UNMOUNT_MS);
}

/* -- the child, or the program itself in the foreground -- */

static int fail(struct program *p, int status, struct buf *why)
{
    background_report(&p->background, status, buf_c(why));
    return status;
}

static int serve(struct program *p)
{
    if (!p->options.foreground) {
        log_to_syslog("taskhubfs");
        background_detach();
    }
    background_report(&p->background, EXIT_OK, "");
    int status = fuse_mount_loop(&p->fuse);
    bool asked = atomic_load(&p->signals.ended);
    bool quiet = wind_up(p, asked) && notify_stop(p->mount.notify);
    fuse_mount_close(&p->fuse);
    if (!quiet) {
        log_warning("operations under way did not end in time");
        _exit(asked ? EXIT_OK : status);
    }
    return asked ? EXIT_OK : status;
}

static int mount_and_serve(struct program *p, struct buf *why)
{
    char source[SOURCE_MAX];
    int status = EXIT_SYSTEM;

    if (!build(p)) {
        buf_add_c(why, "out of memory");
        return fail(p, EXIT_SYSTEM, why);
    }
    enum err err = forest_discover(p->mount.forest, &p->opening);
    if (err)
        return fail(p, explain(p, err, &p->opening, why), why);
    hubs_name(&p->hubs, source, sizeof source);
    scrub_environment();
    if (!fuse_mount_open(&p->fuse, &p->mount, source, p->mountpoint, why, &status))
        return fail(p, status, why);
    return serve(p);
}

static int run(struct program *p, struct buf *why)
{
    call_init(&p->opening, p->options.timeout_ms);
    fuse_mount_init(&p->fuse);
    signals_block();
    p->signals = (struct signals){ .end = on_end, .reload = on_reload, .ctx = p };
    if (!signals_start(&p->signals)) {
        buf_add_c(why, "no thread can be started");
        return fail(p, EXIT_SYSTEM, why);
    }
    enum err err = hubs_open(&p->hubs, &p->options, &p->opening);
    int status = err ? fail(p, explain(p, err, &p->opening, why), why) : mount_and_serve(p, why);
    signals_stop(&p->signals);
    take_apart(p);
    return status;
}

/* -- the command -- */

static int print_and_end(void (*print)(struct buf *))
{
    CLEANUP_BUF struct buf text = BUF_INIT(64 * KIB);

    print(&text);
    fputs(buf_c(&text), stdout);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_SYSTEM;
}

static void print_version(struct buf *out)
{
    buf_printf(out, "taskhubfs %s\n", TASKHUBFS_VERSION);
}

static int complain(int status, struct buf *why)
{
    fprintf(stderr, "taskhubfs: %s\n", buf_c(why));
    return status;
}

static int unmount(const char *path, struct buf *why)
{
    return mountpoint_unmount(path, why) ? EXIT_OK : complain(EXIT_SYSTEM, why);
}

static int mount_hub(struct program *p, struct buf *why)
{
    p->mountpoint = mountpoint_prepare(p->options.mountpoint, why);
    if (!p->mountpoint)
        return complain(EXIT_MOUNTPOINT, why);
    if (p->options.uid < 0)
        p->options.uid = getuid();
    if (p->options.gid < 0)
        p->options.gid = getgid();
    log_set_level((enum log_level)p->options.log_level);
    if (!p->options.foreground && !background_begin(&p->background, why))
        return complain(EXIT_SYSTEM, why);
    protect_memory();
    return run(p, why);
}

int main(int argc, char **argv)
{
    CLEANUP_BUF struct buf why = BUF_INIT(MESSAGE_MAX);
    struct program p = { .background = BACKGROUND_FOREGROUND };
    int status;

    options_init(&p.options);
    if (!options_parse(&p.options, argc, argv, &why))
        status = complain(EXIT_USAGE, &why);
    else if (p.options.help)
        status = print_and_end(options_help);
    else if (p.options.version)
        status = print_and_end(print_version);
    else if (p.options.unmount)
        status = unmount(p.options.unmount, &why);
    else
        status = mount_hub(&p, &why);
    free(p.mountpoint);
    options_fini(&p.options);
    return status;
}
