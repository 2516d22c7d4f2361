"""events.py write MOUNT DIRECTORY WRITERS FIRST EVENTS ID...: so many processes raise numbered events to
these instances as fast as they can; each keeps a list of those that were acknowledged, and one of those
whose outcome is unknown. What it took goes to standard output.
events.py compare DIRECTORY QUEUES: were exactly the acknowledged ones in the queues, none twice? Those
of unknown outcome may be there once."""
import collections
import errno
import json
import os
import sys
import time


def raise_event(mount, id, data):
    """None when it was not sent for certain."""
    fd = os.open(f"{mount}/instances/{id}/events/Tick", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        return "acknowledged" if os.write(fd, data) == len(data) else None
    except OSError as e:
        print(e, flush=True)
        return "unknown" if e.errno in (errno.ETIMEDOUT, errno.EINTR) else None
    finally:
        os.close(fd)


def writer(mount, directory, number, first, events, ids):
    for n in range(first, first + events):
        id = ids[(number + n) % len(ids)]
        data = json.dumps({"writer": number, "n": n})
        outcome = raise_event(mount, id, data.encode())
        if outcome:
            with open(f"{directory}/{outcome}-{number}", "a") as log:
                print(id, data, sep="\t", file=log)


def write(mount, directory, writers, first, events, *ids):
    begun = time.monotonic()
    children = []
    for number in range(int(writers)):
        child = os.fork()
        if child == 0:
            writer(mount, directory, number, int(first), int(events), ids)
            os._exit(0)
        children.append(child)
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    took = time.monotonic() - begun
    total = int(writers) * int(events)
    print(f"{writers} writers, {total} events, {took:.1f} s, {total / took:.0f} a second", flush=True)
    return failed


def listed(directory, outcome):
    all = collections.Counter()
    for name in os.listdir(directory):
        if name.startswith(outcome):
            with open(os.path.join(directory, name)) as f:
                all.update(tuple(line.rstrip("\n").split("\t")) for line in f)
    return all


def compare(directory, queues):
    acknowledged, unknown = listed(directory, "acknowledged"), listed(directory, "unknown")
    found = collections.Counter()
    wrong = 0
    with open(queues) as f:
        for line in f:
            m = json.loads(line)
            found[(m["id"], m["input"])] += 1
            wrong += not (m["right"] and m["type"] == "EventRaisedEvent" and m["name"] == "Tick")
    lost, more = acknowledged - found, found - acknowledged - unknown
    print(f"{sum(acknowledged.values())} acknowledged, {sum(unknown.values())} unknown, {sum(found.values())} in the "
          f"queues, {sum(lost.values())} lost, {sum(more.values())} twice or never written, {wrong} wrong")
    return bool(lost or more or wrong or not acknowledged)


sys.exit(write(*sys.argv[2:]) if sys.argv[1] == "write" else compare(*sys.argv[2:]))
