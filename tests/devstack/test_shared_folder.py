"""The place where root's PostgreSQL keeps its files: other users of the machine cannot have prepared it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sync.devstack.shared_folder import NotOurs, shared_folder

pytestmark = pytest.mark.supports("J1")


def test_others_pass_through_and_do_not_write(tmp_path: Path) -> None:
    """Made once, found again, and nobody else sees what is in it."""
    made = shared_folder(tmp_path)
    assert stat.S_IMODE(made.stat().st_mode) == 0o711
    (made / "kept").touch()
    assert shared_folder(tmp_path) == made
    assert (made / "kept").exists()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """It may lead to a folder of the system, whose rights would be changed."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    name = shared_folder(tmp_path)
    name.rmdir()
    name.symlink_to(elsewhere)
    with pytest.raises(NotOurs, match="remove it"):
        shared_folder(tmp_path)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700


def test_a_folder_others_can_write_to_is_refused(tmp_path: Path) -> None:
    """What is in it may be theirs: programs that we would start."""
    shared_folder(tmp_path).chmod(0o777)
    with pytest.raises(NotOurs, match="only we can write to"):
        shared_folder(tmp_path)
