"""Deployment files match the schemas of their readers, which installed packages contain."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import kubernetes_validate
import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from codegen.tests.documents import read_yaml_all
from devstack.settings import ROOT
from devstack.testing.components import program

KUBERNETES = "1.33"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
RESOURCES = sorted((ROOT / "deploy" / "kubernetes" / "base").glob("*.yaml"))
DOCKERFILES = [ROOT / "Dockerfile", ROOT / "deploy" / "docker" / "offline" / "Dockerfile"]
BIN = Path(sys.executable).parent


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(
    "path", [p for p in RESOURCES if p.name != "kustomization.yaml"], ids=relative
)
def test_kubernetes_knows_every_field_of_a_resource(path):
    found = [resource for resource in read_yaml_all(path) if resource]
    assert found
    for resource in found:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)


def test_a_misspelt_field_is_found():
    resource = deepcopy(read_yaml_all(RESOURCES[0].parent / "user.yaml")[0])
    resource["metadata"]["lables"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("github-workflows", WORKFLOWS),
        ("dependabot", [ROOT / ".github" / "dependabot.yml"]),
        ("compose-spec", [ROOT / "docker-compose.yml"]),
    ],
    ids=["workflows", "dependabot", "compose"],
)
def test_a_file_fits_its_schema(schema, paths):
    assert paths
    command = [BIN / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def linted(*paths: Path) -> subprocess.CompletedProcess[str]:
    """Return a workflow linter's output: expressions, inputs of actions, permissions, scripts."""
    return subprocess.run(
        [BIN / "jactionlint", "--shellcheck", program("shellcheck"), *paths],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_workflow_has_no_fault_that_a_linter_knows():
    found = linted()
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("steps.registry.outputs", "steps.registri.outputs", "undefined-property"),
        ("persist-credentials:", "persist-credential:", "unknown-action-input"),
        ("cancel-in-progress:", "cancel-in-progres:", "workflow-syntax"),
        ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v6", "unpinned-uses"),
        ('"$target" --tag', "$(ls) --tag", "shellcheck"),
    ],
)
def test_the_linter_of_workflows_finds(tmp_path, right, wrong, rule):
    text = (ROOT / ".github/workflows/cd.yml").read_text()
    assert right in text
    broken = tmp_path / "cd.yml"
    broken.write_text(text.replace(right, wrong))
    found = linted(broken)
    assert found.returncode == 1, found.stdout + found.stderr
    assert f"[{rule}]" in found.stdout


@pytest.mark.parametrize("path", DOCKERFILES, ids=relative)
def test_a_dockerfile_has_no_fault_that_a_linter_knows(path):
    checked = subprocess.run(
        [BIN / "hadolint", "--failure-threshold", "warning", path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


@pytest.fixture(scope="module")
def task_shape() -> Shape:
    """Return AWS's own schema of a task definition."""
    model = ServiceModel(Loader().load_service_model("ecs", "service-2"))
    return model.operation_model("RegisterTaskDefinition").input_shape


@pytest.mark.parametrize("path", sorted((ROOT / "deploy/ecs").rglob("*.json")), ids=relative)
def test_ecs_knows_every_field_of_a_task(path, task_shape):
    task = json.loads(path.read_text())
    assert not (report := ParamValidator().validate(task, task_shape)).has_errors(), (
        report.generate_report()
    )
    task["containerDefinitions"][0]["imagge"] = ""
    assert ParamValidator().validate(task, task_shape).has_errors()
