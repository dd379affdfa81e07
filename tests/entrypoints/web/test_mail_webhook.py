"""The webhook for bounces: for who has its secret, the same answer for everybody's address, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from httpx import Response
from pydantic import ValidationError
from sqlalchemy import text
from starlette.testclient import TestClient

from mappings import load
from sync.commands.accounts.change import create
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import NewAccount
from sync.entrypoints.web import create_app
from sync.store.audit.timeline import read_timeline
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.store.mail import bounces
from sync.store.mail.bounces import Bounce
from tests.callers import wanted_by
from tests.entrypoints.web.conftest import MakeSettings
from tests.entrypoints.web.keycloak_login import PUBLIC_URL

pytestmark = pytest.mark.req("F7")

SECRET = "a-secret-of-the-mail-server"
PATH = "/webhooks/mail/bounces"


@dataclass
class Door:
    """`jo` has an account. `db` is ours, behind the door's back."""

    web: TestClient
    db: Database
    jo: Account

    def post(self, body: Any, secret: str = SECRET, **more: Any) -> Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.web.post(PATH, content=content, headers={"Authorization": f"Bearer {secret}"}, **more)

    def bounce(self) -> Bounce | None:
        with self.db.read() as tx:
            return bounces.of_account(tx, self.jo.id)


@pytest.fixture
def door(make_settings: MakeSettings) -> Iterator[Door]:
    settings = make_settings(mail={"login_url": PUBLIC_URL, "bounce_secret": SECRET})
    db = Database(settings.database_url.get_secret_value(), Sealer([Fernet.generate_key().decode()]))
    new = NewAccount("jo.lnid@example.com", "Jo", "Lind", "dispatcher", "hamburg")
    with db.write() as tx:
        jo = create(tx, load(), new, wanted_by("dana", "joins"), datetime.now(UTC))
    with TestClient(create_app(settings), raise_server_exceptions=False) as web:
        yield Door(web, db, jo)
    db.close()


def test_a_mail_server_says_that_a_mail_came_back(door: Door) -> None:
    """With its words, once however often it is told, and the timeline says who told it."""
    news = {"address": "Jo.Lnid@example.com", "reason": "550 5.1.1 no such user"}
    assert [door.post(news).status_code for _ in range(3)] == [204, 204, 204]
    found = door.bounce()
    assert found is not None
    assert found.reason == "550 5.1.1 no such user"
    with door.db.read() as tx:
        told = [each for each in read_timeline(tx, door.jo.id) if each.title == "mails come back"]
    assert [(each.actor, each.door, each.reason) for each in told] == [
        ("mail webhook", "webhook", "550 5.1.1 no such user")
    ]


def test_the_answer_is_the_same_whoever_has_the_address(door: Door) -> None:
    """Nobody learns who has an account: status, headers and body are alike."""
    known, unknown = (door.post({"address": each}) for each in (door.jo.email, "nobody@example.com"))
    assert (known.status_code, known.content, known.headers) == (
        unknown.status_code,
        unknown.content,
        unknown.headers,
    )


def test_many_at_once(door: Door) -> None:
    """All of them, or none."""
    several = {"bounces": [{"address": "nobody@example.com"}, {"address": door.jo.email, "reason": "gone"}]}
    one_is_wrong = {"bounces": [*several["bounces"], {"adress": "x@example.com"}]}
    said = door.post(one_is_wrong)
    assert (said.status_code, door.bounce()) == (422, None)
    assert {each["pointer"] for each in said.json()["errors"]} == {"/bounces/2/address", "/bounces/2/adress"}
    assert door.post(several).status_code == 204
    assert door.bounce() is not None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {SECRET}x"},
        {"Authorization": f"Bearer {SECRET[:-1]}"},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": SECRET},
    ],
)
def test_nobody_else_is_heard(door: Door, headers: dict[str, str]) -> None:
    """Whatever they send; the answer names no secret."""
    said = door.web.post(PATH, content=b"x" * 1_000_000, headers=headers)
    assert (said.status_code, said.headers["www-authenticate"]) == (401, "Bearer")
    assert said.json()["type"].endswith("/problems/webhook-secret")
    assert SECRET not in said.text


