"""Looking now and then whether what accounts stand on is still there: our roles, groups and attributes in the
realm, and the login flows (A10, C6, H2). Somebody with Keycloak's console may remove or rename any of it, and no
account would fail: its people would have less, or get in with less. A job of the lane reconcile; it mends nothing,
`realm apply` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sync.domain.errors import FailureCode
from sync.domain.realm.difference import Create, RealmDifference, Remove, Update, realm_differences
from sync.domain.realm.flow_changes import login_problems
from sync.domain.realm.item import Item, ItemKind
from sync.domain.realm.login_flows import login_flows
from sync.domain.realm.surroundings import demands
from sync.domain.realm.wanted import ground_of_accounts
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.realm.installation import WHOSE, another, installation_of
from sync.realm.login import LOGIN_KINDS
from sync.store.database.transactions import Tx
from sync.store.operations import troubles
from sync.store.provisioning import due
from sync.store.realm import installation

NAME: Final = "realm"
GROUND: Final = frozenset({ItemKind.REALM_ROLE, ItemKind.FEATURE, ItemKind.GROUP, ItemKind.PROFILE_ATTRIBUTE})
SHOWN: Final = 5
REMEDY: Final = "look at fsm-identity realm plan, then run fsm-identity realm apply"
OWNER: Final = "realm-owner"
OWNER_REMEDY: Final = "docs/operations.md, 'The realm is that of another installation'"
DEMANDS: Final = "realm-demands"
DEMANDS_REMEDY: Final = (
    "fsm-identity goes on by itself after it; docs/operations.md, 'Leavers who are not disabled'"
)


def watch_realm(systems: Systems, _keep: KeepLease) -> None:
    """Note for operators what is not as the mapping files say, or take the note away. Where every attribute is
    declared, and where none is demanded any more, the accounts that waited for that are due. Raises
    a Failure of Keycloak; in a process that watches no realm it does nothing."""
    if systems.realm is None:
        return
    found = realm_differences(ground_of_accounts(systems.policy), systems.realm.observe(GROUND))
    flows = login_problems(login_flows(systems.policy), systems.realm.observe(LOGIN_KINDS))
    demanded = systems.realm.demanded_attributes()
    theirs = installation_of(systems.realm.observe(WHOSE))
    with systems.db.read() as tx:
        whose = [*another(theirs, installation(tx))]
    wrong = [*map(_told, found), *flows]
    undeclared = any(each.kind is ItemKind.PROFILE_ATTRIBUTE for each in map(_about, found))
    with systems.db.write() as tx:
        if not undeclared:
            due.look_at_waiting(tx, FailureCode.REALM_BEHIND, systems.clock.now())
        if not demanded:
            for code in (FailureCode.ATTRIBUTE_DEMANDED, FailureCode.NOT_DISABLED):
                due.look_at_waiting(tx, code, systems.clock.now())
        _note(tx, NAME, "the realm is not as the mapping files say", wrong, REMEDY, systems.clock.now())
        _note(tx, OWNER, "the workers write nothing there", whose, OWNER_REMEDY, systems.clock.now())
        told = [*demands(demanded)]
        _note(tx, DEMANDS, "in Keycloak's console", told, DEMANDS_REMEDY, systems.clock.now())


def _note(tx: Tx, name: str, where: str, wrong: Sequence[str], remedy: str, now: datetime) -> None:
    if not wrong:
        troubles.clear(tx, name)
        return
    more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    troubles.note(tx, name, f"{where}: {'; '.join(wrong[:SHOWN])}{more}", remedy, now)


def _about(difference: RealmDifference) -> Item | Update:
    return difference if isinstance(difference, Update) else difference.item


def _told(difference: RealmDifference) -> str:
    match difference:
        case Create(item=item):
            return f"{item} is missing"
        case Remove(item=item):
            return f"{item} is there and in no mapping file"
        case _:
            return f"{difference.kind} {difference.name} differs ({'; '.join(difference.details)})"
