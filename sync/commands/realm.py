"""Taking over a realm that another installation keeps: what a person decides, with a reason, is written down
before the realm is changed (`entrypoints/cli/realm` does that)."""

from __future__ import annotations

from sync.commands.access import authority
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.work.lane import Lane
from sync.store.audit import trail
from sync.store.database.transactions import Tx

TAKE_OVER = "take over the realm"


def decide_take_over(desk: Desk, realm: str, theirs: str, ours: str, by: Cause) -> None:
    """Raises NotAllowed. The audit entry stands even if Keycloak cannot be asked after it: it says what was
    decided."""

    def command(tx: Tx) -> None:
        now = desk.clock.now()
        authority.allow(tx, desk.policy, by, Permission.TAKE_OVER_REALM, now)
        changed: dict[str, tuple[object, object]] = {"realm": (realm, realm), "installation": (theirs, ours)}
        trail.audit(tx, account_id=None, action=TAKE_OVER, changed=changed, by=by, now=now)

    perform(desk, command, wakes=Lane.RECONCILE)
