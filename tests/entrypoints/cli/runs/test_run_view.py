"""A run of mapping files as `runs show` prints it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sync.entrypoints.cli.runs.run_view import print_run
from sync.store.runs.progress import Progress
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run
from tests.callers import BY


@pytest.mark.supports("E7")
def test_rows_that_need_no_worker_say_who_changes_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody who may do less is not called unchanged beside it."""
    run = Run(
        id="r1",
        kind="mappings",
        state="held",
        source="own",
        source_digest="d",
        fingerprint="f" * 64,
        created_at=datetime(2026, 3, 2, 8, tzinfo=UTC),
        by=BY,
        counts={"update": 0, "unchanged": 1},
        options={},
    )
    row = RunRow(
        number=1,
        original={},
        parsed=None,
        verdict="unchanged",
        changes={"change": {}},
        messages={"who": "Pat", "effects": ["demoted"]},
    )
    print_run(run, [row], Progress("held", 0, 0, 0, {}))
    said = capsys.readouterr().out
    assert "able to do or see less" in said
    assert "unchanged" not in said
    assert "1 by realm apply" in said
    assert said.count("by realm apply") == 2
