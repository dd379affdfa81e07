"""The commands that start workers are pasted side by side: each names its worker, for of two with the same name
only one is seen."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
STARTS = re.compile(r"celery -A workers\.app worker -Q [^\s`\"]+[^`\"\n]*")


def test_each_command_that_starts_a_worker_names_it() -> None:
    """In README, in docs and in what the command line tells to do."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    sources = [path for folder in ("sync", "workers") for path in (ROOT / folder).rglob("*.py")]
    starts = [found for path in (*pages, *sources) for found in STARTS.findall(path.read_text(encoding="utf-8"))]
    assert len(starts) >= 6
    assert [each for each in starts if " -n " not in each] == []
