"""A clone of this folder alone is a complete project: its tests run there as they do here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects import ran
from tests.sampling import sample

CODEGEN = Path(__file__).parents[1]
# The long run adds tests that need a server.
QUICK = ("tests/test_shape.py", "tests/test_memo.py", "tests/plan")
OTHERS = tuple(
    f"tests/{it}" for it in ("config", "emit", "parse", "schema", "test_cases.py", "vet")
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tracked files of this folder, without parent folders."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CODEGEN, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (CODEGEN / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CODEGEN / name, folder / name)
    return folder


def run_tests(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in the clone, on the clone's own package."""
    env = {**os.environ, "PYTHONPATH": f"{clone / 'src'}{os.pathsep}{clone}"}
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *arguments]
    return ran(*command, cwd=clone, env=env)


def test_the_tests_of_a_clone_import_only_what_is_in_it(clone: Path) -> None:
    ask = "import aiosqlc, sys; sys.stdout.write(aiosqlc.__file__)"
    env = {**os.environ, "PYTHONPATH": str(clone / "src")}
    assert ran(sys.executable, "-c", ask, cwd=clone, env=env).stdout.startswith(str(clone))
    collected = run_tests(clone, "--collect-only")
    assert collected.returncode == 0, collected.stdout[-2000:]


@pytest.mark.parametrize("path", sample(len(QUICK), (*QUICK, *OTHERS)))
def test_the_tests_of_a_clone_pass(clone: Path, path: str) -> None:
    done = run_tests(clone, path)
    assert done.returncode == 0, done.stdout[-2000:]
