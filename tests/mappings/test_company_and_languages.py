"""The company's name and languages: what realm.toml and branches.toml may say of them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from mappings import MappingErrors, load
from mappings.loading import load_texts, read_texts
from mappings.realm import LANGUAGES

pytestmark = pytest.mark.supports("I7")

SHIPPED = (files("mappings") / "realm.toml").read_text(encoding="utf-8")
COMPANY = 'company = "Nordwind Gebäudetechnik"\n'
NAMED = 'languages = ["en", "de"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def say(folder: Path, company: str = COMPANY, languages: str = NAMED, branch: str = "") -> Path:
    text = SHIPPED.replace(COMPANY, company).replace(NAMED, languages)
    (folder / "realm.toml").write_text(text, encoding="utf-8")
    branches = (files("mappings") / "branches.toml").read_text(encoding="utf-8")
    head = '[branches.hamburg]\ntitle = "Hamburg"\n'
    (folder / "branches.toml").write_text(branches.replace(head, head + branch), encoding="utf-8")
    return folder


def problem(folder: Path) -> str:
    with pytest.raises(MappingErrors) as caught:
        load(folder)
    [found] = caught.value.problems
    return f"{Path(found.file).name}: {found.what}"


def test_the_first_language_is_for_whoever_has_no_other(folder: Path) -> None:
    """And a branch may have one of the others."""
    policy = load(say(folder, languages='languages = ["fr", "de"]\n', branch='language = "de"\n'))
    assert policy.realm.first_language == "fr"
    assert policy.branches["hamburg"].language == "de"
    assert policy.branches["berlin"].language is None


def test_files_from_before_are_still_read(folder: Path) -> None:
    """Those in force may be older than this version; mails are in English then, and nobody is named."""
    texts = read_texts()
    texts["realm.toml"] = texts["realm.toml"].replace(COMPANY, "").replace(NAMED, "")
    realm = load_texts(texts, "in force").realm
    assert (realm.company, realm.languages, realm.first_language) == ("", (), "en")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"languages": 'languages = ["en", "dee"]\n'}, "realm.toml: languages.2: "),
        (
            {"languages": 'languages = ["it"]\n'},
            '"it" is not a language there are mails in; known are en, de, fr, es',
        ),
        ({"languages": "languages = []\n"}, "languages: must name at least one"),
        ({"languages": 'languages = ["de", "de"]\n'}, '"de" is listed twice'),
        ({"company": 'company = " "\n'}, "company: must not be blank and must stand on one line"),
        ({"company": f'company = "{"x" * 81}"\n'}, "company: has 81 characters, the most are 80"),
        ({"branch": 'language = "fr"\n'}, '"fr" is not a language of realm.toml; known are en, de'),
        ({"languages": "", "branch": 'language = "de"\n'}, '"de" is not a language of realm.toml; there is none'),
    ],
)
def test_what_is_wrong_is_told_with_what_is_possible(folder: Path, said: dict[str, str], told: str) -> None:
    """In the file and at the place where it stands."""
    assert told in problem(say(folder, **said))


def test_four_languages_can_be_named(folder: Path) -> None:
    """All of them at once, in any order."""
    quoted = ", ".join(f'"{each}"' for each in reversed(LANGUAGES))
    assert load(say(folder, languages=f"languages = [{quoted}]\n")).realm.languages == ("es", "fr", "de", "en")
