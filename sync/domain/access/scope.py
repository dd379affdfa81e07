"""What a caller may see (I4): everything, or one branch. Every view asks for it; none has a default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sync.domain.accounts.account import Account
from sync.domain.errors import NotAllowed, Problem


@dataclass(frozen=True, slots=True)
class Scope:
    """Make it with `Scope.all` or `Scope.of_branch`; a missing branch is an error, never everything."""

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

    def require_everything(self, what: str) -> None:
        """For what is not told apart by branch. Raises NotAllowed for a scope of one branch."""
        if not self.everything:
            raise NotAllowed(
                [Problem(what, "are for who administers the whole company", "ask an administrator of it")]
            )

    def holds(self, account: Account) -> bool:
        """An account without a branch is the whole company's."""
        return self.everything or account.branch == self.branch


EVERYTHING: Final = Scope.all()
"""Of callers who see the whole company."""
