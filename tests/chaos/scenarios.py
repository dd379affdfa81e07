"""What somebody may want of an account, each with the world it begins in and what must be true at its end.

A scenario says nothing about how it is brought about; the crash tests run it once for every point of I/O there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sync.commands.accounts.change import change, change_account, create
from sync.commands.accounts.initial_password import InitialPassword
from sync.commands.accounts.technician import link_technician
from sync.commands.acts import take_password
from sync.commands.deactivation.deactivate import deactivate_account, reactivate
from sync.commands.deactivation.reassign import reassign_work_orders
from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, review
from sync.commands.perform import perform
from sync.domain.access import vocabulary
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.work.lane import Lane
from sync.jobs.systems import Systems
from sync.ports.field_service import Technician
from sync.store.accounts import accounts, passwords
from sync.store.audit.timeline import read_timeline
from sync.store.deactivation import deactivations
from sync.store.runs import run_rows, runs
from tests.chaos.crash_place import BY, PASSWORD, Place, joiner
from tests.commands.imports.import_sites import person, staff_file
from tests.fakes.field_service import WorkOrder

Subject = Any
"""What `prepare` answers: an account, several, or the id of a run."""


@dataclass(frozen=True)
class Scenario:
    """`prepare` brings the world about, `wish` is what a person asks for through a door, `then` checks the end.

    `relieve` is what happens outside after the first settling (work orders are done), before a second one.
    `instead` is another wish, that comes while a worker is frozen over the first one; `and_then` checks the end
    after it.
    """

    name: str
    prepare: Callable[[Place], Subject]
    wish: Callable[[Systems, Subject], object]
    then: Callable[[Place, Subject], None]
    relieve: Callable[[Place, Subject], None] | None = None
    instead: Callable[[Systems, Subject], object] | None = None
    and_then: Callable[[Place, Subject], None] | None = None
    settled: bool = True
    """False: at the end a hold is looked at again and again."""
    main: bool = False
    """True: run in every `make test`; the others in `make chaos`."""

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def _change(systems: Systems, account: Account, **wanted: str | None) -> object:
    return change_account(systems, account.id, AccountChange(**wanted), BY)  # type: ignore[arg-type]


def _deactivate(gate: GatePolicy) -> Callable[[Systems, Account], object]:
    return lambda systems, account: deactivate_account(systems, account.id, gate, BY)


def _reactivate(systems: Systems, account: Account) -> object:
    return perform(
        systems,
        lambda tx: reactivate(tx, systems.policy, account.id, BY, systems.clock.now()),
        wakes=Lane.INTERACTIVE,
    )


def _joined(profile: str, **wanted: str | None) -> Callable[[Place], Account]:
    """Somebody in Keycloak, logged in and with a mobile application; another administrator is there too."""

    def prepare(place: Place) -> Account:
        place.join("ada.other", profile="administrator")
        account = place.join(profile=profile, **wanted)
        place.settle()
        place.user(account.id).tokens.update({"browser": None, "mobile": "mobile"})
        return account

    return prepare


def _technician(place: Place) -> Account:
    account = place.join_technician("T-1")
    place.join_technician("T-2", "theo.tor")
    place.user(account.id).tokens.update({"browser": None, "mobile": "mobile"})
    return account


def _technician_with_spare(place: Place) -> Account:
    place.foreign.fsm.add(Technician("T-3", "Spare", None, assignable=True))
    return _technician(place)


def _unlinked(place: Place) -> Account:
    """A technician whose link was taken: T-1 is stopped, by us, and belongs to nobody."""
    account = _technician_with_spare(place)
    link_technician(place.systems, account.id, None, BY)
    place.settle()
    return account


def _busy(place: Place) -> Account:
    account = _technician(place)
    place.foreign.fsm.add(WorkOrder("WO-1", lead="T-1"), WorkOrder("WO-2", crew=frozenset({"T-1"})))
    return account


def _gone(gate: GatePolicy, start: Callable[[Place], Account] = _technician) -> Callable[[Place], Account]:
    """After a deactivation, held or done."""

    def prepare(place: Place) -> Account:
        account = start(place)
        deactivate_account(place.systems, account.id, gate, BY)
        place.settle()
        return account

    return prepare


def _moved_once(place: Place, account: Account) -> None:
    """Every work order is the other technician's, and told of once."""
    _inactive(place, account)
    assert [order.number for order in place.foreign.fsm.open_work_orders("T-2")] == ["WO-1", "WO-2"]
    entries = place.read(lambda tx: read_timeline(tx, account.id))
    told = [line for each in entries if each.title.startswith("reassign") for line in each.details]
    assert sorted(line.split(":")[0] for line in told if line.startswith("WO-")) == ["WO-1", "WO-2"]


