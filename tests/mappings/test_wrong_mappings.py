"""A wrong file stops at start with file, line, what is wrong and the nearest valid value."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from mappings import MappingErrors, MappingProblem, load

Mend = Callable[[str, str, str], None]


def packaged(name: str) -> str:
    return (files("mappings") / name).read_text(encoding="utf-8")


@pytest.fixture
def edit(tmp_path: Path) -> Mend:
    """Write a copy of a shipped file with one passage below its opening comment replaced (the first such)."""

    def write(name: str, old: str, new: str) -> None:
        path = tmp_path / name
        text = path.read_text(encoding="utf-8") if path.exists() else packaged(name)
        comment, blank, body = text.partition("\n\n")
        assert old in body, f"{name} has no {old!r}"
        path.write_text(comment + blank + body.replace(old, new, 1), encoding="utf-8")

    return write


def problems(folder: Path) -> tuple[MappingProblem, ...]:
    with pytest.raises(MappingErrors) as caught:
        load(folder)
    return caught.value.problems


def only(folder: Path) -> MappingProblem:
    (problem,) = problems(folder)
    return problem


CASES = [
    (
        "profiles.toml",
        'title = "Dispatcher"',
        "title = 5",
        "profiles.dispatcher.title: must be a text, not a whole number",
        None,
    ),
    (
        "profiles.toml",
        "rank = 50",
        "rank = 60",
        "profiles.dispatcher.rank: 60 is used by accountant already",
        None,
    ),
    ("profiles.toml", "rank = 50", "rank = 0", "profiles.dispatcher.rank: 0 is not from 1 to 1000", None),
    (
        "profiles.toml",
        "rank = 50",
        "rank = true",
        "rank: must be a whole number from 1 to 1000, not true or false",
        None,
    ),
    (
        "profiles.toml",
        '"mobile-app", "assigned-work"',
        '"mobile-ap"',
        '"mobile-ap" is not a feature',
        "mobile-app",
    ),
    (
        "profiles.toml",
        'highest_data_access = "team"',
        'highest_data_access = "tem"',
        '"tem" is not a data access level',
        "team",
    ),
    (
        "profiles.toml",
        'default_data_access = "personal"',
        'default_data_access = "global"',
        '"global" is wider than highest_data_access "team"',
        None,
    ),
    (
        "profiles.toml",
        "session_cap = 2",
        'session_cap = "unlimted"',
        '"unlimted" is neither "unlimited" nor a whole number',
        "unlimited",
    ),
    ("profiles.toml", "session_cap = 2", "session_cap = 0", "0 is not from 1 to 100", None),
    (
        "profiles.toml",
        "second_factor = true",
        "second_factor = false",
        'must be true: the profile has the feature "user-management"',
        None,
    ),
    (
        "profiles.toml",
        "field_work = false",
        "",
        "profiles.administrator.field_work: is missing; write true or false",
        None,
    ),
    (
        "profiles.toml",
        "field_work = false",
        "feild_work = 1\nfield_work = false",
        "feild_work: is not known here",
        "field_work",
    ),
    ("profiles.toml", '"Disponent"', '"monteur"', '"Monteur" is also a name of the profile dispatcher', None),
    ("profiles.toml", "[profiles.read-only]", "[profiles.Read_Only]", "a key has small letters", None),
    (
        "profiles.toml",
        '    "work-orders",',
        '    "work-orders",\n    "work-orders",',
        '"work-orders" is listed twice',
        None,
    ),
    ("data_access.toml", 'needs = "person"', 'needs = "persn"', '"persn" is not a need', "person"),
    ("data_access.toml", "width = 30", "width = 40", "levels.branch.width: 40 is used by global already", None),
    ("branches.toml", "Europe/Berlin", "Europe/Berln", '"Europe/Berln" is not a time zone', "Europe/Berlin"),
    ("branches.toml", '"HH"', '"Munich"', '"Munich" is also a name of the branch hamburg', None),
    (
        "branches.toml",
        "[branches.berlin.teams.berlin-heizung]",
        "[branches.berlin.teams.hamburg-heizung]",
        "branch hamburg has a team of this key already",
        None,
    ),
    (
        "branches.toml",
        'title = "Klima"',
        'title = "Elektro"',
        '"Elektro" is also a name of the team hamburg-klima',
        None,
    ),
    ("guard.toml", "accounts = 50", "accounts = -1", "accounts: -1 is not from 0 to 1000000", None),
    (
        "guard.toml",
        '"unlimited"',
        '"unlimitd"',
        '"unlimitd" is neither "unlimited" nor a whole number',
        "unlimited",
    ),
    ("guard.toml", "[approval]", "window_minutes = 30\n[approval]", "windows are an hour, a day and a week", None),
    (
        "guard.toml",
        "percent_from = 10\n",
        "percent_from = 10\nday = { accounts = 9 }\n",
        "day.percent: is missing",
        None,
    ),
    ("guard.toml", "[limits.moved]", "[limits.move]", "limits.move: is not known here", "moved"),
    ("guard.toml", "percent = 10", "percent = 101", "percent: 101 is not from 0 to 100", None),
    ("branches.toml", '"Heating"', '"--"', 'the name "--" has no letter and no digit', None),
    (
        "hr_rules.toml",
        'profile = "accountant"',
        'profile = "acountant"',
        '"acountant" is not a profile',
        "accountant",
    ),
    ("hr_rules.toml", 'branch = "koeln"', 'branch = "köln"', '"köln" is not a branch', "koeln"),
    (
        "hr_rules.toml",
        'team = "hamburg-heizung"',
        'team = "berlin-heizung"',
        '"berlin-heizung" belongs to the branch berlin',
        None,
    ),
    (
        "hr_rules.toml",
        'profile = "dispatcher"',
        'profile = "dispatcher"\ndata_access = "global"',
        '"global" is wider than profile dispatcher may have',
        "branch",
    ),
    (
        "hr_rules.toml",
        'profile = "dispatcher"\nbranch = "hamburg"',
        'profile = "dispatcher"',
        'is missing: data access "branch" needs one',
        None,
    ),
    (
        "hr_rules.toml",
        'team = "hamburg-heizung"',
        'data_access = "team"',
        'is missing: data access "team" needs one',
        None,
    ),
    (
        "hr_rules.toml",
        "job_title = [",
        "job_tile = [",
        '"job_tile" is not one of the attributes above',
        "job_title",
    ),
    ("hr_rules.toml", '["Accounting", "Buchhaltung", "Finance*"]', "[]", "department: must not be empty", None),
    (
        "hr_rules.toml",
        'name = "Accounting"',
        'name = "IT administration"',
        '"IT administration" is the name of an earlier rule',
        None,
    ),
    ("import_columns.toml", "[columns.email]", "[columns.emial]", '"emial" is not a field', "email"),
    ("import_columns.toml", '"Vorname"', '"E-MAIL"', '"E-MAIL" is also a title of email', None),
    ("import_columns.toml", "required = true", 'required = "yes"', "must be true or false, not a text", None),
    ("work_orders.toml", '["completed", "invoiced", "cancelled"]', "[]", "must hold at least one status", None),
    (
        "work_orders.toml",
        '["lead", "crew", "appointment"]',
        '["leed"]',
        '"leed" is not a way to hold a work order',
        "lead",
    ),
    ("work_orders.toml", '= "person"', '= "persn"', '"persn" is not a way to go on', "person"),
    ("field_service.toml", 'table = "technician"', 'table = "technician; drop"', "is not a plain SQL name", None),
    (
        "field_service.toml",
        'lead = "lead_technician"',
        'lead = "lead-technician"',
        "work_orders.columns.lead",
        None,
    ),
    (
        "realm.toml",
        "max_length = 64",
        "max_length = 16\nmaxlength = 3",
        "password.maxlength: is not known here",
        "max_length",
    ),
    ("realm.toml", "min_length = 12", "min_length = 65", "65 is not from 8 to 64", None),
    ("realm.toml", "max_wait_seconds = 900", "max_wait_seconds = 30", "30 is below wait_seconds 60", None),
    ("realm.toml", "totp_digits = 6", "totp_digits = 7", "Keycloak knows 6 and 8", None),
    ("realm.toml", "HmacSHA1", "SHA1", '"SHA1" is not a TOTP algorithm', "HmacSHA1"),
    ("realm.toml", "max_seconds = 36000", "max_seconds = 900", "900 is below idle_seconds 1800", None),
    (
        "realm.toml",
        "access_token_seconds = 300",
        "access_token_seconds = 3000",
        "3000 is above idle_seconds 1800",
        None,
    ),
    (
        "realm.toml",
        "expire_days = 90",
        'expire_days = "nevr"',
        '"nevr" is neither "never" nor a whole number',
        "never",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "what", "near"), CASES)
def test_each_mistake_is_named_with_its_place_and_remedy(
    edit: Mend, tmp_path: Path, name: str, old: str, new: str, what: str, near: str | None
) -> None:
    """The problem names file, a line that says something, what is wrong and the nearest valid value."""
    edit(name, old, new)
    problem = next(each for each in problems(tmp_path) if what in each.what)
    assert problem.nearest == near
    assert problem.file == str(tmp_path / name)
    lines = (tmp_path / name).read_text(encoding="utf-8").splitlines()
    assert 1 <= problem.line <= len(lines)
    assert lines[problem.line - 1].strip()
    assert not lines[problem.line - 1].startswith("#")


def test_the_message_names_file_line_mistake_and_nearest_value(edit: Mend, tmp_path: Path) -> None:
    """As an administrator reads it."""
    edit("profiles.toml", 'highest_data_access = "team"', 'highest_data_access = "taem"')
    lines = (tmp_path / "profiles.toml").read_text(encoding="utf-8").splitlines()
    line = lines.index('highest_data_access = "taem"') + 1
    with pytest.raises(MappingErrors) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        "the mapping files have 1 problem:\n"
        f"  {tmp_path}/profiles.toml:{line}: profiles.technician.highest_data_access: "
        '"taem" is not a data access level; did you mean "team"?'
    )


def test_all_problems_of_all_files_are_told_at_once(edit: Mend, tmp_path: Path) -> None:
    """Nobody mends one mistake only to meet the next; a file that is no TOML does not hide the others."""
    edit("profiles.toml", "rank = 50", "rank = -1")
    edit("profiles.toml", '"mobile-app", "assigned-work"', '"mobile-app", "asigned-work"')
    edit("branches.toml", "Europe/Berlin", "Berlin")
    edit("data_access.toml", "[levels.global]", "[levels.global")
    found = problems(tmp_path)
    assert [(Path(each.file).name, each.line > 1) for each in found] == [
        ("branches.toml", True),
        ("data_access.toml", True),
        ("profiles.toml", True),
        ("profiles.toml", True),
    ]
    assert "not TOML" in found[1].what


def test_a_missing_value_is_told_once_at_its_table(edit: Mend, tmp_path: Path) -> None:
    """What follows from a missing table is not told value by value."""
    text = packaged("realm.toml")
    (tmp_path / "realm.toml").write_text(text[: text.index("[sessions]")], encoding="utf-8")
    assert only(tmp_path).what == "sessions: is missing; write a table"


def test_somebody_must_be_able_to_administer(edit: Mend, tmp_path: Path) -> None:
    """Without a profile with user management nobody could keep accounts."""
    edit(
        "profiles.toml", '    "dashboards",\n    "user-management",\n    "operations",\n]', '    "dashboards",\n]'
    )
    assert "nobody could keep accounts" in only(tmp_path).what


def test_a_rule_below_one_that_matches_everyone_is_refused(edit: Mend, tmp_path: Path) -> None:
    """It would never be reached, and nobody would know why."""
    edit("hr_rules.toml", 'when = { department = ["Accounting", "Buchhaltung", "Finance*"] }', "when = {}")
    found = problems(tmp_path)
    assert len(found) == len(load().hr_rules) - 2
    assert all('never reached: the rule "Accounting" before it' in each.what for each in found)


def test_a_misspelled_file_is_refused(tmp_path: Path) -> None:
    """Else the package's file would stay in force without a word."""
    (tmp_path / "profile.toml").write_text("", encoding="utf-8")
    problem = only(tmp_path)
    assert (problem.what, problem.nearest) == ("is not the name of a mapping file", "profiles.toml")


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    """A setting that points to nothing must not mean "the package's files"."""
    assert only(tmp_path / "nothing").what == "is not a folder"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", "title = 'Köln'".encode("latin-1")])
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, content: bytes) -> None:
    """TOML is UTF-8."""
    (tmp_path / "realm.toml").write_bytes(content)
    assert "is not UTF-8 text" in only(tmp_path).what


