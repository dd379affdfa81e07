"""Every command that a page or a message of ours names exists, with the options it is named with (H3).

A page names commands in code spans and code blocks. A message of the program names them in running text; of those
only noun, verb and the options right after them are read.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from sync.entrypoints.cli import NOUNS, app
from tests.deploy.compose_file import ROOT

pytestmark = pytest.mark.supports("H3")

ROOT_COMMAND = get_command(app)
PAGES = sorted(
    [
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "docs" / "decisions").glob("*.md"),
        *(ROOT / page for page in ("README.md", "CONTRIBUTING.md", "deploy/README.md")),
    ]
)
MODULES = sorted(path for folder in ("sync", "workers", "mappings") for path in (ROOT / folder).rglob("*.py"))
SPAN = re.compile(r"`([^`]+)`")
IN_TEXT = re.compile(r"fsm-identity ([a-z-]+) ([a-z-]+)((?: --[a-z-]+)*)")


def commands_of_page(text: str) -> Iterator[str]:
    """What a reader would type after `fsm-identity`, from its spans and from the prompts in its blocks."""
    parts = re.split(r"^```.*$", text, flags=re.MULTILINE)
    for block in parts[1::2]:
        for line in block.splitlines():
            if (found := re.match(r"(?:\$ )?(?:FSM_\w+=\S+ )?fsm-identity (.+)", line)) is not None:
                yield found[1].split("  ")[0].split(" # ")[0]
    for prose in parts[0::2]:
        for span in SPAN.findall(prose):
            words = " ".join(span.split()).removeprefix("fsm-identity ")
            if words.split()[0] in NOUNS and " " in words:
                yield words


def wrong_with(words: str) -> str | None:
    """What the command line would not understand; placeholders and what is left out (…) are no fault."""
    given = shlex.split(re.sub(r"[\[\]]|(?<=\w)…", "", words.replace("\\|", "|")))
    command: Any = ROOT_COMMAND
    while isinstance(command, TyperGroup) and given and not given[0].startswith("-"):
        [word, *given] = given
        found = [command.get_command(None, each) for each in word.split("|")]  # type: ignore[arg-type]
        if None in found:
            return f"there is no command {word!r}"
        command = found[-1]
    if isinstance(command, TyperGroup):
        return "the command is not named whole" if any(each.startswith("-") for each in given) else None
    known = {name for parameter in command.params for name in parameter.opts if name.startswith("-")} | {"--help"}
    unknown = [each for each in given if each.startswith("-") and each not in known]
    return f"there is no option {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_commands_that_exist(page: Path) -> None:
    """What a page says to type is understood."""
    found = {words: wrong_with(words) for words in commands_of_page(page.read_text(encoding="utf-8"))}
    assert {words: fault for words, fault in found.items() if fault} == {}


def test_messages_name_commands_that_exist() -> None:
    """A remedy can be followed as it is printed."""
    named = {
        f"{noun} {verb}{options}": path
        for path in MODULES
        for noun, verb, options in IN_TEXT.findall(path.read_text(encoding="utf-8"))
        if noun in NOUNS
    }
    assert named
    assert {words: path for words, path in named.items() if wrong_with(words)} == {}


def test_a_wrong_command_is_noticed() -> None:
    """The test itself sees a verb and an option that are not there, wherever they stand."""
    assert wrong_with("ops stat") is not None
    assert wrong_with("runs list --hold") is not None
    assert wrong_with("ops circuit probe|open|close NAME") is None
    assert list(commands_of_page("see `runs\nlist --held`\n```\n$ fsm-identity ops status   # all\n```\n")) == [
        "ops status",
        "runs list --held",
    ]


@pytest.mark.parametrize("noun", NOUNS)
def test_only_the_command_itself_sets_up_completion(noun: str) -> None:
    """`fsm-identity ops --install-completion` would set up a command "fsm-identity ops", which nobody has."""
    command = ROOT_COMMAND.get_command(None, noun)  # type: ignore[attr-defined]
    assert "--install-completion" not in {name for parameter in command.params for name in parameter.opts}
