"""docs/settings.md names every setting, with the default that it has and an example that is right."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from sync.settings import BESIDE, Settings, every_setting, load_settings

pytestmark = pytest.mark.supports("J3")

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


ROWS = re.findall(r"^\| `(FSM_\w+)` \| ([^|]*) \| [^|]+ \| [^|]+ \| `([^|]+)` \|$", PAGE, re.MULTILINE)
"""Variable, default, example."""


def default(field: FieldInfo) -> str:
    """As the page writes it: nothing where the setting is needed, a lower-case yes or no."""
    if field.is_required():
        return ""
    value = field.default
    if value is None:
        return "none"
    text = str(value).lower() if isinstance(value, bool) else str(value).rstrip("/")
    return f"`{text}`"


def test_every_setting_is_there_with_its_default_and_nothing_else() -> None:
    """In the order of the code."""
    assert [(name, said.strip()) for name, said, _ in ROWS] == [
        (name, default(field)) for name, field in every_setting(Settings)
    ]


def test_every_example_is_that_of_the_error_that_asks_for_it() -> None:
    assert [(name, example) for name, _, example in ROWS] == [
        (name, each.examples[0]) for name, each in every_setting(Settings) if each.examples
    ]


def test_the_examples_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them together start a process."""
    without_settings(monkeypatch)
    for name, _, example in ROWS:
        monkeypatch.setenv(name, example)
    assert load_settings().mail.port == 587


def test_the_file_of_the_page_is_right(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As it stands there."""
    [text] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    without_settings(monkeypatch)
    (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("FSM_SETTINGS", str(tmp_path / "settings.toml"))
    assert load_settings().keycloak.worker_secret is not None


def test_what_stands_beside_the_settings_is_named() -> None:
    assert [name for name in BESIDE if f"| `{name}` |" not in PAGE] == []


def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("FSM_")]:
        monkeypatch.delenv(name)
