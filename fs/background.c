#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/background.h"

#define MESSAGE_MAX 8192

static size_t read_all(int fd, char *ret, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t n = read(fd, ret + used, size - used);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        used += n > 0 ? (size_t)n : 0;
    }
    return used;
}

static void write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno != EINTR)
            return;
        p += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

/* The first byte is the exit status, the rest the message. Nothing at all: the child died. */
static _Noreturn void wait_for_report(int fd, pid_t child)
{
    char report[1 + MESSAGE_MAX + 1];
    int status = 0;
    size_t n = read_all(fd, report, sizeof report - 1);

    if (n > 0) {
        report[n] = '\0';
        if (report[1])
            fprintf(stderr, "taskhubfs: %s\n", report + 1);
        exit((unsigned char)report[0]);
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        fprintf(stderr, "taskhubfs: the program was ended by signal %d while starting\n",
                WTERMSIG(status));
    else
        fprintf(stderr, "taskhubfs: the program ended while starting\n");
    exit(2);
}

bool background_begin(struct background *b, struct buf *why)
{
    int fds[2];

    fflush(NULL);
    if (pipe2(fds, O_CLOEXEC) < 0) {
        buf_printf(why, "no pipe: %s", strerror(errno));
        return false;
    }
    pid_t child = fork();
    if (child < 0) {
        buf_printf(why, "cannot fork: %s", strerror(errno));
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    if (child > 0) {
        close(fds[1]);
        wait_for_report(fds[0], child);
    }
    close(fds[0]);
    setsid();
    b->pipe = fds[1];
    return true;
}

void background_report(struct background *b, int exit_status, const char *message)
{
    char status = (char)exit_status;

    if (b->pipe < 0) {
        if (*message)
            fprintf(stderr, "taskhubfs: %s\n", message);
        return;
    }
    write_all(b->pipe, &status, 1);
    write_all(b->pipe, message, strnlen(message, MESSAGE_MAX));
    close(b->pipe);
    b->pipe = -1;
}

void background_detach(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (chdir("/") < 0 || null < 0)
        return;
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
}
