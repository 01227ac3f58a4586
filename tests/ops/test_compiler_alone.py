"""The folder `codegen/` is a complete repository: a clone of it passes its tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.settings import ROOT

PLATFORM = ("devstack", "lib", "observability", "services")
SUITE = ("tests/parse", "tests/config", "tests/plan", "tests/emit", "tests/schema", "tests/vet")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files of the folder, in a place without the platform's packages."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "codegen"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        target = folder / Path(name).relative_to("codegen")
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            target.write_bytes((ROOT / name).read_bytes())
            target.chmod((ROOT / name).stat().st_mode)
    (folder / "hidden").mkdir()
    for package in PLATFORM:
        text = f"raise ModuleNotFoundError('{package} belongs to the platform')\n"
        (folder / "hidden" / f"{package}.py").write_text(text)
    return folder


def run_tests(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    paths = [str(clone / "src"), str(clone / "hidden")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *words],
        cwd=clone, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a checkout knows what is tracked")
def test_every_test_of_the_compiler_is_collected_without_the_platform(clone: Path) -> None:
    done = run_tests(clone, "--collect-only")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.long
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a checkout knows what is tracked")
def test_a_clone_of_the_compiler_passes_its_tests(clone: Path) -> None:
    done = run_tests(clone, *SUITE)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
