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
        ("family_name", "Li\x1bnd", "U+001B"),
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


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"username": "\u0430nn"}, ["username: has what Keycloak refuses in usernames: U+0430 CYRILLIC SMALL"]),
        ({"username": "\u03b1nna"}, ["U+03B1 GREEK SMALL LETTER ALPHA"]),
        ({"username": "\u0130nan"}, ["U+0307 COMBINING DOT ABOVE"]),
        (
            {"email": "o'neil@example.com"},
            ["username: has what Keycloak refuses in usernames: ' (it is the e-mail address: give the account a"],
        ),
        ({"email": f"jo@{'a' * 64}.example"}, ["email: the part", "has 64 characters (at most 63 are a domain)"]),
        ({"email": "jo@m\u00fcller.example"}, ["is not in its ASCII form", "as jo@xn--mller-kva.example)"]),
        ({"email": "jo@stra\u00dfe.example"}, ["write the address as jo@xn--strae-oqa.example"]),
        ({"email": "j\u00f6rg@example.com"}, ["email: has before the @ what few mail servers take: U+00F6"]),
        (
            {"family_name": "x" * 300},
            ["family_name: is longer than 255 characters: it has 300 (write it shorter)"],
        ),
        ({"given_name": "\U00020bb7" * 200}, ["given_name: is longer than 255 characters: it has 400"]),
    ],
)
def test_what_keycloak_would_refuse_is_refused_at_the_door(
    run: Run, given: dict[str, str], told: list[str]
) -> None:
    """In one line with the real cause, for one field: nobody finds the account in quarantine afterwards."""
    said = create(run, **given)
    lines = [line for line in said.output.splitlines() if line.startswith("✗")]
    assert (said.exit_code, len(lines)) == (1, 1), said.output
    assert all(each in lines[0] for each in told), lines


def test_a_name_that_is_composed_otherwise_is_the_same_name(run: Run) -> None:
    """What a Mac pastes is what a keyboard types: found by it, and no change."""
    done(create(run, username="zo\u00eb", given_name="Zoe\u0308", family_name=" Van  Lind"))
    account = told(run, "show", "zoe\u0308")["account"]
    assert (account["given_name"], account["family_name"]) == ("Zo\u00eb", "Van Lind")
    said = done(run("change", "zoë", "--given-name", "Zoe\u0308", "--reason", "again", "--no-wait"))
    assert "is like that already" in said
