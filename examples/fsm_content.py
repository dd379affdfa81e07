"""What is in the example FSM database: teams, vehicles, 120 technicians and 300 work orders in all statuses.

The same every time, but for dates: they are around the day on which it is made, so that open work is never long
overdue. The work of the two technicians the demo is about is written out; the rest is made up.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import Table

from examples import BUSY_TECHNICIAN, FREE_TECHNICIAN
from examples.company import SEED, TEAMS, people, subcontractors
from examples.fsm_database import APPOINTMENT, CREW, TEAM, TECHNICIAN, VEHICLE, WORK_ORDER

WORK_ORDERS = 300
OPEN_STATUSES = ("new", "scheduled", "dispatched", "in progress", "on hold", "waiting for parts")
CLOSED_STATUSES = ("completed", "invoiced", "cancelled")

Row = dict[str, object]

_CUSTOMERS = (  # noqa: SIM905 - names read better as prose
    "Klinikum Nordpark,Hotel Zur Mühle,Stadtwerke Süd,Bäckerei Groß,Wohnbau eG,Schule am See,Möbelhaus Ritter,"
    "Logistik Küste GmbH,Altenheim Abendrot,Rathaus Mitte,Kino Lux,Brauerei Höfer"
).split(",")
_TASKS = ("Wartung", "Störung", "Einbau", "Abnahme", "Reparatur", "Messung")


def content(today: date) -> Sequence[tuple[Table, list[Row]]]:
    """Tables with their rows, each after those it refers to. Dates are counted from `today`."""
    technicians = _technicians()
    vehicles: list[Row] = [
        {"plate": row["vehicle"], "model": "Transporter", "team": row["team"]}
        for row in technicians
        if row["vehicle"]
    ]
    teams: list[Row] = [
        {"id": team, "name": team.split("-")[1].title(), "branch": branch}
        for branch, teams in TEAMS.items()
        for team in teams
    ]
    work = _Work(today)
    work.add_written_out()
    work.add_made_up(technicians)
    return (
        (TEAM, teams),
        (VEHICLE, vehicles),
        (TECHNICIAN, technicians),
        (WORK_ORDER, work.orders),
        (CREW, work.crew),
        (APPOINTMENT, work.appointments),
    )


def _technicians() -> list[Row]:
    """Those of the staff file, then ten of subcontractors, one of whom may not be given work any more."""
    own = [person for person in people() if person.technician_id is not None]
    rows: list[Row] = [
        {
            "id": person.technician_id,
            "name": person.full_name,
            "team": person.team,
            "vehicle": f"HH-NW {1000 + position}" if position % 4 else None,
            "assignable": True,
        }
        for position, person in enumerate(own)
    ]
    teams = [team for teams in TEAMS.values() for team in teams]
    for position, name in enumerate(subcontractors()):
        rows.append(
            {
                "id": f"T-{len(own) + position + 1:04d}",
                "name": name,
                "team": teams[position],
                "vehicle": None,
                "assignable": position != 9,
            }
        )
    return rows


class _Work:
    """Collects the rows of work orders, numbered from 1."""

    def __init__(self, today: date) -> None:
        self._today = today
        self.orders: list[Row] = []
        self.crew: list[Row] = []
        self.appointments: list[Row] = []
        self._chance = random.Random(SEED + 1)  # noqa: S311 - example data, not a secret

    def add_written_out(self) -> None:
        """The busy technician holds five open work orders in every way; the free one has only closed ones."""
        busy, free, third = BUSY_TECHNICIAN, FREE_TECHNICIAN, "T-0005"
        self._add("dispatched", 1, lead=busy, visits=(busy,))
        self._add("in progress", 0, lead=busy, crew=(third,))
        self._add("scheduled", 4, lead=third, crew=(busy,))
        self._add("on hold", 9, lead=third, visits=(busy, busy))
        self._add("waiting for parts", 12, lead=busy, crew=("T-0006",))
        self._add("completed", -3, lead=busy, crew=(free,), visits=(busy,))
        self._add("invoiced", -40, lead=free)
        self._add("cancelled", -7, lead=third, crew=(busy, free))

    def add_made_up(self, technicians: Sequence[Mapping[str, object]]) -> None:
        """Neither of the two has open work here, so that the figures above stay what they are."""
        reserved = {BUSY_TECHNICIAN, FREE_TECHNICIAN}
        by_team: dict[str, list[str]] = {}
        for row in technicians:
            if row["assignable"] and row["id"] not in reserved:
                by_team.setdefault(str(row["team"]), []).append(str(row["id"]))
        statuses = OPEN_STATUSES + CLOSED_STATUSES * 3
        teams = list(by_team.values())
        while len(self.orders) < WORK_ORDERS:
            status = statuses[len(self.orders) % len(statuses)]
            team = teams[self._chance.randrange(len(teams))]
            start = self._chance.randrange(len(team))
            lead, *others = [team[(start + step) % len(team)] for step in range(3)]
            crew = tuple(others[: self._chance.randrange(3)])
            if status in CLOSED_STATUSES:
                self._add(status, -1 - self._chance.randrange(300), lead=lead, crew=crew, visits=(lead,))
            elif status == "new":
                self._add(status, 5 + self._chance.randrange(30), lead=None)
            else:
                visits = (lead, *crew)[: self._chance.randrange(3)]
                self._add(status, self._chance.randrange(30), lead=lead, crew=crew, visits=visits)

    def _add(
        self,
        status: str,
        days: int,
        *,
        lead: str | None,
        crew: tuple[str, ...] = (),
        visits: tuple[str, ...] = (),
    ) -> None:
        """`days` from today to the due date; visits are on the days before it."""
        number = len(self.orders) + 1
        order, due = f"w{number:05d}", self._today + timedelta(days=days)
        self.orders.append(
            {
                "id": order,
                "number": f"WO-{due.year}-{number:04d}",
                "status": status,
                "customer": _CUSTOMERS[number % len(_CUSTOMERS)],
                "task": _TASKS[number % len(_TASKS)],
                "due_on": due,
                "lead_technician": lead,
            }
        )
        self.crew += [{"work_order": order, "technician": technician} for technician in crew]
        for position, technician in enumerate(visits):
            self.appointments.append(
                {
                    "id": len(self.appointments) + 1,
                    "work_order": order,
                    "technician": technician,
                    "starts_at": _morning(due - timedelta(days=position)),
                    "minutes": 120,
                }
            )


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(8, 0))  # the branch's local time, as FSM systems keep it
