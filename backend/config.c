#include "backend/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "backend/base/buf.h"
#include "backend/settings.h"

#define HUB_DEFAULT        "TestHubName" /* storage messages 7.2 no. 2 */
#define CONNECTION_DEFAULT "AzureWebJobsStorage"
#define CONNECTION_DEV     "UseDevelopmentStorage=true"
#define SITE_MAX           45 /* storage messages 7.2 no. 3 */
#define PARTITIONS_MAX     16

void config_fini(struct config *c)
{
    secret_fini(&c->connection_string);
}

/* Letters and digits in the Unicode sense are kept; a byte beyond ASCII is part of a letter far
 * more often than not, and such site names cannot exist. */
static bool keeps(unsigned char c)
{
    return isalnum(c) || c >= 0x80;
}

void config_sanitise_hub(const char *site, char *ret, size_t size)
{
    char kept[SITE_MAX + 2];
    size_t n = 0;
    for (const char *p = site; *p && n < SITE_MAX; p++) {
        if (!keeps((unsigned char)*p))
            continue;
        if (n == 0 && isdigit((unsigned char)*p))
            kept[n++] = 't';
        kept[n++] = *p;
    }
    kept[n > SITE_MAX ? SITE_MAX : n] = '\0';
    if (n == 0)
        snprintf(ret, size, "DefaultTaskHub");
    else
        snprintf(ret, size, "%s%s", kept, n < 3 ? "Hub" : "");
}

bool config_hub_is_valid(const char *name)
{
    size_t n = strlen(name);
    if (n < 3 || n > 45 || !isalpha((unsigned char)name[0]))
        return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p))
            return false;
    return true;
}

/* Replaces %NAME% by settings; an unknown or unclosed token stays as it is, as in the host. */
static enum err expand(struct settings *s, struct call *call, struct str text, struct buf *ret)
{
    while (text.len > 0) {
        const char *open = memchr(text.p, '%', text.len);
        if (!open)
            break;
        size_t before = (size_t)(open - text.p);
        struct str rest = str_slice(text, before + 1, text.len);
        const char *close = rest.len ? memchr(rest.p, '%', rest.len) : NULL;
        struct str name = close ? str_slice(rest, 0, (size_t)(close - rest.p)) : STR_NONE;
        struct str value = STR_NONE;
        if (!close || !settings_find(s, name, &value, NULL))
            return call_fail(call, ERR_INVALID,
                             "hub name '" STR_FMT "': the setting '%%" STR_FMT
                             "%%' is not set in the "
                             "environment or in local.settings.json; set it or give --hub=NAME",
                             STR_ARG(text), STR_ARG(name));
        buf_add(ret, str_slice(text, 0, before));
        buf_add(ret, value);
        text = str_slice(rest, name.len + 1, rest.len);
    }
    buf_add(ret, text);
    return buf_err(ret);
}

static enum err set_hub(struct config *c, struct call *call, struct str name, const char *from)
{
    if (name.len >= sizeof(c->hub))
        return call_fail(call, ERR_INVALID,
                         "the hub name from %s is too long (45 characters at most)", from);
    snprintf(c->hub, sizeof(c->hub), STR_FMT, STR_ARG(name));
    if (!config_hub_is_valid(c->hub))
        return call_fail(
            call, ERR_INVALID,
            "Task hub name '%s' (from %s) should contain only alphanumeric characters, "
            "start with a letter, and have length between 3 and 45.",
            c->hub, from);
    snprintf(c->hub_from, sizeof(c->hub_from), "%s", from);
    return OK;
}

static enum err hub_from_project(struct settings *s, struct call *call, struct config *c)
{
    struct str text;
    char from[200];
    if (settings_host(s, "hubName", &text, from, sizeof(from))) {
        CLEANUP_BUF struct buf b = BUF_INIT(1024);
        enum err err = expand(s, call, text, &b);
        return err ? err : set_hub(c, call, buf_str(&b), from);
    }
    struct str site;
    if (settings_find(s, STR("WEBSITE_SITE_NAME"), &site, NULL) && site.len > 0) {
        char *copy = str_dup_c(site);
        if (!copy)
            return call_fail(call, ERR_NO_MEMORY, "out of memory");
        char name[64];
        config_sanitise_hub(copy, name, sizeof(name));
        free(copy);
        return set_hub(c, call, str_c(name), "WEBSITE_SITE_NAME");
    }
    return set_hub(c, call, STR(HUB_DEFAULT), "default");
}

