"""What the TAB key may write next. The words of all commands stand in `words.json` beside this file, and no noun
is loaded for them; `python -m sync.entrypoints.cli.completion.words` writes it anew from the commands themselves.

Names of accounts, profiles and the like come from `values`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("words.json")

Parameter = Mapping[str, Any]
"""An option or argument: its `kind`, which is its name in the code; `flag`: it takes no value; `many`: it may come
again; `choices`: all that it may be; `about`."""

Words = Mapping[str, Mapping[str, Any]]
"""By the words of a command ("" for the whole): what it is `about`, its `options` by name, its `arguments`."""

HELP: Parameter = {"kind": "help", "flag": True, "about": "Show what it takes"}


@dataclass(frozen=True, slots=True)
class Next:
    """What may come next: one of these words, each with what it is about, or a value of this kind. `given` are the
    values that were written before, by their kind."""

    words: tuple[tuple[str, str], ...] = ()
    kind: str | None = None
    given: Mapping[str, str] | None = None


def read() -> Words:
    found: Words = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def following(words: Words, before: Sequence[str], begun: str) -> Next:
    """After the words `before`, where `begun` is written of the next one."""
    command, waits, arguments = "", None, 0
    used, given = set[str](), dict[str, str]()
    for word in before:
        if waits is not None:
            if word != "=":  # some shells tell it as a word of its own
                given[waits["kind"]], waits = word, None
        elif word.startswith("-"):
            used.add(word)
            option = words[command]["options"].get(word, HELP)
            waits = None if option.get("flag") else option
        elif f"{command} {word}".strip() in words:
            command, used, arguments = f"{command} {word}".strip(), set(), 0
        else:
            arguments += 1
    if waits is not None:
        return _values(waits, given)
    if begun.startswith("-"):
        options = words[command]["options"].items()
        return Next(tuple((name, each["about"]) for name, each in options if each.get("many") or name not in used))
    below = [path for path in words if path and path.rpartition(" ")[0] == command]
    if below:
        return Next(tuple((path.rpartition(" ")[2], words[path]["about"]) for path in below))
    takes = words[command]["arguments"]
    if arguments < len(takes):
        return _values(takes[arguments], given)
    return _values(takes[-1], given) if takes and takes[-1].get("many") else Next()


def _values(parameter: Parameter, given: Mapping[str, str]) -> Next:
    if "choices" in parameter:
        return Next(tuple((choice, "") for choice in parameter["choices"]))
    return Next(kind=parameter["kind"], given=given)


def index(command: Any, path: str = "") -> dict[str, Any]:  # noqa: ANN401 - typer's own copy of click
    """The words of a command and of all below it."""
    options = [each for each in command.params if each.param_type_name == "option"]
    found: dict[str, Any] = {
        path: {
            "about": _first_sentence(command.help),
            "options": {name: _parameter(each) for each in options for name in (*each.opts, *each.secondary_opts)}
            | {"--help": HELP},
            "arguments": [_parameter(each) for each in command.params if each.param_type_name == "argument"],
        }
    }
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        found |= index(command.get_command(None, name), f"{path} {name}".strip())
    return found


def _parameter(parameter: Any) -> dict[str, Any]:  # noqa: ANN401
    type_ = getattr(parameter, "type_descriptor", None)
    choices = type_.choices if type_ is not None and type_.is_choice else None
    return {
        "kind": parameter.name,
        **({"flag": True} if getattr(parameter, "is_flag", False) else {}),
        **({"many": True} if getattr(parameter, "multiple", False) or parameter.nargs == -1 else {}),
        **({"choices": [str(getattr(each, "value", each)) for each in choices]} if choices else {}),
        "about": _first_sentence(parameter.help),
    }


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split()).partition(". ")[0].rstrip(".")


def as_text(words: Words) -> str:
    """A line a command."""
    lines = (f" {json.dumps(path)}: {json.dumps(each, ensure_ascii=False)}" for path, each in words.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    from typer.main import get_command

    from sync.entrypoints.cli.nouns import app

    FILE.write_text(as_text(index(get_command(app))), encoding="utf-8")
