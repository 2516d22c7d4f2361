"""handles.py EVENTS DIRECTORY: what programs do to control files beside plain writing (F62 to F66). EVENTS is the
events/ of a running instance, DIRECTORY that instance's. Prints one line an offence; the messages that must have gone
are named Sent..., and no other."""
import errno
import fcntl
import mmap
import os
import sys

events, directory = sys.argv[1:]
flags = os.O_CREAT | os.O_TRUNC
offences = 0


def opened(name, mode=os.O_WRONLY):
    return os.open(f"{events}/{name}", mode | flags, 0o644)


def offend(what):
    global offences
    offences += 1
    print(what)


def fails(what, wanted, act, *args):
    try:
        act(*args)
    except OSError as e:
        if e.errno not in wanted:
            offend(f"{what}: {e.strerror}")
    else:
        offend(f"{what}: succeeded")


# F62: two writers of one name each send their own.
a, b = opened("SentTwice"), opened("SentTwice")
os.write(a, b'{"a":')
os.write(b, b'{"b":')
os.write(a, b"1}")
os.write(b, b"2}")
os.close(a)
os.close(b)

# F63: one handle in two processes is one value.
fd = opened("SentShared")
os.write(fd, b"[1,")
child = os.fork()
if child == 0:
    os.write(os.dup(fd), b"2,")
    os._exit(0)
os.waitpid(child, 0)
os.write(fd, b"3]")
fails("F63 more after the commit", [errno.EINVAL, errno.EFBIG], os.write, fd, b"[4]")
os.close(fd)

# F64: reads empty, can be synced; nothing else.
fd = opened("SentRead", os.O_RDWR)
if os.read(fd, 10) != b"":
    offend("F64 a control file has content")
os.fsync(fd)
fails("F64 flock", [errno.EOPNOTSUPP, errno.EINVAL], fcntl.flock, fd, fcntl.LOCK_EX)
os.write(fd, b"1 ")
os.fsync(fd)
os.close(fd)

fd = opened("Mapped", os.O_RDWR)
os.ftruncate(fd, 4096)
try:
    mmap.mmap(fd, 4096)
    offend("F64 mmap: succeeded")
except (OSError, ValueError):
    pass
fails("F64 fallocate", [errno.EOPNOTSUPP, errno.EINVAL], os.posix_fallocate, fd, 0, 10)
os.close(fd)
fails("F64 O_DIRECT", [errno.EINVAL], opened, "Direct", os.O_WRONLY | os.O_DIRECT)
fd = opened("Sought")
os.lseek(fd, 7, os.SEEK_SET)
fails("B27 seek and write", [errno.EINVAL], os.write, fd, b"1 ")
os.close(fd)

# F65: without effect here, refused elsewhere.
fd = opened("SentKept")
os.write(fd, b"1 ")
for act, args in ((os.fchmod, (0o600,)), (os.fchown, (0, 0)), (os.ftruncate, (0,)), (os.utime, ())):
    act(fd, *args)
os.close(fd)
fails("F65 chmod", [errno.EPERM], os.chmod, f"{directory}/status", 0o600)
fails("F65 utime", [errno.EPERM], os.utime, f"{directory}/status")
fails("F65 truncate", [errno.EPERM], os.truncate, f"{directory}/output", 0)

# F66: never offered.
fails("F66 mkdir", [errno.EPERM], os.mkdir, f"{directory}/new")
fails("F66 mknod", [errno.EPERM], os.mknod, f"{directory}/new")
fails("F66 mkfifo", [errno.EPERM], os.mkfifo, f"{directory}/new")
fails("F66 symlink", [errno.EPERM], os.symlink, "x", f"{directory}/new")
fails("F66 link", [errno.EPERM], os.link, f"{directory}/status", f"{directory}/new")
fails("F66 rename", [errno.EPERM], os.rename, f"{directory}/status", f"{directory}/new")
fails("F66 create", [errno.EPERM], os.open, f"{directory}/new", os.O_WRONLY | os.O_CREAT)
# Asked for once and never again: an answer would cost three requests a name in ls -l.
fails("F66 getxattr", [errno.EOPNOTSUPP], os.getxattr, directory, "user.x")
fails("F66 setxattr", [errno.EPERM, errno.EOPNOTSUPP], os.setxattr, directory, "user.x", b"1")
fails("F66 listxattr", [errno.EOPNOTSUPP], os.listxattr, directory)

# B15: the kernel's own limits.
fails("B15 a long path", [errno.ENAMETOOLONG], os.stat, directory + "/." * 2100)
sys.exit(offences > 0)
