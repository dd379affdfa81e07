"""Columns of a company's own attributes in a staff file: reviewed with what differs, applied, taken away."""

from __future__ import annotations

import pytest

from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, Review, review
from sync.jobs.run_kinds import apply_chunk
from sync.spreadsheet.reading import read_sheet
from sync.spreadsheet.template import languages, template
from sync.store.accounts import accounts
from tests.world import BY, World

TITLES = "E-Mail;Vorname;Nachname;Profil;Niederlassung;Kostenstelle;Vehicle;First aider"


def reviewed(world: World, *rows: str) -> Review:
    content = "\n".join([TITLES, *rows]).encode()
    return review(world.systems, content, "staff.csv", BY, ImportOptions(welcome_mail=False))


def applied(world: World, *rows: str) -> None:
    confirm(world.systems, reviewed(world, *rows).run.id, BY)
    while apply_chunk(world.systems):
        pass


def attributes(world: World, email: str) -> dict[str, str]:
    account = world.read(lambda tx: accounts.by_login(tx, email))
    assert account is not None
    return dict(account.attributes)


@pytest.mark.supports("A10", "F1", "F2")
def test_columns_are_found_by_title_and_alias_and_applied_as_reviewed(at_work: World) -> None:
    """A joiner gets the values; the next file shows what differs, and a dash takes a value away."""
    applied(at_work, "jo@example.com;Jo;Lind;Dispatcher;Hamburg;4711;Transporter;ja")
    assert attributes(at_work, "jo@example.com") == {"cost_centre": "4711", "vehicle": "van", "first_aider": "yes"}

    again = "jo@example.com;Jo;Lind;Dispatcher;Hamburg;4712;-;"
    (row,) = reviewed(at_work, again).rows
    assert row.verdict == "update"
    assert row.changes == {"change": {"cost_centre": ["4711", "4712"], "vehicle": ["van", None]}}
    applied(at_work, again)
    assert attributes(at_work, "jo@example.com") == {"cost_centre": "4712", "first_aider": "yes"}
    (row,) = reviewed(at_work, again).rows
    assert row.verdict == "unchanged"


@pytest.mark.supports("A10", "F2")
def test_a_value_that_is_none_names_cell_and_remedy(at_work: World) -> None:
    """Beside whatever else is wrong in the row."""
    (row,) = reviewed(at_work, "jo@example.com;Jo;Lind;Dispatcher;Hamburg;4711;Vann;perhaps").rows
    assert row.verdict == "error"
    found = [(each["address"], each["reason"], each["remedy"]) for each in row.messages["errors"]]
    assert found == [
        ("G2", "'Vann' is unknown", "did you mean 'Van'?"),
        ("H2", "'perhaps' is neither yes nor no", "write yes or no"),
    ]


@pytest.mark.supports("A10", "F1")
def test_the_template_has_the_columns(at_work: World) -> None:
    """In each language."""
    policy = at_work.systems.policy
    assert languages(policy) == ("de", "en", "es", "fr")
    staff = read_sheet(template(policy, "de"))
    titles = [cell.text for cell in staff.rows[0].cells.values()]
    assert titles[-5:] == ["Cost centre", "Desk height", "Vehicle", "Hired on", "First aider"]
