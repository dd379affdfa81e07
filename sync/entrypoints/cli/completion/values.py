"""Names of accounts, profiles, branches, teams, levels and runs for the TAB key, as our database has them now.

Whatever is wrong there, nothing is proposed and nothing is said: the line that is being written is no place for
that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mappings.files.names import Named, name_key
from mappings.files.problems import MappingErrors
from mappings.policy import Policy
from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.accounts.spelling import spelled_out
from sync.domain.errors import Failure, Refused
from sync.settings import SettingsError, load_settings
from sync.store.accounts.query import AccountQuery
from sync.views.accounts.listing import list_accounts
from sync.views.runs import recent_runs
from sync.wiring.doors import open_desk_with_policy

AT_MOST = 50
SHORT = 8
"""The last characters of a run's id, which name it."""

Proposals = tuple[tuple[str, str], ...]
"""What is written, and whom or what it stands for."""


def proposed(kind: str, begun: str, given: Mapping[str, str]) -> Proposals:
    """`kind` is the name of an option or argument; `given` what was written for others before."""
    try:
        return tuple((word, spelled_out(about)) for word, about in _proposed(kind, begun, given))
    except (Failure, Refused, SettingsError, MappingErrors):
        return ()


def _proposed(kind: str, begun: str, given: Mapping[str, str]) -> Proposals:
    if kind not in {"profile", "branch", "team", "data_access", "who", "text", "run"}:
        return ()
    desk, in_force = open_desk_with_policy(load_settings())
    match kind:
        case "profile":
            return _named(in_force.policy.profiles.values(), begun)
        case "branch":
            return _named(in_force.policy.branches.values(), begun)
        case "team":
            return _named(_teams(in_force.policy, given.get("branch")), begun)
        case "data_access":
            return _named(in_force.policy.data_access.values(), begun)
        case "run":
            return _runs(desk)
        case _:
            return _accounts(desk, begun)


def _teams(policy: Policy, branch: str | None) -> Iterable[Named]:
    """Those of the branch that was named before."""
    where = None if branch is None else policy.find_branch(branch)
    return policy.teams.values() if where is None else where.teams


def _named(entries: Iterable[Named], begun: str) -> Proposals:
    """By the beginning of the key or the title, whatever the case; written is the key, which has no blanks."""
    wanted = name_key(begun)
    return tuple(
        (each.key, each.title)
        for each in entries
        if name_key(each.key).startswith(wanted) or name_key(each.title).startswith(wanted)
    )


def _accounts(desk: Desk, begun: str) -> Proposals:
    """Whose username begins like this; where nobody's does, those that have it in a name or number."""
    with desk.db.read() as tx:
        page = list_accounts(tx, Scope.all(), AccountQuery(text=begun or None, limit=AT_MOST))
    found = [(each.account.username, each.account.full_name) for each in page.items]
    first = [each for each in found if each[0].startswith(begun.lower())]
    return tuple(first or found)


def _runs(desk: Desk) -> Proposals:
    with desk.db.read() as tx:
        found = recent_runs(tx, Scope.all(), AT_MOST)
    return ("last", "the newest"), *((each.id[-SHORT:], f"{each.title}: {each.state}") for each in found)
