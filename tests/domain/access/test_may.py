"""Who may do what to whom: every rule of I4 as a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from mappings import load
from sync.domain.access.callers import Caller, Machine, Person, Program, Source, System
from sync.domain.access.may import BY_ITSELF, may
from sync.domain.access.permissions import EVERYWHERE, ON_ACCOUNT, OPERATIONS, WITHIN_SCOPE, Permission
from sync.domain.accounts.account import Account, Life
from sync.domain.acts import ActKind
from tests.people import an_account

pytestmark = pytest.mark.supports("I4")

POLICY = load()
HERE, THERE = sorted(POLICY.branches)[:2]
TODAY = date(2026, 3, 1)
CHANGE = Permission.CHANGE


def admin(**given: Any) -> Account:
    """An administrator who sees the whole company."""
    return an_account("ada@example.com", **{"profile": "administrator", "branch": None, **given})


def branch_admin(**given: Any) -> Account:
    return admin(branch=HERE, data_access="branch", **given)


def somebody(**given: Any) -> Account:
    return an_account("bo@example.com", **{"branch": HERE, **given})


def asked(own: Account, permission: Permission, before: Account | None, after: Account | None) -> str | None:
    """The field that stands in the way; None: it is allowed."""
    caller = Person(own.id, own.username)
    problem = may(caller, permission, before, after, own=own, policy=POLICY, today=TODAY)
    return None if problem is None else problem.field


@pytest.mark.parametrize(
    ("own", "before", "after", "stands_in_the_way"),
    [
        pytest.param(admin(), somebody(), somebody(), None, id="global access reaches every branch"),
        pytest.param(admin(), somebody(branch=THERE), somebody(branch=HERE), None, id="and moves people"),
        pytest.param(admin(), somebody(branch=None), somebody(branch=None), None, id="and the company's own"),
        pytest.param(admin(), None, somebody(profile="administrator"), None, id="equal rank is given"),
        pytest.param(admin(), somebody(profile="administrator"), somebody(), None, id="equal rank is taken"),
        pytest.param(branch_admin(), somebody(), somebody(given_name="Bob"), None, id="the own branch"),
        pytest.param(branch_admin(), somebody(), somebody(branch=THERE), "branch", id="nobody is moved out"),
        pytest.param(branch_admin(), somebody(branch=THERE), somebody(), "branch", id="nobody is moved in"),
        pytest.param(branch_admin(), None, somebody(branch=THERE), "branch", id="nobody joins elsewhere"),
        pytest.param(branch_admin(), somebody(branch=None), somebody(), "branch", id="the company's own are not"),
        pytest.param(
            branch_admin(), somebody(), somebody(branch=None), "branch", id="nobody is made the company's"
        ),
        pytest.param(
            branch_admin(), somebody(), somebody(profile="accountant"), "data_access", id="no wider data access"
        ),
        pytest.param(
            branch_admin(),
            somebody(profile="manager", data_access="global"),
            somebody(profile="manager", data_access="branch"),
            "data_access",
            id="who sees more is not touched",
        ),
        pytest.param(admin(data_access="team"), somebody(), somebody(), "caller", id="team access: nobody"),
        pytest.param(
            admin(data_access="personal"), somebody(), somebody(), "caller", id="personal access: nobody"
        ),
        pytest.param(admin(branch=None, data_access="branch"), somebody(), somebody(), "caller", id="no branch"),
        pytest.param(admin(profile="manager"), somebody(), somebody(), "caller", id="without user-management"),
        pytest.param(admin(life=Life.INACTIVE), somebody(), somebody(), "caller", id="inactive"),
        pytest.param(admin(profile="gone"), somebody(), somebody(), "caller", id="a profile nobody knows"),
        pytest.param(admin(), somebody(profile="gone"), somebody(), "profile", id="touching one of unknown rank"),
    ],
)
def test_a_change_of_an_account(
    own: Account, before: Account | None, after: Account, stands_in_the_way: str | None
) -> None:
    """Rank, data access and scope, before and after."""
    permission = Permission.CREATE if before is None else CHANGE
    assert asked(own, permission, before, after) == stands_in_the_way


def test_rank_is_the_limit_where_an_administering_profile_stands_low() -> None:
    """A company may let dispatchers keep accounts: those above them stay out of reach, both ways."""
    profiles = dict(POLICY.profiles)
    everywhere = replace(profiles["dispatcher"], highest_data_access="global")
    profiles["dispatcher"] = _with_features(everywhere, "user-management")
    policy = _with_profiles(profiles)
    own = admin(profile="dispatcher", data_access="global")
    caller = Person(own.id, own.username)
    for before, after in (
        (somebody(), somebody(profile="manager")),
        (somebody(profile="manager"), somebody()),
        (None, somebody(profile="administrator")),
    ):
        problem = may(caller, CHANGE, before, after, own=own, policy=policy, today=TODAY)
        assert problem is not None
        assert problem.field == "profile"
    assert may(caller, CHANGE, somebody(), somebody(), own=own, policy=policy, today=TODAY) is None


def _with_features(profile: Any, *features: str) -> Any:
    return replace(profile, features=profile.features | set(features))


def _with_profiles(profiles: Any) -> Any:
    return replace(POLICY, profiles=profiles)


@pytest.mark.parametrize("permission", sorted(ON_ACCOUNT))
@pytest.mark.parametrize("own", [admin(), somebody(profile="technician")], ids=["administrator", "technician"])
def test_on_oneself_only_the_own_sessions(permission: Permission, own: Account) -> None:
    """Nobody changes, resets or deactivates themselves; ending the own sessions takes no feature."""
    expected = None if permission is Permission.END_SESSIONS else "account"
    assert asked(own, permission, own, own) == expected


def test_every_act_on_a_user_is_a_permission_on_an_account() -> None:
    """A new one cannot be asked for before somebody has said who may."""
    assert {Permission(kind.value) for kind in ActKind} <= ON_ACCOUNT


@pytest.mark.parametrize("permission", sorted(EVERYWHERE))
def test_what_concerns_everybody_takes_user_management_and_global_access(permission: Permission) -> None:
    """Approvals, mapping files, adoption and drift."""
    assert asked(admin(), permission, None, None) is None
    assert asked(branch_admin(), permission, None, None) == "caller"
    assert asked(admin(profile="manager", data_access="global"), permission, None, None) == "caller"


@pytest.mark.parametrize("permission", sorted(OPERATIONS))
def test_operations_take_their_own_feature_and_global_access(permission: Permission) -> None:
    """Lanes, circuits, quarantine, failed mails."""
    assert asked(admin(), permission, None, None) is None
    assert asked(branch_admin(), permission, None, None) == "caller"
    assert asked(admin(profile="manager", data_access="global"), permission, None, None) == "caller"


@pytest.mark.parametrize("permission", sorted(WITHIN_SCOPE))
def test_a_branch_administrator_imports(permission: Permission) -> None:
    """The rows are judged one by one."""
    assert asked(branch_admin(), permission, None, None) is None
    assert asked(admin(data_access="team"), permission, None, None) == "caller"


@pytest.mark.parametrize("permission", sorted(Permission))
@pytest.mark.parametrize("policy", [POLICY, None], ids=["with mapping files", "without"])
def test_a_login_of_the_operating_system_may_everything(permission: Permission, policy: Any) -> None:
    """Whoever reads our settings reads our database; also while the mapping files are in trouble."""
    machine = Machine(1000, "dana", "host")
    assert may(machine, permission, somebody(), somebody(), own=None, policy=policy, today=TODAY) is None


def test_a_break_glass_name_may_everything_if_the_file_says_so() -> None:
    """One that realm.toml does not name is nobody."""
    policy = replace(POLICY, realm=replace(POLICY.realm, break_glass=frozenset({"glass"})))
    for permission in Permission:
        assert may(Person(None, "glass"), permission, None, None, own=None, policy=policy, today=TODAY) is None
        problem = may(Person(None, "cup"), permission, None, None, own=None, policy=policy, today=TODAY)
        assert problem is not None


def test_nobody_but_who_may_everything_gets_on_without_mapping_files() -> None:
    """At an operator's desk there are none to judge by."""
    own = admin()
    for caller in (Person(own.id, "ada"), Person(None, "glass"), Source("hr", frozenset())):
        problem = may(caller, Permission.PAUSE_LANE, None, None, own=own, policy=None, today=TODAY)
        assert problem is not None