def test_without_the_setting_there_is_no_such_address(make_settings: MakeSettings) -> None:
    """Not even for an empty secret; and a short one is no setting."""
    with TestClient(create_app(make_settings())) as web:
        for given in ("", "None", SECRET):
            headers = {"Authorization": f"Bearer {given}"}
            assert web.post(PATH, json={"address": "a@example.com"}, headers=headers).status_code == 404
    with pytest.raises(ValidationError):
        make_settings(mail={"login_url": PUBLIC_URL, "bounce_secret": "short"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"address": "jo.lnid@example.com"',
        b"[" * 100_000,
        b'{"bounces": ' + b"[" * 100_000,
        b'{"address": "\\u0000jo@example.com"}',
        b'{"address": "\\ud800@example.com"}',
        b'{"address": "jo @example.com"}',
        b'{"address": ["jo.lnid@example.com"]}',
        b'{"address": 5}',
        b'{"address": "jo.lnid@example.com", "reason": 5}',
        b'{"address": "jo.lnid@example.com", "at": "yesterday"}',
        b'{"address": "jo.lnid@example.com", "at": "2026-03-02T09:15:00"}',
        b'{"address": "jo.lnid@example.com", "at": "0001-01-01T00:00:00+14:00"}',
        b'{"address": "jo.lnid@example.com", "account": "x"}',
        b'{"bounces": []}',
        b'{"bounces": {}}',
        b'\xff\xfe{"address": "jo.lnid@example.com"}',
        json.dumps({"bounces": [{"address": "jo.lnid@example.com"}] * 501}).encode(),
    ],
)
def test_what_is_not_understood_changes_nothing(door: Door, body: bytes) -> None:
    """A problem says what is wrong, without what was sent."""
    said = door.post(body)
    assert (said.status_code, door.bounce()) == (422, None)
    assert said.headers["content-type"] == "application/problem+json"
    assert all(each["reason"] for each in said.json()["errors"])
    assert "jo.lnid" not in said.text


def test_control_characters_of_a_reason_do_no_harm(door: Door) -> None:
    """They stand on screens and in the audit trail."""
    assert door.post({"address": door.jo.email, "reason": "550\u0000\r\n\u001b[2Jgone"}).status_code == 204
    found = door.bounce()
    assert found is not None
    assert found.reason == "550 [2Jgone"


def test_a_body_is_refused_while_it_is_read(door: Door) -> None:
    """Nobody sends until the memory is full."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield b" " * 65_536

    said = door.web.post(PATH, content=endless(), headers={"Authorization": f"Bearer {SECRET}"})
    assert (said.status_code, said.json()["title"]) == (413, "The content is too large")


def test_a_parameter_is_refused_by_name(door: Door) -> None:
    """An address in the URL would stand in the logs of every proxy."""
    said = door.post({"address": door.jo.email}, params={"address": "x@example.com"})
    assert (said.status_code, door.bounce()) == (400, None)


def test_news_from_before_a_persons_word_does_not_count(door: Door) -> None:
    """A mail server that repeats itself later does not take it back."""
    earlier = datetime.now(UTC) - timedelta(hours=1)
    news = {"address": door.jo.email, "at": earlier.isoformat()}
    assert door.post(news).status_code == 204
    with door.db.write() as tx:
        tx.connection.execute(
            text("UPDATE bounce SET is_current = false, withdrawn_at = :at"),
            {"at": (earlier + timedelta(minutes=30)).strftime("%Y-%m-%d %H:%M:%S.%f")},
        )
    assert (door.post(news).status_code, door.bounce()) == (204, None)


def test_while_our_database_is_away_it_is_to_be_sent_again(make_settings: MakeSettings) -> None:
    """503 with Retry-After, and nothing of the database is told."""
    settings = make_settings(
        database_url="postgresql+psycopg://nobody:hidden@127.0.0.1:9/none",
        mail={"login_url": PUBLIC_URL, "bounce_secret": SECRET},
    )
    with TestClient(create_app(settings), raise_server_exceptions=False) as web:
        headers = {"Authorization": f"Bearer {SECRET}"}
        said = web.post(PATH, json={"address": "jo.lnid@example.com"}, headers=headers)
    assert (said.status_code, "Retry-After" in said.headers) == (503, True)
    assert "hidden" not in said.text
    assert "connection" not in said.text
