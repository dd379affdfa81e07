"""Which login flows to build, bind and remove, and whether the bound ones hold (C6).

A flow is never changed in place: another tree gets another name, is built, verified, then bound, and only then the
old one goes (fact: bound-flows-stay). So a login in the middle of it runs through a whole flow, the old or the new
one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sync.domain.realm.difference import Create, RealmDifference, Remove, Update, in_safe_order
from sync.domain.realm.flow import Binding, Flow, alias_of, binding_of
from sync.domain.realm.item import Item, ItemKind, RealmState
from sync.domain.realm.surroundings import Surroundings


def flow_changes(
    wanted: Mapping[Binding, Flow], observed: RealmState, surroundings: Surroundings
) -> tuple[RealmDifference, ...]:
    """Empty when every wanted flow stands, is bound, and no other flow of ours is left."""
    return in_safe_order(_flow_changes(wanted, observed, surroundings))


def _flow_changes(
    wanted: Mapping[Binding, Flow], observed: RealmState, surroundings: Surroundings
) -> Iterator[RealmDifference]:
    kept = set()
    for binding, flow in wanted.items():
        alias = standing(binding, flow, observed)
        if alias is None:
            alias = _free(alias_of(binding, flow), observed)
            yield Create(Item(ItemKind.FLOW, alias, {"flow": flow}))
        kept.add(alias)
        bound = observed.get(ItemKind.BINDING, binding)
        if bound is None or (binding is Binding.FIRST_BROKER_LOGIN and surroundings.identity_providers):
            continue
        if bound.fields["alias"] != alias:
            yield Update(ItemKind.BINDING, binding, {"alias": bound.fields["alias"]}, {"alias": alias})
    in_use = {override.alias for override in surroundings.flow_overrides} | set(
        surroundings.identity_providers.values()
    )
    for item in observed.of_kind(ItemKind.FLOW):
        if item.name not in kept and item.name not in in_use:
            yield Remove(item)


def standing(binding: Binding, flow: Flow, observed: RealmState) -> str | None:
    """The name of a flow in Keycloak that was built for this binding and has exactly this tree."""
    bound = observed.get(ItemKind.BINDING, binding)
    aliases = sorted(
        item.name
        for item in observed.of_kind(ItemKind.FLOW)
        if binding_of(item.name) is binding and item.fields["flow"] == flow
    )
    if bound is not None and bound.fields["alias"] in aliases:
        return str(bound.fields["alias"])
    return aliases[0] if aliases else None


def _free(alias: str, observed: RealmState) -> str:
    """The flow's name, with a number when a broken flow has it: bound flows can be neither mended nor removed."""
    number, candidate = 1, alias
    while observed.get(ItemKind.FLOW, candidate) is not None:
        number += 1
        candidate = f"{alias} {number}"
    return candidate


def unsafe_to_bind(alias: str, observed: RealmState, wanted: Collection[Flow]) -> str | None:
    """Why this flow must not be bound, None if it may: its tree is not the wanted one, or a condition names a
    role that does not exist."""
    item = observed.get(ItemKind.FLOW, alias)
    if item is None:
        return f"login flow {alias!r} does not exist"
    flow = item.fields["flow"]
    if not isinstance(flow, Flow) or flow not in wanted:
        return f"login flow {alias!r} is not what was built; somebody may be changing it"
    missing = sorted(role for role in flow.roles() if observed.get(ItemKind.REALM_ROLE, role) is None)
    if missing:
        return f"login flow {alias!r} asks for roles that do not exist: {', '.join(missing)}"
    return None


def login_problems(wanted: Mapping[Binding, Flow], observed: RealmState) -> tuple[str, ...]:
    """The start-up check: why the bound flows do not hold. Empty: they do. The flow for a first login through
    an identity provider is left out: it is a matter of whoever adds a provider (`surroundings`)."""
    return tuple(_login_problems(wanted, observed))


def _login_problems(wanted: Mapping[Binding, Flow], observed: RealmState) -> Iterator[str]:
    for binding, flow in wanted.items():
        bound = observed.get(ItemKind.BINDING, binding)
        if bound is None or binding is Binding.FIRST_BROKER_LOGIN:
            continue
        reason = unsafe_to_bind(str(bound.fields["alias"]), observed, [flow])
        if reason is not None:
            yield f"{binding.words}: {reason}; run `fsm-identity realm apply`"
