"""What a caller was allowed, as a value that only `sync.commands.access.authority` can make.

Functions of the store that write what is wanted take one, so that nobody can write it without having asked. These
classes are abstract: neither the type checker nor Python lets anybody make one here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.accounts.account import Account


@dataclass(frozen=True)
class Granted(ABC):
    """`by` may do what `permission` names."""

    by: Cause
    permission: Permission

    @property
    @abstractmethod
    def from_authority(self) -> bool: ...


@dataclass(frozen=True)
class GrantedAccount(Granted, ABC):
    """The account may become `after`; `before` None: it may be made. Only `after` is stored."""

    before: Account | None
    after: Account
