"""The Makefile: every target says what it does, and make knows how to do it."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from services._stack.settings import ROOT


def make(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def asked(*targets: str) -> subprocess.CompletedProcess[str]:
    """Say what make would do."""
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
    ],
)
def test_make_knows_what_the_older_systems_makefiles_did(target, does):
    said = asked(target)
    assert said.returncode == 0, said.stderr
    assert does in said.stdout


def test_files_are_read_as_utf8_whatever_the_terminal_speaks():
    done = subprocess.run(
        ["make", "--eval=x:; @$(PY) -c 'import sys; print(sys.flags.utf8_mode)'", "x"],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert done.stdout == "1\n"


@pytest.mark.parametrize("target", ["run-nobody", "test-nobody"])
def test_a_service_that_is_none_is_answered_with_those_there_are(target):
    assert 'echo "svc=nobody is not one of: catalog ' in asked(target).stdout


@pytest.mark.parametrize("target", ["migrate-up", "migrate-down", "migrate-init", "sqlc"])
@pytest.mark.parametrize("said", ["", "nothing", "user order"])
def test_a_database_that_is_none_is_answered_with_those_there_are(target, said):
    assert f'echo "db={said or "?"} is not one of: catalog ' in asked(target, f"db={said}").stdout
