"""docs/settings.md names every setting, with the default that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sync.settings import Settings

pytestmark = pytest.mark.req("J3")

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


def settings(model: type[BaseModel], prefix: str = "FSM_") -> Iterator[tuple[str, FieldInfo]]:
    """Each setting under the name of its variable."""
    for name, field in model.model_fields.items():
        variable = prefix + name.upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings(field.annotation, f"{variable}__")
        else:
            yield variable, field


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
    rows = re.findall(r"^\| `(FSM_\w+)` \| ([^|]*) \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)
    assert [(name, said.strip()) for name, said in rows] == [
        (name, default(field)) for name, field in settings(Settings)
    ]
