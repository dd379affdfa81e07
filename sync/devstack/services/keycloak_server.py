"""A running Keycloak of a stack: the user's shared installation with data of its own.

Keycloak keeps its data below its home folder. So each stack has a thin home: links to the installation, a
copy of the start script (it finds its home by its own place), and a `data` folder. Several run at once.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx

from sync.devstack.ports import LOOPBACK
from sync.devstack.process import Launch
from sync.devstack.services.java import find_java_home

ADMIN = "admin"
SHARED = ("conf", "lib", "providers", "themes")
SHORT_LIVED = "-XX:TieredStopAtLevel=1"
"""Java compiles quickly instead of thoroughly: a start costs less processor time
(fact: quick-compiling-starts-quickly), and a server that lives for an afternoon does not earn the rest back."""


def thin_home(installation: Path, folder: Path) -> Path:
    """A home in `folder` on the installation; data that is there already stays."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    shutil.copy(installation / "bin" / "kc.sh", folder / "bin" / "kc.sh")
    for name in SHARED:
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(installation / name, target_is_directory=True)
    return folder


def keycloak_launch(
    home: Path, port: int, management_port: int, admin_password: str, log: Path, *, long_lived: bool = False
) -> Launch:
    """How to start Keycloak from a thin home. The administrator is made at the first start only. `long_lived`: as
    a server of production, which Java compiles as well as it can."""
    command = (
        str(home / "bin" / "kc.sh"),
        "start",
        "--optimized",
        "--http-enabled=true",
        f"--http-host={LOOPBACK}",
        f"--http-port={port}",
        f"--http-management-port={management_port}",
        "--hostname-strict=false",
    )
    environment = {
        "JAVA_HOME": str(find_java_home()),
        "JAVA_OPTS_APPEND": "" if long_lived else SHORT_LIVED,
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": admin_password,
    }
    return Launch("keycloak", command, log, home, environment, without=("KC_", "JAVA"))


def keycloak_url(port: int) -> str:
    """The address of the server for people and programs."""
    return f"http://{LOOPBACK}:{port}"


def keycloak_ready(management_port: int) -> bool:
    """Whether Keycloak's own health check says that it serves, its database included."""
    try:
        answer = httpx.get(f"http://{LOOPBACK}:{management_port}/health/ready", timeout=5, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.is_success
