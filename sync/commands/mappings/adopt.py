"""Bringing other mapping files into force: judge what `plan_mappings` says, adopt, let the accounts follow (E7).

`fsm-identity mappings adopt` calls it, and `approve` for a change that was held. From the adoption on every
process decides by the new files; the affected accounts are rows of a run, which the bulk lane makes due in
chunks. Whoever was created or changed while all of this went on gets a row too, and what a worker is at just then
is looked at once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from mappings.guard import KINDS
from mappings.loading import load_texts
from sync.commands.access import authority
from sync.commands.mappings.in_force import put_in_force
from sync.commands.mappings.plan import (
    PAGE,
    SOURCE,
    Affected,
    MappingsPlan,
    Proposal,
    affected,
    new_plan,
    refuse_vanished,
)
from sync.commands.runs.existing import existing_run
from sync.commands.runs.guard import judge_run
from sync.commands.waking import wake
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.errors import Problem, Refused
from sync.domain.mappings import PolicyComparison, other_changes
from sync.domain.runs.effects import ORDINARY
from sync.domain.runs.fingerprint import is_named
from sync.domain.runs.guard import WORDS, Hold, Impact
from sync.domain.wording import counted
from sync.domain.work.lane import Lane
from sync.store import mappings
from sync.store.accounts import accounts
from sync.store.audit import trail
from sync.store.database.ids import new_id
from sync.store.database.transactions import Tx
from sync.store.provisioning import due
from sync.store.runs import run_rows, runs
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run
from sync.views.mappings import InForce

SHOWN = 20
CLOCKS = timedelta(minutes=10)
"""What was written since the plan is found by its time; clocks of machines may differ by so much."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """`run` None: nobody is affected. It is held: nothing is in force yet; else `number` is."""

    plan: MappingsPlan
    run: Run | None
    number: int | None


def adopt(desk: Desk, proposal: Proposal, by: Cause, fingerprint: str | None = None) -> Adoption:
    """Bring the files into force, or hold them if they exceed the limits of the guard, alone or together with what
    was adopted within a week before.

    Raises Refused without a reason, for keys that accounts use and the files lack (rule: keys-in-use-stay), if
    `fingerprint` is given and is not that of the plan or somebody has joined that plan meanwhile, or if other
    files came into force.
    """
    with desk.db.read() as tx:
        granted = authority.allow(tx, desk.policy, by, Permission.ADOPT_MAPPINGS, desk.clock.now())
    made = new_plan(desk, proposal)
    started = desk.clock.now()
    run = _new_run(proposal, by, started)
    with desk.db.write() as tx:
        runs.insert(tx, granted, run, ())
    numbered = enumerate(affected(desk, proposal), start=1)
    while page := list(islice(numbered, PAGE)):
        with desk.db.write() as tx:
            run_rows.add_rows(tx, run.id, [_row(number, found) for number, found in page])
        for _, found in page:
            made.add(found)
    try:
        _refuse_other_plan(made, fingerprint)
        with desk.db.write() as tx:
            mappings.adopt_one_at_a_time(tx)
            _refuse_outdated(tx, proposal)
            refuse_vanished(tx, proposal.policy)
            late = _late(tx, proposal, run)
            if fingerprint is not None:
                _refuse_late(late, "look at it again: fsm-identity mappings plan")
            changed = _join(tx, run, made, late)
            counts = {"update": made.for_workers, "unchanged": made.affected - made.for_workers}
            runs.written(tx, run.id, made.fingerprint, counts)
            number = _hold_or_adopt(tx, desk, made, existing_run(tx, run.id), changed, by)
            stored = existing_run(tx, run.id)
    except Refused:
        with desk.db.write() as tx:
            runs.end(tx, run.id, "refused", desk.clock.now())
        raise
    wake(desk, Lane.BULK)
    return Adoption(made, stored if any(stored.counts.values()) else None, number)


def approve_held(desk: Desk, run: Run, by: Cause, release: Callable[[Tx], Run]) -> Run:
    """Bring the files of a held run into force. `release` refuses what may not be approved, and else hands the
    run to the workers.

    Raises Refused if other files came into force since, or if somebody would be changed whom nobody has looked at
    (rule: approve-a-fingerprint).
    """
    files = run.options["files"]
    policy = load_texts(files, f"run {run.id}")
    with desk.db.read() as tx:
        number = mappings.newest_number(tx)
    if run.options["in_force"] != number or desk.policy_number not in (None, number):
        raise _outdated()
    in_force = InForce(desk.policy, number, {})
    proposal = Proposal(in_force, policy, files, run.source)
    with desk.db.write() as tx:
        mappings.adopt_one_at_a_time(tx)
        release(tx)
        _refuse_outdated(tx, proposal)
        refuse_vanished(tx, policy)
        _refuse_late(_late(tx, proposal, run), "reject it and plan again")
        _bring_into_force(tx, desk, proposal, by)
        approved = existing_run(tx, run.id)
    wake(desk, Lane.BULK)
    return approved


def _new_run(proposal: Proposal, by: Cause, now: datetime) -> Run:
    return Run(
        id=new_id(now),
        kind="mappings",
        state="reviewed",
        source=proposal.source,
        source_digest=proposal.policy.fingerprint,
        fingerprint="",
        created_at=now,
        by=by,
        counts={},
        options={
            "in_force": proposal.in_force.number,
            "files": dict(proposal.files),
            "other": list(other_changes(proposal.in_force.policy, proposal.policy)),
        },
    )


def _row(number: int, found: Affected) -> RunRow:
    """What `realm apply` does for all members at once is listed and left to it."""
    account = found.account
    return RunRow(
        number=number,
        original={},
        parsed=None,
        verdict="update" if found.effect.for_workers else "unchanged",
        changes={"change": found.effect.record()},
        messages={
            "who": f"{account.full_name} ({account.username})",
            "errors": [],
            "warnings": [],
            "effects": sorted(found.effect.kinds - ORDINARY),
        },
        account_id=account.id,
    )


def _hold_or_adopt(
    tx: Tx, desk: Desk, made: MappingsPlan, run: Run, changed: Sequence[Affected], by: Cause
) -> int | None:
    """`changed` means something else to the files than when they were looked at: that counts as well."""
    impact = Impact(made.counts) + Impact.of(found.effect.kinds for found in changed)
    rules = made.proposal.in_force.policy
    granted = authority.allow(tx, rules, by, Permission.ADOPT_MAPPINGS, desk.clock.now())
    verdict = judge_run(tx, rules, SOURCE, impact, desk.clock.now(), door="mappings")
    if isinstance(verdict, Hold):
        runs.hold(tx, run.id, verdict.reasons, granted)
        trail.audit(
            tx,
            account_id=None,
            action=f"hold {run.title}",
            changed={"run": (None, run.id), "fingerprint": (None, made.fingerprint)},
            by=by,
            now=desk.clock.now(),
            correlation_id=run.id,
        )
        return None
    runs.confirm(tx, run.id, granted, desk.clock.now())
    return _bring_into_force(tx, desk, made.proposal, by)


def _bring_into_force(tx: Tx, desk: Desk, proposal: Proposal, by: Cause) -> int:
    """Nobody claims by the old files once this is committed; what is claimed now is looked at once more."""
    now = desk.clock.now()
    number = put_in_force(
        tx, proposal.in_force.policy, proposal.files, proposal.policy.fingerprint, by, now
    ).number
    due.look_after_leases(tx, now)
    return number


def _join(tx: Tx, run: Run, made: MappingsPlan, late: Sequence[Affected]) -> list[Affected]:
    """Who came while the accounts were looked at joins the plan and gets a row like everybody else. A row that
    will be applied already is enough: it makes the account what the files say of it as it is then. Returns who
    has one."""
    known = run_rows.pending_of(tx, run.id, [found.account.id for found in late])
    more = [found for found in late if found.account.id not in known]
    rows = [_row(number, found) for number, found in enumerate(more, start=made.affected + 1)]
    for start in range(0, len(rows), PAGE):
        run_rows.add_rows(tx, run.id, rows[start : start + PAGE])
    for found in more:
        made.add(found)
    return [found for found in late if found.account.id in known]


def _refuse_late(late: Sequence[Affected], remedy: str) -> None:
    if not late:
        return
    what = f"{counted(len(late), 'account')} that nobody looked at would change as well"
    problems = [
        Problem(found.account.username, f"would be {_kinds(found)} and was created or changed since the plan")
        for found in late[:SHOWN]
    ]
    raise Refused([Problem("run", what, remedy), *problems])


def _kinds(found: Affected) -> str:
    return ", ".join(WORDS[kind] for kind in KINDS if kind in found.effect.kinds - ORDINARY) or WORDS["changed"]


def _late(tx: Tx, proposal: Proposal, run: Run) -> list[Affected]:
    """Accounts for which the files mean what no row of the run says: they were created or changed since."""
    comparison = PolicyComparison(proposal.in_force.policy, proposal.policy)
    late: list[Affected] = []
    last = ""
    while True:
        ids = due.touched_since(tx, run.created_at - CLOCKS, last, PAGE)
        if not ids:
            return late
        known = run_rows.accounts_of(tx, run.id, ids)
        for account in accounts.read_many(tx, ids).values():
            effect = comparison.of(account)
            if effect is None or known.get(account.id) == {"change": effect.record()}:
                continue
            late.append(Affected(account, effect))
        last = ids[-1]


def _refuse_other_plan(made: MappingsPlan, fingerprint: str | None) -> None:
    if fingerprint is not None and not is_named(made.fingerprint, fingerprint):
        reason = f"is not {fingerprint}, it is {made.fingerprint[:16]}"
        raise Refused([Problem("plan", reason, "look at it again: fsm-identity mappings plan")])


def _refuse_outdated(tx: Tx, proposal: Proposal) -> None:
    if mappings.newest_number(tx) != proposal.in_force.number:
        raise _outdated()


def _outdated() -> Refused:
    reason = "other files have come into force since the plan"
    return Refused([Problem("mapping files", reason, "plan again: fsm-identity mappings plan")])
