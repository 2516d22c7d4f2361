/* config: where a hub lives and how to get in, from options, environment, host.json and
 * local.settings.json (storage messages 7). Precedence: options > environment > local.settings.json
 * Values > host.json > defaults.
 * Knows files and names of settings; opens no connection.
 * Ownership: config_fini frees and wipes. Threads: private. */
#ifndef BACKEND_CONFIG_H
#define BACKEND_CONFIG_H

#include <limits.h>

#include "backend/base/call.h"
#include "backend/base/secret.h"

/* What the user said; NULL or 0 = not said. Borrowed. */
struct config_request {
    const char *source; /* HUB, ACCOUNT/HUB, azurite/HUB; ACCOUNT/, azurite/: all hubs; NULL = from
                           the project */
    bool all_hubs;      /* --all-hubs: no hub is looked for */
    const char *hub;    /* --hub */
    const char *connection; /* --connection: NAME of the setting; default AzureWebJobsStorage */
    const char *project;    /* --project: directory; NULL = none unless one is found upwards and no
                               source is given */
    /* --connection-file: its text and path; NULL = the setting is looked up */
    const struct secret *connection_text;
    const char *connection_file;
    int partitions; /* --partitions */
};

struct config {
    char hub[128]; /* as configured; the tables' own spelling is found when opening */
    bool all_hubs; /* hub is empty */
    char account[128];
    char connection[200]; /* the name that the app knows its connection by: "Storage", ... */
    struct secret connection_string;
    int partitions;      /* the user's own, or 0 */
    int host_partitions; /* host.json's, or 0 */
    /* Where each came from, for .taskhubfs/config and messages ("environment AzureWebJobsStorage",
     * "host.json of DIR", "default"). No secrets. */
    char hub_from[256], connection_from[256], partitions_from[256];
    /* Where config_reread looks: the setting's full name in the project's local.settings.json, and
     * that project, absolute; "" = it came from elsewhere. */
    char connection_key[256];
    char connection_dir[PATH_MAX];
};

/* ERR_INVALID (exit status 13) with what, where and the next step, never a value that may be
 * secret. */
MUST_CHECK enum err config_resolve(const struct config_request *request, struct call *call,
                                   struct config *ret);
void config_fini(struct config *c);

/* The connection string as local.settings.json has it now (F33, F57). OK and ret as it was: it did
 * not come from there. ERR_INVALID with a sentence: the file or the setting is gone or broken. Any
 * thread. */
MUST_CHECK enum err config_reread(const struct config *c, struct call *call, struct secret *ret);

/* The hub name that Functions makes of a site name (storage messages 7.2 no. 3, vectors V55a-h).
 * ret holds 46 bytes or more. */
void config_sanitise_hub(const char *site, char *ret, size_t size);
/* Valid as an explicit hub name: letters and digits, first a letter, 3 to 45. */
bool config_hub_is_valid(const char *name);

#endif
