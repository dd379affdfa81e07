"""Alert rules and dashboard: they fire, they use metrics that exist, and each says what to do (H3)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from sync.entrypoints.web.exposition import metrics
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.store.operations import figures
from tests.deploy.compose_file import ROOT, read

pytestmark = pytest.mark.supports("H3", "J2")

PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
OF_THE_ROUTE = {"fsm_database_up", "fsm_figures_seconds"}
SUFFIXES = ("_bucket", "_count", "_sum")


def yaml_of(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


RULES = [rule for group in yaml_of(PROMETHEUS / "alerts.yml")["groups"] for rule in group["rules"]]
ALERTS = [rule["alert"] for rule in RULES]
DASHBOARD = json.loads((GRAFANA / "fsm-identity.json").read_text(encoding="utf-8"))
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.fixture
def exposed(tmp_path: Path) -> set[str]:
    """The names of all metrics of a web process that has nothing to tell."""
    url = f"sqlite:///{tmp_path / 'our.db'}"
    schema.upgrade(url)
    database = Database(url, Sealer([Fernet.generate_key().decode()]))
    with database.read() as tx:
        found = figures.read(tx, datetime.now(UTC))
    database.close()
    return {metric.name for metric in metrics(found)} | OF_THE_ROUTE


def used(expressions: list[str]) -> set[str]:
    """The metrics of ours that are named."""
    names = {name for expression in expressions for name in re.findall(r"\bfsm_\w+", expression)}
    return {re.sub(f"({'|'.join(SUFFIXES)})$", "", name) for name in names}


@pytest.mark.parametrize("arguments", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")])
def test_prometheus_own_tool_finds_the_rules_right(arguments: tuple[str, ...]) -> None:
    """Every rule fires when it should, after its time and not before, with the words an operator reads."""
    if shutil.which("promtool") is None:
        assert not os.environ.get("CI"), "promtool is missing (Debian's package prometheus)"
        pytest.skip("NOT RUN: promtool is missing (Debian's package prometheus)")
    done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_test() -> None:
    """A new rule without one is noticed."""
    tested = [
        each["alertname"]
        for test in yaml_of(PROMETHEUS / "alerts.test.yml")["tests"]
        for each in test["alert_rule_test"]
        if each["exp_alerts"]
    ]
    assert sorted(tested) == sorted(ALERTS)


def test_rules_and_dashboard_use_metrics_that_exist(exposed: set[str]) -> None:
    """A rule on a misspelt metric never fires, and a panel stays empty."""
    assert used([rule["expr"] for rule in RULES]) <= exposed
    assert used(EXPRESSIONS) <= exposed


def test_every_metric_is_shown_or_asked(exposed: set[str]) -> None:
    """What nobody looks at need not be read."""
    seen = used([rule["expr"] for rule in RULES]) | used(EXPRESSIONS)
    assert exposed - seen <= NOT_SHOWN


NOT_SHOWN = {
    "fsm_lane_later",
    "fsm_circuit_open_seconds",
    "fsm_deactivations_oldest_age_seconds",
    "fsm_workers_gone",
    "fsm_workers_in_trouble",
    "fsm_troubles",
    "fsm_acts_oldest_age_seconds",
    "fsm_job_overdue_seconds",
}
"""For questions that come up while something is wrong."""


@pytest.mark.parametrize("rule", RULES, ids=ALERTS)
def test_every_alert_leads_to_its_section(rule: dict[str, Any]) -> None:
    """The heading is there, and the section under it says something."""
    file, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert sections(ROOT / file).get(anchor, "").strip(), f"{rule['alert']}: no section {anchor} in {file}"
    assert rule["labels"]["severity"] in {"critical", "warning"}


def sections(path: Path) -> dict[str, str]:
    """Anchor, as GitHub makes it, to the text below the heading."""
    parts = re.split(r"^## (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"): text
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_prometheus_asks_the_web_process_with_its_token() -> None:
    """The address, the port and the secret are those of compose.yaml, and the rules are mounted."""
    compose = read()
    config = yaml_of(PROMETHEUS / "prometheus.yml")
    [ours] = [job for job in config["scrape_configs"] if job["job_name"] == "fsm-identity"]
    assert ours["static_configs"] == [{"targets": ["web:8000"]}]
    secret = ours["authorization"]["credentials_file"].removeprefix("/run/secrets/")
    assert secret in compose.services["web"]["secrets"]
    assert secret in compose.services["prometheus"]["secrets"]
    assert config["rule_files"] == ["alerts.yml"]
    assert "./deploy/prometheus:/etc/prometheus:ro" in compose.services["prometheus"]["volumes"]


def test_grafana_finds_its_dashboard_and_its_source() -> None:
    """Both are mounted where the provisioning looks; every panel asks the source that is provisioned."""
    volumes = read().services["grafana"]["volumes"]
    [provider] = yaml_of(GRAFANA / "provisioning" / "dashboards" / "files.yml")["providers"]
    folder = provider["options"]["path"]
    assert f"./deploy/grafana/fsm-identity.json:{folder}/fsm-identity.json:ro" in volumes
    [source] = yaml_of(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {source["uid"]}


def test_monitoring_is_started_only_when_it_is_asked_for() -> None:
    """Whoever has a Prometheus already does not get a second one."""
    profiles = {name: each["profiles"] for name, each in read().services.items() if "profiles" in each}
    assert profiles == {"prometheus": ["monitoring"], "grafana": ["monitoring"]}
