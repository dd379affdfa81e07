"""The API on a database of ours, and people whose tokens an issuer of the test signs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from mappings import load
from sync.adapters.broker import CeleryWake
from sync.commands.accounts.change import create
from sync.domain.access.data_access import data_access_of
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import NewAccount
from sync.domain.work.lane import Lane
from sync.entrypoints.web import create_app
from sync.ports.field_service import Technician
from sync.settings import Settings
from sync.store.accounts import accounts
from sync.store.database.sealing import Sealer
from sync.store.database.tables import account as account_table
from sync.store.database.transactions import Database
from sync.wiring import doors
from tests.callers import wanted_by
from tests.claims.issuer import Issuer, running_issuer
from tests.entrypoints.web.conftest import MakeSettings
from tests.entrypoints.web.keycloak_login import PUBLIC_URL
from tests.fakes.field_service import FakeFieldService, WorkOrder

POLICY = load()
BY = wanted_by("dana", "because the test says so")


@dataclass
class Company:
    """`db` is ours, behind the door's back; `issuer` stands for Keycloak, which is asked for its keys alone."""

    db: Database
    settings: Settings
    issuer: Issuer
    api: TestClient

    def join(
        self, name: str, *, profile: str = "dispatcher", branch: str | None = "hamburg", **more: Any
    ) -> Account:
        """Somebody with an account and a user in Keycloak."""
        new = NewAccount(f"{name}@example.com", "Pat", name.title(), profile, branch, **more)
        with self.db.write() as tx:
            made = create(tx, POLICY, new, BY, datetime.now(UTC))
            tx.connection.execute(
                account_table.update().where(account_table.c.id == made.id).values(idp_user_id=f"kc-{name}")
            )
        return replace(made, idp_user_id=f"kc-{name}")

    def administrator(self, name: str = "root", **more: Any) -> Account:
        return self.join(name, **{"profile": "administrator", "branch": None, **more})

    def branch_administrator(self, name: str, branch: str) -> Account:
        return self.join(name, profile="administrator", branch=branch, data_access="branch")

    def token(self, account: Account, **changes: Any) -> str:
        """What Keycloak would give the account now, but for the changes."""
        access = data_access_of(account, POLICY)
        assert access is not None
        claim = {
            "profile": [account.profile],
            "features": sorted(POLICY.profiles[account.profile].features),
            "data_access": [access.effective.key],
            "branch": [account.branch] if account.branch else [],
            "branches": [account.branch] if account.branch else [],
            "team": [account.team] if account.team else [],
        }
        now = int(time.time())
        payload: dict[str, Any] = {
            "sub": account.idp_user_id,
            "preferred_username": account.username,
            "aud": ["fsm-identity"],
            "azp": "back-office",
            "iat": now - 5,
            "exp": now + 240,
            "fsm": claim,
        }
        return self.issuer.token(**(payload | changes))

    def get(self, path: str, by: Account | str | None, **query: Any) -> Any:
        """The answer of the API to this person, or to whoever has this token."""
        token = self.token(by) if isinstance(by, Account) else by
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.api.get(f"/api/v1{path}", params=query, headers=headers)

    def change(self, account: Account, **values: Any) -> None:
        """Straight in our database."""
        with self.db.write() as tx:
            tx.connection.execute(account_table.update().where(account_table.c.id == account.id).values(**values))

    def now(self, account: Account) -> Account:
        with self.db.read() as tx:
            found = accounts.get(tx, account.id)
        assert found is not None
        return found


def problem(answer: Any) -> tuple[int, str]:
    """Status and code; that it is a problem with a page, an id and nothing of HTML."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["instance"].startswith("urn:uuid:")
    return answer.status_code, body["type"].rpartition("/problems/")[2]


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Lane]:
    """The lanes that were woken; no broker is asked."""
    lanes: list[Lane] = []
    monkeypatch.setattr(CeleryWake, "wake", lambda _, lane: lanes.append(lane))
    return lanes


@pytest.fixture
def fsm(monkeypatch: pytest.MonkeyPatch) -> FakeFieldService:
    """The FSM system of the company: T-1 has a work order, T-2 has none."""
    known = [Technician(each, f"Tess {each}", None, assignable=True) for each in ("T-1", "T-2")]
    fake = FakeFieldService(POLICY.work_orders, known, [WorkOrder("WO-7", lead="T-1")])
    monkeypatch.setattr(doors, "field_service", lambda *_: fake)
    return fake


@pytest.fixture
def firm(make_settings: MakeSettings) -> Iterator[Company]:
    """Nobody is in it yet."""
    with running_issuer() as issuer:
        settings = make_settings({"url": issuer.url.removesuffix("/realms/fsm")})
        db = Database(settings.database_url.get_secret_value(), Sealer(settings.keys))
        app = create_app(settings)
        with TestClient(app, base_url=PUBLIC_URL, raise_server_exceptions=False) as api:
            yield Company(db, settings, issuer, api)
        db.close()
