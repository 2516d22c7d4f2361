#include "backend/base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "backend/base/clock.h"
#include "backend/base/limits.h"
#include "backend/base/lock.h"
#include "backend/base/str.h"

#define FOLDS 8 /* different lines remembered at a time */

/* A line that was written, and how often it came again since. */
struct fold {
    enum log_level level;
    int64_t since_ms;
    unsigned again;
    char text[LOG_LINE_MAX]; /* "" = free */
};

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static const int level_priorities[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,
    [LOG_LEVEL_WARNING] = LOG_WARNING,
    [LOG_LEVEL_INFO] = LOG_INFO,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

static atomic_int log_level = LOG_LEVEL_WARNING; /* A */
static struct lock log_lock = { PTHREAD_MUTEX_INITIALIZER, RANK_LOG };
static struct {
    bool to_syslog;
    char program[32]; /* openlog keeps the pointer */
    unsigned lost;    /* lines that the reader of stderr did not take */
    struct fold folds[FOLDS];
} sink; /* L: log_lock */

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&log_level, memory_order_relaxed);
}

bool log_parse_level(enum log_level *ret, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* write(2) without the SIGPIPE of a reader that has gone; one that is pending already stays so. */
static ssize_t write_quietly(int fd, struct str line)
{
    static const struct timespec at_once;
    sigset_t pipe_only, pending, before;
    ssize_t n;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigemptyset(&pending);
    (void)sigpending(&pending);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    do {
        n = write(fd, line.p, line.len);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE)) {
        while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR)
            ;
        errno = EPIPE;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return n;
}

/* Whoever reads stderr may have stopped, or be waiting for a file of ours: never block on it. */
static bool stderr_takes(struct str line)
{
    struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };

    return poll(&ready, 1, 0) == 1 && write_quietly(STDERR_FILENO, line) == (ssize_t)line.len;
}

/* One whole line, cut at LOG_LINE_MAX with its line feed. */
static bool write_stderr(enum log_level level, const char *text)
{
    char line[LOG_LINE_MAX + 64];
    int n = snprintf(line, sizeof(line), "%s %s", level_names[level], text);
    struct str head =
        str_head_utf8((struct str){ line, n < 0 ? 0 : strlen(line) }, LOG_LINE_MAX - 1);

    line[head.len++] = '\n';
    return stderr_takes(head);
}

static void write_line_locked(enum log_level level, const char *text)
{
    char lost[64];

    if (sink.to_syslog) {
        syslog(level_priorities[level], "%s", text);
        return;
    }
    if (sink.lost) {
        (void)snprintf(lost, sizeof(lost), "%u lines of this log were lost", sink.lost);
        if (write_stderr(LOG_LEVEL_WARNING, lost))
            sink.lost = 0;
    }
    if (!write_stderr(level, text))
        sink.lost++;
}

static void fold_flush_locked(struct fold *f)
{
    char line[LOG_LINE_MAX + 32];

    if (f->again == 0)
        return;
    (void)snprintf(line, sizeof(line), "(%u times again) %s", f->again, f->text);
    f->again = 0;
    write_line_locked(f->level, line);
}

/* Tells the counts whose time is over, also of lines that never came again. */
static void fold_expire_locked(int64_t now_ms)
{
    for (size_t i = 0; i < FOLDS; i++) {
        struct fold *f = &sink.folds[i];

        if (f->text[0] && now_ms - f->since_ms >= LOG_FOLD_MS) {
            fold_flush_locked(f);
            f->text[0] = '\0';
        }
    }
}

static struct fold *fold_find_locked(enum log_level level, const char *text)
{
    for (size_t i = 0; i < FOLDS; i++) {
        if (sink.folds[i].level == level && strcmp(sink.folds[i].text, text) == 0)
            return &sink.folds[i];
    }
    return NULL;
}

/* A free one, or the oldest. */
static struct fold *fold_pick_locked(void)
{
    struct fold *oldest = &sink.folds[0];

