"""What a job works on: a Desk, and the gateways to the foreign systems."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sync.desk import Desk
from sync.domain.work.lane import Lane
from sync.ports.accounts import Accounts
from sync.ports.admin_events import AdminEvents
from sync.ports.adoption import Adoption
from sync.ports.anchor import Anchor
from sync.ports.answering import Answering
from sync.ports.credentials import Credentials
from sync.ports.listing import Listing
from sync.ports.login_events import LoginEvents
from sync.ports.realm import Realm
from sync.ports.signals import Mailer, PasswordLetter


@dataclass(frozen=True, slots=True, kw_only=True)
class Systems(Desk):
    """Made by `sync.wiring.workers`, once per process; tests make one with fakes behind the ports.

    `accounts` is the gateway with the least rights; `bulk_accounts` may create many at once and serves the bulk
    lane only (decision 0005). `realm` is there in workers, which look now and then whether the realm is as the
    policy says. `anchors` keep the head of the audit chain elsewhere. `holder` names this process where it gives
    signs of life; `longest_request` is the time that one request to a foreign system can take, as set.
    """

    accounts: Accounts
    bulk_accounts: Accounts
    login_events: LoginEvents
    admin_events: AdminEvents
    listing: Listing
    credentials: Credentials
    adoption: Adoption
    answering: Answering
    mailer: Mailer
    welcome_letter: PasswordLetter
    reset_letter: PasswordLetter
    anchors: tuple[Anchor, ...] = ()
    realm: Realm | None = None
    holder: str | None = None
    longest_request: timedelta = timedelta(seconds=10)

    def accounts_for(self, lane: Lane) -> Accounts:
        return self.bulk_accounts if lane is Lane.BULK else self.accounts
