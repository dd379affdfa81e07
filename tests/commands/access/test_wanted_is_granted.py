"""What a command writes of what is wanted takes what authority granted; no function of the store is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.req("I4", "A7")

ROOT = Path(__file__).parents[3]

FOLLOWS = "it follows from an account or an act that was granted in the same transaction"
LOOK = "workers look, and find nothing else wanted than before"
PAGES = "pages of a run that nothing acts on before it is confirmed"
OURS = "what we keep of our own work"

NOT_WANTED: Mapping[str, str] = {
    "accounts.passwords.keep": FOLLOWS,
    "accounts.passwords.keep_all": FOLLOWS,
    "audit.audit": "it says what was granted",
    "audit.audit_all": "it says what was granted",
    "audit.record_assignments": "it says what was granted",
    "mail.outbox.enqueue": FOLLOWS,
    "mail.outbox.enqueue_all": FOLLOWS,
    "mail.outbox.give_up": FOLLOWS,
    "mail.outbox.readdress": FOLLOWS,
    "operations.troubles.clear": OURS,
    "operations.troubles.note": OURS,
    "provisioning.due.look_after_leases": LOOK,
    "provisioning.due.look_again": LOOK,
    "provisioning.due.look_again_many": LOOK,
    "provisioning.due.mark_all_due": FOLLOWS,
    "provisioning.due.mark_due": FOLLOWS,
    "provisioning.looks.ask": LOOK,
    "runs.pushes.count": OURS,
    "runs.pushes.forget": OURS,
    "runs.run_rows.add_rows": PAGES,
    "runs.runs.end": "the run is refused while its pages are written",
    "runs.runs.written": PAGES,
    "schedule.hasten": "what comes round anyway comes sooner",
    "schedule.register": "what comes round anyway comes sooner",
}
"""What commands call and that takes no Granted, and why it needs none."""


def parsed(path: Path) -> tuple[str, ast.Module]:
    """The module's name and its tree."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(path.read_text(encoding="utf-8"))


def calls(module: str, tree: ast.AST, names: Mapping[str, str]) -> Iterator[str]:
    """What is called, by its full name as far as the imports say it."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                yield names.get(name, f"{module}.{name}")
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
                yield f"{names.get(owner, owner)}.{name}"


def imported(tree: ast.Module) -> Mapping[str, str]:
    return {
        each.asname or each.name: f"{node.module}.{each.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for each in node.names
    }


def functions_of_the_store() -> tuple[Mapping[str, ast.FunctionDef], frozenset[str]]:
    """All of them by name, and the names of those that write, themselves or through another."""
    found, called = dict[str, ast.FunctionDef](), dict[str, set[str]]()
    for path in sorted((ROOT / "sync" / "store").rglob("*.py")):
        module, tree = parsed(path)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                found[f"{module}.{node.name}"] = node
                called[f"{module}.{node.name}"] = set(calls(module, node, imported(tree)))
    writing = {
        name
        for name, all_called in called.items()
        for each in all_called
        if each in {"sqlalchemy.update", "sqlalchemy.delete", "sync.store.database.upserts.upsert"}
        or each.endswith(".insert")
    }
    while more := {name for name, all_called in called.items() if all_called & writing} - writing:
        writing |= more
    return found, frozenset(writing)


def takes_granted(function: ast.FunctionDef) -> bool:
    every = (*function.args.args, *function.args.kwonlyargs)
    return any("Granted" in ast.unparse(each.annotation) for each in every if each.annotation)


def test_no_command_writes_what_is_wanted_without_having_asked() -> None:
    """Whatever is new in the store and called by a command takes a Granted, or says here why it needs none."""
    found, writing = functions_of_the_store()
    called = {
        name
        for path in (ROOT / "sync" / "commands").rglob("*.py")
        for module, tree in [parsed(path)]
        for name in calls(module, tree, imported(tree))
    }
    without = {name for name in called & writing if not takes_granted(found[name])}
    assert {name.removeprefix("sync.store.") for name in without} == NOT_WANTED.keys()
    granted = {name.removeprefix("sync.store.") for name in called & writing} - NOT_WANTED.keys()
    assert {"accounts.accounts.update", "runs.runs.confirm", "work.circuits.put", "mappings.insert"} <= granted


def test_nobody_but_authority_makes_what_is_granted() -> None:
    """A class of its own would say yes without having asked."""
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("sync", "workers", "mappings")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(parsed(path)[1])
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if ast.unparse(base).rpartition(".")[2] in {"Granted", "GrantedAccount", "_Granted", "_GrantedAccount"}
    }
    assert found == {"sync/commands/access/authority.py", "sync/domain/access/granted.py"}