def _with_lost_orders(place: Place, account: Account) -> None:
    reassign_work_orders(place.systems, "T-1", "T-2", BY)


def _assignable(place: Place, technician_id: str) -> bool:
    technician = place.foreign.fsm.technician(technician_id)
    assert technician is not None
    return technician.assignable


def _stays(place: Place, account: Account) -> None:
    assert place.user(account.id).enabled


def _has_profile(profile: str, *, assignable: bool | None = None) -> Callable[[Place, Account], None]:
    def then(place: Place, account: Account) -> None:
        profiles = [path for path in place.user(account.id).groups if path.startswith(vocabulary.PROFILES)]
        assert profiles == [vocabulary.profile_group(profile)]
        if assignable is not None:
            assert _assignable(place, "T-1") is assignable

    return then


def _linked(technician_id: str | None, *, t_1: bool, t_2: bool) -> Callable[[Place, Account], None]:
    def then(place: Place, account: Account) -> None:
        assert place.user(account.id).attributes.get("technician_id") == (technician_id and (technician_id,))
        assert (_assignable(place, "T-1"), _assignable(place, "T-2")) == (t_1, t_2)

    return then


def _created(place: Place, _: Subject) -> None:
    account = place.read(lambda tx: accounts.by_login(tx, "jo.lind@example.com"))
    assert account is not None
    user = place.user(account.id)
    assert user.enabled
    assert user.password is not None, "the user was created without the password that was promised"


def _created_shown(place: Place, _: Subject) -> None:
    """It waits sealed until somebody asks for it, and is shown once, which is the one that Keycloak has."""
    _created(place, _)
    account = place.read(lambda tx: accounts.by_login(tx, "jo.lind@example.com"))
    assert account is not None
    with place.systems.db.write() as tx:
        shown = take_password(tx, place.systems.policy, account.id, BY, place.now())
    assert shown == place.user(account.id).password, "what is shown is not the password of the user"
    kept = place.read(lambda tx: passwords.kept(tx, account.id, place.now()))
    assert kept is None, "the password is kept although it was shown"


def _create(delivery: str) -> Callable[[Systems, Subject], object]:
    def wish(systems: Systems, _: Subject) -> object:
        password = InitialPassword(PASSWORD.password, delivery)  # type: ignore[arg-type]
        return perform(
            systems,
            lambda tx: create(tx, systems.policy, joiner(), BY, systems.clock.now(), password=password),
            wakes=Lane.INTERACTIVE,
        )

    return wish


def _inactive(place: Place, account: Account) -> None:
    user = place.user(account.id)
    assert not user.enabled
    assert user.tokens == {}
    done = [e for e in place.read(lambda tx: read_timeline(tx, account.id)) if e.kind == "deactivation"]
    assert [entry.title for entry in done if "completed" in entry.title] == ["deactivation completed"]
    if account.technician_id is not None:
        assert not _assignable(place, "T-1")


def _forced(place: Place, account: Account) -> None:
    _inactive(place, account)
    left = place.read(lambda tx: deactivations.stranded(tx, Scope.all()))
    assert [each.work_order.number for each in left] == ["WO-1", "WO-2"]


def _back(place: Place, account: Account) -> None:
    user = place.user(account.id)
    assert user.enabled
    assert user.tokens == {}, "a token from before the deactivation came back to life"
    _can_work(place, account)


