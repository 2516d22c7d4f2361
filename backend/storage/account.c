#include "backend/storage/account.h"

#include <stdio.h>

#include "backend/base/digest.h"

/* The key and account that every emulator knows; published, hence no secret. */
#define DEVELOPMENT_NAME "devstoreaccount1"
#define DEVELOPMENT_KEY                                                                            \
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

#define KEY_BYTES_MAX    1024
#define NO_VALID_ACCOUNT "No valid combination of account information found."

enum setting {
    SET_DEVELOPMENT,
    SET_PROXY,
    SET_PROTOCOL,
    SET_NAME,
    SET_KEY,
    SET_KEY_NAME,
    SET_TABLES,
    SET_QUEUES,
    SET_BLOBS,
    SET_FILES,
    SET_TABLES_2,
    SET_QUEUES_2,
    SET_BLOBS_2,
    SET_FILES_2,
    SET_SUFFIX,
    SET_SAS,
    SET_COUNT
};

static const char *const setting_names[SET_COUNT] = {
    [SET_DEVELOPMENT] = "UseDevelopmentStorage",
    [SET_PROXY] = "DevelopmentStorageProxyUri",
    [SET_PROTOCOL] = "DefaultEndpointsProtocol",
    [SET_NAME] = "AccountName",
    [SET_KEY] = "AccountKey",
    [SET_KEY_NAME] = "AccountKeyName",
    [SET_TABLES] = "TableEndpoint",
    [SET_QUEUES] = "QueueEndpoint",
    [SET_BLOBS] = "BlobEndpoint",
    [SET_FILES] = "FileEndpoint",
    [SET_TABLES_2] = "TableSecondaryEndpoint",
    [SET_QUEUES_2] = "QueueSecondaryEndpoint",
    [SET_BLOBS_2] = "BlobSecondaryEndpoint",
    [SET_FILES_2] = "FileSecondaryEndpoint",
    [SET_SUFFIX] = "EndpointSuffix",
    [SET_SAS] = "SharedAccessSignature",
};

/* What the text said; values are slices of it. */
struct settings {
    bool given[SET_COUNT];
    struct str value[SET_COUNT];
};

const char *service_name(enum service s)
{
    static const char *const names[SERVICE_COUNT] = {
        [SERVICE_TABLES] = "table",
        [SERVICE_QUEUES] = "queue",
        [SERVICE_BLOBS] = "blob",
    };

    return names[s];
}

static enum setting endpoint_setting(enum service s)
{
    static const enum setting settings[SERVICE_COUNT] = {
        [SERVICE_TABLES] = SET_TABLES,
        [SERVICE_QUEUES] = SET_QUEUES,
        [SERVICE_BLOBS] = SET_BLOBS,
    };

    return settings[s];
}

static int setting_find(struct str name)
{
    for (int i = 0; i < SET_COUNT; i++)
        if (str_eq_nocase(name, str_c(setting_names[i])))
            return i;
    return -1;
}

static enum err settings_read(struct settings *set, struct str text, struct call *call)
{
    unsigned part_no = 0;

    if (str_has(text, STR("@Microsoft.KeyVault(")))
        return call_fail(
            call, ERR_INVALID,
            "connection string: a Key Vault reference is resolved by App Service only; "
            "give the connection string itself");
    while (text.len) {
        struct str value = str_cut(&text, ';');
        struct str name;
        int i;

        part_no++;
        if (!str_trim(value).len)
            continue;
        if (!memchr(value.p, '=', value.len) || value.p[0] == '=')
            return call_fail(call, ERR_INVALID,
                             "connection string, part %u: Settings must be of the form "
                             "\"name=value\".",
                             part_no);
        name = str_cut(&value, '=');
        /* An unknown name is not quoted: a key cut in two looks like one. */
        i = setting_find(str_trim(name));
        if (i < 0)
            return call_fail(call, ERR_INVALID,
                             "connection string, part %u: unknown setting; " NO_VALID_ACCOUNT,
                             part_no);
        if (set->given[i])
            return call_fail(call, ERR_INVALID, "connection string: Duplicate setting '%s' found.",
                             setting_names[i]);
        set->given[i] = true;
        set->value[i] = str_trim(value);
    }
    return OK;
}

