"""/catalog: what an account can be given, by the mapping files in force, and which of it the caller may give."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field

from mappings.fingerprint import fingerprint
from sync.domain.access.giving import may_give
from sync.domain.accounts.account import Life
from sync.domain.accounts.status import Status
from sync.entrypoints.web.rest.parts import By, Nothing, With

router = APIRouter(tags=["catalog"])


class Choice(BaseModel):
    """`may_give`: the caller may give it to an account."""

    key: str
    title: str
    may_give: bool


class ProfileChoice(Choice):
    """A profile. The two levels are keys of data access: what an account has if nothing is said, and the
    widest."""

    rank: int
    features: list[str]
    default_data_access: str
    highest_data_access: str
    second_factor: bool
    field_work: bool = Field(description="with a technician the account carries the role of field technicians")


class BranchChoice(Choice):
    """A branch. Dates of its people begin and end in its time zone."""

    time_zone: str
    teams: list[Choice]


class LevelChoice(Choice):
    """A level of data access. `needs` is what an account must have for it; null: nothing."""

    width: int
    needs: str | None


class AttributeShape(BaseModel):
    """An attribute of the company's own."""

    key: str
    title: str


class Catalog(BaseModel):
    """`policy` is the number of the mapping files that it is of."""

    policy: int
    profiles: list[ProfileChoice]
    branches: list[BranchChoice]
    no_branch_may_give: bool = Field(description="the caller may make accounts of the whole company")
    data_access: list[LevelChoice]
    attributes: list[AttributeShape]
    lives: list[Life]
    statuses: list[Status]


@router.get("/catalog", response_model=Catalog, responses={304: {"description": "as it was at If-None-Match"}})
def catalog(
    parts: With,
    by: By,
    _: Nothing,
    response: Response,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> dict[str, Any] | Response:
    """Profiles, branches with their teams, levels of data access, attributes, statuses. The ETag changes with the
    mapping files and with what the caller may give."""
    desk = parts.desk()
    policy, gives = desk.policy, may_give(by.account, desk.policy)
    found = {
        "policy": desk.policy_number,
        "profiles": [
            {
                name: getattr(each, name)
                for name in ProfileChoice.model_fields
                if name not in ("may_give", "features")
            }
            | {"features": sorted(each.features), "may_give": each.key in gives.profiles}
            for each in policy.profiles.values()
        ],
        "branches": [
            {
                "key": each.key,
                "title": each.title,
                "may_give": each.key in gives.branches,
                "time_zone": each.time_zone,
                "teams": [
                    {"key": team.key, "title": team.title, "may_give": each.key in gives.branches}
                    for team in each.teams
                ],
            }
            for each in policy.branches.values()
        ],
        "no_branch_may_give": gives.no_branch,
        "data_access": [
            {name: getattr(each, name) for name in ("key", "title", "width", "needs")}
            | {"may_give": each.key in gives.levels}
            for each in policy.data_access.values()
        ],
        "attributes": [{"key": each.key, "title": each.title} for each in policy.attributes.values()],
        "lives": list(Life),
        "statuses": list(Status),
    }
    tag = f'"{desk.policy_number}-{fingerprint(found)[:16]}"'
    if if_none_match is not None and _holds(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return found


def _holds(if_none_match: str, tag: str) -> bool:
    """RFC 9110, section 13.1.2: compared weakly."""
    given = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return bool(given & {tag, "*"})