def _can_work(place: Place, account: Account) -> None:
    assert place.user(account.id).enabled
    assert _assignable(place, "T-1")
    assert place.read(lambda tx: deactivations.stranded(tx, Scope.all())) == ()


def _held(place: Place, account: Account) -> None:
    _stays(place, account)
    assert not _assignable(place, "T-1")
    [held] = place.read(lambda tx: deactivations.list_held(tx, Scope.all()))
    assert [order.number for order in held.deactivation.work_orders] == ["WO-1", "WO-2"]


def _wish_then_work_comes(systems: Systems, account: Account) -> object:
    """The door saw nothing; before a worker looks, the technician is given a work order."""
    try:
        return deactivate_account(systems, account.id, GatePolicy.REFUSE, BY)
    finally:
        fsm: Any = getattr(systems.field_service, "behind", systems.field_service)
        fsm.add(WorkOrder("WO-9", lead="T-1"))


def _refused(place: Place, account: Account) -> None:
    """Unless a worker was done before the work came."""
    wanted = place.read(lambda tx: accounts.get(tx, account.id))
    assert wanted is not None
    active = wanted.life is Life.ACTIVE
    assert (place.user(account.id).enabled, _assignable(place, "T-1")) == (active, active)
    titles = [entry.title for entry in place.read(lambda tx: read_timeline(tx, account.id))]
    assert active or "deactivation completed" in titles


def _held_change(systems: Systems, account: Account) -> object:
    """As an import does it, which asks nobody at the door."""
    wanted = AccountChange(profile="dispatcher", technician_id=None)
    return perform(
        systems,
        lambda tx: change(tx, systems.policy, account.id, wanted, BY, systems.clock.now(), lane=Lane.BULK),
        wakes=Lane.BULK,
    )


def _to_the_office(systems: Systems, account: Account, gate: GatePolicy) -> object:
    wanted = AccountChange(profile="dispatcher", technician_id=None)
    return change_account(systems, account.id, wanted, BY, gate)


def _forced_change(place: Place, account: Account) -> None:
    _has_profile("dispatcher", assignable=False)(place, account)
    left = place.read(lambda tx: deactivations.stranded(tx, Scope.all()))
    assert [each.work_order.number for each in left] == ["WO-1", "WO-2"]


def _change_then_work_comes(systems: Systems, account: Account) -> object:
    try:
        return _to_the_office(systems, account, GatePolicy.REFUSE)
    finally:
        fsm: Any = getattr(systems.field_service, "behind", systems.field_service)
        fsm.add(WorkOrder("WO-9", lead="T-1"))


def _change_refused(place: Place, account: Account) -> None:
    """All of it is as before, unless a worker was done before the work came."""
    wanted = place.read(lambda tx: accounts.get(tx, account.id))
    assert wanted is not None
    refused = wanted.technician_id is not None
    assert (wanted.profile, wanted.technician_id) == (("technician", "T-1") if refused else ("dispatcher", None))
    _has_profile(wanted.profile, assignable=refused)(place, account)


def _reviewed(place: Place) -> str:
    """A file with two joiners and somebody who moves to the office."""
    place.join(
        "pat9", email="pat9@example.com", given_name="Pat", family_name="Number9",
        employee_number="00009", profile="read-only", branch="hamburg",
    )  # fmt: skip
    place.settle()
    file = staff_file(person(1), person(2), person(9))
    return review(place.systems, file, "staff.csv", BY, ImportOptions()).run.id


def _imported(place: Place, run_id: str) -> None:
    with place.systems.db.read() as tx:
        assert [row.result for row in run_rows.rows(tx, run_id)] == ["applied"] * 3
        run = runs.get(tx, run_id)
    assert run is not None
    assert run.state == "done"
    assert sorted(user.username for user in place.foreign.keycloak.users.values()) == [
        f"pat{number}@example.com" for number in (1, 2, 9)
    ]
    assert {mail.to for mail in place.foreign.mailer.sent} <= {f"pat{number}@example.com" for number in (1, 2, 9)}


