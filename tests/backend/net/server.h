/* server: a TCP server on 127.0.0.1 that plays a script, one connection after the other, and keeps
 * what it was asked.
 * Knows just enough HTTP to find the end of a request.
 * Ownership: server_start gives, server_stop ends and frees. The script outlives the server.
 * Threads: one of its own; the functions below may be called from the test's thread at any time. */
#ifndef TESTS_BACKEND_NET_SERVER_H
#define TESTS_BACKEND_NET_SERVER_H

#include <stdbool.h>
#include <stddef.h>

enum step_kind {
    STEP_END,    /* the script is over: closes the connection and the listener */
    STEP_ACCEPT, /* waits for a new connection; the one before is closed first */
    STEP_READ,   /* reads one whole request and keeps it */
    STEP_SEND,   /* sends the text; each $ID is the last request's x-ms-client-request-id */
    STEP_DRIP,   /* sends the text byte by byte, so many ms apart, until the peer leaves */
    STEP_FILL,   /* sends so many KiB of 'x' */
    STEP_STALL,  /* does nothing until the peer leaves */
    STEP_PAUSE,  /* does nothing for so many ms */
    STEP_CLOSE,  /* ends the connection orderly (FIN) */
    STEP_RESET,  /* ends it with a reset (RST) */
    STEP_DEAF,   /* from now on nothing of the peer's arrives or is acknowledged, as when a NAT has
                    forgotten the connection; once a script */
    STEP_AGAIN,  /* goes back so many steps, for ever */
};

struct step {
    enum step_kind kind;
    const char *text;
    int number; /* ms, KiB or steps */
};

#define ACCEPT                                                                                     \
    {                                                                                              \
        .kind = STEP_ACCEPT                                                                        \
    }
#define READ                                                                                       \
    {                                                                                              \
        .kind = STEP_READ                                                                          \
    }
#define SEND(t)                                                                                    \
    {                                                                                              \
        .kind = STEP_SEND, .text = (t)                                                             \
    }
#define DRIP(t, ms)                                                                                \
    {                                                                                              \
        .kind = STEP_DRIP, .text = (t), .number = (ms)                                             \
    }
#define FILL(kib)                                                                                  \
    {                                                                                              \
        .kind = STEP_FILL, .number = (kib)                                                         \
    }
#define STALL                                                                                      \
    {                                                                                              \
        .kind = STEP_STALL                                                                         \
    }
#define PAUSE(ms)                                                                                  \
    {                                                                                              \
        .kind = STEP_PAUSE, .number = (ms)                                                         \
    }
#define CLOSE                                                                                      \
    {                                                                                              \
        .kind = STEP_CLOSE                                                                         \
    }
#define RESET                                                                                      \
    {                                                                                              \
        .kind = STEP_RESET                                                                         \
    }
#define DEAF                                                                                       \
    {                                                                                              \
        .kind = STEP_DEAF                                                                          \
    }
#define AGAIN(steps)                                                                               \
    {                                                                                              \
        .kind = STEP_AGAIN, .number = (steps)                                                      \
    }
#define END                                                                                        \
    {                                                                                              \
        .kind = STEP_END                                                                           \
    }

struct server;

struct server *server_start(const struct step *script);
struct server *server_stop(struct server *s); /* wherever it is; accepts NULL, returns NULL */
int server_port(const struct server *s);
int server_connections(struct server *s); /* accepted so far */
int server_requests(struct server *s);    /* whole requests read so far */
/* Text of a request, head and body; lives until server_stop. */
const char *server_request(struct server *s, int i);
/* Waits until so many requests were read (for tests that act in the middle of an exchange). */
void server_await_requests(struct server *s, int n);

/* A port on which nothing listens. */
int server_dead_port(void);

#endif
