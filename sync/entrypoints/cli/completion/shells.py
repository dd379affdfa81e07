"""Answers the TAB key of a shell: typer speaks with the shells, the words come from `words` and `values`."""

from __future__ import annotations

from typing import Any

from typer.completion import get_completion_inspect_parameters
from typer.core import TyperGroup

from sync.entrypoints.cli.completion.words import following, read


class WholeLine(TyperGroup):
    """Stands for the whole command line while a line is written."""

    before: tuple[str, ...] = ()

    def make_context(self, info_name: Any, args: list[str], *more: Any, **how: Any) -> Any:  # noqa: ANN401
        """The words before the one that is written are read by `following`, not by click."""
        self.before = tuple(args)
        return super().make_context(info_name, [], *more, **how)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ANN401, ARG002 - typer's own click
        from typer._click.shell_completion import CompletionItem

        found = following(read(), self.before, incomplete)
        words = tuple((word, about) for word, about in found.words if word.startswith(incomplete))
        if found.kind is not None:
            from sync.entrypoints.cli.completion.values import proposed

            words = proposed(found.kind, incomplete, found.given or {})
        return [CompletionItem(word, help=about) for word, about in words]


def answer() -> None:
    """What the shell asked for is printed; the process ends."""
    get_completion_inspect_parameters()  # it makes the shells known to click
    WholeLine(name="fsm-identity", invoke_without_command=True).main(prog_name="fsm-identity")
