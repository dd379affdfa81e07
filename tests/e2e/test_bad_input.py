"""Whatever is wrong, a person gets a clear message and exit code 1, and nothing is half done: not in our database
and not in Keycloak."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sync.devstack.ports import free_ports
from sync.domain.accounts.account import Life
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.store.database.tables import account, run
from sync.store.runs import runs
from tests.chaos.worker_processes import Workers
from tests.commands.imports.import_sites import person, staff_file
from tests.e2e.command_line import CommandLine
from tests.e2e.place import Place
from tests.waiting import wait_until

pytestmark = [pytest.mark.keycloak, pytest.mark.stack]

SOON = 12.0
"""Seconds, the start of a process on a busy machine included; a wake gives up after four."""

DOUBLES = {6: "'pat1@example.com' is also in D3", 7: "'00001' is also in A3", 8: "belongs to"}
"""Row of the file to what is said of it."""

WHY = ("--reason", "as the ticket says")
NEW = ("account", "create", "--given-name", "Neo", "--no-wait", *WHY)


def stored(place: Place) -> tuple[int, int, int]:
    """How many accounts and imports our database holds, and how many users Keycloak."""
    with place.systems.db.read() as tx:
        ours = [tx.connection.scalar(select(func.count()).select_from(table)) or 0 for table in (account, run)]
    return ours[0], ours[1], int(place.realm.get("users/count"))


def staff(shell: CommandLine, *people: dict[str, str], name: str = "staff.csv") -> str:
    (shell.folder / name).write_bytes(staff_file(*people))
    return name


@pytest.mark.req("A2")
@pytest.mark.supports("A3", "B1")
def test_a_wrong_new_account_is_refused_with_every_reason(shell: CommandLine, place: Place) -> None:
    """Unknown keys with the nearest, and what another account has already; all of it at once."""
    place.join(place.free_technician())
    [here] = [row["username"] for row in shell.json("account", "list")]
    before = stored(place)
    names = ("--family-name", "Neu", "--email", "neu@example.com")
    said = shell.run(*NEW, *names, "--profile", "dispatchr", "--branch", "hamburk")
    said.refused("'dispatchr' is unknown (did you mean 'Dispatcher'?)", "(did you mean 'Hamburg'?)")
    known = ("--profile", "dispatcher", "--branch", "hamburg")
    taken = shell.run(*NEW, *known, "--family-name", "Neu", "--email", here.upper())
    taken.refused("username", here, "belongs to the account")
    number = here.partition("@")[0]
    double = shell.run(*NEW, *known, *names, "--employee-number", number)
    double.refused("employee_number", "belongs to the account", here)
    assert stored(place) == before


@pytest.mark.req("A2", "F2", "F5")
def test_wrong_rows_are_named_and_all_or_nothing_does_nothing(shell: CommandLine, place: Place) -> None:
    """Unknown names, and doubles in the file and against the database, each with its cell and remedy."""
    technician = place.free_technician()
    known, _ = place.join(technician)
    accounts, _, users = stored(place)
    rows = (
        person(1),
        person(2, Profil="Dispatchr"),
        person(3, Niederlassung="Hamburk"),
        person(4, **{"E-Mail": "pat1@example.com"}),
        person(5, **{"Personalnr.": "00001"}),
        person(6, **{"E-Mail": known.email}),
    )
    said = shell.run("import", "review", staff(shell, *rows), "--all-or-nothing")
    assert said.code == 1
    told = (
        "E4: 'Dispatchr' is unknown (did you mean 'Dispatcher'?)",
        "F5: 'Hamburk' is unknown (did you mean 'Hamburg'?)",
    )
    assert [each for each in told if each not in said.out] == []
    reviewed = shell.json("import", "show", "last")
    wrong = {row["number"]: str(row["errors"]) for row in reviewed["rows"] if row["verdict"] == "error"}
    assert set(wrong) == {4, 5, 6, 7, 8}
    assert [word for number, word in DOUBLES.items() if word not in wrong[number]] == []
    assert known.username in wrong[8]
    shell.run("import", "confirm", "last", "--yes").refused("all or nothing was asked for", "mend them")
    assert (stored(place)[0], stored(place)[2]) == (accounts, users)


@pytest.mark.req("F1", "F8")
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("no-email.csv", b"Vorname;Nachname;Profil;Niederlassung\nPat;Eins;Dispatcher;Hamburg\n", ("email",)),
        ("photo.xlsx", b"\x89PNG\r\n\x1a\n\x00\x00", ("not a spreadsheet",)),
        ("empty.xlsx", b"", ("empty",)),
    ],
)
def test_a_file_that_cannot_be_read_leaves_nothing(
    shell: CommandLine, place: Place, name: str, content: bytes, words: tuple[str, ...]
) -> None:
    """A missing required column is named; what is no spreadsheet is called what it is."""
    (shell.folder / name).write_bytes(content)
    before = stored(place)
    shell.run("import", "review", name).refused(*words)
    assert stored(place) == before


@pytest.mark.req("J3")
@pytest.mark.supports("C8")
def test_keycloak_that_does_not_answer_is_named(shell: CommandLine, place: Place) -> None:
    """With its address; nobody's password is printed."""
    [port] = free_ports(1)
    away = {"FSM_KEYCLOAK__URL": f"http://127.0.0.1:{port}"}
    shell.run("realm", "plan", **away).refused(
        f"Keycloak at http://127.0.0.1:{port}", "not reachable", "try again"
    )
    admin = {"FSM_BOOTSTRAP_ADMIN_USERNAME": "admin", "FSM_BOOTSTRAP_ADMIN_PASSWORD": "of-nobody"}
    said = shell.run("realm", "bootstrap", **away, **admin)
    said.refused("not reachable")
    assert "of-nobody" not in said.out + said.err


