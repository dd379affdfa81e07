"""The changes a plan consists of. Each is idempotent: applied to a user that already has it, it changes nothing.

A change is a value with its data: what the log, the timeline, JSON, a person's screen and a fingerprint say of it
is made of that here. None of them carries a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

from sync.domain.access import vocabulary
from sync.domain.errors import Difference
from sync.domain.provisioning.observed import ACCOUNT_ID, LockState, Observed, Sessions

DETAILS = ("username", "email", "given_name", "family_name")
"""The fields of a user beside its attributes that fsm-identity decides."""

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Create:
    """Make the user, with everything that is wanted of it at once."""

    username: str
    email: str
    groups: tuple[str, ...]

    def __str__(self) -> str:
        return "create"


@dataclass(frozen=True, slots=True)
class Disable:
    """Switch the user off. Sent alone: `enabled` travels with no other field (rule: enabled-travels-alone,
    fact: enabled-alone-clears-nothing). Nobody is deleted (rule: deactivate-never-delete).

    `given` are names and values of attributes that the user did not have and Keycloak would not switch it off
    without (fact: a-demanded-attribute-stops-every-write): known once it is done, and no values of the person's.
    """

    given: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if not self.given:
            return "disable"
        made_up = ", ".join(f"{name}: {value!r}" for name, value in self.given)
        return f"disable, with values made up for attributes that the realm demands: {made_up}"


@dataclass(frozen=True, slots=True)
class EndSessions:
    """End every online session and revoke every offline token (D6, fact: disabling-does-not-revoke)."""

    reason: str

    def __str__(self) -> str:
        return f"end sessions and offline tokens ({self.reason})"


@dataclass(frozen=True, slots=True)
class TakeCredentials:
    """Take away what the user logs in with: password and second factors. Who has a mail address may still ask for
    a new password, so this is no lock."""

    def __str__(self) -> str:
        return "take password and second factors"


@dataclass(frozen=True, slots=True)
class TakeRole:
    """Take a realm role of ours that somebody mapped directly to the user: roles come from groups only."""

    role: str

    def __str__(self) -> str:
        return f"take role {self.role}"


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    path: str

    def __str__(self) -> str:
        return f"leave {self.path}"


@dataclass(frozen=True, slots=True)
class JoinGroup:
    path: str

    def __str__(self) -> str:
        return f"join {self.path}"


@dataclass(frozen=True, slots=True)
class UpdateDetails:
    """Set names, e-mail, username and owned attributes. `existing` and `new` hold only what differs.

    Keys are those of `DETAILS` and the owned attributes; an attribute that is to go has the new value None.
    """

    existing: Mapping[str, str | None]
    new: Mapping[str, str | None]

    def __str__(self) -> str:
        return ", ".join(f"{key}: {self.existing[key]!r} -> {self.new[key]!r}" for key in sorted(self.new))


@dataclass(frozen=True, slots=True)
class Enable:
    """Switch the user on. It lifts a permanent lockout: it comes last, and only for an account wanted active."""

    def __str__(self) -> str:
        return "enable"


Change: TypeAlias = (
    Disable | EndSessions | TakeCredentials | TakeRole | LeaveGroup | JoinGroup | UpdateDetails | Enable
)
"""What can be applied to a user that is there."""

AnyChange: TypeAlias = Change | Create

NAMES: Mapping[str, type[AnyChange]] = {
    "create": Create,
    "disable": Disable,
    "end sessions": EndSessions,
    "take credentials": TakeCredentials,
    "take role": TakeRole,
    "leave group": LeaveGroup,
    "join group": JoinGroup,
    "update details": UpdateDetails,
    "enable": Enable,
}
"""As a record names them; a name is never given to another change."""

_NAME_OF = {each: name for name, each in NAMES.items()}
_FIELDS_OF = {each: tuple(one.name for one in fields(each)) for each in _NAME_OF}


def record(change: AnyChange) -> dict[str, Any]:
    """The change as plain JSON, for keeping, for programs and for fingerprints."""
    return {"change": _NAME_OF[type(change)]} | {name: getattr(change, name) for name in _FIELDS_OF[type(change)]}


def from_record(kept: Mapping[str, Any]) -> AnyChange:
    """What `record` was made of."""
    kept_fields = {name: value for name, value in kept.items() if name != "change"}
    if kept["change"] == _NAME_OF[Create]:
        kept_fields["groups"] = tuple(kept_fields["groups"])
    if kept["change"] == _NAME_OF[Disable]:
        kept_fields["given"] = tuple((name, value) for name, value in kept_fields.get("given", ()))
    return NAMES[kept["change"]](**kept_fields)


def takes_access(change: Change) -> bool:
    """It takes something away, or makes the login ask for more: worth making though another change failed."""
    match change:
        case Disable() | EndSessions() | TakeCredentials() | TakeRole():
            return True
        case LeaveGroup(path=path):
            return path != vocabulary.SECOND_FACTOR
        case JoinGroup(path=path):
            return path == vocabulary.SECOND_FACTOR
        case _:
            return False


def outstanding(changes: Iterable[AnyChange]) -> tuple[Difference, ...]:
    """What is not as wanted as long as these are not made, in words for whoever mends it (H2)."""
    return tuple(difference for change in changes for difference in _outstanding(change))


def _outstanding(change: AnyChange) -> Iterator[Difference]:
    match change:
        case Create():
            yield Difference("user", change.username, NOTHING)
            yield Difference("email", change.email, NOTHING)
            yield Difference("groups", ", ".join(change.groups), NOTHING)
        case Disable():
            yield Difference("enabled", "no", "yes")
        case Enable():
            yield Difference("enabled", "yes", "no")
        case EndSessions():
            yield Difference("sessions and offline tokens", "none", "perhaps some")
        case TakeCredentials():
            yield Difference("password and second factors", "none", "perhaps some")
        case TakeRole(role=role):
            yield Difference(f"role {role}", "through groups only", "given directly")
        case LeaveGroup(path=path):
            yield Difference(path, "no member", "member")
        case JoinGroup(path=path):
            yield Difference(path, "member", "no member")
        case UpdateDetails(existing=existing, new=new):
            for key in sorted(new):
                yield Difference(key, new[key] or NOTHING, existing[key] or NOTHING)


def result_of(change: Change, observed: Observed) -> Observed:
    """What Keycloak holds once it has acknowledged the change."""
    match change:
        case Disable(given=given):
            return replace(_with_details(observed, dict(given)), enabled=False)
        case TakeCredentials():
            return observed
        case Enable():
            return replace(observed, enabled=True, lock=LockState())
        case EndSessions():
            return replace(observed, sessions=Sessions())
        case TakeRole(role=role):
            return replace(observed, roles=observed.roles - {role})
        case LeaveGroup(path=path):
            return replace(observed, groups=observed.groups - {path})
        case JoinGroup(path=path):
            return replace(observed, groups=observed.groups | {path})
        case UpdateDetails(new=new):
            return _with_details(observed, new)


def _with_details(observed: Observed, new: Mapping[str, str | None]) -> Observed:
    attributes = {name: values for name, values in observed.attributes.items() if name not in new}
    attributes |= {
        name: (value,)
        for name, value in new.items()
        if name not in DETAILS and name != ACCOUNT_ID and value is not None
    }
    return replace(
        observed,
        username=new.get("username") or observed.username,
        email=new.get("email") or observed.email,
        given_name=new.get("given_name") or observed.given_name,
        family_name=new.get("family_name") or observed.family_name,
        attributes=attributes,
    )
