/* background: the fork that lets the command return when the mount is up, and say why when it is
 * not. The child does everything (threads and connections must begin after the fork); the parent
 * waits at a pipe for an exit status and a message. Ownership: embedded. Threads: called by the
 * first thread while starting. */
#ifndef FS_BACKGROUND_H
#define FS_BACKGROUND_H

#include "backend/base/buf.h"

struct background {
    int pipe; /* to the parent; -1 in the foreground and after the report */
};

#define BACKGROUND_FOREGROUND                                                                      \
    {                                                                                              \
        -1                                                                                         \
    }

/* Returns in the child only; the parent prints the message and exits with the reported status.
 * False: the fork failed (*why). */
MUST_CHECK bool background_begin(struct background *b, struct buf *why);

/* Tells the parent; message "" = nothing to print. In the foreground it prints to stderr. */
void background_report(struct background *b, int exit_status, const char *message);

/* After success: leaves terminal and directory of who started it. */
void background_detach(void);

#endif
