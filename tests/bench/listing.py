"""Workloads P1 to P8: names, attributes, memory and refreshes."""

import subprocess
import threading
import time
from statistics import median

from contestants import HUB, SELECT, Replay, shell
from report import Row

LIST = "ls -f instances | wc -l"
DOTS = 2
IDLE_S = 5.2  # beyond the freshness of a listing


def list_once(bench, replay, count):
    """One cold mount and listing: seconds, log, peak memory and CPU of the daemon."""
    with bench.product(replay) as mount:
        replay.clear()
        took, out = shell(LIST, mount.path)
        assert int(out) == count + DOTS, f"{out} names of {count}"
        result = (took, replay.log(), replay.stats(), mount.memory("VmHWM"), mount.cpu_s())
    return result


def listing(bench, args, name, replay, count, peers):
    """Ours, the floors and the peer in turn."""
    runs, peer = [], []
    for i in range(args.runs):
        took, log, stats, rss, cpu = list_once(bench, replay, count)
        net = bench.net_floor(replay, log)
        with bench.kernel_floor(replay) as floor:
            kernel, _ = shell(LIST, floor.path)
        runs.append((took, net + kernel))
        args.note(f"{name}: {took:.3f} s, cpu {cpu:.2f}, net {net:.3f}, kernel {kernel:.3f}, "
                  f"{stats['requests']} requests, peak {stats['peakBusy']} at once")
        if i < peers:
            peer.append(bench.peer(replay, "list", SELECT)[1])
    return Row(name, runs, peer, stats["requests"], stats["bytes"], rss)


def p1(bench, args):
    count = args.size or 100000
    with Replay(bench.work, count=count, prepare=[SELECT]) as replay:
        row = listing(bench, args, f"P1 cold ls -f, {count}, 0 ms", replay, count, args.runs)
    yield row.floor_goal(1.5).peer_goal(10)


def p2(bench, args):
    count = args.size or 100000
    base = None
    for kind in ("rand", "prefix", "time"):
        with Replay(bench.work, count=count, ids=kind, prepare=[SELECT], latency=20) as replay:
            row = listing(bench, args, f"P2 cold ls -f, {count} `{kind}`, 20 ms", replay, count, min(args.runs, 2))
        base = base or row.we
        row.floor_goal(1.2).peer_goal(25)
        row.goal("≤ 1.5 x rand", row.we <= 1.5 * base)
        most = count / 1000 * 1.15 + 100
        yield row.goal(f"≤ {most:.0f} requests", row.requests <= most)


def first_line(path):
    began = time.monotonic()
    with subprocess.Popen(["ls", "-f", "instances"], cwd=path, stdout=subprocess.PIPE) as ls:
        ls.stdout.readline()
        took = time.monotonic() - began
        ls.kill()
    return took


def p3(bench, args):
    count = args.size or 1000000
    for latency in (0, 20):
        runs = []
        with Replay(bench.work, count=count, prepare=[SELECT], latency=latency) as replay:
            for _ in range(args.runs):
                with bench.product(replay) as mount:
                    replay.clear()
                    took = first_line(mount.path)
                    first = next(e for e in replay.log() if "()?" in e["url"])
                runs.append((took, bench.net_floor_urls([replay.url + first["url"]], 1)))
        row = Row(f"P3 first name of {count}, {latency} ms", runs)
        over = median(we - floor for we, floor in runs)
        yield row.goal("≤ page + 15 ms", over <= 0.015)


def p4(bench, args):
    with Replay(bench.work, count=args.size or 100000, big=1) as replay:
        ids = [line.split("\t") for line in replay.ids().splitlines()[:1000]]
        some = next(i for i, status, _ in ids[500:] if status == "Completed")

        def cost(command):
            replay.clear()
            shell(command, mount.path)
            return replay.stats()["requests"]

        with bench.product(replay) as mount:
            first = cost(f"cat instances/{some}/status")
            again = cost(f"cat instances/{some}/status")
            output = cost(f"cat instances/{some}/output")
            big_row = cost(f"cat instances/{ids[0][0]}/status")
            big = cost(f"cat instances/{ids[0][0]}/output | wc -c")
    row = Row("P4 cat status, again, output; large output", requests=f"{first}, {again}, {output}; {big_row}, {big}")
    row.goal("1, then 0", first == 1 and again == 0).goal("output ≤ 1", output <= 1)
    yield row.goal("large: 1 more", big <= 2)


WARM = {
    "ls -f": "ls -f instances | wc -l",
    "ls -l": "ls -l instances | wc -l",
    "find -newermt": "find instances -maxdepth 1 -newermt 2024-03-01 | wc -l",
    "find -type d": "find instances -maxdepth 1 -type d | wc -l",
}
WARM_FILES = {
    "grep -rl --include=status": "grep -rl Failed --include=status instances | wc -l",
    "cat */status": "find instances -maxdepth 2 -name status -print0 | xargs -0 cat | wc -c",
}


def warm(bench, args, count, commands):
    with Replay(bench.work, count=count, prepare=[SELECT, "PartitionKey"]) as replay:
        with bench.product(replay) as mount, bench.kernel_floor(replay) as floor:
            for name, command in commands.items():
                runs = []
                for place in (mount, floor):
                    shell(command, place.path)
                replay.clear()
                for _ in range(args.runs):
                    runs.append((shell(command, mount.path)[0], shell(command, floor.path)[0]))
                row = Row(f"P5 warm {name}, {count}", runs, requests=replay.stats()["requests"], rss=mount.memory())
                args.note(f"{row.name}: {runs}")
                yield row.floor_goal(1.3)


