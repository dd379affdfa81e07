"""Migrations: up, down, up again, and the same tables as the code says (J4)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from sync.domain.errors import Misconfigured, Transient
from sync.store.database import revision, schema
from sync.store.database.engine import make_engine
from sync.store.database.sealing import Sealer
from sync.store.database.tables import metadata
from sync.store.database.transactions import Database


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = make_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def indexes_and_checks(url: str) -> dict[str, object]:
    """What Alembic does not compare: indexes with their conditions, and named checks, by table."""
    with connected(url) as connection:
        found = inspect(connection)
        return {
            table: (
                sorted(
                    (
                        each["name"],
                        tuple(each["column_names"]),
                        each["unique"],
                        sorted((key, str(value)) for key, value in each.get("dialect_options", {}).items()),
                    )
                    for each in found.get_indexes(table)
                ),
                sorted((each["name"], each["sqltext"]) for each in found.get_check_constraints(table)),
                found.get_pk_constraint(table)["name"],
                sorted(str(each["name"]) for each in found.get_foreign_keys(table)),
            )
            for table in sorted(metadata.tables)
        }


@pytest.mark.supports("J4")
def test_migrated_tables_are_those_of_the_code(database_url: str) -> None:
    """Alembic finds no difference between a migrated database and the tables as the code has them."""
    schema.upgrade(database_url)
    with connected(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


@pytest.mark.supports("J4")
def test_migrated_indexes_and_checks_are_those_of_the_code(database_url: str) -> None:
    """Conditions of partial indexes, checks and names agree too, on the same database engine."""
    schema.upgrade(database_url)
    migrated = indexes_and_checks(database_url)
    schema.downgrade(database_url, "base")
    with connected(database_url) as connection:
        metadata.create_all(connection)
    assert indexes_and_checks(database_url) == migrated


@pytest.mark.supports("J4")
def test_up_down_and_up_again(database_url: str) -> None:
    """Going back leaves nothing behind, and going up again works."""
    up = schema.upgrade(database_url)
    assert up.waiting == ()
    down = schema.downgrade(database_url, "base")
    assert down.current is None
    with connected(database_url) as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    assert schema.upgrade(database_url) == up


@pytest.mark.supports("J4")
def test_a_database_of_an_unreleased_version_says_how_to_go_on(database_url: str) -> None:
    """Its tables are not brought to this version: there is one line, and nothing is touched."""
    schema.upgrade(database_url)
    with connected(database_url) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0016'")
    for asked in (schema.status, schema.upgrade):
        with pytest.raises(Misconfigured, match=r"unreleased version .*start with an empty database"):
            asked(database_url)


@pytest.mark.supports("J4")
def test_two_upgrades_at_once_both_end_well(database_url: str) -> None:
    """Several processes that start at the same time may all upgrade: one does it, the others wait."""
    ends: list[object] = []

    def upgrade() -> None:
        try:
            ends.append(schema.upgrade(database_url).current)
        except Exception as error:
            ends.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(schema.UPGRADE_WAIT_SECONDS)
    assert ends == [schema.status(database_url).newest] * 3


@pytest.mark.supports("J3", "J4")
def test_a_missing_schema_says_what_to_run(database_url: str, sealer: Sealer) -> None:
    """A process that starts before the upgrade is told the command; status says what waits."""
    database = Database(database_url, sealer)
    with pytest.raises(Misconfigured, match="fsm-identity database upgrade"):
        database.check_schema()
    before = schema.status(database_url)
    assert before.current is None
    assert before.waiting[0] == "r001"
    assert before.waiting[-1] == before.newest
    schema.upgrade(database_url)
    database.check_schema()
    database.close()


@pytest.mark.supports("J4")
def test_a_start_knows_the_newest_tables_without_the_library_that_migrates(database_url: str) -> None:
    """The quick answer is that of the migrations themselves."""
    newest = schema.upgrade(database_url).newest
    with connected(database_url) as connection:
        assert revision.newest() == revision.current(connection) == newest


@pytest.mark.supports("J4")
def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    """An older program does not touch a database that a newer one has upgraded."""
    schema.upgrade(database_url)
    with connected(database_url) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'r999'")
    with pytest.raises(Misconfigured, match="newer version"):
        schema.upgrade(database_url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://host/name", "not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:////no/such/folder/file.db", "cannot be opened"),
    ],
)
@pytest.mark.supports("J3")
def test_a_wrong_database_url_is_named(url: str, message: str) -> None:
    """Each kind of wrong URL has a message that says what is wrong with it."""
    with pytest.raises(Misconfigured, match=message):
        schema.status(url)


@pytest.mark.supports("J3")
def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """A file of another kind is refused and left as it is."""
    file = tmp_path / "notes.db"
    file.write_text("these are notes, not a database\n" * 200)
    with pytest.raises(Misconfigured, match="cannot be used"):
        schema.upgrade(f"sqlite:///{file}")
    assert file.read_text().startswith("these are notes")


@pytest.mark.supports("H2")
def test_an_unreachable_server_is_worth_another_try() -> None:
    """Nobody listens: that passes, so it is Transient; the password is not in the message."""
    with pytest.raises(Transient) as caught:
        schema.status("postgresql://fsm:hush-hush@127.0.0.1:1/fsm")
    assert "our database" in str(caught.value)
    assert "hush-hush" not in str(caught.value)


@pytest.mark.postgres
@pytest.mark.supports("H2", "J3")
def test_a_refused_password_is_a_matter_of_settings(postgres_url: str) -> None:
    """Wrong credentials do not pass by themselves: Misconfigured, naming the setting."""
    wrong = postgres_url.replace("postgres:", "nobody:", 1).replace("//fsm", "//nobody", 1)
    assert wrong != postgres_url
    with pytest.raises(Misconfigured, match="FSM_DATABASE_URL"):
        schema.status(wrong)
