"""Creating an account again that our database lost, from what Keycloak shows of its user (G4). `adopt` calls it
for each such row of a confirmed run: the user carries the mark already, so nothing is written to Keycloak."""

from __future__ import annotations

from sync.commands.accounts.change import create_again
from sync.domain.adoption.lost import account_shown, record_again
from sync.domain.adoption.matching import problems_of_user
from sync.domain.drift.anomaly import Anomaly
from sync.domain.errors import Failure, Misconfigured, Problem, Refused, Transient
from sync.domain.provisioning.observed import Observed
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.store.drift import findings
from sync.store.runs import run_rows
from sync.store.runs.run_rows import RowOutcome, RunRow
from sync.store.runs.runs import Run


def give_account_back(systems: Systems, keep: KeepLease, run: Run, row: RunRow) -> None:
    """The account, its link and the outcome of the row in one commit. A user or an account that is not as reviewed
    is refused by itself. Raises Transient or Misconfigured where Keycloak or the job fails."""
    try:
        user = systems.accounts.observe(row.original["id"], sessions=False)
        with systems.db.write() as tx:
            claimed, now = keep.claimed(tx), systems.clock.now()
            account, unclear = account_shown(_as_reviewed(user, row), row.original["mark"], systems.policy, now)
            if account is None or record_again(account) != row.changes["new"]:
                raise _changed("; ".join(unclear))
            create_again(tx, systems.policy, account, run.cause, now)
            findings.end_of_user(tx, claimed, row.original["id"], Anomaly.LOST_ACCOUNT, now)
            run_rows.write_outcomes(tx, claimed, run.id, [RowOutcome(row.number, "applied", None, account.id)])
    except (Transient, Misconfigured):
        raise
    except (Refused, Failure) as reason:
        with systems.db.write() as tx:
            outcome = RowOutcome(row.number, "refused", str(reason), row.account_id)
            run_rows.write_outcomes(tx, keep.claimed(tx), run.id, [outcome])


def _as_reviewed(user: Observed | None, row: RunRow) -> Observed:
    problems = problems_of_user(user)
    if user is None or problems:
        raise Refused([Problem("user", each) for each in problems])
    if user.account_id != row.original["mark"]:
        raise _changed("it carries another mark")
    return user


def _changed(why: str) -> Refused:
    what = "is not as it was reviewed" + (f": {why}" if why else "")
    return Refused([Problem("user", what, "plan the adoption anew")])
