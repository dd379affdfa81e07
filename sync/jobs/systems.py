"""What a use case may touch: our database, the policy, and the foreign systems behind their ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mappings.policy import Policy
from sync.domain.work.lane import Lane
from sync.ports.accounts import Accounts
from sync.ports.admin_events import AdminEvents
from sync.ports.adoption import Adoption
from sync.ports.credentials import Credentials
from sync.ports.field_service import FieldService
from sync.ports.listing import Listing
from sync.ports.login_events import LoginEvents
from sync.ports.realm import Realm
from sync.ports.signals import Clock, Mailer, PasswordLetter, Wake
from sync.store.database.transactions import Database


class CommandSite(Protocol):
    """The little of a Site that a command needs (`sync.commands.perform`)."""

    @property
    def db(self) -> Database: ...

    @property
    def wake(self) -> Wake: ...

    @property
    def policy_number(self) -> int | None: ...

    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True)
class Site:
    """Made by sync.wiring, once per process; tests make one with fakes behind the ports.

    `accounts` is the gateway with the least rights; `bulk_accounts` may create many at once and serves the
    bulk lane only (DESIGN, "In Keycloak"). `policy_number` says which of the adopted policies `policy` is; None:
    it is not from our database, and nothing asks whether it is still in force. `realm` is there in workers, which
    look now and then whether the realm is as the policy says.
    """

    db: Database
    policy: Policy
    accounts: Accounts
    bulk_accounts: Accounts
    login_events: LoginEvents
    admin_events: AdminEvents
    listing: Listing
    credentials: Credentials
    adoption: Adoption
    field_service: FieldService
    mailer: Mailer
    wake: Wake
    clock: Clock
    welcome_letter: PasswordLetter
    reset_letter: PasswordLetter
    policy_number: int | None = None
    realm: Realm | None = None

    def accounts_for(self, lane: Lane) -> Accounts:
        return self.bulk_accounts if lane is Lane.BULK else self.accounts
