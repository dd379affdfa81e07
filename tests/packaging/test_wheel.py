"""What is installed is whole: the built wheel runs from an empty folder, without the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, built and unpacked by pip as a user's pip does."""
    built, target = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    offline = ("--no-deps", "--no-index")
    subprocess.run(
        (*pip, "wheel", *offline, "--no-build-isolation", "-w", str(built), str(ROOT)), check=True, timeout=120
    )
    [wheel] = built.glob("*.whl")
    subprocess.run((*pip, "install", *offline, "--target", str(target), str(wheel)), check=True, timeout=120)
    return target


def run(installed: Path, folder: Path, *command: str, **settings: str) -> str:
    """Run Python with the wheel in front of everything else, in `folder`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FSM_")}
    done = subprocess.run(
        (sys.executable, *command),
        cwd=folder,
        env={**environment, "PYTHONPATH": str(installed), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


CLI = ("-c", "from sync.entrypoints.cli import main; main()")


@pytest.mark.supports("J1")
def test_the_wheel_runs_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    """The mapping files, the migrations and the commands come with it, and nothing of it is the source tree."""
    where = run(installed, tmp_path, "-c", "import sync, mappings, workers; print(sync.__file__)")
    assert where.startswith(str(installed))
    assert "fingerprint" in run(installed, tmp_path, *CLI, "mappings", "check")
    database = f"sqlite:///{tmp_path / 'empty.db'}"
    run(installed, tmp_path, *CLI, "database", "upgrade", FSM_DATABASE_URL=database)
    assert (tmp_path / "empty.db").stat().st_size > 0
    assert "import" in run(installed, tmp_path, *CLI, "--help")


def test_everything_that_is_read_at_run_time_is_inside(installed: Path) -> None:
    """TOML, templates and styles stand beside the code that reads them; Celery's settings are importable."""
    for pattern, folder in (
        ("*.toml", "mappings"),
        ("*.html", "sync/entrypoints/web/console"),
        ("*.css", "sync/entrypoints/web"),
        ("*.txt", "sync/adapters/mail"),
    ):
        shipped = {path.relative_to(installed) for path in (installed / folder).rglob(pattern)}
        assert shipped == {path.relative_to(ROOT) for path in (ROOT / folder).rglob(pattern)}
        assert shipped
    assert (installed / "celeryconfig.py").read_text() == (ROOT / "celeryconfig.py").read_text()