def test_a_folder_replaces_only_the_files_it_holds(edit: Mend, tmp_path: Path) -> None:
    """A company keeps its own branches and takes the rest from the package."""
    edit("work_orders.toml", "hold_deadline_days = 14", "hold_deadline_days = 3")
    policy = load(tmp_path)
    assert policy.work_orders.hold_deadline_days == 3
    assert policy.profiles == load().profiles


@pytest.mark.parametrize(
    ("name", "old", "new", "same"),
    [
        ("realm.toml", "# A temporary", "# Another comment\n# A temporary", True),
        ("realm.toml", "digits = 1\nspecial_characters = 1", "special_characters = 1\ndigits = 1", True),
        ("profiles.toml", '"mobile-app", "assigned-work"', '"assigned-work", "mobile-app"', True),
        ("realm.toml", "history = 5", "history = 6", False),
        ("profiles.toml", 'features = ["mobile-app", "assigned-work"]', 'features = ["mobile-app"]', False),
        ("profiles.toml", 'aliases = ["Viewer", ', "aliases = [", False),
    ],
)
def test_the_fingerprint_is_of_the_meaning(
    edit: Mend, tmp_path: Path, name: str, old: str, new: str, *, same: bool
) -> None:
    """Comments and order do not count, values do."""
    edit(name, old, new)
    assert (load(tmp_path).fingerprint == load().fingerprint) is same


