"""`fsm-identity ops` as a person types it: what is wrong first, and what to do about it (H3)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from sync.commands.mappings.in_force import adopt_first
from sync.domain.accounts.account import Account
from sync.domain.errors import Failure
from sync.domain.work.circuit import CircuitName
from sync.domain.work.lane import Lane
from sync.entrypoints.cli.operations import ops
from sync.store import schedule
from sync.store.accounts import accounts, passwords
from sync.store.database.ids import new_id
from sync.store.database.tables import provisioning as work
from sync.store.database.tables import schedule as schedule_table
from sync.store.mail import outbox
from sync.store.operations import heartbeats
from sync.store.operations.heartbeats import Worker
from sync.store.provisioning import due
from sync.store.work import circuits, lanes
from sync.store.work.lease_rows import Terms
from sync.wiring import doors
from sync.wiring.doors import OperatorDesk, open_desk
from tests.callers import granted
from tests.claiming import still_claimed
from tests.entrypoints.cli.conftest import Run, Terminal, done
from tests.people import an_account
from tests.world import FIRST

pytestmark = pytest.mark.req("H3")


def someone(operations: OperatorDesk, username: str) -> Account:
    now = operations.clock.now()
    return an_account(f"{username}@example.com", id=new_id(now), username=username, created_at=now)


def stuck(operations: OperatorDesk, username: str, reason: str, kind: str = "conflict") -> Account:
    """An account that is in quarantine."""
    now = operations.clock.now()
    account = someone(operations, username)
    with operations.db.write() as tx:
        accounts.insert(tx, granted(account))
        due.mark_due(tx, account.id, Lane.BULK, now)
        chosen = update(work).where(work.c.account_id == account.id)
        tx.connection.execute(
            chosen.values(
                due_at=None, quarantine_kind=kind, quarantine_code=f"{kind}-code", quarantine_reason=reason
            )
        )
    return account


@pytest.mark.usefixtures("well")
def test_status_says_that_nothing_is_wrong(run: Run) -> None:
    """Exit code 0 for cron, and the numbers all the same."""
    done = run("status")
    assert done.exit_code == 0, done.output
    assert "nothing is wrong" in done.output
    assert "provision bulk" in done.output
    assert "how many" not in done.output, "an empty table"
    assert json.loads(run("status", "--json").output)["troubles"] == []


@pytest.mark.usefixtures("well")
def test_a_narrow_screen_cuts_nothing_off(run: Run, operations: OperatorDesk, terminal: Terminal) -> None:
    """An address is there to be copied in one piece, and the reason to be read."""
    who, why = "wilhelmine.von-der-heide@nordwind.example.com", "taken by somebody whom nobody here knows"
    stuck(operations, who, why)
    for columns in (120, 80, 60):
        terminal(columns)
        said = done(run("quarantine", "--all"))
        assert who in said
        assert all(word in said for word in why.split())


def test_status_without_redis_workers_and_keycloak_still_answers(run: Run) -> None:
    """Nothing of it answers in this test: each is named with what to do, and no password is."""
    done = run("status")
    assert done.exit_code == 1
    assert "workers cannot be woken: Redis cannot be used: ConnectionError" in done.output
    assert "no worker serves the lane interactive" in done.output
    assert "celery -A workers.app worker -Q interactive -n interactive@%h" in done.output
    assert "docs/operations.md, 'Redis is away'" in done.output
    assert "hidden" not in done.output
    assert "Traceback" not in done.output


@pytest.mark.usefixtures("well")
def test_status_names_each_trouble_with_its_remedy(run: Run, operations: OperatorDesk) -> None:
    """A pause, a worker that is gone, one that cannot work, old work, quarantine: the commands stand there."""
    now = operations.clock.now()
    stuck(operations, "anna.arndt", "the e-mail 'anna.arndt@example.com' is somebody else's")
    run("pause", "mail", "--reason", "the mail server is moved")
    with operations.db.write() as tx:
        silent = Worker("bulk@south", "south", 7, ("bulk",), now, now - timedelta(minutes=3))
        heartbeats.beat(tx, silent)
        heartbeats.note_trouble(tx, "all@north", "Keycloak refuses FSM_KEYCLOAK__WORKER_SECRET")
        other = someone(operations, "ben.bauer")
        accounts.insert(tx, granted(other))
        due.mark_due(tx, other.id, Lane.INTERACTIVE, now - timedelta(minutes=10))
    done = run("status")
    assert done.exit_code == 1
    for words in (
        "mail is paused by",
        "fsm-identity ops resume mail --reason …",
        "worker bulk@south fell silent (for 3 min)",
        "worker all@north touches no account: Keycloak refuses FSM_KEYCLOAK__WORKER_SECRET",
        "the oldest of 1 in the lane interactive waits too long (for 10 min)",
        "in quarantine (conflict)",
    ):
        assert words in done.output, words
    told = json.loads(run("status", "--json").output)
    assert {"what", "since", "remedy"} == set(told["troubles"][0])
    assert other.username not in done.output


@pytest.mark.supports("A9")
@pytest.mark.usefixtures("well")
@pytest.mark.parametrize(("days", "warned"), [(16, True), (14, False)])
def test_status_warns_before_logins_are_lost(run: Run, operations: OperatorDesk, days: int, warned: bool) -> None:
    """Keycloak keeps them for thirty days: half of that without a reading is told."""
    now = operations.clock.now()
    place = {"until": (now - timedelta(days=days)).isoformat(), "expires_after_seconds": 30 * 86400}
    with operations.db.write() as tx:
        schedule.register(tx, ["login-events"], now)
        tx.connection.execute(update(schedule_table).values(state=place))
    done = run("status")
    assert ("logins were not read for half of the time that Keycloak keeps them" in done.output) == warned


def test_queues_show_what_redis_cannot_hide(run: Run) -> None:
    """Redis is away: the lanes come from the database."""
    done = run("queues")
    assert done.exit_code == 0
    assert all(lane.value in done.output for lane in Lane)
    assert json.loads(run("queues", "--json").output)["wakes"] is None


def test_quarantine_is_shown_by_reason_and_tried_again_by_reason(run: Run, operations: OperatorDesk) -> None:
    """What differs in the reasons is only whom they name; a retry of the group takes all of them, and says so."""
    for name in ("anna.arndt", "ben.bauer"):
        stuck(operations, name, f"the e-mail '{name}@example.com' is somebody else's")
    odd = stuck(operations, "cora.conrad", "the group '/fsm/x' carries a role", kind="unsafe")
    [first, second] = json.loads(run("quarantine", "--json").output)
    assert (first["count"], second["count"]) == (2, 1)
    assert "anna.arndt" in run("quarantine").output
    assert "cora.conrad" in run("quarantine", "--kind", "unsafe", "--all").output
    assert "anna.arndt" not in run("quarantine", "--kind", "unsafe", "--all").output
    done = run("retry", "--code", first["code"], "--reason", "the other users were renamed")
    assert done.exit_code == 0, done.output
    assert "2 accounts will be tried again" in done.output
    assert Lane.INTERACTIVE in operations.wake.woken  # type: ignore[attr-defined]
    [left] = json.loads(run("quarantine", "--json").output)
    assert left["count"] == 1
    assert run("retry", "cora.conrad", "--reason", "the role is gone").exit_code == 0
    assert "the role is gone" in run("timeline", odd.username).output
    assert run("retry", "--all", "--reason", "x").exit_code == 1


def test_a_retry_of_nothing_in_particular_is_refused(run: Run) -> None:
    """Everything is tried again only if that is said; a person who does not exist is named."""
    assert "nothing was named" in run("retry", "--reason", "x").output
    assert "'nobody.here' is nobody's" in run("retry", "nobody.here", "--reason", "x").output


def test_a_circuit_is_steered_by_hand(run: Run, operations: OperatorDesk) -> None:
    """Left alone for an upgrade, probed when it is over, and closed; every step needs a reason."""
    assert run("circuit").exit_code == 0
    assert run("circuit", "open", "keycloak").exit_code == 2
    assert run("circuit", "open", "keycloak", "--for", "30", "--reason", "upgrade").exit_code == 0
    shown = run("circuit", "--json")
    assert shown.exit_code == 1
    [keycloak, *_] = json.loads(shown.output)
    assert keycloak["state"] == "open"
    assert "upgrade" in keycloak["reason"]
    assert "probe_token" not in keycloak
    assert run("circuit", "probe", "keycloak", "--reason", "it is back").exit_code == 0
    with operations.db.read() as tx:
        assert circuits.get(tx, CircuitName.KEYCLOAK).probe_at == operations.clock.now()
    closed = run("circuit", "close", "keycloak", "--reason", "sure of it", "--json")
    assert json.loads(closed.output)["state"] == "closed"
    assert run("circuit").exit_code == 0
    assert "is closed" in run("circuit", "probe", "keycloak", "--reason", "again").output


def test_a_lane_is_paused_once_and_resumed_once(run: Run, operations: OperatorDesk) -> None:
    """What changed nothing is refused, naming the lane; the resume wakes the workers."""
    assert run("pause", "bulk", "--reason", "Keycloak is being upgraded").exit_code == 0
    with operations.db.read() as tx:
        assert [each.lane for each in lanes.paused(tx)] == [Lane.BULK]
    again = run("pause", "bulk", "--reason", "again")
    assert again.exit_code == 1
    assert "bulk is paused already" in again.output
    done = run("resume", "bulk", "--reason", "it is upgraded", "--json")
    assert json.loads(done.stdout) == {"lane": "bulk", "paused": False}
    assert operations.wake.woken == [Lane.BULK]  # type: ignore[attr-defined]
    assert run("resume", "bulk", "--reason", "again").exit_code == 1


def test_pausing_single_changes_warns_that_nobody_is_locked_out(run: Run) -> None:
    """It is the one lane whose pause keeps people in who should be out."""
    done = run("pause", "interactive", "--reason", "the realm is being moved")
    assert done.exit_code == 0
    assert "deactivations wait too" in done.stderr


def test_a_reason_and_a_known_lane_are_needed(run: Run) -> None:
    """Wrong usage is exit code 2 and changes nothing."""
    assert run("pause", "bulk").exit_code == 2
    assert run("pause", "bulkk", "--reason", "x").exit_code == 2


@pytest.mark.req("F7")
def test_mails_that_did_not_go_are_listed_with_what_to_do(run: Run, operations: OperatorDesk) -> None:
    """Whom, why, and the command that gives the person a password after all."""
    assert "reset-password" not in run("mails").output
    account, now = someone(operations, "jo.lind"), operations.clock.now()
    with operations.db.write() as tx:
        accounts.insert(tx, granted(account))
        outbox.enqueue(
            tx, account.id, kind="welcome", recipient=account.email, expires_at=now + timedelta(days=1), now=now
        )
        outbox.give_up(tx, account.id, "not known whether it left", now)
    done = run("mails")
    assert done.exit_code == 0, done.output
    assert "jo.lind" in done.stdout
    assert "not known whether it left" in done.stdout
    assert "account reset-password WHO --mail" in done.output
    [listed] = json.loads(run("mails", "--json").output)
    assert listed["username"] == "jo.lind"


@pytest.mark.req("F7")
def test_a_mail_that_was_refused_is_sent_again_on_a_persons_word(run: Run, operations: OperatorDesk) -> None:
    """Nothing is sent unless it was named, or all were; a reason is needed."""
    account, now = someone(operations, "jo.lind"), operations.clock.now()
    until = now + timedelta(days=1)
    with operations.db.write() as tx:
        accounts.insert(tx, granted(account))
        passwords.keep(tx, account.id, "a-secret-of-the-test", "mail", until)
        outbox.enqueue(tx, account.id, kind="welcome", recipient=account.email, expires_at=until, now=now)
        outbox.make_due(tx, [still_claimed(account.id)], now)
        [claim] = outbox.claim(tx, Terms(now, lease=timedelta(minutes=1)), 1)
        outbox.finish(tx, claim, "failed", now, error="the mail server refuses it", may_have_left=False)
    assert "ops mails retry" in run("mails").output
    assert run("mails", "retry", claim.id[-8:]).exit_code == 2
    assert run("mails", "retry", "--reason", "which?").exit_code == 1
    done = run("mails", "retry", claim.id[-8:], "--reason", "the server knows the address now")
    assert (done.exit_code, "1 mail will be sent again" in done.stdout) == (0, True), done.output
    assert json.loads(run("mails", "--json").output) == []
    assert run("mails", "retry", "--all", "--reason", "once more").exit_code == 1


@pytest.mark.supports("H2")
def test_mapping_files_without_a_key_that_accounts_use_stop_a_start_and_are_told(
    run: Run, operations: OperatorDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is started next refuses, and counts the accounts; what runs already says so meanwhile."""
    monkeypatch.setattr(doors, "queue_depths", lambda _: dict.fromkeys(Lane, 0))
    secrets = {"worker_secret": SecretStr("hidden-secret"), "import_secret": SecretStr("hidden-secret")}
    keycloak = operations.settings.keycloak.model_copy(update=secrets)
    others = {"keycloak": keycloak, "field_service_url": SecretStr(f"sqlite:///{tmp_path / 'fsm.db'}")}
    operations = replace(operations, settings=operations.settings.model_copy(update=others))
    monkeypatch.setattr(ops, "open_operator_desk", lambda: operations)
    adopt_first(operations.db, None, FIRST, operations.clock.now())
    with operations.db.write() as tx:
        accounts.insert(tx, granted(replace(someone(operations, "kim"), profile="surveyor")))
    with pytest.raises(Failure, match=r"profile 'surveyor' \(1 account\)"):
        open_desk(operations.settings)
    told = [each for each in json.loads(run("status", "--json").output)["troubles"] if "surveyor" in each["what"]]
    assert len(told) == 1
    assert "Bad input" in told[0]["remedy"]


@pytest.mark.req("H3", "I3")
def test_a_kind_of_quarantine_that_there_is_not_is_refused(run: Run, operations: OperatorDesk) -> None:
    """An empty list would read as: nobody needs a person."""
    said = run("quarantine", "--kind", "conflcit")
    assert said.exit_code == 2
    assert "needs-person" in said.output
