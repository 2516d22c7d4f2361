#include "fs/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/base/limits.h"

#define KEY_FILE_MAX (64 * KIB)

/* Why the file cannot hold a secret; NULL = it can. */
static const char *objection(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "is not a plain file";
    if (st->st_uid != geteuid())
        return "belongs to another user";
    if (st->st_mode & 077)
        return "can be read by others; chmod 600 it";
    if (st->st_size == 0)
        return "is empty";
    if (st->st_size > (off_t)KEY_FILE_MAX)
        return "has more than 64 KiB";
    return NULL;
}

/* What one kind of file holds. */
struct holding {
    bool (*fits)(struct str s);
    const char *name;
};

/* A key goes into addresses as it is. */
static bool is_key(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("&#\"\\", s.p[i]))
            return false;
    return s.len > 0;
}

static bool is_line(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.len > 0;
}

static enum err read_all(int fd, const char *path, const struct holding *what, struct call *call,
                         struct secret *ret)
{
    char bytes[KEY_FILE_MAX];
    ssize_t n, len = 0;

    while ((n = read(fd, bytes + len, sizeof(bytes) - (size_t)len)) > 0)
        len += n;
    struct str key = str_trim((struct str){ bytes, (size_t)len });
    enum err err;
    if (n < 0)
        err = call_fail(call, ERR_INVALID, "key file %s: %s", path, strerror(errno));
    else if (!what->fits(key))
        err = call_fail(call, ERR_INVALID, "key file %s does not hold one line with a %s", path,
                        what->name);
    else if ((err = secret_set(ret, key)) != OK)
        err = call_fail(call, err, "out of memory");
    explicit_bzero(bytes, sizeof(bytes));
    return err;
}

static enum err read_file(const char *path, const struct holding *what, struct call *call,
                          struct secret *ret)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0 && errno == ELOOP)
        return call_fail(call, ERR_INVALID, "key file %s is a link", path);
    if (fd < 0)
        return call_fail(call, ERR_INVALID, "key file %s: %s", path, strerror(errno));
    const char *why = fstat(fd, &st) < 0 ? strerror(errno) : objection(&st);
    enum err err = why ? call_fail(call, ERR_INVALID, "key file %s %s", path, why)
                       : read_all(fd, path, what, call, ret);
    close(fd);
    return err;
}

enum err keyfile_read(const char *path, struct call *call, struct secret *ret)
{
    static const struct holding key = { is_key, "key" };

    return read_file(path, &key, call, ret);
}

enum err keyfile_read_connection(const char *path, struct call *call, struct secret *ret)
{
    static const struct holding connection = { is_line, "connection string" };

    return read_file(path, &connection, call, ret);
}
