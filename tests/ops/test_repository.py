"""Properties of the whole repository: locks without hosts, scripts that parse."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.settings import ROOT

SCRIPTS = sorted(path for path in (ROOT / ".ci").iterdir() if path.is_file())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_parses_is_executable_and_stops_at_the_first_error(script):
    subprocess.run(["bash", "-n", script], check=True)
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()


def locks_in(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check a copy of the locks, so that a test may change it."""
    return subprocess.run(
        ["bash", ROOT / ".ci" / "check-locks"],
        cwd=folder, env={**os.environ, "PYTHON": sys.executable},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in (
        "pyproject.toml", "codegen/pyproject.toml", "requirements.lock", "requirements-dev.lock",
        "clients/python/requirements.lock", "clients/typescript/package-lock.json",
        "tests/services/user/openid_provider/package-lock.json",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_locks_are_complete_and_name_no_host(copy):
    checked = locks_in(copy)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--index-url https://example.org/simple", "name a host"),
        ("left-pad==1.0", "have no hash"),
    ],
)
def test_a_lock_with_a_host_or_without_hashes_is_refused(copy, line, said):
    with (copy / "requirements.lock").open("a") as lock:
        lock.write(f"{line}\n")
    checked = locks_in(copy)
    assert checked.returncode == 1
    assert said in checked.stderr


def test_a_requirement_that_no_lock_holds_is_named(copy):
    text = (copy / "pyproject.toml").read_text()
    (copy / "pyproject.toml").write_text(text.replace('"jinja2"', '"jinja2", "left-pad"'))
    checked = locks_in(copy)
    assert checked.returncode == 1
    assert "requirements.lock lacks left-pad" in checked.stderr


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a checkout knows what is tracked")
def test_no_secret_and_no_package_is_tracked():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    packages = {".whl", ".deb", ".gz", ".zip"}
    kept = [
        name
        for name in tracked
        if "secrets" in Path(name).parts[:-1]
        or Path(name).suffix in packages
        or (ROOT / name).read_bytes().startswith(b"-----BEGIN")
    ]
    assert kept == []
