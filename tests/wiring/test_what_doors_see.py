"""What doors show they have from a view, and a view never forgets whose eyes it is for (I4)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.supports("I4")

ROOT = Path(__file__).parents[2]
VIEWS = sorted((ROOT / "sync" / "views").rglob("*.py"))
DOORS = sorted((ROOT / "sync" / "entrypoints").rglob("*.py"))

FOR_EVERYBODY = {
    "mappings.policy_in_force": "mapping files are about nobody",
    "mappings.adoptions": "mapping files are about nobody",
    "mappings.adoption": "mapping files are about nobody",
    "accounts.account.account_of_user": "the person itself, by the subject of its token",
    "accounts.account.own_account": "the person itself, by the subject of its token",
}
"""Views that take no scope, and why."""

OF_THE_DATABASE = ("sync.store.database.",)
"""How a door comes to a transaction, and what stands in no row: versions of tables, space on a disk."""

MEASURES = {
    "metrics.py: figures.read": "counts for a monitoring system, which names nobody",
    "ops.py: space.troubles_of": "whether a small write is taken, which leaves nothing behind",
    "ops.py: space.of_failure": "what our database refuses, which stands in none of its rows",
}
"""What else a door asks the store, and why."""


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def readers() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Public functions of views that read our database, by module and name."""
    for path in VIEWS:
        module = ".".join(path.relative_to(ROOT / "sync" / "views").with_suffix("").parts)
        for node in parsed(path).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                given = {arg.arg for arg in node.args.args}
                if given & {"tx", "desk", "db"}:
                    yield f"{module}.{node.name}", node


def test_every_view_takes_a_scope_and_has_no_default_for_it() -> None:
    """A door cannot forget it; what a scope of one branch may not see is refused by the view."""
    seen = dict(readers())
    assert len(seen) > len(FOR_EVERYBODY)
    without = set()
    for name, view in seen.items():
        arguments = view.args.args[: len(view.args.args) - len(view.args.defaults)]
        annotations = {ast.unparse(arg.annotation) for arg in arguments if arg.annotation is not None}
        if "Scope" not in annotations:
            without.add(name)
    assert without == FOR_EVERYBODY.keys()


def test_every_view_asks_the_scope_it_was_given() -> None:
    """Or hands it on to one that does."""
    for name, view in readers():
        if name not in FOR_EVERYBODY:
            used = {node.id for part in view.body for node in ast.walk(part) if isinstance(node, ast.Name)}
            assert "scope" in used, f"{name} takes a scope and does not ask it"


def stores(tree: ast.Module) -> dict[str, str]:
    """Names of modules and functions of the store that are imported."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sync.store")
        for alias in node.names
    }


def asked(tree: ast.Module) -> Iterator[str]:
    """Functions of the store that are called, as they are written."""
    known = stores(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner))) if owner in known and owner.islower():
                if not known[owner].startswith(OF_THE_DATABASE):
                    yield ast.unparse(node.func)
            case ast.Call(func=ast.Name(id=name)) if name in known and name.islower():
                if not known[name].startswith(OF_THE_DATABASE):
                    yield name


def test_doors_read_through_views_alone() -> None:
    """Of the store they know the shapes of what is shown."""
    found = {f"{path.name}: {call}" for path in DOORS for call in asked(parsed(path))}
    assert found == MEASURES.keys()
