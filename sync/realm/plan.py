"""Bring the realm to what the policy says: gather, decide, apply, each visible (C8).

The command line calls `plan` and `apply`; every process that depends on the login flows calls `check_login`
at its start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mappings.guard import GuardRules
from mappings.policy import Policy
from sync.domain.access import vocabulary
from sync.domain.errors import FailureCode, Misconfigured, Problem, Refused
from sync.domain.realm.clients import configuring_client
from sync.domain.realm.difference import (
    RealmDifference,
    RealmPlan,
    Remove,
    Update,
    in_safe_order,
    realm_differences,
)
from sync.domain.realm.flow_changes import flow_changes, standing, unsafe_to_bind
from sync.domain.realm.item import ItemKind, RealmState
from sync.domain.realm.login_flows import login_flows
from sync.domain.realm.options import RealmOptions
from sync.domain.realm.reach import changes_for_everybody, losses
from sync.domain.realm.settings import refuse_unknown_actions
from sync.domain.realm.surroundings import demands, habits, ways_around
from sync.domain.realm.wanted import wanted_realm
from sync.domain.runs.guard import GuardVerdict, Impact, Pass, judge
from sync.ports.realm import Realm
from sync.realm import installation
from sync.realm.installation import WHOSE, another, installation_of, refuse_another
from sync.realm.login import LOGIN_KINDS


def plan(realm: Realm, policy: Policy, options: RealmOptions) -> RealmPlan:
    """What would change; that the realm is another installation's is a finding. Raises Refused when a profile,
    branch or team that is gone from its file still has members in Keycloak (rule: keys-in-use-stay) or this
    Keycloak lacks something, and every Failure of the port."""
    observed, surroundings, flows = realm.observe(), realm.surroundings(), login_flows(policy)
    whose = tuple(another(installation_of(observed), options.installation))
    wanted = replace(options, installation=None) if whose else options
    found: tuple[RealmDifference, ...] = (
        *realm_differences(wanted_realm(policy, wanted), observed),
        *flow_changes(flows, observed, surroundings),
    )
    found = refuse_unknown_actions(found)
    _refuse_groups_in_use(realm, found)
    own_flows = {alias for binding, flow in flows.items() if (alias := standing(binding, flow, observed))}
    return RealmPlan(
        in_safe_order(found),
        (
            *whose,
            *ways_around(surroundings, own_flows),
            *demands(surroundings.demanded_attributes),
            *habits(surroundings, policy.realm.known),
        ),
        options.installation,
    )


def _refuse_groups_in_use(realm: Realm, found: tuple[RealmDifference, ...]) -> None:
    gone = [each.item.name for each in found if isinstance(each, Remove) and each.item.kind is ItemKind.GROUP]
    in_use = [(path, count) for path in gone if (count := realm.members(path))]
    if in_use:
        raise Refused(
            [
                Problem(
                    f"group {path}",
                    f"is no longer in the mapping files and still has {count} member{'s' * (count != 1)}",
                    "move them to another one first, or put it back into the file",
                )
                for path, count in in_use
            ]
        )


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a plan takes something from: lines for people, and whether a person has to name the plan for it.

    `accounts` counts an account once for each group in which it loses something.
    """

    lines: tuple[str, ...]
    accounts: int
    verdict: GuardVerdict


def reach(realm: Realm, policy: Policy, found: RealmPlan, rules: GuardRules) -> Reach:
    """Count the members of the groups that lose something, and judge by `rules` (E7); of a plan that takes nothing
    nobody is counted."""
    lost = [(each, count) for each in losses(found) if (count := realm.members(each.group))]
    settings = changes_for_everybody(found)
    if not lost and not settings:
        return Reach((), 0, Pass())
    everybody = sum(realm.members(vocabulary.profile_group(key)) for key in policy.profiles)
    accounts = sum(count for _, count in lost)
    impact = Impact({"demoted": accounts, "changed": everybody if settings else 0})
    lines = [f"{count} in {each.group} lose {', '.join(each.roles)}" for each, count in lost]
    lines += [f"{everybody} accounts get another {', '.join(settings)}"] if settings and everybody else []
    return Reach(tuple(lines), accounts, judge(impact, everybody, rules, "realm"))


def apply(
    realm: Realm, policy: Policy, wanted: RealmPlan, tell: Callable[[RealmDifference], None] = lambda _: None
) -> None:
    """Carry a plan out, in its order. `tell` hears of each difference before it is carried out.

    Raises Misconfigured for a realm of another installation, before anything is done. Flows are looked at once
    more before the first of them is bound. Raises Misconfigured if one does not hold then; what was done until
    there stays, and the next plan holds the rest.
    """
    refuse_another(installation_of(realm.observe(WHOSE)), wanted.installation)
    seen: RealmState | None = None
    for difference in wanted.differences:
        if isinstance(difference, Update) and difference.kind is ItemKind.BINDING:
            seen = seen or realm.observe(LOGIN_KINDS)
            _refuse_to_bind(str(difference.new["alias"]), seen, policy)
        tell(difference)
        realm.apply(difference)


def _refuse_to_bind(alias: str, observed: RealmState, policy: Policy) -> None:
    reason = unsafe_to_bind(alias, observed, login_flows(policy).values())
    if reason is not None:
        raise Misconfigured(
            f"not bound: {reason}. Look at `fsm-identity realm plan` and apply again",
            code=FailureCode.LOGIN_UNSAFE,
        )


def refuse_take_over(realm: Realm, theirs: str, ours: str) -> None:
    """Raises Refused unless the realm is that of installation `theirs`, and that is not ours."""
    now = installation_of(realm.observe(WHOSE))
    if now == ours:
        raise Refused([Problem("realm", "is ours already", "nothing is left to do")])
    if now is None:
        raise Refused([Problem("realm", "is nobody's yet", "run fsm-identity realm apply")])
    if now != theirs:
        raise Refused([Problem("realm", f"is that of installation {now}, not {theirs}", "name that one")])


def take_over(realm: Realm, theirs: str, ours: str) -> None:
    """The realm is that of our database from now on. Raises Refused like `refuse_take_over`."""
    refuse_take_over(realm, theirs, ours)
    realm.apply(installation.take_over(theirs, ours))


def bootstrap(realm: Realm, options: RealmOptions) -> RealmPlan:
    """Make the realm if there is none and in it the client that runs `apply`; nothing else. Returns what was
    done. `realm` is opened as an administrator. Raises Misconfigured for a realm of another installation."""
    realm.create_if_missing()
    refuse_another(installation_of(realm.observe(WHOSE)), options.installation)
    wanted = RealmState.of(configuring_client(options))
    found = realm_differences(wanted, realm.observe(frozenset({ItemKind.CLIENT, ItemKind.SERVICE_ACCOUNT})))
    for difference in found:
        realm.apply(difference)
    return RealmPlan(found)