static enum err partitions_from_project(struct settings *s, struct call *call, struct config *c)
{
    struct str text;
    char from[200];
    int64_t n;
    if (!settings_host(s, "storageProvider.partitionCount", &text, from, sizeof(from)))
        return OK;
    if (!str_to_i64(text, &n) || n < 1 || n > PARTITIONS_MAX)
        return call_fail(call, ERR_INVALID,
                         "partitionCount '" STR_FMT "' in %s is not between 1 and 16",
                         STR_ARG(text), from);
    c->host_partitions = (int)n;
    snprintf(c->partitions_from, sizeof(c->partitions_from), "%s", from);
    return OK;
}

/* What host.json can say that this program must refuse rather than guess (storage messages 7.1). */
static enum err refuse_foreign(struct settings *s, struct call *call)
{
    struct str text;
    char from[200];
    if (settings_host(s, "storageProvider.type", &text, from, sizeof(from)) && text.len > 0 &&
        !str_eq_nocase(text, STR("AzureStorage")))
        return call_fail(call, ERR_INVALID,
                         "%s: storage provider '" STR_FMT
                         "' keeps no task hub in Azure Storage; such an "
                         "app is reached through its HTTP management API",
                         from, STR_ARG(text));
    if ((settings_host(s, "storageProvider.trackingStoreConnectionName", &text, from,
                       sizeof(from)) ||
         settings_host(s, "storageProvider.trackingStoreConnectionStringName", &text, from,
                       sizeof(from))) &&
        text.len > 0)
        return call_fail(call, ERR_INVALID,
                         "%s: a separate tracking store ('" STR_FMT
                         "') is not supported yet: tables and "
                         "payloads would be looked for in the wrong account",
                         from, STR_ARG(text));
    return OK;
}

/* AzureWebJobsStorage and Storage name the same section. */
static const char *without_prefix(const char *name)
{
    return strncasecmp(name, "AzureWebJobs", 12) == 0 && name[12] ? name + 12 : name;
}

/* Before anybody changes the directory. A path that cannot be resolved is one that config_reread
 * cannot find again, which says so then. */
static void note_file(struct config *c, const struct settings *s, const char *where,
                      const char *key)
{
    if (strcmp(where, SETTINGS_LOCAL) != 0)
        return;
    snprintf(c->connection_key, sizeof(c->connection_key), "%s", key);
    if (!realpath(settings_dir(s), c->connection_dir))
        snprintf(c->connection_dir, sizeof(c->connection_dir), "%s", settings_dir(s));
}

/* Sections in the order in which the host looks (storage messages 7.3). */
static bool find_connection(struct settings *s, const char *name, struct str *ret, struct config *c)
{
    const char *bare = without_prefix(name);
    const struct {
        const char *prefix, *name;
    } forms[] = { { "ConnectionStrings:AzureWebJobs", bare },
                  { "AzureWebJobs", bare },
                  { "ConnectionStrings:", name },
                  { "", name } };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        char key[256];
        const char *where;
        snprintf(key, sizeof(key), "%s%s", forms[i].prefix, forms[i].name);
        if (settings_find(s, str_c(key), ret, &where)) {
            snprintf(c->connection_from, sizeof(c->connection_from), "%s %s", where, key);
            note_file(c, s, where, key);
            return true;
        }
    }
    return false;
}

static enum err refuse_identity(struct settings *s, struct call *call, const char *name)
{
    static const char *const keys[] = { "accountName",     "blobServiceUri", "queueServiceUri",
                                        "tableServiceUri", "credential",     "clientId",
                                        "tenantId" };
    const char *const sections[] = { name, without_prefix(name) };
    for (size_t i = 0; i < ARRAY_LEN(sections) * ARRAY_LEN(keys); i++) {
        char key[256];
        struct str value;
        snprintf(key, sizeof(key), "%s__%s", sections[i % ARRAY_LEN(sections)],
                 keys[i / ARRAY_LEN(sections)]);
        if (settings_find(s, str_c(key), &value, NULL))
            return call_fail(
                call, ERR_INVALID,
                "the setting %s asks for an identity (Microsoft Entra ID), which is not "
                "supported yet; put a connection string with a key or a shared access signature "
                "into %s, or into a file for --connection-file=FILE",
                key, name);
    }
    return OK;
}

static enum err take_connection(struct str value, struct call *call, const char *from,
                                struct secret *ret)
{
    value = str_trim(value);
    if (str_starts(value, STR("@Microsoft.KeyVault(")))
        return call_fail(call, ERR_INVALID,
                         "%s is a Key Vault reference, which only App Service can resolve; set the "
                         "connection string itself",
                         from);
    if (value.len == 0)
        return call_fail(call, ERR_INVALID, "%s is empty", from);
    enum err err = secret_set(ret, value);
    return err ? call_fail(call, err, "out of memory") : OK;
}

