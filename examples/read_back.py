"""Reads the imported people back from Keycloak and compares each with the staff list.

It asks Keycloak as its administrator and knows nothing of fsm-identity's code: a second opinion.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

import mappings
from examples import UNLINKED_TECHNICIAN
from examples.company import Person, people
from examples.staff_spreadsheet import MISTAKES

TOKEN_SECONDS = 40
"""An administrator's token lives a minute."""


@dataclass
class AdminApi:
    """The admin API of one realm, as the administrator of Keycloak's master realm."""

    url: str
    realm: str
    username: str
    password: str = field(repr=False)
    _held: tuple[float, str] = field(default=(0.0, ""), repr=False)

    def get(self, path: str, **parameters: Any) -> Any:
        """Raises requests.HTTPError."""
        answer = requests.get(
            f"{self.url}/admin/realms/{self.realm}/{path}",
            params=parameters,
            headers={"Authorization": f"Bearer {self._token()}"},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()

    def create(self, path: str, body: Mapping[str, Any]) -> None:
        answer = requests.post(
            f"{self.url}/admin/realms/{self.realm}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self._token()}"},
            timeout=30,
        )
        answer.raise_for_status()

    def _token(self) -> str:
        since, token = self._held
        if time.monotonic() - since < TOKEN_SECONDS and token:
            return token
        answer = requests.post(
            f"{self.url}/realms/master/protocol/openid-connect/token",
            data={
                "grant_type": "password",
                "client_id": "admin-cli",
                "username": self.username,
                "password": self.password,
            },
            timeout=30,
        )
        answer.raise_for_status()
        self._held = time.monotonic(), str(answer.json()["access_token"])
        return self._held[1]


@dataclass(frozen=True)
class Comparison:
    """`differences` holds one line for each person who is not as the staff list says."""

    people: int
    users: int
    differences: tuple[str, ...]


def good_people() -> tuple[Person, ...]:
    """Everybody whose row is free of mistakes."""
    wrong = {mistake.employee_number for mistake in MISTAKES}
    return tuple(person for person in people() if person.employee_number not in wrong)


def compare(api: AdminApi) -> Comparison:
    """Exactly one profile group, branch, team, data access, technician id and field role, for everybody."""
    policy = mappings.load()
    users = {user["username"]: user for user in api.get("users", max=1000)}
    members: dict[str, set[str]] = {}
    for path in _groups_below_fsm(api):
        group = api.get(f"group-by-path/{path.removeprefix('/')}")
        for user in api.get(f"groups/{group['id']}/members", max=1000, briefRepresentation=True):
            members.setdefault(user["username"], set()).add(path)
    field = {
        user["username"]
        for group in api.get("roles/fsm-field-technician/groups", briefRepresentation=True)
        for user in api.get(f"groups/{group['id']}/members", max=1000, briefRepresentation=True)
    }
    differences = []
    for person in good_people():
        technician = None if person.technician_id == UNLINKED_TECHNICIAN else person.technician_id
        profile = policy.profiles[person.profile]
        groups = {
            f"/fsm/profiles/{person.profile}",
            f"/fsm/branches/{person.branch}",
            f"/fsm/data-access/{person.data_access or profile.default_data_access}",
        }
        groups |= {f"/fsm/teams/{person.team}"} if person.team else set()
        groups |= {"/fsm/field-technicians"} if technician else set()
        groups |= {"/fsm/second-factor"} if profile.second_factor else set()
        user = users.get(person.email)
        if user is None:
            differences.append(f"{person.email} is not in Keycloak")
            continue
        found = {
            "enabled": user["enabled"],
            "first name": user["firstName"],
            "last name": user["lastName"],
            "technician id": (user["attributes"].get("technician_id") or [None])[0],
            "groups": members.get(person.email, set()),
            "field role": person.email in field,
            "has to": user["requiredActions"],
        }
        wanted = {
            "enabled": True,
            "first name": person.given_name,
            "last name": person.family_name,
            "technician id": technician,
            "groups": groups,
            "field role": technician is not None,
            "has to": ["UPDATE_PASSWORD"],
        }
        differences += [
            f"{person.email}: {name} is {found[name]!r}, the staff list says {wanted[name]!r}"
            for name in wanted
            if found[name] != wanted[name]
        ]
    ours = [user for user in users.values() if "fsm_account_id" in user.get("attributes", {})]
    return Comparison(len(good_people()), len(ours), tuple(differences))


def _groups_below_fsm(api: AdminApi) -> list[str]:
    root = api.get("group-by-path/fsm")
    found: list[str] = []
    for group in api.get(f"groups/{root['id']}/children", max=1000):
        found.append(group["path"])
        found += [child["path"] for child in api.get(f"groups/{group['id']}/children", max=1000)]
    return found
