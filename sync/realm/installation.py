"""Whose realm it is (H1): the id of the installation that keeps it, which `realm apply` writes into a realm that
has none. Who has a database with another id writes nothing there. A backup has the id of its original."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.realm.difference import Update
from sync.domain.realm.item import ItemKind, RealmState
from sync.domain.realm.settings import INSTALLATION, SETTINGS

WHOSE: Final = frozenset({ItemKind.REALM})
"""What says whose the realm is."""


def installation_of(observed: RealmState) -> str | None:
    """None: nobody's yet."""
    item = observed.get(ItemKind.REALM, SETTINGS)
    found = None if item is None else item.fields.get(INSTALLATION)
    return found if isinstance(found, str) and found else None


def refuse_another(theirs: str | None, ours: str | None) -> None:
    """Before anything is written. `ours` None: there is no database of ours. Raises Misconfigured; a realm that is
    nobody's yet stops nobody."""
    for told in another(theirs, ours):
        raise Misconfigured(
            f"nothing is written there: {told}", system="keycloak", code=FailureCode.REALM_OF_ANOTHER
        )


def another(theirs: str | None, ours: str | None) -> Iterator[str]:
    """A sentence where the realm is another installation's, with what to do; none where it is ours or nobody's."""
    if theirs in (None, ours):
        return
    mine = "there is no database of ours" if ours is None else f"our database is that of {ours}"
    yield (
        f"the realm is that of installation {theirs}, and {mine}: check FSM_DATABASE_URL and FSM_KEYCLOAK__REALM; "
        f"if this database shall keep the realm from now on: fsm-identity realm take-over {theirs} --reason …"
    )


def take_over(theirs: str, ours: str) -> Update:
    """The one change that puts our id in place of another's."""
    return Update(ItemKind.REALM, SETTINGS, {INSTALLATION: theirs}, {INSTALLATION: ours})