static enum err set_connection(struct settings *s, struct call *call, const char *name,
                               struct config *c)
{
    struct str value;
    if (!find_connection(s, name, &value, c)) {
        enum err err = refuse_identity(s, call, name);
        if (err)
            return err;
        return call_fail(
            call, ERR_INVALID,
            "Unable to resolve the Azure Storage connection named '%s': set the environment "
            "variable %s to a connection string, or give --connection=NAME, --connection-file=FILE "
            "or --project=DIR",
            name, name);
    }
    return take_connection(value, call, c->connection_from, &c->connection_string);
}

enum err config_reread(const struct config *c, struct call *call, struct secret *ret)
{
    struct settings *s = NULL;
    struct str value;

    if (!c->connection_key[0])
        return OK;
    enum err err = settings_load(c->connection_dir, false, call, &s);
    if (err)
        return err;
    if (settings_find_local(s, str_c(c->connection_key), &value))
        err = take_connection(value, call, c->connection_from, ret);
    else
        err = call_fail(call, ERR_INVALID, "%s/%s has no %s any more", c->connection_dir,
                        SETTINGS_LOCAL, c->connection_key);
    settings_free(s);
    return err;
}

/* SOURCE: HUB, azurite/HUB or ACCOUNT/HUB; with nothing behind the slash all hubs. */
static enum err read_source(const char *source, struct call *call, struct config *c,
                            bool *ret_azurite)
{
    struct str rest = str_c(source);
    const char *slash = strchr(source, '/');
    *ret_azurite = false;
    if (!slash)
        return set_hub(c, call, rest, "command line");
    struct str account = str_cut(&rest, '/');
    if (str_eq_nocase(account, STR("azurite")))
        *ret_azurite = true;
    else
        snprintf(c->account, sizeof(c->account), STR_FMT, STR_ARG(account));
    if (rest.len == 0) {
        c->all_hubs = true;
        return OK;
    }
    return set_hub(c, call, rest, "command line");
}

static void connection_name(const struct config_request *r, struct settings *s, char *ret,
                            size_t size)
{
    struct str text;
    char from[200];
    if (r->connection)
        snprintf(ret, size, "%s", r->connection);
    else if ((settings_host(s, "storageProvider.connectionName", &text, from, sizeof(from)) ||
              settings_host(s, "storageProvider.connectionStringName", &text, from,
                            sizeof(from))) &&
             text.len > 0)
        snprintf(ret, size, STR_FMT, STR_ARG(text));
    else
        snprintf(ret, size, CONNECTION_DEFAULT);
}

/* AzureWebJobsStorage is the environment's name for what host.json calls Storage. */
static void set_short_name(struct config *c, const char *name)
{
    snprintf(c->connection, sizeof(c->connection), "%s", without_prefix(name));
}

static enum err resolve(const struct config_request *r, struct settings *s, struct call *call,
                        struct config *c)
{
    bool azurite = false;
    enum err err = refuse_foreign(s, call);
    if (!err && r->source)
        err = read_source(r->source, call, c, &azurite);
    c->all_hubs |= r->all_hubs;
    if (!err && r->hub)
        err = set_hub(c, call, str_c(r->hub), "--hub");
    if (!err && c->all_hubs && c->hub[0])
        err = call_fail(call, ERR_INVALID, "hub %s is named, and all hubs are asked for: give one",
                        c->hub);
    if (!err && !c->all_hubs && !c->hub[0])
        err = hub_from_project(s, call, c);
    if (!err && !c->all_hubs) /* the project's own number is no other hub's */
        err = partitions_from_project(s, call, c);
    if (err)
        return err;
    if (r->partitions) {
        c->partitions = r->partitions;
        snprintf(c->partitions_from, sizeof(c->partitions_from), "--partitions");
    }
    char name[sizeof(c->connection)];
    connection_name(r, s, name, sizeof(name));
    set_short_name(c, name);
    if (r->connection_text) {
        snprintf(c->connection_from, sizeof(c->connection_from), "file %s", r->connection_file);
        return take_connection(secret_reveal(r->connection_text), call, c->connection_from,
                               &c->connection_string);
    }
    if (azurite && !r->connection) {
        snprintf(c->connection_from, sizeof(c->connection_from), "azurite/ (" CONNECTION_DEV ")");
        return secret_set(&c->connection_string, STR(CONNECTION_DEV));
    }
    return set_connection(s, call, name, c);
}

enum err config_resolve(const struct config_request *request, struct call *call, struct config *ret)
{
    struct config c = { 0 };
    struct settings *s = NULL;
    bool search = !request->source && !request->hub;
    enum err err = settings_load(request->project, search, call, &s);
    if (!err)
        err = resolve(request, s, call, &c);
    settings_free(s);
    if (err) {
        config_fini(&c);
        return err;
    }
    *ret = c;
    return OK;
}
