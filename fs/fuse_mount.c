#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/base/log.h"
#include "fs/fuse_mount.h"
#include "fs/fuse_ops.h"
#include "fs/signals.h"

#define ARGS_MAX_BYTES 2048
#define EXIT_USAGE     1
#define EXIT_SYSTEM    2

static PRINTF_LIKE(2, 0) void log_from_fuse(enum fuse_log_level level, const char *fmt, va_list ap)
{
    char line[512];

    vsnprintf(line, sizeof line, fmt, ap);
    line[strcspn(line, "\n")] = '\0';
    if (level <= FUSE_LOG_ERR)
        log_error("%s", line);
    else if (level <= FUSE_LOG_NOTICE)
        log_warning("%s", line);
    else
        log_debug("%s", line);
}

/* Words of libfuse are separated by commas, and a backslash takes the next character as it is. */
static void add_escaped(struct buf *b, const char *text)
{
    for (; *text; text++) {
        if (strchr(",\\", *text))
            buf_add_ch(b, '\\');
        buf_add_ch(b, *text);
    }
}

static void mount_words(const struct options *o, const char *source, struct buf *ret)
{
    buf_add_c(ret, "subtype=taskhubfs,fsname=");
    add_escaped(ret, source);
    if (o->read_only)
        buf_add_c(ret, ",ro");
    /* Without the checks any local user could write commands and purge. */
    if (o->allow_other)
        buf_add_c(ret, ",allow_other,default_permissions");
    if (o->auto_unmount)
        buf_add_c(ret, ",auto_unmount");
    if (o->kernel.len)
        buf_printf(ret, "," STR_FMT, STR_ARG(buf_str(&o->kernel)));
}

static bool user_may_allow_other(void)
{
    char line[256];
    bool may = false;

    FILE *f = fopen("/etc/fuse.conf", "re");
    if (!f)
        return false;
    while (!may && fgets(line, sizeof line, f))
        may = strncmp(line, "user_allow_other", 16) == 0;
    fclose(f);
    return may;
}

/* What would otherwise end in a message of libfuse that says less (F47). */
static bool check_system(const struct options *o, struct buf *why, int *ret_exit)
{
    struct stat st;

    *ret_exit = EXIT_SYSTEM;
    if (stat("/dev/fuse", &st) < 0) {
        buf_add_c(why,
                  "/dev/fuse is not there: load the kernel module (modprobe fuse), or give the "
                  "container the device");
        return false;
    }
    if (o->allow_other && geteuid() != 0 && !user_may_allow_other()) {
        *ret_exit = EXIT_USAGE;
        buf_add_c(why, "allow_other is only for root unless /etc/fuse.conf has the line "
                       "user_allow_other");
        return false;
    }
    return true;
}

static struct fuse_session *session_new(struct mount *m, const char *words)
{
    char program[] = "taskhubfs", option[] = "-o", debug[] = "-d";
    char *argv[] = { program, option, (char *)words, m->options->debug ? debug : NULL, NULL };
    struct fuse_args args = FUSE_ARGS_INIT(m->options->debug ? 4 : 3, argv);

    struct fuse_session *se = fuse_session_new(&args, &fuse_ops, sizeof fuse_ops, m);
    fuse_opt_free_args(&args);
    return se;
}

static bool mount_failed(const char *mountpoint, struct buf *why)
{
    buf_printf(why, "cannot mount on %s%s", mountpoint,
               geteuid() == 0 ? ""
                              : ": an ordinary user needs fusermount3 (package fuse3), a /dev/fuse "
                                "that everyone may open, and a mount point of their own");
    return false;
}

void fuse_mount_init(struct fuse_mount *fm)
{
    *fm = (struct fuse_mount){ 0 };
    lock_init(&fm->lock, RANK_LOG);
}

bool fuse_mount_open(struct fuse_mount *fm, struct mount *m, const char *source,
                     const char *mountpoint, struct buf *why, int *ret_exit)
{
    CLEANUP_BUF struct buf words = BUF_INIT(ARGS_MAX_BYTES);

    if (!check_system(m->options, why, ret_exit))
        return false;
    *ret_exit = EXIT_SYSTEM;
    if (!m->options->debug)
        fuse_set_log_func(log_from_fuse);
    mount_words(m->options, source, &words);
    if (buf_err(&words)) {
        buf_add_c(why, "the mount options are too long");
        return false;
    }
    fm->session = session_new(m, buf_c(&words));
    if (!fm->session) {
        buf_add_c(why, "libfuse refused to begin a session");
        return false;
    }
    m->session = fm->session;
    if (fuse_session_mount(fm->session, mountpoint) != 0) {
        fuse_session_destroy(fm->session);
        fm->session = m->session = NULL;
        return mount_failed(mountpoint, why);
    }
    fm->mounted = true;
    return true;
}

static void set_looping(struct fuse_mount *fm, bool looping)
{
    LOCK_SCOPE(&fm->lock);
    fm->looping = looping;
}

int fuse_mount_loop(struct fuse_mount *fm)
{
    struct fuse_loop_config *config = fuse_loop_cfg_create();

    if (!config)
        return EXIT_SYSTEM;
    fuse_loop_cfg_set_max_threads(config, FUSE_WORKERS);
    fuse_loop_cfg_set_idle_threads(config,
                                   FUSE_WORKERS); /* 0 would make and end them all the time */
    fm->loop_thread = pthread_self();
    set_looping(fm, true);
    int res = fuse_session_loop_mt(fm->session, config);
    set_looping(fm, false);
    fuse_loop_cfg_destroy(config);
    if (res < 0)
        log_error("the loop that serves the mount ended: %s", strerror(-res));
    return res < 0 ? EXIT_SYSTEM : 0;
}

void fuse_mount_end(struct fuse_mount *fm)
{
    LOCK_SCOPE(&fm->lock);
    if (!fm->looping)
        return;
    fuse_session_exit(fm->session);
    signals_nudge(fm->loop_thread);
}

void fuse_mount_close(struct fuse_mount *fm)
{
    if (!fm->session)
        return;
    if (fm->mounted)
        fuse_session_unmount(fm->session);
    fuse_session_destroy(fm->session);
    fm->session = NULL;
    fm->mounted = false;
}
