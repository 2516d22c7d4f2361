#include "backend/settings.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/base/arena.h"
#include "backend/base/buf.h"
#include "backend/base/json.h"

#define FILE_MAX_BYTES (256 * 1024) /* a configuration file; larger ones are a mistake */

extern char **environ;

struct settings {
    char dir[PATH_MAX]; /* "" = no project */
    struct json *host, *local;
    struct arena arena; /* numbers of host.json as text */
};

/* Keys are compared ignoring case, and "__" stands for ":" (storage messages 7.3). */
static bool key_eq(const char *a, size_t a_len, struct str b)
{
    size_t i = 0, j = 0;
    while (i < a_len && j < b.len) {
        bool colon_a = a[i] == ':', colon_b = b.p[j] == ':';
        size_t step_a = 1, step_b = 1;
        if (i + 1 < a_len && a[i] == '_' && a[i + 1] == '_')
            colon_a = true, step_a = 2;
        if (j + 1 < b.len && b.p[j] == '_' && b.p[j + 1] == '_')
            colon_b = true, step_b = 2;
        if (colon_a != colon_b ||
            (!colon_a && tolower((unsigned char)a[i]) != tolower((unsigned char)b.p[j])))
            return false;
        i += step_a;
        j += step_b;
    }
    return i == a_len && j == b.len;
}

static bool find_environment(struct str name, struct str *ret)
{
    for (char **e = environ; *e; e++) {
        const char *eq = strchr(*e, '=');
        if (eq && eq[1] && key_eq(*e, (size_t)(eq - *e), name)) {
            *ret = str_c(eq + 1);
            return true;
        }
    }
    return false;
}

/* App Service hands connection strings over under these names (storage messages 7.3). */
static bool find_app_service(struct str name, struct str *ret)
{
    static const char *const prefixes[] = { "CUSTOMCONNSTR_", "SQLCONNSTR_", "SQLAZURECONNSTR_",
                                            "MYSQLCONNSTR_", "POSTGRESQLCONNSTR_" };
    struct str prefix = STR("ConnectionStrings:");
    if (name.len <= prefix.len || !str_eq_nocase(str_slice(name, 0, prefix.len), prefix))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        char key[300];
        int n = snprintf(key, sizeof(key), "%s" STR_FMT, prefixes[i],
                         STR_ARG(str_slice(name, prefix.len, name.len)));
        if (n > 0 && (size_t)n < sizeof(key) && find_environment(str_c(key), ret))
            return true;
    }
    return false;
}

static bool find_value(const struct json *object, struct str name, struct str *ret)
{
    for (const struct json *m = json_first(object); m; m = json_next(m)) {
        struct str key = json_name(m);
        if (!key_eq(key.p, key.len, name))
            continue;
        if (json_is_object(m))
            return json_get_str(json_member_nocase(m, "ConnectionString"), ret);
        return json_get_str(m, ret);
    }
    return false;
}

bool settings_find_local(struct settings *s, struct str name, struct str *ret)
{
    if (!s->local)
        return false;
    if (find_value(json_member_nocase(s->local, "Values"), name, ret))
        return true;
    struct str prefix = STR("ConnectionStrings:");
    return name.len > prefix.len && str_eq_nocase(str_slice(name, 0, prefix.len), prefix) &&
           find_value(json_member_nocase(s->local, "ConnectionStrings"),
                      str_slice(name, prefix.len, name.len), ret);
}

bool settings_find(struct settings *s, struct str name, struct str *ret, const char **ret_where)
{
    const char *where = "environment";
    bool found = find_environment(name, ret) || find_app_service(name, ret);
    if (!found) {
        where = SETTINGS_LOCAL;
        found = settings_find_local(s, name, ret);
    }
    if (found && ret_where)
        *ret_where = where;
    return found;
}

static bool scalar(struct settings *s, const struct json *j, struct str *ret)
{
    int64_t n;
    bool b;
    char text[32];
    if (json_get_str(j, ret))
        return true;
    if (json_get_bool(j, &b))
        *ret = b ? STR("true") : STR("false");
    else if (json_get_i64(j, &n)) {
        snprintf(text, sizeof(text), "%lld", (long long)n);
        *ret = arena_str(&s->arena, str_c(text));
    } else
        return false;
    return true;
}

