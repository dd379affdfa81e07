"""What was wanted of an account in an earlier version: for whoever looked at that one and finds another by now."""

from __future__ import annotations

from collections.abc import Mapping

from sync.domain.access.scope import Scope
from sync.domain.accounts.change import plain, stated_fields
from sync.store.audit import trail
from sync.store.database.transactions import Tx
from sync.store.provisioning import work_state
from sync.views.accounts.find import within


def version_now(tx: Tx, scope: Scope, account_id: str) -> int | None:
    """The wanted version. Raises NotFound, for an account outside the scope too."""
    return work_state.wanted_versions(tx, [within(tx, scope, account_id).id]).get(account_id)


def stated_now(tx: Tx, scope: Scope, account_id: str) -> Mapping[str, object]:
    """Every field by its name, as JSON holds it. Raises NotFound, for an account outside the scope too."""
    return {name: plain(value) for name, value in stated_fields(within(tx, scope, account_id)).items()}


def stated_in(tx: Tx, scope: Scope, account_id: str, version: int) -> Mapping[str, object] | None:
    """`stated_now` as it was in this wanted version, by the audit trail. None: it is not known, for the version is
    none of this account, or some version of it has no entry, as after mapping files were adopted. Raises like
    `stated_now`."""
    stated = dict(stated_now(tx, scope, account_id))
    wanted = work_state.wanted_versions(tx, [account_id]).get(account_id)
    wishes = trail.wishes(tx, account_id)
    if len(wishes) != wanted or not 1 <= version <= len(wishes):
        return None
    for each in reversed(wishes[version:]):
        stated.update(each.before)
    return stated
