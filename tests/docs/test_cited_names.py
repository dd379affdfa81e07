"""Facts and rules are cited by name: each leads to a heading of its page, and the tests named there exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {"fact": ROOT / "docs" / "keycloak-facts.md", "rule": ROOT / "docs" / "rules.md"}
FOLDERS = ("sync", "mappings", "workers", "tests", "docs", "bench", "deploy", "examples")
ENDINGS = {".py", ".md", ".toml", ".yaml", ".yml"}
NAME = r"[a-z0-9]+(?:-[a-z0-9]+)+"
CITED = re.compile(rf"[(,;] ?(fact|rule): ({NAME}(?:, {NAME})*)(?=[),;.])")
NUMBERED = re.compile(r"[(,;] ?rule\s+\d+\b|\bRule\s+\d+\b")


def texts() -> Iterator[tuple[Path, str]]:
    """Everything people read in the repository."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in ENDINGS:
                yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
    yield Path("celeryconfig.py"), (ROOT / "celeryconfig.py").read_text(encoding="utf-8")


def sections(page: Path) -> dict[str, str]:
    """The name of each fact or rule, and what is said about it."""
    parts = re.split(r"^### (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="module")
def tests_there_are() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        found.update(re.findall(r"^\s*(?:def|class) ([Tt]est\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    return found


def cited(kind: str) -> dict[str, str]:
    """The names cited of one kind, outside their own page, each with one file that does."""
    own = PAGES[kind].relative_to(ROOT)
    return {
        name: str(path)
        for path, text in texts()
        for found, names in CITED.findall(re.sub(r"\n[#\s]*", " ", text))
        for name in names.split(", ")
        if found == kind and path != own
    }


@pytest.mark.parametrize("kind", PAGES)
def test_every_name_that_is_cited_leads_to_a_heading(kind: str) -> None:
    """Wherever it is cited, in code, tests, mapping files or pages."""
    known = sections(PAGES[kind])
    assert {name: path for name, path in cited(kind).items() if name not in known} == {}


@pytest.mark.parametrize("kind", PAGES)
def test_every_heading_is_cited(kind: str) -> None:
    """What nothing relies on is not kept."""
    assert sections(PAGES[kind]).keys() - cited(kind).keys() == set()


def test_no_rule_is_cited_by_number() -> None:
    """A number leads nowhere."""
    numbered = {
        str(path)
        for path, text in texts()
        if path.suffix == ".py" and NUMBERED.search(text) and path != Path("tests/docs/test_cited_names.py")
    }
    assert numbered == set()


@pytest.mark.parametrize("kind", PAGES)
def test_every_heading_names_tests_that_exist(kind: str, tests_there_are: set[str]) -> None:
    """A fact or rule that nothing keeps true is not one."""
    for name, said in sections(PAGES[kind]).items():
        named = set(re.findall(r"`([Tt]est\w+)`", said))
        assert named, f"{kind} {name} names no test"
        assert named <= tests_there_are, f"{kind} {name}: {sorted(named - tests_there_are)}"


WHEN = re.compile(r"measured\s+in\s+\w+\s+20\d\d[^.]*(?:Keycloak|Celery|Python|PostgreSQL)\s+\d", re.IGNORECASE)


def test_a_number_says_when_and_with_what_it_was_measured() -> None:
    """Numbers change with the version and the machine: in each fact, each rule and each decision."""
    said = {name: text for page in PAGES.values() for name, text in sections(page).items()}
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        said |= {f"{page.name}: {part[:40]}": part for part in page.read_text(encoding="utf-8").split("\n\n")}
    measured = {name for name, text in said.items() if re.search(r"\bmeasured\b", text, re.IGNORECASE)}
    assert measured
    assert {name for name in measured if not WHEN.search(said[name])} == set()