static enum err invalid_value(struct call *call, enum setting i, const char *why)
{
    return call_fail(call, ERR_INVALID, "connection string: %s %s", setting_names[i], why);
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return s.len && s.len < sizeof(((struct account *)0)->name);
}

static bool is_host_part(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr("-._[]:", c)))
            return false;
    }
    return s.len > 0;
}

/* The pieces of an absolute http(s) URL without query; all slices of it. */
struct endpoint {
    bool https;
    struct str authority, host, path; /* path "" or beginning with '/' */
};

static bool endpoint_split(struct str url, struct endpoint *ret)
{
    struct endpoint e = { .https = str_starts(url, STR("https://")) };
    struct str rest = url, port;
    size_t path_at, colon;

    if (!e.https && !str_starts(url, STR("http://")))
        return false;
    rest = str_slice(url, e.https ? 8 : 7, url.len);
    for (size_t i = 0; i < rest.len; i++)
        if ((unsigned char)rest.p[i] <= ' ' || (unsigned char)rest.p[i] >= 0x7F ||
            strchr("?#@\\\"'<>", rest.p[i]))
            return false;
    for (path_at = 0; path_at < rest.len && rest.p[path_at] != '/';)
        path_at++;
    e.authority = str_slice(rest, 0, path_at);
    e.path = str_slice(rest, path_at, rest.len);
    while (str_ends(e.path, STR("/")))
        e.path.len--;
    if (!is_host_part(e.authority))
        return false;
    for (colon = e.authority.len; colon && e.authority.p[colon - 1] != ':';)
        if (e.authority.p[--colon] == ']') {
            colon = 0;
            break;
        }
    e.host = colon ? str_slice(e.authority, 0, colon - 1) : e.authority;
    port = colon ? str_slice(e.authority, colon, e.authority.len) : STR("80");
    uint64_t number;
    if (!e.host.len || !str_to_u64(port, &number) || !number || number > 65535)
        return false;
    *ret = e;
    return true;
}

static bool is_numeric_host(struct str host)
{
    for (size_t i = 0; i < host.len; i++)
        if (!((host.p[i] >= '0' && host.p[i] <= '9') || host.p[i] == '.'))
            return str_starts(host, STR("["));
    return host.len > 0;
}

static bool is_loopback(struct str host)
{
    return str_eq_nocase(host, STR("localhost")) || str_ends(host, STR(".localhost")) ||
           str_eq(host, STR("[::1]")) || (str_starts(host, STR("127.")) && is_numeric_host(host));
}

static enum err endpoint_set(struct account *a, enum service s, struct str url, struct call *call)
{
    enum setting setting = endpoint_setting(s);
    struct endpoint e;

    if (!endpoint_split(url, &e))
        return invalid_value(call, setting, "is not an absolute http or https address");
    if (!e.https && !is_loopback(e.host) && !a->development)
        return invalid_value(call, setting,
                             "uses http to another machine; a key must not travel unencrypted, "
                             "use https");
    if (e.authority.len + e.path.len + sizeof("https://") > ENDPOINT_MAX)
        return invalid_value(call, setting, "is too long");
    snprintf(a->endpoints[s], ENDPOINT_MAX, "%s://" STR_FMT STR_FMT, e.https ? "https" : "http",
             STR_ARG(e.authority), STR_ARG(e.path));
    return OK;
}

static enum err endpoint_make(struct account *a, enum service s, const struct settings *set,
                              struct call *call)
{
    struct str protocol = set->given[SET_PROTOCOL] ? set->value[SET_PROTOCOL] : STR("https");
    struct str suffix = set->given[SET_SUFFIX] ? set->value[SET_SUFFIX] : STR("core.windows.net");
    char url[ENDPOINT_MAX];
    int n;

    if (!str_eq_nocase(protocol, STR("https")) && !str_eq_nocase(protocol, STR("http")))
        return invalid_value(call, SET_PROTOCOL, "is neither http nor https");
    if (!is_host_part(suffix))
        return invalid_value(call, SET_SUFFIX, "is not part of a host name");
    if (str_eq_nocase(protocol, STR("http")) && !is_loopback(suffix))
        return invalid_value(call, SET_PROTOCOL,
                             "is http to another machine; a key must not travel unencrypted, "
                             "use https");
    n = snprintf(url, sizeof(url), "%s://%s.%s." STR_FMT, protocol.len == 5 ? "https" : "http",
                 a->name, service_name(s), STR_ARG(suffix));
    if (n < 0 || (size_t)n >= sizeof(url))
        return invalid_value(call, SET_SUFFIX, "is too long");
    return endpoint_set(a, s, str_c(url), call);
}

