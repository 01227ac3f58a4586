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
    for folder in ("deploy", "nginx", "observability")
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
    text = script.read_text()
    # Only bash ends a pipe at its first failure.
    assert ("set -eu\n" if text.startswith("#!/bin/sh\n") else "set -euo pipefail") in text
    found = subprocess.run(
        [program("shellcheck"), "--severity=warning", script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout


def test_secrets_are_made_once_and_only_for_their_owner(tmp_path):
    script = shutil.copy(ROOT / "deploy/docker/secrets.sh", tmp_path)
    folder = tmp_path / "secrets"
    subprocess.run(["bash", script, "product", "user"], check=True, capture_output=True)
    first = {path.name: path.read_text() for path in folder.iterdir()}
    subprocess.run(["bash", script, "product", "user"], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    named = {f for part in PARTS.values() for f in part.get("env_file", ())}
    made = {*first, *(f"{name}.env" for name in service_names())}
    assert {Path(file).name for file in named} <= made
    assert set(COMPOSE["secrets"]) <= set(first)
    assert folder.stat().st_mode & 0o077 == 0
    clients = first["user.env"].split("USER_SERVICE_CLIENTS=")[1].strip()
    assert clients == f"product:{first['product_client_password'].strip()}"
    passwords = [text for name, text in first.items() if name.endswith("_password")]
    assert len(set(passwords)) == len(passwords) >= 7


def test_no_secret_is_in_a_deployment_file():
    text = "\n".join(path.read_text() for path in deployment())
    assert not re.search(
        r"(?i)(password|secret|token)[\"']?\s*[:=]\s*[\"']?[a-z0-9]{8,}[\"']?$", text, re.MULTILINE
    )


def test_what_an_image_is_made_of_is_let_into_its_build():
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    let_in = [
        Path(line[1:]) for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"
    ]
    for source in " ".join(copied).replace("[s]", "s").split():
        assert any(Path(source).is_relative_to(path) for path in let_in), source
        assert (ROOT / source).exists() or source.endswith("wheels")


def test_prometheus_finds_every_service_in_its_container():
    groups = json.loads((ROOT / "deploy/docker/prometheus/targets/compose.json").read_text())
    assert {g["labels"]["job"] for g in groups if g["labels"]["kind"] == "service"} == set(
        service_names()
    )


KUBERNETES = ROOT / "deploy" / "kubernetes"


@pytest.mark.parametrize("name", service_names())
def test_a_service_on_kubernetes_is_probed_limited_and_unprivileged(name):
    found = {
        part["kind"]: part
        for part in yaml.safe_load_all((KUBERNETES / f"base/{name}.yaml").read_text())
        if part
    }
    assert {"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"} <= set(found)
    pod = found["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert "memory" in container["resources"]["limits"]
    named = {port["name"] for port in container["ports"]}
    assert {port["targetPort"] for port in found["Service"]["spec"]["ports"]} <= named


@pytest.mark.parametrize("folder", ["base", "overlays/staging", "overlays/production"])
def test_every_resource_of_a_kustomization_exists(folder):
    at = KUBERNETES / folder
    named = yaml.safe_load((at / "kustomization.yaml").read_text())["resources"]
    assert [name for name in named if not (at / name).exists()] == []


@pytest.mark.parametrize("name", service_names())
def test_a_task_of_ecs_holds_no_secret_only_where_to_get_it(name):
    (container,) = json.loads((ROOT / f"deploy/ecs/{name}.json").read_text())[
        "containerDefinitions"
    ]
    plain = {variable["name"] for variable in container["environment"]}
    kept = {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}
    assert f"{name.upper()}_DATABASE_URL" in kept
    assert not plain & set(kept)
    assert all(place.startswith("${SECRETS_ARN}:") for place in kept.values())


@pytest.mark.parametrize("name", ["ci", "cd"])
def test_a_workflow_asks_for_the_least_and_ends_by_itself(name):
    flow = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())
    assert flow["permissions"]["contents"] == "read"
    for job in flow["jobs"].values():
        for step in job["steps"]:
            assert re.search(r"@v\d", step.get("uses", "x@v1"))
            script = step.get("run", "").split()
            assert (
                not script
                or not script[0].startswith((".ci/", "deploy/"))
                or (ROOT / script[0]).exists()
            )
