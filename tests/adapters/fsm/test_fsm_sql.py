"""What the SQL adapter does when the FSM database is away, is another one, or refuses us."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from examples import BUSY_TECHNICIAN, FREE_TECHNICIAN
from examples import fsm_database as example
from mappings import Policy, load
from mappings.field_service import FieldServiceSchema
from sync.adapters.fsm.sql import SqlFieldService
from sync.domain.errors import Failure, FailureCode, Misconfigured, NeedsPerson, Transient
from sync.ports.lease import kept


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The example database, through the FSM system's own connection."""
    example.create(database_url)
    engine = example.engine_for(database_url)
    yield engine
    engine.dispose()


def adapter(url: str, policy: Policy, schema: FieldServiceSchema | None = None) -> SqlFieldService:
    return SqlFieldService(url, schema or policy.field_service, policy.work_orders)


def failure(fsm: SqlFieldService) -> Failure:
    with pytest.raises(Failure) as caught:
        fsm.open_work_orders(BUSY_TECHNICIAN)
    return caught.value


def test_the_example_database_is_the_one_that_is_configured(
    engine: Engine, database_url: str, policy: Policy
) -> None:
    """Every table and column of the shipped field_service.toml is there."""
    fsm = adapter(database_url, policy)
    fsm.check()
    assert fsm.technician(FREE_TECHNICIAN) is not None


@pytest.mark.parametrize("wrong", ["table", "column"])
def test_a_missing_table_or_column_is_named_at_start(
    engine: Engine, database_url: str, policy: Policy, wrong: str
) -> None:
    """The message says which name does not fit and in which file it stands."""
    names = policy.field_service.appointments
    other = (
        replace(names, table="visit")
        if wrong == "table"
        else replace(names, columns={**names.columns, "starts_at": "visit"})
    )
    with pytest.raises(Misconfigured, match=r"does not fit field_service\.toml: .*visit"):
        adapter(database_url, policy, replace(policy.field_service, appointments=other)).check()


def test_other_names_and_a_schema_are_spoken_to(engine: Engine, database_url: str, policy: Policy) -> None:
    """The FSM database's names are its own."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE technician RENAME COLUMN assignable TO bookable"))
        connection.execute(text("ALTER TABLE technician RENAME TO resource"))
    names = policy.field_service.technicians
    schema = "main" if engine.dialect.name == "sqlite" else "public"
    renamed = replace(names, table=f"{schema}.resource", columns={**names.columns, "assignable": "bookable"})
    fsm = adapter(database_url, policy, replace(policy.field_service, technicians=renamed))
    fsm.check()
    fsm.stop_assignments(FREE_TECHNICIAN, "stop-1")
    technician = fsm.technician(FREE_TECHNICIAN)
    assert technician is not None
    assert not technician.assignable


@pytest.mark.supports("D1", "D2")
def test_a_date_that_is_none_hides_no_work_order(tmp_path: Path, policy: Policy) -> None:
    """SQLite keeps any text as a date; the gate must still see the work order."""
    url = f"sqlite:///{tmp_path / 'fsm.db'}"
    example.create(url)
    before = adapter(url, policy).open_work_orders(BUSY_TECHNICIAN)
    with example.engine_for(url).begin() as connection:
        connection.execute(text("UPDATE work_order SET due_on = 'next week'"))
    after = adapter(url, policy).open_work_orders(BUSY_TECHNICIAN)
    assert [order.number for order in after] == [order.number for order in before]
    assert {order.date for order in after} == {None}


@pytest.mark.supports("D2")
def test_a_missing_sqlite_file_is_an_error_and_is_not_created(tmp_path: Path, policy: Policy) -> None:
    """An empty database in its place would say that nobody has open work."""
    file = tmp_path / "fsm.db"
    missing = failure(adapter(f"sqlite:///{file}", policy))
    assert isinstance(missing, Transient)
    assert missing.cause == "unreachable fsm"
    assert str(file) in str(missing)
    assert not file.exists()


@pytest.mark.supports("D2")
def test_a_server_that_is_away_is_tried_again(policy: Policy) -> None:
    """The message names the database and not the password."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    away = failure(adapter(f"postgresql://reader:s3cret@127.0.0.1:{port}/workforce?application_name=x", policy))
    assert isinstance(away, Transient)
    assert away.cause == "unreachable fsm"
    assert f"the FSM database workforce at 127.0.0.1:{port} cannot be asked just now" in str(away)
    assert "s3cret" not in str(away)


