"""Everything the realm must hold, from the policy and the options: items of every kind but the login flows,
whose names depend on what is there already (`flow_changes`)."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.policy import Policy
from sync.domain.access import vocabulary
from sync.domain.access.group_roles import attributes_of_groups, roles_of_groups
from sync.domain.realm.claims import api_scope, claims_scope
from sync.domain.realm.clients import clients, features
from sync.domain.realm.item import Item, ItemKind, RealmState, Value, listed
from sync.domain.realm.options import RealmOptions
from sync.domain.realm.settings import company_attributes, realm_settings, required_actions, user_profile


def wanted_realm(policy: Policy, options: RealmOptions) -> RealmState:
    return RealmState.of(_items(policy, options))


def ground_of_accounts(policy: Policy) -> RealmState:
    """What being an account of ours stands on: roles, features, groups, attributes. It takes no settings."""
    return RealmState.of([*_roles(policy), *features(policy), *_groups(policy), *company_attributes(policy)])


def _items(policy: Policy, options: RealmOptions) -> Iterator[Item]:
    yield realm_settings(policy.realm, options.mail, options.installation)
    yield from user_profile(policy)
    yield from required_actions(policy)
    yield from _roles(policy)
    yield from clients(policy, options)
    yield from claims_scope(policy)
    yield from api_scope()
    yield from _groups(policy)


def _roles(policy: Policy) -> Iterator[Item]:
    for role in sorted(realm_roles(policy)):
        yield Item(ItemKind.REALM_ROLE, role, {"composites": ()})


def realm_roles(policy: Policy) -> frozenset[str]:
    return frozenset(
        {
            vocabulary.SECOND_FACTOR_ROLE,
            vocabulary.FIELD_TECHNICIAN_ROLE,
            *(vocabulary.profile_role(key) for key in policy.profiles),
        }
    )


def _groups(policy: Policy) -> Iterator[Item]:
    attributes = attributes_of_groups(policy)
    for path, carried in roles_of_groups(policy).items():
        roles = listed(
            [
                *carried.realm_roles,
                *(f"{vocabulary.FEATURES_CLIENT}/{feature}" for feature in carried.feature_roles),
            ]
        )
        fields: dict[str, Value] = {f"attributes:{name}": values for name, values in attributes[path].items()}
        yield Item(ItemKind.GROUP, path, {"roles": roles, **fields})
