"""A person logs in, mistypes, uses the phone: what `account show` knows of it, from Keycloak's real events
(A9)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.status import Status
from sync.domain.logins.activity import LoginActivity
from sync.entrypoints.cli import app
from sync.jobs.logins import read_logins
from sync.jobs.schedule.run_jobs import run_due_job
from sync.jobs.work.job import Job
from sync.store import logins as login_activity
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from tests.e2e.place import Place
from tests.realms import PASSWORD

pytestmark = [pytest.mark.keycloak, pytest.mark.req("A9")]

JOB = {"login-events": Job(read_logins, timedelta(0))}


def read(place: Place, account: Account) -> LoginActivity:
    """What is known after the next poll."""
    assert run_due_job(place.systems, JOB) == 1
    return place.read(lambda tx: login_activity.of_user(tx, account.idp_user_id))


def status(place: Place, account: Account) -> Status:
    page = place.read(lambda tx: list_accounts(tx, Scope.all(), AccountQuery(text=account.username)))
    return page.items[0].status(place.clock.now()).status


def test_a_day_of_logins_is_known_without_asking_for_the_user(place: Place, settings_file: object) -> None:
    """Pending until the first login; failures since the last one; single sign-on is a login, a refresh is use."""
    account, password = place.join(place.free_technician())
    assert read(place, account) == LoginActivity()
    assert status(place, account) is Status.PENDING

    browser = place.browser()
    browser.log_in(account.username, "mistyped")
    page = browser.log_in(account.username, password)
    page = browser.submit(page, **{"password-new": PASSWORD, "password-confirm": PASSWORD})
    tokens = browser.tokens(page)
    first = read(place, account)
    assert first.failures == 0
    assert first.first_login_at == first.last_login_at
    assert first.last_failure_at is not None
    assert first.last_login_at is not None
    assert first.last_failure_at < first.last_login_at
    assert abs(first.last_login_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert status(place, account) is Status.ACTIVE

    assert browser.refresh(tokens).ok
    used = read(place, account)
    assert used.last_used_at is not None
    assert used.last_used_at > first.last_login_at
    assert used.last_login_at == first.last_login_at

    browser.tokens(browser.open_app())
    again = read(place, account)
    assert again.first_login_at == first.first_login_at
    assert again.last_login_at is not None
    assert again.last_login_at > used.last_used_at

    for _ in range(2):
        place.browser().log_in(account.username, "mistyped")
    for _ in range(3):
        assert read(place, account).failures == 2

    shown = CliRunner().invoke(
        app, ["account", "show", account.username, "--json"], env={"FSM_SETTINGS": str(settings_file)}
    )
    logins = json.loads(shown.stdout)["logins"]
    assert logins["failures"] == 2
    assert logins["last_login_at"] == again.last_login_at.isoformat()
    assert json.loads(shown.stdout)["logins_may_be_missing"] == []
