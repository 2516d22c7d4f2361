/* hubs: what the user asked to mount, found and opened: one hub, or all hubs of an account.
 * Knows options, where settings come from, and backends by their scheme; no files.
 * Ownership: embedded; hubs_close frees and wipes, after the forest is gone that was made of it.
 * Threads: opened by one; the functions that it gives to the forest may be called by any. */
#ifndef FS_HUBS_H
#define FS_HUBS_H

#include "backend/base/lock.h"
#include "backend/config.h"
#include "backend/registry.h"
#include "fs/forest.h"
#include "fs/options.h"

#define HTTP_BASE_MAX 2048 /* bytes of an address */

struct hubs {
    const struct options *options; /* I */
    const char *scheme;            /* I */
    struct config config;          /* I */
    struct hub_settings settings;  /* I */
    struct catalogue *only;        /* I: of the one hub; NULL = all */
    char account[128];             /* I */
    size_t count;                  /* I: hubs that there were when it was opened */
    char http_base[HTTP_BASE_MAX]; /* I: "" = none */
    /* I: absolute, since the daemon leaves its directory; "" = not given */
    char connection_file[PATH_MAX], key_file[PATH_MAX];

    struct lock lock;         /* RANK_INTERN: nothing is taken under it */
    struct secret connection; /* L: the string as it was read last */
    struct secret key;        /* L: of the HTTP management API */
};

/* Proves it: the account has answered, and the one hub exists. Errors as registry_open; config and
 * key file: ERR_INVALID. hubs_close in any case. */
MUST_CHECK enum err hubs_open(struct hubs *h, const struct options *options, struct call *call);
void hubs_close(struct hubs *h); /* accepts a zeroed one */

/* SIGHUP: reads the files with connection string and key again. What cannot be read is logged, and
 * the old one stays (F57). */
void hubs_reload(struct hubs *h);

/* Fills in what a forest needs of it: the catalogue or how hubs are found, and the addresses. */
void hubs_plant(struct hubs *h, struct forest_settings *ret);
/* "Hub@account", "account" for all. */
void hubs_name(const struct hubs *h, char *ret, size_t size);
/* The lines of .taskhubfs/config about it. */
void hubs_print(const struct hubs *h, struct buf *out);

#endif
