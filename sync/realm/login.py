"""Whether the login flows hold: every process that depends on them asks at its start (C6)."""

from __future__ import annotations

from mappings.policy import Policy
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.realm.flow_changes import login_problems
from sync.domain.realm.item import ItemKind
from sync.domain.realm.login_flows import login_flows
from sync.ports.realm import Realm

LOGIN_KINDS = frozenset({ItemKind.REALM_ROLE, ItemKind.FLOW, ItemKind.BINDING})


def check_login(realm: Realm, policy: Policy) -> None:
    """The start-up check of the login flows. Raises Misconfigured with every reason why they do not hold."""
    problems = login_problems(login_flows(policy), realm.observe(LOGIN_KINDS))
    if problems:
        raise Misconfigured("the login flows do not hold: " + "; ".join(problems), code=FailureCode.LOGIN_UNSAFE)
