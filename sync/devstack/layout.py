"""Where a stack keeps what it has: one folder of its owner's, `.dev` unless FSM_DEV_HOME names another.

Each stack is one folder; several run beside each other. Removing the folder of a stopped stack forgets it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The files and folders of a stack below `home`, which is absolute."""

    home: Path

    @property
    def state(self) -> Path:
        return self.home / "state.json"

    @property
    def lock(self) -> Path:
        return self.home / "lock"

    @property
    def credentials(self) -> Path:
        return self.home / "credentials.json"

    @property
    def settings(self) -> Path:
        return self.home / "settings.toml"

    @property
    def database(self) -> Path:
        return self.home / "fsm-identity.db"

    @property
    def field_service(self) -> Path:
        return self.home / "field-service.db"

    @property
    def keycloak(self) -> Path:
        return self.home / "keycloak"

    @property
    def redis(self) -> Path:
        return self.home / "redis"

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"

    @property
    def mail(self) -> Path:
        return self.home / "mail"

    @property
    def beat_schedule(self) -> Path:
        return self.home / "beat-schedule"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    def log(self, name: str) -> Path:
        """The log of a part or step."""
        return self.logs / f"{name}.log"


def named_folder() -> str | None:
    """The folder that FSM_DEV_HOME names."""
    return os.environ.get("FSM_DEV_HOME") or None


def stack_folder() -> Path:
    """The folder of the stack that commands mean: FSM_DEV_HOME, else `.dev` here."""
    return Path(named_folder() or ".dev").resolve()


def make_home(layout: Layout) -> None:
    """Make the stack's folder, if it is not there, for its owner only: it will hold passwords."""
    layout.home.mkdir(parents=True, exist_ok=True, mode=0o700)
