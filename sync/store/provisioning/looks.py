"""Looks that somebody asked for: a worker sees the user as it is and changes nothing.

A door asks, `account_claims.claim_looks` finds them in the lane `interactive`, `sync.jobs.provisioning.looks`
answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, null, or_, select, update

from sync.domain.accounts.status import Observation
from sync.domain.work.claimed import ClaimedAccount
from sync.domain.work.lane import Lane
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Tx
from sync.store.provisioning import observations


@dataclass(frozen=True, slots=True)
class Look:
    """The newest look at an account. `seen` None: nobody has seen the user yet. `waits`: one is asked for and not
    there yet. `failure` is why the last one that was asked for saw nothing."""

    seen: Observation | None
    waits: bool
    failure: str | None


def ask(tx: Tx, account_id: str, now: datetime) -> None:
    """A worker shall look, unless one is at the account or about to be, and will store what it saw anyway."""
    at_it = work.c.lease_token.is_not(None)
    about_to = and_(work.c.due_at <= now, work.c.lane == Lane.INTERACTIVE.value, work.c.quarantine_kind.is_(None))
    asked = case((or_(at_it, about_to), work.c.look_asked_at), else_=now)
    tx.connection.execute(
        update(work).where(work.c.account_id == account_id).values(look_asked_at=asked, look_failure=null())
    )


def answered(tx: Tx, claimed: ClaimedAccount, failure: str | None) -> None:
    """There was a look at this account, which saw the user, or failed like this. Nobody has asked for another one
    since: a look that is being made is one for whoever comes meanwhile, too."""
    tx.connection.execute(
        update(work).where(work.c.account_id == claimed.row).values(look_asked_at=null(), look_failure=failure)
    )


def newest(tx: Tx, account_id: str) -> Look:
    row = tx.connection.execute(
        select(work.c.look_asked_at, work.c.look_failure).where(work.c.account_id == account_id)
    ).one_or_none()
    asked_at, failure = (None, None) if row is None else (row.look_asked_at, row.look_failure)
    return Look(observations.last(tx, account_id), asked_at is not None, failure)
