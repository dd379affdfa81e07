"""The staff file of the story, and what people ask for and do behind our back while it is imported."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import requests
from openpyxl import Workbook

from mappings.drift import REPORT
from sync.commands import acts
from sync.commands.accounts.change import change
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.commands.deactivation.deactivate import deactivate, reactivate
from sync.commands.drift.decide import repair
from sync.commands.perform import perform
from sync.domain.access.cause import Cause
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Failure, Refused
from sync.domain.work.lane import Lane
from sync.jobs.systems import Systems
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from sync.store.database.transactions import Tx
from sync.store.drift import findings
from tests.callers import wanted_by
from tests.chaos.story.schedule import Disturbance
from tests.commands.imports.import_sites import person
from tests.realms import ConfiguredRealm

EVERYBODY, TROUBLED = 200, 20
"""Of how many people somebody wants something else, and of how many an act."""

PROFILES = ("dispatcher", "read-only", "accountant")


def staff_xlsx(people: int) -> bytes:
    """One dispatcher a row."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Staff")
    sheet.append(list(person(1)))
    for number in range(1, people + 1):
        sheet.append(list(person(number).values()))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@dataclass
class Meanwhile:
    """`asked` are the wishes that were answered, by account id, under the reason each carries; `console` the
    accounts somebody changed in Keycloak. A wish that got no answer may have been stored or not."""

    systems: Systems
    realm: ConfiguredRealm
    asked: dict[str, list[str]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    console: set[str] = field(default_factory=set)
    unanswered: int = 0
    _number: int = 0

    def ask(self, what: Disturbance) -> None:
        """One wish of a person about somebody who is in the database already."""
        self._answered(what.which, EVERYBODY, lambda who, by: self._perform(who, what.detail, by))

    def ask_for_an_act(self, what: Disturbance) -> None:
        """One act, of a few people: some have several going on at once."""
        self._answered(what.which, TROUBLED, lambda who, by: self._act(who, what.detail, by))

    def _answered(self, which: float, of: int, wish: Callable[[Account, Cause], object]) -> None:
        self._number += 1
        reason = f"act {self._number} of the story"
        try:
            account = self._somebody(which, of)
            if account is not None:
                self.touched.add(account.id)
                wish(account, wanted_by("dana", reason))
                self.asked.setdefault(account.id, []).append(reason)
        except Refused:
            pass
        except Failure:
            self.unanswered += 1

    def _act(self, account: Account, what: str, by: Cause) -> None:
        systems, now = self.systems, self.systems.clock.now()
        given = InitialPassword(generate(), "mail" if what == "reset by mail" else "shown")
        ask: dict[str, Callable[[Tx], object]] = {
            "unlock": lambda tx: acts.unlock(tx, systems.policy, account.id, by, now),
            "end sessions": lambda tx: acts.end_sessions(tx, systems.policy, account.id, by, now),
            "require a change": lambda tx: acts.require_password_change(tx, systems.policy, account.id, by, now),
        }
        reset = partial(acts.reset_password, policy=systems.policy, account_id=account.id, password=given)
        perform(systems, ask.get(what, lambda tx: reset(tx, by=by, now=now)), wakes=Lane.INTERACTIVE)

    def _perform(self, account: Account, what: str, by: Cause) -> None:
        systems, now = self.systems, self.systems.clock.now()
        match what:
            case "profile":
                others = [profile for profile in PROFILES if profile != account.profile]
                wanted = AccountChange(profile=others[self._number % len(others)], data_access=None)
                perform(
                    systems,
                    lambda tx: change(tx, systems.policy, account.id, wanted, by, now),
                    wakes=Lane.INTERACTIVE,
                )
            case "name":
                wanted = AccountChange(given_name=f"Pat {self._number}")
                perform(
                    systems,
                    lambda tx: change(tx, systems.policy, account.id, wanted, by, now),
                    wakes=Lane.INTERACTIVE,
                )
            case "deactivate":
                perform(
                    systems,
                    lambda tx: deactivate(tx, systems.policy, account.id, GatePolicy.REFUSE, by, now),
                    wakes=Lane.INTERACTIVE,
                )
            case _:
                perform(
                    systems, lambda tx: reactivate(tx, systems.policy, account.id, by, now), wakes=Lane.INTERACTIVE
                )

    def tamper(self, what: Disturbance) -> None:
        """Somebody in Keycloak's console, or nobody if Keycloak is away."""
        try:
            account = self._somebody(what.which, EVERYBODY)
            if account is None or account.idp_user_id is None:
                return
            at = f"users/{account.idp_user_id}"
            match what.detail:
                case "rename":
                    user = self.realm.get(at)
                    self.realm.send("PUT", at, user | {"lastName": "Console"})
                case "other profile":
                    group = self.realm.get("group-by-path/fsm/profiles/manager")
                    self.realm.send("PUT", f"{at}/groups/{group['id']}")
                case _:
                    self.realm.send("PUT", at, {"enabled": account.life is not Life.ACTIVE})
        except (requests.RequestException, Failure):
            return
        self.console.add(account.id)

    def repair_reported(self) -> None:
        """The operator goes through `drift list`."""
        with self.systems.db.read() as tx:
            found = findings.listed(tx, states=["open"])
        for finding in found:
            if finding.reaction == REPORT and finding.repair_asked_at is None and finding.subject.account_id:
                with suppress(Refused, Failure):
                    repair(self.systems, finding.id, wanted_by("kim", "it was not meant"))

    def _somebody(self, which: float, of: int) -> Account | None:
        with self.systems.db.read() as tx:
            listed = list_accounts(tx, Scope.all(), AccountQuery(limit=of)).items
        return listed[int(which * len(listed))].account if listed else None
