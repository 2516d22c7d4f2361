/* fakeserver: a scripted storage account on a loopback port: answers by rules, records what came.
 * Speaks as much HTTP/1.1 as our client does: Content-Length bodies, connections kept open.
 * One port serves all three services: /t, /q and /b in front of the path tell them apart.
 * Ownership: rules are borrowed and outlive the server; the rest is the server's.
 * Threads: its own; the functions are for the test's thread. */
#ifndef TESTS_BACKEND_STORAGE_FAKESERVER_H
#define TESTS_BACKEND_STORAGE_FAKESERVER_H

#include "backend/storage/storage.h"

enum fake_fault {
    FAKE_ANSWERS,
    FAKE_RESETS, /* reads the request, then resets the connection without a word */
};

/* The first rule that fits and is not used up answers; the list of tables has a rule of its own,
 * last. */
struct fake_rule {
    const char *method;
    const char *path;    /* the beginning of path and query, "/t/MyHubInstances(" */
    int status;          /* 0 ends the list of rules */
    const char *headers; /* "etag: x\r\n" ...; NULL = none */
    const char *body;    /* NULL = none */
    size_t body_len;     /* 0 = strlen(body) */
    enum fake_fault fault;
    size_t echo_of;         /* not 0: the body is that of request number echo_of, counted from 0 */
    const char *echo_after; /* stands before it, in place of its first byte; NULL = nothing */
    int times;              /* how often it serves; 0 = once; -1 = always */
};

struct fakeserver;

struct fakeserver *fakeserver_new(const struct fake_rule *rules);
/* Ends it. Fails the test when a request fitted no rule. */
void fakeserver_free(struct fakeserver *f);

int fakeserver_port(const struct fakeserver *f);
size_t fakeserver_count(struct fakeserver *f);
/* "METHOD path\n" of every request in order of arrival; lives until the server ends. */
const char *fakeserver_log(struct fakeserver *f);
/* Of request i: "" when absent. name in lower case. */
struct str fakeserver_header(struct fakeserver *f, size_t i, const char *name);
struct str fakeserver_path(struct fakeserver *f, size_t i);
struct str fakeserver_body(struct fakeserver *f, size_t i);
/* The queue message in the body of request i, decoded; "" when it is none. In arena. */
struct str fakeserver_message(struct fakeserver *f, size_t i, struct arena *arena);

/* The hub MyHub of that account, opened by storage_open; what that asked is not in the log. */
struct fake_hub {
    int user_partitions; /* 0: 4, unless none is set */
    bool none;           /* the user says nothing of partitions */
    int host_partitions;
    bool table; /* there is a table MyHubPartitions */
};
struct storage *fake_hub_new(struct fakeserver *f, struct fake_hub how);

/* A call with time enough for a test. */
void fake_call_init(struct call *call);

#endif
