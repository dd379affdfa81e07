"""Confirming a reviewed import, or dropping it: what is applied is exactly what was reviewed (F3).

The plan is made again in the transaction that confirms; if anything in it has become different since the review,
the confirmation is refused and says what. What exceeds the limits of the mass-change guard, alone or together
with what the same person has done within a week, is held for an approval (E7): see `approve`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mappings.policy import Policy
from sync.commands.access import authority
from sync.commands.imports.review import technicians_for
from sync.commands.perform import perform
from sync.commands.runs.existing import existing_run
from sync.commands.runs.guard import give_back, judge_run
from sync.desk import Desk
from sync.domain.access.callers import same
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.dates import with_dates
from sync.domain.errors import NotAllowed, Problem, Refused
from sync.domain.imports.match import Keys
from sync.domain.imports.plan import ImportPlan, plan_import
from sync.domain.imports.row import from_record
from sync.domain.imports.verdict import (
    PlannedRow,
    RowVerdict,
    account_change,
    changes_record,
    messages_record,
    new_account,
)
from sync.domain.runs.fingerprint import is_named
from sync.domain.runs.guard import Hold, source_of
from sync.domain.work.lane import Lane
from sync.spreadsheet.reading import digest
from sync.store.accounts import accounts
from sync.store.audit import trail
from sync.store.database.transactions import Tx
from sync.store.imports import read_world
from sync.store.runs import run_rows, runs
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run

SHOWN = 20
AGAIN = "review the file again: fsm-identity import review"


def confirm(
    desk: Desk, run_id: str, by: Cause, *, fingerprint: str | None = None, content: bytes | None = None
) -> Run:
    """Hand the run to the workers, or hold it. `fingerprint` and `content`, if given, must be those of the review.

    Raises Refused, and nothing is applied, if the file or the world has changed since, if the run was
    confirmed or dropped before, or while another import of the same people is under way.
    """
    with desk.db.read() as tx:
        run = existing_run(tx, run_id, "import")
        kept = run_rows.parsed_rows(tx, run_id)
    if content is not None and digest(content) != run.source_digest:
        raise Refused([Problem("file", f"is not the {run.source} that was reviewed", AGAIN)])
    if fingerprint is not None and not is_named(run.fingerprint, fingerprint):
        raise Refused([Problem("fingerprint", "is not that of this review", "see fsm-identity import show")])
    parsed = tuple(from_record(number, record) for number, record in kept)
    technicians = technicians_for(desk, parsed)

    def command(tx: Tx) -> Run:
        runs.confirm_one_at_a_time(tx)
        _refuse_unless_reviewed(existing_run(tx, run_id, "import"))
        refuse_same_people(runs.same_people(tx, run_id))
        world = read_world(tx, Keys.of(parsed), technicians)
        judge = authority.judge_of(tx, desk.policy, by, desk.clock.now())
        refuses = with_dates(judge, desk.policy, desk.clock.now())
        plan = plan_import(parsed, world, desk.policy, refuses)
        _refuse_differences(tx, run, plan, desk.policy)
        _refuse_nothing_to_do(run, plan)
        granted = authority.allow(tx, desk.policy, by, Permission.CONFIRM_IMPORT, desk.clock.now())
        now = desk.clock.now()
        source = source_of(by.caller)
        verdict = judge_run(tx, desk.policy, source, plan.impact, now, door="import")
        if isinstance(verdict, Hold):
            runs.hold(tx, run_id, verdict.reasons, granted)
        else:
            runs.confirm(tx, run_id, granted, now)
            runs.counted(tx, run, source)
        trail.audit(
            tx,
            account_id=None,
            action=f"{'hold' if isinstance(verdict, Hold) else 'confirm'} import of {run.source}",
            changed={"run": (None, run_id), "fingerprint": (None, run.fingerprint)},
            by=by,
            now=now,
            correlation_id=run_id,
        )
        return existing_run(tx, run_id, "import")

    return perform(desk, command, wakes=Lane.BULK)


def check_held_import(tx: Tx, desk: Desk, run: Run) -> None:
    """What an approval asks for beside the plan. Raises Refused if the mapping files have changed since the
    review, or while another run about the same people is under way."""
    if run.options.get("policy") != desk.policy.fingerprint:
        remedy = "reject it and review the file again"
        raise Refused([Problem("run", "the mapping files have changed since the review", remedy)])
    refuse_same_people(runs.same_people(tx, run.id))


def cancel(desk: Desk, run_id: str, by: Cause) -> Run:
    """Apply nothing more of the run; what was applied stays. So may whoever made or confirmed it, and else whoever
    could confirm what is left of it. Raises Refused if it has ended already, NotAllowed."""

    def command(tx: Tx) -> Run:
        run = existing_run(tx, run_id, "import")
        now = desk.clock.now()
        granted = authority.allow(tx, desk.policy, by, Permission.CANCEL_IMPORT, now)
        if not any(same(by.caller, each.caller) for each in (run.by, run.confirmation) if each is not None):
            _refuse_rows_of_others(tx, desk, run, by)
        if not runs.cancel(tx, run_id, granted, now):
            raise Refused([Problem("run", f"is {run.state} already", "there is nothing left to cancel")])
        give_back(tx, run)
        trail.audit(
            tx,
            account_id=None,
            action=f"cancel import of {run.source}",
            changed={"state": (run.state, "cancelled")},
            by=by,
            now=now,
            correlation_id=run_id,
        )
        return existing_run(tx, run_id, "import")

    return perform(desk, command, wakes=None)


def _refuse_rows_of_others(tx: Tx, desk: Desk, run: Run, by: Cause) -> None:
    now = desk.clock.now()
    judge = authority.judge_of(tx, desk.policy, by, now)
    rows = run_rows.pending_decided(tx, run.id, None)
    known = accounts.read_many(tx, [row.account_id for row in rows if row.account_id is not None])
    for row in rows:
        if row.account_id is None:
            problem = judge(None, new_account(row.changes).account("", now))
        else:
            before = known[row.account_id]
            problem = judge(before, account_change(row.changes).applied_to(before))
        if problem is not None:
            raise NotAllowed([Problem(f"row {row.number}", f"{problem.field} {problem.reason}", problem.remedy)])


def _refuse_unless_reviewed(run: Run) -> None:
    if run.state == "reviewed":
        return
    if run.state == "held":
        reason, remedy = "is held already", f"see fsm-identity runs show {run.id}"
        raise Refused([Problem("run", reason, remedy)])
    if run.confirmed_at is not None:
        when = f"{run.confirmed_at:%Y-%m-%d %H:%M} UTC"
        reason = f"was confirmed by {run.cause.name} at {when} already and is {run.state}"
    else:
        reason = f"is {run.state}"
    raise Refused([Problem("run", reason, "see fsm-identity import show")])


def refuse_same_people(shared: Sequence[tuple[int, Run]]) -> None:
    """Two runs about one person would each be right for a world without the other. Raises Refused."""
    if not shared:
        return
    problems = [
        Problem(f"row {number}", f"is about somebody in the {other.kind} of {other.source} ({other.id})")
        for number, other in shared[:SHOWN]
    ]
    lead = Problem(
        "run",
        f"what is under way already changes {len(shared)} of the same people",
        "wait until it is done, then review again",
    )
    raise Refused([lead, *problems])


def _refuse_differences(tx: Tx, run: Run, plan: ImportPlan, policy: Policy) -> None:
    if plan.fingerprint == run.fingerprint:
        return
    different = list(_differences(run_rows.rows(tx, run.id), plan))
    lead = [Problem("run", f"{len(different)} rows would be decided otherwise than in the review", AGAIN)]
    if run.options.get("policy") != policy.fingerprint:
        lead = [Problem("run", "the mapping files have changed since the review", AGAIN)]
    raise Refused([*lead, *different[:SHOWN]])


def _differences(rows: Sequence[RunRow], plan: ImportPlan) -> Iterator[Problem]:
    for row, now in zip(rows, plan.rows, strict=True):
        was = (row.verdict, row.changes, row.messages, row.account_id, row.base_version)
        if was != (now.verdict.value, changes_record(now), messages_record(now), now.account_id, now.base_version):
            yield Problem(f"row {row.number}", f"{row.messages['who']}: {_what_differs(row, now)}")


def _what_differs(row: RunRow, now: PlannedRow) -> str:
    if row.verdict != now.verdict.value:
        why = f": {now.errors[0]}" if now.errors else ""
        return f"was {row.verdict}, is now {now.verdict.value}{why}"
    if row.base_version != now.base_version and row.account_id == now.account_id:
        return "the account was changed since the review"
    findings = [str(finding) for finding in (*now.errors, *now.warnings)]
    return findings[0] if findings else "what would be changed is different now"


def _refuse_nothing_to_do(run: Run, plan: ImportPlan) -> None:
    counts = plan.counts
    if not counts[RowVerdict.CREATE] and not counts[RowVerdict.UPDATE]:
        raise Refused([Problem("run", "there is nothing to apply", "every row is unchanged or an error")])
    if run.options["all_or_nothing"] and counts[RowVerdict.ERROR]:
        reason = f"{counts[RowVerdict.ERROR]} rows are errors and all or nothing was asked for"
        raise Refused([Problem("run", reason, "mend them and review again")])
