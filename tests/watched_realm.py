"""The realm as the watching job sees it, without a Keycloak."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sync.domain.realm.item import ItemKind, RealmState
from sync.domain.realm.wanted import ground_of_accounts
from sync.jobs.realm import watch_realm
from tests.world import World


@dataclass
class WatchedRealm:
    """What accounts stand on, and what is not ours; the login flows are not looked at."""

    state: RealmState
    demanded: frozenset[str] = frozenset()

    def observe(self, kinds: Collection[ItemKind]) -> RealmState:
        return RealmState.of(item for item in self.state.items.values() if item.kind in kinds)

    def demanded_attributes(self) -> frozenset[str]:
        return self.demanded


def watch(world: World, *, demanded: Collection[str] = (), undeclared: Collection[str] = ()) -> None:
    """One round of the watch over a realm that has everything of ours but these attributes."""
    whole = ground_of_accounts(world.systems.policy)
    missing = {(ItemKind.PROFILE_ATTRIBUTE, name) for name in undeclared}
    state = RealmState({key: item for key, item in whole.items.items() if key not in missing})
    realm = WatchedRealm(state, frozenset(demanded))
    watch_realm(replace(world.systems, realm=realm), lambda: None)  # type: ignore[arg-type]
