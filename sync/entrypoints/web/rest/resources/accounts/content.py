"""What a request says of an account. Left out, null and a value are three things: it stays, it is taken away, it
is this from now on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field

from mappings.policy import Policy
from sync.domain.accounts.attribute_values import read_attributes
from sync.domain.accounts.change import AccountChange, NewAccount
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Problem
from sync.entrypoints.web.rest.because import Because, Text


def _day(value: object) -> object:
    """Numbers are no days, whatever they may count from."""
    if isinstance(value, str):
        return date.fromisoformat(value)
    if value is None:
        return value
    raise ValueError("a day is written as in 2026-12-01")


Name: TypeAlias = Annotated[Text, Field(max_length=1000)]
Day: TypeAlias = Annotated[date | None, BeforeValidator(_day)]
Own: TypeAlias = Annotated[
    dict[Text, Annotated[Text, Field(max_length=2000)] | None],
    Field(description="those of attributes.toml, by key; null takes one away"),
]


class NewContent(Because):
    """A joiner. The temporary password goes by mail, shortly before the first day."""

    email: Name
    given_name: Name
    family_name: Name
    profile: Name
    username: Name | None = Field(default=None, description="null: the e-mail address")
    branch: Name | None = None
    team: Name | None = None
    data_access: Name | None = Field(default=None, description="null: what the profile has")
    technician_id: Name | None = None
    employee_number: Name | None = None
    valid_from: Day = None
    valid_until: Day = None
    attributes: Own = Field(default_factory=dict)
    even_if_similar: bool = Field(default=False, description="it is somebody else than the account that is alike")

    def wanted(self, policy: Policy) -> tuple[NewAccount, tuple[Problem, ...]]:
        """And what is wrong with the company's own attributes."""
        own, wrong = own_attributes(policy, self.attributes)
        names = NewAccount.__slots__
        said = {name: getattr(self, name) for name in names if name != "attributes"}
        return NewAccount(**said, attributes=own), wrong


class ChangedContent(Because):
    """What is named changes; null takes away what may be missing. `policy` says what open work orders do to a
    change that takes the technician, or the field work, from somebody."""

    email: Name = ""
    username: Name = ""
    given_name: Name = ""
    family_name: Name = ""
    profile: Name = ""
    branch: Name | None = None
    team: Name | None = None
    data_access: Name | None = None
    technician_id: Name | None = None
    employee_number: Name | None = None
    valid_from: Day = None
    valid_until: Day = None
    attributes: Own = Field(default_factory=dict)
    policy: GatePolicy = GatePolicy.REFUSE

    def wanted(self, policy: Policy) -> tuple[AccountChange, tuple[Problem, ...]]:
        """And what is wrong with the company's own attributes."""
        own, wrong = own_attributes(policy, self.attributes)
        named = self.model_fields_set & set(AccountChange.__slots__) - {"attributes"}
        said: dict[str, Any] = {name: getattr(self, name) for name in named}
        return AccountChange(**said, attributes=own), wrong


def own_attributes(
    policy: Policy, given: Mapping[str, str | None]
) -> tuple[dict[str, str | None], tuple[Problem, ...]]:
    """Each as its canonical text, and what is wrong with the rest."""
    unknown = [key for key in given if key not in policy.attributes]
    known = {key: text or "" for key, text in given.items() if key in policy.attributes}
    found, problems = read_attributes(policy, known)
    told = [Problem(key, "is no attribute of the company", "GET /catalog lists them") for key in unknown]
    return {key: None if value is None else str(value) for key, value in found.items()}, (*told, *problems)