static enum err endpoints_read(struct account *a, const struct settings *set, struct call *call)
{
    enum err err = OK;

    for (int s = 0; s < SERVICE_COUNT && err == OK; s++) {
        enum setting setting = endpoint_setting((enum service)s);

        if (set->given[setting])
            err = endpoint_set(a, (enum service)s, set->value[setting], call);
        else if (a->name[0])
            err = endpoint_make(a, (enum service)s, set, call);
        else
            err = call_fail(call, ERR_INVALID,
                            "connection string: %s is missing and cannot be made, because "
                            "AccountName is missing, too",
                            setting_names[setting]);
    }
    return err;
}

/* Signing needs the name even when only endpoints are given: it is the first path segment where the
 * host is no account's own, else the host's first label. */
static enum err name_from_endpoint(struct account *a, struct call *call)
{
    struct endpoint e;
    struct str name;

    if (!endpoint_split(str_c(a->endpoints[SERVICE_TABLES]), &e))
        return call_fail(call, ERR_BUG, "an endpoint that was accepted cannot be read");
    if (e.path.len && (is_numeric_host(e.host) || is_loopback(e.host)))
        name = str_slice(e.path, 1, e.path.len);
    else
        name = e.host;
    name = str_cut(&name, e.path.len && name.p == e.path.p + 1 ? '/' : '.');
    if (!is_name(name))
        return call_fail(
            call, ERR_INVALID,
            "connection string: AccountName is missing and the endpoints do not tell it");
    snprintf(a->name, sizeof(a->name), STR_FMT, STR_ARG(name));
    return OK;
}

static enum err key_read(struct account *a, struct str base64, struct call *call)
{
    struct buf key = BUF_INIT(KEY_BYTES_MAX);
    enum err err = base64_decode(&key, base64);

    if (err == OK && key.len == 0)
        err = ERR_DAMAGED;
    if (err == OK)
        err = buf_err(&key);
    if (err == OK)
        err = secret_set(&a->key, buf_str(&key));
    if (key.p)
        explicit_bzero(key.p, key.cap);
    buf_fini(&key);
    if (err == ERR_NO_MEMORY)
        return call_fail(call, err, "no memory for the account key");
    return err == OK ? OK : invalid_value(call, SET_KEY, "is not base64");
}

static enum err sas_read(struct account *a, struct str sas, struct call *call)
{
    if (str_starts(sas, STR("?")) || str_starts(sas, STR("&")))
        sas = str_slice(sas, 1, sas.len);
    for (size_t i = 0; i < sas.len; i++)
        if ((unsigned char)sas.p[i] <= ' ' || (unsigned char)sas.p[i] >= 0x7F || sas.p[i] == '#')
            return invalid_value(call, SET_SAS, "holds characters that no query has");
    if (!str_has(sas, STR("sig=")))
        return invalid_value(call, SET_SAS, "holds no signature (sig=)");
    if (secret_set(&a->sas, sas) != OK)
        return call_fail(call, ERR_NO_MEMORY, "no memory for the shared access signature");
    return OK;
}

static enum err development_read(struct account *a, const struct settings *set, struct call *call)
{
    static const int ports[SERVICE_COUNT] = {
        [SERVICE_TABLES] = 10002,
        [SERVICE_QUEUES] = 10001,
        [SERVICE_BLOBS] = 10000,
    };
    struct endpoint proxy = { .host = STR("127.0.0.1") };
    enum err err;

