"""Deployment files: they follow from the services there are, and what they name exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from lib.testing.components import program
from services._stack.rendered import deployment
from services._stack.settings import ROOT, service_names

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PARTS = COMPOSE["services"]
LASTING = [name for name, part in PARTS.items() if part.get("restart") != "no"]
SCRIPTS = sorted(
    path
    for folder in ("deploy", "observability")
    for path in (ROOT / folder).rglob("*.sh")
    if "secrets" not in path.parts
)


@pytest.mark.parametrize("path", deployment(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_committed_file_is_what_its_template_gives(path):
    assert path.exists(), "run make render"
    assert path.read_text() == deployment()[path], "run make render"


@pytest.mark.parametrize("name", PARTS)
def test_an_image_has_a_version_and_a_lasting_part_has_limits(name):
    image = PARTS[name]["image"]
    assert re.search(r":[^/}]*\d|:local\}?$", image), image
    assert "latest" not in image
    if name in LASTING:
        limits = PARTS[name]["deploy"]["resources"]["limits"]
        assert set(limits) == {"cpus", "memory"}


@pytest.mark.parametrize("name", PARTS)
def test_what_a_part_waits_for_and_mounts_exists(name):
    part = PARTS[name]
    assert set(part.get("depends_on", ())) <= set(PARTS)
    assert set(part["profiles"]) <= {"core", "monitoring", "elk", "docs"}
    for mount in part.get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("./") and "secrets" not in source:
            assert (ROOT / source).exists(), source
        elif not source.startswith(("/", "./")):
            assert source in COMPOSE["volumes"]
    assert set(part.get("secrets", ())) <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", service_names())
def test_a_service_starts_after_its_migrations_without_privileges(name):
    part = PARTS[name]
    assert part["command"] == [f"services.{name}"]
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    if f"migrate-{name}" in PARTS:
        waits = part["depends_on"][f"migrate-{name}"]["condition"]
        assert waits == "service_completed_successfully"


def test_no_port_is_published_twice_or_to_the_world():
    published = [port for part in PARTS.values() for port in part.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert len({port.split(":-")[1] for port in published}) == len(published)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_parses_and_stops_at_the_first_error(script):
    subprocess.run(["bash", "-n", script], check=True)
    assert "set -euo pipefail" in script.read_text()
    found = subprocess.run(
        [program("shellcheck"), "--severity=warning", script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout


def test_secrets_are_made_once_and_only_for_their_owner(tmp_path):
    script = shutil.copy(ROOT / "deploy/docker/secrets.sh", tmp_path)
    folder = tmp_path / "secrets"
    subprocess.run(["bash", script, "user", "point"], check=True, capture_output=True)
    first = {path.name: path.read_text() for path in folder.iterdir()}
    subprocess.run(["bash", script, "user", "point"], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    named = {f for part in PARTS.values() for f in part.get("env_file", ())}
    made = {*first, *(f"{name}.env" for name in service_names())}
    assert {Path(file).name for file in named} <= made
    assert set(COMPOSE["secrets"]) <= set(first)
    passwords = [text for name, text in first.items() if name.endswith("_password")]
    assert len(set(passwords)) == len(passwords) >= 7


def test_no_secret_is_in_a_deployment_file():
    text = "\n".join(path.read_text() for path in deployment())
    assert not re.search(
        r"(?i)(password|secret|token)[\"']?\s*[:=]\s*[\"']?[a-z0-9]{8,}[\"']?$", text, re.MULTILINE
    )


def test_prometheus_finds_every_service_in_its_container():
    groups = json.loads((ROOT / "deploy/docker/prometheus/targets/compose.json").read_text())
    assert {g["labels"]["job"] for g in groups if g["labels"]["kind"] == "service"} == set(
        service_names()
    )
