"""Ways around the second factor that somebody else may open in the realm (C6): found and named, never mended,
because the clients and identity providers they stand on are not ours."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FlowOverride:
    """A client that uses another login flow than the realm. `alias` None: a flow that does not exist."""

    client_id: str
    binding: str
    alias: str | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`identity_providers`: alias of each that is enabled, and the flow it runs after a login (None: no flow).
    `backchannel_clients`: clients that may log a person in without the browser flow (CIBA)."""

    identity_providers: Mapping[str, str | None] = field(default_factory=dict)
    flow_overrides: tuple[FlowOverride, ...] = ()
    backchannel_clients: tuple[str, ...] = ()


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
    for client_id in surroundings.backchannel_clients:
        yield (
            f"client {client_id} may start a backchannel login (CIBA), which passes no login flow: "
            "switch the grant off unless the authenticating device asks for the second factor itself"
        )