    for (int i = 0; i < SET_COUNT; i++)
        if (set->given[i] && i != SET_DEVELOPMENT && i != SET_PROXY)
            return call_fail(
                call, ERR_INVALID,
                "connection string: %s beside UseDevelopmentStorage; " NO_VALID_ACCOUNT,
                setting_names[i]);
    if (!str_eq_nocase(set->value[SET_DEVELOPMENT], STR("true")))
        return invalid_value(call, SET_DEVELOPMENT, "can only be true");
    if (set->given[SET_PROXY] && !endpoint_split(set->value[SET_PROXY], &proxy))
        return invalid_value(call, SET_PROXY, "is not an absolute http or https address");
    a->development = true;
    snprintf(a->name, sizeof(a->name), "%s", DEVELOPMENT_NAME);
    for (int s = 0; s < SERVICE_COUNT; s++) {
        char url[ENDPOINT_MAX];
        int n = snprintf(url, sizeof(url), "%s://" STR_FMT ":%d/%s", proxy.https ? "https" : "http",
                         STR_ARG(proxy.host), ports[s], DEVELOPMENT_NAME);

        if (n < 0 || (size_t)n >= sizeof(url))
            return invalid_value(call, SET_PROXY, "is too long");
        err = endpoint_set(a, (enum service)s, str_c(url), call);
        if (err != OK)
            return err;
    }
    return key_read(a, STR(DEVELOPMENT_KEY), call);
}

/* Which combinations are an account (storage messages 7.5, forms a to e). */
static enum err combination_check(const struct settings *set, struct call *call)
{
    for (int i = SET_TABLES_2; i <= SET_FILES_2; i++)
        if (set->given[i] && !set->given[i - SET_TABLES_2 + SET_TABLES])
            return call_fail(call, ERR_INVALID,
                             "connection string: %s without %s; " NO_VALID_ACCOUNT,
                             setting_names[i], setting_names[i - SET_TABLES_2 + SET_TABLES]);
    if (set->given[SET_PROXY])
        return call_fail(call, ERR_INVALID,
                         "connection string: DevelopmentStorageProxyUri without "
                         "UseDevelopmentStorage; " NO_VALID_ACCOUNT);
    if (set->given[SET_KEY] && set->given[SET_SAS])
        return call_fail(call, ERR_INVALID,
                         "connection string: AccountKey and SharedAccessSignature exclude each "
                         "other; " NO_VALID_ACCOUNT);
    if (set->given[SET_KEY] && !set->given[SET_NAME])
        return call_fail(call, ERR_INVALID,
                         "connection string: AccountKey without AccountName; " NO_VALID_ACCOUNT);
    if (!set->given[SET_KEY] && !set->given[SET_SAS])
        return call_fail(
            call, ERR_INVALID,
            "connection string: neither AccountKey nor SharedAccessSignature; " NO_VALID_ACCOUNT);
    return OK;
}

static enum err account_read(struct account *a, const struct settings *set, struct call *call)
{
    enum err err = combination_check(set, call);

    if (err == OK && set->given[SET_NAME]) {
        if (!is_name(set->value[SET_NAME]))
            return invalid_value(call, SET_NAME, "is not the name of an account");
        snprintf(a->name, sizeof(a->name), STR_FMT, STR_ARG(set->value[SET_NAME]));
    }
    if (err == OK)
        err = endpoints_read(a, set, call);
    if (err == OK && !a->name[0])
        err = name_from_endpoint(a, call);
    if (err == OK && set->given[SET_KEY])
        err = key_read(a, set->value[SET_KEY], call);
    if (err == OK && set->given[SET_SAS])
        err = sas_read(a, set->value[SET_SAS], call);
    return err;
}

enum err account_parse(struct account *ret, struct str connection_string, struct call *call)
{
    struct account a = { .key = SECRET_NONE, .sas = SECRET_NONE };
    struct settings set = { 0 };
    struct str text = str_trim(connection_string);
    enum err err;

    if (!text.len)
        return call_fail(call, ERR_INVALID, "connection string: it is empty");
    if (memchr(text.p, 0, text.len))
        return call_fail(call, ERR_INVALID, "connection string: it holds a NUL byte");
    err = settings_read(&set, text, call);
    if (err == OK)
        err = set.given[SET_DEVELOPMENT] ? development_read(&a, &set, call)
                                         : account_read(&a, &set, call);
    if (err == OK)
        *ret = a;
    else
        account_fini(&a);
    return err;
}

void account_fini(struct account *a)
{
    secret_fini(&a->key);
    secret_fini(&a->sas);
}
