"""The import end to end: from an .xlsx on disk to the last user in Keycloak, with temporary passwords.

Ours reviews, confirms, applies and provisions with real worker processes; the mail lane waits meanwhile.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.keycloak import Place, workers
from bench.people import run_name, staff_file
from sync.domain.account_change import Actor, Door
from sync.usecases.confirm_import import confirm
from sync.usecases.review_import import ImportOptions, review

BY = Actor("bench", Door.IMPORT, "benchmark")


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
        before = here.users()
        began = time.perf_counter()
        reviewed = review(here.site, file.read_bytes(), file.name, BY, ImportOptions(welcome_mail=passwords))
        after_review = time.perf_counter()
        confirm(here.site, reviewed.run.id, BY)
        after_confirm = time.perf_counter()
        while here.users() - before < people:
            time.sleep(0.1)
        ended = time.perf_counter()
    return Imported(people, after_review - began, after_confirm - after_review, ended - began)
