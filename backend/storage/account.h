/* account: a storage account as a connection string names it: three endpoints and a way in.
 * Knows the grammar of connection strings (storage messages 7.5); opens no connection.
 * Ownership: embedded; account_fini wipes and frees.
 * Threads: fixed after it was parsed; then anyone may read. */
#ifndef BACKEND_STORAGE_ACCOUNT_H
#define BACKEND_STORAGE_ACCOUNT_H

#include "backend/base/call.h"
#include "backend/base/secret.h"

enum service { SERVICE_TABLES, SERVICE_QUEUES, SERVICE_BLOBS, SERVICE_COUNT };

const char *service_name(enum service s); /* "table", "queue", "blob": as in host names */

#define ENDPOINT_MAX 512 /* bytes of one endpoint with its NUL; a host name has at most 253 */

struct account {
    char name[128];                              /* for signing and messages */
    char endpoints[SERVICE_COUNT][ENDPOINT_MAX]; /* absolute, without a slash at the end */
    struct secret key;                           /* decoded; not set with a SAS */
    struct secret sas;                           /* query text without '?'; not set with a key */
    bool development;                            /* UseDevelopmentStorage */
};

/* ERR_INVALID with a sentence that names the part and never holds a value (B52); so is an http
 * endpoint that is not loopback (B53) unless UseDevelopmentStorage says so, whose key is public. */
MUST_CHECK enum err account_parse(struct account *ret, struct str connection_string,
                                  struct call *call);
void account_fini(struct account *a); /* accepts a zeroed one */

#endif
