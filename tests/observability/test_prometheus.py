"""Prometheus' configuration: valid, every alert tested both ways and explained in the runbook."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from codegen.tests.documents import read_yaml
from devstack.settings import ROOT, service_names
from devstack.testing.components import program

FOLDER = ROOT / "observability" / "prometheus"
RULES = [
    rule
    for file in sorted(FOLDER.glob("rules/*.yml"))
    for group in read_yaml(file)["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
CASES = {case["name"]: case for case in read_yaml(FOLDER / "tests/alerts.yml")["tests"]}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("promtool"), *arguments], capture_output=True, text=True, check=False
    )


def test_the_configuration_and_every_rule_are_valid():
    checked = promtool("check", "config", FOLDER / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_is_quiet_before_and_fires_after():
    tested = promtool("test", "rules", FOLDER / "tests" / "alerts.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_rule_that_never_fires_is_noticed(tmp_path):
    copy = tmp_path / "prometheus"
    shutil.copytree(FOLDER, copy)
    rules = copy / "rules" / "work.yml"
    rules.write_text(rules.read_text().replace("(circuit_breaker_state[", "(circuit["))
    cases = copy / "tests" / "alerts.yml"
    only = read_yaml(cases) | {"tests": [CASES["CircuitOpen"]]}
    cases.write_text(yaml.safe_dump(only))
    tested = promtool("test", "rules", cases)
    assert tested.returncode != 0
    assert "CircuitOpen" in tested.stdout + tested.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_case_with_a_quiet_and_a_firing_moment(name):
    quiet, firing = CASES[name]["promql_expr_test"]
    assert f'alertname="{name}"' in quiet["expr"]
    assert f'alertname="{name}"' in firing["expr"]
    assert [moment["exp_samples"][0]["value"] for moment in (quiet, firing)] == [0, 1]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_and_where_and_leads_to_its_heading_in_the_runbook(name):
    annotations = ALERTS[name]["annotations"]
    assert annotations["summary"]
    assert annotations["description"]
    page, _, anchor = annotations["runbook"].partition("#")
    assert page == "docs/runbook.md"
    headings = [title.lower() for title in re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE)]
    assert headings.count(anchor) == 1


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_severity_that_is_routed(name):
    routes = read_yaml(ROOT / "observability/alertmanager/alertmanager.yml")
    routed = re.findall(r'severity="(\w+)"', str(routes["route"]))
    assert ALERTS[name]["labels"]["severity"] in routed


def test_the_alert_manager_accepts_its_configuration():
    checked = subprocess.run(
        [program("amtool"), "check-config", ROOT / "observability/alertmanager/alertmanager.yml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_leads_to_a_dashboard_that_exists(name):
    path = ALERTS[name]["annotations"]["dashboard"]
    for job in service_names():
        uid = path.replace("{{ $labels.job }}", job).removeprefix("/d/")
        assert (ROOT / "observability" / "grafana" / "dashboards" / f"{uid}.json").exists()
    # A name that is filled in has to be left by the rule.
    if "$labels.job" in path:
        by = re.search(r"\bby \(([^)]*)\)", ALERTS[name]["expr"])
        assert by is None or "job" in by[1]
