"""The review of a staff file: read it, find its columns, plan every row, keep all of it as a run (F1, F2).

Nothing changes for anybody: the run waits until somebody confirms exactly this plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.commands.access import authority
from sync.commands.runs.guard import foresee
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.dates import with_dates
from sync.domain.imports.match import Keys
from sync.domain.imports.plan import plan_import
from sync.domain.imports.row import ImportRow, cells_record
from sync.domain.imports.verdict import PlannedRow, changes_record, messages_record
from sync.domain.runs.effects import ORDINARY
from sync.domain.runs.guard import Hold, source_of
from sync.spreadsheet.header import StaffList, find_columns
from sync.spreadsheet.reading import read_sheet
from sync.spreadsheet.sheet import SheetRow, column_letters
from sync.store.database.ids import new_id
from sync.store.imports import read_world
from sync.store.runs import runs
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`columns` maps titles or column letters to fields, by hand; `sheet` names one of a workbook.

    `welcome_mail`: joiners get a temporary password by mail once they are in Keycloak; without it they have
    none until an administrator gives them one. `all_or_nothing`: one row that cannot be applied stops all.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    sheet: str | None = None
    welcome_mail: bool = True
    all_or_nothing: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    run: Run
    rows: tuple[RunRow, ...]


def review(desk: Desk, content: bytes, name: str, by: Cause, options: ImportOptions) -> Review:
    """Store the reviewed run and return it. `name` is the file's, for people.

    Raises FileRefused if the file as a whole cannot be read, Transient if it names technicians and the FSM
    system cannot be asked; nothing is stored then.
    """
    staff = find_columns(read_sheet(content, options.sheet), desk.policy.staff_columns, options.columns)
    technicians = technicians_for(desk, staff.rows)
    with desk.db.read() as tx:
        world = read_world(tx, Keys.of(staff.rows), technicians)
        granted = authority.allow(tx, desk.policy, by, Permission.REVIEW_IMPORT, desk.clock.now())
        judge = authority.judge_of(tx, desk.policy, by, desk.clock.now())
        refuses = with_dates(judge, desk.policy, desk.clock.now())
    plan = plan_import(staff.rows, world, desk.policy, refuses)
    now = desk.clock.now()
    with desk.db.read() as tx:
        verdict = foresee(tx, desk.policy, source_of(by.caller), plan.impact, now, door="import")
    run = Run(
        id=new_id(now),
        kind="import",
        state="reviewed",
        source=name,
        source_digest=staff.sheet.source.digest,
        fingerprint=plan.fingerprint,
        created_at=now,
        by=by,
        counts=plan.counts,
        options=_kept(staff, options, desk.policy.fingerprint)
        | {
            "effects": plan.impact.without(ORDINARY).counts,
            "will_be_held": list(verdict.reasons) if isinstance(verdict, Hold) else [],
        },
    )
    originals = {row.number: row for row in staff.sheet.rows}
    rows = tuple(
        run_row(planned, row, originals[row.number]) for planned, row in zip(plan.rows, staff.rows, strict=True)
    )
    with desk.db.write() as tx:
        runs.insert(tx, granted, run, rows)
    return Review(run, rows)


def run_row(planned: PlannedRow, row: ImportRow, original: SheetRow) -> RunRow:
    """A planned row as the run keeps it."""
    return RunRow(
        number=row.number,
        original={column_letters(column): cell.text for column, cell in sorted(original.cells.items())},
        parsed=cells_record(row),
        verdict=planned.verdict.value,
        changes=changes_record(planned),
        messages=messages_record(planned),
        account_id=planned.account_id,
        base_version=planned.base_version,
        login_key=planned.login,
        employee_number=planned.employee_number,
    )


def technicians_for(desk: Desk, rows: Sequence[ImportRow]) -> Collection[str] | None:
    """The FSM system's technician ids, if the file has such a column. Raises Transient."""
    if not any("technician_id" in row.cells for row in rows):
        return None
    return frozenset(technician.id for technician in desk.field_service.technicians())


def _kept(staff: StaffList, options: ImportOptions, policy_fingerprint: str) -> dict[str, Any]:
    titles = {cell.address.rstrip("0123456789"): cell for cell in (*staff.columns.values(), *staff.ignored)}
    return {
        "welcome_mail": options.welcome_mail,
        "all_or_nothing": options.all_or_nothing,
        "policy": policy_fingerprint,
        "read_as": f"{staff.sheet.source.kind}, {staff.sheet.source.detail}",
        "header_row": staff.header_row,
        "titles": {letters: " ".join(titles[letters].text.split()) for letters in sorted(titles, key=_place)},
        "fields": {name: cell.address.rstrip("0123456789") for name, cell in sorted(staff.columns.items())},
        "ignored": [cell.address for cell in staff.ignored],
    }


def _place(letters: str) -> tuple[int, str]:
    return len(letters), letters
