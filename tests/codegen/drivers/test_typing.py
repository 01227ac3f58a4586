"""Generated code and its adapter pass the strictest checkers, for every driver."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.codegen.drivers.running import Engine
from tools.realworld.typecheck import type_errors

ROOT = Path(__file__).resolve().parents[3]


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
