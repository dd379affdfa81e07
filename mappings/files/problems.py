"""What is wrong in a mapping file, said so that the person who edits it can mend it.

Readers collect problems; `mappings.load` raises all of them of all files at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """`line` counts from 1. `nearest` is the valid value that comes nearest, None if none is near."""

    file: str
    line: int
    what: str
    nearest: str | None = None

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}: {self.what}"
        return f'{text}; did you mean "{self.nearest}"?' if self.nearest is not None else text


class MappingErrors(Exception):
    """The mapping files cannot be used. Carries every problem of every file, in the order of files and lines."""

    def __init__(self, problems: Sequence[MappingProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line)))
        count = len(self.problems)
        head = "the mapping files have 1 problem" if count == 1 else f"the mapping files have {count} problems"
        super().__init__("\n  ".join([f"{head}:", *map(str, self.problems)]))


def nearest(wrong: str, valid: Collection[str]) -> str | None:
    """The valid value that is spelled most like the wrong one, without regard to case; None if none is near."""
    folded = {each.casefold(): each for each in valid}
    near = difflib.get_close_matches(wrong.casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None
