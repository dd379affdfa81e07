"""A login flow as a tree of steps, the way Keycloak runs it: pure values that can be compared and fingerprinted.

What the trees of fsm-identity look like is said in `login_flows`; building them in Keycloak is the adapter's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mappings.fingerprint import fingerprint

FLOW_PREFIX = "fsm "
"""Our top-level flows are called `fsm <binding> <fingerprint>`, their sub-flows begin with that name."""


class Requirement(StrEnum):
    REQUIRED = "REQUIRED"
    ALTERNATIVE = "ALTERNATIVE"
    CONDITIONAL = "CONDITIONAL"
    DISABLED = "DISABLED"


class Binding(StrEnum):
    """Where the realm uses a flow; the value is the name of the realm's setting. POST_BROKER is no setting:
    the flow is offered to whoever adds an identity provider."""

    BROWSER = "browserFlow"
    DIRECT_GRANT = "directGrantFlow"
    RESET_CREDENTIALS = "resetCredentialsFlow"
    FIRST_BROKER_LOGIN = "firstBrokerLoginFlow"
    POST_BROKER_LOGIN = "postBrokerLoginFlow"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Binding.BROWSER: "browser",
    Binding.DIRECT_GRANT: "direct grant",
    Binding.RESET_CREDENTIALS: "recovery",
    Binding.FIRST_BROKER_LOGIN: "first broker login",
    Binding.POST_BROKER_LOGIN: "post broker login",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One authenticator. `config` are its settings; `flow_to_check` there names a sub-flow of the same tree."""

    provider: str
    requirement: Requirement = Requirement.REQUIRED
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubFlow:
    """A group of steps. `name` is unique in the tree; in Keycloak the name of the whole flow stands before it."""

    name: str
    requirement: Requirement
    steps: tuple[Step | SubFlow, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """A whole flow. Equal trees behave equally; the name it has in Keycloak is not part of it."""

    steps: tuple[Step | SubFlow, ...]

    @property
    def fingerprint(self) -> str:
        """As much of it as fits a name."""
        return fingerprint(self)[:10]

    def roles(self) -> frozenset[str]:
        """The realm roles its conditions name. A condition with a role that does not exist is never met
        (fact: missing-roles-are-never-met)."""
        return frozenset(
            step.config["condUserRole"] for step in _steps(self.steps) if "condUserRole" in step.config
        )

    def __str__(self) -> str:
        return self.fingerprint


def alias_of(binding: Binding, flow: Flow) -> str:
    """The name a flow gets in Keycloak when it is built the first time."""
    return f"{FLOW_PREFIX}{binding.words} {flow.fingerprint}"


def binding_of(alias: str) -> Binding | None:
    """Which binding a flow of ours was built for, None for a flow that is not ours."""
    for binding in Binding:
        if alias.startswith(f"{FLOW_PREFIX}{binding.words} "):
            return binding
    return None


def _steps(steps: tuple[Step | SubFlow, ...]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Step):
            yield step
        else:
            yield from _steps(step.steps)
