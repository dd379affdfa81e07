"""How profile and data access reach the applications: the client scope `fsm` and its claims (A6).

One object `fsm` in the token: `profile`, `data_access`, `branch`, `team` and `branches` come from the groups
a person is in, `features` from the roles of the client `fsm`, `technician_id` from the user. Whatever comes
from groups is a list: somebody in two profile groups shows two entries, and a reader refuses (A4); a single
string would be an arbitrary one of the two (fact: one-text-hides-two-groups).
"""

from __future__ import annotations

from collections.abc import Iterator

from mappings.attributes import BUILT_IN
from mappings.policy import Policy
from sync.domain.access import vocabulary
from sync.domain.access.group_roles import BRANCH_CLAIM, DATA_ACCESS_CLAIM, PROFILE_CLAIM, TEAM_CLAIM
from sync.domain.realm.item import Item, ItemKind, Value, listed

REALM_DEFAULT = "new clients"
"""The name under which the realm's own list of default client scopes stands: it reaches later clients only
(fact: default-scopes-reach-later-clients)."""

COMPANY_CLAIM = "attributes"
"""The object in the claim that holds the company's own attributes."""

_TOKENS: dict[str, Value] = {
    "config:access.token.claim": "true",
    "config:id.token.claim": "true",
    "config:userinfo.token.claim": "true",
    "config:introspection.token.claim": "true",
    "config:jsonType.label": "String",
}


def claims_scope(policy: Policy) -> Iterator[Item]:
    yield Item(
        ItemKind.SCOPE,
        vocabulary.CLAIMS_SCOPE,
        {"protocol": "openid-connect", "attributes:include.in.token.scope": "true"},
    )
    yield from _mappers(policy)
    yield Item(ItemKind.SCOPE_ROLES, vocabulary.CLAIMS_SCOPE, {"roles": roles_in_tokens(policy)})
    yield Item(ItemKind.DEFAULT_SCOPE, REALM_DEFAULT, {vocabulary.CLAIMS_SCOPE: True})


def api_scope() -> Iterator[Item]:
    """The audience of our API, for the clients that somebody gives the scope to; by default for none (I2)."""
    yield Item(
        ItemKind.SCOPE,
        vocabulary.API_SCOPE,
        {"protocol": "openid-connect", "attributes:include.in.token.scope": "true"},
    )
    yield Item(
        ItemKind.MAPPER,
        f"{vocabulary.API_SCOPE}.audience",
        {
            "protocol": "openid-connect",
            "protocolMapper": "oidc-audience-mapper",
            "config:included.custom.audience": vocabulary.API_AUDIENCE,
            "config:access.token.claim": "true",
            "config:introspection.token.claim": "true",
            "config:id.token.claim": "false",
        },
    )


def roles_in_tokens(policy: Policy) -> tuple[str, ...]:
    """The roles an application may see: with `fullScopeAllowed` off a token shows no other
    (fact: scopes-hide-roles)."""
    return listed(
        [
            vocabulary.FIELD_TECHNICIAN_ROLE,
            *(vocabulary.profile_role(key) for key in policy.profiles),
            *(f"{vocabulary.FEATURES_CLIENT}/{feature}" for feature in policy.features),
        ]
    )


def _mappers(policy: Policy) -> Iterator[Item]:
    for claim, attribute in (
        ("profile", PROFILE_CLAIM),
        ("data_access", DATA_ACCESS_CLAIM),
        ("branch", BRANCH_CLAIM),
        ("branches", BRANCH_CLAIM),
        ("team", TEAM_CLAIM),
    ):
        yield _mapper(
            claim,
            "oidc-usermodel-attribute-mapper",
            {"user.attribute": attribute, "multivalued": "true", "aggregate.attrs": "true"},
        )
    yield _mapper(
        "features",
        "oidc-usermodel-client-role-mapper",
        {"usermodel.clientRoleMapping.clientId": vocabulary.FEATURES_CLIENT, "multivalued": "true"},
    )
    for each in BUILT_IN:
        if each.claim:
            yield _mapper(each.key, "oidc-usermodel-attribute-mapper", {"user.attribute": each.key})
    for key in policy.attributes:
        claim = f"{COMPANY_CLAIM}.{key}"
        yield _mapper(claim, "oidc-usermodel-attribute-mapper", {"user.attribute": key})


def _mapper(claim: str, provider: str, config: dict[str, str]) -> Item:
    name = f"{vocabulary.CLAIMS_SCOPE}.{claim}"
    fields: dict[str, Value] = {
        "protocol": "openid-connect",
        "protocolMapper": provider,
        "config:claim.name": name,
        **_TOKENS,
        **{f"config:{key}": value for key, value in config.items()},
    }
    return Item(ItemKind.MAPPER, name, fields)
