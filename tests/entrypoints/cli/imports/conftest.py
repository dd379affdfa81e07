"""What the tests of `fsm-identity import` share: a site whose worker works at every wake, and staff files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from sync.domain.work.lane import Lane
from sync.entrypoints.cli import app
from sync.entrypoints.cli.imports import imports
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from tests.commands.imports.import_sites import import_site, staff_file

Run = Callable[..., Result]


@dataclass
class WorkerAtOnce:
    """A wake that does the work of the bulk lane before it returns, as a quick worker would."""

    systems: Systems | None = None
    busy: bool = False

    def wake(self, lane: Lane) -> None:
        if self.systems is None or self.busy:
            return
        self.busy = True
        while apply_chunk(self.systems) + provision_some(self.systems, lane):
            pass
        self.busy = False


@pytest.fixture
def worker() -> WorkerAtOnce:
    """The worker of these tests; without a site it sleeps."""
    return WorkerAtOnce()


@pytest.fixture
def systems(tmp_path: Path, worker: WorkerAtOnce, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    """What every command of a test gets."""
    with import_site(f"sqlite:///{tmp_path / 'our.db'}", technicians=("T-1",)) as made:
        worked = replace(made, wake=worker)
        worker.systems = worked
        monkeypatch.setattr(imports, "open_desk", lambda: worked)
        yield worked


@pytest.fixture
def run(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command line in an own folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **more: CliRunner().invoke(app, ["import", *arguments], **more)


def staff(tmp_path: Path, *people: dict[str, str], name: str = "staff.csv") -> str:
    (tmp_path / name).write_bytes(staff_file(*people))
    return name
