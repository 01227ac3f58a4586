"""Generated code and its adapter pass the strictest checkers, for every driver."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from devstack.testing.mysql_databases import MysqlDatabases
from devstack.testing.postgres import TestPostgres
from tests.codegen.drivers.connecting import POSTGRES
from tests.codegen.drivers.connecting_mysql import MYSQL
from tests.codegen.drivers.running import analyzer_on_mysql, compiled
from tests.codegen.golden import analyzer_on
from tools.realworld.typecheck import type_errors

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.long
@pytest.mark.parametrize("models", ["dataclass", "pydantic"])
def test_the_code_passes_mypy_and_pyright_at_their_strictest(
    models: str, postgres_server: TestPostgres, mysql_server: MysqlDatabases, tmp_path: Path
) -> None:
    url, mysql_url = postgres_server.create_empty(), mysql_server.create_empty()
    options = f"models: {models}, emit_exceptions: true, emit_helpers: true"
    with ExitStack() as stack:
        for driver in (*POSTGRES, f"[{', '.join(POSTGRES)}]"):
            stack.enter_context(compiled(tmp_path, driver, analyzer_on(url), options=options))
        for driver in MYSQL:
            package = compiled(
                tmp_path,
                driver,
                analyzer_on_mysql(mysql_url),
                engine="mysql",
                files=("mysql.sql", "mysql_queries.sql"),
                options=options,
            )
            stack.enter_context(package)
    postgres_server.drop(url)
    mysql_server.drop(mysql_url)
    assert type_errors(tmp_path, ROOT) == []
