"""The plan for one account: what must change in Keycloak, in the order in which it is safe to change it.

`diff` compares the desired with the observed state. It is pure, total and idempotent: applied to a user, the
next diff is empty. Withdrawals come first and Enable last, so that a crash at any point leaves less access
than before or after, never more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from sync.domain.access import vocabulary
from sync.domain.errors import Conflict, NeedsPerson, Unsafe
from sync.domain.provisioning.change import (
    Change,
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    TakeRole,
    UpdateDetails,
)
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import OWNED_ATTRIBUTES, TECHNICIAN_ID, Observed


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in the order in which they are to be applied. Empty: Keycloak is as wanted."""

    changes: tuple[Change, ...]

    @property
    def withdraws_technician(self) -> bool:
        """True when applying it stops somebody from doing field work: the gate must be asked (rule 5)."""
        return any(_withdraws_technician(change) for change in self.changes)

    def keeping_access(self) -> Plan:
        """The plan without whatever depends on the gate: what remains may be applied while a hold lasts.

        Nothing is given meanwhile either: a held leaver keeps exactly the access there was.
        """
        if not self.withdraws_technician:
            return self
        return Plan(tuple(change for change in self.changes if isinstance(change, TakeRole)))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the changes, the same for the same plan in any process."""
        text = json.dumps(
            [[type(change).__name__, asdict(change)] for change in self.changes], sort_keys=True, default=str
        )
        return hashlib.sha256(text.encode()).hexdigest()


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


def diff(desired: DesiredState, observed: Observed) -> Plan:
    """What differs, in safe order. Only what fsm-identity owns is compared; everything else is left alone."""
    leave = sorted(path for path in observed.groups - desired.groups if vocabulary.owns_group(path))
    join = sorted(desired.groups - observed.groups)
    changes: list[Change] = []
    if observed.enabled and not desired.enabled:
        changes.append(Disable())
    if not desired.enabled and (observed.enabled or observed.sessions is None or observed.sessions.any):
        changes.append(EndSessions("wanted inactive"))
    changes.extend(TakeRole(role) for role in sorted(observed.roles) if vocabulary.owns_role(role))
    changes.extend(LeaveGroup(path) for path in leave if path != vocabulary.SECOND_FACTOR)
    if vocabulary.SECOND_FACTOR in join:
        changes.append(JoinGroup(vocabulary.SECOND_FACTOR))
    if {vocabulary.SECOND_FACTOR, *desired.strong_groups} & set(join):
        changes.append(EndSessions("opened without the second factor"))
    details = _details(desired, observed)
    if details is not None:
        changes.append(details)
    changes.extend(JoinGroup(path) for path in join if path != vocabulary.SECOND_FACTOR)
    if vocabulary.SECOND_FACTOR in leave:
        changes.append(LeaveGroup(vocabulary.SECOND_FACTOR))
    if desired.enabled and not observed.enabled and not observed.lock.permanent:
        changes.append(Enable())
    return Plan(tuple(changes))


def _details(desired: DesiredState, observed: Observed) -> UpdateDetails | None:
    wanted: dict[str, str | None] = {
        "username": desired.username,
        "email": desired.email,
        "given_name": desired.given_name,
        "family_name": desired.family_name,
    }
    present: dict[str, str | None] = {
        "username": observed.username,
        "email": observed.email,
        "given_name": observed.given_name,
        "family_name": observed.family_name,
    }
    for name in OWNED_ATTRIBUTES:
        wanted[name] = _single(desired.attributes, name)
        present[name] = _single(observed.attributes, name)
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
    role of the realm-management client (FACTS: manage-users alone reaches realm administrators)."""
    if observed.account_id is None:
        raise Unsafe(
            f"Keycloak user {observed.username!r} ({observed.idp_user_id}) carries no account id of ours; "
            "it can be adopted after a review, never overwritten"
        )
    if observed.account_id != account_id:
        raise Conflict(
            f"Keycloak user {observed.username!r} belongs to account {observed.account_id}, not to {account_id}"
        )
    if observed.administers_realm:
        raise Unsafe(
            f"Keycloak user {observed.username!r} holds a realm-management role; "
            "fsm-identity does not touch administrators of the realm"
        )


def refuse_tampered_groups(extra_roles: Mapping[str, Iterable[str]]) -> None:
    """Stop when a group of ours carries a role we did not put there: joining it would grant that role.

    `extra_roles` maps group paths to the roles too many. Raises NeedsPerson (DESIGN: an extra role on our
    group is a quarantine, not a drift to shrug at).
    """
    tampered = {path: sorted(roles) for path, roles in sorted(extra_roles.items()) if roles}
    if tampered:
        listed = "; ".join(f"{path} carries {', '.join(roles)}" for path, roles in tampered.items())
        raise NeedsPerson(f"roles were added to groups of ours in Keycloak: {listed}")
