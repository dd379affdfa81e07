"""The plan for one account: what must change in Keycloak, in the order in which it is safe to change it.

`diff` compares the desired state with what one look showed: a worker's, a comparison's, a stored one. It is the
only place that says what differs. Pure, total and idempotent: applied to a user, the next diff is empty.
Withdrawals come first and Enable last (rule: withdraw-first), so that a crash at any point leaves less access than
before or after, never more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sync.domain.access import vocabulary
from sync.domain.errors import Conflict, FailureCode, NeedsPerson, Unsafe
from sync.domain.provisioning.aspect import Aspect, Deviation, attributes_of, touched_by, written
from sync.domain.provisioning.change import (
    DETAILS,
    Change,
    Create,
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    TakeCredentials,
    TakeRole,
    UpdateDetails,
)
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import (
    ACCOUNT_ID,
    NOT_LOOKED_AT,
    TECHNICIAN_ID,
    UPDATE_PASSWORD,
    LockState,
    Observed,
    Seen,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in the order in which they are to be applied. Empty: Keycloak is as wanted."""

    changes: tuple[Change, ...]

    @property
    def withdraws_technician(self) -> bool:
        """True when applying it stops somebody from doing field work: the gate must be asked
        (rule: ask-the-gate)."""
        return any(_withdraws_technician(change) for change in self.changes)

    def keeping_access(self) -> Plan:
        """The plan without whatever depends on the gate: what remains may be applied while a hold lasts.

        Nothing is given meanwhile either: a held leaver keeps exactly the access there was.
        """
        if not self.withdraws_technician:
            return self
        return Plan(tuple(change for change in self.changes if isinstance(change, TakeRole)))

    def leaving(self, accepted: Collection[Aspect]) -> Plan:
        """The plan without what somebody accepted as it is."""
        return Plan(tuple(each for each in self.changes if not (touched_by(each) & frozenset(accepted))))


def _withdraws_technician(change: Change) -> bool:
    match change:
        case Disable():
            return True
        case LeaveGroup(path=vocabulary.FIELD_TECHNICIANS):
            return True
        case UpdateDetails(existing=existing, new=new):
            return TECHNICIAN_ID in new and existing.get(TECHNICIAN_ID) is not None
        case _:
            return False


def diff(desired: DesiredState, seen: Seen) -> Plan:
    """What differs, in safe order, and nothing about what was not looked at. Only what fsm-identity owns is
    compared; everything else is left alone.

    `enabled: false` is a switch that somebody turned, unless Keycloak itself turned it: a permanent lockout. So
    without a look at the lockout nobody is switched on.
    """
    leave, join = _memberships(desired, seen)
    roles = () if seen.roles is NOT_LOOKED_AT else sorted(filter(vocabulary.owns_role, seen.roles))
    live = seen.sessions is not NOT_LOOKED_AT and seen.sessions.any
    changes: list[Change] = []
    if seen.enabled is True and not desired.enabled:
        changes.append(Disable())
    if not desired.enabled and (seen.enabled is True or live):
        changes.append(EndSessions("wanted inactive"))
    changes.extend(TakeRole(role) for role in roles)
    changes.extend(LeaveGroup(path) for path in leave if path != vocabulary.SECOND_FACTOR)
    if vocabulary.SECOND_FACTOR in join:
        changes.append(JoinGroup(vocabulary.SECOND_FACTOR))
    if {vocabulary.SECOND_FACTOR, *desired.strong_groups} & set(join):
        changes.append(EndSessions("opened without the second factor"))
    details = _details(desired, seen)
    if details is not None:
        changes.append(details)
    changes.extend(JoinGroup(path) for path in join if path != vocabulary.SECOND_FACTOR)
    if vocabulary.SECOND_FACTOR in leave:
        changes.append(LeaveGroup(vocabulary.SECOND_FACTOR))
    switched_off = seen.enabled is False and seen.lock is not NOT_LOOKED_AT and not seen.lock.permanent
    if desired.enabled and switched_off:
        changes.append(Enable())
    return Plan(tuple(changes))


def withdrawal(observed: Observed) -> Plan:
    """What is taken from somebody wanted inactive whom Keycloak refuses to switch off (D6): all that one logs in
    with, every session, and everything of ours but the duty of a second factor. No lock: a mailed link may let the
    person in again, to nothing."""
    roles = sorted(filter(vocabulary.owns_role, observed.roles))
    return Plan(
        (
            TakeCredentials(),
            EndSessions("cannot be disabled"),
            *map(TakeRole, roles),
            *map(LeaveGroup, sorted(filter(vocabulary.grants, observed.groups))),
        )
    )


