"""events.py write DIRECTORY WRITERS EVENTS ID...: so many processes raise numbered events to these
instances as fast as they can; each keeps a list of those that were acknowledged. What it took goes to
standard output.
events.py compare DIRECTORY QUEUES: were exactly the acknowledged ones in the queues, none twice?"""
import collections
import json
import os
import sys
import time


def writer(mount, log, number, events, ids):
    with open(log, "w") as acknowledged:
        for n in range(events):
            id = ids[(number + n) % len(ids)]
            data = json.dumps({"writer": number, "n": n})
            fd = os.open(f"{mount}/instances/{id}/events/Tick", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            try:
                if os.write(fd, data.encode()) == len(data):
                    print(id, data, sep="\t", file=acknowledged)
            finally:
                os.close(fd)


def write(mount, directory, writers, events, *ids):
    begun = time.monotonic()
    children = []
    for number in range(int(writers)):
        child = os.fork()
        if child == 0:
            try:
                writer(mount, f"{directory}/{number}", number, int(events), ids)
            except OSError as e:
                print(f"writer {number}: {e}", flush=True)
                os._exit(1)
            os._exit(0)
        children.append(child)
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    took = time.monotonic() - begun
    total = int(writers) * int(events)
    print(f"{writers} writers, {total} events, {took:.1f} s, {total / took:.0f} a second, {failed} writers failed")
    return failed


def compare(directory, queues):
    acknowledged = collections.Counter()
    for name in os.listdir(directory):
        with open(os.path.join(directory, name)) as f:
            acknowledged.update(tuple(line.rstrip("\n").split("\t")) for line in f)
    found = collections.Counter()
    wrong = 0
    with open(queues) as f:
        for line in f:
            m = json.loads(line)
            found[(m["id"], m["input"])] += 1
            wrong += not (m["right"] and m["type"] == "EventRaisedEvent" and m["name"] == "Tick")
    lost, unasked = acknowledged - found, found - acknowledged
    twice = sum(n > 1 for n in found.values())
    print(f"{acknowledged.total()} acknowledged, {found.total()} in the queues, {lost.total()} lost, "
          f"{unasked.total()} that nobody sent or twice, {twice} twice, {wrong} wrong")
    return bool(lost or unasked or twice or wrong or not acknowledged)


sys.exit(write(*sys.argv[2:]) if sys.argv[1] == "write" else compare(*sys.argv[2:]))
