"""What somebody else may open or demand in the realm: ways around the second factor (C6), attributes without which
Keycloak lets no user be written (D6). Found and named, never mended, because it is not ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mappings.realm import Known


@dataclass(frozen=True, slots=True)
class FlowOverride:
    """A client that uses another login flow than the realm. `alias` None: a flow that does not exist."""

    client_id: str
    binding: str
    alias: str | None


class Shortcut(StrEnum):
    """A grant that logs a person in through none of the realm's bound flows; the value says how."""

    BACKCHANNEL = "by a backchannel login (CIBA)"
    ASSERTION = "by an assertion of an identity provider (JWT authorization grant)"
    ENHANCED_CLIENT = "by name and password alone (SAML ECP)"


@dataclass(frozen=True, slots=True)
class ShortcutClient:
    """A client for which somebody has switched such a grant on."""

    client_id: str
    shortcut: Shortcut


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`identity_providers`: alias of each that is enabled, and the flow it runs after a login (None: no flow).
    `demanded_attributes` are those that the user profile asks of every user, beside the names of a person.
    `default_groups` and `default_actions` are given to every new user; `features` are those of `PAST_US` that the
    server has switched on, as it names them."""

    identity_providers: Mapping[str, str | None] = field(default_factory=dict)
    flow_overrides: tuple[FlowOverride, ...] = ()
    shortcut_clients: tuple[ShortcutClient, ...] = ()
    demanded_attributes: frozenset[str] = frozenset()
    default_groups: frozenset[str] = frozenset()
    default_actions: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()


def ways_around(surroundings: Surroundings, our_flows: Collection[str]) -> Iterator[str]:
    """One sentence each: what is open, where, how to close it. `our_flows` are aliases of verified flows."""
    for override in surroundings.flow_overrides:
        if override.alias not in our_flows:
            yield (
                f"client {override.client_id} has a login flow of its own for {override.binding} "
                f"({override.alias or 'unknown'}): it is not asked for the second factor the realm asks for; "
                "remove the override in the client's settings (Advanced, Authentication flow overrides)"
            )
    for alias, flow in sorted(surroundings.identity_providers.items()):
        if flow not in our_flows:
            yield (
                f"identity provider {alias} logs people in without our second factor: set its post login flow "
                'to the flow that begins "fsm post broker login", or disable it'
            )
    for client in surroundings.shortcut_clients:
        yield (
            f"client {client.client_id} may log people in {client.shortcut}, which passes no login flow of ours: "
            "switch that off in the client's settings unless the second factor is asked for elsewhere"
        )


PAST_US: Mapping[str, str] = {
    "SCIM_API": "other systems create, change and delete users through Keycloak's own SCIM server",
    "SSF": "other systems are told of users, and tell of them, by shared signals",
}
"""Features of Keycloak that write users past accounts, reasons and the work-order gate. Workflows would be one
more: they are on in every server, and no right of a realm's client tells whether there is one
(fact: workflows-are-on-and-unseen)."""


def habits(surroundings: Surroundings, known: Known) -> Iterator[str]:
    """One sentence for each thing that the realm does to users by itself and realm.toml does not know."""
    for path in sorted(surroundings.default_groups - known.default_groups):
        yield (
            f"every new user joins the default group {path}, when it is made, and nobody compares it later; one "
            "of ours or with a role of realm-management would let nobody new be made; take it away (Realm "
            "settings, User registration), or put it under [known] of realm.toml"
        )
    for alias in sorted(surroundings.default_actions - known.default_actions):
        yield (
            f"every new user has to do {alias} at the first login: it is a default required action of the realm; "
            "take that from it (Authentication, Required actions), or put it under [known] of realm.toml"
        )
    for name in sorted(surroundings.features):
        yield (
            f"the feature {name.lower().replace('_', '-')} is on: {PAST_US[name]}; start Keycloak with "
            f"--features-disabled={name.lower().replace('_', '-')} unless that is meant"
        )


def demands(attributes: Iterable[str]) -> Iterator[str]:
    """One sentence for each attribute: what it stops, how to end that
    (fact: a-demanded-attribute-stops-every-write)."""
    for name in sorted(attributes):
        yield (
            f"the user profile demands {name} of every user: Keycloak refuses each change of who has no value, "
            "deactivations among them; let nobody or users alone be asked for it (Realm settings, User profile), "
            "or give everybody a value"
        )