bool settings_host(struct settings *s, const char *path, struct str *ret, char *from,
                   size_t from_size)
{
    char key[300];
    snprintf(key, sizeof(key), "AzureFunctionsJobHost:extensions:durableTask:%s", path);
    for (char *p = strstr(key, "durableTask:"); *p; p++)
        if (*p == '.')
            *p = ':';
    const char *where;
    if (settings_find(s, str_c(key), ret, &where)) {
        snprintf(from, from_size, "%s %s", where, key);
        return true;
    }
    const struct json *at = s->host ? json_path(s->host, "extensions", "durableTask", NULL) : NULL;
    struct str rest = str_c(path);
    while (at && rest.len > 0) {
        char name[100];
        struct str part = str_cut(&rest, '.');
        snprintf(name, sizeof(name), STR_FMT, STR_ARG(part));
        at = json_member_nocase(at, name);
    }
    if (!at || !scalar(s, at, ret))
        return false;
    snprintf(from, from_size, "host.json in %s", s->dir);
    return true;
}

/* *ret NULL and OK when there is no such file. */
static enum err load_file(const char *dir, const char *name, struct call *call, struct json **ret)
{
    char path[PATH_MAX];
    *ret = NULL;
    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        return call_fail(call, ERR_INVALID, "%s: the path is too long", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? OK : call_fail(call, ERR_INVALID, "%s: %s", path, strerror(errno));
    CLEANUP_BUF struct buf b = BUF_INIT(FILE_MAX_BYTES);
    ssize_t n = 0;
    do {
        buf_grown(&b, (size_t)n);
        char *space = buf_space(&b, 4096);
        n = space ? read(fd, space, 4096) : -1;
    } while (n > 0);
    int error = errno;
    close(fd);
    if (buf_err(&b))
        return call_fail(call, ERR_INVALID, "%s: larger than %d KiB", path, FILE_MAX_BYTES / 1024);
    if (n < 0)
        return call_fail(call, ERR_INVALID, "%s: %s", path, strerror(error));
    *ret = json_parse(buf_str(&b));
    if (b.p)
        explicit_bzero(b.p, b.cap);
    return *ret && json_is_object(*ret)
               ? OK
               : call_fail(call, ERR_INVALID, "%s: not a JSON object", path);
}

static enum err check_files(struct settings *s, struct call *call)
{
    struct str version;
    if (s->host && (!json_get_str(json_member_nocase(s->host, "version"), &version) ||
                    !str_eq(version, STR("2.0"))))
        return call_fail(
            call, ERR_INVALID,
            "%s/host.json: \"version\": \"2.0\" is missing; the shape of Functions v1 is not "
            "supported",
            s->dir);
    bool encrypted = true; /* absent counts as encrypted (storage messages 7.4) */
    if (s->local) {
        (void)json_get_bool(json_member_nocase(s->local, "IsEncrypted"), &encrypted);
        if (encrypted)
            return call_fail(
                call, ERR_INVALID,
                "%s/local.settings.json is encrypted (IsEncrypted is not false): run 'func "
                "settings decrypt', or set the connection string in the environment",
                s->dir);
    }
    return OK;
}

static enum err load_dir(struct settings *s, const char *dir, struct call *call)
{
    snprintf(s->dir, sizeof(s->dir), "%s", dir);
    enum err err = load_file(dir, "host.json", call, &s->host);
    if (!err)
        err = load_file(dir, "local.settings.json", call, &s->local);
    return err ? err : check_files(s, call);
}

static enum err search_upwards(struct settings *s, struct call *call)
{
    char dir[PATH_MAX];
    if (!getcwd(dir, sizeof(dir)))
        return OK;
    while (dir[0]) {
        enum err err = load_dir(s, dir, call);
        if (err || s->host || s->local)
            return err;
        *strrchr(dir, '/') = '\0';
    }
    s->dir[0] = '\0';
    return OK;
}

enum err settings_load(const char *project, bool search, struct call *call, struct settings **ret)
{
    struct settings *s = calloc(1, sizeof(*s));
    if (!s)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    arena_init(&s->arena);
    enum err err = OK;
    if (project)
        err = load_dir(s, project, call);
    else if (search)
        err = search_upwards(s, call);
    if (!err && project && !s->host && !s->local)
        err = call_fail(call, ERR_INVALID, "%s holds neither host.json nor local.settings.json",
                        project);
    if (err) {
        settings_free(s);
        return err;
    }
    *ret = s;
    return OK;
}

const char *settings_dir(const struct settings *s)
{
    return s->dir;
}

void settings_free(struct settings *s)
{
    if (!s)
        return;
    json_free(s->host);
    json_free(s->local);
    arena_fini(&s->arena);
    free(s);
}
