"""The roll-out on Kubernetes in a real shell, with a `kubectl` that records its input."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from codegen.tests.documents import read_yaml_all
from devstack.settings import ROOT, service_names

FOLDER = ROOT / "deploy" / "kubernetes"
DEPLOYMENTS = sorted(("gateway", *service_names()))
# `kustomize` is answered with the base, as the real one fills an overlay in.
KUBECTL = """#!/usr/bin/env bash
cd "$STAND_IN" || exit
echo "$*" >> calls
if [[ -s fail ]] && grep -q -E -f fail <<< "$*"; then echo "refused" >&2; exit 1; fi
case "$*" in
    kustomize*) cat resources ;;
    *" apply "*) cat > "applied-$(ls applied-* 2> /dev/null | wc -l)" ;;
    *" get jobs "*) if [[ -e later ]]; then mv later jobs; echo migrate-user=; else cat jobs; fi ;;
    *" get deployment "*) echo -n 7 ;;
    *" logs "*) echo "relation exists" ;;
esac
"""


@dataclass
class Cluster:
    home: Path
    environ: dict[str, str]

    def roll_out(self, *arguments: str, failing: str = "") -> subprocess.CompletedProcess[str]:
        (self.home / "fail").write_text(failing)
        return subprocess.run(
            ["bash", FOLDER / "roll-out.sh", *(arguments or ("staging", "c0ffee"))],
            env=self.environ, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def calls(self) -> list[str]:
        text = (self.home / "calls").read_text()
        return [call.removeprefix("--namespace shop ") for call in text.splitlines()]

    def did(self, verb: str) -> list[str]:
        return [call for call in self.calls if call.startswith(verb)]


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl").write_text(KUBECTL)
    (tmp_path / "bin" / "kubectl").chmod(0o755)
    parts = [
        part
        for file in sorted((FOLDER / "base").glob("[!k]*.yaml"))
        for part in read_yaml_all(file)
        if part
    ]
    for part in parts:
        part["metadata"]["namespace"] = "shop"
    text = yaml.safe_dump_all(parts).replace("marketplace/service", "r/service:set-by-the-pipeline")
    (tmp_path / "resources").write_text(text)
    (tmp_path / "jobs").write_text("".join(f"migrate-{n}=Complete\n" for n in service_names()))
    environ = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "STAND_IN": str(tmp_path),
        "MIGRATION_SECONDS": "1",
    }
    return Cluster(tmp_path, environ)


def test_the_migrations_have_succeeded_before_anything_else_is_applied(cluster):
    (cluster.home / "later").write_text((cluster.home / "jobs").read_text())
    cluster.environ["MIGRATION_SECONDS"] = "60"
    done = cluster.roll_out()
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(":")[0] == "rolled out c0ffee"
    assert sorted(done.stdout.split(":")[1].split()) == DEPLOYMENTS
    verbs = [call.split()[0] for call in cluster.calls]
    assert verbs[:5] == ["kustomize", "delete", "apply", "get", "get"]  # once it was not ready
    jobs, rest = cluster.did("apply")
    assert "component=migration" in jobs
    assert "--selector" not in rest
    assert verbs.index("get") < cluster.calls.index(rest)
    waited = {re.search(r"deployment/(\w+)", call)[1] for call in cluster.did("rollout status")}
    assert sorted(waited) == DEPLOYMENTS
    applied = (cluster.home / "applied-1").read_text()
    assert "set-by-the-pipeline" not in applied
    assert "r/service:c0ffee" in applied


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("migrate-user=FailureTarget Failed", "nothing was rolled out: migrate-user"),
        ("migrate-user=", "still run after 1 seconds, nothing was rolled out: migrate-user="),
    ],
    ids=["fails", "never ends"],
)
def test_a_migration_that_does_not_succeed_stops_the_roll_out(cluster, state, said):
    (cluster.home / "jobs").write_text(f"migrate-chat=SuccessCriteriaMet Complete\n{state}\n")
    done = cluster.roll_out()
    assert done.returncode == 1
    assert said in done.stderr
    assert ("relation exists" in done.stderr) is ("Failed" in state)
    assert len(cluster.did("apply")) == 1


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ("rollout status deployment/order", "order did not become ready; all go back"),
        ("apply --filename", "not everything was accepted; all go back"),
        ("rollout status deployment/order|rollout undo deployment/chat", "chat could not go back"),
    ],
)
def test_what_does_not_become_ready_takes_all_back_to_what_they_were(cluster, failing, said):
    done = cluster.roll_out(failing=failing)
    assert done.returncode == 1
    assert said in done.stderr
    undone = {re.search(r"deployment/(\w+) --to-revision 7", call)[1] for call in
              cluster.did("rollout undo")}  # fmt: skip
    assert sorted(undone) == DEPLOYMENTS


@pytest.mark.parametrize("arguments", [("staging",), ("nowhere", "a"), ("staging", "a b/$(id)")])
def test_a_wrong_argument_is_refused_in_a_sentence(cluster, arguments):
    done = cluster.roll_out(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert not (cluster.home / "calls").exists()