SCENARIOS = (
    Scenario("create with a welcome mail", lambda _: None, _create("mail"), _created, main=True),
    Scenario("create with a shown password", lambda _: None, _create("shown"), _created_shown),
    Scenario(
        "import of joiners and a change",
        _reviewed,
        lambda systems, run: confirm(systems, run, BY),
        _imported,
        main=True,
    ),
    Scenario(
        "promotion with second factor",
        _joined("read-only"),
        lambda systems, account: _change(systems, account, profile="administrator"),
        _has_profile("administrator"),
        instead=lambda systems, account: _change(systems, account, profile="read-only", family_name="Other"),
        main=True,
    ),
    Scenario(
        "demotion",
        _joined("administrator"),
        lambda systems, account: _change(systems, account, profile="dispatcher"),
        _has_profile("dispatcher"),
        instead=lambda systems, account: _change(systems, account, profile="read-only"),
    ),
    Scenario(
        "new name and address",
        _joined("dispatcher"),
        lambda systems, account: _change(systems, account, family_name="Lindner", email="jo.lindner@example.com"),
        _has_profile("dispatcher"),
        instead=lambda systems, account: _change(
            systems, account, family_name="Lindt", email="jo.lindt@example.com"
        ),
    ),
    Scenario(
        "technician to the office",
        _technician,
        lambda systems, account: _change(systems, account, profile="dispatcher", technician_id=None),
        _has_profile("dispatcher", assignable=False),
        instead=_deactivate(GatePolicy.REFUSE),
    ),
    Scenario(
        "technician to the office with open work",
        _busy,
        _held_change,
        _has_profile("dispatcher", assignable=False),
        relieve=_with_lost_orders,
    ),
    Scenario(
        "force a technician to the office",
        _busy,
        lambda systems, account: _to_the_office(systems, account, GatePolicy.FORCE),
        _forced_change,
    ),
    Scenario("refuse a technician the office", _technician, _change_then_work_comes, _change_refused),
    Scenario(
        "link a technician",
        _unlinked,
        lambda systems, account: link_technician(systems, account.id, "T-3", BY),
        _linked("T-3", t_1=False, t_2=True),
    ),
    Scenario(
        "relink to another technician",
        _technician_with_spare,
        lambda systems, account: link_technician(systems, account.id, "T-3", BY),
        _linked("T-3", t_1=False, t_2=True),
        instead=_deactivate(GatePolicy.REFUSE),
    ),
    Scenario(
        "unlink a technician",
        _technician,
        lambda systems, account: link_technician(systems, account.id, None, BY),
        _linked(None, t_1=False, t_2=True),
        instead=_deactivate(GatePolicy.REFUSE),
    ),
    Scenario("deactivate", _joined("dispatcher"), _deactivate(GatePolicy.REFUSE), _inactive, instead=_reactivate),
    Scenario(
        "deactivate a technician",
        _technician,
        _deactivate(GatePolicy.REFUSE),
        _inactive,
        instead=_reactivate,
        main=True,
    ),
    Scenario("deactivate by force", _busy, _deactivate(GatePolicy.FORCE), _forced, instead=_reactivate),
    Scenario("hold a deactivation", _busy, _deactivate(GatePolicy.HOLD), _held, settled=False),
    Scenario(
        "hold a deactivation until the work is done",
        _busy,
        _deactivate(GatePolicy.HOLD),
        _inactive,
        relieve=_with_lost_orders,
        main=True,
    ),
    Scenario(
        "reassign what holds a deactivation",
        _gone(GatePolicy.HOLD, _busy),
        lambda systems, _: reassign_work_orders(systems, "T-1", "T-2", BY),
        _moved_once,
    ),
    Scenario("refuse a deactivation", _technician, _wish_then_work_comes, _refused),
    Scenario("force what was held", _gone(GatePolicy.HOLD, _busy), _deactivate(GatePolicy.FORCE), _forced),
    Scenario("call off what was held", _gone(GatePolicy.HOLD, _busy), _reactivate, _can_work),
    Scenario(
        "reactivate",
        _gone(GatePolicy.FORCE, _busy),
        _reactivate,
        _back,
        instead=_deactivate(GatePolicy.FORCE),
    ),
)
