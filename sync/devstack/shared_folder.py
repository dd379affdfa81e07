"""A folder that every user of the machine can pass through and only we can write to.

Root's PostgreSQL runs as somebody else, who must reach its files. Everybody may make folders where they stand, so
what is there already is used only if we made it: another's folder, or a link, would turn root's hand elsewhere.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sync.devstack.failure import StackFailure

FOR_EVERYBODY = Path("/var/tmp")  # noqa: S108 - everyone can pass through it; what we put there has its own rights
PASS_THROUGH = 0o711
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class NotOurs(StackFailure):
    """Somebody else has made the folder. The message says which."""


def shared_folder(place: Path = FOR_EVERYBODY) -> Path:
    """The folder below `place`; made if it is missing. Raises NotOurs."""
    folder = place / f"fsm-identity-{os.geteuid()}"
    try:
        folder.mkdir(mode=PASS_THROUGH)
    except FileExistsError:
        found = folder.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if not ours or found.st_mode & WRITABLE_BY_OTHERS:
            raise NotOurs(f"{folder} is not a folder that only we can write to; remove it and try again") from None
    folder.chmod(PASS_THROUGH)
    return folder
