"""The message on a machine that cannot install: one sentence with a remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.settings import ROOT

PARTS = (".ci", "Makefile", "requirements.lock", "requirements-dev.lock", "pyproject.toml")
# No index that an environment may name is asked, and none answers here.
ABSENT = "http://127.0.0.1:9/simple"
DOWN = {
    "PIP_INDEX_URL": ABSENT, "PIP_EXTRA_INDEX_URL": ABSENT, "PIP_FIND_LINKS": "",
    "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull,
}  # fmt: skip


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The part of a clone that an installation reads."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    (folder / "codegen").mkdir()
    shutil.copy(ROOT / "codegen" / "pyproject.toml", folder / "codegen")
    return folder


def install(
    clone: Path, *before: str, account: str | None = None, python: str = sys.executable, **env: str
) -> subprocess.CompletedProcess[str]:
    """Install there with this Python, under another account if given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.run(
        [*before, "bash", ".ci/install", "requirements.lock"], cwd=clone, text=True, check=False,
        capture_output=True, stdin=subprocess.DEVNULL, user=account,
        env={**kept, "PYTHON": python, **DOWN, **env},
    )  # fmt: skip


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Return the only line of a failed installation."""
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    [line] = done.stderr.splitlines()
    return line.removeprefix("cannot install: ")


def test_clone_that_cannot_be_written_is_said_with_its_path(clone):
    account = None
    if os.geteuid() == 0:
        account = "nobody"
        for folder in (clone, *clone.parents[:3]):
            folder.chmod(0o755)
    else:
        clone.chmod(0o500)
    said = sentence(install(clone, account=account, HOME="/"))
    assert said == f"this folder ({clone}) cannot be written; clone it into a folder of your own"


def test_python_without_its_venv_module_is_said_with_the_package_to_install(clone, tmp_path):
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    said = sentence(install(clone, PYTHONPATH=str(tmp_path)))
    assert said.startswith(f"{sys.executable} cannot make environments: install its venv module")
    assert "python3-venv" in said
    assert not (clone / ".venv").exists()


def test_index_that_is_down_is_said(clone):
    said = sentence(install(clone))
    assert said.startswith("the package index does not answer; is this machine online")


def test_full_disk_is_said_with_the_room_that_is_needed(clone):
    mount = 'mount -t tmpfs -o size=9m tmpfs "$1" && cp -r "$2"/. "$1" && cd "$1" && shift 2'
    small = clone.parent / "small"
    small.mkdir()
    isolated = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*isolated, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel lets nobody mount a small disk here")
    done = install(
        clone, *isolated, "sh", "-euc", f'{mount}; exec "$@"', "sh", str(small), str(clone)
    )
    assert sentence(done).startswith(f"the disk is full: 0 MB are free in {small}, and .venv takes")


def test_python_that_is_absent_or_too_old_is_said_before_anything_is_made(clone):
    # As by hand: a make that runs the tests leaves its own variables.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "setup", f"PYTHON={clone}/no-python"], cwd=clone, capture_output=True, text=True,
        check=False, env=environ,
    )  # fmt: skip
    first, *rest = done.stderr.splitlines()
    assert first == ("Python 3.11 or newer is needed; say which: make PYTHON=python3.12 setup")
    assert all(line.startswith("make: ***") for line in rest)
    assert not (clone / ".venv").exists()


def test_readme_names_the_commands_of_make_run_for_machines_without_make():
    asked = subprocess.run(
        ["make", "--dry-run", "LOCAL=no-run", "READY=no-test", "run"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    readme = (ROOT / "README.md").read_text()
    for command in ("bash .ci/install requirements.lock", ".venv/bin/python -m devstack"):
        assert command in asked
        assert f"`{command}`" in readme
