"""The attributes a company adds by a file: read, checked with place and remedy, part of the policy."""

from __future__ import annotations

from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import pytest

from mappings import MappingErrors, load
from mappings.company_attributes import KEYCLOAKS, MOST, OURS
from mappings.drift import ACCEPT, REPAIR
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange, NewAccount
from tests.company import ATTRIBUTES, company

ONE = '[attributes.cost_centre]\ntitle = "Cost centre"\ntype = "text"\n'


@pytest.mark.supports("A10")
def test_what_the_file_says_is_what_the_policy_has(tmp_path: Path) -> None:
    """Type, bounds, names; a column for each after the others, in every language of the template."""
    policy = company(tmp_path)
    assert list(policy.attributes) == ["cost_centre", "desk_height", "vehicle", "hired_on", "first_aider"]
    assert policy.attributes["cost_centre"].hr == "costCenter"
    assert policy.attributes["vehicle"].hr == "vehicle"
    assert policy.attributes["vehicle"].choices == {"van": ("Van", "Transporter"), "no_car": ("No car",)}
    column = policy.staff_columns[len(policy.import_columns)]
    assert (column.field, column.required) == ("cost_centre", False)
    assert column.titles["de"] == ("Cost centre", "Kostenstelle")
    assert policy.fingerprint != load().fingerprint


def test_the_file_of_the_package_has_none_and_its_examples_work(tmp_path: Path) -> None:
    """Taking the comment signs off gives the two attributes that are described."""
    assert load().attributes == {}
    text = (files("mappings") / "attributes.toml").read_text(encoding="utf-8")
    example = text[text.index("#   [attributes.cost_centre]") :]
    policy = company(tmp_path, "\n".join(line.removeprefix("#").strip() for line in example.splitlines()))
    assert list(policy.attributes) == ["cost_centre", "vehicle"]
    assert set(policy.attributes["vehicle"].choices) == {"van", "car", "none"}


WRONG = [
    (ONE.replace("cost_centre", "cost-centre"), "as in cost_centre", 1),
    (ONE.replace("cost_centre", "branch"), '"branch" is a name of fsm-identity itself', 1),
    (ONE.replace("cost_centre", "fsm_centre"), "is a name of fsm-identity itself", 1),
    (ONE.replace("cost_centre", "locale"), '"locale" is a name of Keycloak itself', 1),
    (ONE.replace('"text"', '"txt"'), '"txt" is not a type of attribute; did you mean "text"?', 3),
    (ONE.replace("Cost centre", "Standort"), '"Standort" is also a title of branch', 2),
    (ONE + 'aliases = ["E-Mail"]\n', '"E-Mail" is also a title of email', 4),
    (ONE + "longest = 256\n", "256 is not from 1 to 255", 4),
    (ONE + "at_least = 3\n", "at_least: is not known here", 4),
    (ONE.replace('"text"', '"number"') + "at_least = 3\nat_most = 2\n", "2 is below at_least 3", 5),
    (ONE.replace('"text"', '"choice"'), "choices: is missing", 1),
    (ONE.replace('"text"', '"choice"') + 'choices.a = "One"\nchoices.b = "ONE"\n', '"ONE" is also a name of a', 5),
    (ONE + ONE.replace("cost_centre", "centre"), '"Cost centre" is also a title of cost_centre', 5),
    (ONE + 'hr = "X"\n' + ONE.replace("ost", "lost") + 'hr = "x"\n', '"x" is the name of cost_centre already', 8),
    (
        "".join(f'[attributes.a_{n}]\ntitle = "Title {n}"\ntype = "date"\n' for n in range(MOST + 1)),
        "a_20 is one too many: there can be 20 attributes",
        61,
    ),
]


@pytest.mark.supports("A10")
@pytest.mark.parametrize(("text", "what", "line"), WRONG)
def test_a_mistake_is_named_with_file_line_and_remedy(tmp_path: Path, text: str, what: str, line: int) -> None:
    """Each stops the whole file, before anything is adopted."""
    with pytest.raises(MappingErrors) as caught:
        company(tmp_path, text)
    assert any(what in str(each) and each.line == line for each in caught.value.problems), str(caught.value)
    assert all(each.file.endswith("attributes.toml") for each in caught.value.problems)


@pytest.mark.supports("A10")
def test_no_attribute_can_have_the_name_of_a_field() -> None:
    """Whatever an account is made of has its name already."""
    for shape in (Account, NewAccount, AccountChange):
        assert {each.name for each in fields(shape)} <= OURS
    assert {"firstname", "locale", "terms_and_conditions"} <= KEYCLOAKS


@pytest.mark.supports("A10", "G4")
def test_drift_is_repaired_unless_drift_toml_says_otherwise(tmp_path: Path) -> None:
    """One line is for all of them."""
    drift = (files("mappings") / "drift.toml").read_text(encoding="utf-8")
    assert company(tmp_path, drift=drift).drift.reaction("attributes") == REPAIR
    accepting = drift.replace('attributes = "repair"', 'attributes = "accept"')
    assert company(tmp_path, ATTRIBUTES, drift=accepting).drift.reaction("attributes") == ACCEPT


@pytest.mark.supports("G4")
def test_files_that_are_older_than_an_attribute_go_on_counting(tmp_path: Path) -> None:
    """What is in force was written for an earlier version; an attribute that came since is repaired."""
    drift = (files("mappings") / "drift.toml").read_text(encoding="utf-8")
    older = "\n".join(line for line in drift.splitlines() if not line.startswith("technician-id"))
    assert company(tmp_path, drift=older).drift.reaction("technician-id") == REPAIR
