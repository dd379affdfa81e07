"""What stops work at a foreign system is told by a code of its own: people group by it, programs decide by it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sync
from sync.domain.errors import Conflict, Misconfigured, NeedsPerson, Transient, Unsafe

ROOT = Path(sync.__file__).parent
KINDS = {kind.__name__ for kind in (Transient, NeedsPerson, Conflict, Misconfigured, Unsafe)}


def without_code(folder: str) -> Iterator[str]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in KINDS and not any(keyword.arg == "code" for keyword in node.keywords):
                yield f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.supports("H2", "H3")
@pytest.mark.parametrize("folder", ["adapters", "realm"])
def test_every_failure_of_a_foreign_system_says_its_code(folder: str) -> None:
    """One that says none is counted and shown among all that nobody has looked at."""
    assert list(without_code(folder)) == []