def p5(bench, args):
    yield from warm(bench, args, args.size or 1000000, WARM)
    yield from warm(bench, args, 10000, WARM_FILES)


def walk(bench, args, name, command, count, history):
    """A cold walk that wants the details of every instance. The floor: the pages it asked for, and the walk."""
    with Replay(bench.work, count=count, history=history, prepare=[SELECT]) as replay:
        replay.post("prepare", {})
        if history:
            replay.post("prepare", {"table": f"{HUB}History"})
        runs = []
        for _ in range(min(args.runs, 2)):
            with bench.product(replay) as mount:
                replay.clear()
                took, out = shell(command, mount.path)
                log, stats, rss, cpu = replay.log(), replay.stats(), mount.memory("VmHWM"), mount.cpu_s()
            net = bench.net_floor(replay, log)
            with bench.kernel_floor(replay) as floor:
                kernel, _ = shell(command, floor.path)
            runs.append((took, net + kernel))
            args.note(f"{name}: {out.strip()} {took:.2f} s, cpu {cpu:.2f}, net {net:.2f}, kernel {kernel:.2f}, "
                      f"{stats['requests']} requests, peak {stats['peakBusy']} at once")
    row = Row(f"{name}, {count}", runs, (), stats["requests"], stats["bytes"], rss)
    most = 1.2 * count * (1 + history) / 1000 + 50
    return row.goal(f"≤ {most:.0f} requests", row.requests <= most).floor_goal(1.5)


GREP = "grep -rl MARK --include=output instances | wc -l"
# To /dev/null tar reads no file, but wants the size of each. That a directory grew meanwhile is no matter.
TAR = "tar cf /dev/null instances 2>/dev/null || [ $? -eq 1 ]"


def p6(bench, args):
    yield walk(bench, args, "P6 cold grep -rl MARK --include=output", GREP, args.size or 100000, 0)
    yield walk(bench, args, "P6 cold tar with 30 history rows each", TAR, min(args.size or 10000, 10000), 30)


def p7(bench, args):
    count = args.size or 1000000
    with Replay(bench.work, count=count, prepare=[SELECT]) as replay, bench.product(replay) as mount:
        before = mount.memory()
        shell(LIST, mount.path)
        listed = mount.memory()
        shell(WARM["find -newermt"], mount.path)
        found = mount.memory()
        length = len(replay.ids().split("\t", 1)[0])
    each = (listed - before) / count
    args.note(f"P7: {before >> 20} MiB, listed {listed >> 20}, after find {found >> 20}; {each:.0f} bytes each")
    row = Row(f"P7 memory, {count}: {each:.0f} bytes an instance; after find {found >> 20} MiB", rss=listed)
    row.goal(f"≤ {128 + length} bytes each", each <= 128 + length)
    yield row.goal("≤ 200 MiB at 1M", max(listed, found) * 1e6 / count <= 200 * 2**20 or count < 1000000)


class Prober(threading.Thread):
    """Reads one cached file over and over; keeps the longest pause."""

    def __init__(self, path):
        super().__init__()
        self.path, self.longest, self.stop = path, 0.0, False

    def run(self):
        while not self.stop:
            began = time.monotonic()
            self.path.stat()
            self.path.read_bytes()
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.002)


def p8(bench, args):
    count = args.size or 1000000
    with Replay(bench.work, count=count, prepare=[SELECT, "PartitionKey"]) as replay, bench.product(replay) as mount:
        replay.clear()
        shell(LIST, mount.path)
        full = replay.stats()["bytes"]
        some = replay.ids().splitlines()[count // 2].split("\t")[0]
        shell(f"cat instances/{some}/status", mount.path)
        prober = Prober(mount.path / "instances" / some / "status")
        prober.start()
        costs = []
        for _ in range(min(args.runs, 3)):
            time.sleep(IDLE_S)
            replay.post("change", {"update": 100})
            replay.clear()
            cpu = mount.cpu_s()
            took, _ = shell("ls -f instances | head -1", mount.path)
            time.sleep(1)
            stats = replay.stats()
            costs.append((stats["bytes"], stats["requests"], mount.cpu_s() - cpu, took))
            args.note(f"P8: {stats['bytes']} bytes, {stats['requests']} requests, cpu {costs[-1][2]:.2f}, {took:.3f} s")
        prober.stop = True
        prober.join()
        rss = mount.memory("VmHWM")
    worst = max(costs)
    row = Row(f"P8 refresh of {count} with 100 changes; longest pause {prober.longest * 1000:.0f} ms",
              [(c[3], None) for c in costs], requests=worst[1], bytes_in=worst[0], rss=rss)
    row.goal("≤ 2% of the bytes", worst[0] <= full / 50)
    yield row.goal("no pause over 50 ms", prober.longest <= 0.05)


WORKLOADS = {"P1": p1, "P2": p2, "P3": p3, "P4": p4, "P5": p5, "P6": p6, "P7": p7, "P8": p8}
