"""poll.py MOUNT ID EVENT DAEMON: poll(2) on the files of one instance that waits for an event.
DAEMON is the process that serves the mount."""
import os
import select
import subprocess
import sys
import time

mount, id, event, daemon = sys.argv[1:]
directory = os.path.join(mount, "instances", id)
failures = 0


def check(what, good, *more):
    global failures
    if not good:
        failures += 1
        print("FAILED:", what, *more, flush=True)


def opened(name, flags=os.O_RDONLY):
    return os.open(os.path.join(directory, name), flags)


def ready(fd, ms, events=select.POLLIN):
    p = select.poll()
    p.register(fd, events)
    got = p.poll(ms)
    return got[0][1] if got else 0


def timed(action, *args):
    begun = time.monotonic()
    result = action(*args)
    return result, time.monotonic() - begun


def threads():
    return len(os.listdir(f"/proc/{daemon}/task"))


def read_on(fd):
    data = b""
    while chunk := os.read(fd, 65536):
        data += chunk
    return data


def raise_event(name):
    fd = os.open(os.path.join(directory, "events", name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(fd, b'{"by":"poll"}\n')
    os.close(fd)


# What never waits, as with any file.
for name in ("status", "input", "custom-status", "status.json", "history.jsonl"):
    fd = opened(name)
    check(f"{name} is readable", ready(fd, 0) == select.POLLIN)
    os.close(fd)
fd = opened("terminate", os.O_WRONLY)
check("terminate is writable", ready(fd, 0, select.POLLOUT) == select.POLLOUT)
os.close(fd)

# The history: readable until it was read, then when there is more.
history = opened("history")
check("history is readable at first", ready(history, 0) == select.POLLIN)
first = os.read(history, 20)
check("and while something is left", len(first) == 20 and ready(history, 0) == select.POLLIN)
read_on(history)
check("read to its end it is not", ready(history, 0) == 0)
got, took = timed(ready, history, 1500)
check("nor later", got == 0 and took > 1.4, got, took)
wait = opened("wait")
check("wait is not readable", ready(wait, 0) == 0 and ready(wait, 300) == 0)

# Many at once cost no thread each.
before = threads()
crowd = [opened("wait") for _ in range(64)]
poller = select.epoll()
for fd in [*crowd, history]:
    poller.register(fd, select.EPOLLIN)
check("epoll: nobody is ready", poller.poll(1.2) == [])
# FUSE begins its workers when requests meet, ten at the most, and one thread asks for all who wait.
check("64 polls use no thread each", threads() <= before + 12, before, threads())

# Whoever polls can be ended.
child = subprocess.Popen([sys.executable, "-c", "import select; p=select.poll(); p.register(0); p.poll()"], stdin=wait)
time.sleep(0.5)
check("another process waits", child.poll() is None)
child.terminate()
check("and can be ended", child.wait(5) < 0)

raise_event("Other")
got, took = timed(poller.poll, 15)
check("epoll: the history has grown", [fd for fd, _ in got] == [history], got)
print(f"the history woke its poll after {took:.1f} s")
more = b""
end = time.monotonic() + 10
while b"EventRaised\tOther" not in more and time.monotonic() < end:
    if ready(history, 1000):
        more += read_on(history)
check("its event can be read", b'EventRaised\tOther\t\t{"by":"poll"}' in more, more)
# Closed while it is polled: nothing happens.
os.close(crowd.pop())

raise_event(event)
done = set()
begun = time.monotonic()
while len(done) < 64 and time.monotonic() < begun + 15:
    for fd, what in poller.poll(5):
        check("readable, nothing else", what == select.EPOLLIN, what)
        if fd not in done and fd != history:
            check("the status", os.read(fd, 100) == b"Completed\n")
        done.add(fd)
check("63 waits and the history woke", len(done) == 64, len(done))
print(f"the end woke all after {time.monotonic() - begun:.1f} s")
check("wait stays readable", ready(wait, 0) == select.POLLIN and os.read(wait, 100) == b"Completed\n")
rest = read_on(history)
check("the history ends", b"ExecutionCompleted" in more + rest, rest)
check("and its end is readable", ready(history, 0) == select.POLLIN and os.read(history, 100) == b"")
check("select too", select.select([history, wait], [], [], 0)[0] == [history, wait])
check("output is readable", ready(opened("output"), 0) == select.POLLIN)
sys.exit(failures > 0)
