"""The roll-out on ECS in a real shell, with an `aws` that stores a cluster in files."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from codegen.tests.documents import read_yaml
from devstack.settings import ROOT
from devstack.testing.components import program

SCRIPT = ROOT / "deploy" / "ecs" / "roll-out.sh"
NAMES = sorted(path.stem for path in SCRIPT.parent.glob("*.json"))
DATABASES = sorted(path.name for path in (ROOT / "migrations").iterdir())
ARN = "arn:aws:ecs:eu-west-1:1:"
# Answers as `--query … --output text` gives them; `fail` has patterns of calls that are refused.
AWS = f"""#!/usr/bin/env bash
cd "$STAND_IN" || exit
echo "$*" >> calls
if why=$(grep -o -E -f fail <<< "$*"); then echo "An error occurred: $why" >&2; exit 254; fi
for ((i = 1; i < $#; i++)); do
    next=$((i + 1))
    case ${{!i}} in
        --services | --service) service=${{!next}} ;;
        --tasks | --task-definition) task=${{!next##*[/-]}}; new=${{!next}} ;;
        --cli-input-json) file=${{!next#file://}} ;;
    esac
done
answer() {{ if [[ -e $1 ]]; then cat "$1"; else echo "$2"; fi; }}
case "$2 $*" in
    register-*) name=${{file##*/}}; [[ $file != */migrate/* ]] || name=migrate-$name
        cp "$file" "registered/$name"
        echo "{ARN}task-definition/marketplace-${{name%.json}}:2" ;;
    run-task*) echo "{ARN}task/${{task%:*}}" ;;
    describe-tasks*exitCode*) answer "ends-$task" 0 ;;
    describe-tasks*) answer "reason-$task" "Essential container exited" ;;
    describe-services*) answer "services/$service" None ;;
    update-service*) echo "$new" > "services/$service" ;;
    "wait "*services-stable*) if [[ -d goes-back ]]; then cp goes-back/* services; fi ;;
esac
"""


def revision(name: str, number: int) -> str:
    return f"{ARN}task-definition/marketplace-{name}:{number}"


OLD = {name: revision(name, 1) for name in NAMES}
NEW = {name: revision(name, 2) for name in NAMES}


@dataclass
class Cluster:
    home: Path
    environ: dict[str, str]

    def roll_out(self, *failing: str) -> subprocess.CompletedProcess[str]:
        (self.home / "fail").write_text("".join(f"{pattern}\n" for pattern in failing))
        return subprocess.run(
            ["bash", SCRIPT], env=self.environ, capture_output=True, text=True, check=False
        )

    @property
    def services(self) -> dict[str, str]:
        return {path.name: path.read_text().strip() for path in (self.home / "services").iterdir()}

    @property
    def calls(self) -> list[str]:
        return (self.home / "calls").read_text().splitlines()

    def did(self, verb: str) -> list[str]:
        return [call for call in self.calls if call.startswith(f"ecs {verb} ")]


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    program("envsubst")
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "aws").write_text(AWS)
    (home / "bin" / "aws").chmod(0o755)
    (home / "tmp").mkdir()
    (home / "registered").mkdir()
    (home / "services").mkdir()
    for name in NAMES:
        (home / "services" / name).write_text(OLD[name])
    asked = re.findall(r"\$\{(\w+):\?\}", SCRIPT.read_text())
    environ = {
        **{name: f"a-{name.lower().replace('_', '-')}" for name in asked},
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "STAND_IN": str(home),
        "TMPDIR": str(home / "tmp"),
    }
    return Cluster(home, environ)


def test_every_database_is_migrated_before_the_first_service_is_updated(cluster):
    done = cluster.roll_out()
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"rolled out: {' '.join(NAMES)}\n"
    assert cluster.services == NEW
    verbs = [call.split()[1] for call in cluster.calls]
    last_of_jobs = max(i for i, verb in enumerate(verbs) if verb in {"run-task", "describe-tasks"})
    assert last_of_jobs < verbs.index("update-service")
    # Each by a task of its own, which alone is told of the database's owner.
    given = [re.search(r"--task-definition (\S+)", call)[1] for call in cluster.did("run-task")]
    assert given == [revision(f"migrate-{name}", 2) for name in DATABASES]
    # Each is waited for before its end is asked for, and the next begins.
    assert verbs.count("wait") == len(DATABASES) + 1
    assert cluster.calls[verbs.index("update-service") + len(NAMES)].startswith(
        "ecs wait services-stable"
    )


def test_a_task_is_registered_with_the_site_s_values_and_nothing_is_left_behind(cluster):
    assert cluster.roll_out().returncode == 0
    for name in [*NAMES, *(f"migrate-{name}" for name in DATABASES)]:
        text = (cluster.home / "registered" / f"{name}.json").read_text()
        assert "${" not in text
        assert "a-gateway-image" in text if name == "gateway" else "a-service-image" in text
    assert list((cluster.home / "tmp").iterdir()) == []


@pytest.mark.parametrize("name", re.findall(r"\$\{(\w+):\?\}", SCRIPT.read_text()))
def test_a_variable_that_is_missing_is_named_before_anything_is_done(cluster, name):
    del cluster.environ[name]
    done = cluster.roll_out()
    assert done.returncode != 0
    assert name in done.stderr
    assert not (cluster.home / "calls").exists()


def test_a_definition_that_is_refused_changes_nothing(cluster):
    done = cluster.roll_out("register-task-definition.*order.json")
    assert done.returncode != 0
    assert cluster.services == OLD
    assert cluster.did("run-task") == []


def test_a_service_that_is_not_there_is_named_before_a_database_is_migrated(cluster):
    (cluster.home / "services" / "order").unlink()
    done = cluster.roll_out()
    assert done.returncode != 0
    assert "the cluster a-cluster has no service order" in done.stderr
    assert cluster.did("run-task") == []


@pytest.mark.parametrize(
    ("failing", "ends", "said"),
    [
        (["run-task.*marketplace-migrate-order"], {}, "An error occurred"),
        (["wait tasks-stopped.*task/order"], {}, "the migration of order still runs: arn:"),
        ([], {"ends-order": "3"}, "the migration of order ended with 3: Essential container"),
        ([], {"ends-order": "None", "reason-order": "CannotPullContainerError"},
         "the migration of order ended with None: CannotPullContainerError"),
    ],
    ids=["not started", "never ends", "fails", "has no image"],
)  # fmt: skip
def test_a_migration_that_fails_stops_the_roll_out_before_any_service(cluster, failing, ends, said):
    for file, text in ends.items():
        (cluster.home / file).write_text(text)
    done = cluster.roll_out(*failing)
    assert done.returncode != 0
    assert said in done.stderr
    assert cluster.services == OLD
    assert cluster.did("update-service") == []
    begun = [re.search(r"/marketplace-migrate-(\w+):", call)[1] for call in cluster.did("run-task")]
    assert begun == DATABASES[: DATABASES.index("order") + 1]


def test_an_update_that_is_refused_takes_back_those_before_it(cluster):
    second = NAMES[1]
    done = cluster.roll_out(f"update-service.*--service {second} .*:2$")
    assert done.returncode != 0
    assert cluster.services == OLD
    touched = [call.split("--service ")[1].split()[0] for call in cluster.did("update-service")]
    assert set(touched) == set(NAMES[:2])
    assert "the version before runs again" in done.stderr


def test_services_that_do_not_become_stable_all_go_back(cluster):
    done = cluster.roll_out(f"wait services-stable --cluster a-cluster --services {NAMES[0]} ")
    assert done.returncode != 0
    assert "the new version did not become stable" in done.stderr
    assert cluster.services == OLD
    for name in NAMES:
        assert f"{name} goes back to {OLD[name]}" in done.stderr


def test_one_that_cannot_go_back_does_not_keep_the_others(cluster):
    stuck = NAMES[0]
    done = cluster.roll_out("wait services-stable", f"update-service.*--service {stuck} .*:1$")
    assert done.returncode != 0
    assert cluster.services == OLD | {stuck: NEW[stuck]}
    assert f"{stuck} could not go back" in done.stderr
    assert "the version before runs again" not in done.stderr


def test_a_service_that_went_back_by_itself_takes_the_others_with_it(cluster):
    """After ECS's circuit breaker, the service is stable but not rolled out."""
    (cluster.home / "goes-back").mkdir()
    (cluster.home / "goes-back" / "order").write_text(OLD["order"])
    done = cluster.roll_out()
    assert done.returncode != 0
    assert f"order went back to {OLD['order']} by itself" in done.stderr
    assert cluster.services == OLD


def test_the_workflow_of_a_deployment_runs_from_its_first_script_to_its_last(cluster):
    """Each `run:` as the runner executes it: bash -e, its environment, and the outputs of steps."""
    docker = cluster.home / "bin" / "docker"
    docker.write_text('#!/usr/bin/env bash\necho "$*" >> "$STAND_IN/images"\n')
    docker.chmod(0o755)
    (cluster.home / "fail").touch()
    flow = read_yaml(ROOT / ".github" / "workflows" / "cd.yml")
    job = flow["jobs"]["deploy"]
    assert flow["jobs"][job["needs"]]["uses"] == "./.github/workflows/ci.yml"
    handed_on = cluster.home / "handed-on"
    environ = {name: cluster.environ[name] for name in ("PATH", "STAND_IN", "TMPDIR")} | {
        "GITHUB_SHA": "c0ffee",
        "GITHUB_ENV": str(handed_on),
    }
    for step in job["steps"]:
        if "run" not in step:
            continue
        given = {**job["env"], **step.get("env", {})}
        environ |= {
            name: re.sub(r"\$\{\{.*?(\w+) \}\}", r"a-\1", text) for name, text in given.items()
        }
        environ |= {
            name: json.dumps({"CORS_ORIGINS": "https://app.example.com"})
            for name, text in given.items()
            if text == "${{ toJSON(vars) }}"
        }
        subprocess.run(["bash", "-e", "-c", step["run"]], cwd=ROOT, env=environ, check=True)
        if handed_on.exists():
            environ |= dict(line.split("=", 1) for line in handed_on.read_text().splitlines())
    image = "a-registry/marketplace/{}:c0ffee".format
    assert (cluster.home / "images").read_text().splitlines() == [
        line
        for target in ("service", "gateway")
        for line in (
            f"build --target {target} --tag {image(target)} .",
            f"push {image(target)}",
        )
    ]
    assert cluster.services == NEW
    assert image("service") in (cluster.home / "registered" / "order.json").read_text()
    assert image("gateway") in (cluster.home / "registered" / "gateway.json").read_text()
    assert registered(cluster, "order")["CORS_ORIGINS"] == "https://app.example.com"


def registered(cluster: Cluster, name: str) -> dict[str, str]:
    """Return the environment of the registered task."""
    task = json.loads((cluster.home / "registered" / f"{name}.json").read_text())
    return {each["name"]: each["value"] for each in task["containerDefinitions"][0]["environment"]}


def test_a_setting_of_the_environment_reaches_the_task_and_one_that_is_not_set_is_empty(cluster):
    cluster.environ |= {"RATE_LIMIT": "7", "SETTINGS": '{"RATE_LIMIT": "8", "LOG_LEVEL": "debug"}'}
    done = cluster.roll_out()
    assert done.returncode == 0, done.stderr
    found = registered(cluster, "order")
    assert {name: found[name] for name in ("RATE_LIMIT", "LOG_LEVEL", "CORS_ORIGINS")} == {
        "RATE_LIMIT": "7", "LOG_LEVEL": "debug", "CORS_ORIGINS": "",
    }  # fmt: skip
    assert not [value for value in found.values() if "$" in value]


def test_a_setting_that_would_break_the_description_is_refused_before_anything_happens(cluster):
    cluster.environ["CORS_ORIGINS"] = '"}'
    done = cluster.roll_out()
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "CORS_ORIGINS" in done.stderr
    assert not (cluster.home / "calls").exists()