    for (size_t i = 0; i < FOLDS; i++) {
        struct fold *f = &sink.folds[i];

        if (f->text[0] == '\0')
            return f;
        if (f->since_ms < oldest->since_ms)
            oldest = f;
    }
    fold_flush_locked(oldest);
    return oldest;
}

static void write_folded(enum log_level level, const char *text)
{
    LOCK_SCOPE(&log_lock);
    int64_t now_ms = clock_now_ms();
    struct fold *f;

    fold_expire_locked(now_ms);
    f = fold_find_locked(level, text);
    if (f) {
        if (++f->again == LOG_FOLD_LINES)
            fold_flush_locked(f);
        return;
    }
    f = fold_pick_locked();
    *f = (struct fold){ .level = level, .since_ms = now_ms };
    memcpy(f->text, text, strlen(text) + 1);
    write_line_locked(level, text);
}

/* One message stays one line and does nothing to a terminal. */
static void flatten(char *text)
{
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    }
}

static PRINTF_LIKE(2, 0) void log_line(enum log_level level, const char *fmt, va_list ap)
{
    int saved = errno;
    char text[LOG_LINE_MAX + 4]; /* a cut through a character shall be seen as one */

    if (level > log_get_level())
        return;
    if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
        text[0] = '\0';
    text[str_head_utf8(str_c(text), LOG_LINE_MAX - 1).len] = '\0';
    flatten(text);
    log_redact(text);
    if (text[0])
        write_folded(level, text);
    errno = saved;
}

void log_error(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_line(LOG_LEVEL_ERROR, fmt, ap);
    va_end(ap);
}

void log_warning(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_line(LOG_LEVEL_WARNING, fmt, ap);
    va_end(ap);
}

void log_info(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_line(LOG_LEVEL_INFO, fmt, ap);
    va_end(ap);
}

void log_debug(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_line(LOG_LEVEL_DEBUG, fmt, ap);
    va_end(ap);
}

void log_flush(void)
{
    LOCK_SCOPE(&log_lock);

    for (size_t i = 0; i < FOLDS; i++) {
        fold_flush_locked(&sink.folds[i]);
        sink.folds[i].text[0] = '\0';
    }
}

void log_to_syslog(const char *program)
{
    log_flush();
    LOCK_SCOPE(&log_lock);
    (void)snprintf(sink.program, sizeof(sink.program), "%s", program);
    openlog(sink.program, LOG_PID, LOG_DAEMON);
    sink.to_syslog = true;
}

/* What stands before a secret. A word must not go on to the left of it: exitcode= is none. */
static const struct {
    const char *text;
    bool word;
} marks[] = {
    { "sig=", true },
    { "sig%3d", false }, /* in an encoded URL anything may stand before */
    { "code=", true },
    { "code%3d", false },
    { "accountkey=", false },
    { "bearer ", true },
    { "sharedkey ", true },
    { "sharedkeylite ", true },
    { "x-functions-key: ", true },
};

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-';
}

/* The mark that text + at begins with: its length, or 0. */
static size_t mark_at(struct str text, size_t at)
{
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        struct str mark = str_c(marks[i].text);

        if (marks[i].word && at > 0 && is_word(text.p[at - 1]))
            continue;
        if (str_eq_nocase(str_slice(text, at, at + mark.len), mark))
            return mark.len;
    }
    return 0;
}

static bool ends_secret(char c)
{
    return strchr(" \t&;,\"'<>()[]{}", c) != NULL; /* NUL among them */
}

void log_redact(char *text)
{
    struct str all = str_c(text);
    char *to = text;

    /* Never longer than before, so to stays behind and mark_at sees untouched text. */
    for (size_t at = 0; at < all.len;) {
        size_t mark = mark_at(all, at), stars = 0;

        if (mark == 0) {
            *to++ = text[at++];
            continue;
        }
        memmove(to, text + at, mark);
        to += mark;
        at += mark;
        while (text[at] == ' ')
            *to++ = text[at++];
        for (; !ends_secret(text[at]); at++) {
            if (stars++ < 3)
                *to++ = '*';
        }
    }
    *to = '\0';
}
