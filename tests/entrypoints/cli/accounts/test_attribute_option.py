"""`--attribute`: what a company keeps of its people beside what every account has (A1, A10)."""

from __future__ import annotations

import pytest

from tests.entrypoints.cli.conftest import Run, done, told
from tests.world import World

pytestmark = [pytest.mark.req("A10", "I3"), pytest.mark.supports("A1")]

JO = ("--email", "jo@example.com", "--given-name", "Jo", "--family-name", "Lind", "--profile", "dispatcher")
WHY = ("--branch", "berlin", "--reason", "joins", "--no-wait")


def create(run: Run, *attributes: str) -> str:
    return done(run("create", *JO, *WHY, *(part for each in attributes for part in ("--attribute", each))))


def people_with(run: Run, attribute: str) -> list[str]:
    return [each["username"] for each in told(run, "list", "--attribute", attribute)]


def test_an_account_is_made_found_and_changed_by_what_the_company_keeps(at_work: World, run: Run) -> None:
    """In the spelling of the company; an empty value takes it away."""
    create(run, "cost_centre=4711", "vehicle=Transporter")
    assert people_with(run, "cost_centre=4711") == people_with(run, "vehicle=Van") == ["jo@example.com"]
    assert people_with(run, "cost_centre=0815") == []
    done(run("change", "jo@example.com", "--attribute", "cost_centre=", "--reason", "moved", "--no-wait"))
    assert people_with(run, "cost_centre=4711") == []
    shown = told(run, "show", "jo@example.com")["account"]
    assert shown["attributes"] == {"vehicle": "van"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("shoe_size=44", "shoe_size: is no attribute of an account"),
        ("cost_centre", "'cost_centre' is not KEY=VALUE"),
        ("desk_height=high", "desk_height"),
        ("vehicle=bus", "vehicle"),
        ("valid_from=31/01/2027", "valid_from: '31/01/2027' is not a date"),
        ("valid_until=2020-01-31", "valid_until: 2020-01-31 is over"),
    ],
)
def test_what_is_no_value_of_an_attribute_is_refused_with_its_name(
    at_work: World, run: Run, given: str, reason: str
) -> None:
    """Nothing is stored then."""
    said = run("create", *JO, *WHY, "--attribute", given)
    assert said.exit_code == 1
    assert reason in said.output
    assert told(run, "list") == []


def test_people_are_looked_for_by_a_value_of_the_company_alone(at_work: World, run: Run) -> None:
    """A date of everybody's is none, nor is nothing."""
    for attribute in ("valid_until=2027-01-31", "cost_centre="):
        said = run("list", "--attribute", attribute)
        assert said.exit_code == 1
        assert "cannot be looked for" in said.output