def creation(desired: DesiredState) -> Create:
    """What differs where Keycloak says that there is no such user."""
    return Create(desired.username, desired.email, tuple(sorted(desired.groups)))


def as_sent(desired: DesiredState, idp_user_id: str) -> Observed:
    """The user right after its creation, as it was sent: nobody has looked yet."""
    return Observed(
        idp_user_id=idp_user_id,
        username=desired.username,
        email=desired.email,
        given_name=desired.given_name,
        family_name=desired.family_name,
        enabled=desired.enabled,
        attributes=desired.attributes,
        groups=desired.groups,
        roles=frozenset(),
        required_actions=frozenset({UPDATE_PASSWORD}),
        administers_realm=False,
        lock=LockState(),
    )


def deviations(desired: DesiredState, seen: Seen | None) -> tuple[Deviation, ...]:
    """What the plan would put right, attribute by attribute; `seen` None: there is no such user."""
    if seen is None:
        return (Deviation(Aspect.MISSING, written(Aspect.MISSING, desired), None),)
    changes = diff(desired, seen).changes
    touched = {attribute for change in changes for attribute in touched_by(change)} - {Aspect.ATTRIBUTES}
    named = [Deviation(each, written(each, desired), written(each, seen)) for each in Aspect if each in touched]
    return (*named, *(each for change in changes for each in attributes_of(change)))


def _memberships(desired: DesiredState, seen: Seen) -> tuple[list[str], list[str]]:
    """The groups to leave and those to join."""
    if seen.groups is NOT_LOOKED_AT:
        return [], []
    leave = sorted(path for path in seen.groups - desired.groups if vocabulary.owns_group(path))
    return leave, sorted(desired.groups - seen.groups)


def _details(desired: DesiredState, seen: Seen) -> UpdateDetails | None:
    """The mark of ours is none of them: who lacks it is refused as a whole, and nothing ever writes it."""
    wanted: dict[str, str | None] = {}
    present: dict[str, str | None] = {}
    for field in DETAILS:
        value = getattr(seen, field)
        if value is not NOT_LOOKED_AT:
            wanted[field], present[field] = getattr(desired, field), value
    if seen.attributes is not NOT_LOOKED_AT:
        for name in desired.owned - {ACCOUNT_ID}:
            wanted[name], present[name] = _single(desired.attributes, name), _single(seen.attributes, name)
    different = [key for key in sorted(wanted) if wanted[key] != present[key]]
    if not different:
        return None
    return UpdateDetails({key: present[key] for key in different}, {key: wanted[key] for key in different})


def _single(attributes: Mapping[str, tuple[str, ...]], name: str) -> str | None:
    values = attributes.get(name, ())
    return "\n".join(values) if values else None


def refuse_unsafe(desired: DesiredState, observed: Observed) -> None:
    """Stop before a user is touched that is not ours or that administers the realm: see `refuse_foreign`."""
    refuse_foreign(desired.account_id, observed)


def refuse_foreign(account_id: str, observed: Observed) -> None:
    """Raises Conflict when another account owns the user, Unsafe when nobody of ours does or when the user holds a
    role of the realm-management client (fact: manage-users-reaches-administrators)."""
    if observed.account_id is None:
        raise Unsafe(
            f"Keycloak user {observed.username!r} ({observed.idp_user_id}) carries no account id of ours; "
            "it can be adopted after a review, never overwritten",
            code=FailureCode.USER_NOT_OURS,
        )
    if observed.account_id != account_id:
        raise Conflict(
            f"Keycloak user {observed.username!r} belongs to account {observed.account_id}, not to {account_id}",
            code=FailureCode.USER_NOT_OURS,
        )
    if observed.administers_realm:
        raise Unsafe(
            f"Keycloak user {observed.username!r} holds a realm-management role; "
            "fsm-identity does not touch administrators of the realm",
            code=FailureCode.REALM_ADMINISTRATOR,
        )


def refuse_tampered_groups(extra_roles: Mapping[str, Iterable[str]]) -> None:
    """Stop when a group of ours carries a role we did not put there: joining it would grant that role.

    `extra_roles` maps group paths to the roles too many. Raises NeedsPerson (rule: only-what-is-ours).
    """
    tampered = {path: sorted(roles) for path, roles in sorted(extra_roles.items()) if roles}
    if tampered:
        listed = "; ".join(f"{path} carries {', '.join(roles)}" for path, roles in tampered.items())
        raise NeedsPerson(
            f"roles were added to groups of ours in Keycloak: {listed}", code=FailureCode.EXTRA_ROLES, about=listed
        )
