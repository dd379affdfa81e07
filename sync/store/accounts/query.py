"""What a list of accounts is asked for: what the caller may see, and the filter."""

from __future__ import annotations

from dataclasses import dataclass

from sync.domain.accounts.account import Life


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may see (I4): every branch or one. Make it with `Scope.all` or `Scope.of_branch`; a
    missing branch is an error, never everything."""

    everything: bool
    branch: str | None

    def __post_init__(self) -> None:
        if self.everything == bool(self.branch):
            raise ValueError("a scope is everything or one branch")

    @classmethod
    def all(cls) -> Scope:
        return cls(everything=True, branch=None)

    @classmethod
    def of_branch(cls, branch: str) -> Scope:
        return cls(everything=False, branch=branch)


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """A filter, each part None when not asked for; parts are joined by "and".

    `text` is found anywhere in username, e-mail, name, employee number or technician id, ignoring case.
    `unlinked_profiles`: only accounts of these profiles that have no technician link (B3). `after` is the
    `next` of the page before; `limit` bounds the page.
    """

    text: str | None = None
    profile: str | None = None
    branch: str | None = None
    team: str | None = None
    life: Life | None = None
    quarantined: bool | None = None
    held: bool | None = None
    unlinked_profiles: frozenset[str] | None = None
    after: str | None = None
    limit: int = 100
