"""Reports over all accounts: those that nobody uses (D8), and who had access to what at a moment (G2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from mappings.loading import AccessFiles, read_access
from sync.desk import BareDesk, Desk
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account, Life
from sync.domain.errors import Problem, Refused
from sync.domain.logins.unused import Patience, Use, use_of
from sync.domain.reports.access import AccessRow, access_at
from sync.domain.reports.in_keycloak import FilesThen
from sync.store import logins, mappings, reports
from sync.store.accounts.query import AccountQuery
from sync.store.database.transactions import Database
from sync.store.reports import AccessQuery
from sync.views.accounts.listing import every_account


@dataclass(frozen=True, slots=True)
class Unused:
    """`last_used_at` is the last login or refresh that is known."""

    account: Account
    use: Use
    last_used_at: datetime | None


def unused(
    desk: Desk, scope: Scope, patience: Patience, now: datetime, after: str | None = None
) -> Iterator[Unused]:
    """Active accounts that are not used, by username, from behind the one with the login key `after`; nothing is
    done about them."""
    with desk.db.read() as tx:
        gaps = logins.gaps(tx)
    for row in every_account(desk, scope, AccountQuery(life=Life.ACTIVE, after=after)):
        use = use_of(row.activity, row.account.created_at, gaps, patience, now)
        if use is not None:
            last = max(filter(None, (row.activity.last_login_at, row.activity.last_used_at)), default=None)
            yield Unused(row.account, use, last)


def access(
    desk: BareDesk, scope: Scope, query: AccessQuery, *, everybody: bool = False
) -> Iterator[tuple[str, AccessRow]]:
    """Who had access at that moment or was wanted to, by username, each with what `AccessQuery.after` takes. Of
    one branch those that are in it now, with all of their past, as their timeline shows it.

    `everybody`: those as well to whom neither side gave anything, such as people who left before. Each page is a
    transaction of its own; what was is not written anew, so that pages fit each other. Raises Refused for a time
    that is to come.
    """
    if query.at > desk.clock.now():
        reason = f"{query.at.isoformat()} is to come: nobody knows who has access then"
        raise Refused([Problem("at", reason, "ask for a time that has passed, or for now by leaving it out")])
    return _access(desk.db, scope, query, _files_then(desk.db), everybody=everybody)


def _access(
    db: Database, scope: Scope, query: AccessQuery, files_then: FilesThen, *, everybody: bool
) -> Iterator[tuple[str, AccessRow]]:
    while True:
        with db.read() as tx:
            page = reports.pasts(tx, scope, query)
        for key, past in page.items:
            row = access_at(past, query.at, files_then)
            if (everybody or row.concerns) and _asked_for(row, query):
                yield key, row
        if page.next is None:
            return
        query = replace(query, after=page.next)


def _asked_for(row: AccessRow, query: AccessQuery) -> bool:
    return (query.profile is None or row.has_profile(query.profile)) and (
        query.branch is None or row.has_branch(query.branch)
    )


def _files_then(db: Database) -> FilesThen:
    """Each policy is read once, when somebody asks for it."""
    with db.read() as tx:
        adopted = reports.policies_by_time(tx)

    @cache
    def numbered(number: int) -> AccessFiles | None:
        with db.read() as tx:
            found = mappings.numbered(tx, number)
        return None if found is None else read_access(found.files)

    def files_then(at: datetime) -> AccessFiles | None:
        number = max((number for number, adopted_at in adopted if adopted_at <= at), default=None)
        return None if number is None else numbered(number)

    return files_then
