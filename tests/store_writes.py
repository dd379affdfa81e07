"""Which functions of the store write, and what they ask of whoever calls them: read from the code itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
WRITES = frozenset({"sqlalchemy.update", "sqlalchemy.delete", "sync.store.database.upserts.upsert"})


def called_without(folder: str, proofs: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The functions of the store that write and are called in this folder of `sync`: those that take none of these
    types, and those that take one."""
    found, writing = _functions_of_the_store()
    called = {
        name
        for path in (ROOT / "sync" / folder).rglob("*.py")
        for module, tree in [parsed(path)]
        for name in _calls(module, tree, _imported(tree))
    }
    taking = {name for name in called & writing if _takes(found[name], proofs)}
    short = {name: name.removeprefix("sync.store.") for name in called & writing}
    return frozenset(short[name] for name in short.keys() - taking), frozenset(short[name] for name in taking)


def classes_on(names: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Module to the classes in it that inherit from one of these."""
    found: dict[str, frozenset[str]] = {}
    for folder in ("sync", "workers", "mappings"):
        for path in (ROOT / folder).rglob("*.py"):
            made = frozenset(
                node.name
                for node in ast.walk(parsed(path)[1])
                if isinstance(node, ast.ClassDef)
                for base in node.bases
                if ast.unparse(base).rpartition(".")[2] in names
            )
            if made:
                found[path.relative_to(ROOT).as_posix()] = made
    return found


def parsed(path: Path) -> tuple[str, ast.Module]:
    """The module's name and its tree."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(path.read_text(encoding="utf-8"))


def _calls(module: str, tree: ast.AST, names: Mapping[str, str]) -> Iterator[str]:
    """What is called, by its full name as far as the imports say it."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                yield names.get(name, f"{module}.{name}")
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
                yield f"{names.get(owner, owner)}.{name}"


def _imported(tree: ast.Module) -> Mapping[str, str]:
    return {
        each.asname or each.name: f"{node.module}.{each.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for each in node.names
    }


@cache
def _functions_of_the_store() -> tuple[Mapping[str, ast.FunctionDef], frozenset[str]]:
    """All of them by name, and the names of those that write, themselves or through another."""
    found, called = dict[str, ast.FunctionDef](), dict[str, set[str]]()
    for path in sorted((ROOT / "sync" / "store").rglob("*.py")):
        module, tree = parsed(path)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                found[f"{module}.{node.name}"] = node
                called[f"{module}.{node.name}"] = set(_calls(module, node, _imported(tree)))
    writing = {
        name
        for name, all_called in called.items()
        for each in all_called
        if each in WRITES or each.endswith(".insert")
    }
    while more := {name for name, all_called in called.items() if all_called & writing} - writing:
        writing |= more
    return found, frozenset(writing)


def _takes(function: ast.FunctionDef, proofs: Collection[str]) -> bool:
    every = (*function.args.args, *function.args.kwonlyargs)
    annotations = [ast.unparse(each.annotation) for each in every if each.annotation]
    return bool({word for each in annotations for word in re.findall(r"\w+", each)} & set(proofs))
