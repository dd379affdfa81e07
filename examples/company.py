"""The people of Nordwind Gebäudetechnik, an invented company of 250 with five branches.

The same people every time: the staff file and the FSM database are both made from them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

SEED = 20260901
AS_OF = date(2026, 9, 1)
"""The day of the staff file; nothing in it depends on today."""

DOMAIN = "nordwind.example.com"

TEAMS = {
    "hamburg": ("hamburg-heizung", "hamburg-klima", "hamburg-elektro"),
    "berlin": ("berlin-heizung", "berlin-aufzug", "berlin-sanitaer"),
    "leipzig": ("leipzig-heizung", "leipzig-elektro"),
    "koeln": ("koeln-klima", "koeln-sanitaer", "koeln-aufzug"),
    "muenchen": ("muenchen-heizung", "muenchen-klima"),
}
"""Keys of the shipped branches.toml; a test says that they agree."""

STAFF = {
    "administrator": 3,
    "manager": 15,
    "accountant": 12,
    "dispatcher": 25,
    "technician": 110,
    "read-only": 85,
}

_GIVEN = (  # noqa: SIM905 - names read better as prose
    "Birgit Jörg Ayşe Thomas Käthe Lukas Sophie Jürgen Małgorzata Felix Günter Nadine Søren Miriam Uwe Zoë "
    "Claudia Emre François Hannelore Björn Ingrid Levent Marlene Noël Petra René Svenja Tobias Ursula Viktor "
    "Wiebke Anneliese Bülent Dörte Elif Frank Gesa Henrik Inés"
).split()
_FAMILY = (  # noqa: SIM905 - names read better as prose
    "Ahlers,Böttcher,Çelik,Dreßler,Eggert,Fuchs,Großmann,Hübner,Iversen,Jäger,Kowalski,Löwe,Müller,Nguyen,"
    "O'Connor,Petersen,Quast,Röhrig,Schäfer,Thießen,Uhlig,Vogel,Weiß,Yıldız,Zöllner,Brandt-Neumann,"
    "von der Heide,García López,Hansen,Krüger,Lehmann,Meyer,Nowak,Pohl,Richter,Sørensen,Tiedemann,Wüst"
).split(",")

_PLAIN = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "ş": "s",
        "ç": "c",
        "ğ": "g",
        "ı": "i",
        "ł": "l",
        "ø": "oe",
        "é": "e",
        "ë": "e",
        "í": "i",
        "ó": "o",
        " ": "-",
        "'": "",
    }
)


@dataclass(frozen=True, slots=True)
class Person:
    """`employee_number` is written with five digits. `technician_id` names the record in the FSM database."""

    employee_number: int
    given_name: str
    family_name: str
    email: str
    profile: str
    branch: str
    team: str | None
    data_access: str | None
    technician_id: str | None
    started_on: date

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}"


@cache
def people() -> tuple[Person, ...]:
    """The 250 people of the staff file, ordered by employee number; the administrators are the oldest hands."""
    chance = random.Random(SEED)  # noqa: S311 - example data, not a secret
    names = _names()
    technician = 0
    number = 100
    staff: list[Person] = []
    for profile, count in STAFF.items():
        for position in range(count):
            number += 1 + chance.randrange(5)
            branch, team = _place(profile, position)
            if profile == "technician":
                technician += 1
            given, family = next(names)
            staff.append(
                Person(
                    employee_number=number,
                    given_name=given,
                    family_name=family,
                    email=email(given, family),
                    profile=profile,
                    branch=branch,
                    team=team,
                    data_access=_data_access(profile, position),
                    technician_id=f"T-{technician:04d}" if profile == "technician" else None,
                    started_on=AS_OF - timedelta(days=30 + chance.randrange(9000)),
                )
            )
    return tuple(staff)


@cache
def subcontractors() -> tuple[str, ...]:
    """Ten names that are technicians in the FSM database only."""
    names = _names()
    for _ in people():
        next(names)
    return tuple(f"{given} {family} (Partner)" for given, family in (next(names) for _ in range(10)))


def email(given: str, family: str) -> str:
    """An address without umlauts, as mail systems of companies have them."""
    return f"{given}.{family}@{DOMAIN}".lower().translate(_PLAIN)


def _names() -> Iterator[tuple[str, str]]:
    """Each pair once: every round through the family names begins one given name later."""
    for round_ in range(len(_GIVEN)):
        for position, family in enumerate(_FAMILY):
            yield _GIVEN[(position + round_) % len(_GIVEN)], family


def _place(profile: str, position: int) -> tuple[str, str | None]:
    """Administrators and accountants sit in Hamburg; technicians fill one team after the other."""
    branches = tuple(TEAMS)
    if profile in {"administrator", "accountant"}:
        return branches[0], None
    if profile == "technician":
        teams = [(branch, team) for branch in branches for team in TEAMS[branch]]
        return teams[position * len(teams) // STAFF["technician"]]
    return branches[position % len(branches)], None


def _data_access(profile: str, position: int) -> str | None:
    """Most people have their profile's level; the file says so by saying nothing."""
    exceptions = {"technician": ("team", 8), "manager": ("global", 5), "read-only": ("global", 17)}
    level, every = exceptions.get(profile, ("", 0))
    return level if every and position % every == every - 1 else None
