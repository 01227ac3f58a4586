"""The Makefile: every target has a description, and make can run it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from codegen.tests.documents import read_yaml
from devstack.settings import ROOT


def make(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def asked(*targets: str) -> subprocess.CompletedProcess[str]:
    """Return the commands that make would run."""
    return make("--dry-run", *targets)


def described() -> list[str]:
    """Return the targets that `make help` explains."""
    return re.findall(r"^  ([a-z][a-z0-9<>-]*)  +\S", make("help").stdout, re.MULTILINE)


def test_every_target_is_explained_by_make_help():
    phony = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(" ".join(phony).split()) == sorted(described())


@pytest.mark.parametrize("target", described())
def test_make_knows_how_to_do_what_it_explains(target):
    said = asked(target.replace("<svc>", "user"), "db=user", "svc=user", "name=add_x")
    assert said.returncode == 0, said.stderr
    assert said.stdout
    assert "is not one of" not in said.stdout


@pytest.mark.parametrize(
    ("target", "does"),
    [
        ("build", "docker compose --profile core build"),
        ("docker-up", "up --wait"),
        ("docker-down", "down"),
        ("docker-clean", "down --volumes --rmi local"),
        ("lint", "ruff check"),
        ("run-user", "-m services.user"),
        ("test-order", "-m pytest tests/services/order"),
        ("test-repo", "-m pytest -m repo"),
        ("test-long", "-m pytest --long"),
        ("cover", "-m pytest --cov"),
        ("test-race", "PYTHONASYNCIODEBUG=1"),
    ],
)
def test_make_knows_what_the_older_systems_makefiles_did(target, does):
    said = asked(target)
    assert said.returncode == 0, said.stderr
    assert does in said.stdout


def test_one_database_or_all_of_them_are_migrated():
    databases = sorted(path.name for path in (ROOT / "migrations").iterdir() if path.is_dir())
    assert f"for name in {' '.join(databases)}; do" in asked("migrate-up", "db=all").stdout
    assert "for name in user; do" in asked("migrate-up", "db=user").stdout
    refused = asked("migrate-down", "db=all").stdout  # one at a time is undone
    assert "db=all is not one of" in refused


def test_files_are_read_as_utf8_whatever_the_terminal_speaks():
    done = subprocess.run(
        ["make", "--eval=x:; @$(PY) -c 'import sys; print(sys.flags.utf8_mode)'", "x"],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert done.stdout == "1\n"


@pytest.mark.parametrize(
    ("target", "lock"),
    [
        ("run", "requirements.lock"),
        ("run-user", "requirements.lock"),
        ("migrate-up", "requirements.lock"),
        ("test", "requirements-dev.lock"),
        ("check", "requirements-dev.lock"),
    ],
)
def test_what_only_runs_installs_no_more_than_what_runs(target, lock):
    said = asked("LOCAL=no-run", "READY=no-test", target, "db=user").stdout
    assert re.findall(r"\.ci/install (\S+)", said) == [lock]


def test_a_run_takes_away_nothing_that_the_tests_installed(tmp_path):
    said = asked("LOCAL=no-run", f"READY={tmp_path}", "run").stdout
    assert re.findall(r"\.ci/install (\S+)", said) == ["requirements-dev.lock"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree whose Python and uv only record their calls; uv's output is in `uv-says`."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "install", tmp_path / ".ci")
    shutil.copy(ROOT / "requirements-dev.lock", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "uv-says").write_text("true")
    for name, last in (("python", "true"), ("pip", "true"), ("uv", ". ./uv-says")):
        program = tmp_path / ".venv" / "bin" / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> asked\n{last}\n')
        program.chmod(0o755)
    return tmp_path


def installed(tree: Path) -> tuple[list[str], str]:
    """Install there; return the last calls, and the messages about problems."""
    done = subprocess.run(
        ["bash", tree / ".ci" / "install", "wanted.lock"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    asked = [line.split() for line in (tree / "asked").read_text().splitlines()]
    return [f"{words[0]} {words[-1]}" for words in asked], done.stderr


def test_uv_installs_by_hash_and_is_itself_installed_by_hash(tree):
    asked, said = installed(tree)
    assert asked == ["python .venv/uv.lock", "uv .venv/bin/python", "uv .venv/bin/python"]
    assert said == ""
    lines = (tree / "asked").read_text().splitlines()
    assert all("--require-hashes" in line for line in lines[:2])
    of_uv = (tree / ".venv" / "uv.lock").read_text()
    assert re.findall(r"^\w+(?===)", of_uv, re.MULTILINE) == ["uv"]
    assert "--hash=sha256:" in of_uv


def test_where_uv_cannot_work_pip_installs_by_hash_and_a_line_says_why(tree):
    (tree / "uv-says").write_text("echo 'no route to the index' >&2; exit 2")
    asked, said = installed(tree)
    assert asked[2:] == ["python wanted.lock", "python codegen"]
    assert "--require-hashes" in (tree / "asked").read_text().splitlines()[2]
    assert said.splitlines() == [
        "uv cannot install here (no route to the index): pip does, which takes longer"
    ]


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ("error: [Errno 2] No such file or directory: 'gcc'", "there is no C compiler"),
        ("error: command '/usr/bin/cc' failed with exit code 1", "there is no C compiler"),
        ("write failed: No space left on device (os error 28)", "the disk is full"),
        ("failed to create .venv/lib/x: Permission denied", "a file cannot be written"),
    ],
)
def test_what_stops_pip_as_well_stops_the_installation_with_one_sentence(tree, last, reason):
    (tree / "uv-says").write_text(f'echo "{last}" >&2; exit 2')
    done = subprocess.run(
        ["bash", tree / ".ci" / "install", "wanted.lock"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    [line] = done.stderr.splitlines()
    assert (done.returncode, line[:16], reason in line) == (1, "cannot install: ", True)


@pytest.mark.parametrize("target", ["run-nobody", "test-nobody", "swag-gen svc=nobody"])
def test_a_service_that_is_none_is_answered_with_those_there_are(target):
    assert 'echo "svc=nobody is not one of: catalog ' in asked(*target.split()).stdout


@pytest.mark.parametrize("target", ["migrate-up", "migrate-down", "migrate-init", "sqlc"])
@pytest.mark.parametrize("said", ["", "nothing", "user order"])
def test_a_database_that_is_none_is_answered_with_those_there_are(target, said):
    first = "all catalog" if target == "migrate-up" else "catalog"
    assert f'echo "db={said or "?"} is not one of: {first} ' in asked(target, f"db={said}").stdout


def test_the_container_tests_are_run_by_continuous_integration():
    """They need a Docker engine, so `make test` does not run them."""
    jobs = read_yaml(ROOT / ".github/workflows/ci.yml")["jobs"]
    commands = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    assert any("make test-containers" in command for command in commands)


@pytest.mark.parametrize("step", ["check --lock", "migrations check", "factories"])
def test_check_fails_if_any_part_of_a_loop_fails(step, tmp_path):
    for name in ("ruff", "mypy", "lint-imports", "bandit", "uv", "python"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 0\n")
        (tmp_path / name).chmod(0o755)
    done = tmp_path / "done"
    first = f'case "$*" in *"{step}"*) test -e {done} && exit 0; touch {done}; exit 1;; esac\n'
    (tmp_path / "python").write_text(f"#!/bin/sh\n{first}")
    said = make("-o", ".venv/.ready", f"BIN={tmp_path}", "check")
    assert said.returncode
    assert done.exists()
    assert "Error 1" in said.stderr
