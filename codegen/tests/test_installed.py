"""The wheel in empty environments: each installer, each found Python, and no other package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from uv import find_uv_bin

from tests.projects import ran
from tests.sampling import sample

CODEGEN = Path(__file__).parents[1]
UV = find_uv_bin()
OTHERS = ("3.12", "3.13", "3.14")
# On the path, pyenv has programs that run only the version that is chosen.
PYENV = [str(folder) for folder in (Path.home() / ".pyenv" / "versions").glob("*/bin")]


def run(*command: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command without the variables of this test's environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept["PATH"] = os.pathsep.join([kept["PATH"], *PYENV])
    return ran(*command, cwd=folder, env=kept)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that a release would have."""
    folder = tmp_path_factory.mktemp("dist")
    done = run(
        sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, CODEGEN
    )
    assert done.returncode == 0, done.stderr
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that was generated elsewhere; one of the generated files is missing here."""
    folder = tmp_path / "project"
    assert main(["init", str(folder)]) == 0
    assert main(["generate", "-f", str(folder)]) == 0
    (folder / "store" / "queries.py").unlink()
    return folder


def install(python: str, wheel: Path, folder: Path, *, uv: bool) -> Path:
    """Return the program folder of an empty environment with the wheel and its requirements."""
    made = run(UV, "venv", "--quiet", "--seed", "--python", python, folder)
    assert made.returncode == 0, made.stderr
    inside = folder / "bin" / "python"
    command = [UV, "pip", "install", "--python", inside] if uv else [inside, "-m", "pip", "install"]
    done = run(*command, "--quiet", wheel)
    if done.returncode and os.environ.get("CI") != "true":
        pytest.skip(f"no index answers here: {done.stderr.strip().splitlines()[-1][:120]}")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def look(programs: Path, project: Path) -> None:
    """Use an installed package: from the lock, without a server or a driver."""
    absent = run(programs / "python", "-c", "import psycopg")
    assert absent.returncode, "the environment was to be empty"
    done = run(programs / "aiosqlc", "generate", folder=project)
    assert (done.returncode, done.stderr) == (0, "wrote store/queries.py\n")
    assert (project / "store" / "queries.py").exists()
    assert run(programs / "aiosqlc", "check", folder=project).returncode == 0
    assert run(programs / "aiosqlc", "init", "new", folder=project).returncode == 0


@pytest.mark.parametrize("uv", sample(1, [True, False]), ids=["uv", "pip"])
def test_a_committed_lock_is_enough_in_an_empty_environment(
    wheel: Path, project: Path, tmp_path: Path, uv: bool
) -> None:
    look(install(sys.executable, wheel, tmp_path / "env", uv=uv), project)


@pytest.mark.long
@pytest.mark.parametrize("version", OTHERS)
def test_every_python_that_is_found_runs_the_package(
    wheel: Path, project: Path, tmp_path: Path, version: str
) -> None:
    found = run(UV, "python", "find", "--no-python-downloads", version)
    if found.returncode:  # each has its own job in continuous integration
        pytest.skip(f"Python {version} is not installed")
    look(install(found.stdout.strip(), wheel, tmp_path / "env", uv=True), project)


def test_uvx_starts_a_project_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    command = [UV, "tool", "run", "--python", sys.executable, "--from", wheel, "aiosqlc", "init"]
    done = run(*command, folder=tmp_path)
    if done.returncode and os.environ.get("CI") != "true":
        pytest.skip(f"no index answers here: {done.stderr.strip().splitlines()[-1][:120]}")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "  aiosqlc serve -- python main.py  # run your program on a new database",
    )
