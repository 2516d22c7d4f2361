#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <mntent.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/mountpoint.h"

/* realpath fails on a mount point whose daemon is dead, so its last component is taken as it is. */
static char *absolute(const char *path)
{
    char *whole = realpath(path, NULL);
    char *copy = strdup(path), *copy2 = strdup(path);
    char *ret = NULL;

    if (whole || !copy || !copy2) {
        free(copy);
        free(copy2);
        return whole;
    }
    char *parent = realpath(dirname(copy), NULL);
    if (parent &&
        asprintf(&ret, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, basename(copy2)) < 0)
        ret = NULL;
    free(parent);
    free(copy);
    free(copy2);
    return ret;
}

/* The type of what is mounted on top at this path; false: nothing is. */
static bool mounted_type(const char *absolute_path, char *ret, size_t size)
{
    char line[PATH_MAX * 2];
    struct mntent entry;
    bool found = false;

    FILE *f = setmntent("/proc/self/mounts", "re");
    if (!f)
        return false;
    while (getmntent_r(f, &entry, line, sizeof line))
        if (strcmp(entry.mnt_dir, absolute_path) == 0) {
            snprintf(ret, size, "%s", entry.mnt_type);
            found = true;
        }
    endmntent(f);
    return found;
}

static bool run_fusermount(const char *flags, const char *path)
{
    char program[] = "fusermount3", end_of_options[] = "--";
    char path_setting[] = "PATH=/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin";
    char *argv[] = { program, (char *)flags, end_of_options, (char *)path, NULL };
    char *env[] = { path_setting, NULL };
    pid_t pid;
    int status;

    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, env) != 0)
        return false;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool detach_dead(const char *path, struct buf *why)
{
    char type[64];

    if (!mounted_type(path, type, sizeof type) || strcmp(type, MOUNT_TYPE) != 0) {
        buf_printf(why,
                   "%s is a mount whose program has died, and it is not one of ours; unmount "
                   "it first: umount %s",
                   path, path);
        return false;
    }
    if (umount2(path, MNT_DETACH) == 0 || run_fusermount("-uz", path))
        return true;
    buf_printf(why, "%s is a dead mount of ours and could not be cleaned up: %s", path,
               strerror(errno));
    return false;
}

static bool is_empty(const char *path, struct buf *why)
{
    const struct dirent *e;
    bool empty = true;

    DIR *d = opendir(path);
    if (!d) {
        buf_printf(why, "mount point %s: %s", path, strerror(errno));
        return false;
    }
    while (empty && (e = readdir(d)))
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(d);
    if (!empty)
        buf_printf(why, "mount point %s is not empty; choose an empty directory", path);
    return empty;
}

static bool is_directory(const char *path, struct buf *why)
{
    struct stat st;

    if (stat(path, &st) < 0) {
        if (errno == ENOENT)
            buf_printf(why, "mount point %s does not exist: mkdir -p %s", path, path);
        else
            buf_printf(why, "mount point %s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(st.st_mode))
        buf_printf(why, "mount point %s is not a directory", path);
    return S_ISDIR(st.st_mode);
}

static bool is_fit(const char *path, struct buf *why)
{
    char type[64];
    struct stat st;

    if (stat(path, &st) < 0 && (errno == ENOTCONN || errno == ECONNABORTED) &&
        !detach_dead(path, why))
        return false;
    if (!is_directory(path, why))
        return false;
    if (mounted_type(path, type, sizeof type) && strcmp(type, MOUNT_TYPE) == 0) {
        buf_printf(why, "%s has a task hub mounted already; taskhubfs --unmount=%s ends it", path,
                   path);
        return false;
    }
    return is_empty(path, why);
}

char *mountpoint_prepare(const char *path, struct buf *why)
{
    char *ret = absolute(path);

    if (!ret) {
        buf_printf(why, "mount point %s does not exist: mkdir -p %s", path, path);
        return NULL;
    }
    if (is_fit(ret, why))
        return ret;
    free(ret);
    return NULL;
}

static bool unmount_absolute(const char *path, struct buf *why)
{
    char type[64];

    if (!mounted_type(path, type, sizeof type) || strcmp(type, MOUNT_TYPE) != 0) {
        buf_printf(why, "%s is not a mounted task hub", path);
        return false;
    }
    if (umount2(path, UMOUNT_NOFOLLOW) == 0 || (errno == EPERM && run_fusermount("-u", path)))
        return true;
    if (errno == EBUSY)
        buf_printf(why, "%s is in use; see who: fuser -vm %s", path, path);
    else
        buf_printf(why, "%s could not be unmounted: %s", path, strerror(errno));
    return false;
}

bool mountpoint_unmount(const char *path, struct buf *why)
{
    char *whole = absolute(path);
    bool done;

    if (!whole) {
        buf_printf(why, "%s: %s", path, strerror(errno));
        return false;
    }
    done = unmount_absolute(whole, why);
    free(whole);
    return done;
}
