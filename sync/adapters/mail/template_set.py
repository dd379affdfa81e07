"""The templates of the mails: ours, and before them those of a company's own folder.

A folder is read once, at the start of a process, so that a file which is half written or was never checked sends
nothing: `template_check` says whether what was read may be used. Layout: `LANGUAGE/KIND.txt`, `LANGUAGE/KIND.html`
beside it, and `shared/` for what they include. docs/decisions/0037 says why it is a folder.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Final

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

KINDS: Final = ("welcome", "password-reset")
SHARED: Final = "shared"
SUFFIXES: Final = (".txt", ".html")
LARGEST_BYTES: Final = 100_000
"""Of one file: programs cut off larger mails."""


class NoBlock(Exception):
    """A template lacks a block that a mail needs; its argument names it."""


@dataclass(frozen=True, slots=True)
class OwnTemplate:
    """`path` is told to people."""

    path: Path
    source: str


@dataclass(frozen=True)
class Templates:
    """By name, as in `de/welcome.txt`. What `own` lacks is ours."""

    own: Mapping[str, OwnTemplate] = field(default_factory=dict)

    def blocks(self, name: str, values: Mapping[str, object], wanted: Sequence[str]) -> list[str]:
        """What the blocks of a template say. Raises NoBlock for one it has not, and what a template raises."""
        template = self.environment.get_template(name)
        context = template.new_context(dict(values))
        try:
            deque(template.root_render_func(context), maxlen=0)  # what stands outside, such as set and extends
            there = {
                name: "".join(own[0](context)).strip() for name, own in context.blocks.items() if name in wanted
            }
        except Exception:
            self.environment.handle_exception()  # raises it again, with the line of the template
        for block in wanted:
            if block not in there:
                raise NoBlock(block)
        return [there[block] for block in wanted]

    def whole(self, name: str, values: Mapping[str, object]) -> str | None:
        """The template, rendered; None: there is none."""
        return self.environment.get_template(name).render(values) if name in self.own else None

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Those that we have templates for; a company's own folder adds none."""
        return tuple(sorted({name.split("/")[0] for name in _OURS.list_templates()}))

    @cached_property
    def environment(self) -> Environment:
        """A value that is missing is an error, not a blank; in HTML each is escaped, and nothing can say that it
        is safe; a template reaches the values of its mail and nothing else of this process."""
        made = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([_Own(self.own), _OURS]),
            autoescape=_is_html,
            undefined=StrictUndefined,
            trim_blocks=True,
            keep_trailing_newline=True,
        )
        del made.filters["safe"]
        return made


def read(folder: Path, languages: Iterable[str]) -> tuple[Templates, list[str]]:
    """The templates of a folder, and what is wrong with its files, a line each that begins with the path. Nothing
    is rendered."""
    if not folder.is_dir():
        return Templates(), [f"{folder}: is not a folder"]
    known = (*languages, SHARED)
    own: dict[str, OwnTemplate] = {}
    problems: list[str] = []
    for entry in _seen(folder):
        if entry.is_dir():
            if entry.name in known:
                _read_language(entry, own, problems)
            else:
                problems.append(f"{entry}: is no language with mails{_near(entry.name, known)}")
        elif entry.suffix in SUFFIXES:
            problems.append(f"{entry}: stands in no language; put it below {', '.join(known)}")
    for name, each in own.items():
        if each.path.parent.name != SHARED and name.endswith(".html") and f"{name[:-5]}.txt" not in own:
            problems.append(
                f"{each.path}: has no {each.path.stem}.txt beside it; the subject stands there, and the text for "
                "programs that show no HTML"
            )
    return Templates(own), problems


def _read_language(folder: Path, own: dict[str, OwnTemplate], problems: list[str]) -> None:
    names = [f"{kind}{suffix}" for kind in KINDS for suffix in SUFFIXES]
    for path in _seen(folder):
        if folder.name != SHARED and path.name not in names:
            problems.append(f"{path}: is no mail{_near(path.name, names)}")
            continue
        try:
            content = path.read_bytes()
            if len(content) > LARGEST_BYTES:
                problems.append(f"{path}: has more than {LARGEST_BYTES} bytes; programs would cut the mail off")
                continue
            own[f"{folder.name}/{path.name}"] = OwnTemplate(path, content.decode("utf-8"))
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            problems.append(f"{path}:{line}: is not UTF-8: {error.reason}")
        except OSError as error:
            problems.append(f"{path}: cannot be read: {error.strerror}")


def _seen(folder: Path) -> list[Path]:
    """Hidden entries are of the tools that bring the folder here."""
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _near(name: str, known: Iterable[str]) -> str:
    known = tuple(known)
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"


def _is_html(name: str | None) -> bool:
    return name is not None and name.endswith(".html")


class _Own(BaseLoader):
    """Tells Jinja the path, so that its errors name file and line."""

    def __init__(self, own: Mapping[str, OwnTemplate]) -> None:
        self._own = own

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002 - Jinja's
        if template not in self._own:
            raise TemplateNotFound(template)
        found = self._own[template]
        return found.source, str(found.path), lambda: True


_OURS: Final = PackageLoader("sync.adapters.mail")
