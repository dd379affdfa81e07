"""`/metrics`: every number Prometheus asks for, for those who may, whatever else is away (H3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from sync.domain.accounts.account import Account
from sync.domain.operations import LoginProbe
from sync.domain.work.lane import Lane
from sync.entrypoints.web import create_app
from sync.settings import Settings
from sync.store import schedule
from sync.store.accounts import accounts
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.tables import login_failure
from sync.store.database.tables import provisioning as work
from sync.store.database.tables import schedule as schedule_table
from sync.store.database.transactions import Database
from sync.store.deactivation import reassignments
from sync.store.operations import latency, login_probe
from sync.store.provisioning import due
from sync.store.work import lanes
from tests.callers import allowed, granted, wanted_by
from tests.claiming import still_claimed
from tests.entrypoints.web.conftest import MakeSettings
from tests.people import an_account

pytestmark = pytest.mark.req("H3")

HERE = ("127.0.0.1", 50000)
ELSEWHERE = ("192.0.2.7", 50000)
NAME = "zoe.zimmer"


def values(text: str) -> Mapping[tuple[str, str], float]:
    """(name, labels as text) to value."""
    return {
        (sample.name, ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def asked(settings: Settings, client: tuple[str, int] = HERE, **headers: str) -> tuple[int, str]:
    answer = TestClient(create_app(settings), client=client).get("/metrics", headers=headers)
    return answer.status_code, answer.text


@pytest.fixture
def settings(make_settings: MakeSettings, database_url: str) -> Settings:
    """A console on an empty database; nothing else answers."""
    schema.upgrade(database_url)
    return make_settings(database_url=database_url)


def person() -> Account:
    return an_account(
        f"{NAME}@example.com",
        username=NAME,
        given_name="Zoe",
        family_name="Zimmer",
        employee_number="90210",
        created_at=datetime.now(UTC),
    )


def test_numbers_are_those_of_the_database(settings: Settings) -> None:
    """Backlog, age, quarantine, pauses and the histogram; no name, address or reason with them."""
    now = datetime.now(UTC)
    database = Database(
        settings.database_url.get_secret_value(), Sealer([settings.secret_keys.get_secret_value()])
    )
    with database.write() as tx:
        someone = person()
        accounts.insert(tx, granted(someone))
        due.mark_due(tx, someone.id, Lane.INTERACTIVE, now - timedelta(minutes=5))
        lanes.pause(tx, Lane.BULK, allowed(wanted_by("kim", "moving house")), now)
        reassignments.ask(tx, allowed(), "T-1", "T-2", now - timedelta(minutes=10))
        latency.add(
            tx,
            {
                still_claimed("a"): (Lane.INTERACTIVE, timedelta(seconds=0.2)),
                still_claimed("b"): (Lane.INTERACTIVE, timedelta(seconds=3)),
            },
        )
    status, text = asked(settings)
    found = values(text)
    assert status == 200
    assert found["fsm_database_up", ""] == 1
    assert found["fsm_lane_due", "lane=interactive"] == 1
    assert 300 <= found["fsm_lane_oldest_age_seconds", "lane=interactive"] < 360
    assert found["fsm_lane_paused", "lane=bulk"] == 1
    assert found["fsm_lane_due", "lane=bulk"] == 0
    assert found["fsm_workers", "lane=interactive"] == 0
    assert found["fsm_reassignments", ""] == 1
    assert 600 <= found["fsm_reassignments_oldest_age_seconds", ""] < 660
    assert found["fsm_change_seconds_bucket", "lane=interactive,le=0.25"] == 1
    assert found["fsm_change_seconds_count", "lane=interactive"] == 2
    assert found["fsm_change_seconds_sum", "lane=interactive"] == pytest.approx(3.2)

    with database.write() as tx:
        chosen = update(work).where(work.c.account_id == someone.id)
        reason = f"{NAME}@example.com is somebody else's"
        tx.connection.execute(
            chosen.values(
                due_at=None, quarantine_kind="conflict", quarantine_code="name-taken", quarantine_reason=reason
            )
        )
    _, text = asked(settings)
    assert values(text)["fsm_quarantined_accounts", "code=name-taken"] == 1
    assert not [word for word in (NAME, "Zoe", "90210", "hamburg", "kim", "moving", someone.id) if word in text]
    database.close()


@pytest.mark.req("H6")
def test_whether_people_can_log_in_is_a_number(settings: Settings) -> None:
    """Whether Keycloak answered, how long ago that was asked, and what failed lately; not asked yet is no answer,
    and old."""
    assert values(asked(settings)[1])["fsm_keycloak_asked_age_seconds", ""] == float("inf")
    now = datetime.now(UTC)
    database = Database(
        settings.database_url.get_secret_value(), Sealer([settings.secret_keys.get_secret_value()])
    )
    with database.write() as tx:
        schedule.register(tx, [login_probe.NAME], now)
        silent = LoginProbe(now - timedelta(seconds=7), now - timedelta(minutes=2), "no answer within 3 s")
        tx.connection.execute(update(schedule_table).values(state=login_probe.record(silent)))
        failed = {"event_id": "e1", "idp_user_id": "u1", "at": now - timedelta(minutes=1)}
        tx.connection.execute(insert(login_failure).values(failed))
    database.close()
    found = values(asked(settings)[1])
    assert found["fsm_keycloak_answers", ""] == 0
    assert 7 <= found["fsm_keycloak_asked_age_seconds", ""] < 60
    assert found["fsm_login_failures", ""] == 1


def test_outages_of_keycloak_and_redis_do_not_reach_it(settings: Settings) -> None:
    """Neither answers in this test, and every number is there."""
    status, text = asked(settings)
    assert (status, values(text)["fsm_database_up", ""]) == (200, 1)


def test_a_database_that_is_away_is_a_number_too(make_settings: MakeSettings, tmp_path: Path) -> None:
    """Prometheus can tell it from a web process that is away."""
    settings = make_settings(database_url=f"sqlite:///{tmp_path}/no/such/folder.db")
    status, text = asked(settings)
    assert (status, values(text)) == (200, {("fsm_database_up", ""): 0})


def test_two_who_ask_at_once_cost_one_reading(settings: Settings) -> None:
    """The numbers are kept for a few seconds."""
    client = TestClient(create_app(settings), client=HERE)
    first = client.get("/metrics").text
    assert client.get("/metrics").text == first


def test_only_those_with_the_token_may_ask(make_settings: MakeSettings) -> None:
    """With a token, this machine needs it as well; a wrong one is told nothing."""
    settings = make_settings(metrics_token="hidden-token")
    for client in (HERE, ELSEWHERE):
        assert asked(settings, client)[0] == 401
        status, text = asked(settings, client, Authorization="Bearer wrong")
        assert (status, "hidden" in text, "fsm_" in text) == (401, False, False)
        assert asked(settings, client, Authorization="Bearer hidden-token")[0] == 200


def test_without_a_token_only_this_machine_may_ask(settings: Settings) -> None:
    """Nor may a proxy on this machine ask for somebody else."""
    assert asked(settings, HERE)[0] == 200
    assert asked(settings, ("::1", 50000))[0] == 200
    status, text = asked(settings, ELSEWHERE)
    assert (status, "FSM_METRICS_TOKEN" in text) == (403, True)
    assert asked(settings, HERE, **{"X-Forwarded-For": "192.0.2.7"})[0] == 403
