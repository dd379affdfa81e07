"""The passwords and keys of a stack: made at its first start, kept in a file that only the owner can read."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from cryptography.fernet import Fernet


def _password() -> str:
    return secrets.token_urlsafe(18)


@dataclass(frozen=True)
class Credentials:
    """One value for each place; no two places share one. `secret_key` is a Fernet key."""

    keycloak_admin: str = field(default_factory=_password, repr=False)
    redis: str = field(default_factory=_password, repr=False)
    postgres: str = field(default_factory=_password, repr=False)
    worker_client: str = field(default_factory=_password, repr=False)
    import_client: str = field(default_factory=_password, repr=False)
    configure_client: str = field(default_factory=_password, repr=False)
    console_client: str = field(default_factory=_password, repr=False)
    flower: str = field(default_factory=_password, repr=False)
    mail_page: str = field(default_factory=_password, repr=False)
    metrics: str = field(default_factory=_password, repr=False)
    secret_key: str = field(default_factory=lambda: Fernet.generate_key().decode(), repr=False)


def credentials_in(path: Path) -> Credentials:
    """The credentials of the file; what is not in it (all, at the first start) is made and written now."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known = {each.name for each in fields(Credentials)}
    found = Credentials(**{name: kept[name] for name in known & kept.keys()})
    if known - kept.keys():
        write_private(path, json.dumps(asdict(found), indent=2))
    return found


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, complete or not at all."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
