"""Who sits at this command line: the login that the kernel keeps, never what the shell says of itself (A7).

LOGNAME, USER and SUDO_USER are variables that anybody sets; sudo and su change the user id, but not the login id.
"""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path

from sync.domain.access.callers import Machine

LOGIN_ID = Path("/proc/self/loginuid")

UNSET = 2**32 - 1
"""What the kernel says where nobody logged in: in containers, and under what was started at boot."""


def this_machine() -> Machine:
    """The login id where there is one, else the real user id; its name on this host if it has one."""
    number = _kept_by_the_kernel(LOGIN_ID)
    if number is None:
        number = os.getuid()
    try:
        login = pwd.getpwuid(number).pw_name
    except KeyError:
        login = None
    return Machine(number, login, socket.gethostname())


def _kept_by_the_kernel(login_id: Path) -> int | None:
    try:
        number = int(login_id.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if number == UNSET else number
