"""The contestants of scripts/bench: the replay server, the product, the floors and the peer.

Each is a context manager that is ready when it is entered. Times are wall seconds, CPU times those of
the daemon in question. Nothing here judges.
"""

import json
import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
TOOLS = TOP / "tests" / "tools"
HUB = "ReplayHub"
SELECT = (
    "PartitionKey,Timestamp,Name,Version,RuntimeStatus,CreatedTime,LastUpdatedTime,"
    "CompletedTime,ScheduledStartTime"
)
READY_S = 120


class Failed(Exception):
    """A contestant did not do its part, so there is nothing to compare."""


def wait_until(what, ready, process, seconds=READY_S):
    end = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise Failed(f"{what} did not start")
        time.sleep(0.005)


def is_mounted(path):
    return f" {path} fuse" in Path("/proc/mounts").read_text()


class Replay:
    """The storage side."""

    def __init__(self, work, **options):
        self.settings = work / f"settings-{time.monotonic_ns()}"
        self.args = ["node", "--max-old-space-size=4096", TOOLS / "replay.js", "--settings-file", self.settings]
        self.prepared = options.pop("prepare", [])
        for name, value in options.items():
            self.args += [f"--{name.replace('_', '-')}", str(value)]

    def __enter__(self):
        self.process = subprocess.Popen(self.args)
        wait_until("the replay server", self.settings.exists, self.process)
        for line in self.settings.read_text().splitlines():
            name, _, value = line.partition("=")
            if name == "AzureWebJobsStorage":
                self.environment = {**os.environ, name: value.strip("'")}
            elif name == "REPLAY":
                self.url = value
        for select in self.prepared:
            self.post("prepare", {"select": select})
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def get(self, page):
        with urllib.request.urlopen(f"{self.url}/__{page}") as answer:
            return answer.read()

    def post(self, page, value=None):
        data = json.dumps(value).encode()
        with urllib.request.urlopen(f"{self.url}/__{page}", data=data) as answer:
            return json.loads(answer.read() or b"null")

    def stats(self):
        return json.loads(self.get("stats"))

    def log(self):
        return json.loads(self.get("log"))

    def clear(self):
        self.post("log")

    def ids(self):
        return self.get("ids").decode()


class Mount:
    """A daemon in the foreground and its mount point."""

    def __init__(self, what, args, environment=None):
        self.what, self.args, self.environment = what, args, environment
        self.path = Path(tempfile.mkdtemp(prefix="bench-"))

    def __enter__(self):
        self.process = subprocess.Popen(
            [*self.args, self.path], env=self.environment, stdout=subprocess.DEVNULL
        )
        wait_until(self.what, lambda: is_mounted(self.path), self.process)
        return self

    def __exit__(self, *_):
        for _ in range(50):
            if subprocess.run(["fusermount3", "-u", self.path], stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.1)
        else:
            self.process.terminate()
        self.process.wait()
        self.path.rmdir()

    def cpu_s(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, which="VmRSS"):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(which + ":"):
                return int(line.split()[1]) * 1024
        raise Failed(f"no {which}")

    def switches(self):
        """Wake-ups of each thread so far."""
        counts = {}
        for status in Path(f"/proc/{self.process.pid}/task").glob("*/status"):
            for line in status.read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches:"):
                    counts[status.parent.name] = int(line.split()[1])
        return counts


class Bench:
    """Where the programs are, and how to run them."""

    def __init__(self, build, work):
        self.build, self.work = Path(build), Path(work)
        for program in ("taskhubfs", "tests/bench/net_floor", "tests/bench/kernel_floor"):
            if not (self.build / program).exists():
                raise Failed(f"{self.build / program} is missing")

    def product(self, replay, *options):
        program = self.build / "taskhubfs"
        return Mount("taskhubfs", [program, "--foreground", *options, HUB], replay.environment)

    def kernel_floor(self, replay):
        ids = self.work / "ids"
        ids.write_text(replay.ids())
        return Mount("kernel_floor", [self.build / "tests/bench/kernel_floor", ids])

    def net_floor(self, replay, log, connections=16, only="()?"):
        """Seconds to fetch again what a log says was asked of the tables."""
        return self.net_floor_urls([replay.url + e["url"] for e in log if only in e["url"]], connections)

    def net_floor_urls(self, urls, connections=16):
        path = self.work / "urls"
        path.write_text("".join(f"{u}\n" for u in urls))
        floor = self.build / "tests/bench/net_floor"
        out = subprocess.run([floor, path, str(connections)], check=True, capture_output=True, text=True)
        return float(out.stdout.split("\t")[2])

    def peer(self, replay, *words):
        """(result, seconds) of the SDK script."""
        args = ["node", TOP / "tests/bench/peer.js", *words]
        out = subprocess.run(args, check=True, capture_output=True, text=True, env=replay.environment)
        result, seconds = out.stdout.strip().split("\t")
        return result, float(seconds)


def shell(command, cwd):
    """(seconds, output) of a shell command that must succeed."""
    began = time.monotonic()
    out = subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, text=True)
    took = time.monotonic() - began
    if out.returncode != 0:
        raise Failed(f"{command}: exit status {out.returncode}: {out.stderr[:400]}")
    return took, out.stdout
