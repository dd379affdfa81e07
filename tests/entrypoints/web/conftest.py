"""The console on an empty database, with or without a real Keycloak behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from sync.settings import Settings
from tests.entrypoints.web.keycloak_login import PUBLIC_URL
from tests.world import set_up

MakeSettings = Callable[..., Settings]


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """Settings of a console whose database is ready; what it depends on answers nowhere unless told so."""
    database_url = f"sqlite:///{tmp_path / 'console.db'}"
    set_up(database_url)

    def make(keycloak: dict[str, Any] | None = None, **changes: Any) -> Settings:
        values = {
            "database_url": database_url,
            "redis_url": "redis://:hidden-password@127.0.0.1:9/0",
            "field_service_url": f"sqlite:///{tmp_path / 'fsm.db'}",
            "secret_keys": Fernet.generate_key().decode(),
            "public_url": PUBLIC_URL,
            "mail": {"login_url": PUBLIC_URL},
            "keycloak": {"url": "http://127.0.0.1:9", "console_secret": "hidden-secret", **(keycloak or {})},
        }
        return Settings.model_validate(values | changes)

    return make
