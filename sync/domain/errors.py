"""Errors, sorted by what to do next (H2).

`Failure` and its five kinds are what a worker meets; `Refused` is what a door answers. Messages state
facts and never contain a secret.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from dataclasses import field as named
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal, TypeAlias

System: TypeAlias = Literal["keycloak", "fsm", "database", "mail"]

TAKEN: Final = "taken"
"""The code of a Problem: another account has what is unique in the company."""
SIMILAR: Final = "similar"
"""The code of a Problem: it may be a second account of one person."""
OF_THE_COMPANY: Final = "of-the-whole-company"
"""The code of a Problem: whoever administers the whole company has to look."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as wanted, in words: what it is, what was wanted of it, what was found."""

    what: str
    wanted: str
    found: str


class FailureCode(StrEnum):
    """Why something failed, for programs: what is mended in the same way has the same code. The last ones are what
    a failure has of which nothing narrower is known; `UNFORESEEN` names the type of the error in `about`."""

    UNREACHABLE = "unreachable"
    UNAVAILABLE = "unavailable"
    NOT_ASKED = "not-asked"
    ACCESS_REFUSED = "access-refused"
    REALM_MISSING = "realm-missing"
    REALM_OF_ANOTHER = "realm-of-another"
    REALM_BEHIND = "realm-behind"
    ATTRIBUTE_DEMANDED = "attribute-demanded"
    NOT_DISABLED = "not-disabled"
    GROUP_MISSING = "group-missing"
    GROUP_IN_USE = "group-in-use"
    LOGIN_UNSAFE = "login-unsafe"
    SETTING_WRONG = "setting-wrong"
    TABLES_DIFFER = "tables-differ"
    CONTRACT_DIFFERS = "contract-differs"
    POLICY_BEHIND = "policy-behind"
    LEASE_LOST = "lease-lost"
    NAME_TAKEN = "name-taken"
    ID_TAKEN = "id-taken"
    ACCOUNT_LOST = "account-lost"
    VALUE_REFUSED = "value-refused"
    ADDRESS_REFUSED = "address-refused"
    ADDRESS_BOUNCED = "address-bounced"
    MAIL_REFUSED = "mail-refused"
    NO_EFFECT = "no-effect"
    CHANGED_SINCE = "changed-since"
    NOT_FOUND = "not-found"
    USER_DELETED = "user-deleted"
    USER_MISSING = "user-missing"
    USER_UNREADABLE = "user-unreadable"
    USER_NOT_OURS = "user-not-ours"
    REALM_ADMINISTRATOR = "realm-administrator"
    OUTSIDE_OURS = "outside-ours"
    EXTRA_ROLES = "extra-roles"
    TECHNICIAN_UNKNOWN = "technician-unknown"
    TECHNICIAN_UNASSIGNABLE = "technician-unassignable"
    WORKERS_ENDED = "workers-ended"
    PASSWORD_LAPSED = "password-lapsed"  # noqa: S105 - a code
    MAY_HAVE_LEFT = "may-have-left"
    TEMPORARY = "temporary"
    PERSON_NEEDED = "person-needed"
    CONFLICT = "conflict"
    MISCONFIGURED = "misconfigured"
    UNSAFE = "unsafe"
    UNFORESEEN = "unforeseen"


class Failure(Exception):
    """Something stopped the work on one account. Raise one of the five kinds, never this class.

    `system` names what cannot be used at all just now, so that the next account would fail the same way: circuits
    count these (`sync.domain.work.circuit`). None: it is about this one piece of work. `about` is what the code is
    about where one thing is mended for many, such as a group. `retry_after` is how long the system asked to be
    left alone. `differences` is what could not be made, where somebody knew it; a person who mends it needs it
    beside the reason.
    """

    kind: str = "failure"
    code: FailureCode
    differences: tuple[Difference, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        system: System | None = None,
        code: FailureCode | None = None,
        about: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.system = system
        self.about = about
        self.retry_after = retry_after
        if code is not None:
            self.code = code

    @property
    def cause(self) -> str:
        """The code, and what it is about: failures with the same cause are mended together."""
        return f"{self.code} {self.about}".strip()

    @staticmethod
    def code_of(cause: str) -> str:
        """The code alone, of what `cause` is."""
        return cause.partition(" ")[0]


class Transient(Failure):
    """Trying again by itself will help: a time-out, a refused connection, a 5xx answer."""

    kind = "transient"
    code = FailureCode.TEMPORARY


class NeedsPerson(Failure):
    """A person has to look: the foreign system refuses what we want for a reason we cannot mend."""

    kind = "needs-person"
    code = FailureCode.PERSON_NEEDED


class Conflict(Failure):
    """Somebody else has the name, the e-mail address or the id, or two candidates match."""

    kind = "conflict"
    code = FailureCode.CONFLICT


class NameHeld(Conflict):
    """Other users have the username or the e-mail address. `marks`: the account ids that they carry."""

    code = FailureCode.NAME_TAKEN

    def __init__(self, message: str, marks: Collection[str]) -> None:
        super().__init__(message)
        self.marks = frozenset(marks)


class Misconfigured(Failure):
    """Wrong credentials, a missing role, group or realm: every account would fail the same way."""

    kind = "misconfigured"
    code = FailureCode.MISCONFIGURED


class Unsafe(Failure):
    """Doing it would touch what is not ours or end the last way in: never done by itself."""

    kind = "unsafe"
    code = FailureCode.UNSAFE


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a command was refused: which field, what is wrong, what would mend it. `code` is for doors that tell
    this kind in words of their own."""

    field: str
    reason: str
    remedy: str = ""
    code: str = named(default="", compare=False)

    def __str__(self) -> str:
        text = f"{self.field}: {self.reason}" if self.field else self.reason
        return f"{text} ({self.remedy})" if self.remedy else text


class Refused(Exception):
    """A command was refused at the door; nothing was stored. Carries every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class NotFound(Refused):
    """The account, technician or run that was named does not exist."""


class NotAllowed(Refused):
    """The caller may not do this; somebody else may."""


class Outdated(Refused):
    """What was looked at is not wanted any more: somebody has changed it since."""
