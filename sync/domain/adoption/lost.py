"""Users of Keycloak whose mark names an account that our database does not have, as after it was restored from a
backup (G4): what account each would have, for a person to review. Pure; `jobs.adoption` gathers and applies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from mappings.policy import Policy
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.change import NewAccount, plain
from sync.domain.adoption.matching import problems_of_user
from sync.domain.drift.shrunken import FEW
from sync.domain.errors import Unsafe
from sync.domain.provisioning.observed import Observed


@dataclass(frozen=True, slots=True)
class LostUser:
    """`mark` is the id of the account that is not there; `user` None: it was gone when it was looked at.
    `namesakes` are the accounts that have its username or e-mail address now."""

    idp_user_id: str
    username: str
    mark: str
    user: Observed | None
    namesakes: tuple[Account, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What one of them would get: `joins` an account that was created anew under its name, or `again` the one it
    had, under the id that it carries. `problems` is empty where one of the two can be done."""

    lost: LostUser
    joins: Account | None
    again: Account | None
    problems: tuple[str, ...]


def refuse_unknown_marks(marks: int, unknown: int, most_missing_percent: int) -> None:
    """Raises Unsafe if our database knows so few of the accounts whose marks there are that it is another one than
    this realm's, empty, or of long ago. The limit is that of a listing which lacks users of ours
    (`sync.domain.drift.shrunken`): as many as `FEW` may be unknown whatever the share."""
    if (unknown == marks and marks > 1) or unknown > max(FEW, marks * most_missing_percent // 100):
        raise Unsafe(
            f"our database lacks {unknown} of the {marks} accounts whose marks the users of Keycloak carry: it is "
            "another one than this realm's, empty or too old, and nobody is given an account by it. Check "
            "FSM_DATABASE_URL, FSM_KEYCLOAK__REALM and which backup was restored; most_missing_percent in "
            "drift.toml is the limit"
        )


def give_back(lost: Sequence[LostUser], policy: Policy, now: datetime) -> tuple[GivenBack, ...]:
    """One for each of them, by username."""
    joined = Counter(each.namesakes[0].id for each in lost if len(each.namesakes) == 1)
    marked = Counter(each.mark for each in lost)
    return tuple(
        _given_back(each, policy, now, joined, marked) for each in sorted(lost, key=lambda each: each.username)
    )


def _given_back(
    lost: LostUser, policy: Policy, now: datetime, joined: Mapping[str, int], marked: Mapping[str, int]
) -> GivenBack:
    problems = list(problems_of_user(lost.user))
    if marked[lost.mark] > 1:
        problems.append(f"{marked[lost.mark]} users carry the mark {lost.mark}")
    if len(lost.namesakes) > 1:
        names = ", ".join(sorted(account.username for account in lost.namesakes))
        problems.append(f"several accounts match: {names}")
        return GivenBack(lost, None, None, tuple(problems))
    if lost.namesakes:
        (account,) = lost.namesakes
        if account.idp_user_id is not None:
            problems.append(f"the account {account.username} has Keycloak user {account.idp_user_id} already")
        if joined[account.id] > 1:
            problems.append(f"{joined[account.id]} users match the account {account.username}")
        return GivenBack(lost, account, None, tuple(problems))
    if lost.user is None:
        return GivenBack(lost, None, None, tuple(problems))
    again, unclear = account_shown(lost.user, lost.mark, policy, now)
    return GivenBack(lost, None, again, (*problems, *unclear))


def account_shown(
    user: Observed, account_id: str, policy: Policy, now: datetime
) -> tuple[Account | None, tuple[str, ...]]:
    """The account that Keycloak shows, as it would be created now, or why it does not show one. An employee number
    is not there, nor whether a data access level that is the profile's usual one was asked for. A lockout is no
    deactivation."""
    found = {
        what: sorted(_below(parent, user.groups))
        for what, parent in (
            ("profile", vocabulary.PROFILES),
            ("branch", vocabulary.BRANCHES),
            ("team", vocabulary.TEAMS),
            ("data access", vocabulary.DATA_ACCESS),
        )
    }
    unclear = [f"it has more than one {what}: {', '.join(keys)}" for what, keys in found.items() if len(keys) > 1]
    if not found["profile"]:
        unclear.append("it has no profile: create the account by hand, then plan this anew")
    if unclear:
        return None, tuple(unclear)
    profile, level = found["profile"][0], _first(found["data access"])
    usual = policy.profiles[profile].default_data_access if profile in policy.profiles else None
    new = NewAccount(
        email=user.email,
        given_name=user.given_name,
        family_name=user.family_name,
        profile=profile,
        branch=_first(found["branch"]),
        team=_first(found["team"]),
        data_access=None if level == usual else level,
        technician_id=user.technician_id,
        username=user.username,
        attributes={key: user.attributes[key][0] for key in sorted(policy.attributes) if user.attributes.get(key)},
    )
    life = Life.ACTIVE if user.enabled or user.known_lock.permanent else Life.INACTIVE
    return replace(new.account(account_id, now), life=life, idp_user_id=user.idp_user_id), ()


def record_again(account: Account) -> dict[str, Any]:
    """What would be created, as JSON that a person reviews: without when, and without what it has not."""
    values = {each.name: getattr(account, each.name) for each in fields(account) if each.name != "created_at"}
    return {name: plain(value) for name, value in values.items() if value not in (None, {})}


def _below(parent: str, groups: Collection[str]) -> Iterator[str]:
    for path in groups:
        above, _, key = path.rpartition("/")
        if above == parent:
            yield key


def _first(keys: Sequence[str]) -> str | None:
    return keys[0] if keys else None
