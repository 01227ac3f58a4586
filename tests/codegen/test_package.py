"""The package: what is in it, and what of it works without its extras."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from aiosqlc.cli.main import main

CODEGEN = Path(__file__).parents[2] / "codegen"
DATA = {".py", ".sql", ".txt", ".typed"}
EXTRAS = ("psycopg", "pymysql", "sqlglot")


def test_wheel_and_sdist_hold_the_package_its_licence_and_nothing_else(tmp_path: Path) -> None:
    before = sorted(path.name for path in CODEGEN.iterdir())
    command = [sys.executable, "-m", "uv", "build", "--quiet", "--no-build-isolation", "--offline"]
    subprocess.run(
        [*command, "--python", sys.executable, "--out-dir", str(tmp_path), str(CODEGEN)], check=True
    )
    left = {path.name for path in CODEGEN.iterdir()} - {*before, "aiosqlc.egg-info"}
    assert not left, "a later build would ship it"
    package = {
        path.relative_to(CODEGEN).as_posix()
        for path in (CODEGEN / "aiosqlc").rglob("*")
        if path.suffix in DATA and path.is_file()
    }
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == package
    assert any(name.endswith("licenses/LICENSE") for name in about)
    [sdist] = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    extra = {name for name in inside - package if not name.startswith("aiosqlc.egg-info/")}
    assert extra == {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg", "setup.py"}


def without_extras(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process in which nothing of the extras can be imported."""
    hidden = "".join(f"sys.modules[{name!r}] = None; " for name in EXTRAS)
    code = f"import sys; {hidden}from aiosqlc.cli.main import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments, "-f", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert main(["init", str(tmp_path)]) == 0
    return tmp_path


def test_what_has_not_changed_needs_no_driver(project: Path) -> None:
    assert main(["generate", "-f", str(project)]) == 0
    (project / "store" / "queries.py").unlink()
    done = without_extras("generate", folder=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert (project / "store" / "queries.py").exists()


def test_the_extra_that_is_missing_is_named(project: Path) -> None:
    done = without_extras("generate", folder=project)
    assert (done.returncode, done.stderr) == (
        2,
        "this needs psycopg: pip install 'aiosqlc[postgres]'\n",
    )


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("aiosqlc ")
