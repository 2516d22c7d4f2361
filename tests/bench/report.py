"""Rows of the table that scripts/bench prints."""

from statistics import median

COLUMNS = ("workload", "we", "floor", "peer", "ratio (min–max)", "requests", "MB", "RSS MiB", "goal", "")


def seconds(value):
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.2f} s"


class Row:
    """One workload. runs: (ours, floor) pairs of seconds, alternated; floor None = there is none."""

    def __init__(self, name, runs=(), peer=(), requests=None, bytes_in=None, rss=None):
        self.name, self.runs, self.requests = name, list(runs), requests
        self.peer = median(peer) if peer else None
        self.bytes_in, self.rss = bytes_in, rss
        self.goals = []
        self.we = median(r[0] for r in self.runs) if self.runs else None
        floors = [r[1] for r in self.runs if r[1] is not None]
        self.floor = median(floors) if floors else None
        ratios = [we / floor for we, floor in self.runs if floor]
        self.ratio = median(ratios) if ratios else None
        self.spread = (min(ratios), max(ratios)) if ratios else None

    def goal(self, text, met):
        self.goals.append((text, bool(met)))
        return self

    def floor_goal(self, factor):
        return self.goal(f"≤ {factor} x floor", self.ratio is not None and self.ratio <= factor)

    def peer_goal(self, factor):
        return self.goal(f"≤ peer / {factor}", self.peer is not None and self.we <= self.peer / factor)

    def cells(self):
        ratio = f"{self.ratio:.2f} ({self.spread[0]:.2f}–{self.spread[1]:.2f})" if self.ratio else ""
        goals = "; ".join(f"{text}: {'met' if met else 'MISSED'}" for text, met in self.goals)
        return (
            self.name,
            seconds(self.we),
            seconds(self.floor),
            seconds(self.peer),
            ratio,
            "" if self.requests is None else str(self.requests),
            "" if self.bytes_in is None else f"{self.bytes_in / 1e6:.2f}",
            "" if self.rss is None else f"{self.rss / 2**20:.0f}",
            goals,
            "" if not self.goals else "met" if all(met for _, met in self.goals) else "missed",
        )


def table(rows):
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *(r.cells() for r in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
