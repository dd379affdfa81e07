"""Tables are read at any width and in any pipe: no word is broken, and a record is a line for programs (I3)."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.entrypoints.cli.terminal.output import print_table, say, screen, stop, warn
from sync.entrypoints.cli.terminal.tables import display_width, table
from tests.entrypoints.cli.conftest import Terminal

pytestmark = pytest.mark.supports("H3", "I3")

COLUMNS = ["username", "name", "branch", "status"]
ROWS = [
    ["annegret.musterfrau@hamburg.example.com", "Annegret Musterfrau", "hamburg", "active"],
    ["bo@example.com", "Bo [Meister] Berg", "köln", "pending: not in Keycloak yet\nheld by 2 open work orders"],
]

texts = st.text(st.characters(categories=["L", "N", "P", "Zs"], include_characters="\n"), max_size=40)
tables = st.integers(1, 5).flatmap(
    lambda columns: st.lists(st.lists(texts, min_size=columns, max_size=columns), min_size=1, max_size=4)
)


def test_in_a_pipe_a_record_is_a_line() -> None:
    """Whole, however long: a search for an address finds it with all that belongs to it."""
    laid = table(COLUMNS, ROWS, None)
    assert len(laid.lines) == 1 + len(ROWS)
    assert all(text in laid.lines[1] for text in ROWS[0])
    assert "pending: not in Keycloak yet; held by 2 open work orders" in laid.lines[2]


@pytest.mark.parametrize("width", [200, 120, 100, 80, 60])
def test_a_narrow_terminal_breaks_no_word(width: int) -> None:
    """Cells go on at blanks, then columns are left out and named."""
    laid = table(COLUMNS, ROWS, width, least=("branch", "name"))
    said = "\n".join(laid.lines)
    assert max(map(display_width, laid.lines)) <= width
    assert ROWS[0][0] in said
    assert laid.left_out == (("branch", "name") if width == 60 else ())


def test_where_no_table_fits_a_record_is_told_field_by_field() -> None:
    """Nothing is left out then."""
    laid = table(COLUMNS, ROWS, 40, least=("branch",))
    assert laid.left_out == ()
    assert f"username  {ROWS[0][0]}" in laid.lines
    assert "          held by 2 open work orders" in laid.lines


@given(rows=tables, width=st.one_of(st.none(), st.integers(1, 120)))
def test_every_word_is_there_unbroken(rows: list[list[str]], width: int | None) -> None:
    """Whatever is in the cells, and however wide the terminal is."""
    laid = table([f"c{number}" for number in range(len(rows[0]))], rows, width)
    said = " ".join(laid.lines)
    for row in rows:
        for text in row:
            assert all(word in said for word in text.split())
    if laid.titled and width is not None:
        assert all(display_width(line) <= width for line in laid.lines)
    if width is None:
        assert len(laid.lines) == 1 + len(rows)


def test_a_pipe_has_no_width() -> None:
    """Whatever COLUMNS says of the terminal behind it; standard error may be one all the same."""
    ours, theirs = os.openpty()
    asked = "from sync.entrypoints.cli.terminal.output import errors, screen; print(screen.width, errors.width)"
    run = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "COLUMNS": "70"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        check=True,
    )
    os.close(theirs)
    os.close(ours)
    assert run.stdout == "None 70\n"


def test_letters_that_are_two_columns_wide_stay_in_line() -> None:
    """Or none wide, as an accent of its own."""
    laid = table(["who", "what"], [["李小龍", "x"], ["e\u0301", "y"], ["abc", "z"]], None)
    assert [display_width(line) for line in laid.lines[1:]] == [9, 9, 9]


def test_what_is_left_out_on_a_terminal_is_said(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the answer."""
    terminal(60)
    print_table(COLUMNS, ROWS, least=("branch", "name"))
    said = capsys.readouterr()
    assert "no room for branch, name" in said.err
    assert "branch" not in said.out


@pytest.mark.parametrize("name", ["[bold]Jo[/bold] Lind", "[/]", "Plan [neu].xlsx", r"a\[b]", ":smile:", "[red"])
def test_brackets_are_shown_as_they_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In tables, their titles, and every kind of line."""
    print_table(["who"], [[name]], title=f"Of {name}")
    say(name)
    warn(name)
    screen.line(name, bold=True)
    with pytest.raises(Exception), screen.status(name):  # noqa: B017 - typer leaves by an exception
        stop(name)
    said = capsys.readouterr()
    assert said.out.count(name) == 4
    assert said.err.count(name) == 2


def test_what_a_terminal_would_obey_is_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    """In tables, their titles, and every kind of line: what turns the line around, jumps back, or colours it."""
    name, spelled = "\u202eonrA\r\x1b[31m", "<U+202E>onrA<U+000D><U+001B>[31m"
    print_table(["who"], [[name]], title=f"Of {name}")
    say(name)
    warn(name)
    screen.line(name, bold=True)
    with pytest.raises(Exception), screen.status(name):  # noqa: B017 - typer leaves by an exception
        stop(name)
    said = capsys.readouterr()
    assert said.out.count(spelled) == 4
    assert said.err.count(spelled) == 2


def test_csv_has_every_column_and_one_line_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    """As other programs read it; no text becomes a formula in a spreadsheet, and what is not there is empty."""
    print_table(["who", "what", "when"], [['Jo "Q"; Lind', "a\nb", None], ["=1+1", "-", ""]], as_csv=True)
    read = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert read == [["who", "what", "when"], ['Jo "Q"; Lind', "a; b", ""], ["'=1+1", "-", ""]]


def test_no_module_of_the_command_line_writes_markup() -> None:
    """A text that is markup is wrong for a name with brackets in it."""
    folder = Path(__file__).parents[3] / "sync" / "entrypoints" / "cli"
    assert not [path for path in folder.rglob("*.py") if "[/" in path.read_text(encoding="utf-8")]