@pytest.mark.supports("D2")
@pytest.mark.timeout(30)
def test_a_server_that_never_answers_is_given_up(policy: Policy) -> None:
    """Something listens and says nothing: five seconds, not for ever."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert isinstance(failure(adapter(f"postgresql://127.0.0.1:{port}/workforce", policy)), Transient)


@pytest.mark.postgres
def test_a_refused_login_is_configuration(postgres_url: str, policy: Policy) -> None:
    """Trying again would not help."""
    refused = failure(adapter(make_url(postgres_url).set(password="wr0ng").render_as_string(False), policy))
    assert isinstance(refused, Misconfigured)
    assert refused.cause == "access-refused fsm"
    assert "FSM_FIELD_SERVICE_URL" in str(refused)
    assert "wr0ng" not in str(refused)


@pytest.mark.postgres
@pytest.mark.supports("D2")
def test_a_lock_that_is_not_freed_is_given_up(
    engine_on_postgres: Engine, postgres_url: str, policy: Policy
) -> None:
    """Somebody else holds the technician: five seconds, then later again."""
    fsm = adapter(postgres_url, policy)
    with (
        example.assignable_technician(engine_on_postgres, FREE_TECHNICIAN),
        pytest.raises(Transient, match="cannot be asked just now"),
    ):
        fsm.stop_assignments(FREE_TECHNICIAN, "stop-1")


@pytest.fixture
def engine_on_postgres(postgres_url: str) -> Iterator[Engine]:
    example.create(postgres_url)
    engine = example.engine_for(postgres_url)
    yield engine
    engine.dispose()


def test_a_file_that_is_no_database_is_configuration(tmp_path: Path, policy: Policy) -> None:
    """Trying again would not help."""
    file = tmp_path / "fsm.db"
    file.write_bytes(b"no database at all" * 100)
    broken = failure(adapter(f"sqlite:///{file}", policy))
    assert isinstance(broken, Misconfigured)
    assert broken.cause == "setting-wrong fsm"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("s3cret", "not a database URL"),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:///:memory:", "SQLite needs a file"),
        ("mysql://reader:s3cret@example.com/fsm", "mysql is not supported"),
        ("nosuch://reader:s3cret@example.com/fsm", "nosuch is not supported"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_at_start(policy: Policy, url: str, what: str) -> None:
    """By the setting's name, without the URL: it may hold a password."""
    with pytest.raises(Misconfigured, match=what) as caught:
        adapter(url, policy)
    assert "FSM_FIELD_SERVICE_URL" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.supports("D5")
def test_a_reassignment_that_fails_half_way_moves_nothing(
    engine: Engine, database_url: str, policy: Policy
) -> None:
    """The FSM database refuses the crew place: the lead that was moved before it is moved back."""
    with engine.begin() as connection:
        refuse_in_crew(connection.dialect.name, connection)
    fsm = adapter(database_url, policy)
    before = fsm.open_work_orders(BUSY_TECHNICIAN)
    with pytest.raises(NeedsPerson, match="refuses the change"):
        fsm.reassign(BUSY_TECHNICIAN, FREE_TECHNICIAN)
    assert fsm.open_work_orders(BUSY_TECHNICIAN) == before
    assert fsm.open_work_orders(FREE_TECHNICIAN) == ()


@pytest.mark.supports("D5", "H1")
def test_a_reassignment_whose_lease_is_lost_on_the_way_moves_nothing(
    engine: Engine, database_url: str, policy: Policy
) -> None:
    """It took longer than the lease lasts: whoever has the work orders by then moves them."""
    fsm = adapter(database_url, policy)
    before = fsm.open_work_orders(BUSY_TECHNICIAN)
    lost = Transient("the lease was lost", code=FailureCode.LEASE_LOST)
    asked: list[int] = []

    def keep() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise lost

    with pytest.raises(Transient) as raised, kept(keep):
        fsm.reassign(BUSY_TECHNICIAN, FREE_TECHNICIAN)
    assert raised.value is lost
    assert fsm.open_work_orders(BUSY_TECHNICIAN) == before


def refuse_in_crew(dialect: str, connection: object) -> None:
    """A rule of the FSM system's own: this technician works in no crew."""
    execute = connection.exec_driver_sql  # type: ignore[attr-defined]
    if dialect == "sqlite":
        execute(
            "CREATE TRIGGER no_crew BEFORE UPDATE ON work_order_crew "
            f"WHEN new.technician = '{FREE_TECHNICIAN}' BEGIN SELECT RAISE(ABORT, 'no crew'); END"
        )
    else:
        execute(
            "ALTER TABLE work_order_crew ADD CONSTRAINT no_crew "
            f"CHECK (technician <> '{FREE_TECHNICIAN}') NOT VALID"
        )


def test_a_forked_child_connects_by_itself(engine: Engine, database_url: str, policy: Policy) -> None:
    """Both sides go on working after a fork of a process that is connected."""
    fsm = adapter(database_url, policy)
    expected = fsm.open_work_orders(BUSY_TECHNICIAN)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answers = [fsm.open_work_orders(BUSY_TECHNICIAN) == expected for _ in range(3)]
        os.write(writing, b"same" if all(answers) else b"other")
        os._exit(0)
    os.close(writing)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(reading, 10) == b"same"
    os.close(reading)
    assert fsm.open_work_orders(BUSY_TECHNICIAN) == expected
