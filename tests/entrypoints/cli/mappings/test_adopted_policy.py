"""By which files `realm apply` goes: those in force, or none where there are none or nobody can know (E7, C8)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync.commands.mappings.in_force import adopt_first
from sync.domain.errors import Misconfigured, Transient
from sync.settings import Settings
from sync.store import mappings
from sync.store.mappings import Adopted
from sync.wiring.doors import adopted_policy, open_database
from tests.callers import allowed
from tests.entrypoints.web.conftest import MakeSettings, make_settings  # noqa: F401 - a fixture
from tests.world import FIRST

pytestmark = pytest.mark.supports("E7")

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def nothing_adopted(make_settings: MakeSettings, migrated: Path, tmp_path: Path) -> Settings:  # noqa: F811
    """Settings of a database of this version in which nothing was put in force."""
    path = tmp_path / "nothing.db"
    path.write_bytes(migrated.read_bytes())
    return make_settings(database_url=f"sqlite:///{path}")


def test_none_before_there_is_any(
    make_settings: MakeSettings,  # noqa: F811
    nothing_adopted: Settings,
    tmp_path: Path,
) -> None:
    """No database yet, or one where nothing was adopted: the files at hand are all there is."""
    assert adopted_policy(make_settings(database_url=f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}")) is None
    assert adopted_policy(make_settings(database_url=f"sqlite:///{tmp_path / 'empty.db'}")) is None
    assert adopted_policy(nothing_adopted) is None


def test_that_in_force(nothing_adopted: Settings) -> None:
    settings = nothing_adopted
    in_force = adopt_first(open_database(settings), None, FIRST, NOW)
    found = adopted_policy(settings)
    assert found is not None
    assert found.policy.fingerprint == in_force.policy.fingerprint


def test_a_database_that_is_away_is_no_empty_one(make_settings: MakeSettings) -> None:  # noqa: F811
    """Else files could lift the limits they exceed themselves, just while nobody can look."""
    with pytest.raises(Transient, match="our database"):
        adopted_policy(make_settings(database_url="postgresql://fsm@127.0.0.1:9/fsm"))


def test_files_in_force_that_this_version_cannot_read_are_told(nothing_adopted: Settings) -> None:
    with open_database(nothing_adopted).write() as tx:
        mappings.insert(tx, allowed(), Adopted(1, "f", NOW, "lee", "a newer version", {"profiles.toml": "?"}))
    with pytest.raises(Misconfigured, match="do not fit this version"):
        adopted_policy(nothing_adopted)
