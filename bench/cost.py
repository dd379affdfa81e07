"""What an account of an import costs at several sizes, and how much memory the workers take for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import psutil

from bench.importing import ours
from bench.keycloak import Place
from bench.raw import raw, warm_up
from bench.row import Row

SIZES = (1_000, 5_000, 20_000, 50_000)
RAW = 1_000
EVERY_SECONDS = 1.0
SEVERAL_BELOW = 5_000


@dataclass(frozen=True)
class Cost:
    """Milliseconds an account, for ours and for the raw loop right before (Keycloak itself becomes slower with the
    users it has), and the most memory a worker process had, in MiB."""

    people: int
    ours: float
    raw: float
    memory: float


def measure(place: Place, sizes: tuple[int, ...] = SIZES, chunk: int = 10, connections: int = 2) -> list[Cost]:
    warm_up(place)
    return [_median(place, people, chunk, connections) for people in sizes]


def _median(place: Place, people: int, chunk: int, connections: int) -> Cost:
    """Of several imports where one takes a second: it says little alone."""
    runs = [_once(place, people, chunk, connections) for _ in range(3 if people < SEVERAL_BELOW else 1)]
    return sorted(runs, key=lambda each: each.ours)[len(runs) // 2]


def _once(place: Place, people: int, chunk: int, connections: int) -> Cost:
    baseline = raw(place, RAW, chunk, connections)
    with _Memory() as memory:
        imported = ours(place, people)
    return Cost(people, 1000 / imported.speed, 1000 / baseline, memory.most / 2**20)


class _Memory:
    """Watches the worker processes below this one; `most` is the largest in bytes."""

    def __init__(self) -> None:
        self.most = 0
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Memory:
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watching.join()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            for process in psutil.Process().children(recursive=True):
                try:
                    if "celery" in " ".join(process.cmdline()):
                        self.most = max(self.most, process.memory_info().rss)
                except psutil.Error:
                    continue


def report(place: Place, people: int) -> list[Row]:
    """All sizes for a whole run; for a quick one those that are no larger than it."""
    sizes = SIZES if people >= LARGE else tuple(size for size in SIZES if size <= people) or (people,)
    costs = measure(place, sizes)
    first = costs[0]
    return [
        Row(
            f"cost of an account in an import of {each.people:,}",
            f"{each.ours:.2f} ms, worker {each.memory:.0f} MiB",
            f"{first.ours:.2f} ms, worker {first.memory:.0f} MiB: with {first.people:,} "
            f"(raw loop beside each: {each.raw:.2f} ms)",
            f"{each.ours / first.ours:.2f}",
            "0.75 to 1.25, memory ≤ 1.1 times",
            0.75 <= each.ours / first.ours <= 1.25 and each.memory <= 1.1 * first.memory,
        )
        for each in costs[1:] or costs
    ]


LARGE = 10_000
"""People of a large import from which on every size is measured."""
