"""What realm.toml may say it knows of the realm."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings import MappingErrors
from mappings.loading import load_texts, read_texts
from mappings.policy import Policy
from mappings.realm import Known

pytestmark = pytest.mark.supports("C8", "I7")


def loaded(groups: str) -> Policy:
    texts = dict(read_texts())
    texts["realm.toml"] = texts["realm.toml"].replace("default_groups = []", f"default_groups = {groups}")
    return load_texts(texts, "of this test")


def test_groups_and_actions_are_known_by_name() -> None:
    """As they are written."""
    assert loaded('["/newsletter"]').realm.known == Known(frozenset({"/newsletter"}))


def test_files_from_before_know_nothing() -> None:
    """Those in force may be older than this version."""
    texts = dict(read_texts())
    begin = texts["realm.toml"].index("\n[known]")
    end = texts["realm.toml"].index("\n[password]")
    texts["realm.toml"] = texts["realm.toml"][:begin] + texts["realm.toml"][end:]
    assert load_texts(texts, "in force").realm.known == Known()


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ('["newsletter"]', "newsletter is no path of a group"),
        ('["/fsm/profiles/administrator"]', "gives access and cannot be a group of every new user"),
        ('["/fsm"]', "gives access and cannot be a group of every new user"),
    ],
)
def test_what_cannot_be_known_is_refused(groups: str, told: str) -> None:
    """A group of ours for everybody is an accident, whoever knows of it."""
    with pytest.raises(MappingErrors) as caught:
        loaded(groups)
    [problem] = caught.value.problems
    assert Path(problem.file).name == "realm.toml"
    assert told in problem.what
