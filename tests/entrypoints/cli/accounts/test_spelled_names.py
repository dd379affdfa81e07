"""Names as people type and paste them: one form is kept, and what nobody sees is refused (A2)."""

from __future__ import annotations

import pytest
from click.testing import Result

from tests.entrypoints.cli.conftest import Run, done, told

pytestmark = pytest.mark.req("A2", "I3")

JO = {
    "email": "jo@example.com",
    "given-name": "Jo",
    "family-name": "Lind",
    "profile": "dispatcher",
    "branch": "berlin",
    "reason": "joins",
}


def create(run: Run, **changed: str) -> Result:
    given = JO | {name.replace("_", "-"): text for name, text in changed.items()}
    return run("create", *(part for name, text in given.items() for part in (f"--{name}", text)), "--no-wait")


@pytest.mark.parametrize(
    ("field", "text", "named"),
    [
        ("family_name", "Li\u200bnd", "U+200B"),
        ("given_name", "Jo\u00ad", "U+00AD"),
        ("given_name", "\u202eoJ", "U+202E"),
        ("username", "jo\u200blind", "U+200B"),
        ("email", "jo\u2060@example.com", "U+2060"),
        ("employee_number", "00\u200b42", "U+200B"),
        ("family_name", "Li\x1b[31mnd", "U+001B"),
        ("family_name", "Li\udcffnd", "U+DCFF"),
    ],
)
def test_what_nobody_sees_in_a_name_is_refused_and_named(run: Run, field: str, text: str, named: str) -> None:
    """Once for the field, with the character; the terminal gets none of it."""
    said = create(run, **{field: text})
    assert said.exit_code == 1, said.output
    about = [line for line in said.output.splitlines() if line.startswith(f"✗ {field}: ")]
    assert about == [f"✗ {field}: has a character that cannot be seen: {named} (type it again)"]
    assert text not in said.output
    assert told(run, "list") == []


def test_a_name_that_is_composed_otherwise_is_the_same_name(run: Run) -> None:
    """What a Mac pastes is what a keyboard types: found by it, and no change."""
    done(create(run, username="zo\u00eb", given_name="Zoe\u0308", family_name=" Van  Lind"))
    account = told(run, "show", "zoe\u0308")["account"]
    assert (account["given_name"], account["family_name"]) == ("Zo\u00eb", "Van Lind")
    said = done(run("change", "zoë", "--given-name", "Zoe\u0308", "--reason", "again", "--no-wait"))
    assert "is like that already" in said
