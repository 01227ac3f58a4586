"""Generated code and its adapter pass the strictest checkers, for every driver."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.drivers.running import Engine, complaints
from tools.realworld.typecheck import type_errors

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
@pytest.mark.parametrize("models", ["dataclass", "pydantic"])
def test_the_code_passes_mypy_and_pyright_at_their_strictest(
    models: str, postgres: Engine, mysql: Engine, tmp_path: Path
) -> None:
    options = f"models: {models}, emit_exceptions: true, emit_helpers: true"
    with ExitStack() as stack:
        for driver in (*postgres.drivers, postgres.drivers):
            stack.enter_context(postgres.compiled(tmp_path, driver, options=options))
        for driver in mysql.drivers:
            stack.enter_context(mysql.compiled(tmp_path, driver, options=options))
    assert type_errors(tmp_path, ROOT) == []


@pytest.mark.parametrize("models", ["dataclass", "pydantic", "attrs", "msgspec"])
def test_the_code_is_strictly_typed_and_formatted(
    mysql: Engine, tmp_path: Path, models: str
) -> None:
    with mysql.compiled(tmp_path, "aiomysql", options=f"models: {models}") as package:
        assert complaints(tmp_path / package) == ""
        mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", package]
        done = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
