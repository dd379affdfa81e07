"""Which users of Keycloak may be which accounts of ours (G4): proposals for a person to review, never done by
themselves (rule: match-by-id). Pure; `jobs.adoption` gathers and applies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.domain.accounts.account import Account
from sync.domain.drift.anomaly import GIVE_ACCOUNT_BACK
from sync.domain.provisioning.observed import Observed


@dataclass(frozen=True, slots=True)
class Candidate:
    """A user that is not ours and the accounts it has something in common with, each with what: `username`,
    `email`, `employee number`. `user` None: it was gone when it was looked at. `lost`: it carries the mark of an
    account that our database does not have."""

    idp_user_id: str
    username: str
    accounts: Mapping[str, frozenset[str]]
    user: Observed | None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """One user for one account. `problems` is empty where it can be adopted, else it is a conflict; the account is
    None if several accounts match."""

    candidate: Candidate
    account_id: str | None
    matched_by: tuple[str, ...]
    problems: tuple[str, ...]


def propose(candidates: Sequence[Candidate], accounts: Mapping[str, Account]) -> tuple[Proposal, ...]:
    """One for each candidate, by username. `accounts` has every account a candidate names."""
    wanted = Counter(account_id for each in candidates for account_id in each.accounts)
    return tuple(_proposal(each, accounts, wanted) for each in sorted(candidates, key=lambda each: each.username))


def _proposal(candidate: Candidate, accounts: Mapping[str, Account], wanted: Mapping[str, int]) -> Proposal:
    problems = list(problems_of_user(candidate.user))
    if len(candidate.accounts) != 1:
        names = ", ".join(sorted(accounts[account_id].username for account_id in candidate.accounts))
        problems.append(f"several accounts match: {names}")
        return Proposal(candidate, None, (), tuple(problems))
    ((account_id, matched_by),) = candidate.accounts.items()
    account = accounts[account_id]
    if account.idp_user_id not in (None, candidate.idp_user_id):
        problems.append(f"the account has Keycloak user {account.idp_user_id} already")
    if wanted[account_id] > 1:
        problems.append(f"{wanted[account_id]} users match the account {account.username}")
    if candidate.user is not None and candidate.user.account_id not in (None, account_id):
        problems.append(_of_another(candidate.user.account_id, lost=candidate.lost))
    return Proposal(candidate, account_id, tuple(sorted(matched_by)), tuple(problems))


def _of_another(mark: str | None, *, lost: bool) -> str:
    if lost:
        return f"it carries the mark of account {mark}, which our database lost: {GIVE_ACCOUNT_BACK}"
    return f"it belongs to account {mark}"


def problems_of_user(user: Observed | None) -> Sequence[str]:
    """Why it cannot be adopted whatever the match."""
    if user is None:
        return ["it is gone"]
    return ["it administers the realm"] if user.administers_realm else []