def test_the_order_of_hr_rules_is_meaning(tmp_path: Path) -> None:
    """The first match wins, so two rules that change places give another policy."""
    head, *rules = packaged("hr_rules.toml").split("\n[[rules]]\n")
    swapped = "\n[[rules]]\n".join([head, rules[1], rules[0], *rules[2:]])
    (tmp_path / "hr_rules.toml").write_text(swapped, encoding="utf-8")
    assert load(tmp_path).fingerprint != load().fingerprint


def test_whoever_replaces_the_branches_is_told_to_bring_rules(tmp_path: Path) -> None:
    """The package's HR rules speak of its example company: one message says what to do, not forty."""
    (tmp_path / "branches.toml").write_text('[branches.oslo]\ntitle = "Oslo"\ntime_zone = "Europe/Oslo"\n')
    problem = only(tmp_path)
    assert problem.file == "mappings/hr_rules.toml"
    assert problem.what == (
        'the package\'s file does not fit yours: rules.1.branch: "hamburg" is not a branch; known are oslo. '
        f"Put a hr_rules.toml of your own into {tmp_path}"
    )
    (tmp_path / "hr_rules.toml").write_text("attributes = []\nrules = []\n")
    assert load(tmp_path).branches.keys() == {"oslo"}


def test_a_missing_choice_says_what_to_write(tmp_path: Path) -> None:
    """Not just "a text"."""
    (tmp_path / "branches.toml").write_text('[branches.oslo]\ntitle = "Oslo"\n')
    (tmp_path / "hr_rules.toml").write_text("attributes = []\nrules = []\n")
    assert only(tmp_path).what == (
        "branches.oslo.time_zone: is missing; write a time zone of the IANA list, as in Europe/Berlin"
    )
