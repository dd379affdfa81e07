"""What the files of the package say, and how names are found in them."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from mappings import Policy, load
from mappings.hr_rules import explain
from mappings.import_columns import FIELDS
from mappings.loading import FILES


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load()


@pytest.mark.supports("A3")
def test_the_six_profiles_ship_with_their_features(policy: Policy) -> None:
    """Administrator, Dispatcher, Technician, Manager, Accountant, Read-Only; every feature is used."""
    assert {profile.title for profile in policy.profiles.values()} == {
        "Administrator",
        "Dispatcher",
        "Technician",
        "Manager",
        "Accountant",
        "Read-Only",
    }
    assert set(policy.features) == set().union(*(profile.features for profile in policy.profiles.values()))
    assert policy.profiles["technician"].features == {"mobile-app", "assigned-work"}
    assert {key for key, profile in policy.profiles.items() if profile.field_work} == {"technician"}


@pytest.mark.supports("A5")
def test_defaults_and_ceilings_of_data_access(policy: Policy) -> None:
    """Each profile has a default level and a ceiling that is not narrower."""
    levels = {
        key: (profile.default_data_access, profile.highest_data_access) for key, profile in policy.profiles.items()
    }
    assert levels == {
        "administrator": ("global", "global"),
        "manager": ("branch", "global"),
        "accountant": ("global", "global"),
        "dispatcher": ("branch", "branch"),
        "technician": ("personal", "team"),
        "read-only": ("branch", "global"),
    }
    needs = {key: level.needs for key, level in policy.data_access.items()}
    assert needs == {"global": None, "branch": "branch", "team": "team", "personal": "person"}


@pytest.mark.supports("C6", "C7")
def test_administrators_have_a_second_factor_and_a_session_cap(policy: Policy) -> None:
    """Administrators always, managers by file."""
    assert {key for key, profile in policy.profiles.items() if profile.second_factor} == {
        "administrator",
        "manager",
    }
    assert policy.profiles["administrator"].session_cap == 2


@pytest.mark.supports("D1", "D2")
@pytest.mark.parametrize(
    ("status", "open_"),
    [
        ("completed", False),
        (" Invoiced ", False),
        ("CANCELLED", False),
        ("on hold", True),
        ("never heard of", True),
        ("", True),
    ],
)
def test_a_status_that_is_not_listed_is_open(policy: Policy, status: str, *, open_: bool) -> None:
    """An unknown status counts as open; case and blanks do not matter."""
    assert policy.work_orders.is_open(status) is open_
    assert policy.work_orders.assignments == {"lead", "crew", "appointment"}


@pytest.mark.supports("F1")
def test_import_columns_know_every_field_in_four_languages(policy: Policy) -> None:
    """Titles in English, German, French and Spanish for every field."""
    assert tuple(column.field for column in policy.import_columns) == FIELDS
    assert all({"en", "de", "fr", "es"} <= column.titles.keys() for column in policy.import_columns)
    assert {column.field for column in policy.import_columns if column.required} == {"email", "profile", "branch"}


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("München", "muenchen"),
        ("MUENCHEN", "muenchen"),
        ("  munich ", "muenchen"),
        ("Niederlassung Koeln", "koeln"),
        ("HH", "hamburg"),
        ("Hambrug", None),
        ("", None),
    ],
)
def test_a_branch_is_found_however_its_name_is_spelled(policy: Policy, written: str, key: str | None) -> None:
    """Key, title or alias, whatever the case and the spelling of umlauts; a misspelling is not guessed."""
    branch = policy.find_branch(written)
    assert (branch.key if branch else None) == key


@pytest.mark.supports("F2")
def test_the_nearest_name_is_proposed_as_the_file_writes_it(policy: Policy) -> None:
    """For a misspelled branch, profile, level or team; nothing for what is like nothing."""
    assert policy.nearest_branch("Hambrug") == "Hamburg"
    assert policy.nearest_profile("Disponnt") == "Disponent"
    assert policy.nearest_level("Brnch") == "Branch"
    assert policy.nearest_team("Heizng", "berlin") == "Heizung"
    assert policy.nearest_branch("zzzzzz") is None


def test_profiles_and_levels_are_found_by_alias(policy: Policy) -> None:
    """People write "Nur lesen", "readonly" or "Persönlich"."""
    for written in ("Nur lesen", "readonly", "READ ONLY", "Read-Only"):
        profile = policy.find_profile(written)
        assert profile is not None
        assert profile.key == "read-only"
    level = policy.find_level("persoenlich")
    assert level is not None
    assert level.key == "personal"


def test_a_team_is_found_within_its_branch(policy: Policy) -> None:
    """Every branch has a team Heizung: without the branch the name says nothing, the key does."""
    team = policy.find_team("heating", "berlin")
    assert team is policy.teams["berlin-heizung"]
    assert policy.find_team("Heizung", None) is None
    assert policy.find_team("berlin-heizung", None) is team
    assert policy.find_team("Sanitär", "hamburg") is None


@pytest.mark.supports("E3")
@pytest.mark.parametrize(
    ("attributes", "rule"),
    [
        (
            {"job_title": "Servicetechniker", "department": "heizung Nord", "location": "HAMBURG"},
            "Technicians Hamburg Heizung",
        ),
        ({"job_title": "Disponentin", "location": "Cologne"}, "Dispatch Köln"),
        ({"department": "Buchhaltung"}, "Accounting"),
        ({"job_title": "IT-Systemverwalter", "department": "IT"}, "IT administration"),
        ({"job_title": "Servicetechniker", "location": "Hamburg"}, None),
        ({}, None),
    ],
)
def test_the_first_rule_that_matches_wins(policy: Policy, attributes: dict[str, str], rule: str | None) -> None:
    """Case does not matter, `*` stands for any text, an attribute that is not told matches nothing."""
    found = explain(policy.hr_rules, attributes)
    assert (found.name if found else None) == rule


@pytest.mark.parametrize("name", FILES)
def test_each_file_opens_with_what_it_decides_and_an_example(name: str) -> None:
    """For the administrators who edit them."""
    comment = (files("mappings") / name).read_text(encoding="utf-8").split("\n\n")[0]
    assert comment.startswith("# Decides ")
    assert "xample" in comment


@pytest.mark.parametrize("name", ["profiles.toml", "data_access.toml", "branches.toml", "hr_rules.toml"])
def test_the_commented_example_works(name: str, tmp_path: Path, policy: Policy) -> None:
    """Whoever takes the example out of its comment has a file that is accepted and says more."""
    text = (files("mappings") / name).read_text(encoding="utf-8")
    example = re.findall(r"^#   (.*)$", text.split("\n\n")[0], re.MULTILINE)
    (tmp_path / name).write_text("\n".join([text, *example]), encoding="utf-8")
    assert load(tmp_path).fingerprint != policy.fingerprint
