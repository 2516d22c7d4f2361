/* settings: what an app is configured with: environment, local.settings.json and host.json of a
 * project directory, looked up as the Functions host does (storage messages 7.1-7.4). Knows files
 * and key spelling; not what a setting means. Ownership: settings_load gives, settings_free frees
 * and wipes; texts returned are borrowed from it or from the environment. Threads: private, while
 * starting. */
#ifndef BACKEND_SETTINGS_H
#define BACKEND_SETTINGS_H

#include "backend/base/call.h"

struct settings;

/* project NULL with search: the first directory from the current one upwards that holds host.json
 * or local.settings.json, none is fine. project given: it must be a directory with at least one of
 * them. ERR_INVALID names the file and what is wrong (encrypted, not JSON, version). */
MUST_CHECK enum err settings_load(const char *project, bool search, struct call *call,
                                  struct settings **ret);
void settings_free(struct settings *s);             /* accepts NULL */
const char *settings_dir(const struct settings *s); /* as given, or as found; "" = no project */

/* An app setting by name, case ignored, ':' and '__' alike. Environment before local.settings.json
 * Values; ConnectionStrings:X also as CUSTOMCONNSTR_X and the like and from ConnectionStrings. An
 * empty environment variable counts as not set. where (may be NULL): a constant "environment" or
 * SETTINGS_LOCAL. */
#define SETTINGS_LOCAL "local.settings.json"
bool settings_find(struct settings *s, struct str name, struct str *ret, const char **ret_where);
/* Only in local.settings.json: may be used while another thread changes the environment. */
bool settings_find_local(struct settings *s, struct str name, struct str *ret);

/* A value of host.json's extensions.durableTask section by dotted path ("storageProvider.type"),
 * numbers as text; the setting AzureFunctionsJobHost__extensions__durableTask__... wins over the
 * file. */
bool settings_host(struct settings *s, const char *path, struct str *ret, char *from,
                   size_t from_size);

#endif
