"""Makes the Desk of a door: our database, the policy in force, the wake, and the FSM system to ask.

No secret of Keycloak's administration is needed for it, and no gateway to Keycloak can be reached from here.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from mappings.policy import Policy
from sync.adapters.broker import CeleryWake
from sync.adapters.fsm.http import HttpFieldService
from sync.adapters.fsm.sql import SqlFieldService
from sync.adapters.queue_depths import queue_depths
from sync.desk import Desk
from sync.domain.errors import Misconfigured
from sync.domain.work.lane import Lane
from sync.ports.signals import Clock, Wake
from sync.settings import Settings, load_settings, over_http
from sync.store import mappings, realm
from sync.store.accounts.accounts import used_keys
from sync.store.database.clock import DatabaseClock
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database, Tx
from sync.views.mappings import CurrentPolicy, InForce, in_force, policy_in_force, warn_of_other_files

T = TypeVar("T")


def open_desk(settings: Settings | None = None) -> Desk:
    """A Desk from these settings or those of this process, with the policy in force. Raises SettingsError;
    Misconfigured if the migrations are not there, or if a key that an account uses has vanished from the mapping
    files (rule: keys-in-use-stay)."""
    settings = settings or load_settings()
    desk, known = open_desk_with_policy(settings)
    warn_of_other_files(known, settings.mappings_folder)
    refuse_vanished_keys(desk.db, known.policy)
    return desk


def open_desk_with_policy(settings: Settings) -> tuple[Desk, InForce]:
    """A Desk and the policy in force it decides by, which is not looked at any closer: to adopt another one."""
    db = open_database(settings)
    db.check_schema()
    clock = DatabaseClock(db)
    known = policy_in_force(db)
    spare_the_collector()
    desk = Desk(
        db=db,
        policy=known.policy,
        field_service=field_service(settings, known.policy),
        wake=CeleryWake(),
        clock=clock,
        policy_number=known.number,
    )
    return desk, known


class Desks:
    """The Desk of a door that lives long, such as the web process: each time one by the policy in force then."""

    def __init__(self, settings: Settings, db: Database, policy: CurrentPolicy) -> None:
        """Opens nothing and asks nothing."""
        self._settings = settings
        self._db = db
        self._policy = policy
        self._wake = CeleryWake()
        self._clock = DatabaseClock(db)
        self._made: Desk | None = None

    def __call__(self) -> Desk:
        """Whoever asks keeps it for one request: what was decided by a policy that is no longer in force is not
        stored. Raises as `policy_in_force`."""
        known, made = self._policy.in_force(), self._made
        if made is None or made.policy_number != known.number:
            made = Desk(
                db=self._db,
                policy=known.policy,
                field_service=field_service(self._settings, known.policy),
                wake=self._wake,
                clock=self._clock,
                policy_number=known.number,
            )
            self._made = made
        return made


def refuse_vanished_keys(db: Database, policy: Policy) -> None:
    """Raises Misconfigured if accounts use a key that the policy lacks (rule: keys-in-use-stay)."""
    with db.read() as tx:
        missing = used_keys(tx).missing_from(policy)
    if missing:
        raise Misconfigured(
            f"accounts use keys that the mapping files no longer have: {'; '.join(missing)}; "
            "put the keys back, or move these accounts first with the files of before"
        )


@dataclass(frozen=True, slots=True)
class OperatorDesk:
    """What an operator's commands touch. They work whatever is wrong with Keycloak or the mapping files."""

    db: Database
    wake: Wake
    clock: Clock
    settings: Settings
    policy: None = None
    policy_number: None = None
    """They decide by no mapping file."""

    def queue_depths(self) -> Mapping[Lane, int]:
        """How many wakes wait in each lane. Raises Transient if Redis does not answer in seconds."""
        return queue_depths(self.settings.redis_url.get_secret_value())


def open_operator_desk(settings: Settings | None = None) -> OperatorDesk:
    """Raises SettingsError; Misconfigured if the database has not the tables of this version, Transient if it
    cannot be reached. Nothing else is asked."""
    desk = operator_desk(settings or load_settings())
    desk.db.check_schema()
    return desk


def operator_desk(settings: Settings) -> OperatorDesk:
    """The same, whatever our database can do just now."""
    db = open_database(settings)
    return OperatorDesk(db, CeleryWake(), DatabaseClock(db), settings)


def open_database(settings: Settings) -> Database:
    """Our database; it connects at its first use, in the process that uses it."""
    return Database(settings.database_url.get_secret_value(), Sealer(settings.keys))


MADE_BETWEEN_COLLECTIONS = 10_000
"""Objects; a MiB or two, if all of them were garbage in circles. Python's own number is for small programs."""


def spare_the_collector() -> None:
    """What many accounts are made of is freed without a search for circles, which took a fifth of an import's
    processor time (docs/decisions/0012): it walks what is loaded no more, since that lives as long as the process,
    and it comes less often. Once a process: what is garbage in that moment stays for good."""
    if not gc.get_freeze_count():
        gc.freeze()
        gc.set_threshold(MADE_BETWEEN_COLLECTIONS, 10, 20)


def field_service(settings: Settings, policy: Policy) -> SqlFieldService | HttpFieldService:
    """In its database or over HTTP, as the address says."""
    url, token = settings.field_service_url.get_secret_value(), settings.field_service_token
    if over_http(settings.field_service_url) and token is not None:
        timeout = settings.field_service_timeout_seconds
        return HttpFieldService(url, token.get_secret_value(), policy.work_orders, timeout_seconds=timeout)
    return SqlFieldService(url, policy.field_service, policy.work_orders)


def adopted_policy(settings: Settings) -> InForce | None:
    """The policy that workers go by, which a realm is brought to. None where there is none, as before the first
    upgrade of our database, or where these settings lead to none.

    Raises Transient while our database is away, for then nobody knows what is in force; Misconfigured if this
    version cannot read it.
    """
    adopted = _read_where_there_is(settings, mappings.newest)
    return None if adopted is None else in_force(adopted)


def installation_of(settings: Settings) -> str | None:
    """The id of our database; None where there is none, as before its first upgrade, or where these settings lead
    to none. Raises Transient while our database is away."""
    return _read_where_there_is(settings, realm.installation)


def _read_where_there_is(settings: Settings, read: Callable[[Tx], T]) -> T | None:
    try:
        database = open_database(settings)
        with database.read() as tx:
            found = read(tx)
        database.close()
    except Misconfigured:
        return None
    return found
