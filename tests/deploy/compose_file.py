"""compose.yaml as a test reads it: merged, with its variables filled in as docker compose does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)")


def interpolated(text: str, shell: dict[str, str]) -> str:
    """`${NAME:-default}` from the shell, `$$` for a dollar. A variable without a default and value is an error."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        name = found[1] or found[3]
        if shell.get(name):
            return shell[name]
        assert found[2] is not None, f"{name} has no default: compose would start with a blank"
        return found[2]

    return _VARIABLE.sub(value, text)


def _filled(value: Any, shell: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(entry, shell) for key, entry in value.items()}
    if isinstance(value, list):
        return [_filled(entry, shell) for entry in value]
    return interpolated(value, shell) if isinstance(value, str) else value


@dataclass(frozen=True)
class ComposeFile:
    """The whole document; `services` by name."""

    document: dict[str, Any]

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.document["services"]
        return found

    def ours(self) -> dict[str, dict[str, Any]]:
        """The services of our own image that run our code; Flower stands on it but runs none of it."""
        return {name: each for name, each in self.services.items() if each["image"].startswith("fsm-identity:")}


def read(**shell: str) -> ComposeFile:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    return ComposeFile(_filled(yaml.safe_load(text), shell))
