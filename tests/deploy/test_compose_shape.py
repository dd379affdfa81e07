"""compose.yaml is a compose file, and what it starts is closed, watched and pinned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sync.settings import KEYCLOAK_VERSION
from tests.deploy.compose_file import ROOT, read

pytestmark = pytest.mark.supports("J2")

COMPOSE = read()
SERVICES = sorted(COMPOSE.services)
ONE_SHOT = {"migrate", "mappings", "realm"}

SERVICE_KEYS = {
    "build", "cap_drop", "command", "depends_on", "entrypoint", "environment", "healthcheck", "image", "networks",
    "ports", "profiles", "read_only", "restart", "secrets", "security_opt", "stop_grace_period", "tmpfs", "user",
    "volumes",
}  # fmt: skip
"""The keys of the Compose Specification that this file uses, so that a misspelt one is noticed."""
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


def test_it_is_a_compose_file() -> None:
    """Only sections of the Compose Specification, `x-` extensions apart."""
    sections = {key for key in COMPOSE.document if not key.startswith("x-")}
    assert sections == {"name", "services", "networks", "volumes", "secrets"}
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", COMPOSE.document["name"])


def test_the_production_shape_is_complete() -> None:
    """Keycloak, PostgreSQL, Redis, web, workers, beat, Flower, a mail catcher, what sets them up, what watches."""
    assert set(SERVICES) == {
        "postgres", "redis", "keycloak", "migrate", "mappings", "realm", "web", "worker-interactive",
        "worker-bulk", "worker-reconcile", "beat", "flower", "mail", "prometheus", "grafana",
    }  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_spelt_as_compose_wants_it(name: str) -> None:
    """Known keys of the right type; networks, volumes and secrets that are declared; dependencies that exist."""
    service = COMPOSE.services[name]
    assert set(service) <= SERVICE_KEYS
    for key in ("command", "entrypoint"):
        assert all(isinstance(word, str) for word in service.get(key, []))
    assert all(isinstance(value, str) for value in service.get("environment", {}).values())
    assert set(service["networks"]) <= set(COMPOSE.document["networks"])
    assert set(service.get("secrets", [])) <= set(COMPOSE.document["secrets"])
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE.document["volumes"] or (ROOT / source).exists()
    for needed, how in service.get("depends_on", {}).items():
        assert how["condition"] in CONDITIONS
        one_shot = how["condition"] == "service_completed_successfully"
        assert one_shot == (needed in ONE_SHOT)
        assert one_shot or "healthcheck" in COMPOSE.services[needed]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_watched_and_comes_back(name: str) -> None:
    """Whatever keeps running has a health check and comes back; what runs once is tried again if it failed."""
    service = COMPOSE.services[name]
    if name in ONE_SHOT:
        assert service["restart"] == "on-failure"
        return
    assert service["restart"] == "unless-stopped"
    check = service["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    seconds = {key: int(check[key].removesuffix("s")) for key in ("interval", "timeout")}
    assert seconds["timeout"] <= seconds["interval"]


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned(name: str) -> None:
    """Every image has a version; ours is built from this tree and has its version."""
    image, _, tag = COMPOSE.services[name]["image"].rpartition(":")
    assert image
    assert re.match(r"v?\d", tag)
    if image.startswith("fsm-identity"):
        version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
        assert version
        assert tag == version[1]
        assert (ROOT / COMPOSE.services[name]["build"]["dockerfile"]).is_file()


def test_keycloak_is_the_one_that_is_tested() -> None:
    """One version in settings.py, in the development stack and here."""
    assert COMPOSE.services["keycloak"]["image"] == f"quay.io/keycloak/keycloak:{KEYCLOAK_VERSION}"


def test_only_what_people_open_has_a_port_and_on_the_loopback_only() -> None:
    """A proxy with TLS stands before them; databases and workers are reached by nobody outside."""
    open_ports = {name: each["ports"] for name, each in COMPOSE.services.items() if "ports" in each}
    assert set(open_ports) == {"web", "keycloak", "flower", "mail", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in open_ports.values() for port in ports)
    for name in ("postgres", "redis"):
        assert COMPOSE.services[name]["networks"] == ["inside"]
    assert COMPOSE.document["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", [*sorted(COMPOSE.ours()), "flower"])
def test_our_containers_have_few_rights(name: str) -> None:
    """Not root, nothing to write but /tmp, no capabilities."""
    service = COMPOSE.services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_image_ends_as_somebody_without_rights() -> None:
    """The last word on the user in each stage that is run is a number other than 0."""
    stages = re.split(r"^FROM ", (ROOT / "deploy" / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    users = {
        re.split(r"\s", stage)[2] if " AS " in stage.splitlines()[0] else "": re.findall(
            r"^USER (\S+)", stage, re.MULTILINE
        )
        for stage in stages
    }
    assert users["runtime"][-1] == users["flower"][-1] == "10001"
    assert stages[-1].strip() == "runtime"


def test_no_secret_stands_in_the_file() -> None:
    """Secrets are files; no environment variable holds one, and no password stands in a command."""
    for service in COMPOSE.services.values():
        for name in service.get("environment", {}):
            assert not re.search(r"SECRET(?!S_DIR)|PASSWORD(?!__?FILE)|_KEYS?$", name), name
    assert all(set(source) == {"file"} for source in COMPOSE.document["secrets"].values())


def test_the_image_gets_what_it_copies() -> None:
    """What the Dockerfile copies exists and is let through by the ignore file beside it."""
    let_through = {
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source in let_through or str(Path(source).parent) in let_through, source
