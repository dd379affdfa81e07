"""Hands what a comparison found to the workers, as one run that the mass-change guard has judged (E7, G4): the one
place where drift becomes work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from mappings.fingerprint import fingerprint
from mappings.policy import Policy
from sync.commands.access import authority
from sync.commands.runs.guard import judge_run
from sync.domain.access.callers import System
from sync.domain.access.cause import Cause, Origin
from sync.domain.access.permissions import Permission
from sync.domain.drift.impact import effects_of_repair
from sync.domain.provisioning.aspect import Aspect, Deviation
from sync.domain.runs.guard import Hold, Impact
from sync.store.accounts import accounts
from sync.store.audit import trail
from sync.store.database.ids import new_id
from sync.store.database.transactions import Tx
from sync.store.drift import findings as drift
from sync.store.drift.findings import Finding
from sync.store.provisioning import work_state
from sync.store.runs import run_rows, runs
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run

BY_FILE = Cause(System.DRIFT_FILE, None, "drift.toml says repair", Origin.DRIFT)

EVERYTHING: Final = "comparison"
HINTS: Final = "admin events"
"""Sources of runs: what saw all accounts, and what saw a few that an administrator has just touched."""

REPAIRS: Final = "repairs"
"""To the mass-change guard they are one source: so many small acts of a script are one change of many, whoever
finds them."""


def hand_over(tx: Tx, policy: Policy, findings: Sequence[Finding], now: datetime, source: str = EVERYTHING) -> int:
    """Store one run over all accounts with something to repair: confirmed, or held if it exceeds guard.toml. The
    workers apply its rows and look at each account. Returns how many accounts.

    Earlier runs that still wait for an approval are cancelled where this one saw the newer state of their
    accounts; what waits in the others is left to them.
    """
    by_account: dict[str, list[Finding]] = {}
    for finding in findings:
        by_account.setdefault(str(finding.subject.account_id), []).append(finding)
    granted = authority.allow(tx, policy, BY_FILE, Permission.REPAIR, now)
    accounts.lock_all(tx, by_account)
    for run in runs.recent(tx, 100, "repair", "held"):
        if source == EVERYTHING or (source == run.source and source != HINTS):
            runs.cancel(tx, run.id, granted, now)
            _audit(tx, "cancel", run, now)
        else:
            for account_id in run_rows.accounts_of(tx, run.id, by_account):
                del by_account[account_id]
    if not by_account:
        return 0
    impact = Impact.of(effects_of_repair(_deviations(found)) for found in by_account.values())
    verdict = judge_run(tx, policy, REPAIRS, impact, now, door="repair")
    versions = work_state.wanted_versions(tx, by_account)
    rows = [
        _row(number, account_id, by_account[account_id], versions.get(account_id))
        for number, account_id in enumerate(sorted(by_account), start=1)
    ]
    digest = fingerprint([[row.account_id, row.base_version, row.changes] for row in rows])
    run = Run(
        id=new_id(now),
        kind="repair",
        state="reviewed",
        source=source,
        source_digest=digest,
        fingerprint=digest,
        created_at=now,
        by=BY_FILE,
        counts={"update": len(rows)},
        options={},
    )
    runs.insert(tx, granted, run, rows)
    if isinstance(verdict, Hold):
        runs.hold(tx, run.id, verdict.reasons, granted)
        _audit(tx, "hold", run, now)
    else:
        runs.confirm(tx, run.id, granted, now)
    drift.ask_repair(tx, granted, [finding.id for found in by_account.values() for finding in found], now)
    return len(rows)


def _audit(tx: Tx, act: str, run: Run, now: datetime) -> None:
    """As the other doors say it of a run as a whole."""
    trail.audit(
        tx,
        account_id=None,
        action=f"{act} {run.title}",
        changed={"run": (None, run.id), "fingerprint": (None, run.fingerprint)},
        by=BY_FILE,
        now=now,
        correlation_id=run.id,
    )


def _row(number: int, account_id: str, findings: Sequence[Finding], version: int | None) -> RunRow:
    missing = [finding for finding in findings if finding.attribute is Aspect.MISSING]
    return RunRow(
        number=number,
        original={},
        parsed=None,
        verdict="update",
        changes=_changes(findings) | ({"recreate": missing[0].subject.idp_user_id} if missing else {}),
        messages={"who": findings[0].subject.who},
        account_id=account_id,
        base_version=version,
    )


def _changes(findings: Sequence[Finding]) -> dict[str, object]:
    """As every run says it: the field with what there is and what shall be."""
    changed: Mapping[str, object] = {each.what: [each.found, each.wanted] for each in findings}
    return {"change": changed}


def _deviations(findings: Sequence[Finding]) -> Iterator[Deviation]:
    for each in findings:
        if isinstance(each.attribute, Aspect):
            yield Deviation(each.attribute, each.wanted, each.found, each.key)
