"""A real Prometheus that reads a stack with our own configuration and rules, only more often."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from sync.devstack.ports import free_ports
from sync.devstack.process import Launch, end, launch, wait_until_ready
from tests.deploy.compose_file import ROOT

OURS = ROOT / "deploy" / "prometheus"


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    port: int

    def ask(self, path: str, **parameters: str) -> Any:
        """What stands under `data` in an answer of its API; anything but success fails the test."""
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}"
        answer = httpx.get(address, params=parameters, trust_env=False, timeout=10)
        assert answer.is_success, f"{path} {parameters}: {answer.text[:300]}"
        return answer.json()["data"]

    def targets(self) -> Mapping[str, str]:
        """Health by job."""
        return {each["labels"]["job"]: each["health"] for each in self.ask("targets")["activeTargets"]}

    def rules(self) -> Mapping[str, tuple[str, str]]:
        """Alert to health and state."""
        groups = self.ask("rules")["groups"]
        return {rule["name"]: (rule["health"], rule["state"]) for group in groups for rule in group["rules"]}


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, str], token: str) -> Iterator[Prometheus]:
    """Read these addresses (by job) with our configuration until the block ends, into `folder`."""
    program = shutil.which("prometheus")
    if program is None:
        assert not os.environ.get("CI"), "prometheus is missing (Debian's package prometheus)"
        pytest.skip("NOT RUN: prometheus is missing (Debian's package prometheus)")
    folder.mkdir()
    (folder / "token").write_text(token)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_for_here(folder, targets)))
    [port] = free_ports(1)
    options = (
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    running = launch(Launch("prometheus", (program, *options), folder / "prometheus.log", folder))
    try:
        wait_until_ready(running, lambda: _ready(port), seconds=60)
        yield Prometheus(port)
    finally:
        end([running])


def _for_here(folder: Path, targets: Mapping[str, str]) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((OURS / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(OURS / each) for each in config["rule_files"]]
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
        if "authorization" in job:
            job["authorization"] = {"credentials_file": str(folder / "token")}
    return config


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready", trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False
