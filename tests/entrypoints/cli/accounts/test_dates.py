"""First and last days: stored early, and taking effect by themselves (E4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from sync.domain.access.scope import Scope
from sync.domain.work.lane import Lane
from sync.jobs.dates import DATES
from sync.jobs.mail import send_some
from sync.jobs.schedule.run_jobs import run_due_job
from sync.store import schedule
from sync.store.accounts import accounts
from sync.views.operations.problems import problems
from tests.entrypoints.cli.conftest import Run, done, told
from tests.fakes.field_service import WorkOrder
from tests.world import World

pytestmark = [pytest.mark.req("E4", "A8", "B1"), pytest.mark.supports("B5")]

JO = ("--email", "jo@example.com", "--given-name", "Jo", "--family-name", "Lind", "--profile", "dispatcher")
WHY = ("--branch", "berlin", "--reason", "joins", "--no-wait")
BERLIN_MARCH_10 = datetime(2026, 3, 9, 23, 0, tzinfo=UTC)


def pass_days(world: World, at: datetime) -> None:
    """It is then; the job has come round, and workers have done what was due."""
    world.clock.time = at
    with world.systems.db.write() as tx:
        schedule.register(tx, [schedule.DATES], at)
        schedule.hasten(tx, schedule.DATES, at, timedelta())
    assert run_due_job(world.systems, {schedule.DATES: DATES}) == 1
    world.work()
    world.work(Lane.BULK)
    while send_some(world.systems):
        pass


def status(run: Run, who: str = "jo@example.com") -> tuple[str, str]:
    found = told(run, "show", who)["status"]
    return found["status"], found["note"]


def user(world: World, name: str = "jo@example.com"):  # type: ignore[no-untyped-def] # noqa: ANN201
    account = world.read(lambda tx: accounts.by_login(tx, name))
    assert account is not None
    return world.user(account)


def waiting_dates(world: World) -> list[str]:
    """What `ops status` says of dates."""
    found = world.read(lambda tx: problems(tx, Scope.all(), world.clock.now()))
    return [each.what for each in found if "a date waits" in each.what]


def test_a_joiner_of_next_week_waits_gets_the_mail_and_begins(world: World, run: Run) -> None:
    """No login and no mail before; the mail a day early says from when; at the first instant of the day in the
    branch the account is open."""
    said = done(run("create", *JO, *WHY, "--mail", "--valid-from", "2026-03-10"))
    assert "from 10 March" in said
    pass_days(world, BERLIN_MARCH_10 - timedelta(days=1, seconds=1))
    assert (user(world).enabled, world.mailer.sent) == (False, [])
    assert status(run) == ("pending", "from 10 March")
    assert "pending (from 10 March)" in done(run("list"))

    pass_days(world, BERLIN_MARCH_10 - timedelta(days=1))
    [mail] = world.mailer.sent
    assert (mail.to, user(world).enabled) == ("jo@example.com", False)
    assert "You can log in from 10 March 2026." in mail.text
    assert "good until 12 March 2026, 00:00 (Europe/Berlin)" in mail.text

    pass_days(world, BERLIN_MARCH_10 - timedelta(seconds=1))
    assert (user(world).enabled, len(world.mailer.sent)) == (False, 1)
    pass_days(world, BERLIN_MARCH_10)
    assert user(world).enabled
    assert status(run)[0] == "pending"
    assert "from" not in status(run)[1]
    assert len(world.mailer.sent) == 1
    entries = told(run, "show", "jo@example.com")["timeline"]
    [begun] = [each for each in entries if each["title"].startswith("begin")]
    assert "first day" in str(begun)


def test_who_begins_tomorrow_gets_the_mail_at_once(world: World, run: Run) -> None:
    """And says so; nobody logs in before the day."""
    done(run("create", *JO, *WHY, "--mail", "--valid-from", "2026-03-03"))
    world.work()
    send_some(world.systems)
    [mail] = world.mailer.sent
    assert "You can log in from 3 March 2026." in mail.text
    assert not user(world).enabled
    pass_days(world, datetime(2026, 3, 2, 23, 0, tzinfo=UTC))
    assert (user(world).enabled, len(world.mailer.sent)) == (True, 1)


def test_a_password_for_much_later_is_not_shown_now(world: World, run: Run) -> None:
    """It would lie about until then; and a day that is no day is refused with it."""
    said = run("create", *JO, *WHY, "--valid-from", "2026-04-01")
    assert said.exit_code == 1
    assert "too far away" in said.output
    assert "--mail" in said.output
    said = run("create", *JO, *WHY, "--mail", "--valid-from", "1/4/2026", "--valid-until", "2026-03-01")
    assert said.exit_code == 1
    assert "'1/4/2026' is not a date" in said.output
    assert "valid_until: 2026-03-01 is over" in said.output
    assert told(run, "list") == []


def test_the_last_day_ends_the_access(world: World, run: Run) -> None:
    """Until the end of the day where the branch is; sessions end with it."""
    done(run("create", *JO, *WHY, "--mail"))
    world.work()
    done(run("change", "jo@example.com", "--valid-until", "2026-03-09", "--reason", "leaves", "--no-wait"))
    assert status(run)[1].endswith("until 9 March")
    pass_days(world, BERLIN_MARCH_10 - timedelta(seconds=1))
    assert user(world).enabled
    pass_days(world, BERLIN_MARCH_10)
    assert not user(world).enabled
    assert status(run) == ("inactive", "")
    again = run("reactivate", "jo@example.com", "--reason", "back", "--no-wait")
    assert again.exit_code == 1
    assert "the last day of jo@example.com was 2026-03-09" in again.output
    done(run("change", "jo@example.com", "--valid-until", "-", "--reason", "stays", "--no-wait"))
    done(run("reactivate", "jo@example.com", "--reason", "back", "--no-wait"))
    world.work()
    assert user(world).enabled


@pytest.mark.supports("D1", "D4")
def test_open_work_orders_hold_a_leaver(world: World, run: Run) -> None:
    """The gate is asked by a date as by anybody: hold, and go on by itself when nothing is open any more."""
    tess = world.join_technician()
    world.fsm.add(WorkOrder("W-7", lead="T-1"))
    done(run("change", tess.username, "--valid-until", "2026-03-09", "--reason", "leaves", "--no-wait"))
    pass_days(world, BERLIN_MARCH_10)
    assert user(world, tess.username).enabled
    assert "deactivation held by 1 open work order: W-7" in status(run, tess.username)[1]
    world.fsm.add(WorkOrder("W-7"))
    world.pass_time(3600)
    world.work()
    world.work(Lane.BULK)
    assert not user(world, tess.username).enabled


def test_dates_that_are_changed_to_today_and_yesterday_take_effect(world: World, run: Run) -> None:
    """As the job comes round next."""
    done(run("create", *JO, *WHY, "--mail", "--valid-from", "2026-05-04", "--valid-until", "2026-06-30"))
    world.work()
    done(run("change", "jo@example.com", "--valid-from", "2026-03-02", "--reason", "earlier", "--no-wait"))
    pass_days(world, world.clock.now())
    assert (user(world).enabled, len(world.mailer.sent)) == (True, 1)
    assert "You can log in" not in world.mailer.sent[0].text
    done(
        run(
            "change",
            "jo@example.com",
            "--valid-until",
            "2026-03-01",
            "--reason",
            "no",
            "--valid-from",
            "-",
            "--no-wait",
        )
    )
    pass_days(world, world.clock.now())
    assert not user(world).enabled


def test_a_first_day_that_is_put_off_brings_another_mail(world: World, run: Run) -> None:
    """The password of the first has lapsed by then."""
    done(run("create", *JO, *WHY, "--mail", "--valid-from", "2026-03-03"))
    world.work()
    send_some(world.systems)
    done(run("change", "jo@example.com", "--valid-from", "2026-03-10", "--reason", "ill", "--no-wait"))
    for hours in (1, 24 * 3, 24 * 5):
        pass_days(world, datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(hours=hours))
        assert (len(world.mailer.sent), user(world).enabled) == (1, False)
    pass_days(world, BERLIN_MARCH_10 - timedelta(days=1))
    first, second = world.mailer.sent
    assert first.text != second.text
    pass_days(world, BERLIN_MARCH_10)
    assert (user(world).enabled, len(world.mailer.sent)) == (True, 2)


def test_who_has_begun_does_not_begin_later(world: World, run: Run) -> None:
    """That would take access past the gate; who deactivates first may change the day, and reactivate for it."""
    done(run("create", *JO, *WHY, "--mail"))
    world.work()
    later = ("change", "jo@example.com", "--valid-from", "2026-03-10", "--reason", "wrong day", "--no-wait")
    said = run(*later)
    assert said.exit_code == 1
    assert "has begun already" in said.output
    done(run("deactivate", "jo@example.com", "--reason", "wrong day", "--no-wait"))
    done(run(*later))
    done(run("reactivate", "jo@example.com", "--reason", "wrong day", "--no-wait"))
    world.work()
    assert (user(world).enabled, status(run)) == (False, ("pending", "from 10 March"))
    pass_days(world, BERLIN_MARCH_10)
    assert user(world).enabled


def test_acts_wait_for_the_first_day(world: World, run: Run) -> None:
    """A reset would give a password that opens nothing."""
    done(run("create", *JO, *WHY, "--mail", "--valid-from", "2026-03-10"))
    said = run("reset-password", "jo@example.com", "--reason", "asks", "--no-wait")
    assert said.exit_code == 1
    assert "begins on 2026-03-10" in said.output


def test_the_branch_in_force_says_when_the_day_is(world: World, run: Run) -> None:
    """A move to a branch further west opens the account later."""
    azores = replace(world.systems.policy.branches["hamburg"], time_zone="Atlantic/Azores")
    branches = {**world.systems.policy.branches, "hamburg": azores}
    world.systems = replace(world.systems, policy=replace(world.systems.policy, branches=branches))
    done(run("create", *JO, *WHY, "--mail", "--valid-from", "2026-03-10"))
    done(run("change", "jo@example.com", "--branch", "hamburg", "--reason", "moves", "--no-wait"))
    for at, enabled in ((BERLIN_MARCH_10, False), (datetime(2026, 3, 10, 1, tzinfo=UTC), True)):
        pass_days(world, at)
        assert user(world).enabled is enabled


@pytest.mark.supports("E7")
def test_many_who_end_on_one_day_wait_for_a_person(world: World, run: Run) -> None:
    """A wrong column of a file does not take everybody's access at midnight; the operator is told, and the next
    correction lets the rest end."""
    people = [world.join(f"p{number:03}.x") for number in range(60)]
    world.work()
    for each in people:
        done(run("change", each.username, "--valid-until", "2026-03-09", "--reason", "file", "--no-wait"))
    pass_days(world, BERLIN_MARCH_10)
    assert all(user(world, each.username).enabled for each in people)
    [waits] = waiting_dates(world)
    assert "60 accounts whose last day is over" in waits
    for each in people[1:]:
        done(run("change", each.username, "--valid-until", "-", "--reason", "mended", "--no-wait"))
    pass_days(world, BERLIN_MARCH_10 + timedelta(minutes=1))
    assert [user(world, each.username).enabled for each in people] == [False] + [True] * 59
    assert waiting_dates(world) == []


@pytest.mark.supports("I4")
def test_the_last_administrator_does_not_end_by_a_date(world: World, run: Run) -> None:
    """It waits for a person, who is told; nobody else's day waits with it."""
    ada = world.join("ada.abt", profile="administrator", valid_until=date(2026, 3, 9))
    jo = world.join("jo.lind", valid_until=date(2026, 3, 9))
    world.work()
    pass_days(world, BERLIN_MARCH_10)
    assert [user(world, each.username).enabled for each in (ada, jo)] == [True, False]
    [waits] = waiting_dates(world)
    assert "ada.abt@example.com is the last active account that can administer" in waits
    done(run("change", ada.username, "--valid-until", "-", "--reason", "stays", "--no-wait"))
    pass_days(world, BERLIN_MARCH_10 + timedelta(minutes=1))
    assert waiting_dates(world) == []
