"""The import end to end: from an .xlsx on disk to the last user in Keycloak, with temporary passwords.

Ours reviews, confirms, applies and provisions with real worker processes; the mail lane waits meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from bench import raw
from bench.keycloak import Place, workers
from bench.people import run_name, staff_file
from bench.row import Row
from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, review
from sync.domain.access.callers import Machine
from sync.domain.access.cause import Cause, Door, Origin

BY = Cause(Machine(0, "bench", "bench"), Door.COMMAND_LINE, "benchmark", Origin.IMPORT)
TURNS = 4
"""Imports with passwords, each between two raw loops of half as many people: one alone differs from the next by a
tenth, and a machine that others use, too, is another one after a minute."""


@dataclass(frozen=True)
class Imported:
    """Seconds: of the review, of the confirmation, and of the whole until the last user is in Keycloak."""

    people: int
    review: float
    confirm: float
    whole: float

    @property
    def speed(self) -> float:
        """People a second."""
        return self.people / self.whole


def ours(place: Place, people: int, *, processes: int = 2, passwords: bool = True) -> Imported:
    """One import of so many people into an empty database of ours, with workers that run already."""
    here = place.with_new_database()
    file = here.surroundings.layout.home / "staff.xlsx"
    file.write_bytes(staff_file(run_name(), people))
    with workers(here, bulk=processes):
        import_people(here, staff_file(run_name(), 20 * processes), passwords=passwords)  # each has signed in once
        before, known = here.users(), here.applied()
        began = time.perf_counter()
        reviewed = review(here.systems, file.read_bytes(), file.name, BY, ImportOptions(welcome_mail=passwords))
        after_review = time.perf_counter()
        confirm(here.systems, reviewed.run.id, BY)
        after_confirm = time.perf_counter()
        wait_for(lambda: here.applied() - known >= people, "the import")
        ended = time.perf_counter()
        if here.users() - before != people:
            raise RuntimeError("not everybody whose creation was recorded is in Keycloak")
    return Imported(people, after_review - began, after_confirm - after_review, ended - began)


def import_people(place: Place, file: bytes, *, passwords: bool = True) -> None:
    reviewed = review(place.systems, file, "staff.xlsx", BY, ImportOptions(welcome_mail=passwords))
    known, people = place.applied(), reviewed.run.counts["create"]
    confirm(place.systems, reviewed.run.id, BY)
    wait_for(lambda: place.applied() - known >= people, "the warm-up")


def wait_for(done: Callable[[], bool], what: str, *, seconds: float = 1800) -> None:
    """Ask ten times a second. Raises RuntimeError after the limit."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise RuntimeError(f"{what} was not done after {seconds:.0f} s")
        time.sleep(0.1)


def report(place: Place, people: int) -> list[Row]:
    """Against the best raw loop of the search, by turns with ours: speeds are means, what ours keeps of the loops
    around it is the middle one of all turns. And against the plain loops."""
    raw.warm_up(place)
    best = raw.search(lambda chunk, connections: raw.raw(place, raw.SEARCHED, chunk, connections))[0]
    ours(place, people // 4)  # the way through our workers is new to Keycloak too
    loops, imports = [raw.raw(place, people // 2, best.chunk, best.connections)], []
    for _ in range(TURNS):
        imports.append(ours(place, people))
        loops.append(raw.raw(place, people // 2, best.chunk, best.connections))
    kept = median(each.speed / fmean(loops[turn : turn + 2]) for turn, each in enumerate(imports))
    imported, loop = _mean(imports), fmean(loops)
    without = ours(place, people, passwords=False)
    plain, plain_without = (raw.plain(place, raw.PLAIN, passwords=each) for each in (True, False))
    return [
        Row(
            f"import of {people:,} from .xlsx with temporary passwords (review {imported.review:.1f} s, "
            f"confirmation {imported.confirm:.1f} s)",
            f"{imported.speed:.0f} users/s",
            f"{loop:.0f} users/s: raw partialImport, {best.chunk} a request, {best.connections} connections",
            f"{kept:.2f}",
            "≥ 0.85",
            kept >= 0.85,
        ),
        _against_plain("the same", imported.speed, plain, "create_user with password, group_user_add ×2", 20),
        _against_plain(
            f"import of {people:,} without passwords", without.speed, plain_without, "without passwords", 10
        ),
    ]


def _mean(imports: Sequence[Imported]) -> Imported:
    review, confirm, whole = (
        fmean(seconds) for seconds in zip(*((i.review, i.confirm, i.whole) for i in imports), strict=True)
    )
    return Imported(imports[0].people, review, confirm, whole)


def _against_plain(measure: str, speed: float, plain: float, how: str, reach: int) -> Row:
    return Row(
        measure,
        f"{speed:.0f} users/s",
        f"{plain:.0f} users/s: python-keycloak, {how}",
        f"{speed / plain:.1f}",
        f"≥ {reach}",
        speed / plain >= reach,
    )
