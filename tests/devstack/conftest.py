"""What the tests of the development stack share."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest


@pytest.fixture
def small_keycloak(tmp_path: Path) -> Path:
    """A small archive laid out like Keycloak's."""
    path = tmp_path / "source.zip"
    with zipfile.ZipFile(path, "w") as content:
        script = zipfile.ZipInfo("keycloak-1.0/bin/kc.sh")
        script.external_attr = 0o755 << 16
        content.writestr(script, '#!/bin/sh\necho "$@" >> "$(dirname "$0")/../built"\n')
        content.writestr("keycloak-1.0/lib/quarkus-run.jar", "jar")
    return path