@pytest.mark.req("H2")
@pytest.mark.supports("J3")
def test_a_worker_says_why_it_cannot_work(shell: CommandLine, place: Place, tmp_path: Path) -> None:
    """One line in its log; the account waits, and who asked for it is told that it does."""
    [port] = free_ports(1)
    settings = {"FSM_SETTINGS": str(shell.settings), "FSM_KEYCLOAK__URL": f"http://127.0.0.1:{port}"}
    workers = Workers(tmp_path, settings)
    worker = workers.start("lost", "interactive")
    try:
        wait_until(lambda: "ready" in worker.log.read_text(), 30, "the worker does not start")
        known = ("--profile", "dispatcher", "--branch", "hamburg", "--given-name", "Neo", "--family-name", "Wait")
        users = stored(place)[2]
        said = shell.run("account", "create", "--email", "wa@example.com", "--timeout", "3", *known, *WHY)
        said.refused("is stored, but after 3 s not in Keycloak", "it goes on alone")
        wait_until(lambda: "not reachable" in worker.log.read_text(), 10, "the worker does not say why")
        assert "Traceback" not in worker.log.read_text()
        assert stored(place)[2] == users
    finally:
        workers.end()
    place.work()
    assert len(place.realm.get("users", username="wa@example.com", exact=True)) == 1


@pytest.mark.req("J3")
@pytest.mark.supports("C8")
def test_wrong_credentials_name_client_and_setting(shell: CommandLine, place: Place) -> None:
    """Which client, in which realm, and which setting holds its secret; no secret is shown."""
    before = stored(place)
    said = shell.run("realm", "plan", FSM_KEYCLOAK__CONFIGURE_SECRET="not-the-secret")
    said.refused("fsm-configure", place.realm.realm, "FSM_KEYCLOAK__CONFIGURE_SECRET")
    someone, _ = place.join(place.free_technician())
    door = shell.run("account", "show", someone.email, FSM_KEYCLOAK__WORKER_SECRET="not-the-secret")
    assert door.code == 0, "a door asks Keycloak for nothing"
    missing = shell.run("realm", "plan", FSM_KEYCLOAK__REALM="no-such-realm")
    missing.refused("no realm 'no-such-realm'", "FSM_KEYCLOAK__REALM")
    for each in (said, door, missing):
        assert "not-the-secret" not in each.out + each.err
        assert place.realm.secrets["fsm-configure"] not in each.out + each.err
    assert stored(place)[0] == before[0] + 1


@pytest.mark.req("D2", "J3")
def test_no_fsm_database_no_deactivation(shell: CommandLine, place: Place) -> None:
    """Neither refuse nor force goes through; the message says which database, and the account stays as it is."""
    person_at_work, _ = place.join(place.free_technician())
    away = {"FSM_FIELD_SERVICE_URL": f"sqlite:///{shell.folder / 'gone.db'}"}
    for policy in ("refuse", "force"):
        leave = ("account", "deactivate", person_at_work.email, "--policy", policy, "--yes", *WHY)
        shell.run(*leave, **away).refused("the FSM database", "gone.db", "cannot be asked", "try again")
    assert not (shell.folder / "gone.db").exists()
    place.work()
    assert place.account(person_at_work).life is Life.ACTIVE
    assert place.user(person_at_work).enabled
    shell.run("work-orders", "list", "T-0001", FSM_FIELD_SERVICE_URL="nonsense").refused("FSM_FIELD_SERVICE_URL")


