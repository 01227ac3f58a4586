"""Generated code and its adapter pass the strictest checkers, for every driver."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from devstack.testing.postgres import TestPostgres
from tests.codegen.drivers.connecting import POSTGRES
from tests.codegen.drivers.running import compiled
from tests.codegen.golden import analyzer_on
from tools.realworld.typecheck import type_errors

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.long
@pytest.mark.parametrize("models", ["dataclass", "pydantic"])
def test_the_code_passes_mypy_and_pyright_at_their_strictest(
    models: str, postgres_server: TestPostgres, tmp_path: Path
) -> None:
    url = postgres_server.create_empty()
    options = f"models: {models}, emit_exceptions: true, emit_helpers: true"
    with ExitStack() as stack:
        for driver in POSTGRES:
            stack.enter_context(compiled(tmp_path, driver, analyzer_on(url), options=options))
    postgres_server.drop(url)
    assert type_errors(tmp_path, ROOT) == []
