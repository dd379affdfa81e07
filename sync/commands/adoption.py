"""Asking for an adoption of users that were in Keycloak before us, and confirming what was reviewed (G4). Workers
of the lane `reconcile` plan it and carry it out; letting go of a user is an act (`sync.commands.acts`)."""

from __future__ import annotations

from datetime import timedelta

from sync.commands.access import authority
from sync.commands.perform import perform
from sync.commands.runs.existing import existing_run
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.errors import Problem, Refused
from sync.domain.runs.fingerprint import SHORTEST, is_named
from sync.domain.work.lane import Lane
from sync.store import schedule
from sync.store.database.ids import new_id
from sync.store.database.transactions import Tx
from sync.store.runs import runs
from sync.store.runs.runs import Run


def ask_plan(
    desk: Desk, by: Cause, employee_number_attribute: str | None = None, *, lost_accounts: bool = False
) -> Run:
    """Store a run that a worker plans: by username and e-mail address, and by the employee number if the attribute
    that holds it is named. Or of those alone whose accounts our database lost: they are created again, or joined
    with the account of the same name. Raises Refused if both are asked for."""
    if lost_accounts and employee_number_attribute is not None:
        why = "is not asked of users whose accounts were lost: their mark says whose they were"
        raise Refused([Problem("employee_number_attribute", why, "leave one of the two options out")])
    now = desk.clock.now()
    run = Run(
        id=new_id(now),
        kind="adoption",
        state="asked",
        source="Keycloak",
        source_digest="",
        fingerprint="",
        created_at=now,
        by=by,
        counts={},
        options={"employee_number_attribute": employee_number_attribute, "lost_accounts": lost_accounts},
    )

    def command(tx: Tx) -> Run:
        granted = authority.allow(tx, desk.policy, by, Permission.ADOPT_USERS, now)
        runs.insert(tx, granted, run, ())
        schedule.hasten(tx, schedule.ADOPTION, now, timedelta())
        return run

    return perform(desk, command, wakes=Lane.RECONCILE)


def confirm(desk: Desk, run_id: str, fingerprint: str, by: Cause) -> Run:
    """Let workers adopt what was reviewed. Asked again it goes on where it is. Raises Refused if the plan is
    another one, is not there yet, or has ended. The job is locked before the run, as workers do."""

    def command(tx: Tx) -> Run:
        now = desk.clock.now()
        schedule.hasten(tx, schedule.ADOPTION, now, timedelta())
        run = existing_run(tx, run_id, "adoption")
        if run.state == "asked":
            raise Refused([Problem("run", "is not planned yet", "look at the plan first")])
        if not is_named(run.fingerprint, fingerprint, SHORTEST):
            reason = f"is not {fingerprint!r}, it is {run.fingerprint[:16]}"
            raise Refused([Problem("plan", reason, "look at it again")])
        granted = authority.allow(tx, desk.policy, by, Permission.ADOPT_USERS, now)
        if run.state == "reviewed":
            runs.confirm(tx, run.id, granted, now)
        elif run.state not in {"confirmed", "applying"}:
            raise Refused([Problem("run", f"is {run.state}", "plan the adoption anew")])
        return run

    return perform(desk, command, wakes=Lane.RECONCILE)
