"""Workloads P9 to P12: purges, an idle mount, events and many readers."""

import time

from contestants import Replay, shell
from report import Row

PARTITIONS = "--partitions=4"  # so that none are looked for


def p9(bench, args):
    count = args.size or (10000 if args.full else 1200)  # whole rounds of eight times fifty
    few = min(count, 100)
    with Replay(bench.work, count=count * 2, history=30, latency=20) as replay:
        with bench.product(replay) as mount:
            replay.clear()
            took, _ = shell(
                f"find by-status/Completed -mindepth 1 -maxdepth 1 -print0 | head -z -n {count} | "
                "xargs -0 -n 50 -P 8 rm -r", mount.path)
            stats, rss = replay.stats(), mount.memory("VmHWM")
        listed = count * 2 / 1000 * 1.15 + 10
        each = (stats["requests"] - listed) / count
        done, peer = bench.peer(replay, "purge", str(few))
    rate, peer_rate = count / took, int(done) / peer
    args.note(f"P9: {rate:.1f}/s, peer {peer_rate:.1f}/s, {stats['requests']} requests")
    row = Row(f"P9 purge of {count} by find and rm -r: {rate:.0f}/s, peer {peer_rate:.1f}/s; {each:.1f} requests each",
              [(took, None)], requests=stats["requests"], rss=rss)
    yield row.goal("≥ 5 x peer", rate >= 5 * peer_rate).goal("≤ 6 requests each", each <= 6)


def p10(bench, args):
    seconds = 60 if args.full else 20
    with Replay(bench.work, count=10000) as replay, bench.product(replay) as mount:
        shell("ls -f instances | wc -l", mount.path)
        time.sleep(8)  # what the listing began may end
        before, cpu = mount.switches(), mount.cpu_s()
        replay.clear()
        time.sleep(seconds)
        woken = sum(n - before.get(thread, 0) for thread, n in mount.switches().items())
        used, asked = mount.cpu_s() - cpu, replay.stats()["requests"]
    row = Row(f"P10 idle for {seconds} s: {woken} wake-ups, {used:.2f} s CPU", requests=asked)
    yield row.goal("0 wake-ups", woken == 0).goal("0 requests", asked == 0)


def trip_s(bench, replay, id_):
    """Seconds of one round trip: the server's latency, its own work, and the wire."""
    url = f"{replay.url}/replay/ReplayHubInstances(PartitionKey='{id_}',RowKey='')"
    trips = 20
    return bench.net_floor_urls([url] * trips, 1) / trips


def p11(bench, args):
    count = args.size or (2000 if args.full else 400)
    each = max(2000, count) // 32  # shells start one after the other: that must not be what is measured
    for latency in (0, 20):
        with Replay(bench.work, count=2000, latency=latency) as replay, bench.product(replay, PARTITIONS) as mount:
            running = [i for i, s, _ in (line.split("\t") for line in replay.ids().splitlines()) if s == "Running"]
            files = [f"instances/{i}/events/E" for i in running]
            (bench.work / "one").write_text(f"{files[0]}\n" * count)
            for i in range(32):
                (bench.work / f"part.{i}").write_text(f"{files[i]}\n" * each)
            trip = trip_s(bench, replay, running[0])
            replay.clear()
            one, _ = shell(f"while read -r f; do echo '{{}}' >$f || exit 1; done < {bench.work}/one", mount.path)
            stats = replay.stats()
            many, _ = shell(
                f"for p in {bench.work}/part.*; do "
                "(while read -r f; do echo '{}' >$f || exit 1; done < $p) & done; wait", mount.path)
            both = replay.stats()
        one, many = one / count, many / (32 * each)
        args.note(f"P11 {latency} ms: one {1 / one:.0f}/s, 32 shells {1 / many:.0f}/s, trip {trip * 1000:.1f} ms, "
                  f"requests {stats['requests'] / count:.2f} and {(both['requests'] - stats['requests']) / each / 32:.2f} each")
        row = Row(f"P11 events, {latency} ms (a round trip takes {trip * 1000:.1f}): "
                  f"one shell {1 / one:.0f}/s, 32 shells {1 / many:.0f}/s", [(one, None)], requests=stats["requests"])
        row.goal("every event arrived once", both["messages"] == count + 32 * each)
        row.goal("≤ 2 round trips + 2 ms", one <= 2 * trip + 0.002)
        if latency:
            row.goal("32 shells ≥ 20 x one", one / many >= 20)
        yield row


def raw(bench, text, readers):
    """Seconds for so many cats of plain files: what processes and copying cost."""
    for i in range(readers):
        (bench.work / f"raw{i}").write_text(text)
    return shell(f"for i in $(seq 0 {readers - 1}); do cat raw$i >/dev/null & done; wait", bench.work)[0]


READ = "for i in $(seq 64); do cat {} >/dev/null & done; wait"


def p12(bench, args):
    with Replay(bench.work, count=2000, big=64) as replay:
        ids = [line.split("\t")[0] for line in replay.ids().splitlines()[:64]]
        blob = replay.environment["AzureWebJobsStorage"].partition("BlobEndpoint=")[2].partition(";")[0]
        origin = blob.rpartition("/")[0]
        one, all_ = [], []
        for _ in range(args.runs):
            with bench.product(replay) as mount:
                shell(f"cat instances/{ids[0]}/status", mount.path)
                replay.clear()
                took, _ = shell(READ.format(f"instances/{ids[0]}/output"), mount.path)
                log = replay.log()
                blobs = [origin + e["url"] for e in log if "largemessages" in e["url"]]
                single = len(blobs)
                text = (mount.path / "instances" / ids[0] / "output").read_text()
                one.append((took, bench.net_floor_urls(blobs, 1) + raw(bench, text, 64)))
            with bench.product(replay) as mount:
                shell("ls -f instances | wc -l", mount.path)
                replay.clear()
                took, _ = shell(f"for i in {' '.join(ids)}; do cat instances/$i/output >/dev/null & done; wait", mount.path)
                log, stats = replay.log(), replay.stats()
                urls = [(origin if "largemessages" in e["url"] else replay.url) + e["url"] for e in log]
                all_.append((took, bench.net_floor_urls(urls, 16) + raw(bench, text, 64)))
    yield Row("P12 64 readers of one 2 MB output", one, requests=single).goal("1 request", single == 1)
    yield Row("P12 64 readers of 64 outputs", all_, requests=stats["requests"], bytes_in=stats["bytes"]).floor_goal(1.2)


WORKLOADS = {"P9": p9, "P10": p10, "P11": p11, "P12": p12}
