"""The staff file of the story, and what people ask for and do behind our back while it is imported."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass, field

import requests
from openpyxl import Workbook

from mappings.drift import REPORT
from sync.domain.account import Account, Life
from sync.domain.account_change import AccountChange, Actor, Door
from sync.domain.errors import Failure, Refused
from sync.domain.gate import GatePolicy
from sync.domain.lane import Lane
from sync.store import drift
from sync.store.listing import list_accounts
from sync.store.query import AccountQuery, Scope
from sync.usecases.change_account import change, deactivate, reactivate
from sync.usecases.command import perform
from sync.usecases.decide_drift import repair
from sync.usecases.site import Site
from tests.chaos.story.schedule import Disturbance
from tests.realms import ConfiguredRealm
from tests.usecases.import_sites import person

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
    """`asked` are the acts that were answered, by account id, under the reason each carries; `console` the
    accounts somebody changed in Keycloak. An act that got no answer may have been stored or not."""

    site: Site
    realm: ConfiguredRealm
    asked: dict[str, list[str]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    console: set[str] = field(default_factory=set)
    unanswered: int = 0
    _number: int = 0

    def ask(self, what: Disturbance) -> None:
        """One wish of a person about somebody who is in the database already."""
        try:
            account = self._somebody(what.which)
            if account is None:
                return
            self._number += 1
            reason = f"act {self._number} of the story"
            self.touched.add(account.id)
            self._perform(account, what.detail, Actor("dana", Door.COMMAND_LINE, reason))
        except Refused:
            return
        except Failure:
            self.unanswered += 1
        else:
            self.asked.setdefault(account.id, []).append(reason)

    def _perform(self, account: Account, what: str, by: Actor) -> None:
        site, now = self.site, self.site.clock.now()
        match what:
            case "profile":
                others = [profile for profile in PROFILES if profile != account.profile]
                wanted = AccountChange(profile=others[self._number % len(others)], data_access=None)
                perform(
                    site,
                    lambda tx: change(tx, site.policy, account.id, wanted, by, now),
                    wakes=Lane.INTERACTIVE,
                )
            case "name":
                wanted = AccountChange(given_name=f"Pat {self._number}")
                perform(
                    site,
                    lambda tx: change(tx, site.policy, account.id, wanted, by, now),
                    wakes=Lane.INTERACTIVE,
                )
            case "deactivate":
                perform(
                    site,
                    lambda tx: deactivate(tx, site.policy, account.id, GatePolicy.REFUSE, by, now),
                    wakes=Lane.INTERACTIVE,
                )
            case _:
                perform(site, lambda tx: reactivate(tx, site.policy, account.id, by, now), wakes=Lane.INTERACTIVE)

    def tamper(self, what: Disturbance) -> None:
        """Somebody in Keycloak's console, or nobody if Keycloak is away."""
        try:
            account = self._somebody(what.which)
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
        with self.site.db.read() as tx:
            found = drift.listed(tx, states=["open"])
        for finding in found:
            if finding.reaction == REPORT and finding.repair_asked_at is None and finding.subject.account_id:
                with suppress(Refused, Failure):
                    repair(self.site, finding.id, Actor("kim", Door.COMMAND_LINE, "it was not meant"))

    def _somebody(self, which: float) -> Account | None:
        with self.site.db.read() as tx:
            listed = list_accounts(tx, Scope.all(), AccountQuery(limit=200)).items
        return listed[int(which * len(listed))].account if listed else None