@pytest.mark.req("F3", "F4")
def test_of_two_confirmations_at_once_one_wins(shell: CommandLine, place: Place) -> None:
    """The same import twice, and another import of the same people: each person is created once."""
    people = [person(number) for number in range(601, 641)]
    shell.done("import", "review", staff(shell, *people), "--no-welcome-mail")
    shell.done("import", "review", staff(shell, *people[:20], name="half.csv"), "--no-welcome-mail")
    reviewed = [each.id for each in place.read(lambda tx: runs.recent(tx, 2))]
    _, _, users = stored(place)
    racing = [shell.start("import", "confirm", each, "--yes", "--no-wait") for each in (*reviewed, *reviewed)]
    ended = [(*process.communicate(timeout=60), process.returncode) for process in racing]
    assert sorted(code for _, _, code in ended) == [0, 1, 1, 1]
    for _, err, code in ended:
        if code:
            assert "was confirmed by" in err or "of the same people" in err
            assert "Traceback" not in err
    [confirmed] = [each for each in place.read(lambda tx: runs.recent(tx, 2)) if each.state != "reviewed"]
    while apply_chunk(place.systems) + provision_some(place.systems, Lane.BULK):
        pass
    assert stored(place)[2] - users == confirmed.counts["create"]


@pytest.fixture(params=["nobody listens", "nobody answers"])
def dead_redis(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a Redis that refuses connections, or accepts them and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if request.param == "nobody answers" else free_ports(1)[0]
        yield f"redis://:redis-password@127.0.0.1:{port}/0"


@pytest.mark.req("H1")
@pytest.mark.supports("J3")
def test_without_redis_a_change_is_stored_soon_and_carried_out_later(
    shell: CommandLine, place: Place, dead_redis: str
) -> None:
    """It says so within seconds; what is printed for programs stays JSON; the sweep needs no wake."""
    leaver, taker = place.free_technician(), place.free_technician()
    here, _ = place.join(leaver)
    place.join(taker)
    place.give_work(leaver)
    away = {"FSM_REDIS_URL": dead_redis}
    said = shell.run("account", "change", here.email, "--given-name", "Kit", "--no-wait", *WHY, **away)
    assert said.code == 0, said
    assert "the change is stored" in said.out
    assert "workers could not be woken" in said.err
    assert "redis-password" not in said.out + said.err
    assert said.seconds < SOON
    moved = shell.run("work-orders", "reassign", leaver, "--to", taker, "--json", "--no-wait", *WHY, **away)
    assert json.loads(moved.out)["state"] == "waiting"
    place.work()
    assert len(place.systems.field_service.open_work_orders(taker)) == 1
    assert place.realm.get(f"users/{here.idp_user_id}")["firstName"] == "Kit"


@pytest.mark.req("J3")
def test_settings_are_named(shell: CommandLine, place: Place, tmp_path: Path) -> None:
    """What is missing, which file is none, what cannot be read: one line each, no value."""
    bare = CommandLine(tmp_path, tmp_path / "settings.toml")
    missing = bare.run("account", "list", FSM_SETTINGS="")
    missing.refused(
        "FSM_DATABASE_URL", "FSM_REDIS_URL", "FSM_FIELD_SERVICE_URL", "FSM_SECRET_KEYS", "FSM_KEYCLOAK__URL"
    )
    bare.run("account", "list").refused("FSM_SETTINGS", "settings.toml", "is not a file")
    bare.settings.write_text('secret_keys = "hush\n')
    broken = bare.run("account", "list")
    broken.refused("settings.toml", "line 1")
    assert "hush" not in broken.err
    shell.run("account", "list", FSM_SECRET_KEYS="short").refused("FSM_SECRET_KEYS", "not a Fernet key")
    before = stored(place)
    known = (
        "--family-name",
        "Neu",
        "--email",
        "neu@example.com",
        "--profile",
        "dispatcher",
        "--branch",
        "hamburg",
    )
    wrong = shell.run(*NEW, *known, FSM_REDIS_URL="redis://:hush@127.0.0.1:x/0")
    wrong.refused("FSM_REDIS_URL")
    assert "hush" not in wrong.err + wrong.out
    assert stored(place) == before