@pytest.mark.parametrize("system", list(System))
def test_what_happens_by_itself_is_a_closed_list(system: System) -> None:
    """No rule does more than it is for."""
    for permission in Permission:
        allowed = may(system, permission, somebody(), somebody(), own=None, policy=POLICY, today=TODAY) is None
        assert allowed == (permission in BY_ITSELF[system])


@pytest.mark.parametrize(
    ("program", "after", "stands_in_the_way"),
    [
        (Program("app", "administrator", HERE, "branch", None), somebody(), None),
        (Program("app", "administrator", HERE, "branch", None), somebody(branch=THERE), "branch"),
        (Program("app", "administrator", None, "branch", None), somebody(branch=THERE), None),
        (Program("app", "administrator", None, "branch", None), somebody(profile="accountant"), "data_access"),
        (Program("app", "manager", None, "global", None), somebody(), "caller"),
        (Program("app", "gone", None, "global", None), somebody(), "caller"),
        (Program("app", "administrator", None, "global", TODAY), somebody(), "caller"),
        (Program("app", "administrator", None, "global", date(2026, 3, 2)), somebody(), None),
    ],
)
def test_a_program_has_a_role_a_branch_a_ceiling_and_an_end(
    program: Program, after: Account, stands_in_the_way: str | None
) -> None:
    """As its file says."""
    problem = may(program, Permission.CREATE, None, after, own=None, policy=POLICY, today=TODAY)
    assert (None if problem is None else problem.field) == stands_in_the_way


def test_an_hr_source_changes_what_is_its_to_say() -> None:
    """And nothing else; deactivating is among it, resetting a password is not."""
    source = Source("payroll", frozenset({"given_name", "branch"}))

    def field(permission: Permission, after: Account) -> str | None:
        problem = may(source, permission, SOMEBODY, after, own=None, policy=POLICY, today=TODAY)
        return None if problem is None else problem.field

    assert field(CHANGE, somebody_else(given_name="Bob", branch=THERE)) is None
    assert field(CHANGE, somebody_else(profile="administrator")) == "profile"
    assert field(Permission.DEACTIVATE, somebody_else(life=Life.INACTIVE)) is None
    assert field(Permission.RESET_PASSWORD, SOMEBODY) == "caller"


SOMEBODY = somebody()


def somebody_else(**given: Any) -> Account:
    return replace(SOMEBODY, **given)


def test_a_caller_unknown_to_us_is_refused() -> None:
    """A token of somebody whose account is gone opens nothing."""
    caller: Caller = Person("nobody", "nobody")
    problem = may(caller, CHANGE, somebody(), somebody(), own=None, policy=POLICY, today=TODAY)
    assert problem is not None
