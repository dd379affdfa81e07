"""`fsm-identity ops mails bounced` and `refused`, and where else a person sees that mails came back."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from sync.domain.accounts.account import Account
from sync.entrypoints.cli import app, mail
from sync.entrypoints.cli.accounts import account as account_commands
from sync.jobs.mail import send_some
from sync.wiring.doors import OperatorDesk
from tests.entrypoints.cli.conftest import Run, done, told
from tests.entrypoints.web.conftest import MakeSettings, make_settings  # noqa: F401 - a fixture
from tests.world import World

pytestmark = pytest.mark.req("F7", "H3")


@pytest.fixture
def run(world: World, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> Run:  # noqa: F811
    """Runs one command on the world of the test."""
    systems = world.systems
    desk = OperatorDesk(systems.db, systems.wake, systems.clock, make_settings())
    monkeypatch.setattr(mail, "open_operator_desk", lambda: desk)
    monkeypatch.setattr(account_commands, "open_desk", lambda: systems)
    monkeypatch.setattr(account_commands, "wait_for_look", lambda *_: None)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def jo(world: World) -> Account:
    """Whose welcome mail was sent."""
    account = world.join("jo.lnid")
    world.work()
    assert send_some(world.systems) == 1
    return account


def test_an_address_that_bounced_is_seen_wherever_one_looks(run: Run, jo: Account) -> None:
    """The list with what was said, the account, its timeline, the filter; until it has another address."""
    bounced = ("ops", "mails", "bounced", jo.email, "--reason", "550 no such user")
    assert "no mail goes there any more" in done(run(*bounced))
    assert "that is known" in done(run(*bounced))
    [listed] = told(run, "ops", "mails", "refused")
    assert (listed["username"], listed["why"], listed["reason"]) == (jo.username, "bounced", "550 no such user")
    assert "account change WHO --email" in run("ops", "mails", "refused").output
    [failed] = told(run, "ops", "mails")
    assert (failed["failure"], failed["sendable"]) == ("address-bounced", False)
    assert f"mails to {jo.email} come back since" in " ".join(done(run("account", "show", jo.username)).split())
    shown = told(run, "account", "show", jo.username)
    assert shown["mails_come_back"]["reason"] == "550 no such user"
    assert any(each["title"] == "mails come back" for each in shown["timeline"])
    assert [each["username"] for each in told(run, "account", "list", "--bounced")] == [jo.username]
    changed = ("account", "change", jo.username, "--email", "jo.lind@example.com", "--reason", "mistyped")
    run(*changed)
    assert told(run, "ops", "mails", "refused") == []
    assert told(run, "account", "list", "--bounced") == []
    assert told(run, "account", "show", jo.username)["mails_come_back"] is None


def test_a_mailbox_that_was_full_gets_mails_again(run: Run, jo: Account) -> None:
    """On a person's word, with a reason."""
    done(run("ops", "mails", "bounced", jo.email, "--reason", "mailbox full"))
    assert run("ops", "mails", "bounced", jo.email, "--withdraw").exit_code == 2
    again = ("ops", "mails", "bounced", jo.email, "--withdraw", "--reason", "emptied")
    assert "mails arrive again" in done(run(*again))
    assert json.loads(run("ops", "mails", "refused", "--json").stdout) == []
    assert "do not come back" in run(*again).output


def test_a_mistyped_address_is_said(run: Run, jo: Account) -> None:
    """Nothing is stored then, of the others neither."""
    said = run("ops", "mails", "bounced", jo.email, "jo@example.com", "--reason", "550")
    assert said.exit_code == 1
    assert "jo@example.com is nobody's" in " ".join(said.output.split())
    assert told(run, "ops", "mails", "refused") == []


def test_an_address_that_the_mail_server_refused_is_in_the_same_list(run: Run, world: World) -> None:
    """With what the server said."""
    account = world.join("ann.arno")
    world.mailer.refused.add(account.email)
    world.work()
    send_some(world.systems)
    [listed] = told(run, "ops", "mails", "refused")
    assert (listed["username"], listed["why"]) == (account.username, "refused")
    assert "the mail server refuses" in listed["reason"]
