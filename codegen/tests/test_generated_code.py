"""Generated code is imported and called on a real server; checkers and formatters accept it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import asyncpg
import pytest
from ruff.__main__ import find_ruff_bin

from tests.golden import CASES

CALLED = sorted(path.parent.name for path in CASES.glob("*/calls.py"))
GENERATED = sorted(path.parent for path in CASES.glob("*/expected/__init__.py"))


def load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", CALLED)
async def test_the_generated_functions_do_what_they_say(name: str, empty_database: str) -> None:
    case = CASES / name
    load(f"case_{name}", case / "expected" / "__init__.py")
    calls = load(f"case_{name}_calls", case / "calls.py")
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute((case / "schema.sql").read_text())
        await calls.run(connection, sys.modules[f"case_{name}.queries"])
    finally:
        await connection.close()


def test_formatting_generated_code_again_changes_nothing() -> None:
    run(find_ruff_bin(), "format", "--isolated", "--check", "--no-cache", *map(str, GENERATED))


def test_generated_code_has_no_unused_or_unsorted_imports() -> None:
    command = (find_ruff_bin(), "check", "--isolated", "--no-cache", "--select", "F,I,UP,B")
    run(*command, "--target-version", "py311", *map(str, GENERATED))


def test_generated_code_passes_the_strictest_type_check(tmp_path: Path) -> None:
    """This includes its callers, whose mistakes are found: an unused ignore is an error."""
    for folder in GENERATED:
        (tmp_path / folder.parent.name).symlink_to(folder, target_is_directory=True)
    copy_callers(tmp_path)
    run(
        *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"),
        *("--cache-dir", str(tmp_path / ".mypy_cache"), "."),
        cwd=tmp_path,
    )


READERS_OF_JSON = [
    folder
    for folder in GENERATED
    if folder.parent.name.startswith(("documents_are_read_with_", "mysql_documents"))
]


@pytest.mark.parametrize(
    ("mode", "folders"),
    [("strict", GENERATED), ("standard", READERS_OF_JSON), ("basic", READERS_OF_JSON)],
    ids=["strict", "standard", "basic"],
)
def test_generated_code_passes_pyright(tmp_path: Path, mode: str, folders: list[Path]) -> None:
    """The modes differ in their inference, so code that passes the strictest can fail another."""
    assert folders
    pyright = Path(sys.executable).with_name("pyright")
    started = subprocess.run([pyright, "--version"], capture_output=True, check=False, cwd=tmp_path)
    if started.returncode and "CI" not in os.environ:
        pytest.skip("pyright does not start: it needs Node.js, once, from the npm registry")
    for folder in folders:
        shutil.copytree(folder, tmp_path / folder.parent.name)
    if folders is GENERATED:
        copy_callers(tmp_path)
    environment = Path(sys.executable).parent.parent
    settings = {
        "typeCheckingMode": mode,
        "pythonVersion": "3.11",
        "venvPath": str(environment.parent),
        "venv": environment.name,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    run(str(pyright), cwd=tmp_path)


def copy_callers(folder: Path) -> None:
    """Copy code that uses a case's package beside it."""
    for path in CASES.glob("*/callers.py"):
        shutil.copy(path, folder / f"{path.parent.name}_callers.py")


def run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
